"""How each client is sent away at a planned restart, so that every one of them comes back, and not all at once.

Rules of this file:

* A client whose dialect has a word for it is told its own delay and where it resumes; then it is closed with 4201.
* What waits below CRITICAL is given up first, told as gaps where the dialect can: nobody waits for telemetry to leave.
* The others are closed with the code of their door; where a close is taken for a farewell for ever, the link breaks.
* A position is told only to who has been offered everything up to it; who is unsure keeps its own.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import MappingProxyType

import trio

from actors.messages import CriticalRead, ReadCritical
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, ask, survey
from domain import Position, Priority, return_delays
from transport import Link

PLANNED_RESTART = 4201
SERVICE_RESTART = 1012
REASON = "restart"
POSITION_TIMEOUT = 1.0
_EVERY_CHANNEL = 1_000_000

# A client of the native protocol knows what a planned restart is; the others know RFC 6455's registry.
CLOSE_CODES: Mapping[str, int] = MappingProxyType({"stream": PLANNED_RESTART})
DROPPED_DOORS = frozenset({"floor"})
"""Doors whose clients take any Close frame for a farewell, and come back only to a link that broke."""


class Parting:
    """Parts with the clients of ``links``: none returns before ``first`` seconds, all within ``patience`` are gone.

    ``position`` is where those resume that are told so; None: nobody is told.
    """

    def __init__(
        self,
        links: Iterable[Link],
        first: float,
        patience: float,
        position: Position | None,
        unsure: frozenset[Link] = frozenset(),
        chance: random.Random | None = None,
    ) -> None:
        told = [link for link in links if link.farewell is not None]
        # Not by age: the same clients would be the last at every restart.
        (chance or random.SystemRandom()).shuffle(told)
        self._delays = dict(zip(told, return_delays(len(told), first), strict=True))
        self._first = first
        self._patience = patience
        self._position = position
        self._unsure = unsure

    def part(self, link: Link) -> None:
        """Send the client of ``link`` away."""
        if link.closing is not None:
            return
        link.stream.shed()
        code = CLOSE_CODES.get(link.door.name, SERVICE_RESTART)
        if link.farewell is not None:
            # Who asks for something at this moment may not have got all of it.
            position = None if link.busy or link in self._unsure else self._position
            delay = self._delays.get(link, self._first)
            link.stream.send(link.farewell(code, REASON, delay, position))
        if link.door.name in DROPPED_DOORS:
            link.drop(REASON, patience=self._patience)
        else:
            link.close(code, REASON, patience=self._patience)


async def offered_position(recorder: Address, channels: Address) -> Position | None:
    """The newest critical position, once all up to it was offered to whoever follows; None if that is not known soon.

    Two channels may tell their critical events in another order than the log has them, so the newest that a client got
    says nothing of those before it.
    """
    with trio.move_on_after(POSITION_TIMEOUT), suppress(ActorDead, AskTimeout):
        read = await ask(recorder.ref, ReadCritical(None), POSITION_TIMEOUT)
        if isinstance(read, CriticalRead):
            while not await _has_offered(channels):
                await trio.lowlevel.checkpoint()
            return read.newest
    return None


async def _has_offered(channels: Address) -> bool:
    """Whether every channel has answered and nothing critical waits before any of them."""
    tree = await survey(channels.ref, POSITION_TIMEOUT, _EVERY_CHANNEL)
    return all(actor.state == "running" and not actor.depth.get(Priority.CRITICAL, 0) for actor in tree.walk())
