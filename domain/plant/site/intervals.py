"""Half-open intervals of integer microseconds: cut, joined, taken from each other.

Rules of this file: an interval without length is none. What comes out is in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

Interval: TypeAlias = tuple[int, int]
"""From the first microsecond to the one behind the last."""


def clipped(intervals: Iterable[Interval], begin_us: int, end_us: int) -> Iterator[Interval]:
    """What of each interval is in [``begin_us``, ``end_us``)."""
    for begin, end in intervals:
        cut = max(begin, begin_us), min(end, end_us)
        if cut[0] < cut[1]:
            yield cut


def merged(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time in as few intervals as can be."""
    joined: list[Interval] = []
    for begin, end in sorted(each for each in intervals if each[0] < each[1]):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((begin, end))
    return joined


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """The time that is in ``intervals`` and not in ``taken``."""
    holes = merged(taken)
    left: list[Interval] = []
    for begin, end in merged(intervals):
        start = begin
        for hole_begin, hole_end in holes:
            if hole_end <= start or hole_begin >= end:
                continue
            if start < hole_begin:
                left.append((start, hole_begin))
            start = max(start, hole_end)
        if start < end:
            left.append((start, end))
    return left
