"""Rules by which an event raises a call.

Rules of this file: a rule fits as one of the policy does (type, source, values in the data); each that fits raises its
call. The id of the call follows from the rule and the event, so that an event that comes again raises nothing again.
A call that is open there already stands for the new one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2s

import msgspec

from domain.event import Event
from domain.json import JsonValue
from domain.names import is_channel
from domain.plant.calls.kinds import KINDS
from domain.plant.calls.wish import TEXT_SIZE, Wish
from domain.policy import Rule, rule_text
from domain.priority import Priority

_PLACE = re.compile(r"\{([a-z][A-Za-z0-9_.]*)\}")

_APART = ("validator.", "chain.node.")
"""Types of events whose subject is a place of its own at their source: a validator and a node of a chain."""


class CallRule(msgspec.Struct, frozen=True):
    """Events that fit ``pattern`` raise a call of ``word``; ``{data.code}`` in ``text`` is a value of the event.

    ``equipment`` is where; empty: where the event comes from, or the validator or the node of
    a chain that it is about. ``priority`` is empty for that of the word.
    """

    name: str
    pattern: Rule
    word: str
    priority: str = ""
    text: str = ""
    equipment: str = ""

    @property
    def by(self) -> str:
        """Who raises its calls."""
        return f"rule:{self.name}"

    def may_fit(self, type_: str) -> bool:
        """Whether events of ``type_`` can raise its calls at all."""
        own = self.pattern.type
        return not type_.startswith("andon.") and (not own or type_ == own or type_.startswith(f"{own}."))


def rule(  # noqa: PLR0913 - one for each thing that a rule says
    name: str,
    word: str,
    *,
    type_: str = "",
    source: str = "",
    where: Sequence[tuple[str, JsonValue]] = (),
    priority: str = "",
    text: str = "",
    equipment: str = "",
) -> CallRule:
    """A rule, its values as the policy compares them."""
    pattern = Rule(name, type_, Priority.CRITICAL, tuple((member, rule_text(value)) for member, value in where), source)
    return CallRule(name, pattern, word, priority, text, equipment)


def wishes(rules: Sequence[CallRule], event: Event, path_of: Callable[[str], str]) -> list[tuple[CallRule, Wish]]:
    """The calls that ``event`` raises by ``rules``; an event of a call raises none, or it would have no end."""
    if event.type.startswith("andon."):
        return []
    found = []
    for each in rules:
        if not each.pattern.fits(event.type, event.data, event.source):
            continue
        path = path_of(each.equipment or _place_of(event)).strip("/")
        if not is_channel(f"andon/{path}"):
            continue
        kind = KINDS[each.word]
        links = {"alarm": event.subject} if event.type.startswith("alarm.") and event.subject else {}
        found.append(
            (
                each,
                Wish(
                    path=path,
                    word=each.word,
                    priority=each.priority or kind.priority.value,
                    text=_filled(each.text, event)[:TEXT_SIZE] or _text_of(event),
                    stops_line=kind.stops_line,
                    incident=_member(event, "incident") or None,
                    links=links,
                    id=_id(each, event),
                ),
            )
        )
    return found


def _place_of(event: Event) -> str:
    # Of one place one call is open: the second validator that is jailed is not to be the first one's.
    is_apart = event.type.startswith(_APART) and event.subject and is_channel(f"andon{event.source}/{event.subject}")
    return f"{event.source}/{event.subject}" if is_apart else event.source


def _id(rule_: CallRule, event: Event) -> str:
    name = f"{rule_.name}\0{event.source}\0{event.id}"
    return f"r{blake2s(name.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}"


def _filled(text: str, event: Event) -> str:
    return _PLACE.sub(lambda place: _member(event, place[1].removeprefix("data.")), text)


def _member(event: Event, name: str) -> str:
    value: JsonValue = event.data
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def _text_of(event: Event) -> str:
    return (_member(event, "text") or _member(event, "message") or event.type)[:TEXT_SIZE]
