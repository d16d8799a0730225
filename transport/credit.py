"""How many bytes below CRITICAL may be in flight to one client: what makes the priority real on the wire.

Rules of this file: no I/O, no clock; ``transport.stream`` drives it. A critical frame waits for every byte that was
handed over before it, so these are bounded by a window (PROTOCOL, "Credit"):

* ``GivenCredit``: the client returns what it has processed, by itself.
* ``PingedCredit``: for everybody else a Ping goes behind each part of the window, and its Pong is the return. The
  window follows the client: it begins small, grows while Pongs come quickly, and shrinks to what the client drains
  in ``PATIENCE``, so that a slow link has a few messages in flight and not the whole window. The quickest Pong so far
  is the link's own delay and is not held against the client; as is what takes long with the least window in flight.

Bytes are spent in parts: ``left`` says how many may go before somebody has to be asked again, so that a delivery costs
one subtraction.
"""

from __future__ import annotations

from typing import NamedTuple

PATIENCE = 0.1
"""Seconds that what is in flight to a slow client should take at most."""

LEAST_WINDOW = 1024
FIRST_WINDOW = 8192
GROWTH = 4
# The most and the least of the window that is spent before a Ping: asking costs more than sending.
_LATE, _EARLY = 7 / 8, 1 / 2
_INSTANT = 1e-6

TOKEN_SIZE = 4
_TOKENS = 1 << (8 * TOKEN_SIZE)


class _Mark(NamedTuple):
    """A Ping that is out: its number, what was sent before it, and how much of that was in flight then."""

    number: int
    sent: int
    in_flight: int
    at: float


class PingedCredit:
    """The window of a client that is asked by Pings; ``limit`` is its most, in bytes. Times are in seconds.

    ``left`` is how much of the part that began with the last Ping was not spent yet.
    """

    __slots__ = (
        "_delay", "_limit", "_marked_at", "_marks", "_number", "_part", "_quickest", "_rate", "_returned", "_sent",
        "left", "window",
    )  # fmt: skip

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.window = min(FIRST_WINDOW, limit)
        # The first frame has a Ping behind it at once: that is how the link's own delay becomes known.
        self.left = self._part = 0
        self._sent = 0
        self._returned = 0
        self._marks: list[_Mark] = []
        self._number = 0
        self._quickest = float("inf")
        self._marked_at = 0.0
        self._delay = 0.0
        self._rate = 0.0

    @property
    def asked(self) -> bytes | None:
        """The token of the newest Ping whose Pong has not come."""
        return self._marks[-1].number.to_bytes(TOKEN_SIZE, "big") if self._marks else None

    def room(self, left: int) -> int:
        """Bytes that may still be sent when ``left`` are left of this part."""
        return self.window - (self._sent - self._returned) - (self._part - left)

    def spend(self, left: int, at: float) -> bytes:
        """A part is spent, down to ``left``: returns the token of the Ping behind it, and sets the next part."""
        spent = self._part - left
        self._sent += spent
        self._rate = spent / max(at - self._marked_at, _INSTANT)
        self._marked_at = at
        self._number = (self._number + 1) % _TOKENS
        self._marks.append(_Mark(self._number, self._sent, self._sent - self._returned, at))
        self._allot(0)
        return self._number.to_bytes(TOKEN_SIZE, "big")

    def unspend(self, left: int, size: int, *, is_marked: bool) -> int:
        """The ``size`` bytes spent last do not go now after all; ``is_marked``: a Ping goes where they would have."""
        if not is_marked:
            return left + size
        self._sent -= size
        mark = self._marks[-1]
        self._marks[-1] = mark._replace(sent=mark.sent - size, in_flight=mark.in_flight - size)
        self._allot(self._part - left)
        return self.left

    def returned(self, token: bytes, at: float, left: int) -> int:
        """The Pong with ``token`` came, so all before its Ping is drained; returns what is left of the part now."""
        number = int.from_bytes(token, "big")
        for index, mark in enumerate(self._marks):
            if mark.number == number:
                del self._marks[: index + 1]
                self._follow(mark.in_flight, max(at - mark.at, _INSTANT))
                self._returned = mark.sent
                self._allot(self._part - left)
                return self.left
        return left

    def _allot(self, spent: int) -> None:
        """Set the part of which ``spent`` bytes are spent already."""
        # So early that the Pong is back before the rest of the window is spent, at the rate that it is spent now.
        ahead = 2 * self._rate * self._delay
        part = int(max(self.window * _EARLY, min(self.window * _LATE, self.window - ahead)))
        self._part = max(spent, min(part, self.window - (self._sent - self._returned)))
        self.left = self._part - spent

    def _follow(self, in_flight: int, delay: float) -> None:
        """Set the window by how long the client took to drain what was in flight."""
        self._delay = delay
        # Under a steady load the link is never empty: were the quickest to fade, the queue would become the measure.
        self._quickest = delay if self.window <= LEAST_WINDOW else min(self._quickest, delay)
        waited = delay - self._quickest
        fair = int(in_flight * (self._quickest + PATIENCE) / delay)
        if waited > PATIENCE:
            self.window = max(LEAST_WINDOW, min(self._limit, fair))
        elif waited < PATIENCE / 2 and in_flight * 2 >= self.window:
            self.window = min(self._limit, max(self.window, min(fair, self.window * GROWTH)))


class GivenCredit:
    """The window of a client that returns credit by itself; ``limit`` is what it has allowed, in bytes.

    It may return little by little or only when much is spent: so nothing waits until all is returned (``window`` of 0).
    """

    __slots__ = ("_limit", "left")

    window = 0

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

    def unspend(self, left: int, size: int, *, is_marked: bool) -> int:
        """``size`` bytes do not go now after all."""
        del is_marked
        return left + size

    def returned(self, token: bytes, at: float, left: int) -> int:
        """No Pong counts here."""
        del token, at
        return left

    def grant(self, left: int, size: int) -> int:
        """The client returns ``size`` bytes when ``left`` are left; never more than it has allowed in all."""
        return min(self._limit, left + size)
