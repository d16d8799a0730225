"""What waits for one socket: frames by priority, bounded in messages and bytes.

Rules of this file: no I/O. An outbox exists only while its socket, or its client's credit, does not take more.

* CRITICAL is never dropped and never conflated; past a hard count the client is lost (close 4202). It travels alone.
* Answers go next and are never dropped; a client that asks on and on and does not read is lost.
* What is larger than the byte limit by itself is dropped.
* Past the byte limit the lowest goes first: LOW its oldest, then NORMAL, then HIGH.
* NORMAL keeps the newest frame for each key, in the place of the oldest; it says how many it stands for.
* NORMAL and LOW that have waited too long are not sent any more.
* HIGH, NORMAL and LOW share by weight, and age promotes (``domain.Turns``).
* What is given up becomes a ``Gap`` for the client, one for each channel and reason, and every publication is counted
  in the ledger. Gaps and frames go by turns: a client that loses on many channels is told more than that.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable

import msgspec

from domain import Gap, Position, Priority, Reason, Turns
from telemetry import counters
from transport.frames import Batch, Frame
from transport.ledger import Ledger
from transport.waiting import Waiting, WaitingBatch

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW

PIECE_SIZE = 4 * 1024
PIECE_COUNT = 16
"""Most that is joined into one send, in bytes and frames: a critical frame can still wait behind it."""

URGENT_SIZE = 16 * 1024
ANSWER_LIMIT = 1000


class OutboxStatistics(msgspec.Struct, frozen=True):
    """How many frames wait for each priority, their bytes and the oldest's age in seconds; what the limits cost."""

    depth: tuple[int, int, int, int]
    size: int
    dropped: int
    conflated: int
    expired: int = 0
    age: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


class Limits(msgspec.Struct, frozen=True):
    """What may wait for one client and be in flight to it.

    ``size``: bytes below CRITICAL that wait; ``critical``: critical frames that wait; ``credit``: bytes below CRITICAL
    that are in flight; ``age``: seconds that NORMAL and LOW may wait.
    """

    size: int = 256 * 1024
    critical: int = 10_000
    credit: int = 32 * 1024
    age: float = 60.0


