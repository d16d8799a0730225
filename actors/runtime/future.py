"""The answer to an ask, for whoever waits on it.

Rules of this file: trio tasks await a future, foreign threads ``get()`` it. ``get()`` on the trio thread raises
at once, since it would block the very loop that has to bring the answer. A future is resolved once, from any
thread.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Literal, Protocol, TypeAlias, TypeVar, overload

import pykka
import trio
from trio.lowlevel import Abort, RaiseCancelT, Task, TrioToken, reschedule

from actors.runtime.errors import AskTimeout

T = TypeVar("T")
ExcInfo: TypeAlias = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

# One lock for all futures: what it guards takes a fraction of a microsecond, and a lock each would cost memory.
_lock = threading.Lock()


class ActorRef(Protocol):
    """The address of an actor, of any class and either runtime; it survives the actor's restarts."""

    @property
    def actor_urn(self) -> str:
        """The name that no other actor has."""

    @property
    def actor_inbox(self) -> object:
        """Its mailbox, for the runtime."""

    @property
    def actor_stopped(self) -> threading.Event:
        """Set when it has ended for good; wait on it in a foreign thread."""

    def is_alive(self) -> bool:
        """Whether it can still get messages; also while it is being restarted."""

    def tell(self, message: object) -> None:
        """Send ``message``.

        Raises:
            ActorDead: if the actor has ended for good.
            MailboxFull: if the message is CRITICAL or HIGH and there is no room for it.
        """

    @overload
    def ask(self, message: object, *, block: Literal[False], timeout: float | None = None) -> pykka.Future[object]: ...

    @overload
    def ask(self, message: object, *, block: Literal[True], timeout: float | None = None) -> object: ...

    def ask(self, message: object, *, block: bool = True, timeout: float | None = None) -> object:
        """Send ``message`` and get its answer: a future, or on a foreign thread the answer itself."""


class TrioFuture(pykka.Future[T]):
    """A pykka future that trio tasks can await."""

    def __init__(self) -> None:
        super().__init__()
        self._outcome: tuple[T | None, BaseException | None] | None = None
        self._waiters: list[Callable[[], None]] | None = None

    @property
    def ready(self) -> bool:
        """Whether the answer is here."""
        return self._outcome is not None

    def set(self, value: T | None = None) -> None:
        """Resolve the future.

        Raises:
            RuntimeError: if it is resolved already.
        """
        self._resolve(value, None)

    def set_exception(self, exc_info: ExcInfo | None = None) -> None:
        """Resolve the future with an exception, by default the one being handled.

        Raises:
            RuntimeError: if it is resolved already.
        """
        exception_type, error, traceback = exc_info or sys.exc_info()
        if error is None:
            error = (exception_type or RuntimeError)()
        self._resolve(None, error.with_traceback(traceback))

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        """Let ``func`` make the value when it is asked for.

        Raises:
            RuntimeError: if the future is resolved already.
        """
        with _lock:
            if self._outcome is not None:
                raise RuntimeError("the future is resolved already")
            super().set_get_hook(func)

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the answer, on a foreign thread.

        Raises:
            AskTimeout: if there was none within ``timeout`` seconds.
            RuntimeError: on the trio thread, unless the answer is here.
        """
        if self._outcome is None:
            if trio.lowlevel.in_trio_run():
                raise RuntimeError("Future.get() would block the trio loop: await the future")
            if self._get_hook is not None:
                return super().get(timeout=timeout)
            answered = threading.Event()
            if self._call_when_resolved(answered.set) and not answered.wait(timeout):
                raise AskTimeout("a future", timeout)
        return self._result()

    def __await__(self) -> Generator[None, None, T]:
        return self._wait().__await__()

    __iter__ = __await__

    async def _wait(self) -> T:
        if self._get_hook is not None:
            # map(), join() and the like know only how to wait in a thread.
            return await trio.to_thread.run_sync(self._get_in_thread, abandon_on_cancel=True)
        waiter = _Waiter(self)
        if self._call_when_resolved(waiter.wake):
            await trio.lowlevel.wait_task_rescheduled(waiter.abort)
        else:
            await trio.lowlevel.checkpoint()
        return self._result()

    def _get_in_thread(self) -> T:
        return self.get()

    def _resolve(self, value: T | None, error: BaseException | None) -> None:
        with _lock:
            if self._outcome is not None or self._get_hook is not None:
                raise RuntimeError("the future is resolved already")
            self._outcome = (value, error)
            waiters, self._waiters = self._waiters, None
        for wake in waiters or ():
            wake()

    def _call_when_resolved(self, wake: Callable[[], None]) -> bool:
        with _lock:
            if self._outcome is not None:
                return False
            if self._waiters is None:
                self._waiters = []
            self._waiters.append(wake)
            return True

    def _forget(self, wake: Callable[[], None]) -> None:
        with _lock:
            if self._waiters is not None and wake in self._waiters:
                self._waiters.remove(wake)

    def _result(self) -> T:
        value, error = self._outcome or (None, None)
        if error is not None:
            raise error
        # None is what a T may be that nobody gave: pykka's set() takes no value, too.
        return value  # type: ignore[return-value]


class _Waiter:
    """A trio task that waits on a future."""

    __slots__ = ("_future", "_ident", "_task", "_token")

    def __init__(self, future: TrioFuture[T]) -> None:
        self._future = future
        self._task: Task | None = trio.lowlevel.current_task()
        self._token: TrioToken = trio.lowlevel.current_trio_token()
        self._ident = threading.get_ident()

    def wake(self) -> None:
        if threading.get_ident() == self._ident:
            self._resume()
            return
        try:
            self._token.run_sync_soon(self._resume)
        except trio.RunFinishedError:
            # The task that waited is gone, and its loop with it.
            return

    def abort(self, _raise_cancel: RaiseCancelT) -> Abort:
        self._task = None
        self._future._forget(self.wake)  # noqa: SLF001 - a part of the future that lives on its own
        return Abort.SUCCEEDED

    def _resume(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            reschedule(task)


async def ask(ref: ActorRef, message: object, timeout: float = 1.0) -> object:  # noqa: ASYNC109 - a word of actors
    """Send ``message`` and wait up to ``timeout`` seconds for the answer.

    Raises:
        AskTimeout: if there was none in time.
        ActorDead: if the actor ended for good before it handled the message.
        MailboxFull: if there is no room for the message.
        Exception: what handling the message raised.
    """
    future = ref.ask(message, block=False)
    with trio.move_on_after(timeout):
        return await future
    raise AskTimeout(f"{type(message).__name__} to {ref}", timeout)
