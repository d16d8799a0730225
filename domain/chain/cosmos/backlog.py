"""Which heights of a chain nobody has told yet, and who is to be asked about them.

Rules of this file:

* No I/O and no clock. Each node has its own line of heights: a hole in it is a gap, unless another node told what is in
  the hole.
* What is missing waits to be read again, the lowest first; of more than ``limit`` heights the oldest are given up, and
  whatever is given up is said once.
* A node whose newest block is far ahead of every other node's makes no gap: nobody can say what is in it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection

from domain.chain.cosmos.gaps import PRUNED, TOO_MANY, Lost, fill

RANGES_LIMIT = 1000
ATTEMPTS = 5
"""Times that a height is asked for before it is given up, whatever the nodes say."""
UNREAD = "no node gave an answer that could be used"


class Heights:
    """A set of heights, as ranges of them; of too many ranges the lowest are forgotten."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []

    def __contains__(self, height: int) -> bool:
        place = bisect_left(self._ranges, height, key=lambda one: one[1])
        return place < len(self._ranges) and self._ranges[place][0] <= height

    def add(self, first: int, last: int | None = None) -> None:
        """Put ``first`` in, up to and with ``last`` if that is given."""
        last = first if last is None else last
        begin = bisect_left(self._ranges, first - 1, key=lambda one: one[1])
        end = bisect_right(self._ranges, last + 1, key=lambda one: one[0])
        joined_to = self._ranges[begin:end]
        low = min([first, *(one[0] for one in joined_to)])
        high = max([last, *(one[1] for one in joined_to)])
        self._ranges[begin:end] = [(low, high)]
        del self._ranges[:-RANGES_LIMIT]

    def outside(self, first: int, last: int) -> list[tuple[int, int]]:
        """The ranges between ``first`` and ``last`` that are not in the set."""
        found = []
        for low, high in self._ranges:
            if high < first:
                continue
            if low > last:
                break
            if low > first:
                found.append((first, low - 1))
            first = high + 1
        return [*found, (first, last)] if first <= last else found


class Backlog:
    """What is to be read again of one chain; ``limit`` is in blocks."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begin: int | None = None
        self._lowest: int | None = None
        self._told = Heights()
        self._seen: dict[str, int] = {}
        self._heads: dict[str, int] = {}
        self._pending: dict[int, set[str]] = {}
        self._attempts: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def heights(self) -> list[int]:
        """What waits to be read, the lowest first."""
        return sorted(self._pending)

    def begin(self, height: int) -> list[Lost]:
        """What is not above ``height`` was told in an earlier life; what is given up of what was not."""
        self._begin = height
        # Where it is known late, some node has begun already.
        return [] if self._lowest is None else self._want(height, self._lowest)

    def told(self, node: str, height: int) -> list[Lost]:
        """``node`` told the block of ``height``; what is given up because of a hole before it."""
        # The first block of all has none before it.
        lost = self.reached(node, height - 1) if self._line(node) is not None else []
        self.read(height)
        return [*lost, *self.reached(node, height)]

    def reached(self, node: str, head: int, earliest: int = 1) -> list[Lost]:
        """``node`` has the blocks up to ``head``, from ``earliest`` on; what of them is given up."""
        seen = self._line(node)
        if seen is None:
            seen = head
            self._lowest = head if self._lowest is None else min(head, self._lowest)
        if head - seen > self._limit and self._is_alone(node, head):
            return []
        self._heads[node] = max(head, self._heads.get(node, 0))
        self._seen[node] = max(head, seen)
        return self._want(seen, head, earliest)

    def _want(self, seen: int, head: int, earliest: int = 1) -> list[Lost]:
        """Have what is above ``seen``, up to ``head``, read again as far as nobody told it; what is given up of it."""
        wanted = fill(seen, head, self._limit, earliest)
        lost = [each for gone in wanted.lost for each in self._not_told(gone)]
        for height in wanted.heights:
            if height not in self._told:
                self._pending.setdefault(height, set())
        return [*lost, *self._shed()]

    def left(self, node: str) -> None:
        """``node`` is away: nothing is measured by it."""
        self._heads.pop(node, None)

    def read(self, height: int) -> None:
        """The block of ``height`` was told."""
        self._told.add(height)
        self._pending.pop(height, None)
        self._attempts.pop(height, None)

    def refused(self, height: int, node: str, nodes: Collection[str]) -> list[Lost]:
        """``node`` does not have ``height``; it is given up when none of the ``nodes`` has it."""
        refusals = self._pending.get(height)
        if refusals is None:
            return []
        refusals.add(node)
        return self._give_up(height, PRUNED) if refusals.issuperset(nodes) else []

    def failed(self, height: int) -> list[Lost]:
        """``height`` could not be read; it is given up after some times."""
        if height not in self._pending:
            return []
        self._attempts[height] = self._attempts.get(height, 0) + 1
        return self._give_up(height, UNREAD) if self._attempts[height] >= ATTEMPTS else []

    def wanted_of(self, height: int, nodes: Collection[str]) -> list[str]:
        """Those of ``nodes`` that have not said that they lack ``height``."""
        return [node for node in nodes if node not in self._pending.get(height, ())]

    def _line(self, node: str) -> int | None:
        return self._seen.get(node, self._begin)

    def _give_up(self, height: int, reason: str) -> list[Lost]:
        self.read(height)
        return [Lost(height, height, reason)]

    def _shed(self) -> list[Lost]:
        excess = self.heights[: max(0, len(self._pending) - self._limit)]
        return joined([each for height in excess for each in self._give_up(height, TOO_MANY)])

    def _not_told(self, lost: Lost) -> list[Lost]:
        known = Heights()
        for height in self._pending:
            known.add(height)
        gone = [
            (first, last)
            for low, high in self._told.outside(lost.first, lost.last)
            for first, last in known.outside(low, high)
        ]
        for first, last in gone:
            self._told.add(first, last)
        return [Lost(first, last, lost.reason) for first, last in gone]

    def _is_alone(self, node: str, head: int) -> bool:
        others = [height for name, height in self._heads.items() if name != node]
        return bool(others) and head > max(others) + self._limit


def joined(lost: list[Lost]) -> list[Lost]:
    """``lost`` with neighbours of the same reason in one."""
    found: list[Lost] = []
    for each in sorted(lost, key=lambda one: one.first):
        before = found[-1] if found else None
        if before is not None and before.last + 1 == each.first and before.reason == each.reason:
            found[-1] = Lost(before.first, each.last, each.reason)
        else:
            found.append(each)
    return found
