"""What was never handled, and what cannot be handled: kept for whoever looks, and counted.

Rules of this file: the lists are bounded, the counts are not. Nothing ends here without its asker, if it has
one, being told.
"""

from __future__ import annotations

import traceback
from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from actors.runtime.errors import ActorDead
from actors.runtime.lanes import Envelope, answer, is_stop, refuse
from actors.runtime.mailbox import Post
from actors.runtime.observer import Observer

TRACEBACK_SIZE = 8192  # characters kept of each traceback, the last ones


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that no life of its actor handled; ``at`` is on trio's clock."""

    actor: str
    message: object
    reason: str
    at: float


class Quarantined(msgspec.Struct, frozen=True):
    """A message that ended a life of its actor; ``at`` is on trio's clock."""

    actor: str
    message: object
    error: str
    traceback: str
    at: float


class DeadLetters:
    """The newest dead letters and quarantined messages, ``limit`` of each, and how many there were."""

    def __init__(self, limit: int, post: Post, observer: Observer) -> None:
        self.letters: deque[DeadLetter] = deque(maxlen=limit)
        self.quarantined: deque[Quarantined] = deque(maxlen=limit)
        self.count = 0
        self.quarantined_count = 0
        self.count_by_reason: Counter[str] = Counter()
        self._post = post
        self._observer = observer

    def bury(self, actor: str, left: Iterable[Envelope], reason: str) -> int:
        """Keep what ``actor`` left unhandled, tell the askers, and return how many messages it was."""
        at = self._post.clock.current_time()
        classes: Counter[str] = Counter()
        for envelope in left:
            if is_stop(envelope):
                answer(envelope, None)
                continue
            refuse(envelope, ActorDead(f"{actor}: {reason}"))
            self.letters.append(DeadLetter(actor, envelope.message, reason, at))
            classes[type(envelope.message).__name__] += 1
        for name, count in classes.items():
            self._observer.message_dead_lettered(actor, name, reason, count)
        count = classes.total()
        self.count += count
        self.count_by_reason[reason] += count
        return count

    def quarantine(self, actor: str, envelope: Envelope, error: BaseException) -> None:
        """Keep a message that ended a life, with the traceback, and tell its asker."""
        text = "".join(traceback.format_exception(error))[-TRACEBACK_SIZE:]
        refuse(envelope, ActorDead(f"{actor}: failed while handling the message: {error!r}"))
        at = self._post.clock.current_time()
        self.quarantined.append(Quarantined(actor, envelope.message, repr(error), text, at))
        self.quarantined_count += 1
        self._observer.actor_quarantined(actor, type(envelope.message).__name__, error)
