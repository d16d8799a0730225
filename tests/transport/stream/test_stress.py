"""Twelve clients, some of them slow, all of them pinging, while a channel speaks: nothing is cut, lost or reordered."""

import json
import random
import socket
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import wait_all_tasks_blocked
from wsproto import ConnectionType
from wsproto.connection import Connection
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from domain import Priority
from transport.frames import CLOSE, PONG, Batch, frame_bytes, text_frame
from transport.outbox import Limits
from transport.stream import FrameStream

CRITICAL, HIGH, NORMAL, LOW = Priority
CLIENTS = 12
ROUNDS = 150
GOODBYE = frame_bytes(CLOSE, (1000).to_bytes(2, "big"))


@dataclass
class Client:
    """One end that reads as it likes, with somebody else's parser."""

    sock: socket.socket
    stream: FrameStream
    appetite: int
    parser: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    heard: list[dict] = field(default_factory=list)
    pongs: list[bytes] = field(default_factory=list)
    pings: list[bytes] = field(default_factory=list)
    code: int | None = None
    _text: str = ""

    def ping(self, payload: bytes) -> None:
        self.sock.send(self.parser.send(Ping(payload)))
        self.pings.append(payload)

    def read(self, size: int) -> int:
        try:
            data = self.sock.recv(size)
        except OSError:
            # Nothing there, in the words of a plain or of a TLS socket.
            return 0
        self.parser.receive_data(data)
        for event in self.parser.events():
            self._take(event)
        return len(data)

    def _take(self, event: object) -> None:
        if isinstance(event, TextMessage):
            self._text += event.data
            if event.message_finished:
                self.heard.append(json.loads(self._text))
                self._text = ""
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            self.code = event.code


async def answer_pings(stream: FrameStream) -> None:
    """What a WebSocket library does beside the channels: it reads, and answers through the same stream."""
    parser = Connection(ConnectionType.SERVER)
    with suppress(trio.ClosedResourceError):
        while data := await stream.receive_some(4096):
            parser.receive_data(data)
            for event in parser.events():
                if isinstance(event, Ping):
                    await stream.send_all(frame_bytes(PONG, bytes(event.payload)))


class Channel:
    """Speaks to all clients at once, one frame or many at a time."""

    def __init__(self, chance: random.Random, clients: list[Client]) -> None:
        self.chance = chance
        self.clients = clients
        self.offered: list[dict] = []

    def frame(self):
        priority = self.chance.choices(list(Priority), (1, 4, 20, 5))[0]
        key = self.chance.choice([None, "a", "b", "c"]) if priority is NORMAL else None
        body = {"number": len(self.offered), "priority": int(priority), "key": key}
        self.offered.append(body)
        padded = {**body, "padding": "x" * self.chance.choice([0, 10, 300, 900, 5000])}
        return text_frame(json.dumps(padded).encode(), priority, key)

    def speak(self) -> None:
        frames = [self.frame() for _ in range(self.chance.choice([1, 1, 2, 10, 40]))]
        for client in self.clients:
            if len(frames) == 1:
                client.stream.offer(frames[0])
            else:
                client.stream.offer_batch(Batch(frames))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pair", ["plain_pair", "secure_pair"])
async def test_many_clients_hear_whole_frames_in_order_and_every_frame_is_accounted_for(pair, seed, request):
    connect = request.getfixturevalue(pair)
    chance = random.Random(seed)
    async with trio.open_nursery() as nursery:
        clients = [await join(connect, nursery, number) for number in range(CLIENTS)]
        channel = Channel(chance, clients)
        for turn in range(ROUNDS):
            channel.speak()
            for client in clients:
                if chance.random() < 0.2:
                    client.ping(b"%d" % turn)
                client.read(chance.randrange(client.appetite))
            await trio.lowlevel.checkpoint()
        for client in clients:
            nursery.start_soon(client.stream.send_all, GOODBYE)
        await read_to_the_end(clients)
        for client in clients:
            check(client, channel.offered)
            client.sock.close()
            client.stream.close()
        nursery.cancel_scope.cancel()
    # Otherwise nothing was tried.
    assert any(client.stream.statistics().conflated for client in clients)
    assert {bool(client.stream.statistics().dropped) for client in clients} == {True, False}


async def join(connect, nursery: trio.Nursery, number: int) -> Client:
    sock, outer = await connect()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    outer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    stream = FrameStream(sock, nursery, Limits((60_000, 200_000, 10_000_000)[number % 3]))
    nursery.start_soon(answer_pings, stream)
    return Client(outer, stream, appetite=(2000, 20_000, 1_000_000)[number % 3])


async def read_to_the_end(clients: list[Client]) -> None:
    with trio.fail_after(30):
        while any(client.code is None for client in clients):
            if not sum([client.read(65536) for client in clients]):
                await wait_all_tasks_blocked()


def check(client: Client, offered: list[dict]) -> None:
    statistics = client.stream.statistics()
    assert client.code == 1000
    assert client.stream.lost == ""
    assert len(client.heard) + statistics.dropped + statistics.conflated == len(offered)
    # The last pings may have come behind our Close, and nothing is sent after that.
    assert client.pongs == client.pings[: len(client.pongs)]
    lanes: dict[tuple[int, str | None], list[int]] = defaultdict(list)
    for body in client.heard:
        assert {name: body[name] for name in ("number", "priority", "key")} == offered[body["number"]]
        lanes[body["priority"], body["key"]].append(body["number"])
    for lane in lanes.values():
        assert lane == sorted(set(lane))
    assert lanes[CRITICAL, None] == [body["number"] for body in offered if body["priority"] == CRITICAL]
