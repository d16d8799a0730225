"""WebSocket on a stream that carries other writers' frames too: the only file that imports trio_websocket.

Rules of this file: the library parses, answers pings and takes part in the closing handshake; it is never let near the
socket, nor near a nursery. ``_Wire`` stands in for the one, ``_Catch`` for the other:

* A connection has one task. The library's reader, which would be a second one, is caught and run by it; what the reader
  has found in one piece of input is handed on when it asks for the next. That is the back-pressure, and saves a sixth
  of an idle link's memory.
* A refused handshake or an early end leaves ``wrap_server_stream`` waiting for ever. So a request is checked here
  first, by the head that HTTP has parsed, and refused with a problem document; the library gets a head of our own
  making with the fields that it needs and nothing of a stranger's to stumble over. Its end, should it come, cancels.
* A frame that came with the head would be lost: it is held back until the handshake is done.
* Message sizes are counted in characters and after 1009 the stream is left open; a message in endless pieces is not
  noticed: ``Meter`` counts bytes and pieces.
* After a malformed frame the stream is closed without a Close frame: ours is sent.
* permessage-deflate is not offered: a frame's bytes must be the same for every subscriber.
"""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeAlias, cast

import msgspec
import trio
import trio_websocket
from trio.lowlevel import checkpoint

from transport.arrivals import Arrivals
from transport.codes import INVALID_TEXT, LINK_LOST, MALFORMED_FRAME, ProtocolError, UsageError
from transport.frames import CLOSE, frame_bytes
from transport.gate import close_payload
from transport.inbound import Meter
from transport.pace import Pace
from transport.stream import FrameStream

_VERSION = "13"
_KEY_SIZE = 16
_RECEIVE_SIZE = 4096
_EARNEST = 16 * 1024  # bytes behind our Close that an honest client had under way
_QUEUE_SIZE = 1024  # more than the messages that one piece of input can hold: at least six bytes each
_REASON_SIZE = 200
_UPGRADE_HEADERS = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": _VERSION}

Reader: TypeAlias = Callable[[], Awaitable[None]]


def check_upgrade(method: str, version: str, headers: Mapping[str, str], body_size: int) -> str:
    """Check that a request is an opening handshake (RFC 6455, section 4.2.1) and return its key.

    Raises:
        ProtocolError: 400 or 426, saying what is missing.
    """
    if method != "GET":
        raise ProtocolError(400, f"a WebSocket is opened with GET, not {method}")
    if version != "1.1":
        raise ProtocolError(400, f"a WebSocket needs HTTP/1.1, not HTTP/{version}")
    if body_size:
        raise ProtocolError(400, "the opening handshake of a WebSocket has no body")
    if "upgrade" not in _tokens(headers.get("connection", "")):
        raise ProtocolError(400, "the header field Connection: Upgrade is missing; does a proxy drop it?")
    if headers.get("sec-websocket-version") != _VERSION:
        found = headers.get("sec-websocket-version", "none")
        raise upgrade_required(f"only version {_VERSION} of WebSocket is spoken here, not {found[:_KEY_SIZE]}")
    key = headers.get("sec-websocket-key", "")
    try:
        size = len(binascii.a2b_base64(key, strict_mode=True))
    except (binascii.Error, ValueError):
        size = 0
    if size != _KEY_SIZE:
        raise ProtocolError(400, "Sec-WebSocket-Key must be 16 bytes in Base64")
    return key


def upgrade_required(detail: str) -> ProtocolError:
    """What somebody is told who speaks plain HTTP, or another version, to a WebSocket path."""
    return ProtocolError(426, detail, headers=_UPGRADE_HEADERS)


def choose_subprotocol(headers: Mapping[str, str], spoken: Sequence[str]) -> str:
    """The first of ``spoken`` that the client offers; empty when there is none, and the client decides."""
    offered = {item.strip() for item in headers.get("sec-websocket-protocol", "").split(",")}
    return next((name for name in spoken if name in offered), "")


class Handshake(msgspec.Struct, frozen=True):
    """An opening handshake that was found good; ``early`` is what came behind its head."""

    key: str
    subprotocol: str
    early: bytes


class Consumer(Protocol):
    """Who is given the messages of a WebSocket."""

    async def received(self, message: str | bytes) -> None:
        """Handle ``message``; the next one comes when this returns."""


