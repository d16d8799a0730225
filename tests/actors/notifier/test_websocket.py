"""The channel WebSocket: an event, and the receipt of a client that was handed it."""

from __future__ import annotations

from collections import deque
from contextlib import asynccontextmanager

import pytest
import trio

from actors.connections.receipts import Acknowledged, Book, Introduced, Left, Receipts, Shown
from actors.messages import EventTaken
from actors.notifier import NotificationFailed, NotificationSent
from actors.notifier.websocket import HAND_OVER, WebSocketChannel
from actors.runtime import ChildSpec, Supervisor, TrioActor
from config import ReceiptSettings, WebSocketSettings
from domain import Position, Priority, Publication, channel_of

BEGIN = 1_800_000_000.0
NOW = BEGIN


class Stream:
    def __init__(self) -> None:
        self.criticals: deque[Publication] | None = None


class Link:
    """A client's link as the receipts know it; it follows the calls' escalations or does not."""

    def __init__(self, id_: str, *, follows: bool = True) -> None:
        self.id = id_
        self.stream = Stream()
        self.closing = None
        self.follows = follows


class Floor(TrioActor):
    """The floor's desk, and all that is behind it: what it takes is handed to who follows."""

    def __init__(self, taken: list, links: list[Link]) -> None:
        super().__init__()
        self._taken = taken
        self._links = links

    def on_receive(self, message: object) -> None:
        assert type(message) is EventTaken
        event = message.event
        self._taken.append(event)
        position = Position("e7", len(self._taken))
        publication = Publication(channel_of(event), "x", len(self._taken), BEGIN, event, position)
        for link in self._links:
            if link.follows and link.stream.criticals is not None:
                link.stream.criticals.append(publication)


class Rig:
    def __init__(self) -> None:
        self.book, self.taken, self.links, self.settings = Book(), [], [], WebSocketSettings()
        self.channel = None

    async def join(self, id_: str, client: str, *, follows: bool = True) -> Link:
        link = Link(id_, follows=follows)
        self.links.append(link)
        await self.tell(Introduced(link, client))
        return link

    async def tell(self, message: object) -> None:
        self.channel.system.environment.registry.get("gateway/receipts").tell(message)
        await trio.testing.wait_all_tasks_blocked()

    async def send(self, notification) -> None:
        self.channel.send(notification)
        await trio.testing.wait_all_tasks_blocked()

    @property
    def heard(self) -> list:
        return self.channel.heard


@pytest.fixture
def run(rig):
    @asynccontextmanager
    async def running(**settings):
        found = Rig()
        found.settings = WebSocketSettings(**settings)
        floor = ChildSpec("desks", Supervisor, ([ChildSpec("floor", Floor, (found.taken, found.links))],))
        receipts = ChildSpec("receipts", Receipts, (ReceiptSettings, found.book, lambda: BEGIN))
        spec = ChildSpec("channel", WebSocketChannel, (lambda: found.settings, found.book, "gateway/desk", lambda: NOW))
        async with rig(spec, floor, receipts) as found.channel:
            yield found

    return running


async def test_it_is_sent_when_a_client_has_received_it(run, make_notification, autojump_clock):
    async with run() as rig:
        link = await rig.join("c1", "board/1")
        await rig.send(make_notification())
        (event,) = rig.taken
        assert (event.type, event.priority) == ("escalation.notified", Priority.CRITICAL)
        assert channel_of(event) == "escalations/acme/plant1/line3"
        assert rig.heard == []
        await rig.tell(Acknowledged(link, Position("e7", 1)))
        assert rig.heard == [NotificationSent("c1-1.0.0.0-mail", "received by board/1")]
        assert len(rig.book.awaited) == 0


