"""How fast one client is read: frames, which end a connection that floods, and bytes, which wait.

Rules of this file: what came is counted by the headers of its frames, before anybody decodes it. An honest client's
Pongs answer our own Pings, of which there are many while it reads fast, and cost us next to nothing: two hundred weigh
as much as a Ping of its own, and until there are so many they are only counted. A message in one frame is weighed by
who handles it.
"""

from __future__ import annotations

import trio

from domain import Allowance
from transport.codes import ProtocolError
from transport.quotas import BURST, told

PONGS_OF_A_FRAME = 200

LONGEST_PAUSE = 5.0
"""Seconds after which a client is looked at again, however much it sent: its silence must not look like its death."""


class Pace:
    """The pace of one client, by its ``allowance``; one that floods is closed with the code ``hasty``.

    ``pause`` is for how many seconds nothing more is to be read of it.
    """

    __slots__ = ("_allowance", "_client", "_hasty", "_pongs", "pause")

    def __init__(self, allowance: Allowance, hasty: int, client: str) -> None:
        self._allowance = allowance
        self._hasty = hasty
        self._client = client
        self._pongs = 0
        self.pause = 0.0

    def frames(self, count: int, pongs: int) -> None:
        """Count what came: ``pongs``, and ``count`` other frames.

        Raises:
            ProtocolError: 4103 or 1008, if the client floods.
        """
        self._pongs += pongs
        if not count and self._pongs < PONGS_OF_A_FRAME:
            return
        weight, self._pongs = divmod(self._pongs, PONGS_OF_A_FRAME)
        excess = self._allowance.frames(count + weight, trio.current_time())
        if excess is not None:
            told(excess, self._client)
            # Who comes back then has a whole burst again.
            raise ProtocolError(self._hasty, excess.words, retry_after=excess.wait + BURST)

    def read(self, size: int) -> None:
        """Count ``size`` bytes that were read."""
        self.pause = min(LONGEST_PAUSE, self._allowance.read(size, trio.current_time()))

    async def rest(self) -> None:
        """Let the client wait for as long as it has to."""
        pause, self.pause = self.pause, 0.0
        await trio.sleep(pause)
