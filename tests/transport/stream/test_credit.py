"""What is in flight to a client is bounded, and what is critical waits for none of it; on real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import wait_all_tasks_blocked
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import Ping, TextMessage

from domain import Priority
from transport.credit import FIRST_WINDOW
from transport.echoes import CREDIT, PROBE
from transport.frames import CLOSE, Batch, Frame, frame_bytes, text_frame
from transport.inbound import Meter
from transport.outbox import Limits
from transport.stream import FrameStream

CRITICAL, HIGH, NORMAL, LOW = Priority
BLOCKED = 0
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))
LIMIT = 4096


def text(name: str, priority: Priority = NORMAL, size: int = 250, key: object = None) -> Frame:
    """A text message of ``size`` bytes on the wire."""
    return text_frame(name.encode().ljust(size - 4 if size > 127 else size - 2, b"."), priority, key)


# -- clients of every kind ---------------------------------------------------------------------------------------


@dataclass
class Client:
    """A client behind a real socket, as its kind is: answers Pings, returns credit, both, or nothing."""

    stream: FrameStream
    sock: socket.socket
    answers: bool
    returns: bool
    texts: list[str] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    parser: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    text: str = ""

    def turn(self) -> bool:
        """Read what is there, and do with it what this client does; whether there was anything."""
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self.parser.receive_data(data)
        for event in self.parser.events():
            if isinstance(event, TextMessage):
                self.text += event.data
                if event.message_finished:
                    self.take(self.text)
                    self.text = ""
            elif isinstance(event, Ping):
                self.pings.append(bytes(event.payload))
                if self.answers:
                    self.sock.send(self.parser.send(event.response()))
        return True

    def take(self, message: str) -> None:
        self.texts.append(message.rstrip("."))
        if self.returns:
            # It counts whole frames, as they came.
            self.stream.grant(len(message) + (4 if len(message) > 125 else 2))

    async def turns(self) -> None:
        """Until nobody has anything left to do."""
        idle = 0
        while idle < 3:
            await wait_all_tasks_blocked()
            idle = 0 if self.turn() else idle + 1


async def listen(stream: FrameStream) -> None:
    """What the WebSocket layer does with Pongs."""
    meter = Meter(65536)
    with suppress(trio.ClosedResourceError, trio.BrokenResourceError):
        while data := await stream.receive_some():
            meter.feed(data)
            pongs, meter.pongs = meter.pongs, []
            for payload in pongs:
                stream.echoed(payload)


@pytest.fixture(params=["plain_pair", "secure_pair"])
def meet(request) -> Callable[..., AsyncIterator[Client]]:
    """``async with meet("pings") as client``: a client of this kind, plain and over TLS."""
    pair = request.getfixturevalue(request.param)

    @asynccontextmanager
    async def meet(kind: str, limit: int = LIMIT, outbox_size: int = 1_000_000):
        sock, outer = await pair()
        with sock, outer:
            async with trio.open_nursery() as nursery:
                stream = FrameStream(sock, nursery, Limits(outbox_size, credit=limit))
                if kind == "credit":
                    stream.use_credit(limit)
                nursery.start_soon(listen, stream)
                yield Client(stream, outer, answers=kind == "pings", returns=kind == "credit")
                stream.close()
                nursery.cancel_scope.cancel()

    return meet


@pytest.mark.parametrize("kind", ["pings", "credit"])
async def test_a_client_that_returns_its_credit_gets_everything(meet, kind):
    async with meet(kind) as client:
        for number in range(400):
            client.stream.offer(text(f"n{number}", (HIGH, NORMAL, LOW)[number % 3]))
        await client.turns()
        assert sorted(client.texts, key=lambda name: int(name[1:])) == [f"n{number}" for number in range(400)]
        assert bool(client.pings) == (kind == "pings")
        assert client.stream.statistics().depth == (0, 0, 0, 0)


@pytest.mark.parametrize("kind", ["nothing", "credit that it keeps"])
async def test_a_client_that_returns_nothing_gets_what_the_credit_allows_and_everything_critical(meet, kind):
    async with meet("nothing") as client:
        if kind != "nothing":
            client.stream.use_credit(LIMIT)
        for number in range(100):
            client.stream.offer(text(f"n{number}"))
            client.stream.offer_batch(Batch([text(f"h{number}", HIGH), text(f"l{number}", LOW)]))
        await client.turns()
        routine = len(client.texts)
        assert LIMIT <= routine * 250 < LIMIT + 2 * 250
        for number in range(50):
            client.stream.offer(text(f"critical{number}", CRITICAL, size=5000))
        await client.turns()
        assert [name for name in client.texts if name.startswith("critical")] == [f"critical{n}" for n in range(50)]
        assert len(client.texts) == routine + 50
        assert sum(client.stream.statistics().depth) == 300 - routine


async def test_the_pong_ends_the_starvation_and_the_next_part_goes(meet):
    async with meet("nothing") as client:
        for number in range(200):
            client.stream.offer(text(f"n{number}"))
        await client.turns()
        heard, (first, *_, last) = len(client.texts), client.pings
        assert first[:1] == last[:1] == CREDIT
        client.stream.echoed(last)
        await client.turns()
        assert heard < len(client.texts) <= heard + LIMIT // 250 + 1


# -- what needs no credit ----------------------------------------------------------------------------------------


def starve(wire) -> None:
    """Offer until the client's credit is spent, and one frame more that waits."""
    stream = wire.stream
    while not stream.statistics().depth[NORMAL]:
        stream.offer(text("routine"))
    wire.news()


