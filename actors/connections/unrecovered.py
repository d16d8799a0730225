"""Clients whose resume could not be answered because the journal could not be read: they return when it can.

Rules of this file: one task for all of them, asleep while there are none. They are asked to return a few at a time, for
each of them reads the journal.
"""

from __future__ import annotations

import trio

from actors.messages import ReadFault
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, ask
from transport import Link

POSITION_LOST = 4203
REASON = "position lost: resume"
INTERVAL = 1.0
ASK_TIMEOUT = 5.0
AT_ONCE = 32
PAUSE = 0.05


class Unrecovered:
    """The links that were told ``recovered: false`` while ``recorder`` could not read the journal."""

    __slots__ = ("_arrival", "_links", "_recorder")

    def __init__(self, recorder: Address) -> None:
        self._recorder = recorder
        self._links: dict[Link, None] = {}
        self._arrival = trio.Event()

    def __len__(self) -> int:
        return len(self._links)

    def enter(self, link: Link) -> None:
        """``link`` could not be told what it missed."""
        self._links[link] = None
        self._arrival.set()

    def leave(self, link: Link) -> None:
        """``link`` is gone."""
        self._links.pop(link, None)

    async def watch(self) -> None:
        """Ask all to return when the journal can be read, until cancelled."""
        while True:
            await self._arrival.wait()
            self._arrival = trio.Event()
            while self._links:
                await trio.sleep(INTERVAL)
                if await self._is_readable():
                    await self._send_back()

    async def _is_readable(self) -> bool:
        try:
            return not await ask(self._recorder.ref, ReadFault(), ASK_TIMEOUT)
        except (ActorDead, AskTimeout):
            return False

    async def _send_back(self) -> None:
        links = list(self._links)
        for number, link in enumerate(links, 1):
            if self._links.pop(link, link) is None:
                link.close(POSITION_LOST, REASON)
            if not number % AT_ONCE:
                await trio.sleep(PAUSE)
