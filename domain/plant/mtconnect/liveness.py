"""Whether a link to a source is alive: pings, and a link that looks open and is not.

Rules of this file: no I/O; the time is an argument, in seconds of any clock that does not jump.

* A ping goes out as soon as there is a connection. An adapter that answers with its interval is pinged at that
  interval from then on, and the link is dropped when nothing at all came for twice that. Any byte is life to the
  link: an adapter with much to say may be late with its answer. One that never answers is left in peace, as the
  adapter guide asks.
"""

from __future__ import annotations

from enum import Enum

SHORTEST = 0.1
LONGEST = 300.0
PATIENCE = 2.0  # intervals


class Act(Enum):
    """What is to be done now."""

    PING = "ping"
    DROP = "drop"


class Liveness:
    """Watches one link; ``heartbeat`` is the interval if the adapter names none."""

    def __init__(self, heartbeat: float) -> None:
        self._heartbeat = heartbeat
        self._interval: float | None = None
        self._ping_at: float | None = None
        self._life: float | None = None

    @property
    def interval(self) -> float | None:
        """The heartbeat that was agreed with the adapter, None if there is none."""
        return self._interval

    def connected(self, at: float) -> None:
        """There is a connection: a ping is due."""
        self._interval = None
        self._ping_at = at
        self._life = at

    def lost(self) -> None:
        """There is no connection any more."""
        self._interval = None
        self._ping_at = None
        self._life = None

    def touched(self, at: float) -> None:
        """Bytes came: the link lives."""
        self._life = at

    def ponged(self, answer: str, at: float) -> None:
        """The adapter answered a ping; ``answer`` is its interval in milliseconds, if it says one."""
        asked = int(answer[:9]) / 1000 if answer.isdecimal() and answer.isascii() else 0.0
        interval = min(max(asked or self._heartbeat, SHORTEST), LONGEST)
        if self._interval is None:
            self._ping_at = at + interval
        self._interval = interval

    def acts(self, at: float) -> list[Act]:
        """What is due at ``at``; each is given once."""
        acts = []
        if self._ping_at is not None and at >= self._ping_at:
            self._ping_at = None if self._interval is None else at + self._interval
            acts.append(Act.PING)
        drop_at = self._drop_at()
        if drop_at is not None and at >= drop_at:
            self.lost()
            acts.append(Act.DROP)
        return acts

    def due(self) -> float | None:
        """When ``acts`` has something to say next if nothing happens."""
        moments = [at for at in (self._ping_at, self._drop_at()) if at is not None]
        return min(moments, default=None)

    def _drop_at(self) -> float | None:
        if self._interval is None or self._life is None:
            return None
        return self._life + PATIENCE * self._interval
