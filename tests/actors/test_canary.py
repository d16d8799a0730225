"""The canary over real sockets, to clients that answer a Ping when they are told to."""

from __future__ import annotations

import json
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import structlog
import trio
import trio.testing

from actors.canary import Canary
from actors.runtime import ChildSpec
from config import CanarySettings
from domain import Priority
from domain.canary import ALONE
from telemetry import counters, gauges
from transport import Door, FrameStream, Link
from transport.addresses import ClientAddress
from transport.dialects.native import JSON, MSGPACK
from transport.frames import BINARY, PING, TEXT
from transport.outbox import Limits

PATH = "gateway/canary"
BEGIN = 1_800_000_000.0
ENCODERS = {"": JSON.encoders[Priority.LOW]} | {
    encoding.subprotocol: encoding.encoders[Priority.LOW] for encoding in (JSON, MSGPACK)
}
OWNER = SimpleNamespace(link_closing=lambda: None)


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


@dataclass
class Far:
    """The client's end: what it heard, and how long it takes to answer a Ping; None: it does not."""

    link: Link
    sock: socket.socket
    delay: float | None = 0.0
    heard: list[tuple[float, int, bytes]] = field(default_factory=list)

    async def read(self) -> None:
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(self.sock))
        data = b""
        while more := await stream.receive_some(65536):
            data += more
            while (size := frame_size(data)) and len(data) >= size:
                frame, data = data[:size], data[size:]
                await self.take(frame[0], frame[4:] if frame[1] == 126 else frame[2:])

    async def take(self, opcode: int, payload: bytes) -> None:
        self.heard.append((trio.current_time(), opcode, payload))
        if opcode == PING and self.delay is not None:
            if self.delay:
                await trio.sleep(self.delay)
            self.link.stream.echoed(payload)

    def events(self) -> list[dict]:
        return [json.loads(payload) for _, opcode, payload in self.heard if opcode == TEXT]


def frame_size(data: bytes) -> int:
    if len(data) < 4:
        return 2 + data[1] if len(data) > 1 and data[1] < 126 else 0
    return 4 + int.from_bytes(data[2:4], "big") if data[1] == 126 else 2 + data[1]


class Rig:
    def __init__(self, nursery: trio.Nursery) -> None:
        self.nursery = nursery
        self.far: list[Far] = []
        self.settings = CanarySettings()
        self.tree = None

    def links(self) -> list[Link]:
        return [far.link for far in self.far]

    def connect(self, subprotocol: str = "", delay: float | None = 0.0, word: str = "board/1") -> Far:
        near, far = socket.socketpair()
        near.setblocking(False)
        far.setblocking(False)
        stream = FrameStream(near, self.nursery, Limits(100_000, 100))
        stream.use_credit(1 << 20)
        link = Link(stream, Door("stream"), ClientAddress("127.0.0.1"), OWNER, subprotocol=subprotocol)
        link.introduced = word
        self.far.append(Far(link, far, delay))
        self.nursery.start_soon(self.far[-1].read)
        return self.far[-1]

    async def says(self) -> dict:
        return (await self.tree.status(PATH)).description


@pytest.fixture
def run(grow):
    @asynccontextmanager
    async def running(**settings):
        async with trio.open_nursery() as nursery:
            rig = Rig(nursery)
            rig.settings = CanarySettings(**settings)
            args = (lambda: rig.settings, rig.links, ENCODERS, lambda: BEGIN + trio.current_time())
            async with grow([ChildSpec("canary", Canary, args)]) as rig.tree:
                yield rig
            nursery.cancel_scope.cancel()
        for far in rig.far:
            far.link.stream.close()
            far.sock.close()

    return running


async def test_each_priority_is_sent_once_an_interval_with_a_ping_right_behind_it(run, clock):
    async with run() as rig:
        far = rig.connect()
        await trio.sleep(29)
        kinds = [opcode for _, opcode, _ in far.heard]
        assert kinds == [TEXT, PING] * 4 * 2
        pushes = far.events()[:4]
        assert [push["priority"] for push in pushes] == ["critical", "high", "normal", "low"]
        assert {push["push"] for push in pushes} == {"event"}
        for push in pushes:
            event = push["event"]
            assert (event["type"], event["source"], event["quality"]) == ("canary.sent", "/andond/canary", "synthetic")
            assert event["channel"] == f"canary/{push['priority']}"
            assert "offset" not in event
            assert "criticaloffset" not in event
        assert len({push["event"]["id"] for push in far.events()}) == 8
        first, second = (far.heard[index][0] for index in (0, 8))
        assert second - first == pytest.approx(10.0, abs=0.5)


async def test_each_client_is_spoken_to_in_its_own_encoding(run, clock):
    async with run() as rig:
        packed, plain, other = rig.connect("andond.v1.msgpack"), rig.connect("andond.v1.json"), rig.connect("other.v1")
        await trio.sleep(15)
        assert {opcode for _, opcode, _ in packed.heard} == {BINARY, PING}
        assert {opcode for _, opcode, _ in plain.heard} == {TEXT, PING}
        assert other.heard == []


