"""The limits of an X-bar and R chart, from a baseline that is stated or estimated from the first subgroups.

Rules of this file: the limits are the baseline's and stay as they are; points are judged by them, they do not move
them. A process without spread has no limits. Sums are exact (``math.fsum``), so that the order of the subgroups makes
no difference.

Source: Shewhart's control charts as in ISO 7870-2: sigma of one piece is R-bar / d2, of a mean that over the root of n,
the limits of the range are (1 +- 3 d3 / d2) R-bar, not below nought. Single values have the moving range of two.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import msgspec

Subgroup = tuple[float, ...]

# Mean and standard deviation of the range of n standard normal values.
D2 = {
    2: 1.128379,
    3: 1.692569,
    4: 2.058751,
    5: 2.325929,
    6: 2.534413,
    7: 2.704357,
    8: 2.847201,
    9: 2.970026,
    10: 3.077505,
}
D3 = {
    2: 0.852502,
    3: 0.888368,
    4: 0.879808,
    5: 0.864082,
    6: 0.848040,
    7: 0.833205,
    8: 0.819831,
    9: 0.807834,
    10: 0.797051,
}
LARGEST = max(D2)
LEAST_SUBGROUPS = 2


class Baseline(msgspec.Struct, frozen=True):
    """What a process does when it is under control: subgroups of ``size`` around ``centre``.

    ``sigma`` is the standard deviation of one piece, in the unit of the characteristic; ``subgroups`` is how many it
    was estimated from, None if somebody stated it.
    """

    centre: float
    sigma: float
    size: int
    subgroups: int | None = None

    @property
    def spread(self) -> float:
        """The standard deviation of what is plotted: the mean of a subgroup."""
        return self.sigma / math.sqrt(self.size)

    @property
    def limits(self) -> tuple[float, float]:
        """Lower and upper control limit of the mean."""
        return self.centre - 3 * self.spread, self.centre + 3 * self.spread

    @property
    def mean_range(self) -> float:
        """The centre line of the range: of a subgroup, or of two values that follow each other."""
        return self.sigma * D2[max(2, self.size)]

    @property
    def range_limits(self) -> tuple[float, float]:
        """Lower and upper control limit of the range."""
        far = 3 * D3[max(2, self.size)] * self.sigma
        return max(0.0, self.mean_range - far), self.mean_range + far

    def distance(self, subgroup: Subgroup) -> float:
        """How far the mean of ``subgroup`` is from the centre, in sigmas of the mean."""
        return (math.fsum(subgroup) / len(subgroup) - self.centre) / self.spread


def estimated(subgroups: Sequence[Subgroup]) -> Baseline | None:
    """The baseline of ``subgroups``, in their order; None if they have no spread or there are too few.

    Raises:
        ValueError: if they are not all of one size from 1 to 10.
    """
    sizes = {len(subgroup) for subgroup in subgroups}
    if len(sizes) > 1 or any(not 1 <= size <= LARGEST for size in sizes):
        raise ValueError(f"subgroups are of one size from 1 to {LARGEST}, not {sorted(sizes)}")
    if len(subgroups) < LEAST_SUBGROUPS:
        return None
    size = sizes.pop()
    centre = math.fsum(value for subgroup in subgroups for value in subgroup) / (size * len(subgroups))
    if size == 1:
        ranges = [abs(after[0] - before[0]) for before, after in pairwise(subgroups)]
    else:
        ranges = [max(subgroup) - min(subgroup) for subgroup in subgroups]
    sigma = math.fsum(ranges) / len(ranges) / D2[max(2, size)]
    return Baseline(centre, sigma, size, len(subgroups)) if sigma > 0 else None
