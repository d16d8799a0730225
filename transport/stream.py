"""One socket, many writers: the stream that carries whole frames.

Rules of this file: channels write frames with ``offer()``, which never blocks; the WebSocket and HTTP layers write
their own bytes with ``send_all()`` and read what comes in. ``transport.writer`` brings the two together. Nothing here
knows an actor; everything runs on the trio thread.
"""

from __future__ import annotations

import ssl

import trio
from trio.lowlevel import checkpoint, notify_closing, wait_readable

from telemetry import counters
from transport.frames import CLOSE
from transport.writer import FrameWriter, Own, reason_of

RECEIVE_SIZE = 64 * 1024


class FrameStream(FrameWriter, trio.abc.Stream):
    """A non-blocking socket, plain or TLS, that takes whole frames from many writers and can be read."""

    __slots__ = ()

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
                raise trio.BrokenResourceError(reason_of(error)) from error

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
        self.sock.close()

    def _check_open(self) -> None:
        if self._closed:
            raise trio.ClosedResourceError
        if self.lost:
            raise trio.BrokenResourceError(self.lost)


def _is_close(data: bytes) -> bool:
    """Whether ``data`` is one whole Close frame, and no part of an HTTP answer that happens to begin like one."""
    return data[:1] == bytes((CLOSE,)) and len(data) > 1 and len(data) == 2 + data[1]
