"""A batch: what is written in one transaction, numbered and chained.

Rules of this file: no I/O of its own; it asks the journal for duplicates. Nothing of the journal changes until the
transaction is done: a batch counts on copies.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping

import msgspec
from msgspec.structs import replace

from domain import Event, Priority
from storage.chain import Lane, digest
from storage.records import COLUMNS, Entry, Record, Recorded, size_of, write_members

INSERT = f"INSERT INTO records ({COLUMNS}) VALUES ({', '.join('?' * len(Record._fields))})"  # noqa: S608 - our own names

Row = tuple[int, int, int, str, str, str, float, float, int, str, bytes]
Found = tuple[Priority, int]
"""Priority and place of a record that is kept already."""


class _End(msgspec.Struct):
    """The end of a lane, while the batch makes it longer."""

    newest: int
    hash: bytes
    size: int
    number: int


class Batch:
    """Takes entries one by one; ``rows`` are to be written, ``lanes()`` to be saved with them."""

    __slots__ = ("_ends", "_find", "_fresh", "_kept", "_lanes", "_number", "rows")

    def __init__(
        self, lanes: Mapping[Priority, Lane], kept: Container[Priority], find: Callable[[Event], Found | None]
    ) -> None:
        self._lanes = lanes
        self._kept = kept
        self._find = find
        self._fresh: dict[tuple[str, str], Found] = {}
        self._ends: dict[Priority, _End] = {}
        self._number = max(lane.number for lane in lanes.values())
        self.rows: list[Row] = []

    def take(self, entry: Entry) -> Recorded:
        """Number ``entry``, unless it is known or not kept."""
        event = entry.event
        priority = event.priority
        if priority not in self._kept:
            return Recorded(entry, None, is_kept=False)
        if priority > Priority.HIGH:
            self._add(entry, priority)
            return Recorded(entry, None)
        known = self._known(event)
        found = (priority, self._add(entry, priority)) if known is None else known
        self._fresh[event.source, event.id] = found
        critical = found[1] if found[0] is Priority.CRITICAL else None
        return Recorded(entry, critical, is_new=known is None)

    def _known(self, event: Event) -> Found | None:
        """Where the same event is, if it was told as urgently before; a more urgent word of it is a new record."""
        fresh = self._fresh.get((event.source, event.id))
        if fresh is not None and fresh[0] <= event.priority:
            return fresh
        return self._find(event)

    def _add(self, entry: Entry, priority: Priority) -> int:
        event = entry.event
        end = self._ends.get(priority)
        if end is None:
            lane = self._lanes[priority]
            end = self._ends[priority] = _End(lane.newest, lane.newest_hash, lane.size, lane.number)
        members = write_members(event)
        channel, source, id_ = entry.channel.encode(), event.source.encode(), event.id.encode()
        size = size_of(channel, source, id_, members)
        # SQLite has no negative zero, and the hash would tell the two apart.
        at, recorded = entry.at + 0.0, event.recorded + 0.0
        self._number += 1
        number, place = self._number, end.newest + 1
        record = Record(number, int(priority), place, channel, source, id_, at, recorded, size, members, b"")
        hash_ = digest(end.hash, record)
        self.rows.append(
            (
                number,
                int(priority),
                place,
                entry.channel,
                event.source,
                event.id,
                at,
                recorded,
                size,
                members.decode(),
                hash_,
            )
        )
        end.newest, end.hash, end.number = place, hash_, number
        end.size += size
        return place

    def lanes(self) -> dict[Priority, Lane]:
        """The lanes that this batch makes longer."""
        return {
            priority: replace(
                self._lanes[priority], newest=end.newest, newest_hash=end.hash, size=end.size, number=end.number
            )
            for priority, end in self._ends.items()
        }