async def test_a_receipt_for_something_else_is_none(run, make_notification, autojump_clock):
    async with run() as rig:
        link = await rig.join("c1", "board/1")
        await rig.send(make_notification(id="n1"))
        await rig.send(make_notification(id="n2"))
        await rig.tell(Acknowledged(link, Position("e7", 1)))
        assert rig.heard == [NotificationSent("n1", "received by board/1")]
        await rig.tell(Acknowledged(link, Position("other", 9)))
        assert len(rig.heard) == 1


async def test_when_nobody_is_connected_it_fails_at_once(run, make_notification, autojump_clock):
    async with run() as rig:
        await rig.send(make_notification())
        assert rig.heard == [NotificationFailed("c1-1.0.0.0-mail", "no client is connected")]
        assert rig.taken == []


async def test_when_nobody_follows_the_calls_it_fails_within_a_second(run, make_notification, autojump_clock):
    async with run() as rig:
        await rig.join("c1", "board/1", follows=False)
        began = trio.current_time()
        await rig.send(make_notification())
        await rig.channel.hear()
        assert trio.current_time() - began == pytest.approx(HAND_OVER)
        assert rig.heard[0].reason == "no client follows the channel of its escalations"


async def test_a_client_that_says_nothing_fails_it_in_time(run, make_notification, autojump_clock):
    async with run(timeout=4.0) as rig:
        await rig.join("c1", "board/1")
        began = trio.current_time()
        await rig.send(make_notification())
        await rig.channel.hear()
        assert trio.current_time() - began == pytest.approx(4.0)
        assert rig.heard == [NotificationFailed("c1-1.0.0.0-mail", "no client gave a receipt within 4 s")]
        assert len(rig.book.awaited) == 0


async def test_only_the_clients_that_are_meant_count(run, make_notification, autojump_clock):
    async with run() as rig:
        other, meant = await rig.join("c1", "board/1"), await rig.join("c2", "tablet/anna")
        await rig.send(make_notification(addresses=("tablet/anna",)))
        await rig.tell(Acknowledged(other, Position("e7", 1)))
        assert rig.heard == []
        await rig.tell(Acknowledged(meant, Position("e7", 1)))
        assert rig.heard == [NotificationSent("c1-1.0.0.0-mail", "received by tablet/anna")]
        await rig.send(make_notification(id="n2", addresses=("tablet/ben",)))
        assert rig.heard[-1] == NotificationFailed("n2", "tablet/ben is not connected")


async def test_where_it_must_be_shown_to_have_received_it_is_not_enough(run, make_notification, autojump_clock):
    async with run(receipt="shown") as rig:
        link = await rig.join("c1", "board/1")
        await rig.send(make_notification())
        await rig.tell(Acknowledged(link, Position("e7", 1)))
        assert rig.heard == []
        await rig.tell(Shown(link, (rig.taken[0].id,)))
        assert rig.heard == [NotificationSent("c1-1.0.0.0-mail", "shown by board/1")]


async def test_what_was_shown_was_received(run, make_notification, autojump_clock):
    async with run() as rig:
        link = await rig.join("c1", "board/1")
        await rig.send(make_notification())
        await rig.tell(Shown(link, (rig.taken[0].id,)))
        assert len(rig.heard) == 1


async def test_a_client_that_has_gone_gives_no_receipt(run, make_notification, autojump_clock):
    async with run() as rig:
        link = await rig.join("c1", "board/1")
        await rig.send(make_notification())
        await rig.tell(Left(link))
        await rig.tell(Acknowledged(link, Position("e7", 1)))
        await rig.channel.hear()
        assert isinstance(rig.heard[0], NotificationFailed)


async def test_what_is_sent_again_is_another_event_that_says_so(run, make_notification, autojump_clock):
    async with run(timeout=4.0) as rig:
        await rig.join("c1", "board/1")
        await rig.send(make_notification())
        await rig.send(make_notification(attempt=2))
        first, again = rig.taken
        assert first.id != again.id
        assert (first.data["repeated"], again.data["repeated"]) == (False, True)
        await rig.channel.hear(2)
