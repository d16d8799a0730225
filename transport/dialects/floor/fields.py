"""The fields of the floor's frames: how clients call each, where an event has it, and why it is null where it has not.

Rules of this file: no I/O, and any data may come: reading never fails. What an event did not carry is null, with its
reason under ``reasons``; nothing is invented in its place, and a moment is RFC 3339 in UTC whoever wrote it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from domain import JsonObject, JsonValue, rfc3339
from transport.dialects.floor.places import text_of

# Unix seconds of the year 2001: a smaller number is a duration, or a counter.
_LEAST_MOMENT = 1_000_000_000
_MICROSECONDS = 100_000_000_000_000
_MILLISECONDS = 100_000_000_000

Read = Callable[[JsonValue], JsonValue]


def as_it_is(value: JsonValue) -> JsonValue:
    """The value, whatever it is."""
    return value


def number(value: JsonValue) -> JsonValue:
    """A finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


def minutes(value: JsonValue) -> JsonValue:
    """Seconds as minutes."""
    seconds = number(value)
    return round(seconds / 60, 3) if isinstance(seconds, int | float) else None


def counted(name: str) -> Read:
    """The sum of what the objects of a list have under ``name``; a number is taken as it is."""

    def read(value: JsonValue) -> JsonValue:
        if not isinstance(value, list):
            return number(value)
        counts = [number(each.get(name)) for each in value if isinstance(each, Mapping)]
        return sum(count for count in counts if isinstance(count, int | float))

    return read


def moment(value: JsonValue) -> JsonValue:
    """RFC 3339 text; numbers are Unix seconds, milliseconds or microseconds, told by their size."""
    if isinstance(value, str):
        return value or None
    seconds = number(value)
    if not isinstance(seconds, int | float) or seconds < _LEAST_MOMENT:
        return None
    if seconds >= _MICROSECONDS:
        seconds /= 1_000_000
    elif seconds >= _MILLISECONDS:
        seconds /= 1000
    try:
        return rfc3339(seconds)
    except (ValueError, OverflowError):
        return None


def without(prefix: str) -> Read:
    """Text without ``prefix``, if it begins with that; anything else as it is."""

    def read(value: JsonValue) -> JsonValue:
        return value.removeprefix(prefix) if isinstance(value, str) else value

    return read


def word_of(words: Mapping[str, str]) -> Read:
    """The client's word for one of ours; a word that is not in ``words`` is passed on."""

    def read(value: JsonValue) -> JsonValue:
        text = text_of(value)
        return None if text is None else words.get(text.lower(), text)

    return read


class Field(msgspec.Struct, frozen=True):
    """One field as clients know it; ``places`` are where an event may have it, the first that has one wins.

    A place is a member of the event's data, or one within another, with a dot. ``why`` is said where there is none.
    """

    name: str
    places: tuple[str, ...]
    why: str
    read: Read = as_it_is

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that it goes by."""
        return (self.name, *self.places)

    def of(self, data: JsonObject) -> JsonValue:
        """The value that ``data`` has for it, None if it has none."""
        for place in self.places:
            value = found(data, place)
            if value is not None:
                told = self.read(value)
                if told is not None:
                    return told
        return None


def found(data: JsonObject, place: str) -> JsonValue:
    """What ``data`` has at ``place``; None if it has nothing."""
    value: JsonValue = data
    for name in place.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def fields(names: str, why: str, read: Read = as_it_is) -> tuple[Field, ...]:
    """Fields of one kind; ``names`` has one to a word: ``name`` alone, or ``name=place=place``.

    Each is also looked for in the camel case of its name.
    """
    made = []
    for word in names.split():
        name, *places = word.split("=")
        made.append(Field(name, tuple(dict.fromkeys((*places, name, camel(name)))), why, read))
    return tuple(made)


def camel(name: str) -> str:
    """``acknowledged_at`` as ``acknowledgedAt``."""
    head, *rest = name.split("_")
    return head + "".join(each.capitalize() for each in rest)


def told(data: JsonValue, wanted: Sequence[Field]) -> dict[str, JsonValue]:
    """The members of ``data`` with every field that is ``wanted``; ``reasons`` says of each null why."""
    members: JsonObject = data if isinstance(data, Mapping) else _NOTHING
    values: dict[str, JsonValue] = {}
    given = members.get("reasons")
    reasons: dict[str, JsonValue] = dict(given) if isinstance(given, Mapping) else {}
    for field in wanted:
        value = field.of(members)
        values[field.name] = value
        if value is None:
            # What it is called in the event may be what the event's reason speaks of.
            reasons[field.name] = next((reasons[name] for name in field.names if reasons.get(name)), field.why)
    kept = {name: value for name, value in members.items() if name not in values and name != "reasons"}
    return {**values, **kept, **({"reasons": reasons} if reasons else {})}


_NOTHING: JsonObject = MappingProxyType({})
