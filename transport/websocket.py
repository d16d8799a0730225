"""WebSocket on a stream that carries other writers' frames too: the only file that imports trio_websocket.

Rules of this file: the library reads, answers pings and takes part in the closing handshake; it is never let near the
socket. ``_Wire`` stands between and makes up for what the library does wrong:

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
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

import trio
import trio_websocket
from trio.lowlevel import checkpoint

from transport.codes import INVALID_TEXT, LINK_LOST, MALFORMED_FRAME, ProtocolError
from transport.frames import CLOSE, frame_bytes
from transport.gate import close_payload
from transport.inbound import Meter
from transport.stream import FrameStream

_VERSION = "13"
_KEY_SIZE = 16
_RECEIVE_SIZE = 4096
_REASON_SIZE = 200
_UPGRADE_HEADERS = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": _VERSION}


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


WebSocketEnded = trio_websocket.ConnectionClosed
"""Raised when there will be no more messages; ``WebSocket.outcome`` says why."""


class WebSocket:
    """The server's side of one WebSocket, from its handshake to its end."""

    __slots__ = ("_connection", "_wire")

    def __init__(self, connection: trio_websocket.WebSocketConnection, wire: _Wire) -> None:
        self._connection = connection
        self._wire = wire

    def receive(self) -> Awaitable[str | bytes]:
        """The next message, to be awaited.

        Raises:
            WebSocketEnded: when there will be none.
        """
        # Not a coroutine of its own: ten thousand idle ones would each keep its frame.
        return self._connection.get_message()

    def outcome(self, ended: WebSocketEnded) -> tuple[int, str]:
        """The close code and reason that a WebSocket has ended with."""
        fault = self.fault(ended)
        if fault is not None:
            return fault.close, fault.detail
        if ended.reason is None or int(ended.reason.code) == LINK_LOST:
            return LINK_LOST, "link lost"
        return int(ended.reason.code), ended.reason.reason or ""

    def fault(self, ended: WebSocketEnded) -> ProtocolError | None:
        """What the client did wrong, if that has ended it."""
        wire = self._wire
        if wire.fault is None and not wire.answered and ended.reason is not None:
            # A code that nobody has sent is the library's own judgement.
            code = int(ended.reason.code)
            if code in {MALFORMED_FRAME, INVALID_TEXT}:
                wire.fault = ProtocolError(code, (ended.reason.reason or "")[:_REASON_SIZE])
        return wire.fault

    async def send_close(self, code: int, reason: str) -> None:
        """Send a Close frame behind what waits, unless the client's Close was answered already.

        Raises:
            trio.BrokenResourceError: if the client has gone.
        """
        wire = self._wire
        wire.closing = True
        if not wire.answered:
            await wire.stream.send_all(frame_bytes(CLOSE, close_payload(code, reason)))

    async def outlast(self) -> None:
        """After a fault: read on and throw away until the client has gone, so that it can read why it must."""
        wire = self._wire
        while await wire.stream.receive_some(_RECEIVE_SIZE):
            pass


@dataclass(frozen=True, slots=True)
class Handshake:
    """An opening handshake that was found good; ``early`` is what came behind its head."""

    key: str
    subprotocol: str
    early: bytes


async def accept(nursery: trio.Nursery, stream: FrameStream, handshake: Handshake, message_size: int) -> WebSocket:
    """Complete ``handshake``; the library's task runs in ``nursery``. The caller bounds the time.

    Raises:
        trio.BrokenResourceError: if the client has gone.
    """
    wire = _Wire(stream, _head(handshake), handshake.early, message_size)
    with trio.CancelScope() as wire.handshake:
        request = await trio_websocket.wrap_server_stream(
            nursery, wire, max_message_size=message_size, receive_buffer_size=_RECEIVE_SIZE
        )
        try:
            connection = await request.accept(subprotocol=handshake.subprotocol or None)
        except trio_websocket.ConnectionClosed:
            raise trio.BrokenResourceError("the client left during the handshake") from None
        wire.opened()
        _forget_handshake(connection)
        return WebSocket(connection, wire)
    raise trio.BrokenResourceError("the handshake ended early")


class _Wire(trio.abc.Stream):
    """What the library takes for its stream."""

    __slots__ = ("_early", "_head", "_meter", "_open", "answered", "closing", "fault", "handshake", "stream")

    def __init__(self, stream: FrameStream, head: bytes, early: bytes, message_size: int) -> None:
        self.stream = stream
        self.handshake: trio.CancelScope | None = None
        self.fault: ProtocolError | None = None
        self.answered = False
        self.closing = False
        self._head = head
        self._early = early
        self._meter = Meter(message_size)
        self._open: trio.Event | None = trio.Event()

    def opened(self) -> None:
        """Let the library read what comes behind the head."""
        self.handshake = None
        if self._open is not None:
            self._open.set()
            self._open = None

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        if self._head:
            await checkpoint()
            head, self._head = self._head, b""
            return head
        if self._open is not None:
            await self._open.wait()
        if self._early:
            await checkpoint()
            data, self._early = self._early, b""
        else:
            data = await self.stream.receive_some(max_bytes)
        try:
            self._meter.feed(data)
        except ProtocolError as fault:
            # An end of the stream is what makes the library stop at once, without a word of its own.
            self.fault = fault
            return b""
        return data

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.closing:
            # Our Close was the last word; the library's answer to the client's would be a second one.
            await checkpoint()
            return
        if data[0] == CLOSE:
            self.answered = True
        await self.stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self.stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """The library has ended; the socket is closed by the connection that it belongs to."""
        if self.handshake is not None:
            self.handshake.cancel()
        await checkpoint()


class _NoHandshake:
    """What stays of a handshake that is done: no events."""

    def events(self) -> tuple[()]:
        """None, ever."""
        return ()


_NO_HANDSHAKE = _NoHandshake()


def _forget_handshake(connection: trio_websocket.WebSocketConnection) -> None:
    """Let go of the handshake's HTTP parser and of the request: an eighth of an idle link's memory.

    The library has no word for it, so this looks for the protocol object behind its private name; a version that keeps
    it elsewhere costs memory and nothing else.
    """
    protocol = getattr(connection, "_wsproto", None)
    if getattr(protocol, "connection", None) is not None and hasattr(protocol, "handshake"):
        protocol.handshake = _NO_HANDSHAKE


def _head(handshake: Handshake) -> bytes:
    protocol = f"Sec-WebSocket-Protocol: {handshake.subprotocol}\r\n" if handshake.subprotocol else ""
    return (
        f"GET / HTTP/1.1\r\nHost: andond\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {_VERSION}\r\nSec-WebSocket-Key: {handshake.key}\r\n{protocol}\r\n"
    ).encode("ascii")


def _tokens(value: str) -> set[str]:
    return {token.strip().lower() for token in value.split(",")}
