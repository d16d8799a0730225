"""The files of the audit: their names, their lines, and the small one that says where the chain ends.

Rules of this file:

* The audit is the directory ``audit`` beside the journal, for its owner alone. A file is named by its first entry:
  ``audit-000000000001.jsonl``.
* The head is one line of less than a sector, written in place after the entries it tells of are on the disk, and not
  synced: it may lag behind them and is never ahead. A chain that ends before its head was cut.
* Whoever writes holds the lock of the head file, for one batch: a daemon and a command line take turns.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zlib import crc32

from domain.audit import Head
from storage.errors import StorageError

DIRECTORY = "audit"
HEAD = "head"
LOCK_PATIENCE = 10.0
"""Seconds that a writer waits for another one."""

_LOCK_INTERVAL = 0.01
_LINE_SIZE = 256
_WORD = "andond-audit"
_NAME = re.compile(r"audit-(\d{12})\.jsonl")


def directory_of(data: Path) -> Path:
    """Where the audit of the data directory ``data`` is."""
    return data / DIRECTORY


def name_of(number: int) -> str:
    """The name of the file whose first entry has this ``number``."""
    return f"audit-{number:012}.jsonl"


def first_of(path: Path) -> int:
    """The number of the first entry of the file at ``path``, by its name."""
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else 0


def files_in(directory: Path) -> list[Path]:
    """The files of the chain in ``directory``, oldest first.

    Raises:
        StorageError: if it cannot be read.
    """
    try:
        return sorted((path for path in directory.iterdir() if _NAME.fullmatch(path.name)), key=first_of)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise failed(directory, "read", error) from error


def lines_of(path: Path) -> Iterator[bytes]:
    """The lines of the file at ``path`` with their line feeds; the last may lack its own.

    Raises:
        StorageError: if it cannot be read.
    """
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise failed(path, "read", error) from error


class HeadFile:
    """The head of the audit in ``directory``, held by this process while ``locked``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._path = directory / HEAD

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the lock; what is given is for ``read`` and ``write``.

        Raises:
            StorageError: if the file cannot be made, or another writer does not let go of it.
        """
        try:
            if not self._directory.is_dir():
                self._make()
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            give(descriptor, self._directory)
        except OSError as error:
            raise failed(self._path, "open", error) from error
        try:
            self._lock(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, descriptor: int) -> Head | None:
        """The head that was written; None if there is none, or it is not whole."""
        return parsed(os.pread(descriptor, _LINE_SIZE, 0))

    def write(self, descriptor: int, head: Head) -> None:
        """Write ``head`` down.

        Raises:
            OSError: if it cannot be written.
        """
        text = f"{_WORD} {head.number} {head.hash}"
        os.pwrite(descriptor, f"{text} {crc32(text.encode()):08x}".ljust(_LINE_SIZE - 1).encode() + b"\n", 0)

    def _make(self) -> None:
        self._directory.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            give(descriptor, self._directory.parent)
        finally:
            os.close(descriptor)

    def _lock(self, descriptor: int) -> None:
        deadline = time.monotonic() + LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StorageError(self._path, "lock", "another writer does not let go of it") from None
                time.sleep(_LOCK_INTERVAL)
            except OSError as error:
                raise failed(self._path, "lock", error) from error
            else:
                return


def read_head(directory: Path) -> Head | None:
    """The head of the audit in ``directory``, whoever writes it; None if there is none, or it is not whole."""
    try:
        return parsed((directory / HEAD).read_bytes()[:_LINE_SIZE])
    except OSError:
        return None


def parsed(line: bytes) -> Head | None:
    """What the ``line`` of a head file says, None if it is not whole."""
    text, _, check = line.decode("ascii", "replace").strip().rpartition(" ")
    word, _, rest = text.partition(" ")
    if word != _WORD or check != f"{crc32(text.encode()):08x}":
        return None
    try:
        return Head.parse(rest.replace(" ", ":"))
    except ValueError:
        return None


def give(descriptor: int, directory: Path) -> None:
    """Have what was made by the administrator belong to whom ``directory`` belongs to, who is to write it too.

    Raises:
        OSError: if that cannot be done.
    """
    if os.geteuid() == 0:
        owner = directory.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def failed(path: Path, operation: str, error: OSError) -> StorageError:
    """What ``error`` is for who asked."""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    return StorageError(path, operation, error.strerror or str(error), full=is_full)
