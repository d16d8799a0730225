"""What waits for one socket: frames by priority, bounded in messages and bytes.

Rules of this file: no I/O. An outbox exists only while its socket does not take more.

* CRITICAL is never dropped and never conflated; past a hard count the client is lost (close 4202).
* What is larger than the byte limit by itself is dropped.
* HIGH drops its oldest past the byte limit, after everything below it has gone.
* NORMAL keeps the newest frame for each key, in the place of the oldest; then drops its oldest.
* LOW drops its oldest first.
* One frame in sixteen is the lowest that waits, so that nothing starves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

from domain import Priority
from telemetry import counters
from transport.frames import Frame

_FAIRNESS = 15

Lane = deque[Frame]


@dataclass(frozen=True, slots=True)
class OutboxStatistics:
    """How many frames wait for each priority, their bytes, and what was lost to the limits."""

    depth: tuple[int, int, int, int]
    size: int
    dropped: int
    conflated: int


class CriticalBehind(Exception):
    """More critical frames wait than may: the client is too slow for what must not be lost."""


class Outbox:
    """The frames that wait for one socket; ``size_limit`` is in bytes and spares CRITICAL."""

    __slots__ = (
        "_critical",
        "_high",
        "_latest",
        "_low",
        "_normal",
        "_turn",
        "conflated",
        "critical_limit",
        "dropped",
        "size",
        "size_limit",
    )

    def __init__(self, size_limit: int, critical_limit: int) -> None:
        self._critical: Lane | None = None
        self._high: Lane | None = None
        self._normal: deque[Frame | Hashable] = deque()
        self._low: Lane | None = None
        self._latest: dict[Hashable, Frame] = {}
        self._turn = 0
        self.size_limit = size_limit
        self.critical_limit = critical_limit
        self.size = 0
        self.dropped = 0
        self.conflated = 0

    def put(self, frame: Frame) -> None:
        """Queue ``frame``; what no longer fits is dropped, the least important first.

        Raises:
            CriticalBehind: when ``critical_limit`` critical frames wait already.
        """
        priority = frame.priority
        if priority is Priority.CRITICAL:
            self._put_critical(frame)
            return
        if len(frame.data) > self.size_limit:
            # It would drive out all that waits and then itself.
            self._count_dropped(frame)
            return
        self.size += len(frame.data)
        if priority is Priority.NORMAL:
            self._put_normal(frame)
        elif priority is Priority.HIGH:
            if self._high is None:
                self._high = deque()
            self._high.append(frame)
        else:
            if self._low is None:
                self._low = deque()
            self._low.append(frame)
        while self.size > self.size_limit and self._drop_oldest():
            pass

    def pop(self) -> Frame | None:
        """The frame to send next, or None when nothing waits."""
        if self._critical:
            return self._critical.popleft()
        self._turn += 1
        frame = self._pop_lowest() if self._turn & _FAIRNESS == 0 else self._pop_highest()
        if frame is not None:
            self.size -= len(frame.data)
        return frame

    def clear(self) -> None:
        """Forget all that waits, counted as dropped: the socket is lost."""
        while self._drop_oldest():
            pass
        while self._critical:
            self._count_dropped(self._critical.popleft())

    def statistics(self) -> OutboxStatistics:
        """What waits now, and what was lost so far."""
        depth = (len(self._critical or ()), len(self._high or ()), len(self._normal), len(self._low or ()))
        return OutboxStatistics(depth, self.size, self.dropped, self.conflated)

    def _put_critical(self, frame: Frame) -> None:
        if self._critical is None:
            self._critical = deque()
        if len(self._critical) >= self.critical_limit:
            raise CriticalBehind
        self._critical.append(frame)

    def _put_normal(self, frame: Frame) -> None:
        if frame.key is None:
            self._normal.append(frame)
            return
        replaced = self._latest.get(frame.key)
        self._latest[frame.key] = frame
        if replaced is None:
            self._normal.append(frame.key)
        else:
            self.size -= len(replaced.data)
            self.conflated += 1
            counters.frames_conflated[frame.priority] += 1

    def _pop_highest(self) -> Frame | None:
        if self._high:
            return self._high.popleft()
        if self._normal:
            return self._pop_normal()
        return self._low.popleft() if self._low else None

    def _pop_lowest(self) -> Frame | None:
        if self._low:
            return self._low.popleft()
        if self._normal:
            return self._pop_normal()
        return self._high.popleft() if self._high else None

    def _pop_normal(self) -> Frame:
        item = self._normal.popleft()
        return item if isinstance(item, Frame) else self._latest.pop(item)

    def _drop_oldest(self) -> bool:
        """Drop the oldest of the lowest priority that waits; False when only CRITICAL is left."""
        frame = self._pop_lowest()
        if frame is None:
            return False
        self.size -= len(frame.data)
        self._count_dropped(frame)
        return True

    def _count_dropped(self, frame: Frame) -> None:
        self.dropped += 1
        counters.frames_dropped[frame.priority] += 1
