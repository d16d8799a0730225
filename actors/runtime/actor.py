"""What the actors of both runtimes have in common.

Rules of this file: it stands on pykka's three hooks for implementors (``_create_actor_inbox``, ``_create_future``,
``_start_actor_loop``) and one private method (``_handle_receive``, for proxies); a test names each of them.

* An actor object is one life. A restart makes a new object with the address, mailbox and stop flag of the old one.
* While an ask is handled an exception goes to the asker; while a tell is handled it ends the life.
* An actor's own names are few, so that a subclass is free in its choice: what the runtime knows is in ``life``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import ClassVar, Self, TypeVar

import msgspec
import pykka
from pykka import messages

from actors.runtime.environment import claim_birth
from actors.runtime.future import ActorRef, TrioFuture
from actors.runtime.life import Life
from actors.runtime.registry import AnyMailbox, mailbox_of
from domain import JsonValue, Priority

M = TypeVar("M")


class Report(msgspec.Struct, frozen=True):
    """Asks an actor for its ``describe()``; HIGH, so that a backlog of routine does not make it look stuck."""

    priority: ClassVar[Priority] = Priority.HIGH


# What on_receive() never sees: pykka's proxy messages, and ours.
OWN_MESSAGES = frozenset({Report, messages.ProxyCall, messages.ProxyGetAttr, messages.ProxySetAttr})


class StopFlag(threading.Event):
    """The same promise as its parent's in a tenth of the memory: all flags share one condition."""

    _changed: ClassVar[threading.Condition] = threading.Condition()

    def __init__(self) -> None:
        self._stopped = False

    def is_set(self) -> bool:
        """Whether the actor has ended for good."""
        return self._stopped

    def set(self) -> None:
        """Say that the actor has ended for good."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def clear(self) -> None:
        """Take it back."""
        self._stopped = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait in a thread until the actor has ended."""
        with self._changed:
            return self._changed.wait_for(self.is_set, timeout)


class Actor(pykka.Actor):
    """An actor of either runtime; subclass ``TrioActor`` or ``ThreadingActor``.

    ``mailbox_limit`` is the capacity of each of the mailbox's four lanes. The failure of an ``essential`` actor
    that has no supervisor ends the actor system.
    """

    mailbox_limit: ClassVar[int] = 1000
    essential: ClassVar[bool] = False

    def __init__(self, *_args: object, **_kwargs: object) -> None:
        self.life = Life(claim_birth(type(self)))
        super().__init__()
        former, self.life.former = self.life.former, None
        if former is None:
            self.actor_stopped = StopFlag()
            ref = super().actor_ref
            ref.actor_stopped = self.actor_stopped
            self._ref: ActorRef = ref
        else:
            self.actor_urn = former.actor_urn
            self.actor_stopped = former.actor_stopped
            if isinstance(former, pykka.ActorRef):
                former.__init__(self)  # type: ignore[misc]  # the one way to have it mean another object
            self._ref = former
        self.life.mailbox = mailbox_of(self._ref)

    @property
    def actor_ref(self) -> pykka.ActorRef[Self]:
        """The address of the actor, the same in each of its lives."""
        return self._ref  # type: ignore[return-value]  # made for the first life, it outlives it

    def _create_actor_inbox(self) -> AnyMailbox:  # type: ignore[override]
        # pykka calls it on the object; a static method could not know the class's limit, nor the former life.
        former = self.life.former
        return self._make_mailbox() if former is None else mailbox_of(former)

    def _make_mailbox(self) -> AnyMailbox:
        raise NotImplementedError

    @staticmethod
    def _create_future() -> TrioFuture[object]:
        return TrioFuture()

    def _start_actor_loop(self) -> None:
        # Only pykka's own start() comes here, on any thread: a supervisor runs its children itself.
        environment = self.life.environment
        environment.post.run_on_trio(lambda: environment.launch(self))

    async def run(self) -> None:
        """Live once: set up, handle messages until told to end, close. Raises what ended the life."""
        raise NotImplementedError

    def describe(self) -> Mapping[str, JsonValue]:
        """Return what the status document should say of this actor, called where messages are handled."""
        return {}

    def take_waiting(self, priority: Priority, kind: type[M]) -> list[M]:
        """Take, in the middle of handling a message, others that wait: to go first, or to be joined.

        Those at the head of the lane that are a ``kind`` and were told, not asked. They count as in hand until the
        present message is done: what ends the life now ends with all of them.
        """
        life = self.life
        if not life.mailbox.waiting(priority):
            return []
        envelopes = life.mailbox.take_waiting(priority, kind)
        life.joined = [*(life.joined or ()), *envelopes]
        return [envelope.message for envelope in envelopes if isinstance(envelope.message, kind)]

    def defer_reply(self) -> pykka.Future[object] | None:
        """Take over the duty to answer the message being handled; None if it was told."""
        envelope = self.life.current
        if envelope is None:
            return None
        reply_to, envelope.reply_to = envelope.reply_to, None
        return reply_to

    def progressed(self) -> None:
        """Say, in the middle of a message that takes long, that it goes on: who says so often is busy, not stuck."""
        self.life.progress_at = self.life.environment.post.clock.current_time()

    def take_office(self) -> None:
        """Become the one who empties the mailbox, which may have been closed under an earlier life."""
        self.life.mailbox.owner = self
        if self.life.mailbox.closing:
            self.life.mailbox.reopen()

    def _handle_own(self, message: object) -> object:
        return self.describe() if type(message) is Report else self._handle_receive(message)
