"""A stream over a socket that takes what it is told, and a client that reads with somebody else's parser."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked
from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import CloseConnection, Ping, Pong, TextMessage

from transport.outbox import Limits
from transport.stream import FrameStream

BLOCKED = 0


class Stingy(socket.socket):
    """A socket that takes, send by send, as many bytes as it is told, then everything."""

    takes: list[int | OSError]
    pieces: list[int]

    def send(self, data: bytes, flags: int = 0) -> int:
        take = self.takes.pop(0) if self.takes else len(data)
        if isinstance(take, OSError):
            raise take
        if take == BLOCKED:
            raise BlockingIOError
        self.pieces.append(len(data))
        return super().send(data[:take], flags)


@dataclass
class Wire:
    """A stream, what the client at its other end reads, and what was said of its loss."""

    stream: FrameStream
    sock: Stingy
    client: socket.socket
    losses: list[str]
    nursery: trio.Nursery
    heard: bytearray = field(default_factory=bytearray)
    _parser: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    _text: str = ""

    def news(self) -> list[str | bytes]:
        """What has come by now and was not told before: texts, payloads of Pings, a Close."""
        found: list[str | bytes] = []
        while True:
            try:
                part = self.client.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return found
            self._parser.receive_data(part or None)
            for event in self._parser.events():
                if isinstance(event, TextMessage):
                    self._text += event.data
                    if event.message_finished:
                        found.append(self._text.rstrip("."))
                        self._text = ""
                elif isinstance(event, Ping):
                    found.append(bytes(event.payload))
                elif isinstance(event, CloseConnection):
                    found.append(f"close {event.code}")
            if not part:
                return found

    async def read(self) -> bytes:
        """Everything that has been sent once nobody here has anything left to do."""
        await wait_all_tasks_blocked()
        while True:
            try:
                part = self.client.recv(65536)
            except BlockingIOError:
                await wait_all_tasks_blocked()
                try:
                    part = self.client.recv(65536)
                except BlockingIOError:
                    return bytes(self.heard)
            if not part:
                return bytes(self.heard)
            self.heard += part

    async def texts(self) -> list[str]:
        """The texts that an independent parser finds; a Close counts as one, and must be the last."""
        parser = Connection(ConnectionType.CLIENT)
        parser.receive_data(await self.read())
        found: list[str] = []
        text = ""
        for event in parser.events():
            if isinstance(event, TextMessage):
                text += event.data
                if event.message_finished:
                    found.append(text.rstrip("."))
                    text = ""
            elif isinstance(event, CloseConnection):
                found.append(f"close {event.code}")
            elif isinstance(event, Pong):
                found.append("pong")
        assert parser.state is ConnectionState.OPEN or found[-1].startswith("close")
        return found


def connected() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        sock, _ = listener.accept()
    # As the listener and every WebSocket client do it: otherwise small writes wait for one another's acknowledgement.
    for end in (sock, client):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        end.setblocking(False)
    return sock, client


@asynccontextmanager
async def wired(
    *takes: int | OSError,
    outbox_size: int = 100_000,
    critical_limit: int = 100,
    credit: int = 1 << 40,
    pings: int | None = None,
    clock: Callable[[], float] = trio.current_time,
) -> AsyncIterator[Wire]:
    plain, client = connected()
    sock = Stingy(fileno=plain.detach())
    sock.takes, sock.pieces = list(takes), []
    losses: list[str] = []
    with sock, client:
        async with trio.open_nursery() as nursery:
            limits = Limits(outbox_size, critical_limit, pings or 1024)
            stream = FrameStream(sock, nursery, limits, on_lost=losses.append, clock=clock)
            if pings is None:
                stream.use_credit(credit)
            yield Wire(stream, sock, client, losses, nursery)
            nursery.cancel_scope.cancel()


async def shake_hands(sock: ssl.SSLSocket) -> None:
    """The TLS handshake of one side."""
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            await trio.lowlevel.wait_readable(sock)
        except ssl.SSLWantWriteError:
            await trio.lowlevel.wait_writable(sock)
        else:
            return


async def secured(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """The server's and the client's end of a TLS connection."""
    inner, outer = connected()
    theirs = client.wrap_socket(outer, server_hostname="127.0.0.1", do_handshake_on_connect=False)
    ours = server.wrap_socket(inner, server_side=True, do_handshake_on_connect=False)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shake_hands, theirs)
        nursery.start_soon(shake_hands, ours)
    return ours, theirs


Pair = Callable[[], Awaitable[tuple[socket.socket, socket.socket]]]
Wired = Callable[..., AbstractAsyncContextManager[Wire]]


@pytest.fixture(name="wired")
def wired_fixture() -> Wired:
    """``async with wired(3, BLOCKED) as wire``: the first send takes three bytes, the second none, then all.

    The client returns ``credit``, more than is ever used, or answers Pings for a window of ``pings`` bytes at most.
    """
    return wired


@pytest.fixture
def secure_pair(server_context: ssl.SSLContext, client_context: ssl.SSLContext) -> Pair:
    """``sock, client = await secure_pair()``: both non-blocking, with the handshake behind them."""
    return partial(secured, server_context, client_context)


@pytest.fixture
def plain_pair() -> Pair:
    """The same without TLS."""

    async def pair() -> tuple[socket.socket, socket.socket]:
        await trio.lowlevel.checkpoint()
        return connected()

    return pair
