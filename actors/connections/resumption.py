"""How a client that was away gets what is critical and was missed, before anything that is live.

Rules of this file: what its client may not see was never missed. The journal is asked, for a bounded time, and what it
cannot tell is said; who was told so while it could not be read stays where it was, and is asked to return when it can.
However much was missed, no more than one frame of it waits in the outbox, so no limit is passed; a client that takes
nothing at all for ``PATIENCE`` is closed with 4202 and resumes anew. What is published while it takes its time is read
again, until what is left is less than a channel remembers.
"""

from __future__ import annotations

from collections.abc import Callable

import trio
from msgspec.structs import replace
from trio.lowlevel import checkpoint

from actors.connections.unrecovered import Unrecovered
from actors.messages import CriticalRead, ReadCritical
from actors.places import Address
from actors.runtime import ActorDead, ask
from domain import Position, Priority, Publication
from telemetry import events
from transport import Link, Resume, Resumed

READ_TIMEOUT = 5.0
PATIENCE = 15.0
CRITICAL_BEHIND = 4202
SLICE = 64

# A tenth of what a channel remembers: so many may be published until it is followed.
CLOSE_ENOUGH = 100

# Nobody knows the present position, and whoever resumes from this one is told so.
_UNKNOWN = Position("unknown", 0)


class Resumption:
    """One resume of ``link``; ``recorder`` is None where nobody keeps a journal.

    ``unrecovered`` learns of it when the journal could not be read; ``progressed`` is called while it goes on.
    """

    def __init__(
        self,
        link: Link,
        recorder: Address | None,
        step: Resume,
        *,
        unrecovered: Unrecovered | None = None,
        progressed: Callable[[], None] = lambda: None,
    ) -> None:
        self._link = link
        self._recorder = recorder
        self._step = step
        self._unrecovered = unrecovered
        self._progressed = progressed

    async def run(self) -> Position | None:
        """Answer, tell what was missed, and return up to where all is told; None if nobody knows."""
        step, outlet = self._step, self._link.stream
        read = await self._read(step.since)
        if self._unrecovered is not None and step.since is not None and (read is None or not read.certain):
            self._unrecovered.enter(self._link)
        if read is None:
            outlet.send(step.confirm(Resumed(False, 0, step.since or _UNKNOWN)))
            return step.since
        # What may be known later is still behind the position that the client had.
        position = read.newest if read.certain else step.since or read.newest
        outlet.send(step.confirm(Resumed(read.recovered, len(read.publications), position)))
        newest = read.newest
        while read is not None:
            newest = read.newest
            await self._tell(read.publications)
            if self._link.closing is not None or len(read.publications) <= CLOSE_ENOUGH:
                break
            read = await self._read(newest)
        return newest

    async def _read(self, since: Position | None) -> CriticalRead | None:
        if self._recorder is None:
            return None
        try:
            answer = await ask(self._recorder.ref, ReadCritical(since, self._step.channels), READ_TIMEOUT)
        except ActorDead:
            # Nobody keeps a journal at the moment.
            return None
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told that it is not recovered
            events.resume_failed(connection=self._link.id, reason=repr(error))
            return None
        if not isinstance(answer, CriticalRead):
            return None
        rights = self._link.rights
        return replace(answer, publications=tuple(each for each in answer.publications if rights.sees(each.channel)))

    async def _tell(self, publications: tuple[Publication, ...]) -> None:
        outlet, encode = self._link.stream, self._step.encode
        for number, publication in enumerate(publications, 1):
            frame = encode.frame(publication)
            if frame is None:
                continue
            if not await self._room():
                return
            outlet.offer(frame)
            self._progressed()
            if not number % SLICE:
                await checkpoint()

    async def _room(self) -> bool:
        """Wait until no critical frame waits; False if the link is over."""
        link = self._link
        if link.closing is None and not _is_behind(link):
            return True
        with trio.move_on_after(PATIENCE) as scope:
            while link.closing is None and _is_behind(link):
                try:
                    await link.stream.wait_send_all_might_not_block()
                except (trio.BrokenResourceError, trio.ClosedResourceError):
                    return False
        if scope.cancelled_caught:
            link.close(CRITICAL_BEHIND, "critical behind")
        return link.closing is None


def _is_behind(link: Link) -> bool:
    return link.stream.statistics().depth[Priority.CRITICAL] > 0
