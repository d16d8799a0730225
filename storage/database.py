"""One SQLite file: how it is opened, how a transaction ends, what its errors mean.

Rules of this file: it knows no table but by the migrations. One connection, used by one thread at a time, is the only
writer: it also moves the write-ahead log into the file, so that two never do so at once. A transaction is synced before
it is done, or with the next one that is. Every error of SQLite leaves here as a ``StorageError``, with nothing done.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import resources
from pathlib import Path

from storage.errors import StorageError

APPLICATION = 1634624623
"""What the header of our files says they are: "ando"."""

PAGE_LIMIT = 1_000
"""Pages in the write-ahead log from which it is moved into the file, when there is time."""

# Where there never is time, a commit does it. The room that is set aside on the disk is as large.
_PAGES_AT_WORST = 2 * PAGE_LIMIT
_MOST_PAGES = 1_073_741_823
# What a transaction writes beside its rows: the ends of the table and its indexes, and the account.
_PAGES_OF_A_COMMIT = 5
# Our statements and their values are right, so it is the file if one of them is not: a name or a key in it was changed.
_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_SCHEMA,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
}
_CACHE_KIB = 8_192
_BUSY_TIMEOUT = 1.0
_LOG_SIZE = 8 * 1024 * 1024
_FULL_SIZE = 64 * 1024

Value = int | float | str | bytes | None

FAULTS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite's calls raise; the second where its own message holds what a disk made of a name."""


