"""The journal: the log of events and the state they tell of, on disk before the answer where it matters.

Rules of this file: plain blocking functions, called by one thread at a time. All entries of an ``append`` are kept or
none, and their rows with them; those that are critical are on disk when it returns. Critical numbers are dense, so a
hole among those that are read back is a record that the disk has changed. Steps of retention are small, so that no
append waits long for one.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from domain import Event, Priority, Row
from storage.account import begin, save
from storage.batch import INSERT, Batch, Found
from storage.database import Database
from storage.errors import StorageError
from storage.opening import Begun, Opened, open_in
from storage.records import Entry, Kept, Recorded, Unreadable, read_event
from storage.retention import FIRST_TO_GO, Front, Keep, Retained, leaving
from storage.room import Room, give_up
from storage.rows import KeptState, Written, read
from storage.state import Known, State, sync_directory

RESERVE = 64 * 1024 * 1024
STEP = 500
"""Records that a step of retention looks at."""

_UNSAID = {priority: Keep(0, 0) for priority in FIRST_TO_GO} | {Priority.CRITICAL: Keep(math.inf, sys.maxsize)}
_DELETE = "DELETE FROM records WHERE priority = ? AND place <= ?"
# From one name to the next in the index: there are many records of each. "0" comes right after "/".
_CHANNELS = """
WITH RECURSIVE known (channel) AS (
    SELECT min(channel) FROM records WHERE channel >= ?1 AND channel < ?2
    UNION ALL
    SELECT (SELECT min(channel) FROM records WHERE channel > known.channel AND channel < ?2)
    FROM known WHERE known.channel IS NOT NULL
)
SELECT channel FROM known WHERE channel IS NOT NULL LIMIT ?3
"""
_KEPT = "SELECT number, priority, place, channel, at, recorded, CAST(event AS BLOB) AS event FROM records WHERE "
_FRONT = "SELECT place, at, size, hash FROM records WHERE priority = ? AND place > ? ORDER BY place LIMIT ?"
_DUPLICATE = (
    "SELECT priority, place FROM records WHERE id = ? AND source = ? AND priority <= ? AND priority < 2"
    " ORDER BY priority LIMIT 1"
)


class Statistics(msgspec.Struct, frozen=True):
    """What the journal holds: records and bytes of each priority and the moment of its oldest (None: it has none).

    ``file_size`` is what the files take, ``free`` what can still be written (None: no limit), ``unreadable`` how many
    records were left out since the opening because the disk has changed them.
    """

    records: Mapping[Priority, int]
    sizes: Mapping[Priority, int]
    oldest: Mapping[Priority, float | None]
    file_size: int
    free: int | None
    unreadable: int


class Journal:
    """An open journal. ``begun`` says why its epoch is a new one; None: it goes on where it was left."""

    def __init__(self, opened: Opened, keep: Mapping[Priority, Keep], reserve: int, state: State | None) -> None:
        self._database = opened.database
        self._lanes = dict(opened.account.lanes)
        self._keep = {**_UNSAID, **keep}
        self._state = state
        self._file = 0 if opened.database.path is None else opened.database.path.stat().st_ino
        self._is_held = self._is_closed = self._is_damaged = False
        self._doubts = 0 if state is None or state.known is None or opened.begun else state.known.doubts
        self._unreadable = 0
        self._room = Room(None if state is None else state.path.parent, opened.database, reserve)
        self.epoch = opened.account.epoch
        self.begun: Begun | None = opened.begun

    @classmethod
    def open(
        cls, path: Path | None, keep: Mapping[Priority, Keep], reserve: int = RESERVE, at: float | None = None
    ) -> Journal:
        """Open the journal in the directory ``path``, made if it is not there; None: in memory, nothing survives.

        ``reserve``: free bytes of the disk below which telemetry makes room. A priority that ``keep`` does not name is
        not kept, but a critical event always is. ``at`` (now, by default) names a damaged journal that is put aside.

        Raises:
            StorageError: if it cannot be opened; a damaged one is put aside and is no error.
        """
        if path is None:
            database = Database.open(None)
            return cls(Opened(database, begin(database), Begun("new")), keep, reserve, None)
        _make_directory(path)
        state = State.open(path)
        try:
            opened = _open_with_room(path, state.known, time.time() if at is None else at)
            try:
                journal = cls(opened, keep, reserve, state)
                state.settle(journal._known())
            except BaseException:
                opened.database.abandon()
                raise
        except BaseException:
            state.close()
            raise
        journal._room.set_aside()
        return journal

    @property
    def critical(self) -> int:
        """The number of the newest critical record; 0 before the first."""
        return self._lanes[Priority.CRITICAL].newest

    @property
    def critical_first(self) -> int:
        """The number of the oldest critical record that is kept; one past the newest if none is."""
        return self._lanes[Priority.CRITICAL].deleted + 1

    @property
    def refused(self) -> frozenset[Priority]:
        """The priorities whose events are not kept at present, because there is too little room on the disk."""
        return self._room.refused()

    def adjust(self, keep: Mapping[Priority, Keep], reserve: int) -> None:
        """Keep so much from now on; the next steps of retention delete what is too much."""
        self._keep = {**_UNSAID, **keep}
        self._room.reserve = reserve

    def append(self, entries: Sequence[Entry], rows: Sequence[Row] = (), *, is_synced: bool = False) -> list[Recorded]:
        """Keep ``entries``, in their order, and ``rows`` with them, the older before the newer.

        All of it is on disk when this returns if one of them is critical or a row, or it ``is_synced``.

        Raises:
            StorageError: with none of them kept; if it is ``full``, ``make_room`` may help.
            TypeError, ValueError: if one cannot be written at all; none of them is kept.
        """
        priorities = {entry.event.priority for entry in entries}
        wanted = self._wanted()
        if not priorities & wanted and not rows:
            return [Recorded(entry, None, is_kept=False) for entry in entries]
        is_synced = is_synced or bool(rows) or Priority.CRITICAL in priorities
        batch, written = Batch(self._lanes, wanted, self._duplicate), Written(rows)
        with self._minding_damage(), self._database.transaction("append", is_synced=is_synced):
            recorded = [batch.take(entry) for entry in entries]
            lanes = batch.lanes()
            self._database.write(INSERT, batch.rows)
            save(self._database, self.epoch, lanes.values())
            written.write(self._database)
        self._lanes.update(lanes)
        if Priority.CRITICAL in lanes and self._state is not None:
            self._state.tell(self._known())
        return recorded

    def critical_since(self, offset: int, limit: int) -> list[Kept]:
        """The critical records behind ``offset`` that are kept, oldest first, at most ``limit``.

        One that the disk has changed beyond reading is left out: its number is missing among the others.

        Raises:
            StorageError: if the file cannot be read.
        """
        return self._read("priority = 0 AND place > ? ORDER BY place LIMIT ?", (offset, limit))

    def newest(self, channel: str, limit: int) -> list[Kept]:
        """The ``limit`` newest records of ``channel`` that can be read, oldest first.

        Raises:
            StorageError: if the file cannot be read.
        """
        return self._read("channel = ? ORDER BY number DESC LIMIT ?", (channel, limit))[::-1]

    def state(self, kind: str) -> KeptState:
        """The kept rows of ``kind``.

        Raises:
            StorageError: if the file cannot be read.
        """
        with self._minding_damage():
            return read(self._database, kind)

    def channels(self, tree: str, limit: int) -> list[str]:
        """At most ``limit`` names of channels below ``tree`` (``andon/*``) that there are records of, in their order.

        Raises:
            StorageError: if the file cannot be read.
        """
        begin = tree[:-1]
        with self._minding_damage():
            rows = self._database.rows("read", _CHANNELS, (begin, f"{begin[:-1]}0", limit))
        return [row["channel"] for row in rows]

    def retain(self, at: float, budget_rows: int = STEP) -> Retained:
        """Delete at most ``budget_rows`` records that are too old or too many at ``at``, or in the way of others.

        Raises:
            StorageError: with nothing deleted.
        """
        pressed = self._room.refused()
        gone: dict[Priority, list[Front]] = {}
        left, more = budget_rows, False
        with self._minding_damage():
            for priority in (*FIRST_TO_GO, Priority.CRITICAL):
                keep, size = self._keep[priority], self._lanes[priority].size
                going = leaving(self._front(priority, left), keep, at, size, priority, is_pressed=priority in pressed)
                gone[priority] = going
                more = more or len(going) == left < self._lanes[priority].records
                left -= len(going)
            self._delete(gone)
            self._database.move_log(is_due=False)
            if self._is_held and self._room.is_ample():
                self._database.let_grow(is_allowed=True)
                self._is_held = False
        self._room.set_aside()
        return self._retained(gone, more=more)

    def make_room(self, priority: Priority) -> Retained:
        """Make room for records of ``priority`` after a write failed for lack of it; then try once more.

        What is set aside on the disk is given up, what waits in the write-ahead log moved, and the oldest of what
        matters least is deleted: low events first, then normal, then high ones, and none that matters as much. When a
        write fails behind a call of this that deleted nothing, there is no room to be made.

        Raises:
            StorageError: with nothing deleted.
        """
        self._room.give_up()
        lesser = [one for one in FIRST_TO_GO if one > priority and self._lanes[one].records]
        with self._minding_damage():
            self._move_log()
            # As long as there is something to delete, its pages are used again; the last of the disk is for calls.
            self._is_held = bool(lesser) or priority is not Priority.CRITICAL
            self._database.let_grow(is_allowed=not self._is_held)
            gone = {one: self._front(one, STEP) for one in lesser[:1]}
            self._delete(gone)
            self._move_log()
        return self._retained(gone, more=any(self._lanes[one].records for one in lesser))

    def statistics(self) -> Statistics:
        """What the journal holds.

        Raises:
            StorageError: if the file cannot be read.
        """
        with self._minding_damage():
            fronts = {priority: self._front(priority, 1) for priority in Priority}
            return Statistics(
                records={priority: lane.records for priority, lane in self._lanes.items()},
                sizes={priority: lane.size for priority, lane in self._lanes.items()},
                oldest={priority: front[0].at if front else None for priority, front in fronts.items()},
                file_size=self._database.file_size(),
                free=self._room.free(),
                unreadable=self._unreadable,
            )

    def close(self) -> None:
        """Close the journal in order and let go of its lock; once is enough.

        Raises:
            StorageError: if the disk fails; it is closed all the same, and what was answered for is kept.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._database.close()
            if self._state is not None:
                doubts = self._doubts if self._is_damaged else 0
                self._state.settle(replace(self._known(), is_closed=True, doubts=doubts))
        finally:
            if self._state is not None:
                self._state.close()

    def _move_log(self) -> None:
        """Let the log begin anew, so that the next write needs no room that it has not got."""
        try:
            self._database.move_log(is_due=True)
        except StorageError as error:
            # The file has to grow for it: then what is deleted next leaves pages that can be used again.
            if not error.full:
                raise

    def _known(self) -> Known:
        critical = self._lanes[Priority.CRITICAL]
        return Known(self.epoch, critical.newest, critical.newest_hash, self._file, doubts=self._doubts)

    def _wanted(self) -> frozenset[Priority]:
        wanted = {priority for priority, keep in self._keep.items() if keep.age > 0}
        return frozenset(wanted | {Priority.CRITICAL}) - self._room.refused()

    def _duplicate(self, event: Event) -> Found | None:
        found = self._database.read(_DUPLICATE, (event.id, event.source, int(event.priority)))
        return None if found is None else (Priority(found["priority"]), found["place"])

    def _read(self, where: str, values: tuple[int | str, int]) -> list[Kept]:
        with self._minding_damage():
            rows = self._database.rows("read", _KEPT + where, values)
        kept = []
        for row in rows:
            try:
                event = read_event(row["event"], row["recorded"])
            except Unreadable:
                self._unreadable += 1
                continue
            critical = row["place"] if row["priority"] == Priority.CRITICAL else None
            kept.append(Kept(row["number"], critical, row["channel"], row["at"], event))
        return kept

    def _front(self, priority: Priority, limit: int) -> list[Front]:
        lane = self._lanes[priority]
        if not lane.records or limit <= 0:
            return []
        rows = self._database.rows("retain", _FRONT, (int(priority), lane.deleted, limit))
        return [Front(row["place"], row["at"], row["size"], row["hash"]) for row in rows]

    def _delete(self, gone: Mapping[Priority, Sequence[Front]]) -> None:
        lanes = {
            priority: replace(
                self._lanes[priority],
                deleted=records[-1].place,
                deleted_hash=records[-1].hash,
                size=self._lanes[priority].size - sum(record.size for record in records),
            )
            for priority, records in gone.items()
            if records
        }
        if not lanes:
            return
        with self._database.transaction("retain", is_synced=False):
            self._database.write(_DELETE, [(int(lane.priority), lane.deleted) for lane in lanes.values()])
            save(self._database, self.epoch, lanes.values())
        self._lanes.update(lanes)

    def _retained(self, gone: Mapping[Priority, Sequence[Front]], *, more: bool) -> Retained:
        oversize = self._lanes[Priority.CRITICAL].size - self._keep[Priority.CRITICAL].size
        deleted = {priority: len(records) for priority, records in gone.items() if records}
        return Retained(deleted, more, max(0, oversize))

    @contextmanager
    def _minding_damage(self) -> Iterator[None]:
        """Let the next opening look closely at a file that could not be read."""
        try:
            yield
        except StorageError as error:
            if error.damaged and self._state is not None:
                self._doubts += not self._is_damaged
                self._is_damaged = True
                self._state.tell(self._known())
            raise


def _make_directory(path: Path) -> None:
    if path.is_dir():
        return
    try:
        path.mkdir(mode=0o700, parents=True)
        sync_directory(path.parent)
    except OSError as error:
        raise StorageError(path, "make", error.strerror or str(error), needs_operator=True) from error


def _open_with_room(directory: Path, known: Known | None, at: float) -> Opened:
    """Open what is in ``directory``; on a full disk with the room that was set aside."""
    try:
        return open_in(directory, known, at)
    except StorageError as error:
        if not (error.full and give_up(directory)):
            raise
        return open_in(directory, known, at)
