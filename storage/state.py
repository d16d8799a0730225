"""What the daemon knew last, in a small file beside the journal, and the lock that keeps a second daemon away.

Rules of this file: one line of less than a sector, written in place after the commit it tells of and not synced but at
opening and closing. So on a disk that keeps its word it never knows more than the journal; where it does, or tells of
another file, the journal is not the one that was left: its newest records were lost, or it was copied or put back.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from zlib import crc32

import msgspec

from storage.errors import StorageError

NAME = "journal.state"
_LINE_SIZE = 512
_WORD = "andond-journal"
_FIELDS = 7


class Known(msgspec.Struct, frozen=True):
    """The epoch, the newest critical number and its hash, and which file (its inode) they are in.

    ``is_closed``: the journal was closed in order. ``doubts``: how many openings in a row ended with damage.
    """

    epoch: str
    critical: int
    hash: bytes
    file: int
    is_closed: bool = False
    doubts: int = 0

    def line(self) -> bytes:
        """A line of text with a check of its own: one that is not whole is not believed."""
        end = "closed" if self.is_closed else "open"
        text = f"{_WORD} {self.epoch} {self.critical} {self.hash.hex()} {self.file} {end} {self.doubts}"
        return f"{text} {crc32(text.encode()):08x}".encode().ljust(_LINE_SIZE - 1) + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Known | None:
        """What ``line`` says, or None if it is not whole."""
        text, _, check = line.decode("ascii", "replace").strip().rpartition(" ")
        fields = text.split(" ")
        if check != f"{crc32(text.encode()):08x}" or len(fields) != _FIELDS or fields[0] != _WORD:
            return None
        _, epoch, critical, digest, file, end, doubts = fields
        return cls(epoch, int(critical), bytes.fromhex(digest), int(file), end == "closed", int(doubts))


class State:
    """The file, locked for as long as it is open."""

    __slots__ = ("_descriptor", "known", "path")

    def __init__(self, path: Path, descriptor: int, known: Known | None) -> None:
        self._descriptor = descriptor
        self.path = path
        self.known = known

    @classmethod
    def open(cls, directory: Path) -> State:
        """Lock the journal in ``directory`` and read what was known of it.

        Raises:
            StorageError: if another process has it.
        """
        path = directory / NAME
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(path, "open", error.strerror or str(error), needs_operator=True) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            reason = "another andond writes this journal; stop it, or give this one a storage.path of its own"
            raise StorageError(path, "lock", reason, needs_operator=True) from None
        return cls(path, descriptor, Known.parse(os.pread(descriptor, _LINE_SIZE, 0)))

    def tell(self, known: Known) -> None:
        """Write ``known`` down, for the next opening; not synced."""
        # It lags behind then, which is as good as a disk that has not written it yet. What it tells of is committed.
        with suppress(OSError):
            os.pwrite(self._descriptor, known.line(), 0)
        self.known = known

    def settle(self, known: Known) -> None:
        """Write ``known`` down and wait until the disk has it.

        Raises:
            StorageError: if it cannot be written.
        """
        try:
            os.pwrite(self._descriptor, known.line(), 0)
            os.fsync(self._descriptor)
            sync_directory(self.path.parent)
        except OSError as error:
            raise StorageError(self.path, "write", error.strerror or str(error)) from error
        self.known = known

    def close(self) -> None:
        """Let go of the lock."""
        os.close(self._descriptor)


def is_held(directory: Path) -> bool:
    """Whether another process writes the journal in ``directory`` now; one that is not there is nobody's."""
    try:
        descriptor = os.open(directory / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # What keeps it from being opened, whoever opens it says.
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_known(directory: Path) -> Known | None:
    """What is known of the journal in ``directory``, whoever has it; None if nothing is."""
    try:
        return Known.parse((directory / NAME).read_bytes()[:_LINE_SIZE])
    except OSError:
        return None


def sync_directory(directory: Path) -> None:
    """Wait until the disk knows the files in ``directory`` by their names.

    Raises:
        OSError: if the disk fails.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