class WebSocket:
    """The server's side of one WebSocket, from its handshake to its end.

    Two tasks are at work while it opens: one in ``accept()``, one in ``reader()`` and then in what that returns. The
    second one stays.
    """

    __slots__ = ("_catch", "_connection", "_handshake", "_wire")

    def __init__(
        self, stream: FrameStream, handshake: Handshake, message_size: int, consumer: Consumer, pace: Pace
    ) -> None:
        self._handshake: Handshake | None = handshake
        self._wire = _Wire(stream, handshake, message_size, consumer, pace)
        self._catch: _Catch | None = _Catch()
        self._connection: trio_websocket.WebSocketConnection | None = None

    async def accept(self) -> None:
        """Complete the handshake. The caller bounds the time.

        Raises:
            trio.BrokenResourceError: if the client has gone.
        """
        if self._catch is None or self._handshake is None:
            raise UsageError("a handshake is completed once")
        wire, subprotocol = self._wire, self._handshake.subprotocol
        wire.handshake = trio.CancelScope()
        with wire.handshake:
            request = await trio_websocket.wrap_server_stream(
                cast("trio.Nursery", self._catch),
                wire,
                message_queue_size=_QUEUE_SIZE,
                max_message_size=wire.message_size,
                receive_buffer_size=_RECEIVE_SIZE,
            )
            try:
                connection = await request.accept(subprotocol=subprotocol or None)
            except trio_websocket.ConnectionClosed:
                raise trio.BrokenResourceError("the client left during the handshake") from None
            _forget_handshake(connection)
            self._connection = wire.connection = connection
            self._handshake = self._catch = wire.handshake = None
            return
        raise trio.BrokenResourceError("the handshake ended early")

    async def reader(self) -> Reader:
        """What this WebSocket is read with: to be called and awaited by the connection's task, until it ends."""
        if self._catch is None:
            raise UsageError("a WebSocket has one reader")
        return await self._catch.reader()

    def listen(self, arrivals: Arrivals) -> None:
        """Begin to give messages to the consumer; ``arrivals`` tells from now on when something comes."""
        self._wire.stream.join(arrivals, self._wire.taste)
        self._wire.listen()

    @property
    def fault(self) -> ProtocolError | None:
        """What the client did wrong, if that has ended the reader."""
        wire, closed = self._wire, self._closed
        if wire.fault is None and not wire.answered and not wire.closing and closed is not None:
            # A code that nobody has sent is the library's own judgement.
            code = int(closed.code)
            if code in {MALFORMED_FRAME, INVALID_TEXT}:
                wire.fault = ProtocolError(code, (closed.reason or "")[:_REASON_SIZE])
        return wire.fault

    @property
    def outcome(self) -> tuple[int, str]:
        """The close code and reason that the reader has ended with."""
        fault, closed = self.fault, self._closed
        if fault is not None:
            return fault.close, fault.detail
        if closed is None or int(closed.code) == LINK_LOST:
            return LINK_LOST, "link lost"
        return int(closed.code), closed.reason or ""

    async def send_close(self, code: int, reason: str) -> None:
        """Send a Close frame behind what waits, unless the client's Close was answered already.

        Raises:
            trio.BrokenResourceError: if the client has gone.
        """
        wire = self._wire
        wire.closing = True
        if not wire.answered:
            await wire.stream.send_all(frame_bytes(CLOSE, close_payload(code, reason)))

    def forget(self) -> None:
        """Let go of the consumer and of the library's object, which know of each other: nothing more will come."""
        self._wire.forget()
        self._connection = self._catch = None

    async def outlast(self) -> None:
        """After a fault: read on and throw away until the client has gone, so that it can read why it must."""
        while await self._wire.stream.receive_some(_EARNEST):
            pass

    @property
    def _closed(self) -> trio_websocket.CloseReason | None:
        return None if self._connection is None else self._connection.closed


class _Catch:
    """What the library takes for its nursery: keeps the one task that is started in it for who will run it."""

    __slots__ = ("_caught", "_reader")

    def __init__(self) -> None:
        self._caught = trio.Event()
        self._reader: Reader | None = None

    def start_soon(self, reader: Reader) -> None:
        """Keep ``reader``."""
        self._reader = reader
        self._caught.set()

    async def reader(self) -> Reader:
        """Wait for the reader."""
        await self._caught.wait()
        if self._reader is None:
            raise UsageError("nothing was caught")
        return self._reader


