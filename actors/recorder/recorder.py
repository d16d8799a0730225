"""The recorder: what is urgent is on disk before it is published and before anybody is told that it is kept.

Rules of this file:

* It alone has the journal. What waits in the mailbox while the disk works goes together into the next commit.
* CRITICAL goes first: it waits for no more than the commit under way. Within a priority the order is kept, and so is
  the order in which a desk has decided.
* A disk that fails stops no event: what cannot be kept is published without a critical position, nobody is told that
  it is kept, and it is written when the disk is back. Such a failure is handled here and ends no life.
* What was written and not published when a life ended is published by the next one.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import msgspec
import trio

from actors.messages import (
    CriticalRead,
    Keep,
    ReadChannels,
    ReadCritical,
    ReadFault,
    ReadNewest,
    ReadState,
    Record,
    Writing,
)
from actors.places import CHANNELS, Address
from actors.recorder.batch import BATCH, Spool, Standing, advice, batches, pays_off, remembered, retain
from actors.recorder.commits import Commits, in_line
from actors.recorder.disk import Disk, Run, at_once, in_thread
from actors.recorder.faults import Fault
from actors.recorder.reads import CHUNK, Reading, Reads, StateAwaited
from actors.recorder.telling import Telling
from actors.recorder.words import Words, described
from actors.runtime import MailboxFull, TrioActor
from config import JournalSettings
from domain import CriticalLog, JsonValue, Priority
from storage import Entry, Journal, Recorded, Statistics, StorageError
from telemetry import counters, events, gauges

KEEP_DELAY = 1.0
KEEP_PATIENCE = 5.0
RETAIN_INTERVAL = 60.0
LESSER = (Priority.HIGH, Priority.NORMAL, Priority.LOW)


class Recover(msgspec.Struct, frozen=True):
    """It is time to write again: to ``journal``, which was opened anew, or to the one that was full."""

    journal: Journal | None
    priority: ClassVar[Priority] = Priority.CRITICAL


class WriteKept(msgspec.Struct, frozen=True):
    """It is time to write what was published and is kept besides."""

    priority: ClassVar[Priority] = Priority.LOW


class Retain(msgspec.Struct, frozen=True):
    """It is time to delete what is too old or too much."""

    priority: ClassVar[Priority] = Priority.LOW


class Recorder(TrioActor):
    """Keeps the journal in the directory ``path`` (None: in memory); ``standing`` is what outlives a life of it.

    ``run`` calls what blocks, in a thread by default.
    """

    mailbox_limit = 50_000
    has_tasks = True

    def __init__(
        self,
        path: Path | None,
        present: Callable[[], JournalSettings],
        standing: Standing,
        clock: Callable[[], float] = time.time,
        run: Run | None = None,
    ) -> None:
        super().__init__()
        self._present = present
        self._standing = standing
        self._clock = clock
        self._disk = Disk(path, present, clock, run or (in_thread if path else at_once), self.start_task)
        # The epoch of no journal: what was read before is not known to follow.
        log = CriticalLog(f"x{secrets.token_hex(6)}", 0, 0)
        channels = Address(self.life.environment, CHANNELS)
        self._fault = Fault()
        self._commits = Commits(self._disk, standing, self._fault, present, clock, self._fail, self._shed)
        self._telling = Telling(channels, standing, log, self._commits.is_wanted)
        self._reads = Reads(self._disk, self._telling, standing, self._fail)
        self._words = Words(path, clock())
        self._spool = Spool()
        self._spool_due = 0.0
        self._former = 0
        self._is_recovering = False
        self._statistics: Statistics | None = None

    async def setup(self) -> None:
        """Open the journal and tell what a former life did not get to; without a journal, go on all the same."""
        gauges.feed("journal_writable", lambda: float(self._fault.error is None))
        gauges.feed("journal_critical", lambda: float(self._telling.log.newest))
        gauges.feed("journal_bytes", lambda: None if self._statistics is None else float(self._statistics.file_size))
        if self._disk.path is None and self._standing.told is None:
            events.journal_volatile(setting="storage.path")
        try:
            await self._begin(await self._disk.open())
            await self._commits.write_unkept(self._telling)
        except StorageError as error:
            self._fail(error)
        self.start_task(self._keep_time)

    async def close(self) -> None:
        """Write what is left, and close the journal."""
        for name in ("journal_writable", "journal_critical", "journal_bytes"):
            gauges.forget(name)
        with trio.CancelScope(shield=True):
            while self._spool and self._fault.error is None:
                await self._write_kept()
            try:
                await self._disk.close()
            except StorageError as error:
                events.journal_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason)

    async def on_receive(self, message: object) -> object:
        """Write and publish, read back, look after the journal."""
        match message:
            case Writing():
                await self._write(message)
            case Keep():
                self._keep(message)
            case ReadCritical():
                return await self._read_critical(message)
            case ReadNewest():
                return await self._reads.newest(message)
            case ReadChannels():
                return await self._reads.channels(message)
            case ReadFault():
                return "" if self._fault.error is None else advice(self._fault.error)
            case ReadState() | StateAwaited() | Reading():
                await self._read_long(message)
            case _:
                await self._look_after(message)
        return None

    async def _read_long(self, message: ReadState | StateAwaited | Reading) -> None:
        match message:
            case ReadState(kind=kind):
                if (reply := self.defer_reply()) is not None:
                    await self._read_state(StateAwaited(kind, reply))
            case StateAwaited():
                await self._read_state(message)
            case Reading():
                await self._read_on(message)

    def describe(self) -> Mapping[str, JsonValue]:
        """The journal: whether it can be written, how far it is, what it holds."""
        unkept = len(self._standing.unkept)
        return described(self._disk.path, self._telling.log, self._fault.error, unkept, self._statistics)

    # -- to the disk, then to the channels ------------------------------------------------------------------

    async def _write(self, first: Writing) -> None:
        taken = [first, *self.take_waiting(first.priority, Writing)]
        if first.priority is Priority.CRITICAL:
            delay = self._present().commit_delay
            if delay and self._fault.error is None and pays_off(len(taken), self._former):
                await trio.sleep(delay)
                taken += self.take_waiting(Priority.CRITICAL, Writing)
            self._former = len(taken)
        for batch in batches(in_line(taken)):
            if first.priority is not Priority.CRITICAL:
                for urgent in batches(in_line(self.take_waiting(Priority.CRITICAL, Writing))):
                    await self._commits.write(urgent, self._telling)
            await self._commits.write(batch, self._telling)

    # -- read back ------------------------------------------------------------------------------------------

    async def _read_critical(self, request: ReadCritical) -> CriticalRead | None:
        answer = self._reads.answer(request)
        if answer is None and (reply := self.defer_reply()) is not None:
            await self._read_on(self._reads.begin(request, reply))
        return answer

    async def _read_on(self, reading: Reading) -> None:
        if await self._reads.step(reading):
            self._reads.reply(reading)
            return
        try:
            self.actor_ref.tell(reading)
        except MailboxFull:
            reading.recovery.give_up()
            self._reads.reply(reading)

    async def _read_state(self, awaited: StateAwaited) -> None:
        if not self.life.mailbox.waiting(Priority.CRITICAL):
            awaited.reply.set(await self._reads.state(awaited.kind))
            return
        # It was let through before commits that are more urgent: who asks must find what they change.
        try:
            self.actor_ref.tell(awaited)
        except MailboxFull:
            awaited.reply.set(None)

    # -- what is kept besides -------------------------------------------------------------------------------

    def _keep(self, message: Keep) -> None:
        told = [each.event for each in (message, *self.take_waiting(message.priority, Keep))]
        lost = self._spool.put(told) if self._fault.error is None else told
        self._shed("refused", Counter(event.priority for event in lost))
        now = trio.current_time()
        if self._spool and now >= self._spool_due:
            # Past its time it is asked for again: a mailbox that is full may have dropped it.
            self._spool_due = now + KEEP_PATIENCE
            self.start_task(self._ask_to_write)

    async def _ask_to_write(self) -> None:
        await trio.sleep(KEEP_DELAY)
        self._tell_itself(WriteKept())

    async def _write_kept(self) -> None:
        batch = self._spool.take(BATCH)
        if batch and self._fault.error is None:
            try:
                await self._commits.append(batch)
            except StorageError as error:
                self._fail(error)
        if batch and self._fault.error is not None:
            lost = [*batch, *self._spool.take(len(self._spool))]
            self._shed("refused", Counter(event.priority for event in lost))
        if self._spool:
            self._tell_itself(WriteKept())
        else:
            self._spool_due = 0.0

    # -- looking after the journal --------------------------------------------------------------------------

    async def _look_after(self, message: object) -> None:
        match message:
            case WriteKept():
                await self._write_kept()
            case Retain():
                await self._retain()
            case Recover(journal=journal):
                await self._recover(journal)

    async def _keep_time(self) -> None:
        while True:
            self._tell_itself(Retain())
            await trio.sleep(RETAIN_INTERVAL)

    async def _retain(self) -> None:
        if self._fault.error is not None:
            return
        at = self._clock()
        try:
            kept = await self._disk.use(lambda journal: retain(journal, at))
        except StorageError as error:
            self._fail(error)
            return
        self._statistics = kept.statistics
        for priority, count in kept.retired.items():
            counters.journal_retired[priority] += count
        self._shed("deleted", kept.shed)
        if kept.oversize:
            events.journal_oversized(size=kept.oversize)
        if kept.more:
            self._tell_itself(Retain())

    def _shed(self, reason: str, counts: Mapping[Priority, int]) -> None:
        if counts:
            high, normal, low = (counts.get(priority, 0) for priority in LESSER)
            events.journal_shed(reason=reason, high=high, normal=normal, low=low)
        told = self._words.shed(counts, self._clock())
        if told is not None:
            self._tell_itself(Record(told, told_at=trio.current_time()))

    async def _begin(self, journal: Journal) -> None:
        """Go on with a ``journal`` that was opened: tell what is on disk and was not told."""
        if journal.begun is not None and journal.begun.reason != "new":
            begun = journal.begun
            aside = str(begun.aside or "")
            events.journal_begun(epoch=journal.epoch, reason=begun.reason, detail=begun.detail, aside=aside)
        events.journal_opened(path=str(self._disk.path or ""), epoch=journal.epoch, critical=journal.critical)
        told = self._standing.told
        if self._telling.log.epoch != journal.epoch:
            is_same = told is not None and told.epoch == journal.epoch and told.offset <= journal.critical
            newest = told.offset if told is not None and is_same else journal.critical
            end = await self._disk.use(lambda journal: journal.critical_since(max(0, newest - CHUNK), CHUNK))
            self._telling.log = remembered(journal.epoch, newest, end)
            self._standing.told = self._telling.log.position
        self._reads.is_readable = True
        await self._catch_up()

    async def _catch_up(self) -> None:
        log = self._telling.log
        while True:
            offset = log.newest
            kept = await self._disk.use(lambda journal: journal.critical_since(offset, CHUNK))  # noqa: B023
            for one in kept:
                await self._telling.tell_critical(Recorded(Entry(one.event, one.channel, one.at), one.critical))
            if log.newest == offset:
                return

    # -- a disk that fails ----------------------------------------------------------------------------------

    def _fail(self, error: StorageError) -> None:
        events.journal_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason)
        # A full disk can still be read.
        self._reads.is_readable = self._reads.is_readable and error.full
        if self._fault.begin(error, trio.current_time()):
            self._tell_itself(Record(self._words.failed(error, self._clock()), told_at=trio.current_time()))
        if not self._is_recovering:
            self._is_recovering = True
            self.start_task(self._try_again)

    async def _try_again(self) -> None:
        # Not while a message is handled: an opening may take long, and what comes meanwhile must be told.
        while True:
            await trio.sleep(self._fault.delay())
            fault = self._fault.error
            if fault is None:
                break
            try:
                journal = None if fault.full else await self._disk.open()
            except StorageError as error:
                self._fail(error)
            else:
                self._tell_itself(Recover(journal))
        self._is_recovering = False

    async def _recover(self, journal: Journal | None) -> None:
        if self._fault.error is None:
            return
        try:
            if journal is not None:
                await self._begin(journal)
            written = await self._commits.write_unkept(self._telling)
        except StorageError as error:
            self._fail(error)
            return
        self._reads.is_readable = True
        duration = self._fault.end(trio.current_time())
        events.journal_recovered(path=str(self._disk.path or ""), duration=duration, unkept=written)
        self._tell_itself(Record(self._words.recovered(duration, written, self._clock()), told_at=trio.current_time()))

    def _tell_itself(self, message: object) -> None:
        # With a full mailbox there is enough to do, and time for this comes again.
        with suppress(MailboxFull):
            self.actor_ref.tell(message)
