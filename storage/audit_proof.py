"""Whether the audit is what was written, and what stands in it.

Rules of this file: it reads and changes nothing, whether a daemon writes or not. The head is read before the files: a
daemon that writes meanwhile makes them longer than it. Nothing here has a secret, so whoever can write the files can
also write another chain of their own, with its head: that is found by a head that was noted elsewhere, see ``noted``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from domain import JsonValue
from domain.audit import GENESIS, RETIRED, Broken, Chain, Head
from storage.audit_files import directory_of, files_in, first_of, lines_of, read_head
from storage.errors import StorageError


class AuditReport(msgspec.Struct):
    """What was found: ``count`` entries from ``first`` on hold, up to ``head``.

    ``broken`` is the number of the first that does not hold (None: all do), ``why`` it does not, and where it stands.
    ``doubts`` are what cannot be told.
    """

    first: int = 0
    count: int = 0
    head: Head = msgspec.field(default_factory=Head)
    broken: int | None = None
    why: str = ""
    place: str = ""
    doubts: list[str] = msgspec.field(default_factory=list)

    @property
    def is_intact(self) -> bool:
        """Whether all of it holds."""
        return self.broken is None


def verify_audit(data: Path, start: int = 1, noted: Head | None = None) -> AuditReport:
    """Follow the chain in the data directory ``data`` from entry ``start`` on.

    ``noted`` is a head that is known from elsewhere.

    Raises:
        StorageError: if there is none, or it cannot be read.
    """
    directory = directory_of(data)
    known = read_head(directory)
    files = files_in(directory)
    if not files and known is None:
        raise StorageError(directory, "read", "there is no audit")
    walk = _Walk(known, noted)
    walk.go(files, start)
    report = walk.report
    if report.is_intact and not report.count and start > 1:
        raise StorageError(directory, "read", f"there is no entry {start}")
    if report.is_intact:
        walk.check_start(start)
    if report.is_intact:
        walk.check_end()
    return report


def read_audit(data: Path, *, is_newest_first: bool = False) -> Iterator[Mapping[str, JsonValue]]:
    """The entries in the data directory ``data``, whether they hold or not; what is no JSON is left out.

    Raises:
        StorageError: if they cannot be read.
    """
    files = files_in(directory_of(data))
    for path in reversed(files) if is_newest_first else files:
        lines: Sequence[bytes] = list(lines_of(path))
        for line in reversed(lines) if is_newest_first else lines:
            try:
                document: object = json.loads(line)
            except ValueError:
                continue
            if isinstance(document, dict):
                yield document


class _Walk:
    """One way along the chain, and what was seen on it."""

    def __init__(self, known: Head | None, noted: Head | None) -> None:
        self.report = AuditReport()
        self._known = known
        self._noted = noted
        self._chain = Chain(None)
        self._retired: set[Head] = set()

    def go(self, files: Sequence[Path], start: int) -> None:
        """Follow the lines of ``files`` until one does not hold."""
        # The file in which ``start`` is, and all behind it.
        later = [path for path in files if first_of(path) > start]
        for path in files[max(0, len(files) - len(later) - 1) :]:
            is_last = path == files[-1]
            for number, line in enumerate(lines_of(path), 1):
                if is_last and not line.endswith(b"\n") and self._is_unfinished(line):
                    return
                if not self._is_begun and first_of(path) + number - 1 < start:
                    continue
                try:
                    self._follow(line, first_of(path) if number == 1 else None)
                except Broken as broken:
                    self._break(broken.number, broken.why, f"{path.name}:{number}")
                    return

    def check_start(self, start: int) -> None:
        """See whether what is not there was deleted in order."""
        begin = self._chain.start or Head()
        if start > begin.number + 1 or (self.report.count and start == begin.number + 1 > 1):
            return
        if begin.number == 0:
            if begin.hash != GENESIS:
                self._break(1, "it does not name the genesis: there was something before it")
        # Who is killed while it deletes leaves some of what it said would go.
        elif begin not in self._retired and all(begin.number >= each.number for each in self._retired):
            self._break(1, f"entries 1 to {begin.number} are not there, and no entry says that they were deleted")

    def check_end(self) -> None:
        """See whether the end was cut."""
        head = self._chain.head
        if self._known is None:
            self.report.doubts.append("the head file is not there: whether the end was cut cannot be told from here")
        for each, name in ((self._known, "the head file"), (self._noted, "the head that was given")):
            if each is not None and each.number > head.number:
                words = f"it is not there, and {name} says that the chain goes on to {each.number}"
                self._break(head.number + 1, words)
                return

    @property
    def _is_begun(self) -> bool:
        return self.report.count > 0

    def _follow(self, line: bytes, first: int | None) -> None:
        """Follow ``line``; it is the first of the file that is named by the entry ``first``."""
        entry = self._chain.follow(line.removesuffix(b"\n"))
        head = self._chain.head
        if first not in (None, head.number):
            raise Broken(head.number, f"its file is named by entry {first}")
        if not line.endswith(b"\n"):
            raise Broken(head.number, "its line has no end")
        for each, name in ((self._known, "the head file"), (self._noted, "the head that was given")):
            if each is not None and each.number == head.number and each != head:
                raise Broken(head.number, f"it is not the one that {name} names: it, or one before it, was changed")
        if entry.get("what") == RETIRED:
            self._note_retired(entry.get("after"))
        report = self.report
        report.first = report.first or head.number
        report.count += 1
        report.head = head

    def _note_retired(self, after: JsonValue) -> None:
        if isinstance(after, Mapping) and isinstance(first := after.get("first"), int):
            self._retired.add(Head(first - 1, str(after.get("previous"))))

    def _is_unfinished(self, line: bytes) -> bool:
        """Whether a last line without an end is behind the head: being written, or cut by a power cut."""
        next_ = self._chain.head.number + 1
        if self._known is None or self._known.number < next_:
            self.report.doubts.append(f"{len(line)} bytes behind entry {next_ - 1} are not a whole line (yet)")
            return True
        return False

    def _break(self, number: int, why: str, place: str = "") -> None:
        self.report.broken, self.report.why, self.report.place = number, why, place
