"""Which transactions count, and each of them once.

Rules of this file. Two kinds of event speak of the same transactions: a transaction's own, and the block's that
holds it. What counts:

* A transaction counts when it is settled (SUCCESS or FAILED), not while it is PENDING; its hash is remembered, so
  that a second event for it counts nothing. One whose block was taken back is not settled any more; its block stays
  counted, because the chain did that work.
* A block of height h with n transactions, of which t came as events of their own that name h, counts max(n, t) in
  all, in whichever order they come, and however often the block is told (by two nodes, or again after a reconnect).
* A settled transaction that names no height belongs to some block. While blocks tell their counts (the last one
  within ``fresh`` seconds) the blocks speak for it and it adds nothing; otherwise it counts by itself. So at most
  the first block after a silence is counted beside transactions that came without a height.

Memory: the newest hashes, heights and pending transactions, each up to a limit; the oldest are forgotten first.
Times are Unix seconds of receipt.
"""

from __future__ import annotations

HASH_LIMIT = 65536
HEIGHT_LIMIT = 4096
PENDING_LIMIT = 65536


class _Height:
    """What was told of one block: the block's own count, and transactions that name it."""

    __slots__ = ("at", "events", "told")

    def __init__(self, at: float) -> None:
        self.at = at
        self.told = 0
        self.events = 0

    @property
    def count(self) -> int:
        return max(self.told, self.events)


class Settlements:
    """Counts transactions from transaction events and block events without counting one twice."""

    def __init__(self, fresh: float, height_memory: float) -> None:
        self._fresh = fresh
        self._height_memory = height_memory
        # Whether each of them succeeded.
        self._hashes: dict[str, bool] = {}
        self._heights: dict[int, _Height] = {}
        self._pending: dict[str, float] = {}
        self._block_told_at: float | None = None
        self.total = 0
        self.confirmed = 0
        self.failed = 0
        self.pending_left_out = 0

    @property
    def pending(self) -> int:
        """How many transactions were told as pending and not yet as settled."""
        return len(self._pending)

    def add_pending(self, name: str, at: float) -> None:
        """The transaction ``name`` waits since ``at``, unless it was settled or is known to wait."""
        if name in self._hashes or name in self._pending:
            return
        self._pending[name] = at
        if len(self._pending) > PENDING_LIMIT:
            del self._pending[next(iter(self._pending))]
            self.pending_left_out += 1

    def waited(self, name: str, at: float) -> float | None:
        """Seconds since the transaction ``name`` was told as pending, or None if it was not."""
        since = self._pending.get(name)
        return None if since is None else max(0.0, at - since)

    def is_settled(self, name: str) -> bool:
        """Whether the transaction ``name`` is remembered as settled."""
        return name in self._hashes

    def settle(self, name: str, *, succeeded: bool, height: int | None, at: float) -> int:
        """How many transactions more there are, now that ``name`` is settled: 1 or 0."""
        if name in self._hashes:
            return 0
        self._pending.pop(name, None)
        self._hashes[name] = succeeded
        if len(self._hashes) > HASH_LIMIT:
            del self._hashes[next(iter(self._hashes))]
        if succeeded:
            self.confirmed += 1
        else:
            self.failed += 1
        return self._added(1 if height is None and not self._blocks_speak(at) else self._event_of(height, at))

    def take_back(self, name: str) -> None:
        """The block that held the transaction ``name`` is no more."""
        succeeded = self._hashes.pop(name, None)
        self.confirmed -= succeeded is True
        self.failed -= succeeded is False

    def close_block(self, height: int, count: int, at: float) -> int:
        """How many transactions more there are, now that the block of ``height`` told its ``count``."""
        self._block_told_at = at
        block = self._height(height, at)
        before = block.count
        block.told = max(block.told, count)
        return self._added(block.count - before)

    def _added(self, count: int) -> int:
        self.total += count
        return count

    def _blocks_speak(self, at: float) -> bool:
        return self._block_told_at is not None and at - self._block_told_at <= self._fresh

    def _event_of(self, height: int | None, at: float) -> int:
        if height is None:
            return 0
        block = self._height(height, at)
        before = block.count
        block.events += 1
        return block.count - before

    def _height(self, height: int, at: float) -> _Height:
        self._forget_heights(at)
        block = self._heights.get(height)
        if block is None:
            block = self._heights[height] = _Height(at)
            if len(self._heights) > HEIGHT_LIMIT:
                del self._heights[next(iter(self._heights))]
        return block

    def _forget_heights(self, at: float) -> None:
        # A chain that begins anew (a test net, a fork) uses its heights again: they are not remembered for ever.
        while self._heights:
            oldest = next(iter(self._heights))
            if at - self._heights[oldest].at <= self._height_memory:
                return
            del self._heights[oldest]
