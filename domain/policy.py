"""The policy: which priority an event gets, as a table of rules.

Rules of this file: no I/O, no clock, nothing that changes. The table is read from top to bottom and the first rule that
fits wins; what the operator wrote comes before what is built in. The priority is given once, where the gateway learns
what an event means; every hop after that obeys it. A publisher may ask for less than the policy grants, never for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2s

import msgspec

from domain.json import JsonValue
from domain.priority import Priority

ANY = "*"
VERSION_SIZE = 6


class Rule(msgspec.Struct, frozen=True):
    """Events that fit get ``priority``; ``name`` is what the rule is called wherever it is spoken of.

    An event fits when its type is ``type`` or below it (``alarm`` has ``alarm.raised`` below it; empty: any type), its
    data has the values of ``where``, and its source is ``source`` (``/acme/*``: whatever begins with ``/acme/``; empty:
    any source). ``where`` names members of the data, those within others with dots; values are as ``rule_text`` writes
    them, so that case makes no difference.
    """

    name: str
    type: str
    priority: Priority
    where: tuple[tuple[str, str], ...] = ()
    source: str = ""

    def fits(self, type_: str, data: JsonValue, source: str = "") -> bool:
        """Whether this rule speaks of an event of ``type_`` from ``source`` that carries ``data``."""
        if self.type and type_ != self.type and not type_.startswith(self.type + "."):
            return False
        if self.source and not self._is_from(source):
            return False
        return all(_said(data, member) == value for member, value in self.where)

    def _is_from(self, source: str) -> bool:
        if self.source.endswith(ANY):
            return source.startswith(self.source[: -len(ANY)])
        return source == self.source

    @property
    def text(self) -> str:
        """The rule in words."""
        parts = [f"type {self.type} or below it" if self.type else "any type"]
        if self.source:
            parts.append(f"source {self.source}")
        parts += [f"{member} is {value}" for member, value in self.where]
        return f"{', '.join(parts)}: {self.priority.wire}"


def _said(data: JsonValue, member: str) -> str | None:
    """What ``data`` says of ``member``; None where it says nothing."""
    if not isinstance(data, Mapping):
        return None
    if member in data:
        return rule_text(data[member])
    head, dot, rest = member.partition(".")
    return _said(data.get(head), rest) if dot else None


def rule_text(value: JsonValue) -> str:
    """A value as it is compared: in capitals; what is no single value is empty."""
    if isinstance(value, Mapping | list):
        return ""
    if isinstance(value, float) and value.is_integer():
        # JSON knows one kind of number: 3.0 is 3.
        return str(int(value))
    return "NULL" if value is None else str(value).upper()


# What each level carries. Each name has a dot, which those of an operator's rules have not. The documents' page of
# priorities is made from it.
BUILT_IN_RULES: tuple[Rule, ...] = (
    Rule("andon.call", "andon.call", Priority.CRITICAL),
    Rule("escalation.any", "escalation", Priority.CRITICAL),
    Rule("alarm.raised.fault", "alarm.raised", Priority.CRITICAL, (("level", "FAULT"),)),
    Rule("alarm.changed.fault", "alarm.changed", Priority.CRITICAL, (("level", "FAULT"),)),
    Rule("alarm.state.critical", "alarm.state.unacknowledged", Priority.CRITICAL, (("priority", "CRITICAL"),)),
    Rule("alarm.other", "alarm", Priority.HIGH),
    Rule("validator.jailed", "validator.jailed", Priority.CRITICAL),
    Rule("validator.tombstoned", "validator.tombstoned", Priority.CRITICAL),
    Rule("validator.slashed", "validator.slashed", Priority.CRITICAL),
    Rule("validator.status.figures", "validator.status", Priority.LOW, (("figures", "TRUE"),)),
    Rule("validator.status.repeated", "validator.status", Priority.NORMAL, (("news", "FALSE"),)),
    Rule(
        "validator.status.standing",
        "validator.status",
        Priority.HIGH,
        (("standing", "TRUE"), ("watched", "FALSE"), ("news", "TRUE")),
    ),
    Rule("validator.status.jailed", "validator.status", Priority.CRITICAL, (("status", "JAILED"),)),
    Rule("validator.status.tombstoned", "validator.status", Priority.CRITICAL, (("status", "TOMBSTONED"),)),
    Rule("validator.history", "validator.history", Priority.NORMAL),
    Rule("validator.risk.imminent", "validator.risk", Priority.CRITICAL, (("imminent", "TRUE"),)),
    Rule("validator.other", "validator", Priority.HIGH),
    Rule("chain.halted", "chain.halted", Priority.CRITICAL),
    Rule("chain.resumed", "chain.resumed", Priority.HIGH),
    Rule("chain.stale", "chain.stale", Priority.HIGH),
    Rule("chain.fresh", "chain.fresh", Priority.HIGH),
    Rule("chain.missed", "chain.missed", Priority.HIGH),
    Rule("chain.reorganized", "chain.reorganized", Priority.HIGH),
    Rule("chain.node", "chain.node", Priority.HIGH),
    Rule("source.silent.required", "source.silent", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source.stale.required", "source.stale", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source.lost.required", "source.lost", Priority.CRITICAL, (("required", "TRUE"),)),
    Rule("source.other", "source", Priority.HIGH),
    Rule("hook.other", "hook", Priority.HIGH),
    Rule("equipment.state", "equipment.state", Priority.HIGH),
    Rule("job.any", "job", Priority.HIGH),
    Rule("changeover.any", "changeover", Priority.HIGH),
    Rule("quality.any", "quality", Priority.HIGH),
    Rule("production.any", "production", Priority.NORMAL),
    Rule("downtime.any", "downtime", Priority.HIGH),
    Rule("line.any", "line", Priority.HIGH),
    Rule("oee.any", "oee", Priority.NORMAL),
    Rule("equipment.reading", "equipment.reading", Priority.NORMAL),
    Rule("chain.other", "chain", Priority.NORMAL),
    Rule("host.any", "host", Priority.NORMAL),
    Rule("portal.any", "portal", Priority.NORMAL),
)


class Ruling(msgspec.Struct, frozen=True):
    """The ``priority`` of an event, the ``rule`` it comes from (None: no rule names it), what was ``asked`` for."""

    priority: Priority
    rule: Rule | None
    asked: Priority | None


@dataclass(frozen=True)
class Policy:
    """A whole table of rules in their order; ``version`` is the same for the same table, and for no other."""

    rules: tuple[Rule, ...] = BUILT_IN_RULES
    version: str = field(init=False)
    _by_kind: Mapping[str, tuple[Rule, ...]] = field(init=False, repr=False, compare=False)
    _of_any: tuple[Rule, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out what follows from the rules."""
        digest = blake2s(repr([_row(rule) for rule in self.rules]).encode(), digest_size=VERSION_SIZE)
        object.__setattr__(self, "version", digest.hexdigest())
        kinds = dict.fromkeys(_kind(rule.type) for rule in self.rules if rule.type)
        by_kind = {kind: tuple(rule for rule in self.rules if _kind(rule.type) in ("", kind)) for kind in kinds}
        object.__setattr__(self, "_by_kind", by_kind)
        object.__setattr__(self, "_of_any", tuple(rule for rule in self.rules if not rule.type))

    def rule_of(self, type_: str, data: JsonValue, source: str = "") -> Rule | None:
        """The first rule that fits, None if no rule speaks of such an event."""
        for rule in self._by_kind.get(_kind(type_), self._of_any):
            if rule.fits(type_, data, source):
                return rule
        return None

    def rule(self, type_: str, data: JsonValue, source: str = "", asked: Priority | None = None) -> Ruling:
        """The priority of an event and where it comes from; ``asked`` can lower it.

        An event that no rule names is NORMAL, or what its publisher asked for below CRITICAL: a plant's own types must
        not be able to overtake its Andon calls by saying so.
        """
        rule = self.rule_of(type_, data, source)
        if rule is None:
            return Ruling(Priority.NORMAL if asked is None else max(Priority.HIGH, asked), None, asked)
        return Ruling(rule.priority if asked is None else max(rule.priority, asked), rule, asked)

    def priority_of(self, type_: str, data: JsonValue, source: str = "", asked: Priority | None = None) -> Priority:
        """The priority of an event, see ``rule()``."""
        return self.rule(type_, data, source, asked).priority


def _kind(type_: str) -> str:
    return type_.partition(".")[0]


def _row(rule: Rule) -> tuple[str, str, str, tuple[tuple[str, str], ...], str]:
    return rule.name, rule.type, rule.priority.wire, rule.where, rule.source


BUILT_IN = Policy()
