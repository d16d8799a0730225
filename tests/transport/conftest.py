"""A real server on loopback with a gate that echoes, and clients made of raw sockets."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import trio
import trustme
from trio.testing import MockClock

from config import ServerSettings
from transport import Door, Link, Request, Response, Routes, Server, json_response, problem

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
FREE = {"listen": "127.0.0.1:0"}


class EchoPeer:
    """Echoes, and does what a few words tell it."""

    def __init__(self, gate: EchoGate, link: Link) -> None:
        self.gate = gate
        self.link = link
        self.messages: list[str | bytes] = []
        self.endings: list[tuple[int, str]] = []
        self.released = trio.Event()

    async def received(self, message: str | bytes) -> None:
        self.messages.append(message)
        if message == "fail":
            raise RuntimeError("planted")
        if message == "wait":
            await self.released.wait()
        if message == "close":
            self.link.close(4201, "as asked")
            return
        opcode, payload = (0x81, message.encode()) if isinstance(message, str) else (0x82, message)
        await self.link.stream.send_all(frame(opcode, payload, mask=b""))

    async def closed(self, code: int, reason: str) -> None:
        await trio.lowlevel.checkpoint()
        self.endings.append((code, reason))


class EchoGate:
    """Knows a few doors; ``/broken`` fails when it is opened."""

    def __init__(self) -> None:
        self.peers: list[EchoPeer] = []
        self.requests: list[Request] = []
        self.hold: trio.Event | None = None

    def door(self, request: Request) -> Door | Response:
        if request.path in {"/stream", "/broken", "/slow", "/counted"}:
            user, tenant = (request.query.get(name, [""])[-1] for name in ("user", "tenant"))
            spoken = ("andond.v1.json", "andond.v1.msgpack")
            weighs = request.path != "/counted"
            return Door(request.path[1:], spoken, request.path, user, tenant, weighs)
        if request.path == "/forbidden":
            return problem(403, "Forbidden", "not for you", 403)
        return problem(404, "Not Found", f"there is no WebSocket at {request.path}", 404)

    async def opened(self, door: Door, request: Request, link: Link) -> EchoPeer:
        if door.name == "broken":
            raise RuntimeError("planted in opened")
        if door.name == "slow" and self.hold is not None:
            await self.hold.wait()
        peer = EchoPeer(self, link)
        self.peers.append(peer)
        self.requests.append(request)
        return peer


@dataclass
class Answer:
    """One HTTP response, taken apart by hand."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class House:
    """A running server and what is needed to visit it."""

    server: Server
    gate: EchoGate
    routes: Routes
    port: int
    tls: ssl.SSLContext | None = None
    seen: list[Request] = field(default_factory=list)

    async def connect(self, size: int | None = None) -> trio.SocketStream:
        sock = trio.socket.socket()
        if size is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        try:
            await sock.connect(("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        return trio.SocketStream(sock)

    async def talk(self, *chunks: bytes) -> bytes:
        """Send ``chunks`` on a new connection and return all that comes until it is closed."""
        stream = await self.connect()
        async with stream:
            for chunk in chunks:
                await stream.send_all(chunk)
                await trio.testing.wait_all_tasks_blocked()
            return await read_all(stream)

    async def get(self, path: str, *lines: str, method: str = "GET") -> Answer:
        head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *lines])
        return parse_answer(await self.talk(f"{head}\r\n\r\n".encode("latin-1")), method)

    async def upgrade(self, path: str = "/stream", *lines: str, size: int | None = None) -> trio.SocketStream:
        """Open a WebSocket by hand and return the stream behind the 101."""
        stream = await self.connect(size)
        await stream.send_all(upgrade_head(path, *lines))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = await stream.receive_some(1)
            assert more, head
            head += more
        assert head.startswith(b"HTTP/1.1 101"), head
        return stream

    async def is_empty(self) -> None:
        """Wait until no connection is left."""
        delay = 0.001
        while self.server.statistics().connections:
            await trio.sleep(delay)
            delay = delay * 1.2 if isinstance(trio.lowlevel.current_clock(), MockClock) else 0.01