@pytest.mark.parametrize("kind", [{"pings": LIMIT}, {"credit": LIMIT}])
async def test_a_critical_frame_goes_at_once_to_a_client_without_credit(wired, kind):
    async with wired(**kind) as wire:
        starve(wire)
        wire.stream.offer(text("critical", CRITICAL))
        # Nobody else has had a turn.
        assert wire.news() == ["critical"]
        assert not wire.stream.is_flushing


@pytest.mark.parametrize("kind", [{"pings": LIMIT}, {"credit": LIMIT}])
async def test_an_answer_goes_at_once_to_a_client_without_credit(wired, kind):
    async with wired(**kind) as wire:
        starve(wire)
        wire.stream.send(text("answer", HIGH))
        assert wire.news() == ["answer"]
        await wire.stream.send_all(text("own").data)
        assert wire.news() == ["own"]


@pytest.mark.parametrize("kind", [{"pings": LIMIT}, {"credit": LIMIT}])
async def test_a_close_takes_all_that_waits_with_it_whatever_the_credit(wired, kind):
    async with wired(**kind) as wire:
        starve(wire)
        for number in range(50):
            wire.stream.offer(text(f"late{number}"))
        await wire.stream.send_all(GOODBYE)
        heard = [name for name in wire.news() if isinstance(name, str)]
        assert heard == ["routine", *(f"late{number}" for number in range(50)), "close 1000"]


async def test_critical_frames_and_answers_spend_no_credit(wired):
    async with wired(credit=LIMIT) as wire:
        for _ in range(100):
            wire.stream.offer(text("critical", CRITICAL))
            wire.stream.send(text("answer", HIGH))
        wire.stream.offer(text("routine", size=LIMIT))
        assert wire.news()[-1] == "routine"


async def test_starvation_in_the_middle_of_a_full_socket_ends_too(wired):
    async with wired(100, *[BLOCKED] * 20, pings=LIMIT) as wire:
        for number in range(60):
            wire.stream.offer(text(f"n{number}"))
        wire.stream.offer(text("critical", CRITICAL))
        heard: list[str] = []
        for _ in range(40):
            await wait_all_tasks_blocked()
            for news in wire.news():
                if isinstance(news, bytes):
                    wire.stream.echoed(news)
                else:
                    heard.append(news)
        assert heard[:2] == ["n0", "critical"]
        assert heard[2:] == [f"n{number}" for number in range(1, 60)]


# -- credit that a client returns --------------------------------------------------------------------------------


