"""What became of the clock: how far it was set while nobody looked, or somebody did.

Rules of this file: two clocks are read together. ``wall`` is what may be set at any time; ``elapsed`` counts seconds
since the machine was started, asleep or not, and nobody can set it; ``boot`` names that start. What the two run apart
is a step of the wall clock. Deadlines are moments of the wall clock, so they go along with it.

* A machine that was started anew says nothing of the steps before: what is due by its wall clock is due.
* Less than ``TOLERANCE`` between two readings is no step: a clock is slewed, and a reading takes time.
"""

from __future__ import annotations

import msgspec

from domain.decision import Row
from domain.json import JsonObject, JsonValue

KIND = "escalation.clock"
KEY = "clock"
TOLERANCE = 1.0
"""Seconds that the two clocks may run apart between two readings."""


class Reading(msgspec.Struct, frozen=True):
    """The clocks at one moment, both in seconds."""

    wall: float
    elapsed: float
    boot: str


class Clocks:
    """Compares each reading with the one before; ``kept`` is the row of a former life."""

    def __init__(self, kept: JsonObject | None = None) -> None:
        self._boot = str((kept or {}).get("boot", ""))
        offset = (kept or {}).get("offset")
        self._offset = float(offset) if isinstance(offset, int | float) else 0.0
        self._kept = self._offset

    def step(self, reading: Reading) -> float:
        """By how many seconds the wall clock was set since the reading before; 0 if it was not."""
        offset = reading.wall - reading.elapsed
        is_same = self._boot == reading.boot and bool(reading.boot)
        step = offset - self._offset if is_same else 0.0
        if not is_same:
            self._kept = float("nan")
        self._boot, self._offset = reading.boot, offset
        return step if abs(step) >= TOLERANCE else 0.0

    def changed(self) -> tuple[Row, ...]:
        """The row, if it says something else than when it was asked for last."""
        if abs(self._offset - self._kept) < TOLERANCE:
            return ()
        self._kept = self._offset
        value: dict[str, JsonValue] = {"boot": self._boot, "offset": self._offset}
        return (Row(KIND, KEY, value),)
