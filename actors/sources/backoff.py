"""How long a source waits before it tries again.

Rules of this file: plain state; chance is an argument, so that a test can say what it does.
"""

from __future__ import annotations

import random

SHORTEST_DELAY = 0.5
LONGEST_DELAY = 20.0


class Backoff:
    """How long to wait before the next attempt: random up to a bound that doubles, so that not all come at once."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._attempts = 0

    def next(self) -> float:
        """Seconds until the next attempt."""
        bound = min(LONGEST_DELAY, SHORTEST_DELAY * 2 ** min(self._attempts + 1, 16))
        self._attempts += 1
        return self._chance.uniform(SHORTEST_DELAY, bound)

    def reset(self) -> None:
        """The source was reached and spoke."""
        self._attempts = 0
