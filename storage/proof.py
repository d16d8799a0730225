"""Whether every record is what was written and where it was written: the chain, walked from its beginning to its end.

Rules of this file: no I/O. Records come in the order of their numbers, as they lie in the file. Of each priority the
first fault is told and nothing behind it: what follows a broken link cannot be proved. A record that was moved, to
another place, number or priority, is still known by its hash and told as changed; where there is none, one is missing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from domain import Priority
from storage.chain import Lane, digest
from storage.records import Record

What = Literal["changed", "missing", "damaged"]
"""A record is not what was written; it is gone; the file itself is broken."""

_PRIORITIES = {int(priority): priority for priority in Priority}


class Finding(msgspec.Struct, frozen=True):
    """The first thing wrong with the records of ``priority`` (None: with the file, or nobody can tell whose it is).

    ``place`` counts within the priority, for a critical record it is its critical number; ``number`` counts over all
    and ``at`` is its moment. For a missing one these two are those of the record before it.
    """

    what: What
    detail: str
    priority: Priority | None = None
    place: int | None = None
    number: int | None = None
    at: float | None = None


class _Link(msgspec.Struct, frozen=True):
    """How far a lane is proved."""

    place: int
    hash: bytes
    number: int | None = None
    at: float | None = None


class Proof:
    """Walks ``lanes``; ``find`` looks for the record at a place of a priority, wherever in the file it is."""

    def __init__(self, lanes: Mapping[Priority, Lane], find: Callable[[Priority, int], Record | None]) -> None:
        self._find = find
        self._links = {priority: _Link(lane.deleted, lane.deleted_hash) for priority, lane in lanes.items()}
        self._faults: dict[Priority | None, Finding] = {}
        self.records = 0

    @property
    def findings(self) -> list[Finding]:
        """The first fault of each priority, in the order in which they lie in the file."""
        return sorted(self._faults.values(), key=lambda finding: finding.number or 0)

    def take(self, record: Record) -> None:
        """Look at the next record."""
        self.records += 1
        priority = _PRIORITIES.get(record.priority)
        link = None if priority is None else self._links.get(priority)
        if priority is not None and link is not None and _follows(link, record, record.priority, record.place):
            self._links[priority] = _Link(record.place, record.hash, record.number, record.at)
        else:
            self._look_closer(record, priority)

    def advance(self, lanes: Mapping[Priority, Lane]) -> None:
        """Go on where ``lanes`` begin by now: retention may have deleted what lies before."""
        for priority, link in self._links.items():
            lane = lanes.get(priority)
            if lane is not None and lane.deleted > link.place:
                self._links[priority] = _Link(lane.deleted, lane.deleted_hash, link.number, link.at)

    def finish(self, lanes: Mapping[Priority, Lane]) -> None:
        """Compare what was walked with where ``lanes`` end."""
        for priority, link in list(self._links.items()):
            lane = lanes.get(priority)
            if lane is None:
                continue
            if link.place < lane.newest:
                self._break(priority, "missing", _GONE, link.place + 1, link)
            elif (link.place, link.hash) != (lane.newest, lane.newest_hash):
                self._break(priority, "changed", "it is not where the journal's account ends", link.place, link)

    def _look_closer(self, record: Record, priority: Priority | None) -> None:
        """Tell what is wrong where ``record``, which says it is of ``priority``, lies."""
        for owner, link in self._links.items():
            if _follows(link, record, owner, link.place + 1):
                detail = f"its {'place' if owner is priority else 'priority'} was changed"
                self._break(owner, "changed", detail, link.place + 1, record)
                return
        if priority is None:
            self._faults.setdefault(None, _finding("changed", "its priority is none", None, None, record))
            return
        expected = self._links.get(priority)
        # Behind the first fault of its priority, which was told.
        if expected is None:
            return
        if record.place <= expected.place + 1:
            self._break(priority, "changed", "it does not fit its hash", record.place, record)
            return
        absent = self._find(priority, expected.place + 1)
        if absent is None:
            self._break(priority, "missing", _GONE, expected.place + 1, expected)
        elif _follows(expected, absent, priority, absent.place):
            self._break(priority, "changed", _MOVED, record.place, record)
        else:
            self._break(priority, "changed", _MOVED, absent.place, absent)

    def _break(self, priority: Priority, what: What, detail: str, place: int, where: Record | _Link) -> None:
        self._faults[priority] = _finding(what, detail, priority, place, where)
        del self._links[priority]


_GONE = "it was deleted, or never came to the disk"
_MOVED = "its number was changed"


def _follows(link: _Link, record: Record, priority: int, place: int) -> bool:
    """Whether ``record``, taken for the one at ``place`` of ``priority``, is the next link."""
    if place != link.place + 1:
        return False
    try:
        return digest(link.hash, record._replace(priority=int(priority), place=place)) == record.hash
    except (struct.error, TypeError):
        return False


def _finding(what: What, detail: str, priority: Priority | None, place: int | None, where: Record | _Link) -> Finding:
    return Finding(what, detail, priority, place, where.number, where.at)
