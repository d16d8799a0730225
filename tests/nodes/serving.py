"""HTTP and WebSocket on one port of loopback, for nodes that a test starts and breaks.

Rules of this file: real sockets, no clock. It is made of other libraries than what it serves (h11 and the protocol core
of ``websockets``), so that one does not forgive the other's mistakes. A hung node is a stopped process: its kernel goes
on taking connections and bytes, and nothing is ever said.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlsplit

import h11
import trio
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Opening
from websockets.server import ServerProtocol

MESSAGE_SIZE = 64 * 1024 * 1024
RECEIVE_SIZE = 64 * 1024


@dataclass(frozen=True)
class Asked:
    """A request; ``query`` has a list for each name, ``headers`` lower-case names."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def value(self, name: str, default: str = "") -> str:
        """The first ``name`` of the query."""
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Answer:
    """What is answered: ``value`` as JSON (bytes as they are), or ``pieces`` for as long as they come."""

    value: object = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pieces: AsyncGenerator[bytes, None] | None = None


class Silent(Exception):
    """Nothing is answered to this request, for ever."""


class Attended:
    """The server's end of one WebSocket."""

    def __init__(self, line: Line, opening: Opening, protocol: ServerProtocol) -> None:
        self.path = urlsplit(opening.path).path
        self.headers = {name.lower(): value for name, value in opening.headers.raw_items()}
        self.pongs: list[bytes] = []
        self._messages: deque[str] = deque()
        self._line = line
        self._protocol = protocol

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """What the client sends, until it leaves."""
        while not self._messages:
            if self._protocol.close_expected():
                raise StopAsyncIteration
            data = await self._line.receive()
            if data:
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            await self._flush()
            self._sort()
            if not data and not self._messages:
                # Gone without a word; nothing more will ever come.
                raise StopAsyncIteration
        return self._messages.popleft()

    def _sort(self) -> None:
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self._messages.append(event.data.decode())
            elif isinstance(event, Frame) and event.opcode is Opcode.PONG:
                self.pongs.append(bytes(event.data))

    async def send(self, message: object) -> None:
        """Send ``message``: text as it is, anything else as JSON."""
        text = message if isinstance(message, str) else json.dumps(message)
        self._protocol.send_text(text.encode())
        await self._flush()

    async def ping(self, payload: bytes) -> None:
        """Send a ping; what comes back is in ``pongs``."""
        self._protocol.send_ping(payload)
        await self._flush()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Begin the closing handshake."""
        self._protocol.send_close(code, reason)
        await self._flush()

    def cut(self) -> None:
        """End the connection without a word."""
        self._line.cut()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            # The empty one says that nothing more will come.
            if data:
                await self._line.send(data)


class Line:
    """One connection of a node."""

    def __init__(self, node: Node, stream: trio.SocketStream) -> None:
        self._node = node
        self._stream = stream
        self._sending = trio.Lock()

    async def receive(self) -> bytes:
        await self._node.awake()
        data = bytes(await self._stream.receive_some(RECEIVE_SIZE))
        await self._node.awake()
        return data

    async def send(self, data: bytes) -> None:
        async with self._sending:
            await self._node.awake()
            await self._stream.send_all(data)

    def cut(self) -> None:
        self._stream.socket.close()


class Node:
    """A server for ``async with``, at ``url`` (http) and ``link`` (ws). What it answers is for who derives from it.

    ``answers`` has precedence over what the node would say: by the path of a request, or the method of a JSON-RPC call
    (then it is the result); a callable is asked with the request, or the call's params. ``requests`` is what was asked.
    """

    def __init__(self) -> None:
        self.answers: dict[str, object] = {}
        self.requests: list[Asked] = []
        self.lines: set[Line] = set()
        self.links: list[Attended] = []
        self.connected = 0
        self._port = 0
        self._awake = trio.Event()
        self._awake.set()
        self._open = trio.CancelScope()
        self._listeners: list[trio.SocketListener] = []
        self._manager: AbstractAsyncContextManager[trio.Nursery] | None = None
        self._nursery: trio.Nursery | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def link(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._manager = trio.open_nursery()
        self._nursery = await self._manager.__aenter__()
        await self.come_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._nursery is not None
        assert self._manager is not None
        self._nursery.cancel_scope.cancel()
        await self._manager.__aexit__(None, None, None)

    # -- what can go wrong --------------------------------------------------------------------------------------------

    def hang(self) -> None:
        """Take connections and bytes and say nothing."""
        self._awake = trio.Event()

    def wake(self) -> None:
        """Go on where it was."""
        self._awake.set()

    @property
    def is_awake(self) -> bool:
        """Whether it does not hang."""
        return self._awake.is_set()

    async def awake(self) -> None:
        """Wait until the node does not hang."""
        await self._awake.wait()

    def cut(self) -> None:
        """End all connections without a word."""
        for line in list(self.lines):
            line.cut()

    def leave(self) -> None:
        """Be gone: connections end, new ones are refused."""
        self._open.cancel()
        for listener in self._listeners:
            listener.socket.close()
        self.cut()

    async def come_back(self) -> None:
        """Listen, at the port of before."""
        assert self._nursery is not None
        self._listeners = await trio.open_tcp_listeners(self._port, host="127.0.0.1")
        self._port = self._listeners[0].socket.getsockname()[1]
        self._open = trio.CancelScope()
        self._nursery.start_soon(self._listen, self._listeners, self._open)

    # -- what it says -------------------------------------------------------------------------------------------------

    async def answer(self, asked: Asked) -> Answer:
        """What is answered to ``asked``."""
        raise NotImplementedError

    async def attend(self, link: Attended) -> None:
        """Serve a WebSocket until it ends."""
        async for _ in link:
            pass

    def scripted(self, name: str, given: object) -> Answer | None:
        """What the test wants to be answered."""
        if name not in self.answers:
            return None
        found = self.answers[name]
        if isinstance(found, Callable):
            found = found(given)
        return found if isinstance(found, Answer) else Answer(found)

    # -- how ----------------------------------------------------------------------------------------------------------

    async def _listen(self, listeners: list[trio.SocketListener], scope: trio.CancelScope) -> None:
        with scope, suppress(trio.ClosedResourceError):
            await trio.serve_listeners(self._serve, listeners, handler_nursery=self._nursery)

    async def _serve(self, stream: trio.SocketStream) -> None:
        line = Line(self, stream)
        self.lines.add(line)
        self.connected += 1
        try:
            async with stream:
                await self._converse(line)
        except* (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError, InvalidState):
            pass
        finally:
            self.lines.discard(line)

    async def _converse(self, line: Line) -> None:
        parser, head = h11.Connection(h11.SERVER), b""
        while True:
            request, body = None, b""
            while True:
                event = parser.next_event()
                if event is h11.NEED_DATA:
                    data = await line.receive()
                    head += data
                    parser.receive_data(data)
                elif isinstance(event, h11.Request):
                    request = event
                    if any(name == b"upgrade" for name, _ in event.headers):
                        return await self._upgrade(line, head)
                elif isinstance(event, h11.Data):
                    body += bytes(event.data)
                else:
                    break
            if request is None:
                return None
            await self._reply(line, parser, _asked(request, body))
            if parser.our_state is not h11.DONE:
                return None
            parser.start_next_cycle()

    async def _reply(self, line: Line, parser: h11.Connection, asked: Asked) -> None:
        self.requests.append(asked)
        try:
            answer = self.scripted(asked.path, asked) or await self.answer(asked)
        except Silent:
            await trio.sleep_forever()
        content = answer.value if isinstance(answer.value, bytes) else json.dumps(answer.value).encode()
        kind = "text/event-stream" if answer.pieces else "application/json"
        headers = {"Content-Type": kind, **answer.headers}
        if answer.pieces is None:
            headers["Content-Length"] = str(len(content))
        await line.send(parser.send(h11.Response(status_code=answer.status, headers=list(headers.items()))) or b"")
        if answer.pieces is None:
            await line.send(parser.send(h11.Data(data=content)) or b"")
        else:
            await self._stream(line, parser, answer.pieces)
        await line.send(parser.send(h11.EndOfMessage()) or b"")

    async def _stream(self, line: Line, parser: h11.Connection, pieces: AsyncGenerator[bytes, None]) -> None:
        """Send ``pieces`` until there are no more, or the client has left."""

        async def wait_for_the_end() -> None:
            while await line.receive():
                pass
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery, aclosing(pieces):
            nursery.start_soon(wait_for_the_end)
            async for piece in pieces:
                await line.send(parser.send(h11.Data(data=piece)) or b"")
            nursery.cancel_scope.cancel()

    async def _upgrade(self, line: Line, head: bytes) -> None:
        protocol = ServerProtocol(max_size=MESSAGE_SIZE)
        protocol.receive_data(head)
        for opening in protocol.events_received():
            assert isinstance(opening, Opening)
            refused = self.scripted(urlsplit(opening.path).path, opening)
            response = protocol.reject(refused.status, "no\n") if refused else protocol.accept(opening)
            protocol.send_response(response)
            link = Attended(line, opening, protocol)
            await link._flush()
            if response.status_code == 101:
                self.links.append(link)
                try:
                    await self.attend(link)
                finally:
                    self.links.remove(link)


def _asked(request: h11.Request, body: bytes) -> Asked:
    parts = urlsplit(request.target.decode())
    headers = {name.decode(): value.decode() for name, value in request.headers}
    return Asked(request.method.decode(), parts.path, parse_qs(parts.query), headers, body)
