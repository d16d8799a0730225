"""Actors whose loop is a trio task.

Rules of this file: one message at a time; a handler may be plain or async. After ``BATCH`` messages without a
pause other tasks get their turn. Cancelled is not failed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from types import CoroutineType
from typing import ClassVar, TypeVarTuple, Unpack

import trio
from trio.lowlevel import wait_task_rescheduled

from actors.runtime.actor import OWN_MESSAGES, Actor
from actors.runtime.life import Life, State
from actors.runtime.mailbox import Mailbox

BATCH = 64

Args = TypeVarTuple("Args")


class TrioActor(Actor):
    """An actor for what does not block.

    With ``has_tasks`` a life can have tasks of its own, see ``start_task()``; that costs a nursery.
    """

    has_tasks: ClassVar[bool] = False

    _nursery: trio.Nursery | None = None
    _task_error: Exception | None = None

    def _make_mailbox(self) -> Mailbox:
        return Mailbox(self.mailbox_limit, self.life.environment.post, self.life.path)

    async def setup(self) -> None:
        """Get ready, before the first message: the async twin of ``on_start()``. A failure counts as one."""

    async def close(self) -> None:
        """Let go of what ``setup()`` took, at the end of each life in which it was done, failed ones as well.

        In a life that is cancelled, and not asked to end, awaiting raises ``trio.Cancelled``.
        """

    async def on_idle(self) -> None:
        """Finish what was put together from several messages: nothing waits behind it any more."""

    def start_task(self, function: Callable[[Unpack[Args]], Awaitable[object]], *args: *Args) -> None:
        """Run ``function(*args)`` as a task of this life: its failure is the life's, and it ends with it.

        Raises:
            RuntimeError: if the class does not have ``has_tasks``, or the life has not begun.
        """
        if self._nursery is None:
            raise RuntimeError(f"{type(self).__name__} has no tasks now: has_tasks is {self.has_tasks}")
        self._nursery.start_soon(self._run_task, function, *args, name=f"{self.life.path}:{function!r}")

    def run(self) -> Coroutine[object, object, None]:
        """Live once, see ``Actor``; a plain function, since each coroutine more is memory in an idle actor."""
        return self._live_with_tasks() if self.has_tasks else self._live()

    async def _live_with_tasks(self) -> None:
        failure: Exception | None = None
        try:
            async with trio.open_nursery() as self._nursery:
                try:
                    await self._live()
                except Exception as error:  # noqa: BLE001 - raised below, without the group a nursery makes of it
                    failure = error
                self._nursery.cancel_scope.cancel()
            if failure is None and self._task_error is not None:
                self.life.interrupted = True
                failure = self._task_error
            if failure is not None:
                raise failure
        finally:
            # The traceback of a failure holds this frame.
            del failure
            self._nursery = self._task_error = None

    async def _run_task(self, function: Callable[[Unpack[Args]], Awaitable[object]], *args: *Args) -> None:
        try:
            await function(*args)
        except Exception as error:  # noqa: BLE001 - it is what the life ends with
            if self._task_error is None:
                self._task_error = error
            if self._nursery is not None:
                self._nursery.cancel_scope.cancel()

    async def _live(self) -> None:
        self.on_start()
        await self.setup()
        self._enter_service()
        try:
            await self._handle_messages()
        except Exception as error:
            self.on_failure(type(error), error, error.__traceback__)
            raise
        finally:
            self.life.enter(State.STOPPING)
            await self.close()
        self.on_stop()

    def _enter_service(self) -> None:
        self.life.enter(State.RUNNING)

    async def _handle_messages(self) -> None:
        life, mailbox = self.life, self.life.mailbox
        if not isinstance(mailbox, Mailbox):
            raise TypeError(f"{life.path}: a restart cannot change the runtime")
        post = life.environment.post
        current_time = post.clock.current_time
        while not life.leaving:
            if not mailbox.count:
                if mailbox.closing:
                    return
                mailbox.park()
                await wait_task_rescheduled(mailbox.unpark)
            life.last_at = post.at = current_time()
            await self._handle_batch(life, mailbox)
            if not mailbox.count:
                await self.on_idle()
                life.joined = None
            if mailbox.fresh is not None:
                life.report_losses()
            if mailbox.count:
                await trio.lowlevel.checkpoint()

    async def _handle_batch(self, life: Life, mailbox: Mailbox) -> None:
        get, handle = mailbox.get, self.on_receive
        budget = BATCH
        while budget and mailbox.count and not life.leaving:
            budget -= 1
            life.current = envelope = get()
            message = envelope.message
            try:
                answer = self._handle_own(message) if type(message) in OWN_MESSAGES else handle(message)
                if type(answer) is CoroutineType:
                    life.busy_since = life.environment.post.clock.current_time()
                    answer = await answer
            except Exception:
                if envelope.reply_to is None:
                    raise
                envelope.reply_to.set_exception()
            else:
                if envelope.reply_to is not None:
                    envelope.reply_to.set(answer)
            life.current = life.joined = life.busy_since = None
