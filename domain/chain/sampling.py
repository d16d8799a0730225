"""What is looked at each second for the chain's history: what stands, and whether the chain is heard.

Rules of this file: what is not known is left out of the history. A look stands for the time since the one before it,
but for no more than ``LONGEST``: a daemon that stood still has not watched. No clock; times are Unix seconds.
"""

from __future__ import annotations

from domain.chain.now import Now
from domain.chain.series import Cell, Newest
from domain.chain.surroundings import Surroundings
from domain.chain.unknown import Unknown

LONGEST = 2.0
"""Seconds that one look may stand for."""


class Sampling:
    """Looks at the chain and its surroundings, and counts what it sees in the view's tally."""

    def __init__(self) -> None:
        self._before: float | None = None

    def look(self, now: Now, around: Surroundings) -> None:
        """Count what is so now."""
        at, view = now.at, now.view
        begin = at if self._before is None else max(self._before, at - LONGEST)
        self._before = at
        cell = view.tally.at(at)
        if not isinstance(now.throughput, Unknown):
            view.tally.cover(begin, at)
            rate = view.rate.current(at)
            cell.peak = rate if cell.peak is None else max(cell.peak, rate)
        _look_at_members(cell, now)
        if around.cpu_percent is not None:
            cell.cpu.add(around.cpu_percent)
        if around.memory_mb is not None:
            cell.memory.add(around.memory_mb)


def _look_at_members(cell: Cell, now: Now) -> None:
    counts = now.validators
    if not isinstance(counts, Unknown):
        cell.validators = _newer(cell.validators, (now.at, counts["totalValidators"], counts["activeValidators"]))
    total, active = now.total_nodes, now.active_nodes
    if isinstance(total, int) and isinstance(active, int):
        cell.nodes = _newer(cell.nodes, (now.at, total, active))


def _newer(before: Newest | None, told: Newest) -> Newest:
    return told if before is None else max(before, told)
