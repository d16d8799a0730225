"""The mailboxes of the two runtimes: lanes, and who is woken when something is put in.

Rules of this file: ``put()`` may be called from any thread. On the trio thread it never blocks: a full CRITICAL
or HIGH lane raises. On another thread it waits for room, and raises when its patience is over.

* ``Mailbox`` is emptied by a trio task, and nothing but ``put()`` and the counters may be used from elsewhere.
* ``ThreadMailbox`` is emptied by a thread; each of its methods may be called from any thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, get_ident

import trio
from trio.lowlevel import Abort, RaiseCancelT, Task, current_task, reschedule

from actors.runtime.errors import ActorDead, MailboxFull
from actors.runtime.lanes import Envelope, Lanes, priority_of
from actors.runtime.marks import Moment
from domain import Priority

HIGH = Priority.HIGH


class Post(Moment):
    """What the mailboxes of one actor system share, the moment of the present turn among it; made on the trio thread.

    ``undeliverable`` gets, on any thread, what arrives for an actor that has ended; ``patience`` is for how
    many seconds another thread waits for room.
    """

    __slots__ = ("clock", "ident", "patience", "room", "token", "undeliverable")

    undeliverable: Callable[[str, Envelope], None]

    def __init__(self, patience: float) -> None:
        self.token = trio.lowlevel.current_trio_token()
        self.clock = trio.lowlevel.current_clock()
        super().__init__(self.clock.current_time())
        self.ident = get_ident()
        self.room = Condition()
        self.patience = patience

    def is_here(self) -> bool:
        """Whether the caller is on the trio thread."""
        return get_ident() == self.ident

    def run_on_trio(self, function: Callable[[], object]) -> None:
        """Call ``function`` on the trio thread: at once if this is it, else soon; never after trio has ended."""
        if self.is_here():
            function()
            return
        try:
            self.token.run_sync_soon(function)
        except trio.RunFinishedError:
            # Nobody is left who could want to know.
            return


class Mailbox(Lanes):
    """The mailbox of a ``TrioActor``."""

    __slots__ = ("_blocked", "_post", "_task", "owner", "path", "redelivered", "sealed")

    def __init__(self, limit: int, post: Post, path: str) -> None:
        super().__init__(limit, post)
        self._post = post
        self._task: Task | None = None
        self._blocked = 0
        self.path = path
        self.owner: object | None = None
        self.sealed = False
        self.redelivered: tuple[Envelope, ...] = ()

    def put(self, envelope: Envelope, /) -> None:
        """Take a message in and wake the actor.

        Raises:
            MailboxFull: if it is CRITICAL or HIGH and there is no room for it.
            ActorDead: if the actor system's event loop is gone.
        """
        post = self._post
        if get_ident() != post.ident:
            self._put_from_thread(envelope)
            return
        if self.sealed:
            post.undeliverable(self.path, envelope)
            return
        self.accept(envelope)
        task = self._task
        if task is not None:
            self._task = None
            reschedule(task)

    def get(self) -> Envelope:
        """Hand out the next message; never waits.

        Raises:
            IndexError: if none waits.
        """
        envelope = self.take()
        if self._blocked:
            self._make_room()
        return envelope

    def empty(self) -> bool:
        """Whether no message waits."""
        return not self.count

    def take_waiting(self, priority: Priority, kind: type) -> list[Envelope]:
        """Hand out waiting messages ahead of their turn, see ``Lanes``."""
        taken = super().take_waiting(priority, kind)
        if taken and self._blocked:
            self._make_room()
        return taken

    def seal(self) -> list[Envelope]:
        """Empty the mailbox for good; what still arrives is undeliverable."""
        self.sealed = True
        left = super().seal()
        self._make_room()
        return left

    def park(self) -> None:
        """Have the current task woken by the next message; it must call ``wait_task_rescheduled(unpark)`` at once."""
        self.release()
        self._task = current_task()

    def unpark(self, _raise_cancel: RaiseCancelT) -> Abort:
        """Stop waiting, because the task is cancelled."""
        self._task = None
        return Abort.SUCCEEDED

    def wake(self) -> None:
        """Wake the actor without a message: one of its flags has changed."""
        task, self._task = self._task, None
        if task is not None:
            reschedule(task)

    def _put_from_thread(self, envelope: Envelope) -> None:
        priority = priority_of(envelope)
        arrive = self._arrive
        if priority <= HIGH:
            self._wait_for_room(priority)
            arrive = self._arrive_reserved
        try:
            self._post.token.run_sync_soon(arrive, envelope)
        except trio.RunFinishedError as error:
            raise ActorDead(f"{self.path}: its actor system is gone") from error

    def _wait_for_room(self, priority: Priority) -> None:
        room = self._post.room
        deadline = time.monotonic() + self._post.patience
        with room:
            self._blocked += 1
            try:
                while not self.sealed and not self.reserve(priority):
                    if not room.wait(deadline - time.monotonic()):
                        raise self.refuse(priority)
            finally:
                self._blocked -= 1

    def _make_room(self) -> None:
        with self._post.room:
            self._post.room.notify_all()

    def _arrive_reserved(self, envelope: Envelope) -> None:
        with self._post.room:
            self.redeem(priority_of(envelope))
        self._arrive(envelope)

    def _arrive(self, envelope: Envelope) -> None:
        try:
            self.put(envelope)
        except MailboxFull:
            # The actor is stopping and the sender has gone on: it learns of it from the dead letters.
            self._post.undeliverable(self.path, envelope)


class ThreadMailbox(Lanes):
    """The mailbox of a ``ThreadingActor``: the same lanes behind one lock."""

    __slots__ = ("_changed", "_post", "_woken", "consumer", "owner", "path", "redelivered", "sealed")

    def __init__(self, limit: int, post: Post, path: str) -> None:
        super().__init__(limit, post)
        self._post = post
        self._changed = Condition()
        self._woken = False
        self.consumer: int | None = None
        self.path = path
        self.owner: object | None = None
        self.sealed = False
        self.redelivered: tuple[Envelope, ...] = ()

    def put(self, envelope: Envelope, /) -> None:
        """Take a message in and wake the actor.

        Raises:
            MailboxFull: if it is CRITICAL or HIGH and there is no room for it, or none in time.
        """
        with self._changed:
            if not self.sealed:
                self._wait_for_room(priority_of(envelope))
            if not self.sealed:
                self.accept(envelope)
                self._changed.notify_all()
                return
        self._post.undeliverable(self.path, envelope)

    def get(self) -> Envelope:
        """Hand out the next message, once there is one.

        Raises:
            IndexError: if the actor was woken for another reason, or is to end.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.count or self._woken or self.closing)
            self._woken = False
            envelope = self.take()
            self._changed.notify_all()
            return envelope

    def empty(self) -> bool:
        """Whether no message waits."""
        return not self.count

    def take_waiting(self, priority: Priority, kind: type) -> list[Envelope]:
        """Hand out waiting messages ahead of their turn, see ``Lanes``."""
        with self._changed:
            taken = super().take_waiting(priority, kind)
            self._changed.notify_all()
            return taken

    def put_back(self, envelopes: list[Envelope]) -> None:
        """Return taken messages to the heads of their lanes."""
        with self._changed:
            super().put_back(envelopes)
            self._changed.notify_all()

    def close(self, envelope: Envelope | None = None) -> None:
        """Let nothing more in, and let the actor end once it has handled what waits."""
        with self._changed:
            super().close(envelope)
            self._changed.notify_all()

    def reopen(self) -> None:
        """Let messages in again."""
        with self._changed:
            super().reopen()

    def seal(self) -> list[Envelope]:
        """Empty the mailbox for good; what still arrives is undeliverable."""
        with self._changed:
            self.sealed = True
            left = super().seal()
            self._changed.notify_all()
            return left

    def wake(self) -> None:
        """Wake the actor without a message: one of its flags has changed."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _wait_for_room(self, priority: Priority) -> None:
        if priority > HIGH or self._post.is_here() or get_ident() == self.consumer:
            # Neither the event loop nor the one who empties the mailbox may wait: accept() refuses.
            return
        deadline = time.monotonic() + self._post.patience
        while self.waiting(priority) >= self._limit and not self.sealed and not self.closing:
            if not self._changed.wait(deadline - time.monotonic()):
                raise self.refuse(priority)
