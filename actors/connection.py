"""One socket of one client: takes the steps that its session decides on.

Rules of this file: the session decides, the connection does. Deliveries do not pass through here: the
channel writes frames to the connection's outbox, which is its mailbox for them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from actors.messages import Follow, Received, Unfollow
from actors.places import Address
from actors.runtime import ActorDead, ActorRef, ChildSpec, Restart, StartChild, StopChild, TrioActor, as_ref, ask
from transport import Close, Door, Link, Request, Response, Send, Session, Step, Subscribe, Unsubscribe

INTERNAL_ERROR = 1011
START_TIMEOUT = 5.0


class Connection(TrioActor):
    """The actor of one open link; ``channels`` is the keeper of the channels."""

    mailbox_limit = 64

    def __init__(self, session: Session, link: Link, channels: Address, clock: Callable[[], float]) -> None:
        super().__init__()
        self._session = session
        self._link = link
        self._channels = channels
        self._clock = clock

    async def setup(self) -> None:
        """Take the steps that opening the session asks for."""
        try:
            self._take(self._session.opened(self._clock()))
        except Exception:
            # What is not set up is not closed either, but may be half open.
            await self.close()
            raise

    async def close(self) -> None:
        """Follow nothing more; a client that is still there must not wait on a socket that nobody minds."""
        self._link.close(INTERNAL_ERROR, "internal error")
        # Told from here and not at the release, so that it comes behind whatever this life followed.
        with suppress(ActorDead):
            self._channels.tell(Unfollow(None, self._link.stream))

    def on_receive(self, message: object) -> None:
        """Let the session decide what a client's message means."""
        if type(message) is Received:
            self._take(self._session.received(message.message, self._clock()))

    def _take(self, steps: list[Step]) -> None:
        outlet = self._link.stream
        for step in steps:
            match step:
                case Send(frame=frame):
                    outlet.offer(frame)
                case Subscribe(channel=channel, encode=encode, latest=latest):
                    self._channels.tell(Follow(channel, outlet, encode, latest))
                case Unsubscribe(channel=channel):
                    self._channels.tell(Unfollow(channel, outlet))
                case Close(code=code, reason=reason):
                    self._link.close(code, reason)


class ConnectionPeer:
    """What the server speaks to when a client has spoken, or has gone."""

    __slots__ = ("_gate", "_link", "_ref")

    def __init__(self, gate: ConnectionGate, link: Link, ref: ActorRef) -> None:
        self._gate = gate
        self._link = link
        self._ref = ref

    async def received(self, message: str | bytes) -> None:
        """Hand ``message`` to the connection's actor and wait until it is handled: that is the back-pressure."""
        await self._ref.ask(Received(message), block=False)

    async def closed(self, code: int, reason: str) -> None:
        """Let go of everything that the connection held."""
        del code, reason
        self._gate.release(self._link)


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens behind a door: the maker of the session, given the link and the request."""

    session: Callable[[Link, Request], Session]


class ConnectionGate:
    """Where the server asks which door opens, and where a link becomes an actor.

    ``doors`` finds the door of a request; ``connections`` supervises one temporary child a link.
    """

    def __init__(
        self,
        doors: Callable[[Request], Door | Response],
        connections: Address,
        channels: Address,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._doors = doors
        self._connections = connections
        self._channels = channels
        self._clock = clock

    def door(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or the answer that says why there is none."""
        return self._doors(request)

    async def opened(self, door: Door, request: Request, link: Link) -> ConnectionPeer:
        """Start the actor that minds ``link``."""
        if not isinstance(door.context, Opening):
            raise TypeError(f"the door {door.name} leads nowhere")
        args = (door.context.session(link, request), link, self._channels, self._clock)
        spec = ChildSpec(link.id, Connection, args, restart=Restart.TEMPORARY, shutdown=1.0)
        try:
            ref = as_ref(await ask(self._connections.ref, StartChild(spec), START_TIMEOUT))
        except BaseException:
            # It may be started yet; the word to end it comes behind.
            self.release(link)
            raise
        return ConnectionPeer(self, link, ref)

    def release(self, link: Link) -> None:
        """Let go of everything that ``link`` held."""
        # While the supervisor of the connections begins anew, it holds nothing that could be let go of.
        with suppress(ActorDead):
            self._connections.tell(StopChild(link.id))
