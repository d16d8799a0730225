"""How many transactions a second: a ring of one bucket per second, and what is read from it.

Rules of this file:

* Memory is one number per second of the ring, whatever the load.
* A block says at its end how many transactions its whole interval had. They are spread over that interval, and
  until the next block is overdue the window ends where the newest block did. So the rate of a chain with blocks of
  12 s is steady, and falls only when the chain does. Blocks count by their own time: many that are told at once, after
  a gap, are no burst.
* The bucket of the running second counts for the part of it that has passed.
* Before the first window is full the rate is taken over what has passed, at least one second.
* The peak is the highest current rate of the last 24 hours, kept by the minute; those of an earlier life can be given.

Times are Unix seconds: of receipt, but for a block's own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from math import ceil, floor

CURRENT_SPAN = 10
"""Seconds that the current rate is taken over."""

PEAK_SPAN = 86400
"""Seconds that a peak is remembered."""

# The next block is overdue when two intervals have passed without it: one late block is not a halt.
_OVERDUE = 2
_MINUTE = 60


class Rate:
    """Counts by the second, for the newest ``window`` seconds."""

    __slots__ = ("_began", "_buckets", "_ended", "_holds_until", "_newest", "_peaks", "_size", "_window", "is_restored")

    def __init__(self, window: float) -> None:
        self._window = window
        self._size = ceil(max(window, CURRENT_SPAN)) + 1
        self._buckets = [0.0] * self._size
        self._newest = 0
        self._began: float | None = None
        self._ended = 0.0
        self._holds_until = 0.0
        self._peaks: deque[tuple[int, float]] = deque()
        self.is_restored = False

    def add(self, at: float, count: int) -> None:
        """Count ``count`` transactions that were settled at ``at``."""
        self._begin(at)
        if floor(at) > self._newest:
            self._note_peak(float(floor(at)))
        self._ended = self._holds_until = 0.0
        self._put(floor(at), count)

    def add_block(self, at: float, count: int, interval: float, received: float | None = None) -> None:
        """Count the ``count`` transactions of a block that closed at ``at``, ``interval`` seconds after the last.

        ``received`` is when it was told, by default when it closed.
        """
        self._begin(at - interval)
        if interval > 0:
            self._spread(at, count, interval)
        else:
            self._put(floor(at), count)
        if at >= self._ended:
            # The next one is as late in coming as this one was.
            self._ended, self._holds_until = at, (at if received is None else received) + _OVERDUE * interval
        self._note_peak(at)

    def current(self, at: float) -> float:
        """Transactions a second now."""
        rate = self._over(CURRENT_SPAN, at)
        self._note_peak(at)
        return rate

    def average(self, at: float) -> float:
        """Transactions a second over the window."""
        return self._over(self._window, at)

    def peak(self, at: float) -> float:
        """The highest current rate of the last 24 hours."""
        self._note_peak(at)
        return self._peaks[0][1]

    def restore(self, peaks: Iterable[tuple[float, float]]) -> None:
        """Remember ``peaks`` of an earlier life: moments and the highest current rates of their minutes."""
        known: dict[int, float] = {}
        for minute, rate in (*((floor(at / _MINUTE), rate) for at, rate in peaks), *self._peaks):
            known[minute] = max(rate, known.get(minute, 0.0))
            self.is_restored = True
        self._peaks.clear()
        for minute in sorted(known):
            self._put_peak(minute, known[minute])

    def _begin(self, at: float) -> None:
        if self._began is None:
            self._newest = floor(at)
            self._began = at
        # What is added for before the beginning (a block reaches back) moves the beginning back.
        self._began = min(self._began, at)

    def _spread(self, at: float, count: int, interval: float) -> None:
        start, last = at - interval, floor(at)
        for second in range(max(floor(start), last - self._size + 1), last + 1):
            self._put(second, count * (min(second + 1, at) - max(second, start)) / interval)

    def _put(self, second: int, count: float) -> None:
        if second > self._newest:
            for passed in range(max(self._newest + 1, second - self._size + 1), second + 1):
                self._buckets[passed % self._size] = 0.0
            self._newest = second
        if second > self._newest - self._size:
            self._buckets[second % self._size] += count

    def _over(self, span: float, at: float) -> float:
        if self._began is None:
            return 0.0
        end = self._ended if self._ended <= at < self._holds_until else at
        start = max(end - span, self._began)
        first, last = floor(start), floor(end)
        total = sum(self._bucket(second) for second in range(first, last + 1))
        if first < last and start > self._began:
            total -= self._bucket(first) * (start - first)
        return total / max(end - start, 1.0)

    def _bucket(self, second: int) -> float:
        if self._newest - self._size < second <= self._newest:
            return self._buckets[second % self._size]
        return 0.0

    def _note_peak(self, at: float) -> None:
        minute, rate = floor(at / _MINUTE), self._over(CURRENT_SPAN, at)
        peaks = self._peaks
        while peaks and peaks[0][0] <= minute - PEAK_SPAN // _MINUTE:
            peaks.popleft()
        self._put_peak(minute, rate)

    def _put_peak(self, minute: int, rate: float) -> None:
        peaks = self._peaks
        # Only a minute with a lower rate after a higher one can ever become the peak: the rest need no place.
        while peaks and peaks[-1][1] <= rate:
            peaks.pop()
        if not peaks or peaks[-1][0] < minute:
            peaks.append((minute, rate))
