"""The audit on disk: lines are added to its end, and nothing that stands there is changed.

Rules of this file:

* Blocking. A batch is written, synced, and then told to the head file; a batch that does not go in as a whole does not
  go in at all.
* A new file begins with a new day (UTC) or at ``FILE_SIZE``; the chain goes on across it.
* What a power cut left half written, behind the head, is moved to a file beside it, and the next entry says so. What is
  wrong before the head was not a power cut: it stays as it is, the chain goes on from the head in a new file, and the
  next entry says that too.
* Old files are deleted whole, and an entry says before where the rest begins.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from domain import rfc3339
from domain.audit import Broken, Chain, Entry, Head, Outcome, Target, retirement
from storage.audit_files import HeadFile, directory_of, failed, files_in, first_of, give, lines_of, name_of, read_head
from storage.errors import StorageError
from storage.state import sync_directory

FILE_SIZE = 8 * 1024 * 1024
"""Bytes after which a file is followed by another."""

_DAY = 86_400
_DATE = len("2026-11-21")


class _End(msgspec.Struct, frozen=True):
    """Where the chain ends: the ``file`` (None: a new one is to be begun), its size, its ``day``, the head."""

    head: Head
    file: Path | None = None
    size: int = 0
    day: str = ""


class AuditLog:
    """The audit of the data directory ``data``; one object for a process, which others may have theirs beside."""

    def __init__(self, data: Path, file_size: int = FILE_SIZE) -> None:
        self._directory = directory_of(data)
        self._file_size = file_size
        self._head_file = HeadFile(self._directory)
        self._end: _End | None = None

    @property
    def head(self) -> Head | None:
        """Where it ended when it was last written here; None before."""
        return None if self._end is None else self._end.head

    def known(self) -> Head:
        """Where it ends by its head file."""
        return read_head(self._directory) or Head()

    def append(self, entries: Sequence[Entry], at: float) -> Head:
        """Add ``entries`` and wait until the disk has them; ``at`` (Unix seconds) dates what is found on the way.

        Raises:
            StorageError: if they cannot be written; then none of them is.
        """
        with self._head_file.locked() as held:
            try:
                end, found = self._found(self._head_file.read(held), at)
                self._end = None
                self._end = self._write(end, [*found, *entries])
                self._head_file.write(held, self._end.head)
            except OSError as error:
                raise failed(self._directory, "write", error) from error
            return self._end.head

    def retain(self, age: float, size: int, at: float) -> int:
        """Delete the files whose entries are older than ``age`` seconds, and the oldest while all take over ``size``.

        Returns how many entries are gone.

        Raises:
            StorageError: if that cannot be done.
        """
        files = files_in(self._directory)
        try:
            gone, why = _gone(files, rfc3339(at - age), size)
            if not gone:
                return 0
            rest = Chain(None)
            rest.follow(_first_line(files[len(gone)]))
            start = rest.start or Head()
            self.append([retirement(at, start, first_of(gone[0]), why)], at)
            for path in gone:
                path.unlink(missing_ok=True)
            for path in self._directory.glob("*.torn-*"):
                if path.stat().st_mtime < at - age:
                    path.unlink(missing_ok=True)
            sync_directory(self._directory)
        except OSError as error:
            raise failed(self._directory, "delete", error) from error
        except Broken:
            # What was changed is kept for who looks into it.
            return 0
        return start.number + 1 - first_of(gone[0])

    # -- writing --------------------------------------------------------------------------------------------

    def _write(self, end: _End, entries: Sequence[Entry]) -> _End:
        if not entries:
            return end
        # A batch stands in one file, so that it can be taken back as a whole.
        day = rfc3339(entries[0].at)[:_DATE]
        if end.file is None or end.size >= self._file_size or day > end.day:
            end = _End(end.head, self._directory / name_of(end.head.number + 1), 0, day)
        chain = Chain(end.head)
        block = b"".join(chain.write(entry) + b"\n" for entry in entries)
        self._add(end, block)
        return _End(chain.head, end.file, end.size + len(block), end.day)

    def _add(self, end: _End, block: bytes) -> None:
        if end.file is None:
            return
        descriptor = os.open(end.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                if end.size == 0:
                    give(descriptor, self._directory)
                _write_all(descriptor, block)
                os.fdatasync(descriptor)
            except OSError:
                os.ftruncate(descriptor, end.size)
                raise
        finally:
            os.close(descriptor)
        if end.size == 0:
            sync_directory(self._directory)

    # -- where it ends --------------------------------------------------------------------------------------

    def _found(self, known: Head | None, at: float) -> tuple[_End, list[Entry]]:
        """Where the chain ends, and what is to be said about how it was found."""
        end = self._end
        if end is not None and end.head == known and (end.file is None or _size(end.file) == end.size):
            return end, []
        found: list[Entry] = []
        files = files_in(self._directory)
        while files:
            end = self._look(files.pop(), known, at, found)
            if end is not None:
                break
        else:
            end = None
        if end is None:
            return self._without_files(known, at, found)
        if known is None:
            found.append(_says(at, "audit.head_lost", "the head was not there: whether the end was cut is not known"))
        return end, found

    def _without_files(self, known: Head | None, at: float, found: list[Entry]) -> tuple[_End, list[Entry]]:
        if known is None:
            return _End(Head()), [_says(at, "audit.begun", "there was none", Outcome.DONE), *found]
        words = f"entries up to {known.number} are not there any more: the chain goes on from the head"
        return _End(known), [*found, _says(at, "audit.damaged", words)]

    def _look(self, path: Path, known: Head | None, at: float, found: list[Entry]) -> _End | None:
        """Where the chain ends in the last file, at ``path``; None if it had not a whole line and is gone now.

        Raises:
            StorageError: if what was torn cannot be moved.
        """
        chain, size, day, is_whole = Chain(None), 0, "", True
        for line in lines_of(path):
            try:
                if not line.endswith(b"\n"):
                    raise Broken(chain.head.number + 1, "it is not whole")  # noqa: TRY301 - one way for what is torn
                entry = chain.follow(line[:-1])
                if not size and chain.head.number != first_of(path):
                    raise Broken(first_of(path), f"entry {chain.head.number} stands in its place")  # noqa: TRY301
            except Broken as broken:
                number = broken.number if size else first_of(path)
                if known is not None and number <= known.number:
                    return _damaged(known, at, found, f"entry {number}: {broken.why}")
                is_whole = False
                break
            if known is not None and chain.head.number == known.number and chain.head != known:
                return _damaged(known, at, found, f"entry {known.number} is not the one that was written")
            size, day = size + len(line), str(entry.get("at"))[:_DATE]
        if known is not None and size and chain.head.number < known.number:
            words = f"entries {chain.head.number + 1} to {known.number} are not there any more"
            return _damaged(known, at, found, words)
        if not is_whole:
            found.append(_tear(path, size, chain.head.number if size else None, at))
        if size:
            return _End(chain.head, path, size, day)
        _unlink(path)
        return None


def _damaged(known: Head, at: float, found: list[Entry], words: str) -> _End:
    found.append(_says(at, "audit.damaged", f"{words}: the chain goes on from the head"))
    return _End(known)


def _tear(path: Path, size: int, newest: int | None, at: float) -> Entry:
    """Move what stands at ``path`` behind ``size`` bytes to a file beside it; the entry that says so."""
    try:
        content = path.read_bytes()[size:]
        digest = hashlib.sha256(content).hexdigest()
        aside = path.with_name(f"{path.name}.torn-{digest[:12]}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.truncate(path, size)
        sync_directory(path.parent)
    except OSError as error:
        raise failed(path, "put aside", error) from error
    behind = f"behind entry {newest}" if newest else f"in {path.name}"
    return Entry(
        at,
        "audit.torn",
        Outcome.FAILED,
        target=Target(id=aside.name),
        why=f"{len(content)} bytes {behind} were not whole: the daemon was killed, or the power cut, while it wrote",
        after={"size": len(content), "sha256": digest},
    )


def _says(at: float, what: str, why: str, outcome: Outcome = Outcome.FAILED) -> Entry:
    return Entry(at, what, outcome, why=why)


def _gone(files: Sequence[Path], before: str, size: int) -> tuple[list[Path], str]:
    """The oldest of ``files`` that are to be deleted, and why; never the last, which is written to."""
    sizes = [path.stat().st_size for path in files]
    count = by_size = 0
    while by_size < len(files) - 1 and sum(sizes[by_size:]) > size:
        by_size += 1
    while count < len(files) - 1 and _begins(files[count + 1]) < before:
        count += 1
    why = "they take more than audit.size" if by_size > count else "they are older than audit.age"
    return list(files[: max(count, by_size)]), why


def _begins(path: Path) -> str:
    """When the first entry of the file at ``path`` was; whatever was changed counts as new."""
    try:
        return str(Chain(None).follow(_first_line(path)).get("at"))
    except Broken:
        return "~"


def _first_line(path: Path) -> bytes:
    return next(lines_of(path), b"").removesuffix(b"\n")


def _write_all(descriptor: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(descriptor, view) :]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _unlink(path: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        raise StorageError(path, "delete", error.strerror or str(error)) from error
