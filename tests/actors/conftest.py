"""A tree of a few actors, events by the dozen, and outlets that can be looked at.

Rules of this file: an outlet takes frames like a ``FrameStream`` whose socket takes everything at once; the tests of
the channel hold the real one to the same.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from actors.channels.channel import Channel
from actors.channels.followers import Followers
from actors.messages import CriticalRead, Follow, Publish, ReadChannels, ReadCritical, ReadNewest, Unfollow
from actors.runtime import ActorRef, ActorStatus, ActorSystem, ChildSpec, Policy, Supervisor, TrioActor, survey
from config import ChannelSettings
from domain import Event, Gap, JsonValue, Position, Priority, Publication, below
from domain.access import OPEN_RIGHTS
from transport import Batch, Encoder, Frame
from transport.outbox import OutboxStatistics

NOW = 1_800_000_000.0

_numbers = itertools.count(1)


class Outlet:
    """Keeps what is written to it, one entry a write; ``on_write`` is called before each."""

    def __init__(self, on_write: Callable[[], None] | None = None) -> None:
        self.writes: list[list[Frame]] = []
        self.answers: list[Frame] = []
        self._on_write = on_write

    def offer(self, frame: Frame) -> None:
        self._write([frame])

    def offer_batch(self, batch: Batch) -> None:
        assert batch.blob == b"".join(frame.data for frame in batch.frames)
        assert Priority.CRITICAL not in dict(batch.counts), "a critical frame travels alone"
        self._write(list(batch.frames))

    def send(self, frame: Frame) -> None:
        """An answer stands among the writes, where it was sent, but is no delivery."""
        self.answers.append(frame)
        self._write([frame])

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


class ClientOutlet(Outlet):
    """An outlet that also does for a connection what a stream does; ``depth`` critical frames wait in it."""

    def __init__(self) -> None:
        super().__init__()
        self.criticals: deque[Publication] | None = None
        self.credit: list[int] = []
        self.granted: list[int] = []
        self.write_gap: Callable[[Gap], Frame] | None = None

    def use_credit(self, size: int) -> None:
        self.credit.append(size)

    def grant(self, size: int) -> None:
        self.granted.append(size)

    def tell_gaps(self, write: Callable[[Gap], Frame]) -> None:
        self.write_gap = write

    def statistics(self) -> OutboxStatistics:
        return OutboxStatistics((0, 0, 0, 0), 0, 0, 0)


class Dialect(Encoder):
    """Encodes a publication as its event's id; counts its calls, skips ``skips``, breaks at ``breaks``.

    ``sampled`` writes ``ID*RATE`` for one that stands for several.
    """

    def __init__(self, skips: str = "", breaks: str = "", *, sampled: bool = False) -> None:
        super().__init__(self._write, sampled=self._write_sampled if sampled else None)
        self.calls = 0
        self._skips = skips
        self._breaks = breaks

    def _write_sampled(self, publication: Publication, rate: int) -> bytes:
        return f"{publication.event.id}*{rate}".encode()

    def _write(self, publication: Publication) -> bytes | None:
        self.calls += 1
        if publication.event.id == self._breaks:
            raise RuntimeError("planted")
        return None if publication.event.id == self._skips else publication.event.id.encode()


class Journal(TrioActor):
    """Answers as a recorder does, from ``kept``: publications of any channels, oldest first."""

    def __init__(
        self,
        kept: list[Publication],
        *,
        delay: float = 0.0,
        error: Exception | None = None,
        asked: list[object] | None = None,
        epoch: str = "j7",
    ) -> None:
        super().__init__()
        self._kept = kept
        self._delay = delay
        self._error = error
        self._asked = [] if asked is None else asked
        self._epoch = epoch

    async def on_receive(self, message: object) -> object:
        self._asked.append(message)
        if self._delay:
            await trio.sleep(self._delay)
        if self._error is not None:
            raise self._error
        match message:
            case ReadNewest(channel=channel, limit=limit):
                return tuple([each for each in self._kept if each.channel == channel][-limit:])
            case ReadChannels(tree=tree, limit=limit):
                return tuple(sorted({each.channel for each in self._kept if below(each.channel, tree)})[:limit])
            case ReadCritical():
                return self._critical(message)
        return None

    def _critical(self, message: ReadCritical) -> CriticalRead:
        critical = [each for each in self._kept if each.critical is not None]
        newest = critical[-1].critical if critical else Position(self._epoch, 0)
        since = message.since
        if since is None:
            return CriticalRead(True, newest, ())
        is_known = since.epoch == newest.epoch and since.offset <= newest.offset
        behind = [each for each in critical if not is_known or each.critical.offset > since.offset]
        wanted = [each for each in behind if message.channels is None or each.channel in message.channels]
        return CriticalRead(is_known, newest, tuple(wanted))


class ChannelRig:
    """One channel in its tree, and the journal that it begins with."""

    name = "equipment/acme/press3"
    path = "gateway/channel"

    def __init__(self, tree: Tree, followers: Followers, journal: list[Publication]) -> None:
        self.tree = tree
        self.followers = followers
        self.journal = journal

    @property
    def ref(self) -> ActorRef:
        return self.tree.ref(self.path)

    def publish(self, *events: Event) -> None:
        for event in events:
            self.ref.tell(Publish(event))

    def record(self, *events: Event) -> None:
        """Publish what is on disk first."""
        for event in events:
            critical = None
            if event.priority is Priority.CRITICAL:
                critical = Position("j7", 1 + sum(each.critical is not None for each in self.journal))
            self.journal.append(Publication(self.name, "j7", 0, NOW, event, critical))
            self.ref.tell(Publish(event, critical))

    async def published(self, *events: Event) -> None:
        """Publish one by one, each waited for."""
        for event in events:
            self.publish(event)
            await self.tree.settle()

    async def follow(self, outlet: object, encode: Encoder, latest: int = 0, **options: object) -> None:
        self.ref.tell(Follow(self.name, outlet, encode, latest, **options, rights=OPEN_RIGHTS))
        await self.tree.settle()

    async def unfollow(self, outlet: object) -> None:
        self.ref.tell(Unfollow(self.name, outlet))
        await self.tree.settle()

    def fail(self) -> None:
        """Have the channel end in a failure, over an event that is none."""
        self.ref.tell(Publish(SimpleNamespace(priority=Priority.HIGH, type="", source="", id="")))

    async def says(self) -> Mapping[str, JsonValue]:
        return (await self.tree.status(self.path)).description


@asynccontextmanager
async def channelling(
    policy: Policy | None = None, recorder: Mapping[str, object] | None = None, **options: object
) -> AsyncIterator[ChannelRig]:
    followers, kept = Followers(), []
    specs = [ChildSpec("channel", Channel, (ChannelRig.name, followers, ChannelSettings(**options)))]
    if recorder is not None:
        recorder = dict(recorder)
        kept = recorder.pop("kept", kept)
        specs.insert(0, ChildSpec("recorder", Journal, (kept,), recorder))
    async with growing(specs, policy) as tree:
        yield ChannelRig(tree, followers, kept)


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
def channel() -> Callable[..., AbstractAsyncContextManager[ChannelRig]]:
    """``async with channel(history=8) as rig``: one channel; ``recorder={}`` gives it a journal to begin with."""
    return channelling


@pytest.fixture
def journal() -> type[Journal]:
    return Journal


@pytest.fixture
def outlet() -> type[Outlet]:
    return Outlet


@pytest.fixture
def client_outlet() -> type[ClientOutlet]:
    return ClientOutlet


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
