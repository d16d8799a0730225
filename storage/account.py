"""The journal's account of itself: its epoch, and where the chain of each priority begins and ends.

Rules of this file: it is written in the transaction that makes it true. An account that does not fit its records is
damage, like a page that cannot be read.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

import msgspec

from domain import Priority
from storage.chain import Lane
from storage.database import Database
from storage.errors import StorageError

_SAVE = (
    "INSERT OR REPLACE INTO lanes (priority, deleted, deleted_hash, newest, newest_hash, number, size, seal)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


class Account(msgspec.Struct, frozen=True):
    """The life of the log, and its lanes."""

    epoch: str
    lanes: Mapping[Priority, Lane]


def begin(database: Database, account: Account | None = None) -> Account:
    """Give the journal an epoch that no other has; it goes on counting where ``account`` stands.

    Raises:
        StorageError: if it cannot be written.
    """
    lanes = {priority: Lane(priority) for priority in Priority} if account is None else account.lanes
    epoch = f"j{secrets.token_hex(6)}"
    with database.transaction("begin an epoch", is_synced=True):
        database.write("DELETE FROM journal", [()])
        database.write("INSERT INTO journal (epoch) VALUES (?)", [(epoch,)])
        save(database, epoch, lanes.values())
    return Account(epoch, lanes)


def save(database: Database, epoch: str, lanes: Iterable[Lane]) -> None:
    """Write ``lanes`` down, within a transaction."""
    rows = [
        (
            int(lane.priority),
            lane.deleted,
            lane.deleted_hash,
            lane.newest,
            lane.newest_hash,
            lane.number,
            lane.size,
            lane.seal(epoch),
        )
        for lane in lanes
    ]
    database.write(_SAVE, rows)


def load(database: Database) -> Account | None:
    """The account as it stands; None if no epoch has begun yet.

    Raises:
        StorageError: if it does not fit the records, or cannot be read.
    """
    epochs = database.rows("read the account", "SELECT epoch FROM journal")
    rows = database.rows("read the account", "SELECT * FROM lanes")
    if not epochs and not rows:
        return None
    lanes = {int(row["priority"]): row for row in rows}
    if len(epochs) != 1 or set(lanes) != set(Priority):
        raise _unfit(database, "its account is not whole")
    epoch = str(epochs[0]["epoch"])
    loaded = {}
    for priority in Priority:
        row = lanes[priority]
        lane = Lane(
            priority,
            row["deleted"],
            row["deleted_hash"],
            row["newest"],
            row["newest_hash"],
            row["number"],
            row["size"],
        )
        if not lane.is_sealed(epoch, row["seal"]):
            raise _unfit(database, f"its account of {priority.wire} events was changed")
        _check_end(database, lane)
        loaded[priority] = lane
    return Account(epoch, loaded)


def hash_at(database: Database, priority: Priority, place: int) -> bytes | None:
    """The hash of the record at ``place``, or None if none is there.

    Raises:
        StorageError: if the file cannot be read.
    """
    found = database.rows(
        "read the account", "SELECT hash FROM records WHERE priority = ? AND place = ?", (int(priority), place)
    )
    return bytes(found[0]["hash"]) if found else None


def _check_end(database: Database, lane: Lane) -> None:
    """The newest record is the one that the account tells of."""
    statement = "SELECT max(place) AS newest FROM records WHERE priority = ?"
    newest = database.rows("read the account", statement, (int(lane.priority),))[0]["newest"]
    if newest != (lane.newest if lane.records else None):
        raise _unfit(database, f"its newest {lane.priority.wire} record is {newest}, not {lane.newest}")
    if lane.records and hash_at(database, lane.priority, lane.newest) != lane.newest_hash:
        raise _unfit(database, f"its newest {lane.priority.wire} record was changed")


def _unfit(database: Database, reason: str) -> StorageError:
    return StorageError(database.path, "open", reason, damaged=True)
