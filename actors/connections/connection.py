"""One socket of one client: takes the steps that its session decides on.

Rules of this file: the session decides, the connection does. Deliveries do not pass through here: the
channel writes frames to the connection's outbox, which is its mailbox for them. What a client says while an earlier
message of it is still being handled waits; so what it resumes comes before what it asks for next.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from actors.audit.words import AuditTrail
from actors.connections.lobby import NOT_CONNECTED, REASON, Lobby
from actors.connections.prompter import Prompter
from actors.connections.receipts import Acknowledged, Introduced, Left, Shown
from actors.connections.resumption import Resumption
from actors.connections.unrecovered import Unrecovered
from actors.connections.warden import Warden
from actors.messages import Follow, Received, Unfollow
from actors.places import Address
from actors.runtime import (
    ActorDead,
    ActorRef,
    ChildSpec,
    MailboxFull,
    Restart,
    StartChild,
    StopChild,
    TrioActor,
    as_ref,
    ask,
)
from domain import Priority, Refused
from domain.access import NO_RIGHTS, Rights
from domain.audit import Whence
from transport import (
    RIGHTS_CHANGED,
    Acknowledge,
    Admit,
    Close,
    Door,
    Enquire,
    Express,
    Grant,
    Introduce,
    Link,
    Prompt,
    Request,
    Response,
    Resume,
    Send,
    Session,
    Show,
    Step,
    Subscribe,
    Unsubscribe,
    Withhold,
    holder_of,
    told,
)

INTERNAL_ERROR = 1011
POLICY_VIOLATION = 1008
START_TIMEOUT = 5.0

Answerer = Callable[[object], Awaitable[object]]
"""Who answers what the sessions behind a door enquire; raises ``Refused`` for what is refused."""


class Proceed(msgspec.Struct, frozen=True):
    """What is left to be done of opening a session: it asks somebody, and nobody who comes in waits for that."""

    steps: Sequence[Step]
    priority: ClassVar[Priority] = Priority.CRITICAL


class Neighbours(msgspec.Struct, frozen=True):
    """Whom a connection speaks to: the keeper of the channels, and who else there is.

    ``recorder`` knows what was missed, ``receipts`` notes what was received, ``lobby`` waits for introductions,
    ``unrecovered`` for the journal; ``prompter`` speaks to who says nothing, ``warden`` sends away
    whose rights are over.
    """

    channels: Address
    recorder: Address | None = None
    receipts: Address | None = None
    lobby: Lobby | None = None
    unrecovered: Unrecovered | None = None
    prompter: Prompter | None = None
    warden: Warden | None = None

    def tell_receipts(self, message: object) -> None:
        """Tell who notes receipts; without one, or without room, a receipt changes nothing."""
        if self.receipts is not None:
            with suppress(ActorDead, MailboxFull):
                self.receipts.tell(message)

    def leave_lobby(self, link: Link) -> None:
        """``link`` is not waited for any more."""
        if self.lobby is not None:
            self.lobby.leave(link)

    def forget(self, link: Link) -> None:
        """``link`` is gone."""
        self.leave_lobby(link)
        if self.unrecovered is not None:
            self.unrecovered.leave(link)
        if self.prompter is not None:
            self.prompter.leave(link)
        if self.warden is not None:
            self.warden.leave(link)
        self.tell_receipts(Left(link))


class Connection(TrioActor):
    """The actor of one open link; ``answer`` is who answers what its session enquires."""

    mailbox_limit = 64

    def __init__(
        self,
        session: Session,
        link: Link,
        neighbours: Neighbours,
        clock: Callable[[], float],
        answer: Answerer | None = None,
    ) -> None:
        super().__init__()
        self._answer = answer
        self._session = session
        self._link = link
        self._neighbours = neighbours
        self._clock = clock
        self._follows = False

    async def setup(self) -> None:
        """Take the steps that opening the session asks for."""
        try:
            steps = self._session.opened(self._clock())
            asks = next((index for index, step in enumerate(steps) if isinstance(step, Enquire)), len(steps))
            await self._take(steps[:asks])
            if asks < len(steps):
                self.actor_ref.tell(Proceed(steps[asks:]))
        except Exception:
            # What is not set up is not closed either, but may be half open.
            await self.close()
            raise

    async def close(self) -> None:
        """Follow nothing more; a client that is still there must not wait on a socket that nobody minds."""
        self._link.close(INTERNAL_ERROR, "internal error")
        # Told from here and not at the release, so that it comes behind whatever this life followed.
        with suppress(ActorDead):
            self._neighbours.channels.tell(Unfollow(None, self._link.stream))

    async def on_receive(self, message: object) -> None:
        """Let the session decide what a client's message means."""
        if type(message) is Received:
            if self._neighbours.prompter is not None:
                self._neighbours.prompter.heard(self._link)
            await self._take(self._session.received(message.message, self._clock()))
        elif type(message) is Proceed:
            await self._take(message.steps)

    async def _take(self, steps: Sequence[Step]) -> None:
        outlet = self._link.stream
        for step in steps:
            match step:
                case Send(frame=frame):
                    outlet.send(frame)
                case Subscribe():
                    self._follow(step)
                case Unsubscribe(channel=channel):
                    self._link.allowance.leave(channel)
                    self._neighbours.channels.tell(Unfollow(channel, outlet))
                case Resume():
                    await self._resume(step)
                case Enquire():
                    await self._enquire(step)
                case Close(code=code, reason=reason):
                    self._link.close(code, reason)
                case _:
                    self._note(step)

    def _note(self, step: Step) -> None:
        """Take a step that tells of the client itself."""
        match step:
            case Introduce():
                self._introduce(step)
            case Grant(size=size):
                self._link.stream.grant(size)
            case Acknowledge(position=position):
                self._neighbours.tell_receipts(Acknowledged(self._link, position))
            case Show(ids=ids):
                self._neighbours.tell_receipts(Shown(self._link, ids))
            case Withhold(why=why):
                self._withhold(why)
            case Admit(rights=rights):
                self._admit(rights)
            case Express(gap=gap, disconnect=disconnect):
                self._link.stream.tell_gaps(gap)
                self._link.farewell = disconnect
            case Prompt():
                if self._neighbours.prompter is not None:
                    self._neighbours.prompter.enter(self._link, step)

    def _withhold(self, why: str) -> None:
        link, identity = self._link, self._link.rights.identity
        whence = Whence(link.client.host, link.door.name, identity.session)
        AuditTrail(self.life.environment, self._clock).refused("sight", why, "sight", whence, identity)

    def _introduce(self, step: Introduce) -> None:
        link = self._link
        if step.credit is not None:
            link.stream.use_credit(step.credit)
        link.stream.tell_gaps(step.gap)
        link.introduced = step.client
        link.farewell = step.disconnect
        self._neighbours.leave_lobby(link)
        self._neighbours.tell_receipts(Introduced(link, step.client))

    def _admit(self, rights: Rights) -> None:
        link = self._link
        if self._follows and rights != link.rights:
            # What it follows was chosen by what it might see before.
            link.close(*RIGHTS_CHANGED)
            return
        excess = link.allowance.identify(*holder_of(rights.identity))
        if excess is not None:
            told(excess, link.client.host)
            link.close(POLICY_VIOLATION, excess.words)
            return
        link.rights = rights
        if self._neighbours.warden is not None:
            self._neighbours.warden.enter(link)

    async def _enquire(self, step: Enquire) -> None:
        if self._answer is None:
            raise TypeError(f"nobody answers behind the door {self._link.door.name}")
        try:
            answer = await self._answer(step.question)
        except Refused as refused:
            answer = refused
        await self._take(step.then(answer))

    async def _resume(self, step: Resume) -> None:
        neighbours = self._neighbours
        resumption = Resumption(
            self._link, neighbours.recorder, step, unrecovered=neighbours.unrecovered, progressed=self.progressed
        )
        newest = await resumption.run()
        if self._link.closing is None:
            for subscribe in step.then:
                self._follow(replace(subscribe, critical_after=newest))

    def _follow(self, step: Subscribe) -> None:
        excess = self._link.allowance.follow(step.channel)
        if excess is not None:
            told(excess, self._link.client.host)
            self._link.close(POLICY_VIOLATION, excess.words)
            return
        self._follows = True
        # Whoever may follow is known well enough.
        self._neighbours.leave_lobby(self._link)
        self._neighbours.channels.tell(
            Follow(
                step.channel,
                self._link.stream,
                step.encode,
                step.latest,
                step.since,
                step.critical_after,
                step.max_hz,
                step.confirm,
                rights=self._link.rights,
            )
        )


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


