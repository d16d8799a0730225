"""Who sends clients away that may not stay: their token has expired, or was revoked, or their rights are others now.

Rules of this file: no task and no timer for one client. Links are looked through when the next of them is due, or when
somebody's rights have changed. A client is told why by a code of its own: 4001 log in again, 4004 do not come back with
that, 4201 come back and have the rights of now. Those whose dialect knows the last are told before it when to come:
they may be all that there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from itertools import count

import trio

from actors.connections.parting import CLOSE_CODES
from domain import return_delays
from domain.access import Identity, Rights
from transport import RIGHTS_CHANGED, Link

EXPIRED = 4001, "token expired"
REVOKED = 4004, "revoked"

# The clock of tokens can be set while trio's goes on; so nobody waits for longer than this without looking at it.
LOOK_INTERVAL = 30.0
_SPARE = 1024


class Warden:
    """Watches over the links whose rights end; ``clock`` gives the Unix seconds that tokens are dated in."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ends: dict[Link, float] = {}
        self._queue: list[tuple[float, int, Link]] = []
        self._numbers = count()
        self._arrival = trio.Event()

    def __len__(self) -> int:
        return len(self._ends)

    def enter(self, link: Link) -> None:
        """Send ``link`` away when its rights end, if they ever do; whatever was said of it before counts no more."""
        at = link.rights.expires_at
        if at is None:
            self.leave(link)
            return
        self._ends[link] = at
        heappush(self._queue, (at, next(self._numbers), link))
        if len(self._queue) > 2 * len(self._ends) + _SPARE:
            self._queue = [each for each in self._queue if self._ends.get(each[2]) == each[0]]
            heapify(self._queue)
        self._arrival.set()

    def leave(self, link: Link) -> None:
        """``link`` is gone."""
        self._ends.pop(link, None)

    async def watch(self) -> None:
        """Send away whose time is over, until cancelled; asleep while nobody's ends."""
        while True:
            await self._arrival.wait()
            self._arrival = trio.Event()
            while self._queue:
                due = self._queue[0][0] - self._clock()
                with trio.move_on_after(max(0.0, min(due, LOOK_INTERVAL))):
                    # One that ends sooner than the first has come, perhaps.
                    await self._arrival.wait()
                    self._arrival = trio.Event()
                self._send_away()

    def _send_away(self) -> None:
        now = self._clock()
        while self._queue and self._queue[0][0] <= now:
            at, _, link = heappop(self._queue)
            if self._ends.get(link) == at:
                del self._ends[link]
                link.close(*EXPIRED)


def review(links: Iterable[Link], rights_of: Callable[[Identity], Rights | None]) -> int:
    """Look at ``links`` again: ``rights_of`` tells what each has by now, None if it was revoked.

    Whoever is not what it was is closed; returns how many are.
    """
    closed, changed = 0, list[Link]()
    for link in links:
        now = rights_of(link.rights.identity)
        if now is None:
            link.close(*REVOKED)
            closed += 1
        elif now != link.rights:
            changed.append(link)
    for link, delay in zip(changed, return_delays(len(changed), 0.0), strict=True):
        _ask_back(link, delay)
    return closed + len(changed)


def _ask_back(link: Link, delay: float) -> None:
    """Close ``link``, whose client is to come back in ``delay`` seconds, if it knows a word for that."""
    code, reason = RIGHTS_CHANGED
    if link.closing is None and link.farewell is not None and CLOSE_CODES.get(link.door.name) == code:
        link.stream.send(link.farewell(code, reason, delay, None))
    link.close(code, reason)
