"""A record: an event as it lies in the journal.

Rules of this file: no I/O. An event that is read back equals the event that was written: its JSON members are kept as
CloudEvents writes them, so that a person can read the file, and the moment it was recorded is kept beside them to the
bit, because the members round it to a millisecond. What is not a finite number becomes null, as on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from domain import Event, JsonObject, JsonValue, Priority

OVERHEAD = 160
"""Bytes that a record takes beside its texts: numbers, hash and its entries in three indexes."""

_NO_EXTENSIONS = frozenset(
    {"specversion", "id", "source", "type", "subject", "time", "recordedtime", "priority", "quality", "data"}
)


class Entry(msgspec.Struct, frozen=True):
    """``event``, to be kept as a publication of ``channel`` at ``at`` (Unix seconds)."""

    event: Event
    channel: str
    at: float


class Recorded(msgspec.Struct, frozen=True):
    """What became of an entry.

    ``critical`` is its number in the log of critical events, if it is one. ``is_new`` is False for an event that the
    journal had already: nothing was written, and ``critical`` is the number it got then. ``is_kept`` is False for an
    event that the journal does not keep: events of its priority are not kept, or there is no room left for them.
    """

    entry: Entry
    critical: int | None
    is_new: bool = True
    is_kept: bool = True


class Kept(msgspec.Struct, frozen=True):
    """An event that was read back. ``number`` counts the records of all priorities in the order they were written."""

    number: int
    critical: int | None
    channel: str
    at: float
    event: Event


class Record(NamedTuple):
    """One row: texts as UTF-8, times in Unix seconds; ``place`` is dense from 1 within a priority."""

    number: int
    priority: int
    place: int
    channel: bytes
    source: bytes
    id: bytes
    at: float
    recorded: float
    size: int
    event: bytes
    hash: bytes


COLUMNS = ", ".join(Record._fields)


class Unreadable(ValueError):
    """A record's members are no event."""


def plain(value: object) -> object:
    """A mapping or sequence that msgspec does not know, as one that it does."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


_encode = msgspec.json.Encoder(enc_hook=plain).encode
_decode = msgspec.json.Decoder().decode


def write_members(event: Event) -> bytes:
    """The JSON members of ``event``."""
    return _encode(event.to_members())


def size_of(channel: bytes, source: bytes, id_: bytes, members: bytes) -> int:
    """The bytes that a record counts for; what is indexed lies in the file twice."""
    return OVERHEAD + 2 * (len(channel) + len(source) + len(id_)) + len(members)


def read_event(members: bytes, recorded: float) -> Event:
    """The event whose JSON members these are.

    Raises:
        Unreadable: if they are none.
    """
    try:
        found: JsonValue = _decode(members)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable(str(error)) from None
    if not isinstance(found, Mapping):
        raise Unreadable("no object")
    priority = Priority.from_wire(_text(found, "priority"))
    if priority is None:
        raise Unreadable("no priority")
    return Event(
        id=_text(found, "id"),
        source=_text(found, "source"),
        type=_text(found, "type"),
        data=found.get("data"),
        recorded=recorded,
        priority=priority,
        subject=_text(found, "subject") if "subject" in found else None,
        time=_text(found, "time") if "time" in found else None,
        quality=_text(found, "quality"),
        extensions=_extensions(found),
    )


def _text(members: JsonObject, name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise Unreadable(f"{name} is no text")
    return value


def _extensions(members: JsonObject) -> dict[str, str | int | bool]:
    return {
        name: value
        for name, value in members.items()
        if name not in _NO_EXTENSIONS and isinstance(value, str | int | bool)
    }
