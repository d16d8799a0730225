"""Whether a source is alive: pings, silence, and a link that looks open and is not.

Rules of this file: no I/O; the time is an argument, in seconds of any clock that does not jump.

* A ping goes out as soon as there is a connection. An adapter that answers with its interval is pinged at that
  interval from then on, and the link is dropped when nothing at all came for twice that. Any byte is life to the
  link: an adapter with much to say may be late with its answer. One that never answers is left in peace, as the
  adapter guide asks.
* A source is silent when no whole line came for twice its ``cadence``, connected or not. A cadence of 0 promises
  nothing.
"""

from __future__ import annotations

from enum import Enum

SHORTEST = 0.1
LONGEST = 300.0
PATIENCE = 2.0  # intervals or cadences


class Act(Enum):
    """What is to be done now."""

    PING = "ping"
    DROP = "drop"
    SAY_SILENT = "say_silent"


class Liveness:
    """Watches one source. ``cadence`` is its longest usual silence, ``heartbeat`` the interval if it names none."""

    def __init__(self, cadence: float, heartbeat: float, at: float) -> None:
        self._cadence = cadence
        self._heartbeat = heartbeat
        self._heard = at
        self._interval: float | None = None
        self._ping_at: float | None = None
        self._life: float | None = None
        self.is_silent = False

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

    def heard(self, at: float) -> float | None:
        """A line came; how long the silence was if there was one to be told of."""
        silence = at - self._heard
        self._heard = at
        was_silent, self.is_silent = self.is_silent, False
        return silence if was_silent else None

    def ponged(self, answer: str, at: float) -> None:
        """The adapter answered a ping; ``answer`` is its interval in milliseconds, if it says one."""
        asked = int(answer[:9]) / 1000 if answer.isdecimal() and answer.isascii() else 0.0
        interval = min(max(asked or self._heartbeat, SHORTEST), LONGEST)
        if self._interval is None:
            self._ping_at = at + interval
        self._interval = interval

    def silence(self, at: float) -> float:
        """For how long nothing came."""
        return at - self._heard

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
        silent_at = self._silent_at()
        if silent_at is not None and at >= silent_at:
            self.is_silent = True
            acts.append(Act.SAY_SILENT)
        return acts

    def due(self) -> float | None:
        """When ``acts`` has something to say next if nothing happens."""
        moments = [at for at in (self._ping_at, self._drop_at(), self._silent_at()) if at is not None]
        return min(moments, default=None)

    def _drop_at(self) -> float | None:
        if self._interval is None or self._life is None:
            return None
        return self._life + PATIENCE * self._interval

    def _silent_at(self) -> float | None:
        if self.is_silent or not self._cadence:
            return None
        return self._heard + PATIENCE * self._cadence
