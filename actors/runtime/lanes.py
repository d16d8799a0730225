"""Messages waiting for one actor: four lanes, one a priority, each bounded.

Rules of this file: no trio, no threads, no clock; ``mailbox`` decides who may call and who is woken.

* Order: CRITICAL first, always. HIGH, NORMAL and LOW share by weight, and age promotes, so nothing starves
  (``domain.Turns``).
* How old the oldest of a lane is follows from marks, see ``marks``.
* A full lane: CRITICAL and HIGH refuse the message, NORMAL and LOW drop their oldest.
* NORMAL messages with a ``key`` are conflated: the newest takes the place of the one that waits. A message
  that somebody waits on (an ask) is never conflated away, and values of one key never go back in time.
* After ``close()`` what waits is still handed out; what comes later is late, and kept apart.
* Nothing leaves uncounted: put = taken + waiting + dropped + conflated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from typing import Protocol

import msgspec
import pykka
from pykka.messages import _ActorStop

from actors.runtime.errors import MailboxFull
from actors.runtime.marks import SPACING, Marks, Moment
from domain import Priority, one_round

NORMAL = Priority.NORMAL
BELOW_CRITICAL = (Priority.HIGH, Priority.NORMAL, Priority.LOW)


class Envelope(Protocol):
    """A message and, if it was asked, where the answer goes."""

    message: object
    reply_to: pykka.Future[object] | None


Lane = deque[Envelope]
_NOTHING_LEFT: Iterator[int] = iter(())


class MailboxStatistics(msgspec.Struct, frozen=True):
    """What waits in a mailbox, and what became of the rest since it was made.

    ``capacity`` is that of each lane. ``put`` counts accepted messages, ``late`` those after the stop. ``age`` is for
    how many seconds the oldest of a lane has waited, 0 where none waits.
    """

    capacity: int
    depth: Mapping[Priority, int]
    age: Mapping[Priority, float]
    put: int
    taken: int
    late: int
    dropped: Mapping[Priority, int]
    conflated: Mapping[Priority, int]
    refused: Mapping[Priority, int]


class Losses:
    """What a mailbox did not keep, by priority; made when there is something to count."""

    __slots__ = ("conflated", "dropped", "refused")

    def __init__(self) -> None:
        self.dropped = [0, 0, 0, 0]
        self.conflated = [0, 0, 0, 0]
        self.refused = [0, 0, 0, 0]


class Lanes:
    """Four bounded lanes; ``limit`` is the capacity of each. A lane takes memory only while it is in use.

    ``moment`` is kept up to date by whoever looks at the clock.
    """

    __slots__ = (
        "_due", "_keys", "_lanes", "_late", "_left", "_limit", "_marks", "_moment", "_reserved", "_seen", "count",
        "fresh", "losses",
    )  # fmt: skip

    def __init__(self, limit: int, moment: Moment) -> None:
        self._lanes: list[Lane | None] = [None, None, None, None]
        self._keys: dict[Hashable, Envelope] | None = None
        self._late: deque[Envelope] | None = None
        self._limit = limit
        # How many messages each lane has seen: those that wait are the last of them.
        self._seen = [0, 0, 0, 0]
        self._moment = moment
        self._due = moment.at + SPACING
        self._marks: Marks | None = None
        self._left = _NOTHING_LEFT
        self._reserved: list[int] | None = None
        self.count = 0
        self.losses: Losses | None = None
        self.fresh: Losses | None = None

    def accept(self, envelope: Envelope) -> None:
        """Take a message in, or a stop.

        Raises:
            MailboxFull: if the message is CRITICAL or HIGH and its lane is full, or if it is late and too many are.
        """
        if self._late is not None:
            self._accept_late(envelope, self._late)
            return
        message = envelope.message
        priority = getattr(message, "priority", None)
        if priority is None:
            if type(message) is _ActorStop:
                self.close(envelope)
                return
            priority = NORMAL
        lane = self._lanes[priority]
        if lane is None:
            lane = self._lanes[priority] = deque()
        if priority is NORMAL:
            key = getattr(message, "key", None)
            if key is not None and self._conflate(key, envelope):
                return
        if len(lane) >= self._limit or (self._reserved and len(lane) + self._reserved[priority] >= self._limit):
            self._overflow(lane, priority)
        if self._moment.at >= self._due:
            self._mark()
        lane.append(envelope)
        self.count += 1
        self._seen[priority] += 1

    def take(self) -> Envelope:
        """Hand out the next message.

        Raises:
            IndexError: if none waits.
        """
        critical, high, normal, low = lanes = self._lanes
        lane = critical
        if lane:
            pass
        elif (high and (normal or low)) or (normal and low):
            # A call for each message would cost as much as the rest.
            for turn in self._left:
                lane = lanes[turn]
                if lane:
                    break
            else:
                lane = self._begin_round()
        else:
            lane = high or normal or low
        if not lane:
            raise IndexError("no message waits")
        self.count -= 1
        envelope = lane.popleft()
        if self._keys and lane is normal:
            self._forget_key(envelope)
        return envelope

    def take_waiting(self, priority: Priority, kind: type) -> list[Envelope]:
        """Hand out, ahead of its turn, what waits at the head of one lane, is a ``kind`` and has no asker."""
        lane = self._lanes[priority]
        taken: list[Envelope] = []
        while lane and lane[0].reply_to is None and isinstance(lane[0].message, kind):
            taken.append(lane.popleft())
        self.count -= len(taken)
        if self._keys and priority == NORMAL:
            for envelope in taken:
                self._forget_key(envelope)
        return taken

    def put_back(self, envelopes: list[Envelope]) -> None:
        """Return taken messages to the heads of their lanes, in their old order."""
        for envelope in reversed(envelopes):
            priority = priority_of(envelope)
            lane = self._lanes[priority]
            if lane is None:
                lane = self._lanes[priority] = deque()
            lane.appendleft(envelope)
        self.count += len(envelopes)

    def waiting(self, priority: Priority) -> int:
        """Return how many messages of ``priority`` wait."""
        lane = self._lanes[priority]
        return len(lane) if lane else 0

    def age(self, priority: Priority) -> float:
        """Return for how many seconds the oldest of ``priority`` has waited; 0 if none waits."""
        lane = self._lanes[priority]
        if not lane:
            return 0.0
        # The thread that has the lanes may forget them meanwhile.
        marks = self._marks
        since = marks.since(priority, self._seen[priority] - len(lane)) if marks is not None else self._due - SPACING
        return max(0.0, self._moment.at - since)

    def release(self) -> None:
        """Give the memory of the lanes back; only while none waits."""
        self._lanes = [None, None, None, None]
        self._keys = None
        self._marks = None

    @property
    def closing(self) -> bool:
        """Whether the actor is to end once it has handled what waits."""
        return self._late is not None

    def close(self, envelope: Envelope | None = None) -> None:
        """Let nothing more in; ``envelope`` is the stop that asked for it."""
        if self._late is None:
            self._late = deque()
        if envelope is not None:
            self._late.append(envelope)

    def reopen(self) -> None:
        """Let messages in again: the late ones take their places, the stops are answered."""
        late, self._late = self._late, None
        for envelope in late or ():
            if type(envelope.message) is _ActorStop:
                answer(envelope, None)
                continue
            try:
                self.accept(envelope)
            except MailboxFull as error:
                refuse(envelope, error)

    def seal(self) -> list[Envelope]:
        """Empty the lanes for good and return what was in them, late ones last; they no longer count as put."""
        left = [envelope for lane in self._lanes for envelope in lane or ()]
        left.extend(self._late or ())
        self._seen = self._heads()
        self.release()
        self.count = 0
        self._late = deque()
        return left

    def statistics(self) -> MailboxStatistics:
        """Count what waits and what became of the rest."""
        losses = self.losses or Losses()
        put = sum(self._seen) + sum(losses.conflated)
        lost = sum(losses.dropped) + sum(losses.conflated)
        return MailboxStatistics(
            capacity=self._limit,
            depth={priority: self.waiting(priority) for priority in Priority},
            age={priority: self.age(priority) for priority in Priority},
            put=put,
            taken=put - self.count - lost,
            late=len(self._late or ()),
            dropped=dict(zip(Priority, losses.dropped, strict=True)),
            conflated=dict(zip(Priority, losses.conflated, strict=True)),
            refused=dict(zip(Priority, losses.refused, strict=True)),
        )

    def fresh_losses(self) -> Losses | None:
        """Return what was lost since the last call, or None."""
        fresh, self.fresh = self.fresh, None
        return fresh

    def reserve(self, priority: Priority) -> bool:
        """Keep a place for a message that is on its way from another thread; False if there is none."""
        if self._reserved is None:
            self._reserved = [0, 0, 0, 0]
        if self.waiting(priority) + self._reserved[priority] >= self._limit:
            return False
        self._reserved[priority] += 1
        return True

    def redeem(self, priority: Priority) -> None:
        """The message that a place was kept for is here."""
        if self._reserved is not None:
            self._reserved[priority] -= 1

    def refuse(self, priority: Priority) -> MailboxFull:
        """Count a refusal and return the error to raise."""
        for losses in self._count_losses():
            losses.refused[priority] += 1
        return MailboxFull(priority, self._limit)

    def _begin_round(self) -> Lane | None:
        """Return the lane that is the first of a new round."""
        if self._marks is None:
            # All that waits was put since the newest mark.
            high = normal = low = self._moment.at - self._due + SPACING
        else:
            high, normal, low = (self.age(priority) for priority in BELOW_CRITICAL)
        self._left = one_round(high, normal, low)
        lanes = self._lanes
        for turn in self._left:
            lane = lanes[turn]
            if lane:
                return lane
        return None

    def _mark(self) -> None:
        at = self._moment.at
        if not self.count:
            self._marks = None
        else:
            if self._marks is None:
                self._marks = Marks(self._due - SPACING)
            self._marks.add(at, tuple(self._seen), self._heads())
        self._due = at + SPACING

    def _heads(self) -> list[int]:
        """The number of each lane's oldest message, or of its next."""
        return [seen - len(lane or ()) for seen, lane in zip(self._seen, self._lanes, strict=True)]

    def _accept_late(self, envelope: Envelope, late: deque[Envelope]) -> None:
        if len(late) >= self._limit:
            raise self.refuse(priority_of(envelope))
        late.append(envelope)

    def _conflate(self, key: Hashable, envelope: Envelope) -> bool:
        if self._keys is None:
            self._keys = {}
        if envelope.reply_to is not None:
            # Later values of the key must not overtake this one by taking an older one's place.
            self._keys.pop(key, None)
            return False
        older = self._keys.get(key)
        if older is None:
            self._keys[key] = envelope
            return False
        older.message = envelope.message
        for losses in self._count_losses():
            losses.conflated[NORMAL] += 1
        return True

    def _overflow(self, lane: Lane, priority: Priority) -> None:
        if priority < NORMAL:
            raise self.refuse(priority)
        oldest = lane.popleft()
        self.count -= 1
        if self._keys and priority == NORMAL:
            self._forget_key(oldest)
        for losses in self._count_losses():
            losses.dropped[priority] += 1
        refuse(oldest, MailboxFull(Priority(priority), self._limit))

    def _forget_key(self, envelope: Envelope) -> None:
        key = getattr(envelope.message, "key", None)
        if key is not None and self._keys is not None and self._keys.get(key) is envelope:
            del self._keys[key]

    def _count_losses(self) -> tuple[Losses, Losses]:
        if self.losses is None:
            self.losses = Losses()
        if self.fresh is None:
            self.fresh = Losses()
        return self.losses, self.fresh


def priority_of(envelope: Envelope) -> Priority:
    """Return the priority of the message; NORMAL if it has none."""
    return Priority(getattr(envelope.message, "priority", NORMAL))


def is_stop(envelope: Envelope) -> bool:
    """Whether this is no message but the wish that the actor ends."""
    return type(envelope.message) is _ActorStop


def answer(envelope: Envelope, value: object) -> None:
    """Give ``value`` to the asker, if there is one."""
    if envelope.reply_to is not None:
        envelope.reply_to.set(value)


def refuse(envelope: Envelope, error: Exception) -> None:
    """Give ``error`` to the asker, if there is one that has no answer yet."""
    if envelope.reply_to is not None:
        # A thread that was abandoned may answer at the same moment.
        with suppress(RuntimeError):
            envelope.reply_to.set_exception((type(error), error, error.__traceback__))
