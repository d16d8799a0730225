"""Messages waiting for one actor: four lanes, one a priority, each bounded.

Rules of this file: no trio, no threads, no clock; ``mailbox`` decides who may call and who is woken.

* Order: the most urgent lane first, but every sixteenth turn serves the lowest that waits, so nothing starves.
* A full lane: CRITICAL and HIGH refuse the message, NORMAL and LOW drop their oldest.
* NORMAL messages with a ``key`` are conflated: the newest takes the place of the one that waits. A message
  that somebody waits on (an ask) is never conflated away, and values of one key never go back in time.
* After ``close()`` what waits is still handed out; what comes later is late, and kept apart.
* Nothing leaves uncounted: put = taken + waiting + dropped + conflated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

import pykka
from pykka.messages import _ActorStop

from actors.runtime.errors import MailboxFull
from domain import Priority

NORMAL = Priority.NORMAL
FAIR_MASK = 15  # turns whose number has none of these bits set serve the lowest lane


class Envelope(Protocol):
    """A message and, if it was asked, where the answer goes."""

    message: object
    reply_to: pykka.Future[object] | None


@dataclass(frozen=True, slots=True)
class MailboxStatistics:
    """What waits in a mailbox, and what became of the rest since it was made.

    ``capacity`` is that of each lane. ``put`` counts accepted messages, ``late`` those after the stop.
    """

    capacity: int
    depth: Mapping[Priority, int]
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
    """Four bounded lanes; ``limit`` is the capacity of each. A lane takes memory only while it is in use."""

    __slots__ = ("_keys", "_lanes", "_late", "_limit", "_put", "_reserved", "_turn", "count", "fresh", "losses")

    def __init__(self, limit: int) -> None:
        self._lanes: list[deque[Envelope] | None] = [None, None, None, None]
        self._keys: dict[Hashable, Envelope] | None = None
        self._late: deque[Envelope] | None = None
        self._limit = limit
        self._put = 0
        self._turn = 0
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
        if priority == NORMAL:
            key = getattr(message, "key", None)
            if key is not None and self._conflate(key, envelope):
                return
        if len(lane) >= self._limit or (self._reserved and len(lane) + self._reserved[priority] >= self._limit):
            self._overflow(lane, priority)
        lane.append(envelope)
        self.count += 1
        self._put += 1

    def take(self) -> Envelope:
        """Hand out the next message.

        Raises:
            IndexError: if none waits.
        """
        self._turn = turn = self._turn + 1
        critical, high, normal, low = self._lanes
        lane = critical or high or normal or low if turn & FAIR_MASK else low or normal or high or critical
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

    def release(self) -> None:
        """Give the memory of the lanes back; only while none waits."""
        self._lanes = [None, None, None, None]
        self._keys = None

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
        self._put -= self.count
        self.release()
        self.count = 0
        self._late = deque()
        return left

    def statistics(self) -> MailboxStatistics:
        """Count what waits and what became of the rest."""
        losses = self.losses or Losses()
        lost = sum(losses.dropped) + sum(losses.conflated)
        return MailboxStatistics(
            capacity=self._limit,
            depth={priority: self.waiting(priority) for priority in Priority},
            put=self._put,
            taken=self._put - self.count - lost,
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
        self._put += 1
        for losses in self._count_losses():
            losses.conflated[NORMAL] += 1
        return True

    def _overflow(self, lane: deque[Envelope], priority: Priority) -> None:
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
    """Give ``error`` to the asker, if there is one."""
    if envelope.reply_to is not None:
        envelope.reply_to.set_exception((type(error), error, error.__traceback__))
