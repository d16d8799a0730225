"""The gauges of the alarms: by operating position under the names of OPC UA's AlarmMetricsType, and a few of our own.

Rules of this file: they are asked one by one within one sample; what they need is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import trio

from domain import JsonValue
from domain.plant.alarms import AlarmsNow
from telemetry import gauges

BY_POSITION = (
    "alarm_count",
    "start_time",
    "maximum_active_state",
    "maximum_un_ack",
    "current_alarm_rate",
    "maximum_alarm_rate",
    "maximum_re_alarm_count",
    "average_alarm_rate",
    "alarm_flood",
)
_COUNTS = {"alarms_standing": "standing", "alarms_stale": "stale", "alarms_unrationalised": "unrationalised"}
GAUGES = (*BY_POSITION, "alarms", *_COUNTS)
SAMPLE_AGE = 0.5


class Levels:
    """What the gauges tell, out of what ``look`` returns."""

    def __init__(self, look: Callable[[], AlarmsNow]) -> None:
        self._look = look
        self._looked_at = float("-inf")
        self._metrics: Mapping[str, Mapping[str, float]] = {}
        self._counts: Mapping[str, JsonValue] = {}

    def feed(self) -> None:
        """Tell from now on."""
        for name in BY_POSITION:
            gauges.feed(name, lambda name=name: self._by_position(name))  # type: ignore[misc]
        for name, count in _COUNTS.items():
            gauges.feed(name, lambda count=count: self._count(count))  # type: ignore[misc]
        gauges.feed("alarms", self._by_state)

    def _by_position(self, name: str) -> Mapping[str, float]:
        self._refresh()
        return self._metrics.get(name, {})

    def _count(self, name: str) -> float:
        self._refresh()
        return number(self._counts.get(name))

    def _by_state(self) -> Mapping[str, float]:
        self._refresh()
        by_state = self._counts.get("by_state")
        return {state: number(count) for state, count in by_state.items()} if isinstance(by_state, Mapping) else {}

    def _refresh(self) -> None:
        now = trio.current_time()
        if now - self._looked_at < SAMPLE_AGE:
            return
        view = self._look()
        self._looked_at, self._metrics, self._counts = now, view.metrics(), view.counts()


def number(value: JsonValue) -> float:
    """A number as it is, anything else as 0."""
    return float(value) if isinstance(value, int | float) else 0.0


def whole(value: JsonValue) -> int:
    """A number as a whole one."""
    return round(number(value))