async def test_credit_that_is_returned_goes_at_once_to_what_waits(wired):
    async with wired(credit=1000) as wire:
        for number in range(10):
            wire.stream.offer(text(f"n{number}"))
        assert wire.news() == ["n0", "n1", "n2", "n3", "n4"]
        # One went beyond the credit: it is paid back first.
        wire.stream.grant(250)
        assert wire.news() == []
        wire.stream.grant(251)
        assert wire.news() == ["n5", "n6"]


async def test_credit_returned_for_nothing_is_not_kept(wired):
    async with wired(credit=1000) as wire:
        wire.stream.grant(10**6)
        for number in range(10):
            wire.stream.offer(text(f"n{number}"))
        assert len(wire.news()) == 5


async def test_no_ping_is_sent_to_a_client_that_returns_credit_and_none_of_its_pongs_counts(wired):
    async with wired(credit=1000) as wire:
        for number in range(10):
            wire.stream.offer(text(f"n{number}"))
        for payload in (CREDIT, CREDIT + b"\0\0\0\1", b""):
            wire.stream.echoed(payload)
        assert wire.news() == ["n0", "n1", "n2", "n3", "n4"]


async def test_a_grant_means_nothing_for_a_client_that_answers_pings(wired):
    async with wired(pings=LIMIT) as wire:
        starve(wire)
        wire.stream.grant(10**6)
        assert wire.news() == []


async def test_a_client_that_begins_to_return_credit_is_waited_for_no_longer(wired):
    async with wired(pings=LIMIT) as wire:
        starve(wire)
        wire.stream.use_credit(LIMIT)
        assert wire.news() == ["routine"]


@pytest.mark.parametrize("takes", [(BLOCKED,), (100, BLOCKED), (2000, BLOCKED), (3999, BLOCKED)])
async def test_a_batch_that_the_socket_does_not_take_costs_its_credit_once(wired, takes):
    async with wired(credit=10_000) as wire:
        for round_ in range(10):
            wire.sock.takes[:] = takes
            batch = Batch([text(f"{round_}-{number}", (HIGH, NORMAL, LOW)[number % 3]) for number in range(16)])
            wire.stream.offer_batch(batch)
            await wait_all_tasks_blocked()
            wire.sock.takes.clear()
            await wait_all_tasks_blocked()
            heard = wire.news()
            assert len(heard) == 16, "credit was lost on the way"
            wire.stream.grant(16 * 250)


# -- the window --------------------------------------------------------------------------------------------------


async def test_the_window_grows_with_a_quick_client_and_shrinks_with_a_slow_one(wired, mock_clock):
    async with wired(pings=32 * 1024, outbox_size=10_000_000) as wire:

        def in_flight(rate: float) -> int:
            """The most that is in flight at last to a client that drains ``rate`` bytes a second."""
            most = 0
            for turn in range(60):
                while wire.stream.statistics().depth[NORMAL] < 400:
                    wire.stream.offer(text("routine"))
                news = wire.news()
                sent = 250 * len([name for name in news if isinstance(name, str)])
                mock_clock.jump(sent / rate)
                for payload in news:
                    if isinstance(payload, bytes):
                        wire.stream.echoed(payload)
                most = max(most, sent) if turn > 20 else 0
            return most

        # What takes a tenth of a second, more or less.
        assert in_flight(10e6) > 28 * 1024
        assert 2000 < in_flight(32_000) < 5000
        assert in_flight(10e6) > 28 * 1024


def test_the_first_window_is_no_larger_than_the_usual_limit():
    assert Limits().credit >= FIRST_WINDOW


# -- Pings of the heartbeat ----------------------------------------------------------------------------------------


async def test_the_heartbeat_asks_for_the_credit_by_the_way(wired):
    async with wired(pings=LIMIT) as wire:
        wire.stream.offer(text("a"))
        _, first = wire.news()
        wire.stream.echoed(first)
        wire.stream.offer(text("b"))
        wire.stream.ping()
        assert wire.news()[0] == "b"
        wire.stream.ping()
        assert wire.stream._credit.asked is not None


