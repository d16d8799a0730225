"""One socket, many writers: the stream that carries whole frames.

Rules of this file: channels write frames with ``offer()``, which never blocks; the WebSocket and HTTP layers write
their own bytes with ``send_all()`` and read what comes in. ``transport.writer`` brings the two together. Nothing here
knows an actor; everything runs on the trio thread.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import trio
from trio.lowlevel import (
    Abort,
    RaiseCancelT,
    Task,
    checkpoint,
    current_task,
    notify_closing,
    reschedule,
    wait_readable,
    wait_task_rescheduled,
)

from telemetry import counters
from transport.arrivals import Arrivals
from transport.frames import CLOSE
from transport.outbox import Limits
from transport.writer import USUAL_LIMITS, FrameWriter, Own, reason_of

RECEIVE_SIZE = 64 * 1024
TASTE_SIZE = 4096
# One client is tasted no more often before the others have their turn.
TASTES = 16

Taste = Callable[[bytes], bytes]
"""Takes what it knows from the beginning of what came in, and returns the rest."""


class FrameStream(FrameWriter, trio.abc.Stream):
    """A non-blocking socket, plain or TLS, that takes whole frames from many writers and can be read."""

    __slots__ = ("_arrivals", "_arrived", "_failure", "_is_ending", "_is_ready", "_reader", "_taste")

    def __init__(
        self,
        sock: socket.socket,
        nursery: trio.Nursery,
        limits: Limits = USUAL_LIMITS,
        *,
        on_lost: Callable[[str], None] | None = None,
        clock: Callable[[], float] = trio.current_time,
    ) -> None:
        super().__init__(sock, nursery, limits, on_lost=on_lost, clock=clock)
        self._arrivals: Arrivals | None = None
        self._taste: Taste | None = None
        self._arrived: bytes | None = None
        self._failure: OSError | None = None
        self._reader: Task | None = None
        self._is_ready = True
        self._is_ending = False

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
        own = Own(bytes(data))
        if _is_close(own.data):
            self._final = own
            self._blocked = True
        elif own.data:
            self._own = [*(self._own or ()), own]
        else:
            return
        self._pump()
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
        return await self._receive(max_bytes or RECEIVE_SIZE)

    def join(self, arrivals: Arrivals, taste: Taste) -> None:
        """From now on ``arrivals`` tells when something came, in place of the loop.

        While somebody waits in ``receive_some()``, ``taste`` is given first what comes, and returns what it leaves;
        only for that is the reader woken.
        """
        if not self._closed:
            self._taste = taste
            self._arrivals = arrivals
            arrivals.watch(self.sock, self._look)

    async def _receive(self, max_bytes: int) -> bytes:
        sock = self.sock
        while True:
            await self._readable()
            if self._closed:
                raise trio.ClosedResourceError
            if self._arrived is not None:
                data, self._arrived = self._arrived, None
                return data
            if self._failure is not None:
                raise trio.BrokenResourceError(reason_of(self._failure))
            try:
                data = sock.recv(max_bytes)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._is_ready = False
            except ssl.SSLWantWriteError:
                await self._writable()
            except OSError as error:
                raise trio.BrokenResourceError(reason_of(error)) from error
            else:
                self._note(data, max_bytes)
                return data

    async def _readable(self) -> None:
        """Wait until there may be something to read."""
        if self._arrivals is None:
            # OpenSSL may hold decrypted bytes that no readiness of the socket will announce.
            if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
                await checkpoint()
            else:
                await wait_readable(self.sock)
        elif self._is_ready or self._arrived is not None:
            await checkpoint()
        else:
            self._reader = current_task()
            await wait_task_rescheduled(self._stop_waiting)

    def _stop_waiting(self, _raise_cancel: RaiseCancelT) -> Abort:
        self._reader = None
        return Abort.SUCCEEDED

    def _look(self, is_ending: bool) -> None:  # noqa: FBT001 - what Arrivals calls
        """Something came: taste it if the reader waits, and wake the reader for the rest."""
        self._is_ready = True
        self._is_ending = is_ending or self._is_ending
        reader, taste = self._reader, self._taste
        if reader is None or taste is None:
            return
        for _ in range(TASTES):
            if self._closed:
                return
            try:
                data = self.sock.recv(TASTE_SIZE)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._is_ready = False
                return
            except ssl.SSLWantWriteError:
                break
            except OSError as error:
                # The system says it once; the reader would find nothing but an end.
                self._failure = error.with_traceback(None)
                break
            self._note(data, TASTE_SIZE)
            rest = taste(data) if data else data
            if rest or not data:
                self._arrived = rest
                break
            if not self._is_ready:
                return
        if self._reader is reader:
            self._reader = None
            reschedule(reader)

    def _note(self, data: bytes, asked: int) -> None:
        """``data`` was read where ``asked`` bytes were wanted."""
        self.heard = trio.current_time()
        counters.bytes_received += len(data)
        # Less than was wanted is all there was; but an end may have come with it, and OpenSSL reads piece by piece.
        if len(data) < asked and not self._is_ending and not self._tls:
            self._is_ready = False

    async def aclose(self) -> None:
        """Close the socket at once; what waits is dropped."""
        self.close()
        await checkpoint()

    def close(self) -> None:
        """Close the socket at once, without waiting for anything."""
        if self._closed:
            return
        self._closed = self._blocked = True
        notify_closing(self.sock)
        if self._arrivals is not None:
            self._arrivals.forget(self.sock)
            # The collector is kept from looking, so what knows of each other must be forgotten.
            self._taste = None
        self.sock.close()
        if self._reader is not None:
            reschedule(self._reader)
            self._reader = None
        if not self._flushing:
            # It waits for credit, which nobody will return.
            self._forget()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError
        if self.lost:
            raise trio.BrokenResourceError(self.lost)


def _is_close(data: bytes) -> bool:
    """Whether ``data`` is one whole Close frame, and no part of an HTTP answer that happens to begin like one."""
    return data[:1] == bytes((CLOSE,)) and len(data) > 1 and len(data) == 2 + data[1]
