"""A histogram of plain numbers: cheap enough to observe on every delivery.

Rules of this file: no clock, no lock, no library. One instance is written by one thread; a reader in another thread
may see an observation in its bucket before it sees it in the sum, never the other way round for long.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

DELAY_BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Upper bounds in seconds, from a tenth of a millisecond: what a frame or an answer may take."""

CALL_BOUNDS = (5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Upper bounds in seconds, to an hour: what people take."""


class Histogram:
    """Counts of observations by upper bound. The last bucket takes what is above every bound."""

    __slots__ = ("bounds", "buckets", "total")

    def __init__(self, bounds: Sequence[float] = DELAY_BOUNDS) -> None:
        self.bounds = tuple(bounds)
        self.buckets = [0] * (len(self.bounds) + 1)
        self.total = 0.0

    def observe(self, value: float, count: int = 1) -> None:
        """Count ``value``, ``count`` times: a batch with one delay is one call."""
        self.buckets[bisect_left(self.bounds, value)] += count
        self.total += value * count

    @property
    def count(self) -> int:
        """Number of observations so far."""
        return sum(self.buckets)

    @property
    def mean(self) -> float | None:
        """Mean of all observations, None before the first."""
        count = self.count
        return self.total / count if count else None

    def copy(self) -> Histogram:
        """Return the observations so far, to be compared with later ones."""
        twin = Histogram(self.bounds)
        twin.buckets = self.buckets.copy()
        twin.total = self.total
        return twin

    def since(self, earlier: Histogram) -> Histogram:
        """Return only what was observed after ``earlier`` was copied: the way to a recent quantile."""
        recent = Histogram(self.bounds)
        recent.buckets = [now - then for now, then in zip(self.buckets, earlier.buckets, strict=True)]
        recent.total = self.total - earlier.total
        return recent

    def quantile(self, ratio: float) -> float | None:
        """Estimate the value below which ``ratio`` of the observations lie, None before the first.

        Linear within a bucket; what lies above every bound is reported as the highest bound, a lower estimate.
        """
        count = self.count
        if not count:
            return None
        rank = ratio * count
        below = 0
        for index, bound in enumerate(self.bounds):
            inside = self.buckets[index]
            if inside and below + inside >= rank:
                lower = self.bounds[index - 1] if index else 0.0
                return lower + (bound - lower) * max(0.0, rank - below) / inside
            below += inside
        return self.bounds[-1]

    def cumulative(self) -> list[int]:
        """Return the counts at or below each bound, the last one being all of them."""
        return list(accumulate(self.buckets))


class Histograms:
    """One histogram for each of a fixed set of labels."""

    __slots__ = ("_by_label",)

    def __init__(self, labels: Sequence[str], bounds: Sequence[float] = DELAY_BOUNDS) -> None:
        self._by_label = {label: Histogram(bounds) for label in labels}

    def __getitem__(self, label: str) -> Histogram:
        return self._by_label[label]

    def observe(self, label: str, value: float) -> None:
        """Count ``value`` under ``label``.

        Raises:
            KeyError: if it is none of the labels.
        """
        self._by_label[label].observe(value)

    def items(self) -> list[tuple[str, Histogram]]:
        """Every label with its histogram."""
        return list(self._by_label.items())
