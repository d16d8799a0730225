"""What the Pings of one connection are for, and what their Pongs tell.

Rules of this file: no I/O. A Ping's payload says whose it is by its first byte; one without a payload is the
heartbeat's and tells nothing but life. A Pong with a payload that nobody waits for changes nothing (RFC 6455, section
5.5.3).
"""

from __future__ import annotations

from collections.abc import Callable

from transport.frames import PING, frame_bytes

CREDIT = b"c"
PROBE = b"p"

PROBE_LIMIT = 16
"""Probes of one connection that wait for their Pong at a time; one more takes the place of the oldest."""

Echoed = Callable[[float], None]


def credit_ping(token: bytes) -> bytes:
    """The Ping that goes behind a part of the credit's window."""
    return frame_bytes(PING, CREDIT + token)


class Probes:
    """The probes of one connection that have not come back; times are in seconds."""

    __slots__ = ("_number", "_waiting")

    def __init__(self) -> None:
        self._number = 0
        self._waiting: dict[bytes, tuple[float, Echoed]] = {}

    def begin(self, at: float, echoed: Echoed) -> bytes:
        """The Ping of a new probe; ``echoed`` will be called with its round trip."""
        if len(self._waiting) >= PROBE_LIMIT:
            del self._waiting[next(iter(self._waiting))]
        self._number += 1
        payload = PROBE + self._number.to_bytes(8, "big")
        self._waiting[payload] = (at, echoed)
        return frame_bytes(PING, payload)

    def returned(self, payload: bytes, at: float) -> None:
        """A Pong came, at ``at``."""
        began = self._waiting.pop(payload, None)
        if began is not None:
            began[1](at - began[0])
