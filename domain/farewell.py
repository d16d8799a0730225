"""When each client of a gateway that restarts is to come back.

Rules of this file: no I/O, no chance. The delays are evenly apart, so that no second has more than one and a half
times the mean of returns; who gets which of them is drawn by the caller, so that no client is always the last.
"""

from __future__ import annotations

RETURN_RATE = 200
"""Returns a second that a gateway takes without anybody noticing."""

LEAST_WINDOW = 2.0
MOST_WINDOW = 20.0


def return_window(count: int) -> float:
    """Seconds over which ``count`` clients return."""
    return min(MOST_WINDOW, max(LEAST_WINDOW, count / RETURN_RATE))


def return_delays(count: int, first: float) -> list[float]:
    """The delays of ``count`` clients, in seconds and in order: none before ``first``, the last within the window."""
    if not count:
        return []
    step = return_window(count) / count
    # From the middle of each part: a client alone returns in the middle of the window, not at its edge.
    return [first + (index + 0.5) * step for index in range(count)]
