"""How urgent a thing is: four priorities, and the policy that gives an event its own.

Rules of this file: one table, read from top to bottom, the first rule that fits wins. The priority
is given once, where the gateway learns what an event means; every hop after that obeys it. A publisher
may ask for less than the policy grants, never for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from domain.json import JsonValue


class Priority(IntEnum):
    """CRITICAL goes before HIGH, HIGH before NORMAL, NORMAL before LOW."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3

    @property
    def wire(self) -> str:
        """The word on the native wire: ``critical`` ... ``low``."""
        return self.name.lower()

    @property
    def seed(self) -> int:
        """The number that the floor's clients know: 1 (critical) to 4."""
        return self.value + 1

    @classmethod
    def from_wire(cls, word: str) -> Priority | None:
        """The priority that ``word`` names, or None."""
        return _BY_WORD.get(word)


_BY_WORD = {priority.wire: priority for priority in Priority}


@dataclass(frozen=True, slots=True)
class Rule:
    """Events whose type is ``type`` or starts with ``type`` and a dot, whose data has ``values``, get ``priority``."""

    type: str
    priority: Priority
    values: tuple[tuple[str, str], ...] = ()

    def fits(self, type_: str, data: JsonValue) -> bool:
        """Whether this rule speaks of an event of ``type_`` that carries ``data``."""
        if type_ != self.type and not type_.startswith(self.type + "."):
            return False
        if not self.values:
            return True
        return isinstance(data, Mapping) and all(str(data.get(key)).upper() == value for key, value in self.values)


# PROTOCOL.md, "Priorities": what each level carries.
RULES: tuple[Rule, ...] = (
    Rule("andon.call", Priority.CRITICAL),
    Rule("alarm.raised", Priority.CRITICAL, (("level", "FAULT"),)),
    Rule("alarm.changed", Priority.CRITICAL, (("level", "FAULT"),)),
    Rule("alarm", Priority.HIGH),
    Rule("validator.jailed", Priority.CRITICAL),
    Rule("validator.tombstoned", Priority.CRITICAL),
    Rule("validator.slashed", Priority.CRITICAL),
    Rule("validator.status", Priority.CRITICAL, (("status", "JAILED"),)),
    Rule("validator.status", Priority.CRITICAL, (("status", "TOMBSTONED"),)),
    Rule("validator", Priority.HIGH),
    Rule("chain.halted", Priority.CRITICAL),
    Rule("source.silent", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source.stale", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source.lost", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source", Priority.HIGH),
    Rule("equipment.state", Priority.HIGH),
    Rule("equipment.reading", Priority.NORMAL),
    Rule("chain", Priority.NORMAL),
    Rule("host", Priority.NORMAL),
    Rule("portal", Priority.NORMAL),
)


def priority_of(type_: str, data: JsonValue, asked: Priority | None = None) -> Priority:
    """The priority the policy gives an event; ``asked`` can lower it.

    An event of a type that no rule names is NORMAL, or what its publisher asked for below CRITICAL:
    a plant's own types must not be able to overtake its Andon calls by saying so.
    """
    for rule in RULES:
        if rule.fits(type_, data):
            return rule.priority if asked is None else max(rule.priority, asked)
    return Priority.NORMAL if asked is None else max(Priority.HIGH, asked)