async def test_a_heartbeat_with_nothing_to_ask_for_is_an_empty_ping(wired):
    async with wired(pings=LIMIT) as wire:
        wire.stream.ping()
        assert wire.news() == [b""]


async def test_a_client_that_answers_only_the_newest_ping_is_not_starved_for_ever(wired):
    async with wired(pings=LIMIT) as wire:
        starve(wire)
        wire.stream.ping()
        (newest,) = wire.news()
        wire.stream.echoed(newest)
        assert "routine" in wire.news()


# -- probes --------------------------------------------------------------------------------------------------------


async def test_who_waits_for_room_and_becomes_slow_meanwhile_is_asked_again(wired, mock_clock):
    async with wired(pings=32768) as wire:
        stream = wire.stream
        stream.offer(text("first", size=100))
        mock_clock.jump(0.01)
        stream.echoed(wire.news()[-1])
        # A Ping goes out, and nearly all that is left goes behind it.
        for number in range(32):
            stream.offer(text(f"n{number}"))
        asked = next(payload for payload in wire.news() if isinstance(payload, bytes))
        stream.offer_batch(Batch([text(f"b{number}") for number in range(4)]))
        assert stream.statistics().depth[NORMAL] == 4
        mock_clock.jump(3)
        stream.echoed(asked)
        # The window is smaller now than what went meanwhile: somebody must ask for its return.
        pings = [payload for payload in wire.news() if isinstance(payload, bytes)]
        assert pings
        stream.echoed(pings[-1])
        assert not stream.statistics().depth[NORMAL]


@pytest.mark.parametrize("priority", Priority)
async def test_a_probe_of_any_priority_tells_its_round_trip(wired, mock_clock, priority):
    async with wired(pings=LIMIT) as wire:
        heard: list[float] = []
        wire.stream.probe(text("probe", priority), heard.append)
        name, ping = wire.news()[:2]
        assert (name, ping[:1]) == ("probe", PROBE)
        mock_clock.jump(0.25)
        wire.stream.echoed(ping)
        wire.stream.echoed(ping)
        assert heard == [0.25]


async def test_a_probe_waits_in_the_lane_of_its_priority(wired, mock_clock):
    async with wired(pings=LIMIT) as wire:
        starve(wire)
        heard: dict[str, float] = {}
        for priority in (LOW, NORMAL, HIGH, CRITICAL):
            wire.stream.probe(text(priority.wire, priority), partial(heard.__setitem__, priority.wire))
        critical, ping = wire.news()
        assert (critical, ping[:1]) == ("critical", PROBE)
        wire.stream.echoed(ping)
        assert list(heard) == ["critical"]
        mock_clock.jump(2.0)
        wire.stream.echoed(CREDIT + wire.stream._credit.asked)
        for news in wire.news():
            if isinstance(news, bytes):
                wire.stream.echoed(news)
        assert heard == {"critical": 0.0, "high": 2.0, "normal": 2.0, "low": 2.0}


# -- Pongs as they come over the wire ------------------------------------------------------------------------------


async def starved_link(house, wire):
    """A client of the whole WebSocket layer that is out of credit, and the payload that it owes."""
    client = await house.upgrade()
    await wait_all_tasks_blocked()
    (link,) = house.server.links
    while not link.stream.statistics().depth[NORMAL]:
        link.stream.offer(text("routine"))
    return client, link.stream, link.stream._credit.asked


async def routine_heard(client, wire) -> int:
    """How many more routine frames have come."""
    heard = 0
    with trio.move_on_after(0.05):
        while (await wire.read_frame(client))[0] == 0x81:
            heard += 1
    return heard


@pytest.mark.parametrize("cut", [0, 1, 2, 5, 6, 8, 10])
async def test_a_pong_in_pieces_over_several_segments_returns_the_credit(house, wire, cut):
    client, stream, token = await starved_link(house, wire)
    async with client:
        pong = wire.frame(0x8A, CREDIT + token)
        assert stream.statistics().depth[NORMAL] == 1
        for piece in (pong[:cut], pong[cut:]):
            if piece:
                assert stream.statistics().depth[NORMAL] == 1
                await client.send_all(piece)
                await wait_all_tasks_blocked(0.01)
        assert stream.statistics().depth[NORMAL] == 0


