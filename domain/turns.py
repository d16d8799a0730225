"""Whose turn it is below CRITICAL: HIGH, NORMAL and LOW share by weight, and age promotes.

Rules of this file: no clock; how old the oldest are is asked once a round. CRITICAL is no business of this file: it
goes first, always, and no age makes anything critical.

* A round is 8 turns of HIGH, 4 of NORMAL and 1 of LOW, mixed evenly; a turn of one that does not wait is passed over.
* Whose oldest has waited too long has the turns of one priority higher for a round: LOW 4, NORMAL 8; HIGH, which has
  only CRITICAL above it, twice its own.
* So nothing starves: between two turns of one that waits there are at most ``MOST_BETWEEN`` turns of others, whatever
  comes and goes meanwhile.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from domain.priority import Priority

WEIGHTS = (8, 4, 1)
PROMOTED = (16, 8, 4)
PROMOTE_AFTER = 1.0
MOST_BETWEEN = 24

LANES = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
HIGH, NORMAL, LOW = LANES

Ages = tuple[float, float, float]
"""Seconds for which the oldest of HIGH, NORMAL and LOW has waited; anything for a lane where none waits."""
NO_AGES = (0.0, 0.0, 0.0)


def _mixed(weights: tuple[int, ...]) -> tuple[int, ...]:
    """The turns of one round, spread as evenly as they can be: who is owed most comes next."""
    owed = [0] * len(weights)
    turns = []
    for _ in range(sum(weights)):
        owed = [have + weight for have, weight in zip(owed, weights, strict=True)]
        chosen = owed.index(max(owed))
        owed[chosen] -= sum(weights)
        turns.append(int(LANES[chosen]))
    return tuple(turns)


# Which lanes are promoted, and the round that follows.
_ROUNDS = {
    promoted: _mixed(tuple((PROMOTED if yes else WEIGHTS)[lane] for lane, yes in enumerate(promoted)))
    for promoted in itertools.product((False, True), repeat=len(LANES))
}


def one_round(high: float, normal: float, low: float, promote_after: float = PROMOTE_AFTER) -> Iterator[int]:
    """The turns of a round, by number of priority, for the ages of the three; whoever does not wait is passed over."""
    return iter(_ROUNDS[high > promote_after, normal > promote_after, low > promote_after])


class Turns:
    """Takes turns among three lanes; ``promote_after`` is in seconds.

    Where one lane alone waits there is nothing to decide: whoever keeps the lanes need not ask. Whoever cannot afford a
    call for each turn goes through ``one_round()`` by itself.
    """

    __slots__ = ("_left", "_promote_after")

    def __init__(self, promote_after: float = PROMOTE_AFTER) -> None:
        self._promote_after = promote_after
        self._left: Iterator[int] = iter(())

    def next(self, high: object, normal: object, low: object, ages: Callable[[], Ages] | None = None) -> Priority:
        """The lane to serve, of those that are true.

        ``ages`` is called when a round begins; without it nothing is promoted.

        Raises:
            ValueError: if none is true.
        """
        if not (high or normal or low):
            raise ValueError("nobody waits for a turn")
        waiting = (None, high, normal, low)
        while True:
            for turn in self._left:
                if waiting[turn]:
                    return LANES[turn - 1]
            self._left = one_round(*(NO_AGES if ages is None else ages()), self._promote_after)
