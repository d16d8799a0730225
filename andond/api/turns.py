"""Each user has one list made at a time: who asks for many at once waits, and holds nobody else up.

Rules of this file: a list is made where what is critical is told too. Who has shown no proof of who it is, is known by
its address. As many as ``WAITING`` wait; the next is told to come again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio

from transport import ProtocolError, Request, holder_of

WAITING = 32
RETRY_AFTER = 1


class _Turn(msgspec.Struct):
    """Whose turn it is among the requests of one user, and how many there are."""

    lock: trio.Lock = msgspec.field(default_factory=trio.Lock)
    asking: int = 0


class Turns:
    """The turns of all users that ask for something now."""

    def __init__(self) -> None:
        self._turns: dict[tuple[str, str], _Turn] = {}

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[None]:
        """Wait until nothing else is made for who sent ``request``.

        Raises:
            ProtocolError: 429, if too many of theirs wait.
        """
        user, _ = holder_of(request.rights.identity)
        key = ("user", user) if user else ("address", request.client.host)
        turn = self._turns.setdefault(key, _Turn())
        if turn.asking > WAITING:
            raise ProtocolError(429, f"{WAITING} lists wait to be made for {key[0]} already", retry_after=RETRY_AFTER)
        turn.asking += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.asking -= 1
            if not turn.asking:
                del self._turns[key]