class _Wire(trio.abc.Stream):
    """What the library takes for its stream."""

    __slots__ = (
        "_behind", "_complete", "_consumer", "_early", "_head", "_listening", "_meter", "_over", "_pace",
        "answered", "closing", "connection", "fault", "handshake", "message_size", "stream",
    )  # fmt: skip

    def __init__(
        self, stream: FrameStream, handshake: Handshake, message_size: int, consumer: Consumer, pace: Pace
    ) -> None:
        self.stream = stream
        self.message_size = message_size
        self.handshake: trio.CancelScope | None = None
        self.connection: trio_websocket.WebSocketConnection | None = None
        self.fault: ProtocolError | None = None
        self.answered = False
        self.closing = False
        self._consumer: Consumer | None = consumer
        self._head = _head(handshake)
        self._early = handshake.early
        self._listening: trio.Event | None = trio.Event()
        self._meter = Meter(message_size)
        self._pace = pace
        self._complete = 0
        self._behind = 0
        self._over = False

    def forget(self) -> None:
        self.connection = self._consumer = None

    def listen(self) -> None:
        if self._listening is not None:
            self._listening.set()
            self._listening = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._head:
            await checkpoint()
            head, self._head = self._head, b""
            return head
        if self._listening is not None:
            await self._listening.wait()
        if self._complete:
            await self._hand_on()
        if self._over:
            raise trio.ClosedResourceError
        if self._pace.pause:
            await self._pace.rest()
        if self._early:
            await checkpoint()
            data, self._early = self._early[:_RECEIVE_SIZE], self._early[_RECEIVE_SIZE:]
        else:
            data = await self._receive(max_bytes)
        if self.fault is None:
            self._count(data)
        if self.closing and self.fault is None and await self._is_deaf(data):
            return b""
        # An end of the stream is what makes the library stop at once, without a word of its own.
        return data if self.fault is None else b""

    async def _is_deaf(self, data: bytes) -> bool:
        """Whether the client has gone on at length behind our Close: then its own is waited for, and nothing parsed."""
        self._behind += len(data)
        if self._behind <= _EARNEST:
            return False
        while data and self.fault is None and not self._meter.has_ended:
            await self._pace.rest()
            data = await self.stream.receive_some(_EARNEST)
            self._count(data)
        self._complete = 0
        return True

    def _count(self, data: bytes) -> None:
        try:
            self._complete = self._meter.feed(data)
            if self.closing:
                # Nobody weighs any more what is said behind our Close, and each message costs as much as ever.
                self._meter.frames += self._complete
            self._pace.read(len(data))
            self._hand_on_pongs()
        except ProtocolError as fault:
            self.fault = fault.with_traceback(None)

    async def _receive(self, max_bytes: int | None) -> bytes:
        """What has come in; Pongs alone are handled here."""
        while True:
            data = await self.stream.receive_some(max_bytes)
            rest = self.taste(data) if data else data
            if rest or not data:
                return rest

    def taste(self, data: bytes) -> bytes:
        """Handle the Pongs at the beginning of ``data``; returns what follows them."""
        if self.fault is not None:
            return data
        rest = self._meter.take_pongs(data)
        try:
            self._hand_on_pongs()
        except ProtocolError as fault:
            # Whoever reads finds it: here nobody waits for an end.
            self.fault = fault.with_traceback(None)
        return rest if self.fault is None else data

    def _hand_on_pongs(self) -> None:
        meter = self._meter
        pongs = meter.pongs
        self._pace.frames(meter.frames, len(pongs))
        meter.frames = 0
        if pongs:
            self._meter.pongs = []
            for payload in pongs:
                self.stream.echoed(payload)

    async def _hand_on(self) -> None:
        """Give the consumer the messages that the last piece of input has completed."""
        while self._complete and self.connection is not None and self._consumer is not None:
            self._complete -= 1
            try:
                message = await self.connection.get_message()
            except trio_websocket.ConnectionClosed:
                self._complete = 0
                return
            await self._consumer.received(message)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if data[0] == CLOSE:
            self.answered = True
        # Behind our Close the stream takes nothing: the library's answer to the client's would be a second one.
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """The library has ended; the socket is closed by the connection that it belongs to."""
        self._over = True
        if self.handshake is not None:
            self.handshake.cancel()
        await checkpoint()


class _NoHandshake:
    """What stays of a handshake that is done: no events."""

    @staticmethod
    def events() -> tuple[()]:
        """None, ever."""
        return ()


def _forget_handshake(connection: trio_websocket.WebSocketConnection) -> None:
    """Let go of the handshake's HTTP parser and of the request: an eighth of an idle link's memory.

    The library has no word for it, so this looks for the protocol object behind its private name; a version that keeps
    it elsewhere costs memory and nothing else.
    """
    protocol: object = getattr(connection, "_wsproto", None)
    if getattr(protocol, "connection", None) is not None and hasattr(protocol, "handshake"):
        setattr(protocol, "handshake", _NoHandshake)  # noqa: B010 - its type says that it has one of its own


def _head(handshake: Handshake) -> bytes:
    protocol = f"Sec-WebSocket-Protocol: {handshake.subprotocol}\r\n" if handshake.subprotocol else ""
    return (
        f"GET / HTTP/1.1\r\nHost: andond\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {_VERSION}\r\nSec-WebSocket-Key: {handshake.key}\r\n{protocol}\r\n"
    ).encode("ascii")


def _tokens(value: str) -> set[str]:
    return {token.strip().lower() for token in value.split(",")}
