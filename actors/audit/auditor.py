"""The keeper of the audit: writes down who did what, in the order in which it was told.

Rules of this file:

* What is told waits at most ``DELAY`` seconds to share its sync. Nobody waits for it to be written.
* What anybody can cause in mass is counted together, see ``domain.audit.crowd``.
* While the disk does not take it, ``BACKLOG`` entries wait; of more it is counted how many are lost, and the audit says
  so itself once it can be written again. A life that fails leaves what waits to the next one.
* The end of the chain goes to the log and the metrics, where who changes the files does not reach.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import msgspec
import trio

from actors.audit.words import Noted, ReadAudit
from actors.beats import beat
from actors.recorder.disk import Run, in_thread
from actors.recorder.faults import Fault
from actors.runtime import TrioActor
from config import AuditSettings
from domain import JsonObject, JsonValue
from domain.audit import Crowd, Entry, Head, Outcome
from storage import AuditLog, StorageError, read_audit
from telemetry import counters, events, gauges

DELAY = 0.2
LOOK_INTERVAL = 1.0
ANCHOR_INTERVAL = 60.0
RETAIN_INTERVAL = 3600.0
BACKLOG = 10_000
BATCH = 1_000

SETTING = "storage.path"

_FINGERPRINT = 13
"""Hexadecimal digits that a double holds exactly."""


class _Reply(Protocol):
    def set(self, value: object = None) -> None:
        """Answer."""


class Backlog(msgspec.Struct):
    """What is not written yet; it outlives the auditor's lives. ``lost`` is how many entries there was no room for."""

    waiting: deque[Entry] = msgspec.field(default_factory=deque)
    crowd: Crowd = msgspec.field(default_factory=Crowd)
    lost_before: int = msgspec.field(default_factory=lambda: counters.audit_lost)

    @property
    def lost(self) -> int:
        """Entries that are lost and not told of."""
        return counters.audit_lost - self.lost_before

    def put(self, entry: Entry) -> None:
        """Have ``entry`` wait, if there is room."""
        if len(self.waiting) < BACKLOG:
            self.waiting.append(entry)
        else:
            counters.audit_lost += 1


