"""Where on the time line of the ledger an entry belongs: by its source's clock, or by ours if that cannot be believed.

Rules of this file:

* A stamp that its reader doubts (quality other than good), one that is missing, and one that lies ahead of our clock by
  more than ``step`` is in quarantine: the entry is put where it was received, its stamp is kept beside it.
* The source's clock may be another one than ours and go evenly (a recording that is replayed, a control that nobody
  set): when a state that was not part of a greeting is off by more than a day, the unit lives by its own clock, and
  ``present`` is carried on from the newest entry. Until then ours holds.
* A greeting says since when a state holds: it may be old and says nothing of the clock.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.plant.ledger.instants import DAY_US, SECOND_US

STEP_US = 300 * SECOND_US
OWN_CLOCK_US = DAY_US


class Placed(NamedTuple):
    """Where an entry belongs, in microseconds; ``source_us`` is what its source said, if that could be read."""

    at: int
    source_us: int | None
    is_quarantined: bool


class UnitClock:
    """The time line of one unit; ``offset`` is our time minus its own, in microseconds."""

    def __init__(self, step_us: int = STEP_US, offset: int = 0, newest: int | None = None) -> None:
        self._step = step_us
        self.offset = offset
        self.newest = newest
        self.quarantined = 0

    def place(self, source_us: int | None, received_us: int, *, is_good: bool, is_greeting: bool) -> Placed:
        """Where an entry belongs that was received at ``received_us``."""
        ours = self.present(received_us)
        if source_us is None or not is_good or source_us > received_us + self._step:
            self.quarantined += 1
            at = ours if self.newest is None else max(ours, self.newest)
            self.newest = at
            return Placed(at, source_us, is_quarantined=True)
        if not is_greeting and (self.newest is None or source_us >= self.newest):
            gap = received_us - source_us
            self.offset = gap if abs(gap) > OWN_CLOCK_US else 0
        self.newest = source_us if self.newest is None else max(source_us, self.newest)
        return Placed(source_us, source_us, is_quarantined=False)

    def present(self, now_us: int) -> int:
        """What the unit's time is at ``now_us`` of ours; never before its newest entry."""
        present = now_us - self.offset
        return present if self.newest is None else max(present, self.newest)