class Behind(Exception):
    """The client is too slow for what must not be lost: ``reason`` says which."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


CRITICAL_BEHIND = "critical behind"
ANSWERS_UNREAD = "answers unread"


Lane = deque[Waiting | WaitingBatch]


class Outbox:
    """The frames that wait for one socket, within ``limits``; ``clock`` tells their age (seconds).

    ``write_gap`` makes the frame that tells a gap, for a client that understands it. ``critical_sent`` is the position
    of the newest critical event that was taken.
    """

    __slots__ = (
        "_ahead", "_answers", "_clock", "_critical", "_gaps", "_has_told", "_lanes", "_latest", "_limits", "_turns",
        "critical_sent", "is_held", "ledger", "size", "write_gap",
    )  # fmt: skip

    def __init__(
        self,
        limits: Limits,
        ledger: Ledger,
        clock: Callable[[], float],
        write_gap: Callable[[Gap], Frame] | None = None,
    ) -> None:
        self._critical: deque[Waiting] = deque()
        # By priority; CRITICAL's place stays empty.
        self._lanes: tuple[Lane, Lane, Lane, Lane] = (deque(), deque(), deque(), deque())
        self._latest: dict[Hashable, Waiting] = {}
        self._gaps: dict[tuple[str, Reason], Gap] = {}
        # Whether what went last was a gap.
        self._has_told = False
        self._ahead: deque[bytes] = deque()
        self._answers: deque[bytes] = deque()
        self._turns = Turns()
        self._clock = clock
        self._limits = limits
        self.ledger = ledger
        self.write_gap = write_gap
        self.critical_sent: Position | None = None
        self.size = 0
        self.is_held = False

    def put(self, frame: Frame) -> None:
        """Queue ``frame``; what no longer fits is given up, the least important first.

        Raises:
            Behind: when as many critical frames wait already as may.
        """
        priority = frame.priority
        self.ledger.enqueued[priority] += 1
        if priority is Priority.CRITICAL:
            if len(self._critical) >= self._limits.critical:
                self.ledger.gapped[priority] += 1
                counters.frames_dropped[priority] += 1
                raise Behind(CRITICAL_BEHIND)
            self._critical.append(Waiting(frame, self._clock()))
            return
        waiting = Waiting(frame, self._clock())
        if len(frame.data) > self._limits.size:
            # It would drive out all that waits and then itself.
            self._give_up(waiting, priority)
            return
        self.size += len(frame.data)
        if priority is not NORMAL or frame.key is None or not self._conflate(frame):
            self._lanes[priority].append(waiting)
            if priority is NORMAL and frame.key is not None:
                self._latest[frame.key] = waiting
        while self.size > self._limits.size:
            self._drop_oldest()

    def put_batch(self, batch: Batch, lane: Priority) -> None:
        """Queue the frames of ``batch``, which can wait together in ``lane``."""
        self.ledger.enqueued[lane] += len(batch.frames)
        self.size += len(batch.blob)
        self._lanes[lane].append(WaitingBatch(batch, self._clock()))
        while self.size > self._limits.size:
            self._drop_oldest()

    def answer(self, data: bytes, *, is_ahead: bool = False) -> None:
        """Queue an answer to the client; one that is ahead goes before what is critical and only follows from it.

        Raises:
            Behind: when it leaves too many of them unread.
        """
        if len(self._answers) + len(self._ahead) >= ANSWER_LIMIT:
            raise Behind(ANSWERS_UNREAD)
        (self._ahead if is_ahead else self._answers).append(data)

    def take_urgent(self) -> bytes:
        """The bytes to send next of what needs no credit: critical frames, else answers; none if neither waits."""
        parts = list(self._ahead)
        self._ahead.clear()
        size = 0
        while self._critical and size < URGENT_SIZE:
            frame = self._critical.popleft().frame
            self.ledger.delivered[Priority.CRITICAL] += 1
            if frame.publication is not None:
                self.critical_sent = frame.publication.critical or self.critical_sent
            parts.append(frame.data)
            size += len(frame.data)
        if not parts:
            while self._answers and size < PIECE_SIZE:
                parts.append(self._answers.popleft())
                size += len(parts[-1])
        return b"".join(parts)

    def take_routine(self, room: int, window: int = 0) -> bytes:
        """The bytes to send next of the rest: so many that something critical need not wait long behind them.

        At least one frame, however little ``room`` there is: one may go beyond the credit. What a channel has joined
        stays together as far as there is room; what fits into the whole ``window`` waits for room (``is_held``).
        """
        self.is_held = False
        limit = min(room, PIECE_SIZE)
        parts: list[bytes] = []
        size = 0
        while (not parts or size < limit) and len(parts) < PIECE_COUNT and (data := self._pop(room - size, window)):
            parts.append(data)
            size += len(data)
        return b"".join(parts)

    def _pop(self, room: int, window: int) -> bytes:
        if self._has_told:
            return self._pop_frames(room, window) or self._pop_gap()
        # What is found to be too old leaves a gap of its own.
        return self._pop_gap() or self._pop_frames(room, window) or self._pop_gap()

    def _pop_gap(self) -> bytes:
        if not self._gaps or self.write_gap is None:
            return b""
        self._has_told = True
        return self.write_gap(self._gaps.pop(next(iter(self._gaps)))).data

    def _pop_frames(self, room: int, window: int) -> bytes:
        while (lane := self._next_lane()) is not None:
            waiting = self._lanes[lane][0]
            if lane is not HIGH and self._clock() - waiting.at > self._limits.age:
                self._expire(self._take_from(lane), lane)
                continue
            self._has_told = False
            if type(waiting) is WaitingBatch:
                return self._take_of(waiting, lane, room, window)
            self.ledger.delivered[lane] += 1
            return self._take_from(lane).take(room)
        return b""

    def _take_of(self, waiting: WaitingBatch, lane: Priority, room: int, window: int) -> bytes:
        """Take as many of a batch as there is room for; the others wait on in their place."""
        if any(each for each in self._lanes if each is not self._lanes[lane]):
            room = min(room, PIECE_SIZE)
        elif not waiting.begun and room < waiting.size <= window:
            self.is_held = True
            return b""
        count = waiting.count
        data = waiting.take(room)
        self.size -= len(data)
        self.ledger.delivered[lane] += count - waiting.count
        if not waiting.count:
            self._lanes[lane].popleft()
        return data

    def shed(self) -> None:
        """Give up all that waits below CRITICAL."""
        while self._drop_oldest():
            pass

    def clear(self) -> None:
        """Forget all that waits, counted as given up: the socket is lost."""
        self.shed()
        while self._critical:
            self._give_up(self._critical.popleft(), Priority.CRITICAL)
        self._gaps.clear()
        self._ahead.clear()
        self._answers.clear()

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._critical or self._ahead or self._answers or self._gaps or any(self._lanes))

    @property
    def depth(self) -> tuple[int, int, int, int]:
        """How many frames wait, by priority."""
        high, normal, low = (sum([waiting.count for waiting in lane]) for lane in self._lanes[1:])
        return (len(self._critical), high, normal, low)

    def statistics(self) -> OutboxStatistics:
        """What waits now, and what was lost so far."""
        critical = self._clock() - self._critical[0].since if self._critical else 0.0
        age = (critical, *self._ages())
        lost = self.ledger
        return OutboxStatistics(self.depth, self.size, sum(lost.gapped), sum(lost.conflated), sum(lost.expired), age)

    # -- the lanes ----------------------------------------------------------------------------------------

    def _conflate(self, frame: Frame) -> bool:
        """Put ``frame`` in the place of the one of its key; False if none waits."""
        waiting = self._latest.get(frame.key)
        if waiting is None:
            return False
        self.size -= len(waiting.frame.data)
        waiting.frame = frame
        waiting.at = self._clock()
        waiting.rate += frame.rate
        self.ledger.conflated[frame.priority] += 1
        counters.frames_conflated[frame.priority] += 1
        return True

    def _next_lane(self) -> Priority | None:
        """Whose turn it is, of those that wait."""
        _none, high, normal, low = self._lanes
        if not normal and not low:
            return HIGH if high else None
        if not high and not low:
            return NORMAL
        if not high and not normal:
            return LOW
        return self._turns.next(high, normal, low, self._ages)

    def _ages(self) -> tuple[float, float, float]:
        now = self._clock()
        high, normal, low = (now - lane[0].since if lane else 0.0 for lane in self._lanes[1:])
        return high, normal, low

    def _take_from(self, lane: Priority) -> Waiting | WaitingBatch:
        waiting = self._lanes[lane].popleft()
        self.size -= waiting.size
        if type(waiting) is Waiting and lane is NORMAL and waiting.frame.key is not None:
            del self._latest[waiting.frame.key]
        return waiting

    # -- what is not sent ---------------------------------------------------------------------------------

    def _drop_oldest(self) -> bool:
        """Give up the oldest of the lowest priority that waits; False when only CRITICAL is left."""
        for lane in (LOW, NORMAL, HIGH):
            if self._lanes[lane]:
                self._give_up(self._take_from(lane), lane)
                return True
        return False

    def _give_up(self, waiting: Waiting | WaitingBatch, lane: Priority) -> None:
        self.ledger.gapped[lane] += waiting.count
        counters.frames_dropped[lane] += waiting.count
        self._note_gap(waiting, "overflow")

    def _expire(self, waiting: Waiting | WaitingBatch, lane: Priority) -> None:
        self.ledger.expired[lane] += waiting.count
        counters.frames_expired[lane] += waiting.count
        self._note_gap(waiting, "expired")

    def _note_gap(self, waiting: Waiting | WaitingBatch, reason: Reason) -> None:
        publication = waiting.last.publication
        # What has no place on its channel leaves no hole there.
        if publication is None or not publication.offset or self.write_gap is None:
            return
        gap = Gap(publication.channel, waiting.first, publication.offset, waiting.rate, reason)
        known = self._gaps.get((gap.channel, reason))
        self._gaps[gap.channel, reason] = gap if known is None else known.with_more(gap)
