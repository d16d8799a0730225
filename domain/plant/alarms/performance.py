"""How the alarm system of one operating position does, while it runs.

Rules of this file: what is counted begins with ``began``. The names of OPC 10000-9, 9.2 (AlarmMetricsType) hold: a
rate is alarms in ten minutes. Memory is bounded: beyond ``NAMES`` different alarms the rest count together.

* An alarm is fleeting when it was active for less than 10 s and did not come again within the minute.
* The time to acknowledge is from the occurrence, or the re-alarm, to the acknowledgement.

Source of the rules: ANSI/ISA-18.2-2016, clause 16; OPC 10000-9, 9.2 and 9.3.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from domain.plant.alarms.alarm import Change
from domain.plant.alarms.rates import (
    CHATTER_COUNT,
    SECOND,
    Activation,
    Chatter,
    Flood,
    FloodChange,
    FloodWord,
    TrailingWindow,
)
from domain.plant.alarms.rationale import AlarmPriority
from domain.plant.alarms.states import State, Trigger

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
FLEETING = 10.0
NAMES = 4096
SAMPLES = 1000
HELD = 50_000
OTHER = "other"


class Performance(msgspec.Struct):
    """What is counted at one operating position since ``began`` (Unix seconds)."""

    began: float
    window: TrailingWindow = msgspec.field(default_factory=lambda: TrailingWindow(HELD))
    alarm_count: int = 0
    maximum_active_state: float = 0.0
    maximum_un_ack: float = 0.0
    maximum_alarm_rate: int = 0
    maximum_re_alarm_count: int = 0
    floods: int = 0
    flood_seconds: float = 0.0
    flood_alarms: int = 0
    fleeting: int = 0
    by_alarm: Counter[str] = msgspec.field(default_factory=Counter)
    by_priority: Counter[AlarmPriority] = msgspec.field(default_factory=Counter)
    chattering: Counter[str] = msgspec.field(default_factory=Counter)
    times_to_acknowledge: dict[tuple[AlarmPriority, str], deque[float]] = msgspec.field(default_factory=dict)
    _chatter: Chatter = msgspec.field(default_factory=Chatter)
    _minutes: deque[tuple[int, int]] = msgspec.field(default_factory=deque)

    def note(self, change: Change, priority: AlarmPriority, shift: str = "") -> list[FloodChange]:
        """Count ``change`` of an alarm of ``priority``; what follows for the flood. ``shift`` is who was at work."""
        before, alarm, at = change.before, change.alarm, change.at
        self.maximum_re_alarm_count = max(self.maximum_re_alarm_count, alarm.re_alarms)
        if before.active and not alarm.active and alarm.occurred_at is not None:
            self._returned(alarm.id, at - alarm.occurred_at, at)
        since = before.unacknowledged_since
        if since is not None and alarm.unacknowledged_since is None:
            self.maximum_un_ack = max(self.maximum_un_ack, at - since)
        if change.trigger is Trigger.ACKNOWLEDGE and since is not None:
            samples = self.times_to_acknowledge.setdefault((priority, shift), deque(maxlen=SAMPLES))
            samples.append(max(0.0, at - since))
        return self._activated(alarm.id, priority, at) if change.is_activation else []

    def count(self, name: str, priority: AlarmPriority, at: float) -> None:
        """Count that the alarm ``name`` came onto the operator's list, which was noted elsewhere."""
        self._activated(name, priority, at)

    def restore(self, activations: Iterable[Activation], flood: Flood | None) -> None:
        """Go on after a restart: ``activations`` of the last ten minutes in their order, and the ``flood`` then."""
        window = TrailingWindow(HELD)
        for activation in activations:
            window.take(activation)
        window.flood = flood
        self.window = window

    def advance(self, at: float) -> list[FloodChange]:
        """What follows from its being ``at``."""
        return self._told(self.window.advance(round(at * SECOND)))

    def shift(self, delta: float) -> None:
        """Our clock was set by ``delta`` seconds."""
        self.window.shift(round(delta * SECOND))
        self.began += delta
        self._minutes.clear()

    @property
    def current_alarm_rate(self) -> int:
        """Alarms in the last ten minutes."""
        return len(self.window)

    def average_alarm_rate(self, at: float) -> float:
        """Alarms in ten minutes since ``began``; over less than ten minutes it is their number."""
        return self.alarm_count / max(1.0, (at - self.began) / (10 * MINUTE))

    def count_within(self, seconds: int, at: float) -> int:
        """Alarms in the last ``seconds``, to the minute; a day at most."""
        first = int((at - seconds) // MINUTE) + 1
        return sum(count for minute, count in self._minutes if minute >= first)

    def _activated(self, name: str, priority: AlarmPriority, at: float) -> list[FloodChange]:
        self.alarm_count += 1
        self.by_priority[priority] += 1
        known = name in self.by_alarm or len(self.by_alarm) < NAMES
        self.by_alarm[name if known else OTHER] += 1
        self._count_minute(int(at // MINUTE))
        activation = Activation(round(at * SECOND), name)
        repeats = self._chatter.take(activation)
        if repeats >= CHATTER_COUNT:
            self.chattering[name if known else OTHER] = max(self.chattering[name], repeats)
        told = self._told(self.window.take(activation))
        self.maximum_alarm_rate = max(self.maximum_alarm_rate, len(self.window))
        if self.alarm_count % NAMES == 0:
            self._chatter.forget(activation.at - HOUR * SECOND)
        return told

    def _count_minute(self, minute: int) -> None:
        minutes = self._minutes
        if minutes and minutes[-1][0] >= minute:
            minutes[-1] = (minutes[-1][0], minutes[-1][1] + 1)
        else:
            minutes.append((minute, 1))
        while minutes[0][0] <= minute - DAY // MINUTE:
            minutes.popleft()

    def _returned(self, name: str, lasted: float, at: float) -> None:
        self.maximum_active_state = max(self.maximum_active_state, lasted)
        if lasted >= FLEETING:
            return
        self.fleeting += self._chatter.since(name, round((at - MINUTE) * SECOND)) == 1

    def _told(self, told: list[FloodChange]) -> list[FloodChange]:
        for change in told:
            flood = change.flood
            if change.word is FloodWord.BEGAN:
                self.floods += 1
            elif flood.ended is not None:
                self.flood_seconds += (flood.ended - flood.began) / SECOND
                self.flood_alarms += flood.count
        return told


class Counts:
    """How many alarms are in each state, and the most there ever were."""

    def __init__(self) -> None:
        self.now: Counter[State] = Counter()
        self.peak: Counter[State] = Counter()
        self.standing = 0
        self.standing_peak = 0

    def move(self, before: tuple[State, bool] | None, after: tuple[State, bool] | None) -> None:
        """An alarm went from one state to another; each with whether it was active. None: it was, or is, not known."""
        if before is not None:
            self.now[before[0]] -= 1
            self.standing -= before[0].is_annunciated and before[1]
        if after is not None:
            self.now[after[0]] += 1
            self.peak[after[0]] = max(self.peak[after[0]], self.now[after[0]])
            self.standing += after[0].is_annunciated and after[1]
            self.standing_peak = max(self.standing_peak, self.standing)
