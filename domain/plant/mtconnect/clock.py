"""Whether a source's clock can be believed: it is compared with the receiver's, and a jump puts it in quarantine.

Rules of this file:

* No reading is refused for its stamp. One that is off the clock is ``uncertain``; what is late or new is not decided
  here.
* Only a *change* is a jump. The offset between the two clocks is learned, so a clock that is an hour or ten years
  off and goes evenly is believed, and its offset is shown.
* The *pace* is learned too (source seconds in a receiver's second, the median of the last windows), so that a
  recorded log served at N times its speed goes evenly as well. At pace N a stamp may be ahead by N times ``step``
  before it is a jump, and only a fall behind the newest stamp, by ``step``, is a jump backwards, because a recording
  may be held up. Until a pace is learned nothing is a jump forwards.
* Old stamps alone are no jump: adapters and logs repeat last known values with the stamps they had, each key once.
  So a suspicion becomes a jump when the same key comes again with another stamp and nothing came on the clock
  between, or when nothing but suspects came for ``PATIENCE`` seconds.
* In quarantine a reading on the old clock ends it (the clock came back), and so does going evenly for ``SETTLE``
  seconds (the clock stays where it is, its new offset is learned). Jumps in quarantine start that time anew and are
  not told.
* What a connection begins with, until a key comes the second time or ``GREETING`` seconds have passed, is the
  adapter's greeting: old stamps in it are good, they say since when a value holds.

A recording with its pauses cut short (``andond replay --longest-wait``) does jump, is quarantined and settles: the
reader cannot know that no real clock did this.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

PATIENCE = 10.0
GREETING = 5.0
SETTLE = 10.0
WINDOW = 5.0
SUSPECT_LIMIT = 4096
_WINDOWS = 5
# A live clock's windows differ from 1 by the jitter of the network and of sparse readings.
_LIVE = (0.8, 1.25)


class Side(Enum):
    """Where a stamp lies: as expected, or off the clock."""

    ON = "on"
    BEHIND = "behind"
    AHEAD = "ahead"


class Jumped(msgspec.Struct, frozen=True):
    """The source's clock jumped by ``step`` seconds. Offsets are receiver's minus source's time."""

    step: float
    offset_before: float
    offset: float
    backwards: bool


class Settled(msgspec.Struct, frozen=True):
    """The source's clock is believed again after ``lasted`` seconds; it came back or stays where it jumped to."""

    offset: float
    lasted: float
    came_back: bool
    backwards: bool


class Verdict(NamedTuple):
    """Whether a reading's stamp is believed, and what became known of the clock by it."""

    is_good: bool
    notice: Jumped | Settled | None = None


class _Mark(NamedTuple):
    """A moment on both clocks."""

    at: float
    received: float

    @property
    def offset(self) -> float:
        return self.received - self.at


