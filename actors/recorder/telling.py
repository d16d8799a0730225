"""What the recorder tells once the disk has it, or although the disk does not take it.

Rules of this file: whoever waits for an answer gets it first, then everybody gets the event. A critical event that is
on disk is told once, in the order of the log; what the journal had already is not told again, unless the life that
wrote it ended before it could.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

import trio

from actors.messages import Publish, Writing
from actors.places import Receiver
from actors.recorder.batch import Name, Standing, name_of
from actors.runtime import ActorDead, MailboxFull
from domain import CriticalLog, Event, Position, Priority, Publication, Row
from storage import Recorded
from telemetry import counters, events

ROOM_INTERVAL = 0.01


class Telling:
    """Tells the keeper of the ``channels``; ``log`` is what was told of the critical events.

    ``is_wanted`` says whether the journal is to keep events of a priority.
    """

    def __init__(
        self, channels: Receiver, standing: Standing, log: CriticalLog, is_wanted: Callable[[Priority], bool]
    ) -> None:
        self._channels = channels
        self._standing = standing
        self._is_wanted = is_wanted
        self.log = log

    async def settle(self, written: Writing, recorded: Sequence[Recorded], orphans: Collection[Name]) -> None:
        """Answer for what was ``written`` and tell its events; ``orphans`` were in hand when an earlier life ended."""
        if written.settled is not None:
            written.settled(all(one.is_kept or not self._is_wanted(one.entry.event.priority) for one in recorded))
        for one in recorded:
            await self._tell(one, is_orphan=name_of(one.entry.event) in orphans)

    async def _tell(self, recorded: Recorded, *, is_orphan: bool) -> None:
        event = recorded.entry.event
        if recorded.is_kept and event.priority is Priority.CRITICAL:
            await self.tell_critical(recorded)
        elif not recorded.is_kept:
            # It may come again, and the journal will not know it.
            if self._standing.unkept.is_new(event):
                await self._publish(Publish(event))
        elif recorded.is_new or is_orphan:
            await self._publish(Publish(event))

    async def tell_critical(self, recorded: Recorded) -> None:
        """Tell a critical event that is on disk, if it was not told with its place."""
        log, entry, number = self.log, recorded.entry, recorded.critical
        if number is None or number <= log.newest:
            return
        position = Position(log.epoch, number)
        await self._publish(Publish(entry.event, position))
        log.append(Publication(entry.channel, log.epoch, 0, entry.at, entry.event, position))
        self._standing.told = position

    async def tell_unkept(self, refused: Writing, told: Iterable[Event], rows: Iterable[Row]) -> None:
        """Tell the events ``told`` of what the disk ``refused``, once, and let them and ``rows`` wait to be written."""
        unkept = self._standing.unkept
        self._standing.owe(rows)
        if refused.settled is not None:
            refused.settled(False)
        for event in told:
            if unkept.is_new(event):
                counters.journal_unkept[event.priority] += 1
                unkept.wait(event)
                await self._publish(Publish(event))

    async def _publish(self, message: Publish) -> None:
        while True:
            try:
                self._channels.tell(message)
            except MailboxFull:
                # A mailbox does not say when it has room again.
                await trio.sleep(ROOM_INTERVAL)
            except ActorDead:
                # There is nobody yet, or no more, who could follow.
                events.message_dead_lettered(actor="gateway/channels", message=type(message).__name__, reason="unknown")
                return
            else:
                return
