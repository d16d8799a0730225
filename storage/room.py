"""Room on the disk: what is left, who may still use it, and some that is set aside.

Rules of this file: below the reserve telemetry is written no more, below half of it high events neither; critical ones
may use it up. Another program can fill a disk between two looks, so a few megabytes are set aside in a file of their
own and given up when a write fails: enough to delete what may go, and to write calls into the room it leaves.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from domain import Priority
from storage.database import Database
from storage.errors import StorageError

NAME = "journal.ballast"
BALLAST = 12 * 1024 * 1024
"""Bytes set aside: what the log holds at most, so that the file can take it, and half as much to delete with."""

# priority -> the part of the reserve that its records leave alone
_FLOORS = {Priority.LOW: 1.0, Priority.NORMAL: 1.0, Priority.HIGH: 0.5}


class Room:
    """The disk under the journal in ``directory``; None: in memory, where there is always room."""

    __slots__ = ("_ballast", "_database", "_directory", "reserve")

    def __init__(self, directory: Path | None, database: Database, reserve: int) -> None:
        self._directory = directory
        self._database = database
        self._ballast = None if directory is None else directory / NAME
        self.reserve = reserve

    def free(self) -> int | None:
        """Bytes that can still be written: of the disk, and what deleted records left in the file; None: no limit."""
        return None if self._directory is None else self._available() + self._database.unused_size()

    def refused(self) -> frozenset[Priority]:
        """The priorities for which there is no room."""
        if self._directory is None or not self.reserve:
            return frozenset()
        free = self._available()
        if free >= self.reserve:
            return frozenset()
        free += self._database.unused_size()
        return frozenset(priority for priority, part in _FLOORS.items() if free < part * self.reserve)

    def is_ample(self) -> bool:
        """Whether the disk has room for the ballast beyond the reserve."""
        return self._directory is None or self._available() >= self.reserve + BALLAST

    def set_aside(self) -> None:
        """Make the ballast, if there is none and ample room for it."""
        if self._ballast is None or not self.reserve or self._ballast.exists() or not self.is_ample():
            return
        # Where the room is gone all the same, there is none to set aside.
        with suppress(OSError):
            descriptor = os.open(self._ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, BALLAST)
            finally:
                os.close(descriptor)

    def give_up(self) -> bool:
        """Delete the ballast; True if there was one."""
        return self._directory is not None and give_up(self._directory)

    def _available(self) -> int:
        """Bytes of the disk that are free.

        Raises:
            StorageError: if the directory is not there any more.
        """
        if self._directory is None:
            return 0
        try:
            disk = os.statvfs(self._directory)
        except OSError as error:
            raise StorageError(self._directory, "look for room", error.strerror or str(error)) from error
        return disk.f_bavail * disk.f_frsize


def give_up(directory: Path) -> bool:
    """Delete the ballast in ``directory``; True if there was one."""
    try:
        (directory / NAME).unlink()
    except OSError:
        return False
    return True