class Database:
    """A database that is open, with every migration done."""

    __slots__ = ("_connection", "_is_synced", "_pages", "_steps", "path")

    def __init__(self, connection: sqlite3.Connection, path: Path | None, steps: tuple[str, ...]) -> None:
        self._connection = connection
        self._steps = steps
        self._is_synced = True
        self._pages = 0
        self.path = path

    @classmethod
    def open(cls, path: Path | None, folder: str | None = None) -> Database:
        """Open the database at ``path``, or a new one; None: in memory. ``folder`` has its migrations, if not ours.

        Raises:
            StorageError: if it cannot be used, was written by a newer program or by another one.
        """
        try:
            connection = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise explained(path, "open", error) from error
        database = cls(connection, path, migrations() if folder is None else migrations_in(folder))
        try:
            database._begin()
        except BaseException:
            connection.close()
            raise
        return database

    def _begin(self) -> None:
        # Text that a disk has changed must not stop the others from being read.
        self._connection.text_factory = _text
        self._connection.row_factory = sqlite3.Row
        with self._explaining("open"):
            version = self._version()
            mode = self._pragma("journal_mode = WAL")
            if self.path is not None and mode != "wal":
                raise StorageError(self.path, "open", "its file system has no write-ahead log", needs_operator=True)
            for setting in (
                "synchronous = FULL",
                "secure_delete = OFF",
                "temp_store = MEMORY",
                "trusted_schema = OFF",
                "cell_size_check = ON",
                f"cache_size = -{_CACHE_KIB}",
                f"wal_autocheckpoint = {_PAGES_AT_WORST}",
                f"journal_size_limit = {_LOG_SIZE}",
            ):
                self._pragma(setting)
            self._migrate(version)
            self._check_schema()

    def _version(self) -> int:
        """How many migrations were done.

        Raises:
            StorageError: if that is more than there are, or the file is not ours.
        """
        version, application = int(self._pragma("user_version")), int(self._pragma("application_id"))
        tables = self._connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if application != APPLICATION and (application or version or tables):
            raise StorageError(
                self.path, "open", "it is a database of another program; move it away", needs_operator=True
            )
        known = len(self._steps)
        if version > known:
            reason = (
                f"a newer andond wrote it (version {version}, this one knows {known}): start that one, or move it away"
            )
            raise StorageError(self.path, "open", reason, needs_operator=True)
        return version

    def _migrate(self, version: int) -> None:
        for number, statements in enumerate(self._steps[version:], version + 1):
            self._connection.executescript(f"BEGIN;\n{statements}\nPRAGMA user_version = {number};\nCOMMIT;")

    def _check_schema(self) -> None:
        """Every table and index is as the migrations make it; what somebody has added is nobody's harm."""
        if self.path is None:
            return
        changed = _made(self._steps) - self._schema()
        if changed:
            names = ", ".join(sorted(name for name, _ in changed))
            raise StorageError(self.path, "open", f"its schema was changed: {names}", damaged=True)

    def _schema(self) -> frozenset[tuple[str, str]]:
        made = self._connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return frozenset((str(row["name"]), str(row["sql"])) for row in made)

    def _pragma(self, text: str) -> str:
        row = self._connection.execute(f"PRAGMA {text}").fetchone()
        return "" if row is None else str(row[0])

    @contextmanager
    def _explaining(self, operation: str) -> Iterator[None]:
        try:
            yield
        except FAULTS as error:
            self._roll_back()
            raise explained(self.path, operation, error) from error
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        # SQLite may have done so itself: that is what it does when the disk is full.
        with suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self, operation: str, *, is_synced: bool) -> Iterator[None]:
        """Do all or nothing of what is written within; on disk before it is left if ``is_synced``.

        Raises:
            StorageError: with nothing done.
        """
        with self._explaining(operation):
            # How a transaction is synced can only be said before it begins.
            if is_synced is not self._is_synced:
                self._pragma(f"synchronous = {'FULL' if is_synced else 'NORMAL'}")
                self._is_synced = is_synced
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._pages += _PAGES_OF_A_COMMIT
            self._connection.execute("COMMIT")

    def rows(self, operation: str, statement: str, values: Sequence[Value] = ()) -> list[sqlite3.Row]:
        """What ``statement`` finds.

        Raises:
            StorageError: if the file cannot be read.
        """
        with self._explaining(operation):
            return self._connection.execute(statement, values).fetchall()

    def write(self, statement: str, values: Sequence[Sequence[Value]]) -> None:
        """Carry out ``statement`` for each of ``values``, within a transaction; the errors are the transaction's."""
        self._connection.executemany(statement, values)
        self._pages += len(values)

    def read(self, statement: str, values: Sequence[Value]) -> sqlite3.Row | None:
        """The first row that ``statement`` finds, within a transaction; the errors are the transaction's."""
        row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def faults(self, *, is_thorough: bool) -> list[str]:
        """What SQLite finds wrong with the file; with its indexes too if ``is_thorough``."""
        check = "integrity_check" if is_thorough else "quick_check"
        try:
            found = self._connection.execute(f"PRAGMA {check}(10)").fetchall()
        except FAULTS as error:
            return [str(error)]
        return [str(row[0]) for row in found if row[0] != "ok"]

    def move_log(self, *, is_due: bool) -> None:
        """Move the write-ahead log into the file: at once if it ``is_due``, otherwise when it has grown.

        Raises:
            StorageError: if there is no room for it, or the disk fails.
        """
        if self.path is None or (not is_due and self._pages < PAGE_LIMIT):
            return
        with self._explaining("move the write-ahead log into the file"):
            self._pragma("wal_checkpoint(PASSIVE)")
        self._pages = 0

    def let_grow(self, *, is_allowed: bool) -> None:
        """Whether the file may grow; one that may not is full when its unused pages are.

        Without this the log would fill up with pages for which the file has no room, and could never begin anew.

        Raises:
            StorageError: if the file cannot be read.
        """
        with self._explaining("limit the file"):
            limit = _MOST_PAGES if is_allowed else int(self._pragma("page_count"))
            self._pragma(f"max_page_count = {limit}")

    def file_size(self) -> int:
        """Bytes of the file and its log; in memory those of its pages."""
        if self.path is not None:
            return _size(self.path) + _size(self.path.with_name(self.path.name + "-wal"))
        with self._explaining("measure"):
            return int(self._pragma("page_count")) * int(self._pragma("page_size"))

    def unused_size(self) -> int:
        """Bytes within the file that deleted records have left."""
        with self._explaining("measure"):
            return int(self._pragma("freelist_count")) * int(self._pragma("page_size"))

    def close(self) -> None:
        """Move the log into the file and close it.

        Raises:
            StorageError: if that fails; it is closed all the same, and the next opening does it.
        """
        try:
            self.move_log(is_due=True)
        finally:
            self._connection.close()

    def abandon(self) -> None:
        """Close it without a word: it is damaged, and that was said."""
        with suppress(sqlite3.Error):
            self._connection.close()


def migrations() -> tuple[str, ...]:
    """The statements of every migration of the journal, in order."""
    return migrations_in("migrations")


@cache
def migrations_in(folder: str) -> tuple[str, ...]:
    """The statements of every migration in ``folder``, in order."""
    files = resources.files("storage") / folder
    names = sorted(file.name for file in files.iterdir() if file.name.endswith(".sql"))
    return tuple((files / name).read_text(encoding="utf-8") for name in names)


@cache
def _made(steps: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    """The schema that ``steps`` make of nothing."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for step in steps:
            connection.executescript(step)
        return frozenset(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def explained(path: Path | None, operation: str, error: Exception) -> StorageError:
    """What ``error`` means for ``operation`` on ``path``."""
    code = getattr(error, "sqlite_errorcode", None)
    kind = None if code is None else code & 0xFF
    full = kind == sqlite3.SQLITE_FULL or (
        kind in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and path is not None and _is_full(path.parent)
    )
    denied = kind in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
    name = getattr(error, "sqlite_errorname", None)
    return StorageError(
        path,
        operation,
        f"{error} ({name})" if name else str(error),
        full=full,
        damaged=kind in _DAMAGE or isinstance(error, UnicodeDecodeError),
        needs_operator=denied and not full,
    )


def _is_full(directory: Path) -> bool:
    try:
        disk = os.statvfs(directory)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < _FULL_SIZE
