"""A tree of a few actors, events by the dozen, and outlets that can be looked at.

Rules of this file: an outlet takes frames like a ``FrameStream`` whose socket takes everything at once; the tests of
the channel hold the real one to the same.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from actors.runtime import ActorRef, ActorStatus, ActorSystem, ChildSpec, Policy, Supervisor, TrioActor, survey
from domain import Event, JsonValue, Priority, Publication
from transport import Frame

NOW = 1_800_000_000.0

_numbers = itertools.count(1)


class Outlet:
    """Keeps what is written to it, one entry a write; ``on_write`` is called before each."""

    def __init__(self, on_write: Callable[[], None] | None = None) -> None:
        self.writes: list[list[Frame]] = []
        self._on_write = on_write

    def offer(self, frame: Frame) -> None:
        self._write([frame])

    def offer_batch(self, blob: bytes, frames: Sequence[Frame]) -> None:
        assert blob == b"".join(frame.data for frame in frames)
        self._write(list(frames))

    def _write(self, frames: list[Frame]) -> None:
        if self._on_write is not None:
            self._on_write()
        self.writes.append(frames)

    @property
    def frames(self) -> list[Frame]:
        return [frame for frames in self.writes for frame in frames]

    @property
    def texts(self) -> list[str]:
        """The payloads of the frames, shorter than 126 bytes each."""
        return [frame.data[2:].decode() for frame in self.frames]


class Dialect:
    """Encodes a publication as its event's id; counts its calls, skips ``skips``, breaks at ``breaks``."""

    def __init__(self, skips: str = "", breaks: str = "") -> None:
        self.calls = 0
        self._skips = skips
        self._breaks = breaks

    def __call__(self, publication: Publication) -> bytes | None:
        self.calls += 1
        if publication.event.id == self._breaks:
            raise RuntimeError("planted")
        return None if publication.event.id == self._skips else publication.event.id.encode()


class Keeper(TrioActor):
    """Keeps every message that it is told, in ``kept``."""

    mailbox_limit = 100_000

    def __init__(self, kept: list[object]) -> None:
        super().__init__()
        self._kept = kept

    def on_receive(self, message: object) -> None:
        self._kept.append(message)


class Tree:
    """A running gateway with a few children."""

    def __init__(self, system: ActorSystem, root: ActorRef) -> None:
        self.system = system
        self.root = root

    def ref(self, path: str) -> ActorRef:
        ref = self.system.environment.registry.get(path)
        assert ref is not None, path
        return ref

    async def status(self, path: str) -> ActorStatus:
        tree = await survey(self.root, expand=100_000)
        (found,) = [status for status in tree.walk() if status.path == path]
        return found

    async def settle(self) -> None:
        """Wait until everybody waits."""
        await trio.testing.wait_all_tasks_blocked()


@asynccontextmanager
async def growing(specs: Sequence[ChildSpec], policy: Policy | None = None, **options: object) -> AsyncIterator[Tree]:
    async with ActorSystem.open(**options) as system:
        root = system.start(Supervisor, "gateway", specs, policy or Policy())
        await system.settled(root)
        yield Tree(system, root)


Grow = Callable[..., AbstractAsyncContextManager[Tree]]


@pytest.fixture
def grow() -> Grow:
    """``async with grow([ChildSpec(...), ...]) as tree``: the children of a supervisor at ``gateway``."""
    return growing


@pytest.fixture
def outlet() -> type[Outlet]:
    return Outlet


@pytest.fixture
def dialect() -> type[Dialect]:
    return Dialect


@pytest.fixture
def keeper() -> type[Keeper]:
    return Keeper


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """Makes an event with an id of its own, of equipment ``press3`` unless said otherwise."""

    def make(
        id: str = "",  # noqa: A002
        priority: Priority = Priority.NORMAL,
        type: str = "equipment.state.changed",  # noqa: A002
        source: str = "/acme/press3",
        data: JsonValue = None,
        subject: str | None = None,
    ) -> Event:
        return Event(id or str(next(_numbers)), source, type, data, NOW, priority, subject)

    return make


class Client:
    """A WebSocket client made of a bare socket; its messages are shorter than 126 bytes."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream

    async def send(self, text: str) -> None:
        """Say ``text``."""
        await self._send(0x81, text.encode())

    async def receive(self) -> str | tuple[int, str]:
        """The next text; or the code and reason of the Close, which is answered, 1006 if there was none."""
        while True:
            head = await self._read(2)
            if len(head) < 2:
                return 1006, ""
            payload = await self._read(head[1])
            if head[0] == 0x81:
                return payload.decode()
            if head[0] == 0x88:
                await self._send(0x88, payload)
                return int.from_bytes(payload[:2], "big"), payload[2:].decode()

    async def close(self) -> None:
        """Take leave, and wait until the server has."""
        await self._send(0x88, (1000).to_bytes(2, "big"))
        while not isinstance(await self.receive(), tuple):
            pass

    async def _send(self, opcode: int, payload: bytes) -> None:
        with suppress(trio.BrokenResourceError):
            await self.stream.send_all(bytes((opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload)

    async def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                more = await self.stream.receive_some(size - len(data))
            except trio.BrokenResourceError:
                return b""
            if not more:
                return b""
            data += more
        return data


@asynccontextmanager
async def visiting(authority: str, path: str) -> AsyncIterator[Client]:
    host, port = authority.split(":")
    stream = await trio.open_tcp_stream(host, int(port))
    async with stream:
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = await stream.receive_some(1)
            assert more, head
            head += more
        assert head.startswith(b"HTTP/1.1 101"), head
        yield Client(stream)


@pytest.fixture
def visit() -> Callable[[str, str], AbstractAsyncContextManager[Client]]:
    """``async with visit(authority, path) as client``: one open WebSocket."""
    return visiting
