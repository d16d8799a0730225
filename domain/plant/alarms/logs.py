"""The alarms of a recorded log: when each was active, whatever the order in which the log tells of it.

Rules of this file: an activation is the first WARNING or FAULT of a key with a code since its last NORMAL (with the
same code, or without one, which clears all codes of the key) or UNAVAILABLE. What is told twice holds once. Of what
has the same moment a clearance counts before what is raised: an adapter clears a key before it says what is left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

import msgspec

from domain.plant.alarms.rates import SECOND, Activation
from domain.plant.mtconnect import Change, Conditions, Observation, Role

_RAISING = frozenset({"WARNING", "FAULT"})


class Occurrence(msgspec.Struct, frozen=True):
    """The alarm ``key`` with ``code`` was active from ``began`` to ``ended`` (microseconds; None: it still is)."""

    key: str
    code: str
    began: int
    ended: int | None

    @property
    def name(self) -> str:
        """What the alarm is called in a report: ``key|code``."""
        return f"{self.key}|{self.code}"


def occurrences(observations: Iterable[Observation]) -> list[Occurrence]:
    """When each alarm was active, in the order they began; observations without a moment are left out."""
    told = {
        (round(each.at * SECOND), each.key, each.value, each.code): each
        for each in observations
        if each.role is Role.CONDITION and each.at is not None
    }
    conditions = Conditions(capacity=sys.maxsize)
    active: dict[tuple[str, str], int] = {}
    over: list[Occurrence] = []
    for name in sorted(told, key=lambda each: (each[0], each[2] in _RAISING, *each[1:])):
        at = name[0]
        for change in conditions.take(told[name], at / SECOND):
            alarm = change.alarm.key, change.alarm.code
            if change.change is Change.RAISED:
                active[alarm] = at
            elif change.change is Change.CLEARED:
                over.append(Occurrence(*alarm, active.pop(alarm), at))
    over += [Occurrence(*alarm, at, None) for alarm, at in active.items()]
    return sorted(over, key=lambda each: (each.began, each.key, each.code))


def activations(log: Iterable[Occurrence]) -> list[Activation]:
    """When alarms became active, for ``figures``."""
    return [Activation(each.began, each.name) for each in log]
