"""One socket, many writers: the stream that carries whole frames.

Rules of this file: a frame is never cut in two by another. Channels write frames with ``offer()``, which
never blocks; the WebSocket and HTTP layers write their own bytes with ``send_all()``. Both meet here:
written at once if the socket takes it, else queued by priority and flushed when it is writable again.
Nothing here knows an actor; everything runs on the trio thread.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import replace

import trio
from trio.lowlevel import checkpoint, notify_closing, wait_readable, wait_writable

from telemetry import counters
from transport.codes import CRITICAL_BEHIND
from transport.frames import CLOSE, Frame, frame_bytes
from transport.outbox import CriticalBehind, Outbox, OutboxStatistics

# What is committed to one send is what a critical frame can still wait behind.
FLUSH_SIZE = 16 * 1024
RECEIVE_SIZE = 64 * 1024

# OpenSSL wants the very same bytes again after either of its two; neither is a BlockingIOError.
_AGAIN = (BlockingIOError, ssl.SSLWantWriteError)
# ValueError is what an SSLSocket says after its shutdown.
_LOST = (OSError, ValueError)
_NOTHING_WAITS = (0, 0, 0, 0)
# PROTOCOL, "Errors and closes": what is left out now is resumed from the journal.
_BEHIND = frame_bytes(CLOSE, CRITICAL_BEHIND.to_bytes(2, "big") + b"critical behind")


class _Own:
    """Bytes that a task of this connection writes and waits for; they go first and are never dropped."""

    __slots__ = ("data", "sent")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sent = trio.Event()


class FrameStream(trio.abc.Stream):
    """A non-blocking socket, plain or TLS, that takes whole frames from many writers.

    ``outbox_size`` bounds the bytes that wait below CRITICAL, ``critical_limit`` the critical frames. ``on_lost``
    is called once, with the reason, when frames can be written no more and nobody here has closed the stream; it
    may be called from within ``offer()``. The flusher runs in ``nursery``.
    """

    __slots__ = (
        "_awaited", "_closed", "_conflated", "_critical_limit", "_dropped", "_final", "_flushing", "_nursery",
        "_on_lost", "_outbox", "_outbox_size", "_own", "_send", "_sending", "_tail", "_tls", "heard", "lost", "sock",
    )  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        nursery: trio.Nursery,
        *,
        outbox_size: int,
        critical_limit: int,
        on_lost: Callable[[str], None] | None = None,
    ) -> None:
        self.sock = sock
        self.heard = trio.current_time()
        self.lost = ""
        # Once TLS is shut down, an SSLSocket's send() would go on in plain text; its write() refuses.
        self._send: Callable[[bytes], int] = sock.write if isinstance(sock, ssl.SSLSocket) else sock.send
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._nursery = nursery
        self._outbox_size = outbox_size
        self._critical_limit = critical_limit
        self._on_lost = on_lost
        self._outbox: Outbox | None = None
        self._own: list[_Own] | None = None
        self._sending: tuple[_Own, ...] = ()
        self._final: _Own | None = None
        self._tail = b""
        self._awaited: trio.Event | None = None
        self._dropped = 0
        self._conflated = 0
        self._flushing = False
        self._closed = False

    # -- many writers ------------------------------------------------------------------------------------

    def offer(self, frame: Frame) -> None:
        """Write ``frame`` now if the socket takes it, else queue it. Never blocks, never raises."""
        if self._flushing:
            self._queue(frame)
            return
        if self.lost or self._closed or self._final is not None:
            return
        data = frame.data
        try:
            count = self._send(data)
        except _AGAIN:
            count = 0
        except _LOST as error:
            self._lose(_reason(error))
            return
        if count != len(data):
            self._flush_later(data[count:])

    def offer_batch(self, blob: bytes, frames: Sequence[Frame]) -> None:
        """Write ``frames`` in one send; ``blob`` is all their bytes, joined once for all subscribers."""
        if self._flushing:
            for frame in frames:
                self._queue(frame)
            return
        if self.lost or self._closed or self._final is not None:
            return
        try:
            count = self._send(blob)
        except _AGAIN:
            count = 0
        except _LOST as error:
            self._lose(_reason(error))
            return
        if count != len(blob):
            self._keep_rest(blob, frames, count)

    def statistics(self) -> OutboxStatistics:
        """What waits for this socket now, and what was lost to the limits since it opened."""
        if self._outbox is None:
            return OutboxStatistics(_NOTHING_WAITS, 0, self._dropped, self._conflated)
        now = self._outbox.statistics()
        return replace(now, dropped=now.dropped + self._dropped, conflated=now.conflated + self._conflated)

    # -- the connection's own writer ----------------------------------------------------------------------

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write ``data`` in one piece, ahead of the frames that wait, and return once the socket took it all.

        A Close frame (RFC 6455, section 5.5.1) goes behind the frames that wait, and ends the writing.

        Raises:
            trio.ClosedResourceError: if this stream was closed.
            trio.BrokenResourceError: if the other side is gone.
        """
        await checkpoint()
        if self._final is not None:
            # Whoever still writes to a client that is told goodbye waits until that has gone out.
            await self._final.sent.wait()
            self._check_open()
            return
        self._check_open()
        own = _Own(bytes(data))
        if _is_close(own.data):
            self._final = own
        elif own.data:
            self._own = [*(self._own or ()), own]
        else:
            return
        if not self._flushing:
            self._flushing = True
            if self._drain():
                self._end_flush()
            else:
                self._flush_later(self._tail)
        if not own.sent.is_set():
            await own.sent.wait()
        self._check_open()

    async def wait_send_all_might_not_block(self) -> None:
        """Return once the socket is writable, or this stream has ended."""
        await checkpoint()
        self._check_open()
        await self._writable()

    # -- reading ------------------------------------------------------------------------------------------

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """What has arrived, at most ``max_bytes``; ``b""`` at the end.

        Raises:
            trio.ClosedResourceError: if this stream is closed.
            trio.BrokenResourceError: if the connection failed.
        """
        if self._closed:
            await checkpoint()
            raise trio.ClosedResourceError
        data = await self._receive(max_bytes or RECEIVE_SIZE)
        self.heard = trio.current_time()
        counters.bytes_received += len(data)
        return data

    async def _receive(self, max_bytes: int) -> bytes:
        sock = self.sock
        # OpenSSL may hold decrypted bytes that no readiness of the socket will announce.
        ready = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        while True:
            if ready:
                await checkpoint()
            else:
                await wait_readable(sock)
            ready = False
            if self._closed:
                raise trio.ClosedResourceError
            try:
                return sock.recv(max_bytes)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            except ssl.SSLWantWriteError:
                await self._writable()
                ready = True
            except OSError as error:
                raise trio.BrokenResourceError(_reason(error)) from error

    async def aclose(self) -> None:
        """Close the socket at once; what waits is dropped."""
        self.close()
        await checkpoint()

    def close(self) -> None:
        """Close the socket at once, without waiting for anything."""
        if self._closed:
            return
        self._closed = True
        notify_closing(self.sock)
        self.sock.close()

    # -- flushing -----------------------------------------------------------------------------------------

    def _queue(self, frame: Frame) -> None:
        if self._final is not None or self.lost or self._closed:
            return
        if self._outbox is None:
            self._outbox = Outbox(self._outbox_size, self._critical_limit)
        try:
            self._outbox.put(frame)
        except CriticalBehind:
            self._forget()
            self._final = _Own(_BEHIND)
            self._lose("critical behind")

    def _flush_later(self, tail: bytes) -> None:
        self._tail = tail
        self._flushing = True
        try:
            self._nursery.start_soon(self._flush)
        except RuntimeError:
            # The connection's nursery has closed before its stream: no channel may come to grief over that.
            self._lose("connection ended")
            self._end_flush()

    def _keep_rest(self, blob: bytes, frames: Sequence[Frame], count: int) -> None:
        """Keep what a partial write of ``blob`` has left: a cut frame goes on first, whole ones queue."""
        if self._tls and count == 0:
            # Encrypted already: OpenSSL must be offered exactly this again.
            self._flush_later(blob)
            return
        end = 0
        for index, frame in enumerate(frames):
            start, end = end, end + len(frame.data)
            if end > count:
                cut = count > start
                self._flush_later(frame.data[count - start :] if cut else b"")
                for rest in frames[index + cut :]:
                    self._queue(rest)
                return

    async def _flush(self) -> None:
        """Send what waits; runs only while the socket does not take everything at once."""
        done = False
        try:
            while not self._drain():
                await self._writable()
            done = True
        except (OSError, trio.ClosedResourceError):
            self._lose("closed")
        finally:
            if not done:
                # Cancelled: a frame may be cut, so nothing can follow.
                self._lose("connection ended")
            self._end_flush()

    async def _writable(self) -> None:
        """Wait until the socket is writable, or might be: only one task can ask the loop, the others follow it."""
        if self._closed:
            raise trio.ClosedResourceError
        if self._awaited is not None:
            await self._awaited.wait()
            return
        self._awaited = trio.Event()
        try:
            await wait_writable(self.sock)
        finally:
            self._awaited.set()
            self._awaited = None

    def _drain(self) -> bool:
        """Send until nothing waits or the socket is lost; False when it takes no more for now."""
        try:
            while self._tail or self._take_piece():
                self._tail = self._tail[self._send(self._tail) :]
        except _AGAIN:
            return False
        except _LOST as error:
            self._lose(_reason(error))
        return True

    def _take_piece(self) -> bool:
        """Make the bytes of the next send: own ones first, then frames up to ``FLUSH_SIZE``, Close last."""
        for own in self._sending:
            own.sent.set()
        self._sending = ()
        if self._own:
            self._sending, self._own = tuple(self._own), None
            self._tail = b"".join([own.data for own in self._sending])
        elif self._outbox is not None and (piece := self._join(self._outbox)):
            self._tail = piece
        elif self._final is not None and self._final.data:
            self._sending = (self._final,)
            self._tail, self._final.data = self._final.data, b""
        return bool(self._tail)

    def _end_flush(self) -> None:
        self._flushing = False
        self._tail = b""
        for own in (*self._sending, *(self._own or ()), *((self._final,) if self._final else ())):
            own.sent.set()
        self._sending = ()
        self._own = None
        self._forget()

    def _forget(self) -> None:
        """Let the outbox go, with what may still wait in it, and keep its counts."""
        if self._outbox is not None:
            self._outbox.clear()
            self._dropped += self._outbox.dropped
            self._conflated += self._outbox.conflated
            self._outbox = None

    def _join(self, outbox: Outbox) -> bytes:
        parts: list[bytes] = []
        size = 0
        while size < FLUSH_SIZE and (frame := outbox.pop()) is not None:
            parts.append(frame.data)
            size += len(frame.data)
        return b"".join(parts)

    # -- the end ------------------------------------------------------------------------------------------

    def _lose(self, reason: str) -> None:
        if self.lost or self._closed:
            return
        self.lost = reason
        if self._on_lost is not None:
            self._on_lost(reason)

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError
        if self.lost:
            raise trio.BrokenResourceError(self.lost)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__


def _is_close(data: bytes) -> bool:
    """Whether ``data`` is one whole Close frame, and no part of an HTTP answer that happens to begin like one."""
    return data[:1] == bytes((CLOSE,)) and len(data) > 1 and len(data) == 2 + data[1]
