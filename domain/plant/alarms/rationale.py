"""The rationalised alarm list: what each alarm means, and what the operator does about it.

Rules of this file: a priority is what the list says, never what the words of an alarm's text suggest. An alarm that the
list does not have is MEDIUM and marked as not rationalised, and so is one whose entry leaves something out.

* An entry speaks for one alarm or for many: an empty ``equipment``, ``key`` or ``code`` stands for any, an equipment
  that ends in ``/*`` for whatever is below it. The most particular entry holds: first by code, then by key, then by
  the length of its equipment.
* Of two entries for the same alarms the first holds; the other is named in ``doubled``.

Source of the rules: ANSI/ISA-18.2-2016, clause 9 (rationalisation): cause, consequence, corrective action, time to
respond and priority are on record for each alarm. Severities after OPC 10000-9, 1 to 1000.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from domain.json import JsonValue

BELOW = "/*"
_NOT_SAID = frozenset({"", "-", "?", "n/a", "none", "not defined", "undefined", "tbd"})


class AlarmPriority(Enum):
    """How soon the operator must act, in the words of the wire; most urgent first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def severity(self) -> int:
        """The severity of OPC UA, 1 to 1000: the upper, middle and lower third, and the top of it."""
        return _SEVERITY[self]

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return _RANK[self]


_SEVERITY = {
    AlarmPriority.CRITICAL: 1000,
    AlarmPriority.HIGH: 800,
    AlarmPriority.MEDIUM: 500,
    AlarmPriority.LOW: 200,
}
_RANK = {priority: rank for rank, priority in enumerate(AlarmPriority)}


class Entry(msgspec.Struct, frozen=True):
    """What the list says of an alarm, or of several; ``time_to_respond`` in seconds, 0: not said."""

    key: str = ""
    code: str = ""
    equipment: str = ""
    priority: AlarmPriority | None = None
    class_name: str = ""
    text: str = ""
    cause: str = ""
    consequence: str = ""
    action: str = ""
    time_to_respond: float = 0.0

    @property
    def missing(self) -> tuple[str, ...]:
        """What the entry owes: the names of what it does not say."""
        said = {"cause": self.cause, "consequence": self.consequence, "action": self.action}
        names = [name for name, text in said.items() if text.strip().casefold() in _NOT_SAID]
        if self.priority is None:
            names.insert(0, "priority")
        if self.time_to_respond <= 0:
            names.append("time_to_respond")
        return tuple(names)

    @property
    def name(self) -> str:
        """The alarms it speaks for, in words."""
        return ":".join((self.equipment or "*", self.key or "*", self.code or "*"))

    def fits(self, equipment: str) -> bool:
        """Whether it speaks for alarms of ``equipment`` (an ISA-95 path)."""
        return is_within(equipment, self.equipment)


def is_within(equipment: str, place: str) -> bool:
    """Whether ``equipment`` is the ``place``, or below it if that ends in ``/*``; empty stands for any."""
    if not place:
        return True
    if place.endswith(BELOW):
        tree = place[: -len(BELOW)]
        return equipment == tree or equipment.startswith(tree + "/")
    return equipment == place


class Rationale(msgspec.Struct, frozen=True):
    """What holds for one alarm: its priority, its class, and the entry it has them from (None: the list has none)."""

    priority: AlarmPriority
    class_name: str
    entry: Entry | None

    @property
    def is_rationalised(self) -> bool:
        """Whether the list says all that it must of this alarm."""
        return self.entry is not None and not self.entry.missing

    def record(self) -> Mapping[str, JsonValue] | None:
        """The rationalisation record, None where there is no entry."""
        entry = self.entry
        if entry is None:
            return None
        return {
            "cause": entry.cause or None,
            "consequence": entry.consequence or None,
            "action": entry.action or None,
            "time_to_respond": entry.time_to_respond or None,
            "missing": list(entry.missing),
        }


class AlarmList:
    """The entries in their order, and which of them holds for an alarm."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(entries)
        self._by_name: dict[tuple[str, str], list[Entry]] = {}
        self._doubled: set[int] = set()
        known: set[str] = set()
        for number, entry in enumerate(self.entries):
            if entry.name in known:
                self._doubled.add(number)
                continue
            known.add(entry.name)
            self._by_name.setdefault((entry.key, entry.code), []).append(entry)
        for entries_of_a_name in self._by_name.values():
            entries_of_a_name.sort(key=lambda entry: (entry.equipment.endswith(BELOW), -len(entry.equipment)))

    @property
    def doubled(self) -> tuple[Entry, ...]:
        """The entries that are not in force, because an earlier one is for the same alarms."""
        return tuple(self.entries[number] for number in sorted(self._doubled))

    def __len__(self) -> int:
        """How many different alarms, or groups of them, it speaks for."""
        return len(self.entries) - len(self._doubled)

    @property
    def incomplete(self) -> tuple[Entry, ...]:
        """The entries that leave something out."""
        return tuple(entry for entry in self.entries if entry.missing)

    def rationale(self, equipment: str, key: str, code: str) -> Rationale:
        """What holds for the alarm ``key`` with ``code`` of ``equipment``."""
        for name in ((key, code), ("", code), (key, ""), ("", "")):
            for entry in self._by_name.get(name, ()):
                if entry.fits(equipment):
                    return Rationale(entry.priority or AlarmPriority.MEDIUM, entry.class_name, entry)
        return NOT_LISTED

    def export(self) -> list[Mapping[str, JsonValue]]:
        """The list as rows, for a spreadsheet or an audit; ``doubled`` rows are not in force."""
        return [{**_row(entry), "doubled": number in self._doubled} for number, entry in enumerate(self.entries)]


NOT_LISTED = Rationale(AlarmPriority.MEDIUM, "", None)


def _row(entry: Entry) -> dict[str, JsonValue]:
    return {
        "equipment": entry.equipment,
        "key": entry.key,
        "code": entry.code,
        "priority": None if entry.priority is None else entry.priority.value,
        "class": entry.class_name,
        "text": entry.text,
        "cause": entry.cause,
        "consequence": entry.consequence,
        "action": entry.action,
        "time_to_respond": entry.time_to_respond or None,
        "missing": list(entry.missing),
    }


DISTRIBUTION: Mapping[AlarmPriority, float] = MappingProxyType(
    {AlarmPriority.HIGH: 0.05, AlarmPriority.MEDIUM: 0.15, AlarmPriority.LOW: 0.80}
)
"""The shares of a list that is rationalised well; CRITICAL counts among HIGH."""