def upgrade_head(path: str = "/stream", *lines: str, key: str = KEY, version: str = "13") -> bytes:
    fields = ["Host: x", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Version: {version}"]
    return "\r\n".join([f"GET {path} HTTP/1.1", *fields, f"Sec-WebSocket-Key: {key}", *lines, "", ""]).encode("latin-1")


def frame(opcode: int, payload: bytes = b"", *, mask: bytes = b"\x01\x02\x03\x04") -> bytes:
    """One frame by hand; ``mask`` empty for a server's."""
    bit = 0x80 if mask else 0
    size = len(payload)
    if size < 126:
        head = bytes((opcode, bit | size))
    elif size < 65536:
        head = bytes((opcode, bit | 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((opcode, bit | 127)) + size.to_bytes(8, "big")
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + mask + payload


async def read_all(stream: trio.abc.ReceiveStream) -> bytes:
    data = b""
    try:
        while more := await stream.receive_some(65536):
            data += more
    except trio.BrokenResourceError:
        pass
    return data


async def read_frame(stream: trio.abc.ReceiveStream) -> tuple[int, bytes]:
    """The next frame from the server, Pings of the credit apart; (0, b"") at the end."""
    while True:
        opcode, payload = await read_any_frame(stream)
        if opcode != 0x89 or payload[:1] != b"c":
            return opcode, payload


async def read_any_frame(stream: trio.abc.ReceiveStream) -> tuple[int, bytes]:
    head = await read_exactly(stream, 2)
    if len(head) < 2:
        return 0, b""
    assert not head[1] & 0x80, "a server does not mask"
    size = head[1]
    if size == 126:
        size = int.from_bytes(await read_exactly(stream, 2), "big")
    elif size == 127:
        size = int.from_bytes(await read_exactly(stream, 8), "big")
    return head[0], await read_exactly(stream, size)


async def read_exactly(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        if not more:
            break
        data += more
    return data


def parse_answer(data: bytes, method: str = "GET") -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name = line.lower().partition(":")[0]
        assert name not in headers or name == "connection", f"{name} stands twice"
        headers[name] = line.partition(":")[2].strip()
    if method != "HEAD":
        assert int(headers.get("content-length", "0")) == len(body), data
    return Answer(int(lines[0].split()[1]), headers, body)


def make_routes(seen: list[Request]) -> Routes:
    routes = Routes()

    async def up(request: Request) -> Response:
        seen.append(request)
        return Response(200, {"content-type": "text/plain"}, b"up 1\n")

    async def echo(request: Request) -> Response:
        seen.append(request)
        return json_response({"path": request.path, "body": request.body.decode("latin-1")})

    async def item(request: Request, name: str) -> Response:
        seen.append(request)
        return json_response({"name": name, "query": dict(request.query), "client": str(request.client)})

    async def fail(_request: Request) -> Response:
        raise RuntimeError("planted in a handler")

    async def large(_request: Request) -> Response:
        return Response(200, {}, b"x" * 5_000_000)

    async def empty(_request: Request) -> Response:
        return Response(204)

    routes.add("GET", "/up", up)
    routes.add("POST", "/echo", echo)
    routes.add("GET", "/items/{name}", item)
    routes.add("GET", "/fail", fail)
    routes.add("GET", "/large", large)
    routes.add("GET", "/empty", empty)
    return routes


Serve = Callable[..., Awaitable[House]]


@pytest.fixture
def serve(nursery: trio.Nursery) -> Serve:
    """Start a server with these settings; it is cancelled with the test."""

    async def start(*, sockets=(), **settings) -> House:
        gate = EchoGate()
        seen: list[Request] = []
        routes = make_routes(seen)
        server = Server(ServerSettings(**{**FREE, **settings}), routes, gate, sockets=sockets)
        addresses = await nursery.start(server.run)
        return House(server, gate, routes, int(addresses[0].rpartition(":")[2]), seen=seen)

    return start


@pytest.fixture
async def house(serve: Serve) -> House:
    return await serve()


@pytest.fixture
def patient_clock() -> MockClock:
    """Virtual time that waits a moment of real time for what is on its way through the kernel."""
    return MockClock(autojump_threshold=0.005)


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Paths of a certificate for 127.0.0.1 and its key."""
    directory = tmp_path_factory.mktemp("certificate")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    chain, key = directory / "chain.pem", directory / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return str(chain), str(key)


@pytest.fixture
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    """A context of its own for each test, which may change it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@dataclass(frozen=True)
class Wire:
    """The tools of this file, for tests that cannot import it."""

    upgrade_head = staticmethod(upgrade_head)
    frame = staticmethod(frame)
    read_all = staticmethod(read_all)
    read_frame = staticmethod(read_frame)
    read_exactly = staticmethod(read_exactly)
    parse_answer = staticmethod(parse_answer)


@pytest.fixture
def wire() -> Wire:
    return Wire()
