"""When a supervisor restarts whom, how soon, and when it gives up: OTP's words, with OTP's meaning.

Rules of this file: plain code. The time and the random numbers are arguments.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

import msgspec


class Restart(Enum):
    """Whether a child that ended comes back."""

    PERMANENT = "always"
    TRANSIENT = "after a failure"
    TEMPORARY = "never"

    def wanted(self, *, failed: bool) -> bool:
        """Whether a child comes back that ended, in failure or not."""
        return self is Restart.PERMANENT or (self is Restart.TRANSIENT and failed)


class Strategy(Enum):
    """Who is restarted when one child failed."""

    ONE_FOR_ONE = "the failed child"
    ONE_FOR_ALL = "all children"
    REST_FOR_ONE = "the failed child and those started after it"


class Policy(msgspec.Struct, frozen=True):
    """How a supervisor looks after its children.

    More than ``intensity`` restarts within ``period`` seconds, and it gives up. The first restart comes after
    ``backoff`` seconds, each further one in a row after twice as long, up to ``backoff_limit``; a life of at least
    a period makes a new beginning. ``jitter`` is the ratio by which a delay varies, so that what failed together
    does not come back together.
    """

    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 5
    period: float = 10.0
    backoff: float = 0.05
    backoff_limit: float = 5.0
    jitter: float = 0.1

    def failures(self, before: int, lived: float) -> int:
        """Return how many failures in a row it is now, after a life of ``lived`` seconds."""
        return 1 if lived >= self.period else before + 1

    def delay(self, failures: int, draw: float) -> float:
        """Return the seconds to wait after so many failures in a row; ``draw`` is random, from 0 to 1."""
        # The exponent is limited too: 2.0 to the power of some thousand is no float.
        doubled = self.backoff * 2.0 ** min(failures - 1, 64)
        return min(self.backoff_limit, doubled) * (1.0 + self.jitter * (2.0 * draw - 1.0))


class Intensity:
    """Counts restarts, and says when they are too many."""

    def __init__(self, limit: int, period: float) -> None:
        self._limit = limit
        self._period = period
        self._restarts: deque[float] = deque()

    def exceeded(self, at: float) -> bool:
        """Note a restart at the moment ``at``; True if it is one too many within the period."""
        restarts = self._restarts
        restarts.append(at)
        while restarts[0] < at - self._period:
            restarts.popleft()
        if len(restarts) <= self._limit:
            return False
        # More need not be remembered than it takes to exceed the limit again.
        restarts.popleft()
        return True
