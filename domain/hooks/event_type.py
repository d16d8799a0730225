"""A type of events that a plant adds: what it is called, how urgent it is, what its data must hold.

Rules of this file: a type is data, not code, so checking an event by it can neither fail nor hang. The first word of a
type says whose it is; the words that the gateway uses itself are not to be had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from domain.event import Event, Fault
from domain.json import JsonValue
from domain.priority import Priority

RESERVED = frozenset(
    {
        "alarm", "andon", "canary", "chain", "changeover", "downtime", "equipment", "escalation", "hook", "host", "job",
        "journal", "line", "oee", "portal", "production", "quality", "receipt", "source", "validator",
    }
)  # fmt: skip
"""First words of types that the gateway gives a meaning; a plant's own types begin with another."""

KINDS: Mapping[str, tuple[type, ...]] = MappingProxyType(
    {"text": (str,), "number": (int, float), "flag": (bool,), "list": (list,), "object": (dict,)}
)
"""What a member of the data may be, in the words of ``EventType.members``."""

_TYPE = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+", re.ASCII)
_NO_MEMBERS: Mapping[str, str] = MappingProxyType({})


class EventType(msgspec.Struct, frozen=True):
    """Events of type ``name`` have ``priority``; ``members`` says what each member that their data must have is.

    A member is ``text``, ``number``, ``flag``, ``list`` or ``object``; data may have more members than these.
    """

    name: str
    priority: Priority
    meaning: str
    members: Mapping[str, str] = _NO_MEMBERS

    def faults(self, data: JsonValue) -> list[Fault]:
        """What is wrong with ``data`` as the data of such an event."""
        if not self.members:
            return []
        if not isinstance(data, Mapping):
            return [Fault("/data", f"must be an object with {', '.join(self.members)}: {self.name}")]
        return [
            Fault(f"/data/{member}", f"must be a {kind}: {self.name}")
            for member, kind in self.members.items()
            if not _is(kind, data.get(member))
        ]


def type_faults(types: Mapping[str, EventType], event: Event) -> list[Fault]:
    """What ``event`` lacks that its type, if it is one of ``types``, promises."""
    known = types.get(event.type)
    return [] if known is None else known.faults(event.data)


def name_faults(types: Sequence[EventType]) -> list[str]:
    """What is wrong with the words that ``types`` use."""
    faults = []
    for each in types:
        head = each.name.partition(".")[0]
        if not _TYPE.fullmatch(each.name):
            faults.append(f"type {each.name!r} is not dotted, lower case, noun first: press.guard.opened")
        elif head in RESERVED:
            faults.append(f"type {each.name!r} begins with {head!r}, which is a word of the gateway's own")
        faults += [
            f"type {each.name!r}: member {member!r} is a {kind!r}, which is none of {', '.join(KINDS)}"
            for member, kind in each.members.items()
            if kind not in KINDS
        ]
    return faults


def _is(kind: str, value: JsonValue) -> bool:
    # In Python a flag is a number; in a plant it is not.
    if isinstance(value, bool):
        return kind == "flag"
    return isinstance(value, KINDS[kind])
