"""How fast a client of the native protocol may speak: a token bucket.

Rules of this file: no clock, the moment is an argument. What is refused costs as much as what is done, so a client that
goes on regardless gets ever further behind, until ``is_overdrawn`` says that it will not learn.
"""

from __future__ import annotations

RATE = 50
"""Commands a second."""

BURST = 100
"""Commands at once, by a client that was quiet before."""


class Pace:
    """The commands that one client has left; it begins with a whole burst."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._at: float | None = None
        self._left = float(BURST)

    def take(self, cost: float, at: float) -> float:
        """Take ``cost`` commands at ``at`` (Unix seconds); returns the seconds to wait, 0 if there was room."""
        # A wall clock may be set back; that gives nothing and takes nothing.
        passed = 0.0 if self._at is None else max(0.0, at - self._at)
        self._at = at
        self._left = min(BURST, self._left + passed * RATE) - cost
        return max(0.0, -self._left / RATE)

    @property
    def is_overdrawn(self) -> bool:
        """Whether a whole burst was asked for beyond what there was."""
        return self._left <= -BURST

    @property
    def recovery(self) -> float:
        """Seconds until there is a whole burst again."""
        return (BURST - self._left) / RATE
