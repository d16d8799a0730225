"""How long a chain takes for a block, by the chain's own clock.

Rules of this file: the mean over the newest blocks. A pause that is much longer than a block is no pace: the mean
begins anew behind it and the one before it holds until there is another. The first block of all has the time that was
set for it, which may be long before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

WINDOW = 64
"""Blocks over which the mean is taken."""

_PAUSE = 10
_ENOUGH = 4
_SHORTEST = 0.001
_COARSE = 1.0
"""Seconds in which a chain's clock may count, so that blocks seem to come all at once."""


class Pace:
    """The mean ``block_time`` in seconds; None until two blocks were seen."""

    def __init__(self, block_time: float | None = None) -> None:
        self.block_time = block_time
        self._blocks: deque[tuple[int, float]] = deque(maxlen=WINDOW)

    def note(self, height: int, at: float) -> None:
        """The block of ``height`` has the chain's time ``at``; one that is not above the newest tells nothing."""
        if self._blocks:
            newest, newest_at = self._blocks[-1]
            if height <= newest or at < newest_at:
                return
            step = (at - newest_at) / (height - newest)
            if self.block_time is not None and len(self._blocks) >= _ENOUGH and step > _PAUSE * self.block_time:
                self._blocks.clear()
        self._blocks.append((height, at))
        self._work_out()

    def begin_anew(self) -> None:
        """Forget the blocks: heights begin somewhere else."""
        self._blocks.clear()

    def _work_out(self) -> None:
        if len(self._blocks) >= _ENOUGH:
            usual = max(_COARSE, _step(self._blocks, 1, -1))
            if _step(self._blocks, 0, 1) > _PAUSE * usual:
                self._blocks.popleft()
        first, last = self._blocks[0], self._blocks[-1]
        if last[0] > first[0]:
            # Chains for development have several blocks in one second of their whole-second clocks.
            self.block_time = max(_SHORTEST, (last[1] - first[1]) / (last[0] - first[0]))


def _step(blocks: Sequence[tuple[int, float]], one: int, other: int) -> float:
    """Seconds a block between two of ``blocks``."""
    (first, first_at), (last, last_at) = blocks[one], blocks[other]
    return (last_at - first_at) / (last - first)
