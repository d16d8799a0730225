"""How many critical events a source may have: past that they are demoted with a mark, never dropped.

Rules of this file: the time is an argument, in seconds of a clock that does not jump. Memory is bounded: the sources
that were quiet longest are forgotten, and one that comes again begins with a full bucket.

* A source is what the event names as its ``source``. It may have ``rate`` critical events a second, and ``burst`` at
  once after it was quiet.
* Whoever changes that attribute with each event does not get round it: all sources of one budget together may have
  ``TOGETHER`` times as much.
* A demoted event is HIGH and says so: ``demotedfrom``. It takes nothing from the bucket.
* An episode begins with the first event demoted and is over once the bucket has been full again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from domain.event import DEMOTED_FROM, Event
from domain.priority import Priority

CAPACITY = 10_000
TOGETHER = 10
ALL = ""

CRITICAL = Priority.CRITICAL


class _Bucket(msgspec.Struct):
    """``level`` events may come at once, as it was ``at``; ``spent`` during an episode."""

    level: float
    at: float
    spent: bool = False

    def fill(self, rate: float, burst: float, at: float) -> None:
        """Let in what has come since."""
        self.level = min(burst, self.level + max(0.0, at - self.at) * rate)
        self.at = at
        if self.level >= burst:
            self.spent = False


class Budget:
    """The budget of one table of sources; ``began`` is called with the source of an episode when one begins.

    ``ALL`` is the name of the episode of all sources together.
    """

    __slots__ = ("_all", "_began", "_buckets", "burst", "demoted", "rate")

    def __init__(self, rate: float, burst: float, began: Callable[[str], None]) -> None:
        self.rate = rate
        self.burst = burst
        self.demoted = 0
        self._began = began
        self._all: _Bucket | None = None
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def change(self, rate: float, burst: float) -> None:
        """From now on another rate and burst hold; what was spent stays spent."""
        self.rate, self.burst = rate, burst

    def admit(self, event: Event, at: float) -> Event:
        """``event`` as it is within the budget, demoted past it."""
        if event.priority is not CRITICAL:
            return event
        own = self._bucket_of(event.source, at)
        together = self._together(at)
        short = own if own.level < 1 else together if together.level < 1 else None
        if short is None:
            own.level -= 1
            together.level -= 1
            return event
        self.demoted += 1
        if not short.spent:
            short.spent = True
            self._began(event.source if short is own else ALL)
        return replace(event, priority=Priority.HIGH, extensions={**event.extensions, DEMOTED_FROM: CRITICAL.wire})

    def _bucket_of(self, source: str, at: float) -> _Bucket:
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = _Bucket(self.burst, at)
            if len(self._buckets) > CAPACITY:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(source)
            bucket.fill(self.rate, self.burst, at)
        return bucket

    def _together(self, at: float) -> _Bucket:
        rate, burst = self.rate * TOGETHER, self.burst * TOGETHER
        if self._all is None:
            self._all = _Bucket(burst, at)
        self._all.fill(rate, burst, at)
        return self._all
