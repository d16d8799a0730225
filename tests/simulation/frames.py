"""WebSocket frames as a client reads and writes them.

Rules of this file: no I/O. A mask of zeros leaves a payload as it is (RFC 6455, section 5.3), which costs nobody time.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
_MEDIUM, _LARGE = 126, 127


class Frame(NamedTuple):
    """One frame; ``size`` is that of all of it, header included."""

    opcode: int
    payload: bytes
    size: int


class Reader:
    """Cuts what comes into frames."""

    def __init__(self) -> None:
        self._kept = b""

    def read(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with ``data``."""
        data = self._kept + data if self._kept else data
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= _MEDIUM:
                start += 2 if size == _MEDIUM else 8
                if start > end:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            if start + size > end:
                break
            yield Frame(data[at] & 15, data[start : start + size], start + size - at)
            at = start + size
        self._kept = data[at:]


def written(opcode: int, payload: bytes) -> bytes:
    """One whole frame of a client."""
    size = len(payload)
    if size < _MEDIUM:
        head = bytes((0x80 | opcode, 0x80 | size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 0x80 | _MEDIUM)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 0x80 | _LARGE)) + size.to_bytes(8, "big")
    return head + bytes(4) + payload


def opening(path: str, subprotocol: str, name: str) -> bytes:
    """The head of the request that opens a WebSocket."""
    key = base64.b64encode(name.encode().ljust(16, b".")[:16]).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"User-Agent: {name}",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
