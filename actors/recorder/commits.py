"""How the recorder writes: what goes together into one transaction, and what is told of it.

Rules of this file:

* What a desk has decided is written whole, events and rows, in the order in which the desk decided it; an urgent commit
  takes those before it in its line along.
* What cannot be written is told all the same; its events and the newest of its rows wait in ``Standing``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import trio

from actors.messages import Commit, Line, Writing
from actors.recorder.batch import BATCH, Appended, Standing, append, kept_priorities, name_of
from actors.recorder.disk import Disk
from actors.recorder.faults import Fault
from actors.recorder.telling import Telling
from config import JournalSettings
from domain import Event, Priority, Row, channel_of
from storage import Entry, StorageError
from telemetry import counters, events

Shed = Callable[[str, Mapping[Priority, int]], None]


class Commits:
    """Writes to the ``disk`` by the settings that ``present`` returns, and has it told.

    ``fail`` learns why it cannot; ``shed`` what was given up for want of room.
    """

    def __init__(
        self,
        disk: Disk,
        standing: Standing,
        fault: Fault,
        present: Callable[[], JournalSettings],
        clock: Callable[[], float],
        fail: Callable[[StorageError], None],
        shed: Shed,
    ) -> None:
        self._disk = disk
        self._standing = standing
        self._fault = fault
        self._present = present
        self._clock = clock
        self._fail = fail
        self._shed = shed

    def is_wanted(self, priority: Priority) -> bool:
        """Whether the journal is to keep events of ``priority``."""
        return priority in kept_priorities(self._present())

    async def write(self, batch: Iterable[Writing], telling: Telling) -> None:
        """Write ``batch`` in one transaction, answer for it and have it told."""
        waiting = [one for one in batch if not _is_done(one)]
        if not waiting:
            return
        parts = [one.parts() for one in waiting]
        told = [event for own, _ in parts for event in own]
        names = set(map(name_of, told))
        orphans = self._standing.in_hand & names
        self._standing.in_hand |= names
        appended = await self._try(waiting, told, [row for _, own in parts for row in own])
        recorded = iter(() if appended is None else appended.recorded)
        for one, (own, rows) in zip(waiting, parts, strict=True):
            if appended is None:
                await telling.tell_unkept(one, own, rows)
            else:
                await telling.settle(one, [next(recorded) for _ in own], orphans)
            self._standing.in_hand.difference_update(map(name_of, own))
            if isinstance(one, Commit):
                one.is_done = True
                one.line.advance()

    async def _try(self, batch: Sequence[Writing], told: Sequence[Event], rows: Sequence[Row]) -> Appended | None:
        """What became of it; None if the disk does not take it."""
        if self._fault.error is not None:
            return None
        try:
            appended = await self.append(told, rows, is_synced=any(isinstance(one, Commit) for one in batch))
        except StorageError as error:
            self._fail(error)
            return None
        counters.journal_commit.observe(trio.current_time() - min(one.told_at for one in batch))
        return appended

    async def append(self, told: Sequence[Event], rows: Sequence[Row] = (), *, is_synced: bool = False) -> Appended:
        """Write ``told`` and ``rows``.

        Raises:
            StorageError: with nothing written.
        """
        at = self._clock()
        entries = [Entry(event, channel_of(event), at) for event in told]
        appended = await self._disk.use(lambda journal: append(journal, entries, rows, is_synced=is_synced))
        counters.journal_commits += 1
        for reason in appended.faults:
            events.journal_failed(path="", operation="encode", reason=reason)
        refused: Counter[Priority] = Counter()
        for recorded in appended.recorded:
            priority = recorded.entry.event.priority
            if recorded.is_kept:
                counters.journal_records[priority] += recorded.is_new
                counters.journal_repeats += not recorded.is_new
            elif self.is_wanted(priority) and not appended.faults:
                refused[priority] += 1
        self._shed("deleted", appended.deleted)
        self._shed("refused", refused)
        return appended

    async def write_unkept(self, telling: Telling) -> int:
        """Write what was told and is not on disk, and tell where it is now; returns how many events it was.

        Raises:
            StorageError: if the disk fails again; what is not written waits on.
        """
        unkept, owed, written = self._standing.unkept, self._standing.owed, 0
        while True:
            batch, rows = unkept.waiting(BATCH), tuple(owed.values())
            if not batch and not rows:
                return written
            appended = await self.append(batch, rows)
            unkept.written(len(batch))
            owed.clear()
            written += len(batch)
            for recorded in appended.recorded:
                if recorded.entry.event.priority is Priority.CRITICAL:
                    await telling.tell_critical(recorded)


def in_line(taken: Iterable[Writing]) -> Iterator[Writing]:
    """What is to be written for ``taken``: for a commit all that stands in its line, once."""
    lines: set[Line] = set()
    for one in taken:
        if not isinstance(one, Commit):
            yield one
        elif one.line not in lines:
            lines.add(one.line)
            yield from one.line


def _is_done(one: Writing) -> bool:
    return isinstance(one, Commit) and one.is_done
