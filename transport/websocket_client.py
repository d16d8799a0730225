"""A WebSocket that we open ourselves, to a node that pushes.

Rules of this file:

* What comes in is taken from the library at once, into a queue of our own, so the library always reads and always
  answers pings: a node drops whom it does not hear from, and the library by itself is silent as soon as nobody takes
  its messages.
* That queue is bounded, in messages and in bytes. When it is full the link ends and says so; what waits in it is still
  given out, in order, and nothing is dropped in between.
* A node that says nothing is asked for a pong, and given up when nothing at all comes back: one that is stopped keeps
  its end of the connection open.
* Sizes are counted in bytes, from the frame headers, before anything is decoded (``Meter``).
* The library is never let near the socket, nor near a nursery: it leaves the one open after some errors, and puts
  exceptions into the other. ``_Wire`` stands in for the one, ``_Task`` for the other.
* What is raised inside ``async with connect(...)`` comes out as it is, not in a group.
"""

from __future__ import annotations

import ssl
import sys
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Self, cast

import trio
import trio_websocket

from transport.codes import LINK_LOST, NORMAL, ProtocolError, is_sendable
from transport.inbound import Meter
from transport.links import Closed, Ending, LinkLimits, LinkStatistics, Target
from transport.refusals import WORDS_LIMIT, Unfetched, refusal, unreached

_RECEIVE_SIZE = 64 * 1024
_QUEUE_SIZE = 64
_BEGIN_SIZE = 60
_ENDING = 1.0
_BEHIND = 1008


@asynccontextmanager
async def connect(
    url: str,
    *,
    limits: LinkLimits | None = None,
    headers: Mapping[str, str] | None = None,
    context: ssl.SSLContext | None = None,
) -> AsyncIterator[WebSocketLink]:
    """Open a link to ``url`` (ws, wss, http or https); it is closed at the end of the ``async with``.

    ``headers`` go with the request and may be secret; ``context`` says which certificates are trusted, by default those
    of the system.

    Raises:
        Unfetched: if no link could be made.
        Refused: if the node answered that it will not.
        ValueError: if ``url`` leads nowhere.
    """
    limits = limits or LinkLimits()
    target = Target.of(url, headers or {})
    raised: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            try:
                link = await _open(nursery, target, limits, context)
                try:
                    yield link
                finally:
                    await link.aclose()
            except BaseException as error:  # noqa: BLE001 - goes on below, past the nursery that would wrap it
                raised = error
            nursery.cancel_scope.cancel()
    finally:
        # A cancellation of ours must not hide what ended the tasks in there.
        if raised is not None and not isinstance(raised, trio.Cancelled):
            raise raised
    if raised is not None:
        raise raised


