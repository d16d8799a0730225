"""Up to which height a chain's blocks were told, every one of them.

Rules of this file: the first block that is told begins the line. What is told beyond a hole waits until the hole is
filled, or given up; of too many holes the lowest is forgotten.
"""

from __future__ import annotations

from bisect import insort

HOLES_LIMIT = 256


class Line:
    """The ``height`` up to which all blocks were told; -1 before the first."""

    def __init__(self, height: int = -1) -> None:
        self.height = height
        self._beyond: list[tuple[int, int]] = []

    def tell(self, first: int, last: int | None = None) -> None:
        """The blocks from ``first`` to ``last`` were told, or nobody has them; ``first`` alone by default."""
        last = first if last is None else last
        if last <= self.height:
            return
        if self.height < 0 or first <= self.height + 1:
            self.height = last
        elif self._beyond and first == self._beyond[-1][1] + 1:
            self._beyond[-1] = (self._beyond[-1][0], last)
        else:
            insort(self._beyond, (first, last))
        if len(self._beyond) > HOLES_LIMIT:
            self.height = max(self.height, self._beyond.pop(0)[1])
        while self._beyond and self._beyond[0][0] <= self.height + 1:
            self.height = max(self.height, self._beyond.pop(0)[1])

    def take_back(self, height: int) -> None:
        """The blocks from ``height`` on are no more."""
        self.height = min(self.height, height - 1)
        self._beyond = [(first, min(last, height - 1)) for first, last in self._beyond if first < height]
