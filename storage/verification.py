"""Verification: whether every record of a journal is what was written.

Rules of this file: it reads and never writes, also while a daemon writes the journal: in short transactions, so that
the daemon's write-ahead log does not grow for it. It has a connection of its own and trusts nothing but the hashes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from domain import Priority
from storage.chain import Lane
from storage.database import APPLICATION, FAULTS, explained, migrations
from storage.errors import StorageError
from storage.opening import NAME
from storage.proof import Finding, Proof, What
from storage.records import COLUMNS, Record
from storage.state import read_known

SLICE = 2_000
"""Records that are read in one transaction."""

_NEXT = f"SELECT {COLUMNS} FROM records WHERE number > ? ORDER BY number LIMIT ?"  # noqa: S608 - our own names
_FIND = f"SELECT {COLUMNS} FROM records WHERE priority = ? AND place = ?"  # noqa: S608 - as above
_BUSY_TIMEOUT = 5.0
_FAULTS = 10


class Report(msgspec.Struct, frozen=True):
    """What a verification found: ``records`` were read, the newest critical one has the number ``critical``.

    ``findings`` has the first fault of each priority, in the order of the file, and what is wrong with the file itself.
    """

    path: Path
    epoch: str
    records: int
    critical: int
    findings: tuple[Finding, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


class _Account(msgspec.Struct, frozen=True):
    """What the journal says of itself, as far as it can be believed."""

    epoch: str
    lanes: Mapping[Priority, Lane]
    findings: tuple[Finding, ...]


def verify(path: Path) -> Report:
    """Look at every record of the journal at ``path``: its directory, or the file itself.

    Raises:
        StorageError: if there is no journal, or it cannot be read at all.
    """
    file = path / NAME if path.is_dir() else path
    if not file.is_file():
        raise StorageError(file, "verify", "there is no journal")
    # Read before the records: it is written after them, so they cannot be fewer unless some are gone.
    known = read_known(file.parent) if file.name == NAME else None
    damages: list[Finding] = []
    with closing(_connect(file)) as connection:
        account = _check(connection, file, damages)
        proof = Proof(account.lanes, lambda priority, place: _one(connection, priority, place))
        try:
            account = _walk(connection, proof, account)
        except FAULTS as error:
            damages.append(Finding("damaged", f"reading stopped after {proof.records} records: {error}"))
    critical = account.lanes.get(Priority.CRITICAL)
    newest = 0 if critical is None else critical.newest
    lost = []
    if known is not None and known.epoch == account.epoch and known.critical > newest and critical is not None:
        detail = f"the daemon had written critical records up to {known.critical}"
        lost.append(Finding("missing", detail, Priority.CRITICAL, newest + 1, critical.number or None))
    findings = (*proof.findings, *lost, *account.findings, *damages)
    return Report(file, account.epoch, proof.records, newest, findings)


def _connect(file: Path) -> sqlite3.Connection:
    """A connection that cannot write; where SQLite may make none of its files, one that needs none."""
    name = f"file:{quote(str(file.absolute()))}"
    try:
        return _readable(f"{name}?mode=ro", file)
    except StorageError as error:
        log = file.with_name(file.name + "-wal")
        # Without a log nobody is writing, and the file alone is the journal.
        if error.damaged or (log.exists() and log.stat().st_size):
            raise
        return _readable(f"{name}?mode=ro&immutable=1", file)


def _readable(name: str, file: Path) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(name, uri=True, timeout=_BUSY_TIMEOUT, isolation_level=None)
        connection.text_factory = bytes
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA user_version").fetchone()
    except FAULTS as error:
        if connection is not None:
            connection.close()
        raise explained(file, "verify", error) from error
    return connection


def _check(connection: sqlite3.Connection, file: Path, damages: list[Finding]) -> _Account:
    """The account as it stands; what is wrong with the file is added to ``damages``."""
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
            raise StorageError(file, "verify", "it is no journal of andond")
        if version != len(migrations()):
            reason = f"it is of version {version} and this andond knows {len(migrations())}"
            raise StorageError(file, "verify", reason)
        faults = [row[0] for row in connection.execute(f"PRAGMA integrity_check({_FAULTS})")]
        damages += [Finding("damaged", _text(fault)) for fault in faults if fault != b"ok"]
        return _account(connection)
    except FAULTS as error:
        raise explained(file, "verify", error) from error


def _account(connection: sqlite3.Connection) -> _Account:
    epochs = [_text(row[0]) for row in connection.execute("SELECT epoch FROM journal")]
    epoch = epochs[0] if len(epochs) == 1 else ""
    findings = [] if epoch else [Finding("changed", f"the journal has {len(epochs)} epochs")]
    lanes = {}
    columns = "priority, deleted, deleted_hash, newest, newest_hash, number, size, seal"
    rows = {row[0]: row for row in connection.execute(f"SELECT {columns} FROM lanes")}  # noqa: S608 - our own names
    for priority in Priority:
        row = rows.pop(int(priority), None)
        lane = None if row is None else Lane(priority, *row[1:7])
        if lane is None or row is None or not lane.is_sealed(epoch, row[7]):
            what: What = "missing" if lane is None else "changed"
            findings.append(Finding(what, "the journal's account of its records", priority))
        else:
            lanes[priority] = lane
    findings += [Finding("changed", f"an account of a priority {other} that is none") for other in rows]
    return _Account(epoch, lanes, tuple(findings))


def _walk(connection: sqlite3.Connection, proof: Proof, account: _Account) -> _Account:
    """Give every record to ``proof``, and the account as it is at the end."""
    last = -(2**63)
    while True:
        with _snapshot(connection):
            account = _account(connection)
            proof.advance(account.lanes)
            rows = connection.execute(_NEXT, (last, SLICE)).fetchall()
            for row in rows:
                proof.take(Record._make(row))
            if len(rows) < SLICE:
                proof.finish(account.lanes)
                return account
            last = rows[-1][0]


def _one(connection: sqlite3.Connection, priority: Priority, place: int) -> Record | None:
    row = connection.execute(_FIND, (int(priority), place)).fetchone()
    return None if row is None else Record._make(row)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the journal, whatever is written meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _text(raw: bytes | str) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
