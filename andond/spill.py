"""Rows in their order, more of them than should be in memory: sorted parts on disk, merged.

Rules of this file: a row is a tuple of numbers and texts; rows of one spill compare with each other. Up to ``limit``
rows are held, the others are in a file without a name that is gone with the process.
"""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import IO, Generic, Self, TypeVar, cast

LIMIT = 400_000
BLOCK = 2_000

R = TypeVar("R", bound=tuple[int | str, ...])


class Spill(Generic[R]):
    """Takes rows in any order and gives them back in theirs, as often as asked."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._held: list[R] = []
        self._parts: list[IO[str]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def add(self, row: R) -> None:
        """Take ``row``.

        Raises:
            OSError: if there is no room for it.
        """
        self._held.append(row)
        if len(self._held) >= self._limit:
            self._write()

    def __iter__(self) -> Iterator[R]:
        self._held.sort()
        if not self._parts:
            return iter(self._held)
        return heapq.merge(*(_read(part) for part in self._parts), self._held)

    def _write(self) -> None:
        self._held.sort()
        part = tempfile.TemporaryFile("w+", encoding="utf-8", prefix="andond-")  # noqa: SIM115 - the stack closes it
        self._open.enter_context(part)
        for start in range(0, len(self._held), BLOCK):
            part.write(json.dumps(self._held[start : start + BLOCK]) + "\n")
        self._parts.append(part)
        self._held = []


def _read(part: IO[str]) -> Iterator[R]:
    part.seek(0)
    for block in part:
        for row in json.loads(block):
            yield cast(R, tuple(row))
