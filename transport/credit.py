"""How many bytes below CRITICAL may be in flight to one client: what makes the priority real on the wire.

Rules of this file: no I/O, no clock; ``transport.stream`` drives it. A critical frame waits for every byte that was
handed over before it, so these are bounded by a window (PROTOCOL, "Credit"):

* ``GivenCredit``: the client returns what it has processed, by itself.
* ``PingedCredit``: for everybody else a Ping goes behind each part of the window, and its Pong is the return. The
  window follows the client: it begins small, doubles while Pongs come quickly, and shrinks to what the client drains
  in ``PATIENCE``, so that a slow link has a few messages in flight and not the whole window. The quickest Pong so far
  is the link's own delay and is not held against the client.

Bytes are spent in parts: ``left`` says how many may go before somebody has to be asked again, so that a delivery costs
one subtraction.
"""

from __future__ import annotations

PATIENCE = 0.1
"""Seconds that what is in flight to a slow client should take at most."""

LEAST_WINDOW = 1024
FIRST_WINDOW = 4096
# A Ping goes behind three eighths: two batches of half a window each have one behind them.
_PART = 3 / 8
_QUICKEST_FADES = 1.05

TOKEN_SIZE = 4
_TOKENS = 1 << (8 * TOKEN_SIZE)


class PingedCredit:
    """The window of a client that is asked by Pings; ``limit`` is its most, in bytes. Times are in seconds."""

    __slots__ = ("_limit", "_marks", "_part", "_quickest", "_returned", "_sent", "left", "window")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.window = min(FIRST_WINDOW, limit)
        # The first frame has a Ping behind it at once: that is how the link's own delay becomes known.
        self.left = self._part = 0
        self._sent = 0
        self._returned = 0
        self._marks: list[tuple[int, float]] = []
        self._quickest = float("inf")

    def room(self, left: int) -> int:
        """Bytes that may still be sent when ``left`` are left of this part."""
        return self.window - (self._sent - self._returned) - (self._part - left)

    def spend(self, left: int, at: float) -> bytes:
        """A part is spent, down to ``left``: mark it, and set the next."""
        self._sent += self._part - left
        self._marks.append((self._sent, at))
        self._allot()
        return (self._sent % _TOKENS).to_bytes(TOKEN_SIZE, "big")

    def returned(self, token: bytes, at: float, left: int) -> int:
        """The Pong with ``token`` came: everything before its Ping has been drained."""
        number = int.from_bytes(token, "big")
        for index, (sent, marked_at) in enumerate(self._marks):
            if sent % _TOKENS == number:
                del self._marks[: index + 1]
                self._follow(sent - self._returned, at - marked_at)
                self._returned = sent
                if left > 0:
                    return left
                self._allot()
                return self.left
        return left

    def _allot(self) -> None:
        room = self.window - (self._sent - self._returned)
        self._part = self.left = max(0, min(room, int(self.window * _PART)))

    def _follow(self, drained: int, delay: float) -> None:
        """Set the window by how long the client took to drain what was in flight."""
        self._quickest = min(self._quickest * _QUICKEST_FADES, delay)
        waited = delay - self._quickest
        if waited > PATIENCE:
            self.window = max(LEAST_WINDOW, min(self._limit, int(drained * PATIENCE / waited)))
        elif waited < PATIENCE / 2:
            self.window = min(self._limit, self.window * 2)


class GivenCredit:
    """The window of a client that returns credit by itself; ``limit`` is what it has allowed, in bytes."""

    __slots__ = ("_limit", "left")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.left = limit

    def room(self, left: int) -> int:
        """Bytes that may still be sent: what is left."""
        return left

    def spend(self, left: int, at: float) -> None:
        """All is spent, and some more: nothing goes before the client returns it."""
        del at
        self.left = left

    def returned(self, token: bytes, at: float, left: int) -> int:
        """No Pong counts here."""
        del token, at
        return left

    def grant(self, left: int, size: int) -> int:
        """The client returns ``size`` bytes when ``left`` are left; never more than it has allowed in all."""
        return min(self._limit, left + size)
