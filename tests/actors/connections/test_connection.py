"""A connection: the session decides, the actor does; and nothing of it is left when it has gone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from actors.channels.keeper import Channels
from actors.connections.connection import ConnectionGate, Neighbours, Opening
from actors.connections.lobby import Lobby
from actors.connections.receipts import Acknowledged, Introduced, Left, Shown
from actors.messages import Follow, Publish, Unfollow
from actors.places import Address
from actors.runtime import ActorDead, AskTimeout, ChildSpec, StartChild, Supervisor, TrioActor, ask
from config import ChannelSettings
from domain import Event, Position, Priority, Publication
from domain.access import OPEN_RIGHTS
from transport import (
    Acknowledge,
    Close,
    Door,
    Grant,
    Introduce,
    Link,
    Response,
    Resume,
    Send,
    Show,
    Step,
    Subscribe,
    Unsubscribe,
    text_frame,
)
from transport.addresses import ClientAddress

CONNECTIONS = "gateway/connections"
CHANNELS = "gateway/channels"


class Script:
    """A session that takes the steps it was given."""

    def __init__(self, *opened: Step, on_message: Callable[[str], list[Step]] | None = None) -> None:
        self.heard: list[tuple[str | bytes, float]] = []
        self._opened = list(opened)
        self._on_message = on_message

    def opened(self, _at: float) -> list[Step]:
        return self._opened

    def received(self, message: str | bytes, at: float) -> list[Step]:
        self.heard.append((message, at))
        return [] if self._on_message is None else self._on_message(str(message))


class Owner:
    """Whoever holds the socket: is told when the link closes."""

    def __init__(self) -> None:
        self.told = 0

    def link_closing(self) -> None:
        self.told += 1


def fail(*_args) -> list[Step]:
    raise RuntimeError("planted")


class Rig:
    """A gate, and links that it may open."""

    def __init__(self, tree, outlet, gate: ConnectionGate) -> None:
        self.tree = tree
        self.gate = gate
        self._outlet = outlet

    def link(self, session=None, **options) -> Link:
        door = Door("test", (), Opening(lambda _link, _request: session or Script(), rights=OPEN_RIGHTS, **options))
        return Link(self._outlet(), door, ClientAddress("127.0.0.1"), Owner())

    async def open(self, session=None, **options):
        link = self.link(session, **options)
        return link, await self.gate.opened(link.door, None, link)

    async def minded(self) -> list[str]:
        return [child.id for child in (await self.tree.status(CONNECTIONS)).children]


@pytest.fixture
def run(grow, client_outlet, keeper, journal):
    @asynccontextmanager
    async def running(
        told: list[object] | None = None, connections=Supervisor, kept=None, noted=None, lobby=None
    ) -> AsyncIterator[Rig]:
        channels = (
            ChildSpec("channels", Channels, (ChannelSettings(),))
            if told is None
            else ChildSpec("channels", keeper, (told,))
        )
        recorder = ChildSpec("recorder", journal, ([] if kept is None else kept,))
        receipts = ChildSpec("receipts", keeper, ([] if noted is None else noted,))
        async with grow([recorder, channels, ChildSpec("connections", connections), receipts]) as tree:
            environment = tree.system.environment
            neighbours = Neighbours(
                Address(environment, CHANNELS),
                recorder=Address(environment, "gateway/recorder"),
                receipts=Address(environment, "gateway/receipts"),
                lobby=lobby,
            )
            gate = ConnectionGate(Response, Address(environment, CONNECTIONS), neighbours, clock=lambda: 17.0)
            yield Rig(tree, client_outlet, gate)

    return running


# -- steps ------------------------------------------------------------------------------------------------


async def test_the_steps_of_a_session_are_taken_in_order(run, dialect):
    told: list[object] = []
    encode = dialect()
    frame = text_frame(b"hello")
    session = Script(
        Send(frame),
        Subscribe("equipment/a", encode, latest=3),
        Unsubscribe("equipment/a"),
        on_message=lambda text: [Send(text_frame(text.encode())), Close(4201, "as asked")],
    )
    async with run(told) as rig:
        link, peer = await rig.open(session)
        await rig.tree.settle()
        assert link.stream.answers == link.stream.frames == [frame]
        assert told == [
            Follow("equipment/a", link.stream, encode, 3, rights=OPEN_RIGHTS),
            Unfollow("equipment/a", link.stream),
        ]
        await peer.received("echo")
        assert link.stream.texts == ["hello", "echo"]
        assert link.closing == (4201, "as asked")
        assert session.heard == [("echo", 17.0)]


async def test_a_subscription_is_handed_on_with_all_that_it_asks_for(run, dialect):
    told: list[object] = []
    encode = dialect()

    def confirm(_outcome):
        return text_frame(b"ok")

    asked = Subscribe("alarms/a", encode, 3, Position("e7", 5), Position("j7", 8), 2.0, confirm)
    async with run(told) as rig:
        link, _ = await rig.open(Script(asked))
        await rig.tree.settle()
        assert told == [
            Follow(
                "alarms/a",
                link.stream,
                encode,
                3,
                Position("e7", 5),
                Position("j7", 8),
                2.0,
                confirm,
                rights=OPEN_RIGHTS,
            )
        ]


async def test_who_introduces_itself_is_known_and_returns_its_credit_by_itself(run):
    noted: list[object] = []

    def tell_end(*_args):
        return text_frame(b"end")

    def tell_gap(_gap):
        return text_frame(b"gap")

    session = Script(on_message=lambda text: [Introduce(text, 32768, tell_gap, tell_end), Grant(4096), Grant(1)])
    async with run(noted=noted) as rig:
        link, peer = await rig.open(session)
        assert link.stream.write_gap is None
        await peer.received("board/2.3")
        await rig.tree.settle()
        assert (link.introduced, link.farewell) == ("board/2.3", tell_end)
        assert (link.stream.credit, link.stream.granted, link.stream.write_gap) == ([32768], [4096, 1], tell_gap)
        assert noted == [Introduced(link, "board/2.3")]


async def test_who_does_not_return_credit_is_asked_by_pings_as_before(run):
    async with run() as rig:
        link, _ = await rig.open(Script(Introduce("board", None, lambda _gap: None, lambda *_args: None)))
        await rig.tree.settle()
        assert link.introduced == "board"
        assert link.stream.credit == []


async def test_receipts_are_handed_on_until_the_link_has_gone(run):
    noted: list[object] = []
    session = Script(on_message=lambda _text: [Acknowledge(Position("j7", 5)), Show(("a", "b"))])
    async with run(noted=noted) as rig:
        link, peer = await rig.open(session)
        await peer.received("x")
        await peer.closed(1000, "bye")
        await rig.tree.settle()
        # A leave is more urgent than a receipt.
        assert sorted(noted, key=str) == [Acknowledged(link, Position("j7", 5)), Left(link), Shown(link, ("a", "b"))]


def fires(*numbers: int) -> list[Publication]:
    """Critical publications as the journal gives them."""
    return [
        Publication(
            "andon/a",
            "j7",
            0,
            0.0,
            Event(f"fire{number}", "/a", "andon.call.raised", None, 0.0, Priority.CRITICAL),
            Position("j7", number),
        )
        for number in numbers
    ]


def resume(since, encode, *then: Subscribe) -> Resume:
    return Resume(
        since, None, encode, lambda now: text_frame(f"{now.recovered} {now.missed} {now.newest}".encode()), then
    )


async def test_who_resumes_is_told_what_it_missed_before_it_follows_anything(run, dialect):
    told: list[object] = []
    encode = dialect()
    follow = Subscribe("andon/a", encode, since=Position("e7", 3), critical_after=Position("j7", 1))
    session = Script(on_message=lambda _text: [resume(Position("j7", 1), encode, follow, Subscribe("andon/*", encode))])
    async with run(told, kept=fires(1, 2, 3)) as rig:
        link, peer = await rig.open(session)
        await peer.received("connect")
        await rig.tree.settle()
        assert link.stream.texts == ["True 2 j7:3", "fire2", "fire3"]
        assert [frame.priority for frame in link.stream.frames[1:]] == [Priority.CRITICAL] * 2
        assert told == [
            Follow(
                "andon/a",
                link.stream,
                encode,
                since=Position("e7", 3),
                critical_after=Position("j7", 3),
                rights=OPEN_RIGHTS,
            ),
            Follow("andon/*", link.stream, encode, critical_after=Position("j7", 3), rights=OPEN_RIGHTS),
        ]


async def test_what_is_live_comes_behind_what_was_missed_and_nothing_falls_between(run, make_event, dialect):
    encode = dialect()
    kept = fires(1, 2, 3)
    session = Script(on_message=lambda _text: [resume(Position("j7", 1), encode, Subscribe("andon/*", encode))])
    async with run(kept=kept) as rig:
        channels = rig.tree.ref(CHANNELS)
        for one in kept:
            channels.tell(Publish(one.event, one.critical))
        link, peer = await rig.open(session)
        await rig.tree.settle()

        async def speak() -> None:
            await peer.received("connect")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(speak)
            for one in fires(*range(4, 30)):
                kept.append(one)
                channels.tell(Publish(one.event, one.critical))
                await trio.lowlevel.checkpoint()
        await rig.tree.settle()
        told = [text for text in link.stream.texts if text.startswith("fire")]
        assert told == [f"fire{number}" for number in range(2, 30)]


async def test_who_must_introduce_itself_and_does_not_is_closed(run, nursery, dialect, autojump_clock):
    lobby = Lobby(10.0)
    nursery.start_soon(lobby.watch)
    known = Script(on_message=lambda _text: [Introduce("board", None, lambda _gap: None, lambda *_args: None)])
    async with run(lobby=lobby) as rig:
        silent, _ = await rig.open(must_introduce=True)
        greeted, peer = await rig.open(known, must_introduce=True)
        follows, _ = await rig.open(Script(Subscribe("equipment/*", dialect())), must_introduce=True)
        need_not, _ = await rig.open()
        _, gone_peer = await rig.open(must_introduce=True)
        await peer.received("connect")
        await gone_peer.closed(1006, "")
        await trio.sleep(11)
        assert silent.closing == (4003, "not connected in time")
        assert [link.closing for link in (greeted, follows, need_not)] == [None] * 3
        assert len(lobby) == 0


async def test_a_link_that_cannot_be_minded_is_not_waited_for(run):
    lobby = Lobby(10.0)
    async with run(lobby=lobby) as rig:
        door = Door("test", (), Opening(fail, must_introduce=True))
        with pytest.raises(RuntimeError, match="planted"):
            await rig.gate.opened(door, None, rig.link())
        assert len(lobby) == 0


async def test_the_next_message_is_read_when_this_one_is_handled(run):
    session = Script()
    async with run() as rig:
        _, peer = await rig.open(session)
        for number in range(100):
            await peer.received(str(number))
            assert len(session.heard) == number + 1


async def test_a_door_that_leads_nowhere_is_a_fault_of_ours(run):
    async with run() as rig:
        link = rig.link()
        with pytest.raises(TypeError, match="leads nowhere"):
            await rig.gate.opened(Door("test"), None, link)
        assert await rig.minded() == []


# -- failures ---------------------------------------------------------------------------------------------


async def test_a_session_that_fails_at_the_opening_closes_its_link_and_nobody_elses(run, dialect):
    async with run() as rig:
        well, _ = await rig.open()
        for session in (Script(Subscribe("equipment/a", dialect()), Close(17, "no such code")), _FailsAtOnce()):
            link, peer = await rig.open(session)
            await rig.tree.settle()
            assert link.closing == (1011, "internal error")
            with pytest.raises(ActorDead):
                await peer.received("anybody there?")
        assert well.closing is None
        assert await rig.minded() == [well.id]
        assert (await rig.tree.status(CHANNELS)).description["followers"] == 0


class _FailsAtOnce(Script):
    def opened(self, _at: float) -> list[Step]:
        return fail()


async def test_a_session_that_fails_at_a_message_fails_whoever_handed_it_on_and_nobody_else(run):
    async with run() as rig:
        well, other = await rig.open()
        _, peer = await rig.open(Script(on_message=fail))
        # The server closes the link with 1011 when this is raised.
        with pytest.raises(RuntimeError, match="planted"):
            await peer.received("x")
        await other.received("x")
        assert well.closing is None


async def test_a_link_whose_actor_ended_is_closed(run, dialect):
    async with run() as rig:
        link, peer = await rig.open(Script(Subscribe("equipment/*", dialect())))
        await rig.tree.settle()
        # Supervision gives up all connections; nobody has told the client.
        rig.tree.ref(CONNECTIONS).tell(StartChild(None))
        await trio.sleep(0.02)
        assert link.closing == (1011, "internal error")
        with pytest.raises(ActorDead):
            await peer.received("x")
        assert (await rig.tree.status(CHANNELS)).description["followers"] == 0


async def test_a_session_that_cannot_be_made_leaves_nothing(run):
    async with run() as rig:
        link = rig.link()
        with pytest.raises(RuntimeError, match="planted"):
            await rig.gate.opened(Door("test", (), Opening(fail)), None, link)
        assert await rig.minded() == []


# -- release ----------------------------------------------------------------------------------------------


async def test_a_link_that_has_gone_leaves_no_actor_and_no_follower(run, dialect):
    encode = dialect()
    async with run() as rig:
        link, peer = await rig.open(Script(Subscribe("equipment/a", encode), Subscribe("alarms/*", encode)))
        stays, _ = await rig.open(Script(Subscribe("equipment/a", encode)))
        await rig.tree.settle()
        assert (await rig.tree.status(CHANNELS)).description["followers"] == 2
        link.end(1000, "bye")
        await peer.closed(1000, "bye")
        await rig.tree.settle()
        assert await rig.minded() == [stays.id]
        assert (await rig.tree.status(CHANNELS)).description == {"channels": 1, "followers": 1, "trees": []}
        assert link.closing == (1000, "bye")


async def test_a_client_that_goes_while_its_link_opens_leaves_nothing(run, dialect):
    async with run() as rig:
        for turns in range(6):
            link = rig.link(Script(Subscribe("equipment/*", dialect())))
            peers = []

            async def open_link(link=link, peers=peers) -> None:
                peers.append(await rig.gate.opened(link.door, None, link))

            async with trio.open_nursery() as nursery:
                nursery.start_soon(open_link)
                for _ in range(turns):
                    await trio.lowlevel.checkpoint()
                nursery.cancel_scope.cancel()
            for peer in peers:
                await peer.closed(1006, "")
            await rig.tree.settle()
            assert await rig.minded() == []
            assert (await rig.tree.status(CHANNELS)).description["followers"] == 0


class Slow(Supervisor):
    """Takes its time before it starts anybody."""

    async def on_receive(self, message: object) -> object:
        if type(message) is StartChild:
            await trio.sleep(60)
        return super().on_receive(message)


async def test_a_link_that_is_minded_too_late_is_not_minded_at_all(run, dialect, autojump_clock):
    async with run(connections=Slow) as rig:
        with pytest.raises(AskTimeout):
            await rig.open(Script(Subscribe("equipment/*", dialect())))
        await trio.sleep(120)
        assert await rig.minded() == []
        assert (await rig.tree.status(CHANNELS)).description["followers"] == 0


async def test_a_thousand_links_that_come_and_go_leave_nothing(run, dialect):
    encode = dialect()
    async with run() as rig:
        await rig.tree.settle()
        tasks = trio.lowlevel.current_statistics().tasks_living
        registered = len(rig.tree.system.environment.registry)
        for _ in range(10):
            opened = [
                await rig.open(Script(Subscribe("equipment/a", encode), Subscribe("equipment/*", encode)))
                for _ in range(100)
            ]
            await rig.tree.settle()
            assert (await rig.tree.status(CHANNELS)).description["followers"] == 100
            for link, peer in opened:
                link.end(1001, "going away")
                await peer.closed(1001, "going away")
            await rig.tree.settle()
        assert await rig.minded() == []
        assert (await rig.tree.status(CHANNELS)).description["followers"] == 0
        # The one channel that was followed stays until it is idle for a while.
        assert trio.lowlevel.current_statistics().tasks_living == tasks + 1
        assert len(rig.tree.system.environment.registry) == registered


async def test_a_link_can_be_let_go_while_its_supervisor_is_away(run):
    async with run() as rig:
        link, peer = await rig.open()
    await peer.closed(1006, "")
    rig.gate.release(link)
    with pytest.raises(ActorDead):
        await peer.received("x")


async def test_plain_messages_are_nothing_to_a_connection(run):
    async with run() as rig:
        link, peer = await rig.open()
        assert isinstance(peer._ref.actor_inbox.owner, TrioActor)
        assert await ask(peer._ref, "not from a client") is None
        assert link.closing is None
