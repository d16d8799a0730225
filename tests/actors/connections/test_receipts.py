from __future__ import annotations

import socket
from collections import deque
from contextlib import asynccontextmanager

import pytest
import structlog
import trio

from actors.connections.receipts import LOOK, NOTED, SHOWN, SLICE, Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.messages import EventTaken
from actors.runtime import ChildSpec, Supervisor, TrioActor
from config import ReceiptSettings
from domain import Position, Priority, Publication
from telemetry import counters, gauges
from telemetry.logs import log
from transport import FrameStream
from transport.dialects.native import JSON
from transport.outbox import Limits

PATH = "gateway/receipts"
BEGIN = 1_800_000_000.0


class Outlet:
    """A client's stream as the receipts know it: it notes what is critical while somebody looks."""

    def __init__(self) -> None:
        self.criticals: deque[Publication] | None = None


class Link:
    """A client's link as the receipts know it."""

    def __init__(self, id: str) -> None:  # noqa: A002
        self.id = id
        self.stream = Outlet()
        self.closing: tuple[int, str] | None = None


class Desk(TrioActor):
    """Keeps what it is told; while ``doors`` are closed it takes nothing."""

    def __init__(self, told: list, doors: dict) -> None:
        super().__init__()
        self._told = told
        self._doors = doors

    async def on_receive(self, message: object) -> None:
        while self._doors.get("closed"):  # noqa: ASYNC110
            await trio.sleep(0.1)
        assert type(message) is EventTaken
        self._told.append((trio.current_time(), message.event))


class Rig:
    def __init__(self, make_event) -> None:
        self.book = Book()
        self.settings = ReceiptSettings()
        self.told: list = []
        self.doors: dict = {}
        self.tree = None
        self._make_event = make_event
        self._newest = 0

    async def introduce(self, id: str = "c1", word: str = "board/1") -> Link:  # noqa: A002
        link = Link(id)
        await self.tell(Introduced(link, word))
        return link

    async def tell(self, message: object) -> None:
        self.tree.ref(PATH).tell(message)
        await self.tree.settle()

    def hand(self, *links: Link, count: int = 1, epoch: str = "e7") -> Publication:
        for _ in range(count):
            self._newest += 1
            event = self._make_event(f"id{self._newest}", Priority.CRITICAL, "andon.call.raised")
            position = Position(epoch, self._newest)
            publication = Publication("andon/acme", "x", self._newest, BEGIN, event, position)
            for link in links:
                if link.stream.criticals is not None:
                    link.stream.criticals.append(publication)
        return publication

    def words(self) -> list[tuple[str, str, str]]:
        return [(event.type, event.data["connection"], event.data["kind"]) for _, event in self.told]

    async def says(self) -> dict:
        return (await self.tree.status(PATH)).description


@pytest.fixture
def run(grow, make_event, keeper):
    @asynccontextmanager
    async def running(room: int = 1000):
        rig = Rig(make_event)
        desk = type("Desk", (Desk,), {"mailbox_limit": room})
        desks = [ChildSpec("floor", desk, (rig.told, rig.doors)), ChildSpec("portal", keeper, ([],))]
        args = (lambda: rig.settings, rig.book, lambda: BEGIN + trio.current_time())
        specs = [ChildSpec("desks", Supervisor, (desks,)), ChildSpec("receipts", Receipts, args)]
        async with grow(specs) as rig.tree:
            yield rig
            rig.doors.clear()

    return running


async def test_a_client_that_does_not_say_that_it_received_is_told_of_once(run, autojump_clock):
    async with run() as rig:
        link = await rig.introduce()
        publication = rig.hand(link)
        await trio.sleep(60)
        ((at, event),) = rig.told
        assert 10.0 <= at <= 10.0 + 2 * LOOK
        assert (event.type, event.subject, event.priority) == ("receipt.overdue", "board/1", Priority.HIGH)
        assert (event.data["kind"], event.data["count"], event.data["connection"]) == ("received", 1, "c1")
        assert (event.data["oldest"]["id"], event.data["oldest"]["position"]) == (publication.event.id, "e7:1")
        assert gauges.read("receipts_overdue") == {"received": 1.0, "shown": 0.0}
    assert gauges.read("receipts_overdue") is None


async def test_who_says_it_in_time_is_never_told_of(run, autojump_clock):
    before = counters.receipts_received
    async with run() as rig:
        link = await rig.introduce()
        for _ in range(20):
            publication = rig.hand(link, count=3)
            await trio.sleep(9)
            await rig.tell(Acknowledged(link, publication.critical))
        assert rig.told == []
    assert counters.receipts_received - before == 20


