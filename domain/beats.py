"""When to look again: whoever looks every so often does it together with the others.

A process that waits costs next to nothing; that it is woken costs a third of a millisecond, whatever it does then. So
nobody counts from when it began: all wake at whole multiples of their intervals, and one waking is for all of them.
"""

from __future__ import annotations


def beat_after(now: float, interval: float) -> float:
    """The first whole multiple of ``interval`` after ``now``, both in seconds of the same clock."""
    beat = (now // interval + 1.0) * interval
    # Rounding may take it to now itself, and whoever slept until then would never sleep.
    return beat if beat > now else beat + interval
