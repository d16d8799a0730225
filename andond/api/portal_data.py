"""Where the portal's documents come from: its desk, asked through the mailbox, and the daemon's own counts.

Rules of this file: a desk that does not answer in time is busy, and the client is told to ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from actors.desks import ReadPortal
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, MailboxFull, ask
from andond.api.portal import Broadcasts, DeskBusy
from domain.chain import Now, Surroundings
from telemetry import counters, gauges

ANSWER_TIMEOUT = 2.0

Answer = TypeVar("Answer")


class DeskData:
    """The portal's data from the desk at ``desk``."""

    def __init__(self, desk: Address) -> None:
        self._desk = desk

    async def read(self, reading: Callable[[Now, Surroundings], Answer]) -> Answer:
        """What ``reading`` makes of the chain, the host and the daemon now.

        Raises:
            DeskBusy: if the desk did not answer in time.
        """
        try:
            answer = await ask(self._desk.ref, ReadPortal(reading), ANSWER_TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            raise DeskBusy from None
        return cast("Answer", answer)

    async def broadcasts(self) -> Broadcasts:
        """What goes out to the portal's streams."""
        open_ = gauges.read("connections")
        by_door = {word: int(count) for word, count in open_.items()} if isinstance(open_, Mapping) else {}
        latency = counters.broadcast_last if sum(counters.published) else None
        return Broadcasts(by_door, counters.frames_sent, latency)