async def test_what_is_made_up_is_settled(run, autojump_clock):
    async with run() as rig:
        link = await rig.introduce()
        publication = rig.hand(link, count=2)
        await trio.sleep(15)
        await rig.tell(Acknowledged(link, publication.critical))
        await trio.sleep(2)
        assert rig.words() == [("receipt.overdue", "c1", "received"), ("receipt.settled", "c1", "received")]
        assert rig.told[-1][1].data["cause"] == "came"


async def test_shown_is_owed_by_who_has_said_it_once(run, autojump_clock):
    before = counters.receipts_shown
    async with run() as rig:
        shows, silent = await rig.introduce("c1"), await rig.introduce("c2")
        await rig.tell(Shown(shows, ("early",)))
        publication = rig.hand(shows, silent)
        for link in (shows, silent):
            await rig.tell(Acknowledged(link, publication.critical))
        await trio.sleep(40)
        assert rig.words() == [("receipt.overdue", "c1", "shown")]
        assert 30.0 <= rig.told[0][0] <= 30.0 + 2 * LOOK
        await rig.tell(Shown(shows, (publication.event.id,)))
        await trio.sleep(2)
        assert rig.words()[1:] == [("receipt.settled", "c1", "shown")]
    assert counters.receipts_shown - before == 2


@pytest.mark.parametrize(
    ("position", "reason"), [(Position("e7", 9), "ahead"), (Position("e6", 1), "epoch"), (Position("e7", 1), "old")]
)
async def test_a_receipt_that_cannot_be_is_counted_and_changes_nothing(run, autojump_clock, position, reason):
    before = counters.receipts_ignored[reason]
    async with run() as rig:
        link = await rig.introduce()
        await rig.tell(Acknowledged(link, rig.hand(link).critical))
        rig.hand(link)
        await rig.tell(Acknowledged(link, position))
        assert (await rig.says())["worst"][0]["received"] == "e7:1"
        await trio.sleep(15)
        assert rig.words() == [("receipt.overdue", "c1", "received")]
    assert counters.receipts_ignored[reason] - before == 1


async def test_what_was_handed_over_since_the_last_look_can_be_received_and_shown_at_once(run, autojump_clock):
    async with run() as rig:
        link = await rig.introduce()
        await rig.tell(Shown(link, ()))
        publication = rig.hand(link)
        await rig.tell(Acknowledged(link, publication.critical))
        await rig.tell(Shown(link, (publication.event.id,)))
        await trio.sleep(60)
        assert rig.told == []


async def test_who_is_a_stranger_owes_nothing(run, autojump_clock):
    async with run() as rig:
        link = Link("c9")
        await rig.tell(Acknowledged(link, Position("e7", 1)))
        await rig.tell(Shown(link, ("id1",)))
        await rig.tell(Left(link))
        assert link.stream.criticals is None
        assert (await rig.says())["clients"] == 0


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_client_that_leaves_ends_its_debts(run, autojump_clock, is_told):
    async with run() as rig:
        gone, stays = await rig.introduce("c1"), await rig.introduce("c2")
        rig.hand(gone)
        await trio.sleep(15)
        if is_told:
            await rig.tell(Left(gone))
        else:
            gone.closing = (1006, "link lost")
        await trio.sleep(2)
        assert rig.words() == [("receipt.overdue", "c1", "received"), ("receipt.settled", "c1", "received")]
        assert rig.told[-1][1].data["cause"] == "left"
        assert gone.stream.criticals is None
        assert stays.stream.criticals is not None
        rig.hand(stays)
        await rig.tell(Left(stays))
        await trio.sleep(30)
        assert len(rig.told) == 2


async def test_who_has_gone_before_anybody_heard_of_him_is_not_kept(run, autojump_clock):
    async with run() as rig:
        link = Link("c1")
        link.closing = (1006, "link lost")
        await rig.tell(Introduced(link, "board"))
        assert (await rig.says())["clients"] == 0


async def test_what_the_desk_has_no_room_for_is_told_later(run, autojump_clock):
    async with run(room=1) as rig:
        links = [await rig.introduce(f"c{number}") for number in range(5)]
        rig.hand(*links)
        rig.doors["closed"] = True
        await trio.sleep(30)
        assert rig.told == []
        rig.doors.clear()
        await trio.sleep(10)
        assert sorted(connection for _, connection, _ in rig.words()) == [link.id for link in links]


