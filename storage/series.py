"""The chain's history on disk: minutes, hours and days, each row the sums of its time.

Rules of this file:

* Plain blocking functions, called by one thread at a time. It is a file of its own beside the journal, so that what is
  synced here holds no critical event back.
* Minutes are added to their rows, their hours' and their days' in one transaction, which is on disk when ``add``
  returns: they are in all three or in none, and what is longer never disagrees with what is shorter.
* A row that the disk has changed beyond reading is left out and counted. A file that is damaged is put aside, and what
  can still be read of it is taken along.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from domain.chain import SPANS, Cell, Cells, folded
from storage.database import FAULTS, Database
from storage.errors import StorageError
from storage.opening import make_private, put_aside

NAME = "series.sqlite3"
MIGRATIONS = "series_migrations"

STEP = 2000
"""Rows of a span that a step of retention deletes."""

_PUT = "INSERT OR REPLACE INTO series (span, at, cell) VALUES (?, ?, ?)"
_ONE = "SELECT CAST(cell AS BLOB) AS cell FROM series WHERE span = ? AND at = ?"
_READ = (
    "SELECT at, CAST(cell AS BLOB) AS cell FROM series WHERE span = ? AND at >= ? AND at < ? ORDER BY at DESC LIMIT ?"
)
_ALL = "SELECT span, at, CAST(cell AS BLOB) FROM series"
_OLD = (
    "DELETE FROM series WHERE span = ? AND at IN (SELECT at FROM series WHERE span = ? AND at < ? ORDER BY at LIMIT ?)"
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class SeriesRead(msgspec.Struct, frozen=True):
    """Rows of one span by their beginnings, in their order; ``has_more`` says that older ones were left out."""

    cells: Mapping[int, Cell]
    has_more: bool = False


class Series:
    """The history in a directory; ``aside`` is where a damaged file was put, ``unreadable`` how many rows were."""

    def __init__(self, database: Database, aside: Path | None) -> None:
        self._database = database
        self.aside = aside
        self.unreadable = 0

    @classmethod
    def open(cls, directory: Path | None, at: float) -> Series:
        """Open the history in ``directory``; None: in memory. A damaged one is put aside with the time ``at``.

        Raises:
            StorageError: if it cannot be used, and a new one could not either or would hide one that can.
        """
        if directory is None:
            return cls(Database.open(None, MIGRATIONS), None)
        path = directory / NAME
        _make_directory(directory)
        make_private(path)
        try:
            return cls(_sound(path), None)
        except StorageError as error:
            if not error.damaged:
                raise
        aside = put_aside(path, at)
        make_private(path)
        database = Database.open(path, MIGRATIONS)
        with database.transaction("take history along", is_synced=True):
            database.write(_PUT, _salvaged(aside))
        return cls(database, aside)

    def add(self, minutes: Cells) -> None:
        """Add ``minutes``, by their beginnings, to what is kept of them, of their hours and their days.

        Raises:
            StorageError: with nothing added.
        """
        with self._database.transaction("add", is_synced=True):
            for span in SPANS.values():
                rows = [(span, at, self._joined(span, at, cell)) for at, cell in folded(minutes, span).items()]
                self._database.write(_PUT, rows)

    def read(self, span: int, begin: float, end: float, limit: int) -> SeriesRead:
        """The newest ``limit`` rows of ``span`` that begin from ``begin`` on and before ``end``.

        Raises:
            StorageError: if the file cannot be read.
        """
        rows = self._database.rows("read", _READ, (span, begin, end, limit + 1))
        cells = {row["at"]: cell for row in reversed(rows[:limit]) if (cell := self._cell(row["cell"])) is not None}
        return SeriesRead(cells, len(rows) > limit)

    def retain(self, kept: Mapping[int, float], at: float) -> bool:
        """Delete rows that are older at ``at`` than ``kept`` says of their span; whether there is more to do.

        Raises:
            StorageError: with nothing deleted.
        """
        with self._database.transaction("retain", is_synced=False):
            for span, age in kept.items():
                self._database.write(_OLD, [(span, span, at - age - span, STEP)])
        self._database.move_log(is_due=False)
        return any(self._database.rows("retain", _READ, (span, 0, at - age - span, 1)) for span, age in kept.items())

    def size(self) -> int:
        """Bytes that it takes on the disk.

        Raises:
            StorageError: if the file cannot be read.
        """
        return self._database.file_size()

    def close(self) -> None:
        """Close the file in order.

        Raises:
            StorageError: if the disk fails; it is closed all the same, and what was added is kept.
        """
        self._database.close()

    def _joined(self, span: int, at: int, cell: Cell) -> str:
        row = self._database.read(_ONE, (span, at))
        before = None if row is None else self._cell(row["cell"])
        if before is not None:
            before.merge(cell)
            cell = before
        return _encode(cell.to_json()).decode()

    def _cell(self, raw: bytes) -> Cell | None:
        cell = _cell(raw)
        self.unreadable += cell is None
        return cell


def _sound(path: Path) -> Database:
    """The database at ``path``.

    Raises:
        StorageError: if it cannot be opened, or is damaged.
    """
    database = Database.open(path, MIGRATIONS)
    faults = database.faults(is_thorough=False)
    if faults:
        database.abandon()
        raise StorageError(path, "open", "; ".join(faults), damaged=True)
    return database


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(directory, "make", error.strerror or str(error), needs_operator=True) from error


def _cell(raw: object) -> Cell | None:
    try:
        members = _decode(raw if isinstance(raw, bytes) else str(raw))
        return Cell.of_json(members) if isinstance(members, Mapping) else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _salvaged(file: Path) -> list[tuple[int, int, str]]:
    """What can still be read of the rows in the damaged database ``file``."""
    found = []
    name = f"file:{quote(str(file.absolute()))}?mode=ro"
    # Whatever is wrong with the file: what came before it was read.
    with suppress(*FAULTS), closing(sqlite3.connect(name, uri=True)) as connection:
        for span, at, raw in connection.execute(_ALL):
            cell = _cell(raw)
            if cell is not None and isinstance(span, int) and isinstance(at, int):
                found.append((span, at, _encode(cell.to_json()).decode()))
    return found