@pytest.mark.parametrize("order", ["text first", "pong first", "pong between"])
async def test_a_pong_in_one_segment_with_a_message_returns_the_credit_and_the_message_comes(house, wire, order):
    client, stream, token = await starved_link(house, wire)
    async with client:
        pong, message = wire.frame(0x8A, CREDIT + token), wire.frame(0x81, b"hello")
        pieces = {
            "text first": message + pong,
            "pong first": pong + message,
            "pong between": wire.frame(0x01, b"hel") + pong + wire.frame(0x80, b"lo"),
        }
        await client.send_all(pieces[order])
        await wait_all_tasks_blocked(0.01)
        assert stream.statistics().depth[NORMAL] == 0
        (peer,) = house.gate.peers
        assert peer.messages == ["hello"]


@pytest.mark.parametrize("payload", [b"", b"c", b"c\xff\xff\xff\xff", b"p\0\0\0\0\0\0\0\1", b"hello", b"C\0\0\0\1"])
async def test_a_pong_that_nobody_asked_for_changes_nothing(house, wire, payload):
    client, stream, token = await starved_link(house, wire)
    async with client:
        for _ in range(3):
            await client.send_all(wire.frame(0x8A, payload))
        await wait_all_tasks_blocked(0.01)
        assert stream.statistics().depth[NORMAL] == 1
        await client.send_all(wire.frame(0x8A, CREDIT + token))
        await wait_all_tasks_blocked(0.01)
        assert stream.statistics().depth[NORMAL] == 0


# -- memory --------------------------------------------------------------------------------------------------------


async def test_a_connection_that_never_had_to_wait_has_nothing_to_wait_with(wired):
    async with wired(pings=32 * 1024) as wire:
        stream = wire.stream
        assert (stream._credit, stream._outbox, stream._ledger, stream._probes) == (None, None, None, None)
        stream.offer(text("critical", CRITICAL))
        stream.send(text("answer", HIGH))
        stream.ping()
        assert (stream._credit, stream._outbox, stream._ledger, stream._probes) == (None, None, None, None)
        for _ in range(100):
            stream.offer(text("routine"))
            stream.offer_batch(Batch([text("a"), text("b")]))
            for news in wire.news():
                if isinstance(news, bytes):
                    stream.echoed(news)
        assert (stream._outbox, stream._ledger, stream._probes) == (None, None, None)
        assert [entry.delivered for entry in stream.ledger()] == [1, 0, 300, 0]


async def test_what_had_to_wait_leaves_nothing_but_the_ledger(wired):
    async with wired(BLOCKED) as wire:
        wire.stream.offer(text("a"))
        wire.stream.offer(text("b"))
        assert wire.stream._outbox is not None
        assert await wire.texts() == ["a", "b"]
        assert wire.stream._outbox is None


async def test_a_stream_that_is_closed_without_credit_accounts_for_what_waited(wired):
    async with wired(pings=LIMIT) as wire:
        starve(wire)
        wire.stream.close()
        assert wire.stream._outbox is None
        assert wire.stream.statistics().depth == (0, 0, 0, 0)
        assert wire.stream.statistics().dropped == 1


# -- everything at once --------------------------------------------------------------------------------------------


def steps_of(largest: int) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    """What may happen while no frame is larger than ``largest``: a word, a number, a size."""
    sizes = st.integers(20, largest)
    return st.lists(
        st.tuples(st.sampled_from(["critical", "high", "normal", "low"]), st.integers(1, 40), sizes)
        | st.tuples(st.just("batch"), st.integers(1, 20), sizes)
        | st.tuples(st.just("answer"), st.just(1), sizes)
        | st.tuples(st.just("return"), st.integers(0, 3), st.just(0))
        | st.tuples(st.just("wait"), st.sampled_from([1, 40, 300, 5000]), st.just(0))
        | st.tuples(st.sampled_from(["beat", "turn"]), st.just(0), st.just(0)),
        max_size=40,
    )


