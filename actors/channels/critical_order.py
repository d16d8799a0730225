"""Critical publications, told in the order of their positions, whichever channels they are on.

Rules of this file: a client that follows several channels returns with the highest critical position it has seen, so
it must never see a later one before an earlier one. Channels take their turns as they come; so the next one is told to
another channel only when the one before has gone out. Those of one channel keep their order by themselves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from actors.messages import Publish

# A channel that failed with the one it was telling does not keep the others waiting for ever.
PATIENCE = 1.0


class CriticalOrder:
    """Lets one channel at a time tell critical publications; ``tell`` hands one to its channel."""

    __slots__ = ("_began", "_channel", "_tell", "_under_way", "_waiting")

    def __init__(self, tell: Callable[[str, Publish], None]) -> None:
        self._tell = tell
        self._waiting: deque[tuple[str, Publish]] = deque()
        self._channel = ""
        self._under_way = 0
        self._began = 0.0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def take(self, channel: str, message: Publish, now: float) -> None:
        """Tell ``message`` to ``channel`` at ``now`` (trio's clock), or as soon as it may be."""
        self._waiting.append((channel, message))
        self.go_on(now)

    def go_on(self, now: float) -> None:
        """Tell those that may be told."""
        if self._under_way and now - self._began > PATIENCE:
            self._under_way = 0
        while self._waiting and (not self._under_way or self._waiting[0][0] == self._channel):
            self._channel, message = self._waiting.popleft()
            self._under_way += 1
            self._began = now
            message.told = self._went_out
            self._tell(self._channel, message)

    def _went_out(self, now: float) -> None:
        if self._under_way:
            self._under_way -= 1
        if not self._under_way:
            self.go_on(now)