class WebSocketLink:
    """A link to a node. One task takes its messages, with ``async for``; any may send.

    The loop does not end by itself: when the link has ended and nothing waits any more, ``Closed`` is raised.
    """

    def __init__(
        self,
        place: str,
        wire: _Wire,
        task: _Task,
        connection: trio_websocket.WebSocketConnection,
        limits: LinkLimits,
    ) -> None:
        self.place = place
        self._task = task
        self._wire = wire
        self._connection = connection
        self._limits = limits
        self._waiting: deque[str | bytes] = deque()
        self._waiting_size = 0
        self._received = 0
        self._sent = 0
        self._news = trio.Event()
        self._end: tuple[Ending, int, str] | None = None
        self._ending = trio.Event()
        self._ended = trio.Event()
        self._is_parting = False

    @property
    def closed(self) -> Closed | None:
        """How the link ended, if it has."""
        return None if self._end is None else Closed(self.place, *self._end)

    def statistics(self) -> LinkStatistics:
        """What waits, and what went over the link so far."""
        waiting = len(self._waiting)
        return LinkStatistics(waiting, self._waiting_size, self._received, self._wire.received_size, self._sent)

    async def send(self, message: str | bytes) -> None:
        """Send ``message``.

        Raises:
            Closed: if the link has ended.
        """
        closed = self.closed
        if closed is None:
            try:
                await self._connection.send_message(message)
            except trio_websocket.ConnectionClosed:
                self._note_end()
                closed = self.closed
            else:
                self._sent += 1
        if closed is not None:
            raise closed

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        await trio.lowlevel.checkpoint()
        while not self._waiting:
            closed = self.closed
            if closed is not None:
                raise closed
            self._news = trio.Event()
            await self._news.wait()
        message = self._waiting.popleft()
        self._waiting_size -= sys.getsizeof(message)
        return message

    async def aclose(self) -> None:
        """End the link, if it has not ended, and wait until it has."""
        self._finish("closed", NORMAL, "")
        await self._part()

    # -- its tasks --------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Take what has come in, for ever, so that the library goes on reading."""
        limits = self._limits
        while True:
            try:
                message = await self._connection.get_message()
            except trio_websocket.ConnectionClosed:
                self._note_end()
                return
            size = sys.getsizeof(message)
            is_full = len(self._waiting) >= limits.waiting_count or self._waiting_size + size > limits.waiting_size
            if is_full and self._waiting:
                self._finish("behind", _BEHIND, f"{len(self._waiting)} messages wait, of {self._waiting_size} bytes")
                return
            self._waiting.append(message)
            self._waiting_size += size
            self._received += 1
            self._news.set()

    async def watch(self) -> None:
        """Ask for a pong when nothing comes, and give up when none does."""
        interval, patience = self._limits.ping_interval, self._limits.patience
        while True:
            await trio.sleep_until(self._wire.heard + interval)
            asked = trio.current_time()
            if asked < self._wire.heard + interval:
                continue
            with trio.move_on_after(patience):
                try:
                    await self._connection.ping()
                except trio_websocket.ConnectionClosed:
                    return
            # A pong may wait behind a long message; whoever sends that is no less alive.
            if self._wire.heard < asked:
                self._finish("silent", LINK_LOST, f"nothing heard within {patience:g} s of a ping")
                return

    async def part(self) -> None:
        """End the connection when the link has ended: say so to the node if it can still hear, then close."""
        await self._ending.wait()
        await self._part()

    async def _part(self) -> None:
        with trio.CancelScope(shield=True):
            if self._is_parting:
                await self._ended.wait()
                return
            self._is_parting = True
            code, reason = self._end[1:] if self._end is not None else (NORMAL, "")
            with trio.move_on_after(_ENDING):
                await self._connection.aclose(code if is_sendable(code) else NORMAL, reason)
            await trio.aclose_forcefully(self._wire)
            self._task.scope.cancel()
            self._ended.set()

    def spoil(self, fault: ProtocolError) -> None:
        """End the link for the size of what the node sent."""
        self._finish("oversized", fault.close, fault.detail)

    def _note_end(self) -> None:
        """Note how the library says that the link ended, unless we know better."""
        closed = self._connection.closed
        code = LINK_LOST if closed is None else int(closed.code)
        reason = "" if closed is None else (closed.reason or "")
        # A code that nobody has sent is the library's own judgement.
        is_fault = code != LINK_LOST and not self._wire.has_close
        self._finish("cut" if code == LINK_LOST else "garbled" if is_fault else "closed", code, reason[:WORDS_LIMIT])

    def _finish(self, ending: Ending, code: int, reason: str) -> None:
        if self._end is None:
            self._end = (ending, code, reason)
        self._ending.set()
        self._news.set()