async def test_only_who_has_said_who_it_is_gets_one(run, clock):
    async with run() as rig:
        stranger, leaving = rig.connect(word=""), rig.connect()
        leaving.link.end(1000, "gone")
        await trio.sleep(25)
        assert stranger.heard == leaving.heard == []
        assert (await rig.says())["clients"] == 0


async def test_the_clients_have_their_turns_one_after_the_other(run, clock):
    async with run() as rig:
        for _ in range(80):
            rig.connect()
        await trio.sleep(25)
        turns = sorted(round(far.heard[0][0], 1) for far in rig.far)
        assert turns[-1] - turns[0] > 9.0
        assert max(turns.count(turn) for turn in turns) <= 4


async def test_the_round_trip_is_measured_by_priority(run, clock):
    before = [histogram.count for histogram in counters.canary_round_trip]
    async with run() as rig:
        rig.connect(delay=0.3)
        await trio.sleep(19)
        assert [
            histogram.count - count for histogram, count in zip(counters.canary_round_trip, before, strict=True)
        ] == [1, 1, 1, 1]
        trips = (await rig.says())["round_trip_ms"]
        assert set(trips) == {"critical", "high", "normal", "low"}
        assert 250 <= trips["critical"]["p50"] <= trips["critical"]["p99"] <= 500


async def test_before_the_first_comes_back_nothing_is_known(run, clock):
    async with run() as rig:
        says = await rig.says()
        assert says["round_trip_ms"]["critical"] == {"p50": None, "p99": None}
        assert (says["clients"], says["late"], says["not_ready"]) == (0, 0, None)


@pytest.mark.parametrize(("late", "is_breach"), [(1, False), (2, True)])
async def test_when_a_share_of_the_clients_is_late_the_gateway_says_so(run, clock, late, is_breach):
    async with run() as rig:
        for number in range(40):
            rig.connect(delay=None if number < late else 0.0)
        with structlog.testing.capture_logs() as lines:
            await trio.sleep(22)
        says = await rig.says()
        assert (says["clients"], says["late"]) == (40, late)
        assert says["not_ready"] == (f"canary: {late} of 40 clients beyond 1.0 s" if is_breach else None)
        assert (gauges.read("canary_clients"), gauges.read("canary_late")) == (40, late)
        assert [line["event"] for line in lines] == (["canary.breached"] if is_breach else [])
    assert gauges.read("canary_late") is None


async def test_who_comes_within_the_bound_again_is_forgiven_and_it_is_said(run, clock):
    async with run() as rig:
        slow = [rig.connect(delay=1.5), rig.connect(delay=1.5)]
        with structlog.testing.capture_logs() as lines:
            await trio.sleep(25)
            assert (await rig.says())["not_ready"] == "canary: 2 of 2 clients beyond 1.0 s"
            for far in slow:
                far.delay = 0.0
            await trio.sleep(20)
            assert (await rig.says())["not_ready"] is None
        assert [line["event"] for line in lines] == ["canary.breached", "canary.recovered"]


async def test_one_dead_tablet_of_three_does_not_take_the_gateway_out_of_service_for_ever(run, clock):
    async with run() as rig:
        rig.connect(delay=None)
        rig.connect()
        rig.connect()
        await trio.sleep(13)
        assert (await rig.says())["not_ready"] == "canary: 1 of 3 clients beyond 1.0 s"
        await trio.sleep(ALONE)
        says = await rig.says()
        assert (says["late"], says["not_ready"]) == (1, None)


async def test_a_client_that_is_cut_says_nothing_about_the_gateway_any_more(run, clock):
    async with run() as rig:
        dead = [rig.connect(delay=None), rig.connect(delay=None)]
        rig.connect()
        await trio.sleep(13)
        assert (await rig.says())["late"] == 2
        for far in dead:
            far.link.end(4102, "no pong")
        says = await rig.says()
        assert (says["clients"], says["late"], says["not_ready"]) == (1, 0, None)


async def test_with_an_interval_of_nought_nothing_is_sent_until_a_reload_says_otherwise(run, clock):
    async with run(interval=0.0) as rig:
        far = rig.connect()
        await trio.sleep(60)
        assert far.heard == []
        rig.settings = CanarySettings(interval=5.0)
        await trio.sleep(7)
        assert len(far.events()) >= 4
        rig.settings = CanarySettings(interval=0.0)
        await trio.sleep(7)
        assert (await rig.says())["clients"] == 0


async def test_a_client_that_does_not_answer_is_not_sent_one_after_the_other(run, clock):
    async with run() as rig:
        far = rig.connect(delay=None)
        await trio.sleep(55)
        assert len(far.events()) == 4


async def test_a_lower_bound_holds_from_the_next_round_on(run, clock):
    async with run() as rig:
        rig.connect(delay=0.5)
        rig.connect(delay=0.5)
        await trio.sleep(15)
        assert (await rig.says())["not_ready"] is None
        rig.settings = CanarySettings(bound=0.2)
        await trio.sleep(15)
        assert (await rig.says())["late"] == 2
