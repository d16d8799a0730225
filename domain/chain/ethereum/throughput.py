"""Transactions a second by the chain's own time.

Rules of this file:

* The rate is the transactions of the blocks in the window, over the time from the block before the window to the last
  one: a block's transactions belong to the interval that ends with it. Moments of receipt play no part.
* Timestamps are whole seconds and may repeat. Where no time has passed there is no rate: None, never a division by
  zero, and never infinity.
* A block whose number of transactions is not known makes the rate unknown while it is in the window.
* A block taken back is taken out. Memory is bounded: ``BLOCKS_LIMIT`` blocks.

Times are Unix seconds.
"""

from __future__ import annotations

from collections import deque

from domain.chain.observations import BlockSeen

BLOCKS_LIMIT = 4096
"""Blocks that are kept, whatever the window."""


class Throughput:
    """The rate over the newest ``window`` seconds of one chain."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._blocks: deque[tuple[int, float, int | None]] = deque(maxlen=BLOCKS_LIMIT)

    def add(self, block: BlockSeen) -> None:
        """Count ``block``; one that is not above the last takes the place of what it replaces."""
        self.take_back(block.height)
        self._blocks.append((block.height, block.at, block.transactions))
        newest = block.at
        # The block before the window stays: its moment is where the window begins.
        while len(self._blocks) > 1 and self._blocks[1][1] <= newest - self._window:
            self._blocks.popleft()

    def take_back(self, height: int) -> None:
        """The blocks from ``height`` on are so no more."""
        while self._blocks and self._blocks[-1][0] >= height:
            self._blocks.pop()

    def rate(self) -> float | None:
        """Transactions a second; None if no time has passed, or if a block did not say how many it had."""
        if not self._blocks:
            return None
        passed = self._blocks[-1][1] - self._blocks[0][1]
        total = 0
        for index, (_, _, transactions) in enumerate(self._blocks):
            if index:
                if transactions is None:
                    return None
                total += transactions
        return total / passed if passed > 0 else None