class Clock:
    """Watches one source's clock; ``step`` is how far it may be off, in seconds."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._trusted: _Mark | None = None
        self._candidate: _Mark | None = None
        self._since = 0.0
        self._suspects: dict[str, float] = {}
        self._suspected = 0.0
        self._last: _Mark | None = None
        self._greeted: set[str] | None = set()
        self._connected: float | None = None
        self._pace = _Pace()
        self.jumps = 0

    @property
    def offset(self) -> float | None:
        """The receiver's minus the source's time, as last believed."""
        return self._trusted.offset if self._trusted is not None else None

    @property
    def pace(self) -> float | None:
        """Source seconds in one of ours, None until it is learned."""
        return self._pace.value

    @property
    def is_quarantined(self) -> bool:
        """Whether the clock jumped and is not believed yet."""
        return self._candidate is not None

    @property
    def is_suspicious(self) -> bool:
        """Whether readings came off the clock and it is not known yet whether it jumped."""
        return bool(self._suspects)

    def connected(self, received: float) -> None:
        """A connection begins: what comes first may be last known values."""
        self._greeted = set()
        self._connected = received

    def take(self, key: str, at: float, received: float) -> Verdict:
        """Judge a reading of ``key`` that the source stamped ``at``."""
        mark = _Mark(at, received)
        is_greeting = self._greets(key, received)
        if self._trusted is None:
            self._trust(mark)
            return Verdict(is_good=True)
        side = self._side(mark, self._trusted)
        if side is Side.ON:
            return self._on_clock(mark)
        if self._candidate is not None and self._side(mark, self._candidate) is Side.ON:
            return self._on_candidate(mark)
        is_good = is_greeting and side is Side.BEHIND and not self.is_quarantined
        return Verdict(is_good, self._suspect(key, mark, patient=not is_good))

    def idle(self, received: float, *, waiting: bool) -> Jumped | None:
        """Time passed. ``waiting``: readings wait for the verdict, so even a greeting must come to one."""
        if not self._suspects or self._last is None or received - self._suspected < PATIENCE:
            return None
        if self._greeted is not None and not waiting:
            self._suspects.clear()
            return None
        return self._jump(self._last)

    def _greets(self, key: str, received: float) -> bool:
        if self._greeted is None:
            return False
        if self._connected is None:
            self._connected = received
        if key in self._greeted or len(self._greeted) >= SUSPECT_LIMIT or received - self._connected > GREETING:
            self._greeted = None
            return False
        self._greeted.add(key)
        return True

    def _side(self, mark: _Mark, base: _Mark) -> Side:
        pace = self._pace.value
        ours = mark.received - base.received
        if pace is not None and mark.at > base.at + pace * ours + self._step * max(pace, 1.0):
            return Side.AHEAD
        least = base.at + ours if pace == 1.0 else base.at
        return Side.BEHIND if mark.at < least - self._step else Side.ON

    def _on_clock(self, mark: _Mark) -> Verdict:
        self._suspects.clear()
        notice = None
        if self._candidate is not None:
            back = mark.at < self._candidate.at
            notice = Settled(mark.offset, mark.received - self._since, came_back=True, backwards=back)
            self._candidate = None
            self._pace.restart()
        self._trust(mark)
        return Verdict(is_good=True, notice=notice)

    def _on_candidate(self, mark: _Mark) -> Verdict:
        self._suspects.clear()
        lasted = mark.received - self._since
        if lasted < SETTLE:
            if self._candidate is None or mark.at > self._candidate.at:
                self._candidate = mark
            return Verdict(is_good=False)
        self._candidate = None
        self._trusted = None
        self._pace.restart()
        self._trust(mark)
        return Verdict(is_good=True, notice=Settled(mark.offset, lasted, came_back=False, backwards=False))

    def _trust(self, mark: _Mark) -> None:
        # An older stamp within the step must not pull the newest back.
        if self._trusted is None or mark.at >= self._trusted.at:
            self._pace.take(mark, self._step)
            self._trusted = mark

    def _suspect(self, key: str, mark: _Mark, *, patient: bool) -> Jumped | None:
        if not self._suspects:
            self._suspected = mark.received
        first = self._suspects.setdefault(key, mark.at)
        self._last = mark
        certain = first != mark.at or len(self._suspects) >= SUSPECT_LIMIT
        enough = patient and mark.received - self._suspected >= PATIENCE
        return self._jump(mark) if certain or enough else None

    def _jump(self, mark: _Mark) -> Jumped | None:
        base = self._trusted
        again = self.is_quarantined
        self._suspects.clear()
        self._candidate = mark
        self._since = mark.received
        if base is None or again:
            return None
        self.jumps += 1
        step = mark.at - base.at - (mark.received - base.received) * (self._pace.value or 1.0)
        return Jumped(step, base.offset, mark.offset, backwards=mark.at < base.at)


class _Pace:
    """How fast the source's time goes in the receiver's."""

    def __init__(self) -> None:
        self.value: float | None = None
        self._windows: list[float] = []
        self._start: _Mark | None = None
        self._newest: _Mark | None = None

    def restart(self) -> None:
        """What came before says nothing of what comes."""
        self._start = None

    def take(self, mark: _Mark, step: float) -> None:
        """A stamp that is believed."""
        newest, self._newest = self._newest, mark
        # While nothing is learned, a leap is a greeting's old stamp followed by the present, not a pace.
        leapt = self.value is None and newest is not None and mark.at - newest.at > step
        if self._start is None or leapt:
            self._start = mark
            return
        ours = mark.received - self._start.received
        if ours < WINDOW:
            return
        self._windows = [*self._windows, (mark.at - self._start.at) / ours][-_WINDOWS:]
        self._start = mark
        # Here, because a plant without such machines has no use for the memory that it takes.
        from statistics import median_low  # noqa: PLC0415

        middle = median_low(self._windows)
        self.value = 1.0 if _LIVE[0] <= middle <= _LIVE[1] else middle
