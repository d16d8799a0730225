"""How the journal is read back while it is being written.

Rules of this file: a long read is many short ones, each a message of its own, so that what is to be written waits for
no more than one. What cannot be read is answered with what memory has, as not recovered; never as if it were all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import msgspec

from actors.messages import CriticalRead, ReadChannels, ReadCritical, ReadNewest, StateRead
from actors.recorder.batch import Standing, publications
from actors.recorder.disk import Disk
from actors.recorder.telling import Telling
from domain import CriticalLog, Priority, Publication, Recovery
from storage import StorageError
from telemetry import events

CHUNK = 1000
"""Critical events that are read at a time."""

READ_LIMIT = 10_000
"""Critical events of one answer: as many as may wait for a client."""


class Reply(Protocol):
    """Where an answer goes."""

    def set(self, value: object) -> None:
        """Answer with ``value``."""


class StateAwaited(msgspec.Struct, frozen=True):
    """Rows of ``kind`` are to be read once nothing waits that may change them."""

    kind: str
    reply: Reply
    priority: ClassVar[Priority] = Priority.HIGH


class Reading(msgspec.Struct):
    """A long read that is under way, and the message by which the recorder goes on with it."""

    request: ReadCritical
    log: CriticalLog
    recovery: Recovery
    reply: Reply
    priority: ClassVar[Priority] = Priority.HIGH


class Reads:
    """Answers from the log of what was told and, where that does not reach, from the journal.

    ``fail`` learns why it cannot be read; while it is not ``is_readable`` nobody tries.
    """

    def __init__(self, disk: Disk, telling: Telling, standing: Standing, fail: Callable[[StorageError], None]) -> None:
        self._disk = disk
        self._standing = standing
        self._telling = telling
        self._fail = fail
        self.is_readable = False

    def answer(self, request: ReadCritical) -> CriticalRead | None:
        """The answer, if memory has it."""
        if request.since is None:
            return CriticalRead(True, self._telling.log.position, (), self.is_readable)
        recovery = Recovery(self._telling.log, request.since, request.channels, READ_LIMIT)
        return self._answer(recovery) if recovery.done else None

    def begin(self, request: ReadCritical, reply: Reply) -> Reading:
        """Begin to read what memory does not have.

        Raises:
            ValueError: if nothing needs to be read.
        """
        if request.since is None:
            raise ValueError("the newest position is known")
        return Reading(
            request, self._telling.log, Recovery(self._telling.log, request.since, request.channels, READ_LIMIT), reply
        )

    async def step(self, reading: Reading) -> bool:
        """Read one chunk; whether that was the last one."""
        if reading.log is not self._telling.log:
            # Another journal is open: what was read is of another log.
            fresh = self.begin(reading.request, reading.reply)
            reading.log, reading.recovery = fresh.log, fresh.recovery
        recovery = reading.recovery
        if recovery.done:
            return True
        if not self.is_readable:
            recovery.give_up()
            return True
        offset = recovery.offset
        try:
            kept = await self._disk.use(lambda journal: journal.critical_since(offset, CHUNK))
        except StorageError as error:
            self._fail(error)
            recovery.give_up()
        else:
            recovery.take(publications(kept, self._telling.log.epoch))
        return recovery.done

    def reply(self, reading: Reading) -> None:
        """Give what was found to who asked."""
        reading.reply.set(self._answer(reading.recovery))

    def _answer(self, recovery: Recovery) -> CriticalRead:
        certain = recovery.recovered or self.is_readable
        return CriticalRead(recovery.recovered, recovery.newest, recovery.publications, certain)

    async def newest(self, request: ReadNewest) -> tuple[Publication, ...]:
        """The newest of a channel; of one that cannot be read the critical ones that memory has."""
        if self.is_readable:
            try:
                kept = await self._disk.use(lambda journal: journal.newest(request.channel, request.limit))
            except StorageError as error:
                self._fail(error)
            else:
                return tuple(publications(kept, self._telling.log.epoch))
        known = [one for one in self._telling.log.behind(0) if one.channel == request.channel]
        return tuple(known[-request.limit :]) if request.limit else ()

    async def state(self, kind: str) -> StateRead | None:
        """The rows of ``kind`` as they were committed last; None while they cannot be read."""
        if not self.is_readable:
            return None
        try:
            kept = await self._disk.use(lambda journal: journal.state(kind))
        except StorageError as error:
            self._fail(error)
            return None
        if kept.unreadable:
            events.state_unreadable(kind=kind, count=kept.unreadable)
        values = dict(kept.values)
        for row in self._standing.owed.values():
            if row.kind == kind:
                values.pop(row.key, None)
                if row.value is not None:
                    values[row.key] = row.value
        return tuple(values.items())

    async def channels(self, request: ReadChannels) -> tuple[str, ...] | None:
        """The names of channels that there are kept events of; None while nobody knows."""
        if not self.is_readable:
            return None
        try:
            return tuple(await self._disk.use(lambda journal: journal.channels(request.tree, request.limit)))
        except StorageError as error:
            self._fail(error)
            return None