async def test_a_restart_neither_forgets_nor_repeats(run, autojump_clock):
    async with run() as rig:
        link, other = await rig.introduce("c1"), await rig.introduce("c2")
        rig.hand(link, other)
        await trio.sleep(5)
        rig.tree.ref(PATH).tell(Shown(link, None))  # type: ignore[arg-type]
        await trio.sleep(10)
        assert sorted(rig.words()) == [("receipt.overdue", name, "received") for name in ("c1", "c2")]
        assert 10.0 <= rig.told[0][0] <= 10.0 + 2 * LOOK
        rig.tree.ref(PATH).tell(Shown(link, None))  # type: ignore[arg-type]
        await trio.sleep(10)
        assert len(rig.told) == 2
        assert (await rig.tree.status(PATH)).restarts == 2
        assert (await rig.says())["clients"] == 2


async def test_a_reload_changes_what_is_asked_for(run, autojump_clock):
    async with run() as rig:
        rig.settings = ReceiptSettings(received=0.0)
        link = await rig.introduce()
        rig.hand(link)
        await trio.sleep(60)
        assert rig.told == []
        rig.settings = ReceiptSettings(received=2.0)
        await trio.sleep(2)
        assert rig.words() == [("receipt.overdue", "c1", "received")]


async def test_the_status_says_who_owes_most_and_not_everybody(run, autojump_clock):
    async with run() as rig:
        links = [await rig.introduce(f"c{number}") for number in range(SHOWN + 10)]
        for number, link in enumerate(links[1:], 1):
            rig.hand(link, count=number)
        await trio.sleep(2)
        says = await rig.says()
        assert (says["clients"], len(says["worst"])) == (SHOWN + 10, SHOWN)
        worst = says["worst"][0]
        assert (worst["connection"], worst["lag"], worst["received"], worst["overdue"]) == (links[-1].id, 73, None, [])
        await trio.sleep(15)
        says = await rig.says()
        assert says["overdue"] == {"received": SHOWN + 9, "shown": 0}
        assert says["worst"][0]["overdue"] == ["received"]


async def test_others_get_their_turn_while_many_clients_are_looked_at(run, autojump_clock):
    turns = 0
    async with run() as rig, trio.open_nursery() as nursery:
        for number in range(SLICE * 6):
            rig.book.open(Link(f"c{number}"), "board")

        async def count() -> None:
            nonlocal turns
            while True:
                await trio.lowlevel.checkpoint()
                turns += 1

        look = rig.tree.ref(PATH).actor_inbox.owner._look_at_all
        nursery.start_soon(count)
        await trio.lowlevel.checkpoint()
        before = turns
        await look()
        assert turns - before >= 3
        nursery.cancel_scope.cancel()


async def test_what_is_noted_for_one_client_is_bounded_and_the_newest_stay(run, autojump_clock):
    async with run() as rig:
        link = await rig.introduce()
        newest = rig.hand(link, count=NOTED + 100)
        assert len(link.stream.criticals) == NOTED
        await rig.tell(Acknowledged(link, newest.critical))
        await trio.sleep(60)
        assert rig.told == []


async def test_it_is_logged_and_the_client_is_named(run, autojump_clock):
    async with run() as rig:
        link = await rig.introduce()
        log._seconds.clear()
        with structlog.testing.capture_logs() as lines:
            rig.hand(link)
            await trio.sleep(15)
            await rig.tell(Left(link))
            await trio.sleep(2)
        assert [(line["event"], line["client"], line["connection"]) for line in lines] == [
            ("receipt.overdue", "board/1", "c1"),
            ("receipt.settled", "board/1", "c1"),
        ]


async def test_the_real_stream_notes_what_it_writes_at_once_and_what_it_queues(make_event):
    near, far = socket.socketpair()
    near.setblocking(False)
    with near, far:
        async with trio.open_nursery() as nursery:
            stream = FrameStream(near, nursery, Limits(100_000, 1000))
            link = Link("c1")
            link.stream = stream
            book = Book()
            offer(stream, make_event, 1)
            book.open(link, "board")
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            offsets = range(2, 500)
            for offset in offsets:
                offer(stream, make_event, offset)
            assert stream.statistics().depth[Priority.CRITICAL] > 0
            offer(stream, make_event, 500, Priority.HIGH)
            account = book.read(link, 0.0)
            assert (account.lag, str(account.sent)) == (len(offsets), "e7:499")
            book.close(link)
            offer(stream, make_event, 501)
            assert stream.criticals is None
            nursery.cancel_scope.cancel()


def offer(stream: FrameStream, make_event, offset: int, priority: Priority = Priority.CRITICAL) -> None:
    critical = Position("e7", offset) if priority is Priority.CRITICAL else None
    publication = Publication("andon/acme", "x", offset, BEGIN, make_event(priority=priority), critical)
    stream.offer(JSON.encoders[Priority.LOW].frame(publication))
