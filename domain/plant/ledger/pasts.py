"""What a plant asks of the past of one machine: time per state, stops between runs, alarms.

Rules of this file:

* It is given what happened in the order of time, each thing once, and holds no more of it than the alarm activations.
* Execution: a state lasts from the moment it is told until another one is; the same state told again changes nothing.
  The span is from the first change to the last, so the seconds of the states sum to it exactly.
* A stop between runs is one state other than ACTIVE with ACTIVE directly before and after it.
* A machine with one data item ``execution`` is what that says. With several paths and none of that name, or each of
  that name behind a prefix of its own, it executes if one of them does, see ``domain.plant.mtconnect.equipment``.
* Alarms are counted by ``domain.plant.alarms`` and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from domain.json import JsonValue
from domain.plant.alarms import Activation, Figures, figures
from domain.plant.ledger.instants import SECOND_US, seconds_of
from domain.plant.mtconnect import UNAVAILABLE, Change, Conditions, Equipment, Observation, Role

ACTIVE = "ACTIVE"
STOP_LIMITS = (60 * SECOND_US, 120 * SECOND_US)
CHATTERING_SHOWN = 12

Stops = tuple[int, int, int]
"""Stops shorter than a minute, than two minutes, and the others."""


class StateTimes:
    """Time per state of one thing; give it its states in the order of time (microseconds)."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.transitions = 0
        self.first: int | None = None
        self.last: int | None = None
        self.stops: list[int] = [0, 0, 0]
        self._word: str | None = None
        self._before: str | None = None

    def take(self, at: int, word: str) -> None:
        """From ``at`` on it is in the state ``word``."""
        if word == self._word:
            return
        self.transitions += 1
        if self.first is None:
            self.first = at
        if self._word is not None and self.last is not None:
            lasted = at - self.last
            self.times[self._word] += lasted
            if word == ACTIVE == self._before:
                self.stops[sum(lasted >= limit for limit in STOP_LIMITS)] += 1
        self._before, self._word, self.last = self._word, word, at

    @property
    def span(self) -> int:
        """Microseconds from the first change to the last."""
        return 0 if self.first is None or self.last is None else self.last - self.first


class Past(msgspec.Struct):
    """The past of one machine, as far as it was given; ``execution`` names the data item that says the state.

    ``settle`` when all was given.
    """

    execution: str | None = None
    rows: int = 0
    keys: Counter[str] = msgspec.field(default_factory=Counter)
    states: StateTimes = msgspec.field(default_factory=StateTimes)
    activations: list[Activation] = msgspec.field(default_factory=list)
    _conditions: Conditions = msgspec.field(default_factory=lambda: Conditions(capacity=1_000_000))
    _equipment: Equipment = msgspec.field(default_factory=Equipment)
    _moment: int | None = None

    def take(self, at: int, observation: Observation) -> None:
        """``observation`` holds from ``at`` (microseconds) on."""
        self.rows += 1
        if observation.role is Role.CONDITION:
            self._condition(at, observation)
        elif observation.role is Role.EXECUTION:
            self.keys[observation.key] += 1
            self._execution(at, observation)

    def settle(self) -> None:
        """Nothing more comes of the newest moment: what all that was said of it together means holds from then on."""
        if self._moment is not None:
            self._equipment.settle()
            self.states.take(self._moment, self._equipment.status.execution or UNAVAILABLE)

    def figures(self) -> Figures:
        """What the alarms amount to."""
        return figures(self.activations)

    def _condition(self, at: int, observation: Observation) -> None:
        for change in self._conditions.take(observation, float(at)):
            if change.change is Change.RAISED:
                self.activations.append(Activation(at, f"{change.alarm.key}|{change.alarm.code}"))

    def _execution(self, at: int, observation: Observation) -> None:
        if self.execution is not None:
            if observation.key == self.execution:
                self.states.take(at, observation.value.upper() or UNAVAILABLE)
            return
        if at != self._moment:
            self.settle()
        self._moment = at
        self._equipment.note(observation, seconds_of(at))


def speaker(keys: Iterable[str]) -> str | None:
    """Which of the execution ``keys`` says what the machine does; None if it is all of them together."""
    names = sorted(keys)
    if len(names) == 1:
        return names[0]
    called = [name for name in names if name.rpartition(":")[2].casefold() == "execution"]
    return called[0] if len(called) == 1 else None


def report(past: Past) -> dict[str, JsonValue]:
    """The past in figures. Seconds are rounded to milliseconds, shares to four digits, None where there is nothing."""
    alarms, states = past.figures(), past.states
    worst = list(alarms.chattering.items())[:CHATTERING_SHOWN]
    return {
        "dedup_rows": past.rows,
        "alarm_activations": alarms.activations,
        "distinct": alarms.distinct,
        "top10_share": None if alarms.top10_share is None else round(alarms.top10_share, 4),
        "flood_episodes_aligned": len(alarms.aligned),
        "flood_alarms": alarms.aligned_count,
        "flood_peak": alarms.aligned_peak,
        "flood_sliding_episodes": len(alarms.trailing),
        "sliding_peak": alarms.trailing_peak,
        "chattering": len(alarms.chattering),
        "chattering_list": dict(worst),
        "exec_seconds": exec_seconds(states.times),
        "exec_span": _seconds(states.span),
        "exec_sum": _seconds(sum(states.times.values())),
        "stops_between_active_lt60_lt120_ge120": list(states.stops),
        "exec_transitions": states.transitions,
    }


def exec_seconds(times: Mapping[str, int]) -> dict[str, JsonValue]:
    """Seconds per state, the longest first."""
    return {word: _seconds(us) for word, us in sorted(times.items(), key=lambda each: -each[1])}


def _seconds(us: int) -> float:
    return round(us / SECOND_US, 3)
