"""Actors whose loop is a thread, for what blocks.

Rules of this file: the same messages, mailbox and supervision as for a ``TrioActor``; handlers and hooks are plain
functions and run in the thread, the constructor runs on the trio thread and must not block. A thread cannot be
cancelled: one that does not end in time is abandoned with a mark, and may finish its message but takes no other.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from types import CoroutineType

import trio

from actors.runtime.actor import OWN_MESSAGES, Actor
from actors.runtime.lanes import Envelope
from actors.runtime.life import State
from actors.runtime.mailbox import ThreadMailbox


class ThreadingActor(Actor):
    """An actor for what blocks: ``on_start()``, ``on_receive()`` and ``on_stop()`` may take their time."""

    _ended: trio.Event

    def _make_mailbox(self) -> ThreadMailbox:
        return ThreadMailbox(self.mailbox_limit, self.life.environment.post, self.life.path)

    async def run(self) -> None:
        """Live once, in a thread of its own; cancelled, leave the thread alone."""
        outcome: list[Exception | None] = []
        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(self._run_thread, outcome), name=self.life.path, daemon=True
        )
        ended = self._ended = trio.Event()
        thread.start()
        try:
            await ended.wait()
        except trio.Cancelled:
            if not ended.is_set():
                self._abandon(thread)
            raise
        # The event was the last thing the thread did, so this takes no time.
        thread.join()
        error = outcome.pop()
        if error is not None:
            raise error

    def _abandon(self, thread: threading.Thread) -> None:
        life = self.life
        life.leave(drain=False)
        if life.current is None:
            # It only waits for messages, and ends now.
            return
        life.abandoned = True
        thread.name += " (abandoned)"
        life.environment.abandoned[life.path] += 1
        since = life.last_at if life.last_at is not None else life.started_at
        age = life.environment.post.clock.current_time() - since
        life.environment.observer.actor_abandoned(life.path, age)

    def _run_thread(self, outcome: list[Exception | None]) -> None:
        try:
            self._live()
        except Exception as error:  # noqa: BLE001 - raised in run(), for the supervisor
            outcome.append(error)
        else:
            outcome.append(None)
        finally:
            self.life.environment.post.run_on_trio(self._ended.set)

    def _live(self) -> None:
        post = self.life.environment.post
        self.on_start()
        post.run_on_trio(self._enter_service)
        try:
            self._handle_messages()
        except Exception as error:
            self.on_failure(type(error), error, error.__traceback__)
            raise
        self.on_stop()

    def _enter_service(self) -> None:
        if self.life.state is State.STARTING:
            self.life.enter(State.RUNNING)

    def _handle_messages(self) -> None:
        life, mailbox = self.life, self.life.mailbox
        if not isinstance(mailbox, ThreadMailbox):
            raise TypeError(f"{life.path}: a restart cannot change the runtime")
        mailbox.consumer = threading.get_ident()
        while not life.leaving:
            try:
                envelope = mailbox.get()
            except IndexError:
                if mailbox.closing:
                    return
                continue
            life.last_at = life.environment.post.clock.current_time()
            life.environment.post.at = life.last_at
            life.current = envelope
            self._handle(envelope)
            life.current = life.joined = None
            if mailbox.fresh is not None:
                life.environment.post.run_on_trio(life.report_losses)

    def _handle(self, envelope: Envelope) -> None:
        message = envelope.message
        try:
            answer = self._handle_own(message) if type(message) in OWN_MESSAGES else self.on_receive(message)
            if type(answer) is CoroutineType:
                answer.close()
                raise TypeError(f"{type(self).__name__} runs in a thread: its handlers cannot be async")  # noqa: TRY301
        except Exception:
            if envelope.reply_to is None:
                raise
            self._reply(envelope.reply_to.set_exception)
        else:
            if envelope.reply_to is not None:
                self._reply(partial(envelope.reply_to.set, answer))

    def _reply(self, resolve: Callable[[], None]) -> None:
        try:
            resolve()
        except RuntimeError:
            # While this thread was at it, it was abandoned, and the asker was told so.
            if not self.life.abandoned:
                raise
