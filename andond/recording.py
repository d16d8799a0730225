"""Recorded SHDR logs: plain, compressed or in an archive, read line by line, and when each line is due.

Rules of this file: constant memory, whatever the size of the logs. What cannot be served is a ``RecordingError``
that names the file and what was expected, before anything is served.

When a line is due: the newest stamp so far is the recording's time. A later stamp waits for the difference divided
by the speed, at most ``longest_wait`` seconds; an older one goes out at once, and so does what has no stamp. A daily
log begins with last known values, each data item once: until one comes the second time the lines go out at once,
with the stamps they have.
"""

from __future__ import annotations

import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from io import BufferedIOBase, BufferedReader, FileIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, TypeAlias

from domain.plant.mtconnect import LINE_LIMIT, parse_stamp

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

PROBED = 200
_MANY_FIELDS = 4


class RecordingError(Exception):
    """A log cannot be served: which, and why."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class Recorded(NamedTuple):
    """One line of a log, with its end, whether it is the first of its log, and what the log's file is called."""

    raw: bytes
    opens_log: bool
    log: str = ""


Watch = Callable[[int], None]
"""Is told of each read how many bytes it took from the disk."""


def lines_of(paths: Sequence[Path], watch: Watch | None = None) -> Generator[Recorded, None, None]:
    """The lines of the logs at ``paths``, in their order; a log in an archive counts for itself.

    Raises:
        RecordingError: when one cannot be read.
    """
    for path in paths:
        try:
            with BufferedReader(_Watched(path, watch)) as disk:
                yield from _archived(disk) if _is_archive(path) else _plain(path, disk)
        except (OSError, EOFError, lzma.LZMAError, zlib.error, tarfile.TarError) as error:
            raise RecordingError(path, _reason(error)) from error


def check(paths: Sequence[Path]) -> None:
    """See that every log can be opened and looks like one.

    Raises:
        RecordingError: naming the first that does not.
    """
    for path in paths:
        first = ""
        with closing(lines_of([path])) as lines:
            for line in (line for _, line in zip(range(PROBED), lines, strict=False)):
                text = line.raw.decode(errors="replace").strip("\ufeff \r\n\t")
                first = first or text
                if _is_shdr(text):
                    break
            else:
                reason = f"not an SHDR log: it begins {first[:60]!r}, expected 2016-05-07T05:00:00.000Z|key|value"
                raise RecordingError(path, reason if first else "holds no line")


class Pacing:
    """When the lines of a recording are due, in seconds since it began. ``speed`` 0 is as fast as they are taken."""

    def __init__(self, speed: float, longest_wait: float) -> None:
        self._speed = speed
        self._longest = longest_wait
        self._newest: float | None = None
        self._first_values: set[bytes] | None = set()
        self.due = 0.0

    def take(self, line: Recorded) -> float:
        """When ``line`` is due; never before the one before it."""
        if line.opens_log:
            self._first_values = set()
        stamp, _, rest = line.raw.partition(b"|")
        if not self._speed or not rest or self._is_first_value(rest):
            return self.due
        try:
            at = parse_stamp(stamp.partition(b"@")[0].decode("ascii").strip())
        except ValueError:
            return self.due
        if self._newest is not None and at > self._newest:
            self.due += min((at - self._newest) / self._speed, self._longest)
        self._newest = at if self._newest is None else max(at, self._newest)
        return self.due

    def _is_first_value(self, rest: bytes) -> bool:
        if self._first_values is None:
            return False
        fields = rest.split(b"|", _MANY_FIELDS)
        item = b"|".join((fields[0], fields[2])) if len(fields) >= _MANY_FIELDS else fields[0]
        if item in self._first_values:
            self._first_values = None
            return False
        self._first_values.add(item)
        return True


def _is_archive(path: Path) -> bool:
    name = path.name.lower()
    return name.endswith((".tar", ".tgz")) or ".tar." in name


Disk: TypeAlias = "BufferedReader[_Watched]"


class _Watched(FileIO):
    """A file that says how much of it was read."""

    def __init__(self, path: Path, watch: Watch | None) -> None:
        super().__init__(path)
        self._watch = watch

    def readinto(self, buffer: Buffer) -> int:
        size = super().readinto(buffer)
        if self._watch is not None:
            self._watch(size or 0)
        return size or 0


def _plain(path: Path, disk: Disk) -> Iterator[Recorded]:
    with _unpacked(path, disk) as log:
        yield from _lines(log, path.name)


def _unpacked(path: Path, disk: Disk) -> BufferedIOBase:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return gzip.GzipFile(fileobj=disk)
    return lzma.LZMAFile(disk) if suffix == ".xz" else disk


def _archived(disk: Disk) -> Iterator[Recorded]:
    # "r|": a stream, so that the archive is neither unpacked nor held.
    with tarfile.open(fileobj=disk, mode="r|*") as archive:
        for member in archive:
            log = archive.extractfile(member) if member.isfile() else None
            if log is not None:
                yield from _lines(log, member.name.rpartition("/")[2])


def _lines(log: IO[bytes] | BufferedIOBase, name: str) -> Iterator[Recorded]:
    opens_log = True
    while raw := log.readline(LINE_LIMIT):
        # The last line of a log may lack its end, and the next log starts on a line of its own.
        whole = raw if raw.endswith(b"\n") or len(raw) == LINE_LIMIT else raw + b"\n"
        yield Recorded(whole, opens_log, name)
        opens_log = False


def _is_shdr(text: str) -> bool:
    stamp, pipe, rest = text.partition("|")
    if not pipe or not rest:
        return False
    try:
        parse_stamp(stamp.partition("@")[0].strip())
    except ValueError:
        return not stamp.strip()
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "is a directory; name the logs in it"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"cannot be unpacked: {error}"
