"""One WebSocket connection of a client, blocking: what a reader that is to be slow, or to be timed, stands on.

Rules of this file: it opens, cuts what comes into frames and writes masked ones; what a frame means is its caller's
business. Nothing waits longer than ``ANSWER_LIMIT``.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress

ANSWER_LIMIT = 30.0
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10

_SMALL, _MEDIUM = 126, 1 << 16
_CHUNK = 1 << 16


class LinkLost(Exception):
    """The connection is gone, or was never made."""


def insecure() -> ssl.SSLContext:
    """TLS with a server of our own, on loopback."""
    return ssl._create_unverified_context()  # noqa: S323 - see above


class Link:
    """A connection to ``port`` of this machine that asks for ``path``, in ``subprotocol``.

    ``receive_buffer`` is the size of the socket's receive buffer (None: the system's own way); ``buffer`` is what the
    system made of it.
    """

    def __init__(
        self, port: int, path: str, subprotocol: str, *, receive_buffer: int | None = None, tls: bool = False
    ) -> None:
        sock = socket.socket()
        if receive_buffer is not None:
            # Before it connects, or the window's scale is settled.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        # Linux keeps room for its own records as well, and says the sum.
        self.buffer = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2
        sock.settimeout(ANSWER_LIMIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(("127.0.0.1", port))
        self.sock = insecure().wrap_socket(sock) if tls else sock
        self._kept = b""
        self._open(port, path, subprotocol)

    def say(self, message: Mapping[str, object]) -> None:
        """Send one text message."""
        self.write(TEXT, json.dumps(message).encode())

    def write(self, opcode: int, payload: bytes) -> None:
        """Send one frame; a mask of zeros leaves the payload as it is."""
        size = len(payload)
        if size < _SMALL:
            head = bytes((0x80 | opcode, 0x80 | size))
        else:
            head = bytes((0x80 | opcode, 0x80 | _SMALL)) + size.to_bytes(2, "big")
        self.sock.sendall(head + bytes(4) + payload)

    @property
    def has_more(self) -> bool:
        """Whether something can be read that the socket itself does not show."""
        return isinstance(self.sock, ssl.SSLSocket) and self.sock.pending() > 0

    def read(self, size: int = _CHUNK) -> bytes:
        """Some bytes, at most ``size``.

        Raises:
            LinkLost: if none can come.
        """
        try:
            data = self.sock.recv(size)
        except OSError as error:
            raise LinkLost(str(error)) from error
        if not data:
            raise LinkLost("ended")
        return data

    def cut(self, data: bytes) -> Iterator[tuple[int, bytes, int]]:
        """The frames that are complete with ``data``: opcode, payload, and the size of the whole frame."""
        data = self._kept + data
        at, end = 0, len(data)
        while end - at > 1:
            size, start = data[at + 1] & 127, at + 2
            if size >= _SMALL:
                start += 2 if size == _SMALL else 8
                if start > end:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            if start + size > end:
                break
            self._kept = data[start + size :]
            yield data[at] & 15, data[start : start + size], start + size - at
            at = start + size
        self._kept = data[at:]

    def messages(self) -> Iterator[bytes]:
        """The text messages that come, for ever; Pings are answered."""
        while True:
            for opcode, payload, _size in self.cut(self.read()):
                if opcode == PING:
                    self.write(PONG, payload)
                elif opcode == CLOSE:
                    raise LinkLost(f"closed: {payload[2:].decode()}")
                elif opcode == TEXT:
                    yield payload

    def close(self) -> None:
        """Leave without a goodbye."""
        with suppress(OSError):
            self.sock.close()

    def _open(self, port: int, path: str, subprotocol: str) -> None:
        self.sock.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: YW5kb25kIG1lYXN1cmluZw==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: {subprotocol}\r\n\r\n".encode()
        )
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.read()
        head, _, self._kept = head.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 101"):
            raise LinkLost(f"refused: {head[:100].decode(errors='replace')}")
