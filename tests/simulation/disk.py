"""The disk under the journal: a real file, and a world in which it is slow, full, broken, or suddenly without power.

Rules of this file: what blocks is called in the loop's own thread, or no two runs would be alike; time that it takes is
virtual. A full disk is SQLite's own: the file may not grow, and the free space that it is told of is none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar
from unittest.mock import patch

import trio

from storage import Journal, StorageError
from storage.database import Database

T = TypeVar("T")
AMPLE = 1 << 30
PAGE = 4096


class Disk:
    """The disk that holds ``path``; ``delay`` draws how long the next piece of work takes."""

    def __init__(self, path: Path, delay: Callable[[], float]) -> None:
        self.path = path
        self.delay = delay
        self.is_broken = False
        self.is_full = False
        self._is_off = False
        self._journal: Journal | None = None
        self._left: list[Database] = []
        self._let_grow = Database.let_grow

    async def run(self, function: Callable[[], T], /) -> T:
        """Do a piece of work: what the recorder takes for a thread."""
        await trio.sleep_until(trio.current_time() + self.delay())
        if self._is_off or self.is_broken:
            raise StorageError(self.path, "use", "the disk is gone (EIO)")
        result = function()
        if isinstance(result, Journal):
            self._journal = result
            for database in self._left:
                # Not the last connection, so it moves no log: that is as it was left.
                database.abandon()
            self._left.clear()
            if self.is_full:
                self._let_grow(result._database, is_allowed=False)
        return result

    def fill(self, *, is_full: bool) -> None:
        """Have no room left, or room again."""
        self.is_full = is_full
        if self._journal is not None and not self._journal._is_closed and not self._is_off:
            self._let_grow(self._journal._database, is_allowed=not is_full)

    def cut_power(self) -> None:
        """From now on nothing is done any more: the journal stays as it is."""
        self._is_off = True

    def restore_power(self) -> None:
        """The disk is there again, with what was on it; whoever had the journal is dead."""
        self._is_off = False
        journal, self._journal = self._journal, None
        if journal is not None and not journal._is_closed:
            journal._state.close()
            self._left.append(journal._database)

    def close(self) -> None:
        """Let go of what is left."""
        for database in self._left:
            database.abandon()

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the storage ask this disk for its room."""
        disk = self

        class Os:
            """The operating system, but for the free space."""

            def __getattr__(self, name: str) -> object:
                return getattr(os, name)

            def statvfs(self, _path: object) -> object:
                return SimpleNamespace(f_bavail=0 if disk.is_full else AMPLE // PAGE, f_frsize=PAGE)

        def let_grow(database: Database, *, is_allowed: bool) -> None:
            disk._let_grow(database, is_allowed=is_allowed and not disk.is_full)

        with (
            patch("storage.room.os", Os()),
            patch("storage.database.os", Os()),
            patch.object(Database, "let_grow", let_grow),
        ):
            yield
