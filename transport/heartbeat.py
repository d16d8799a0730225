"""One sweep over all links: a Ping to each in its turn, and an end to those that are silent for too long.

Rules of this file:

* One task for all links. Each link is pinged once in ``ping_interval``; the pings are spread over its slices, so that
  ten thousand are no burst. The ledger of each is looked at by the way.
* Life is any byte that came in (``FrameStream.heard``). A link is dead when nothing came for ``dead_after``, and is
  ended before that time is over.
* Silence that is ours is not the client's: while a message of it is handled, while bytes of it wait unread, and after
  the whole daemon stood still, nobody is declared dead.
"""

from __future__ import annotations

import fcntl
import struct
import termios

import trio

from telemetry import events
from transport.audit import Audit
from transport.codes import NO_PONG
from transport.gate import SLICES, Link, Links

_DEAD_PATIENCE = 1.0

# A sweep that comes this many turns late was not late because of the links.
_STALL = 8
_UNREAD = struct.pack("i", 0)


class Heartbeat:
    """Sweeps over ``links``; times are in seconds."""

    def __init__(self, links: Links, ping_interval: float, dead_after: float, audit: Audit) -> None:
        self._links = links
        self._audit = audit
        self._step = ping_interval / SLICES
        self._dead_after = dead_after
        self._slice = 0
        # When the quietest link of each slice was heard; it only grows, so most sweeps skip most slices.
        self._oldest = [0.0] * SLICES
        self._awake_since = float("-inf")

    async def run(self) -> None:
        """Sweep until cancelled; asleep while there are no links."""
        while True:
            await self._links.wait()
            await self._sweep_on()

    async def _sweep_on(self) -> None:
        due = trio.current_time()
        while len(self._links):
            due += self._step
            await trio.sleep_until(due)
            now = trio.current_time()
            if now > due + _STALL * self._step:
                self._awake_since = due = now
            self.sweep(now)

    def sweep(self, now: float) -> None:
        """Ping the links whose turn it is, and end those that were not heard for too long at ``now`` (trio clock)."""
        for link in self._links.slice(self._slice):
            if link.closing is None:
                link.stream.ping()
                self._audit.look(link)
        self._slice += 1
        # The next sweep would come too late for those whose time ends before it.
        horizon = now + self._step - self._dead_after
        if self._awake_since > horizon:
            return
        for index, oldest in enumerate(self._oldest):
            if oldest < horizon:
                self._look_through(index, now, horizon)

    def _look_through(self, index: int, now: float, horizon: float) -> None:
        """End the links of one slice that are dead, and remember how long there is nothing to look for."""
        links = self._links.slice(index)
        for link in [link for link in links if link.stream.heard < horizon]:
            if _is_dead(link, horizon):
                silence = now - max(link.stream.heard, link.resumed_at)
                events.connection_dropped(connection=link.id, door=link.door.name, silence=silence)
                link.close(NO_PONG, f"nothing heard for {self._dead_after:g} s", patience=_DEAD_PATIENCE)
        self._oldest[index] = min((link.stream.heard for link in links), default=now)


def _is_dead(link: Link, horizon: float) -> bool:
    if link.closing is not None or link.busy or link.resumed_at >= horizon:
        return False
    return _unread(link.stream.sock.fileno()) == 0


def _unread(descriptor: int) -> int:
    """Bytes that have come in on a socket and were not read yet."""
    if descriptor < 0:
        return 0
    try:
        answer = fcntl.ioctl(descriptor, termios.FIONREAD, _UNREAD)
    except OSError:
        return 0
    unread: int = struct.unpack("i", answer)[0]
    return unread