class Auditor(TrioActor):
    """Keeps the audit in the data ``directory`` (None: there is none) as the ``present`` settings say."""

    mailbox_limit = BACKLOG
    has_tasks = True

    def __init__(
        self,
        directory: Path | None,
        present: Callable[[], AuditSettings] = AuditSettings,
        backlog: Backlog | None = None,
        clock: Callable[[], float] = time.time,
        run: Run = in_thread,
    ) -> None:
        super().__init__()
        self._directory = directory
        self._log = None if directory is None else AuditLog(directory)
        self._present = present
        self._backlog = Backlog() if backlog is None else backlog
        self._clock = clock
        self._run = run
        self._turn = trio.Lock()
        self._arrival = trio.Event()
        self._fault = Fault()
        self._head = Head()
        self._anchored = Head()

    async def setup(self) -> None:
        """Begin to write."""
        if self._log is None:
            events.audit_volatile(setting=SETTING)
            return
        try:
            self._head = await self._run(self._log.known)
        except StorageError as error:
            # Whoever writes the first entry finds the head by itself.
            self._fail(error)
        gauges.feed("audit_number", lambda: float(self._head.number))
        gauges.feed("audit_fingerprint", lambda: float(int(self._head.hash[:_FINGERPRINT], 16)))
        gauges.feed("audit_writable", lambda: 0.0 if self._fault.error else 1.0)
        self.start_task(self._keep_writing)
        self.start_task(self._keep_looking)

    async def close(self) -> None:
        """Write what waits."""
        if self._log is None:
            return
        for name in ("audit_number", "audit_fingerprint", "audit_writable"):
            gauges.forget(name)
        with trio.CancelScope(shield=True):
            for entry in self._backlog.crowd.flush():
                self._backlog.put(entry)
            await self._write()
        self._anchor()

    def on_receive(self, message: object) -> object:
        """Take an entry, or find some."""
        match message:
            case Noted(entry=entry):
                self._take(entry)
            case ReadAudit():
                self.start_task(self._read, message, self.defer_reply())
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """Where the chain ends, what keeps it from going on, how many entries wait."""
        return {
            "kept": self._log is not None,
            "number": self._head.number,
            "hash": self._head.hash,
            "fault": str(self._fault.error) if self._fault.error else None,
            "waiting": len(self._backlog.waiting) + len(self._backlog.crowd),
            "lost": counters.audit_lost,
        }

    def _take(self, entry: Entry) -> None:
        if self._log is None:
            return
        due = self._backlog.crowd.take(entry)
        if due is not None:
            self._backlog.put(due)
            self._arrival.set()

    # -- writing --------------------------------------------------------------------------------------------

    async def _keep_writing(self) -> None:
        while True:
            if not self._backlog.waiting and not self._backlog.lost:
                await self._arrival.wait()
            self._arrival = trio.Event()
            await trio.sleep(DELAY if self._fault.error is None else self._fault.delay())
            await self._write()

    async def _keep_looking(self) -> None:
        anchor = trio.current_time()
        retain = anchor
        while True:
            for entry in self._backlog.crowd.due(self._clock()):
                self._backlog.put(entry)
                self._arrival.set()
            if trio.current_time() >= anchor:
                anchor = trio.current_time() + ANCHOR_INTERVAL
                self._anchor()
            if trio.current_time() >= retain:
                retain = trio.current_time() + RETAIN_INTERVAL
                await self._retain()
            await beat(LOOK_INTERVAL)

    async def _write(self) -> None:
        """Write what waits, in batches, until the disk does not take one."""
        log, backlog = self._log, self._backlog
        async with self._turn:
            while log is not None and (backlog.waiting or backlog.lost):
                lost, batch = backlog.lost, list(backlog.waiting)[:BATCH]
                entries = [*batch, *self._loss(lost)]
                try:
                    # What was begun is finished, or it would be written twice.
                    with trio.CancelScope(shield=True):
                        self._head = await self._run(partial(log.append, entries, self._clock()))
                except StorageError as error:
                    self._fail(error)
                    return
                for entry in batch:
                    backlog.waiting.popleft()
                    counters.audit_entries.add(entry.outcome.value)
                backlog.lost_before += lost
                self._recover(lost)

    def _loss(self, lost: int) -> Sequence[Entry]:
        if not lost:
            return ()
        words = f"{lost} entries are not here: the disk did not take them in time, or too many came at once"
        return (Entry(self._clock(), "audit.lost", Outcome.FAILED, why=words, count=lost),)

    def _fail(self, error: StorageError) -> None:
        self._fault.begin(error, trio.current_time())
        self._tell(error)

    def _tell(self, error: StorageError) -> None:
        waiting = len(self._backlog.waiting)
        events.audit_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason, waiting=waiting)

    def _recover(self, lost: int) -> None:
        if self._fault.error is not None:
            events.audit_recovered(duration=self._fault.end(trio.current_time()), lost=lost)

    async def _retain(self) -> None:
        settings, at, log = self._present(), self._clock(), self._log
        if log is None:
            return
        try:
            async with self._turn:
                with trio.CancelScope(shield=True):
                    count = await self._run(lambda: log.retain(settings.age, settings.size, at))
                    self._head = log.head or self._head
        except StorageError as error:
            self._tell(error)
            return
        if count:
            events.audit_retired(count=count)

    def _anchor(self) -> None:
        if self._head != self._anchored:
            self._anchored = self._head
            events.audit_anchored(number=self._head.number, hash=self._head.hash)

    # -- reading --------------------------------------------------------------------------------------------

    async def _read(self, asked: ReadAudit, reply: _Reply | None) -> None:
        found: tuple[JsonObject, ...] | None = None
        try:
            await self._write()
            directory = self._directory
            found = () if directory is None else await self._run(lambda: _newest(directory, asked))
        except StorageError as error:
            self._tell(error)
        finally:
            if reply is not None:
                reply.set(found)


def _newest(directory: Path, asked: ReadAudit) -> tuple[JsonObject, ...]:
    found: list[JsonObject] = []
    for entry in read_audit(directory, is_newest_first=True):
        if asked.wanted(entry):
            found.append(entry)
            if len(found) >= asked.limit:
                break
    return tuple(found)
