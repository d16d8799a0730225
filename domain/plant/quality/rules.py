"""When a process is out of control: the eight rules of Nelson, and the zone rules of Western Electric.

Rules of this file:

* A point is given as its distance from the centre line in sigmas of what is plotted, newest last. A rule speaks of the
  newest point and of as many before it as its window has.
* Beyond means strictly farther out; a point exactly on a line is within. A point on the centre line is on no side, and
  two equal points neither rise nor fall.
* "2 of 3" and "4 of 5" count the newest point among those that are beyond, and need no full window: two points beyond
  are two of three whatever the third will be.

Source: L. S. Nelson, "The Shewhart Control Chart: Tests for Special Causes", Journal of Quality Technology 16 (1984),
with six points for a trend; Western Electric, "Statistical Quality Control Handbook" (1956), section I part B, zone
tests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

Points = Sequence[float]


class Rule(msgspec.Struct, frozen=True):
    """A rule: its ``name`` as an alarm's code, its ``title`` for people, how many points it looks at."""

    name: str
    title: str
    window: int
    holds: Callable[[Points], bool]

    def seen(self, points: Points) -> Points:
        """Those of ``points`` that the rule looks at."""
        return points[-self.window :]

    def is_violated(self, points: Points) -> bool:
        """Whether the newest of ``points`` breaks it."""
        seen = self.seen(points)
        return bool(seen) and self.holds(seen)


def _beyond(sigmas: float, count: int, window: int) -> Callable[[Points], bool]:
    """``count`` of ``window`` points beyond ``sigmas`` on the side of the newest."""

    def holds(points: Points) -> bool:
        side = 1.0 if points[-1] > 0 else -1.0
        out = [point * side > sigmas for point in points[-window:]]
        return out[-1] and sum(out) >= count

    return holds


def _one_side(window: int) -> Callable[[Points], bool]:
    def holds(points: Points) -> bool:
        return len(points) == window and (min(points) > 0 or max(points) < 0)

    return holds


def _trend(window: int) -> Callable[[Points], bool]:
    def holds(points: Points) -> bool:
        steps = [after - before for before, after in pairwise(points)]
        return len(points) == window and (min(steps) > 0 or max(steps) < 0)

    return holds


def _alternating(window: int) -> Callable[[Points], bool]:
    def holds(points: Points) -> bool:
        # The signs, not the product: that of two very small steps is nought.
        signs = [(after > before) - (after < before) for before, after in pairwise(points)]
        return len(points) == window and all(one and one == -other for one, other in pairwise(signs))

    return holds


def _hugging(window: int) -> Callable[[Points], bool]:
    def holds(points: Points) -> bool:
        return len(points) == window and all(abs(point) <= 1 for point in points)

    return holds


def _avoiding(window: int) -> Callable[[Points], bool]:
    def holds(points: Points) -> bool:
        return len(points) == window and all(abs(point) > 1 for point in points) and min(points) < 0 < max(points)

    return holds


NELSON: tuple[Rule, ...] = (
    Rule("nelson-1", "1 point beyond 3 sigma", 1, _beyond(3, 1, 1)),
    Rule("nelson-2", "9 points in a row on one side of the centre", 9, _one_side(9)),
    Rule("nelson-3", "6 points in a row rising, or falling", 6, _trend(6)),
    Rule("nelson-4", "14 points in a row alternating up and down", 14, _alternating(14)),
    Rule("nelson-5", "2 of 3 points beyond 2 sigma on one side", 3, _beyond(2, 2, 3)),
    Rule("nelson-6", "4 of 5 points beyond 1 sigma on one side", 5, _beyond(1, 4, 5)),
    Rule("nelson-7", "15 points in a row within 1 sigma", 15, _hugging(15)),
    Rule("nelson-8", "8 points in a row beyond 1 sigma, on both sides", 8, _avoiding(8)),
)

WESTERN_ELECTRIC: tuple[Rule, ...] = (
    Rule("western-electric-1", "1 point beyond 3 sigma", 1, _beyond(3, 1, 1)),
    Rule("western-electric-2", "2 of 3 points beyond 2 sigma on one side", 3, _beyond(2, 2, 3)),
    Rule("western-electric-3", "4 of 5 points beyond 1 sigma on one side", 5, _beyond(1, 4, 5)),
    Rule("western-electric-4", "8 points in a row on one side of the centre", 8, _one_side(8)),
)

RULES = {rule.name: rule for rule in (*NELSON, *WESTERN_ELECTRIC)}
"""Every rule by its name."""

LONGEST_WINDOW = max(rule.window for rule in RULES.values())


def violated(points: Points, rules: Sequence[Rule] = NELSON) -> tuple[Rule, ...]:
    """Those of ``rules`` that the newest of ``points`` breaks."""
    return tuple(rule for rule in rules if rule.is_violated(points))
