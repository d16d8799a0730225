"""How much of a table that all places share one of them may fill, and what is above it.

Rules of this file: a place has at most a tenth of the table, everything in an area a quarter, in a site a half, in an
enterprise three quarters, counted by the beginnings of ISA-95 paths: whoever fills their part leaves room for the
others. A part is never less than ``LEAST``, so that a small table is one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

LEAST = 100

_OF_BEGINNINGS = (3 / 4, 1 / 2, 1 / 4)
_OF_PLACE = 1 / 10


class Part(msgspec.Struct, frozen=True):
    """A part of the table: what is at ``path``, and unless it ``is_place`` what is below it."""

    path: str
    is_place: bool

    def has(self, path: str) -> bool:
        """Whether what is at ``path`` is of this part."""
        return path == self.path or (not self.is_place and path.startswith(f"{self.path}/"))


class Shares:
    """Counts what a table of ``capacity`` has of each place."""

    def __init__(self, capacity: int) -> None:
        self._beginnings = tuple(max(LEAST, int(capacity * each)) for each in _OF_BEGINNINGS)
        self._place = max(LEAST, int(capacity * _OF_PLACE))
        self._counts: dict[Part, int] = {}

    def add(self, path: str) -> None:
        """There is one more at ``path``."""
        for part, _ in self._bounds(path):
            self._counts[part] = self._counts.get(part, 0) + 1

    def remove(self, path: str) -> None:
        """There is one less at ``path``."""
        for part, _ in self._bounds(path):
            left = self._counts[part] - 1
            if left:
                self._counts[part] = left
            else:
                del self._counts[part]

    def full(self, path: str) -> Part | None:
        """The narrowest part that ``path`` is of and that has no room for one more; None if each has."""
        for part, most in self._bounds(path):
            if self._counts.get(part, 0) >= most:
                return part
        return None

    def _bounds(self, path: str) -> Iterator[tuple[Part, int]]:
        yield Part(path, is_place=True), self._place
        names = path.split("/")
        for depth in range(min(len(names), len(self._beginnings)), 0, -1):
            yield Part("/".join(names[:depth]), is_place=False), self._beginnings[depth - 1]
