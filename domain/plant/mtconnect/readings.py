"""How often a value is told: a machine that speaks a hundred times a second must not fill the gateway with it.

Rules of this file: the first reading of a key goes out at once, the next after ``interval`` seconds at the earliest,
and then the newest, with the number of readings it stands for. The last one always goes out. Memory is bounded by
the number of keys.
"""

from __future__ import annotations

import msgspec

from domain.plant.mtconnect.observation import KEY_LIMIT, Observation

INTERVAL = 0.2


class Reading(msgspec.Struct, frozen=True):
    """A value to be told. ``count`` is how many readings it stands for, itself included."""

    observation: Observation
    received: float
    is_good: bool
    count: int = 1


class Readings:
    """Holds readings back until it is their turn."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._told: dict[str, float] = {}
        self._waiting: dict[str, Reading] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, reading: Reading) -> Reading | None:
        """The reading to tell now, or None if it waits."""
        key = reading.observation.key
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            reading = _joined(waiting, reading)
        told = self._told.get(key)
        # A receiver's clock that was set back must not hold a key back for long.
        if told is not None and told <= reading.received < told + self._interval:
            self._waiting[key] = reading
            return None
        self._tell(key, reading.received)
        return reading

    def due(self, received: float) -> list[Reading]:
        """The readings whose turn has come."""
        due = [
            reading
            for key, reading in self._waiting.items()
            if not self._told[key] <= received < self._told[key] + self._interval
        ]
        for reading in due:
            del self._waiting[reading.observation.key]
            self._tell(reading.observation.key, received)
        return due

    def _tell(self, key: str, received: float) -> None:
        self._told.pop(key, None)
        self._told[key] = received
        if len(self._told) > KEY_LIMIT:
            oldest = next(iter(self._told))
            if oldest not in self._waiting:
                del self._told[oldest]


def _joined(older: Reading, newer: Reading) -> Reading:
    return Reading(newer.observation, newer.received, newer.is_good, older.count + newer.count)
