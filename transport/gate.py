"""What the server asks of the rest of the daemon, and what it hands over: doors, links and peers.

Rules of this file: the transport knows no actor. It calls a ``Gate``, and the ``Peer`` that the gate makes for each
link; whoever implements them may hold actors behind them. A link is all that they get of a connection.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Protocol, TypeAlias

import msgspec
import trio

from domain import Allotments, Allowance, Position, Recollection, Throttle
from domain.access import NO_RIGHTS, Rights
from telemetry import events
from transport.addresses import ClientAddress
from transport.codes import CODES, CRITICAL_BEHIND, LINK_LOST, UsageError, is_sendable
from transport.frames import Frame
from transport.messages import Request, Response
from transport.stream import FrameStream

CLOSE_PATIENCE = 5.0
"""Seconds that a client has to answer a Close before the TCP connection ends without it."""

SLICES = 40
"""Parts that the links are dealt into, so that a sweep over all of them is never done at once."""

_REASON_SIZE = 123

# What FrameStream says when its outbox holds more critical frames than it may.
_BEHIND = "critical behind"
_numbers = count(1)
_UNLIMITED = Throttle(Allotments())

Farewell: TypeAlias = Callable[[int, str, float, Position | None], Frame]
"""Writes the last word before a planned end."""


class Door(msgspec.Struct, frozen=True):
    """What a WebSocket path leads to.

    ``subprotocols`` are those it speaks, the preferred first; a client that asks for none of them gets none.
    ``context`` is the gate's own business and comes back with the link. ``user`` and ``tenant`` are whose limits its
    client has (``quotas.holder_of``). A door that ``weighs`` what its clients say does so itself, by what each is
    worth.
    """

    name: str
    subprotocols: tuple[str, ...] = ()
    context: object = None
    user: str = ""
    tenant: str = ""
    weighs: bool = False


class Peer(Protocol):
    """Who minds one link."""

    async def received(self, message: str | bytes) -> None:
        """Handle what the client sent; the next message is read when this returns."""

    async def closed(self, code: int, reason: str) -> None:
        """Let go of the link: it is over, with the close code that ended it. Called exactly once."""


class Gate(Protocol):
    """Where links are let in."""

    def door(self, request: Request) -> Door | Response:
        """Which door ``request`` leads to, or the answer that says why to none. Asked for plain requests too."""

    async def opened(self, door: Door, request: Request, link: Link) -> Peer:
        """Mind ``link``, which has just opened.

        When this is cancelled, or fails, there is no peer and nobody is told of the link's end.
        """


class Owner(Protocol):
    """Who holds the connection that a link belongs to."""

    def link_closing(self) -> None:
        """The link was told to close: ``link.closing`` says how."""


class Link:
    """One open WebSocket, as the rest of the daemon sees it.

    ``opened_at`` is in Unix seconds. ``subprotocol`` is what was agreed on, empty when nothing was. ``closing`` is the
    code and reason of its end, once there is one.

    ``introduced`` is the client's word for itself, once it has said one. ``farewell`` writes what a client of its
    dialect is told before a planned end: the close code, the reason, its delay in seconds, where it resumes; None
    where the dialect has no word for that. ``allowance`` is what it may take. ``rights`` are what its client may do and
    see. ``recollection`` is what its client followed when it was last here; None at a door whose clients ask again by
    themselves.
    """

    __slots__ = (
        "_owner", "allowance", "busy", "client", "closing", "door", "farewell", "id", "introduced", "opened_at",
        "patience", "recollection", "resumed_at", "rights", "slice", "stream", "subprotocol",
    )  # fmt: skip

    def __init__(
        self,
        stream: FrameStream,
        door: Door,
        client: ClientAddress,
        owner: Owner,
        *,
        subprotocol: str = "",
        allowance: Allowance | None = None,
    ) -> None:
        number = next(_numbers)
        self.id = f"c{number}"
        self.slice = number % SLICES
        self.stream = stream
        self.door = door
        self.client = client
        self.subprotocol = subprotocol
        self.opened_at = time.time()
        self.allowance = allowance or _UNLIMITED.allow()
        self.closing: tuple[int, str] | None = None
        self.patience = CLOSE_PATIENCE
        self.introduced = ""
        self.farewell: Farewell | None = None
        self.recollection: Recollection | None = None
        self.rights: Rights = NO_RIGHTS
        # While a message is handled nothing is read, and silence is not the client's.
        self.busy = False
        self.resumed_at = 0.0
        self._owner: Owner | None = owner

    def __repr__(self) -> str:
        return f"<Link {self.id} {self.door.name} {self.client}>"

    def close(self, code: int, reason: str = "", *, patience: float | None = None) -> None:
        """End the link: a Close frame goes behind what waits, then the TCP connection ends within ``patience`` seconds.

        Never blocks. The first close counts, later ones are ignored.

        Raises:
            UsageError: if ``code`` may not stand in a Close frame.
        """
        if not is_sendable(code):
            raise UsageError(f"{code} cannot be sent as a close code")
        if self.closing is None and patience is not None:
            self.patience = patience
        self._tell(code, reason)

    def abort(self, reason: str = "aborted") -> None:
        """End the link at once, without a Close frame; what waits is dropped."""
        self.stream.close()
        self._tell(LINK_LOST, reason)

    def drop(self, reason: str = "dropped", *, patience: float | None = None) -> None:
        """End the link without a Close frame, once what waits is out or ``patience`` is over: it breaks off.

        For clients that come back only from a link that broke. Never blocks.
        """
        if self.closing is None and patience is not None:
            self.patience = patience
        self._tell(LINK_LOST, reason)

    def lost(self, reason: str) -> None:
        """End the link because its socket can be written no more, or more critical frames wait than may."""
        if reason == _BEHIND:
            events.outbox_overflowed(connection=self.id, door=self.door.name)
        self._tell(CRITICAL_BEHIND if reason == _BEHIND else LINK_LOST, reason)

    def end(self, code: int, reason: str) -> None:
        """Note how the link has ended, unless it was told to before."""
        if self.closing is None:
            self.closing = (code, reason)

    def disown(self) -> None:
        """Tell nobody any more: the link is over."""
        self._owner = None

    def _tell(self, code: int, reason: str) -> None:
        if self.closing is None:
            self.closing = (code, reason)
            if self._owner is not None:
                self._owner.link_closing()


class Links:
    """The open links, dealt into ``SLICES``."""

    __slots__ = ("_arrival", "_doors", "_slices", "opened")

    def __init__(self) -> None:
        self._arrival: trio.Event | None = None
        self._slices: tuple[set[Link], ...] = tuple(set() for _ in range(SLICES))
        # Asked for every second: ten thousand links are not looked through for it.
        self._doors: Counter[str] = Counter()
        self.opened = 0

    def __iter__(self) -> Iterator[Link]:
        for part in self._slices:
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self._slices))

    def add(self, link: Link) -> None:
        """Keep ``link`` until it is discarded."""
        self._slices[link.slice].add(link)
        self._doors[link.door.name] += 1
        self.opened += 1
        if self._arrival is not None:
            self._arrival.set()
            self._arrival = None

    async def wait(self) -> None:
        """Return when there are links; one task at a time."""
        if not len(self):
            self._arrival = trio.Event()
            await self._arrival.wait()

    def discard(self, link: Link) -> None:
        """Forget ``link``."""
        links = self._slices[link.slice]
        if link in links:
            links.remove(link)
            self._doors[link.door.name] -= 1

    def slice(self, index: int) -> set[Link]:
        """One part of the links, ``index`` counted round."""
        return self._slices[index % SLICES]

    def by_door(self) -> dict[str, int]:
        """How many links each door has."""
        return {name: count for name, count in self._doors.items() if count}


def close_payload(code: int, reason: str) -> bytes:
    """What a Close frame carries: the code and as much of ``reason`` as fits, cut between characters."""
    text = reason or (CODES[code].meaning if code in CODES else "")
    return code.to_bytes(2, "big") + text.encode()[:_REASON_SIZE].decode(errors="ignore").encode()