class _Wire(trio.abc.Stream):
    """What the library takes for its stream: it counts what comes in."""

    def __init__(self, stream: trio.abc.Stream, message_size: int) -> None:
        self.heard = trio.current_time()
        self.received_size = 0
        self.begin = b""
        self.link: WebSocketLink | None = None
        self._stream = stream
        self._meter = Meter(message_size)
        self._head: bytes | None = b""

    @property
    def has_close(self) -> bool:
        """Whether the node has sent a Close frame."""
        return self._meter.has_ended

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        data = bytes(await self._stream.receive_some(max_bytes))
        self.heard = trio.current_time()
        self.received_size += len(data)
        self.begin = self.begin or data[:_BEGIN_SIZE]
        try:
            self._count(data)
        except ProtocolError as fault:
            if self.link is None:
                raise trio.BrokenResourceError(fault.detail) from fault
            self.link.spoil(fault)
            # Nothing more is read; the link is about to be closed.
            await trio.sleep_forever()
        return data

    def _count(self, data: bytes) -> None:
        if self._head is not None:
            # Frames begin behind the head of the answer.
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            self._head = None if end else head
        if self._head is None:
            self._meter.feed(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Task:
    """What the library takes for its nursery: runs the one task that is started in it, and keeps what it raises.

    That task is the reader. A cancellation from outside does not reach it, so that a link can be closed in good order.
    """

    def __init__(self, nursery: trio.Nursery) -> None:
        self.scope = trio.CancelScope(shield=True)
        self.handshake: trio.CancelScope | None = trio.CancelScope()
        self.error: Exception | None = None
        self._nursery = nursery

    def start_soon(self, reader: Callable[[], Awaitable[None]]) -> None:
        """Run ``reader``."""
        self._nursery.start_soon(self._run, reader)

    async def _run(self, reader: Callable[[], Awaitable[None]]) -> None:
        try:
            with self.scope:
                await reader()
        except Exception as error:
            if self.handshake is None:
                raise
            # Of an answer that is none, whatever its parsers raise comes through here.
            self.error = error
        if self.handshake is not None:
            # Whoever waits for its end would wait for ever.
            self.handshake.cancel()


async def _open(
    nursery: trio.Nursery, target: Target, limits: LinkLimits, context: ssl.SSLContext | None
) -> WebSocketLink:
    task = _Task(nursery)
    try:
        with trio.fail_after(limits.deadline):
            stream = await _stream(target, context)
            try:
                wire = _Wire(stream, limits.message_size)
                connection = await _shake_hands(task, target, wire)
            except BaseException:
                task.scope.cancel()
                await trio.aclose_forcefully(stream)
                raise
    except trio.TooSlowError:
        raise Unfetched(target.place, "silent", f"no link within {limits.deadline:g} s") from None
    link = wire.link = WebSocketLink(target.place, wire, task, connection, limits)
    for work in (link.drain, link.watch, link.part):
        nursery.start_soon(work)
    return link


async def _stream(target: Target, context: ssl.SSLContext | None) -> trio.abc.Stream:
    try:
        stream = await trio.open_tcp_stream(target.host, target.port)
        if not target.is_secret:
            return stream
        trusted = context or ssl.create_default_context()
        secret = trio.SSLStream(stream, trusted, server_hostname=target.host, https_compatible=True)
        try:
            await secret.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
    except (OSError, trio.BrokenResourceError) as error:
        raise unreached(target.place, error) from error
    return secret


async def _shake_hands(task: _Task, target: Target, wire: _Wire) -> trio_websocket.WebSocketConnection:
    with task.handshake or trio.CancelScope():
        connection = await trio_websocket.wrap_client_stream(
            cast("trio.Nursery", task),
            cast("trio.SocketStream", wire),
            target.named,
            target.resource,
            extra_headers=target.headers,
            message_queue_size=_QUEUE_SIZE,
            max_message_size=sys.maxsize,
            receive_buffer_size=_RECEIVE_SIZE,
        )
        task.handshake = None
        return connection
    error = task.error
    if isinstance(error, trio_websocket.ConnectionRejected):
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in error.headers}
        raise refusal(target.place, error.status_code, headers, error.body or b"")
    if error is not None:
        words = wire.begin.partition(b"\r\n")[0].decode("ascii", "replace")
        raise Unfetched(target.place, "garbled", f"it does not answer the opening handshake but says {words!r}")
    raise Unfetched(target.place, "cut", "closed during the opening handshake")
