"""How a journal is opened: as it was left, under a new epoch, or beside a damaged one that is put aside.

Rules of this file: an opening ends with a journal that can be written, or says who must act. It does not fail again and
again over the same damaged file, and it never lets an epoch stand for a log that is not provably the one it stood for.
What it can tell by: the file itself, and what the daemon wrote down beside it of the newest critical record. What the
desks knew is taken along from a damaged journal, as far as it can be read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EISDIR
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from domain import Priority, rfc3339
from storage.account import Account, begin, hash_at, load
from storage.chain import Lane
from storage.database import Database
from storage.errors import StorageError
from storage.rows import Written, salvage
from storage.state import Known, sync_directory

NAME = "journal.sqlite3"

_DOUBTS = 2

Reason = Literal["new", "damaged", "copied", "lost"]
"""There was none; it was damaged; it is not the file that was left; its newest critical records are gone."""


class Begun(msgspec.Struct, frozen=True):
    """Why an epoch began with an opening; ``aside`` is where a damaged journal was put, ``detail`` what was wrong."""

    reason: Reason
    detail: str = ""
    aside: Path | None = None


class Opened(msgspec.Struct, frozen=True):
    """A journal that can be written; ``begun`` is None if it is the one that was left."""

    database: Database
    account: Account
    begun: Begun | None


def open_in(directory: Path, known: Known | None, at: float) -> Opened:
    """Open the journal in ``directory``, of which ``known`` is known; a damaged one is put aside with the time ``at``.

    Raises:
        StorageError: if it cannot be used, and a new one could not either or would hide one that can.
    """
    path = directory / NAME
    make_private(path)
    try:
        return _open_as_left(path, known)
    except StorageError as error:
        if not error.damaged:
            raise
        aside = put_aside(path, at)
        make_private(path)
        database = Database.open(path)
        with database.transaction("take state along", is_synced=True):
            Written(salvage(aside)).write(database)
        return Opened(database, begin(database), Begun("damaged", error.reason, aside))


def doubt(
    known: Known | None, epoch: str, critical: Lane, file: int, hash_of: Callable[[int], bytes | None]
) -> Reason | None:
    """Why the journal with this ``epoch`` in this ``file`` is not provably the one that is ``known``; None if it is."""
    if known is None or known.epoch != epoch or known.file != file:
        return "copied"
    if known.critical > critical.newest:
        return "lost"
    # What was told of last may have been deleted by age since: then there is nothing left to compare.
    if known.critical < critical.deleted:
        return None
    kept = critical.deleted_hash if known.critical == critical.deleted else hash_of(known.critical)
    return None if kept == known.hash else "copied"


def _open_as_left(path: Path, known: Known | None) -> Opened:
    """Open the file that is there; under a new epoch if it is not provably the one that was left."""
    doubts = 0 if known is None else known.doubts
    if doubts >= _DOUBTS:
        raise StorageError(path, "open", "damage showed again after a check that found none", damaged=True)
    database = Database.open(path)
    try:
        # What was closed in order has not changed but by a failing disk, which shows when it is read.
        faults = [] if known and known.is_closed and not doubts else database.faults(is_thorough=doubts > 0)
        if faults:
            raise StorageError(path, "open", "; ".join(faults), damaged=True)  # noqa: TRY301 - closed below
        return _begun_if_needed(database, load(database), known, path.stat().st_ino)
    except BaseException:
        database.abandon()
        raise


def _begun_if_needed(database: Database, account: Account | None, known: Known | None, file: int) -> Opened:
    if account is None:
        return Opened(database, begin(database), Begun("new" if known is None else "lost"))
    critical = account.lanes[Priority.CRITICAL]
    reason = doubt(known, account.epoch, critical, file, partial(hash_at, database, Priority.CRITICAL))
    if reason is None:
        return Opened(database, account, None)
    return Opened(database, begin(database, account), Begun(reason))


def make_private(path: Path) -> None:
    """Make the file ours alone before anything is in it; SQLite gives its other files the same mode.

    Raises:
        StorageError: if it cannot be made.
    """
    try:
        # A file that is there is never opened: closing it would drop the locks that SQLite holds on it in this process
        # (POSIX, fcntl), and another process would take the log away under us.
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            if path.is_dir():
                raise IsADirectoryError(EISDIR, os.strerror(EISDIR)) from None
        path.chmod(0o600)
        sync_directory(path.parent)
    except OSError as error:
        raise StorageError(path, "open", error.strerror or str(error), needs_operator=True) from error


def put_aside(path: Path, at: float) -> Path:
    """Move the database at ``path`` and its log out of the way, with the time ``at`` in their names.

    Raises:
        StorageError: if it cannot be moved.
    """
    stamp = "".join(letter for letter in rfc3339(at)[:19] if letter not in "-:")
    aside = path.with_name(f"{path.name}.damaged-{stamp}Z")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}Z-{number}")
    log = path.with_name(path.name + "-wal")
    try:
        # The log first: without it the file would still be found, and opened as a whole one.
        if log.exists():
            log.rename(aside.with_name(aside.name + "-wal"))
        path.rename(aside)
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise StorageError(path, "put aside", error.strerror or str(error), needs_operator=True) from error
    return aside