class Opening(msgspec.Struct, frozen=True):
    """What opens behind a door: the maker of the session, given the link and the request.

    Who ``must_introduce`` itself is closed when it has not done so in time, with the code and reason of ``late``.
    ``answer`` answers what sessions enquire; ``ended`` is told of the end of each. ``rights`` are what the client may
    do and see from the beginning: nothing, until somebody found out who it is.
    """

    session: Callable[[Link, Request], Session]
    must_introduce: bool = False
    answer: Answerer | None = None
    ended: Callable[[Link], None] | None = None
    late: tuple[int, str] = (NOT_CONNECTED, REASON)
    rights: Rights = NO_RIGHTS


class ConnectionGate:
    """Where the server asks which door opens, and where a link becomes an actor.

    ``doors`` finds the door of a request; ``connections`` supervises one temporary child a link, which speaks to the
    ``neighbours``.
    """

    def __init__(
        self,
        doors: Callable[[Request], Door | Response],
        connections: Address,
        neighbours: Neighbours,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._doors = doors
        self._connections = connections
        self._neighbours = neighbours
        self._clock = clock

    def door(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or the answer that says why there is none."""
        found = self._doors(request)
        if not isinstance(found, Door) or not isinstance(found.context, Opening):
            return found
        user, tenant = holder_of(found.context.rights.identity)
        return replace(found, user=user, tenant=tenant) if user or tenant else found

    async def opened(self, door: Door, request: Request, link: Link) -> ConnectionPeer:
        """Start the actor that minds ``link``."""
        if not isinstance(door.context, Opening):
            raise TypeError(f"the door {door.name} leads nowhere")
        link.rights = door.context.rights
        session = door.context.session(link, request)
        args = (session, link, self._neighbours, self._clock, door.context.answer)
        spec = ChildSpec(link.id, Connection, args, restart=Restart.TEMPORARY, shutdown=1.0)
        if self._neighbours.warden is not None:
            self._neighbours.warden.enter(link)
        if door.context.must_introduce and self._neighbours.lobby is not None:
            self._neighbours.lobby.enter(link, *door.context.late)
        try:
            ref = as_ref(await ask(self._connections.ref, StartChild(spec), START_TIMEOUT))
        except BaseException:
            # It may be started yet; the word to end it comes behind.
            self.release(link)
            raise
        return ConnectionPeer(self, link, ref)

    def release(self, link: Link) -> None:
        """Let go of everything that ``link`` held."""
        if isinstance(link.door.context, Opening) and link.door.context.ended is not None:
            link.door.context.ended(link)
        self._neighbours.forget(link)
        # While the supervisor of the connections begins anew, it holds nothing that could be let go of.
        with suppress(ActorDead):
            self._connections.tell(StopChild(link.id))