TAKES = st.lists(st.sampled_from([BLOCKED, 1, 50, 1000, 1 << 30, 1 << 30]), max_size=30)


@dataclass
class Flight:
    """What the client's end knows to be in flight: everything that came and lies before no Pong of its own."""

    news: list[tuple[str, int] | bytes] = field(default_factory=list)

    def take(self, news: list[str | bytes]) -> None:
        for one in news:
            if isinstance(one, bytes):
                if one[:1] == CREDIT:
                    self.news.append(one)
            elif one[0] == "r":
                self.news.append((one, int(one.split(":")[1])))

    @property
    def size(self) -> int:
        return sum(one[1] for one in self.news if isinstance(one, tuple))

    def answer(self, index: int) -> bytes | None:
        """Answer a Ping, and with it all that came before."""
        pings = [one for one in self.news if isinstance(one, bytes)]
        if not pings:
            return None
        payload = pings[index % len(pings)]
        del self.news[: self.news.index(payload) + 1]
        return payload


class Run:
    """One run of the property: offers, and what the client's end knows."""

    def __init__(self, wire, *, limit: int, answers: bool) -> None:
        self.wire = wire
        self.stream = wire.stream
        self.flight = Flight()
        self.answers = answers
        self.limit = limit
        self.largest = 0
        self.offered = self.critical = 0
        self.heard: list[str] = []

    def frame(self, priority: Priority, size: int) -> Frame:
        if priority is CRITICAL:
            self.critical += 1
            return text(f"critical{self.critical}", priority, size=size)
        self.offered += 1
        self.largest = max(self.largest, size)
        return text(f"r{self.offered}:{size}:", priority, size=size)

    def look(self) -> None:
        news = self.wire.news()
        self.heard += [one for one in news if isinstance(one, str)]
        self.flight.take(news)
        assert self.flight.size <= self.limit + self.largest

    def give_back(self, index: int) -> bool:
        """The client answers a Ping, or returns what it has processed; False if there is nothing to return."""
        if self.answers:
            payload = self.flight.answer(index)
            if payload is not None:
                self.stream.echoed(payload)
            return payload is not None
        given, self.flight.news = self.flight.news[: index + 1], self.flight.news[index + 1 :]
        if given:
            self.stream.grant(sum(size for _, size in given))
        return bool(given)

    def step(self, what: str, count: int, size: int) -> None:
        if what == "batch":
            self.stream.offer_batch(Batch([self.frame((HIGH, NORMAL, LOW)[each % 3], size) for each in range(count)]))
        elif what == "answer":
            self.stream.send(text("answer", HIGH, size=size))
        elif what == "beat":
            self.stream.ping()
        elif what == "return":
            self.give_back(count)
        else:
            for _ in range(count):
                self.stream.offer(self.frame(Priority[what.upper()], size))


@given(
    steps=st.sampled_from([60, 250, 3000, 9000]).flatmap(steps_of),
    takes=TAKES,
    limit=st.sampled_from([1024, 4096, 32 * 1024]),
    answers=st.booleans(),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_never_more_is_in_flight_than_the_credit_and_one_frame(wired, mock_clock, steps, takes, limit, answers):
    kind = {"pings": limit} if answers else {"credit": limit}
    async with wired(*takes, outbox_size=50_000, critical_limit=10_000, **kind) as wire:
        run = Run(wire, limit=limit, answers=answers)
        for what, count, size in steps:
            if what == "turn":
                await trio.lowlevel.checkpoint()
            elif what == "wait":
                mock_clock.jump(count / 1000)
            else:
                run.step(what, count, size)
            run.look()
        # In the end the client reads all and returns all: nothing stays behind, whatever has happened.
        wire.sock.takes.clear()
        more = True
        while more:
            await wait_all_tasks_blocked()
            run.look()
            more = run.give_back(-1 if answers else 1000)
        statistics = wire.stream.statistics()
        assert statistics.depth == (0, 0, 0, 0)
        assert len([name for name in run.heard if name[0] == "r"]) + statistics.dropped == run.offered
        assert len([name for name in run.heard if name.startswith("critical")]) == run.critical
