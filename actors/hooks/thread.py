"""A thread of its own for one part of a hook, so that what blocks there blocks nobody else.

Rules of this file:

* One call at a time, each with a deadline. A thread that does not keep it is abandoned: nobody waits for it any more,
  and what it still returns is nobody's.
* An abandoned thread is told to end the next time that it runs Python, so that a loop without an end does not take the
  processor from the others. What hangs outside of Python cannot be told, but takes nothing either.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

import trio

T = TypeVar("T")


class Overdue(Exception):
    """A call did not return within ``timeout`` seconds."""

    def __init__(self, timeout: float) -> None:
        super().__init__(f"did not return within {timeout:g} s")
        self.timeout = timeout


class _Job(Generic[T]):
    """One call, and what became of it."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._token = trio.lowlevel.current_trio_token()
        self._results: list[T] = []
        self._error: Exception | None = None
        self.done = trio.Event()

    def run(self) -> None:
        try:
            self._results.append(self._function())
        except Exception as error:  # noqa: BLE001 - it is for who asked
            self._error = error
        except BaseException as error:  # noqa: BLE001 - sys.exit() in a hook ends no daemon
            self._error = RuntimeError(f"{type(error).__name__} was raised")
            self._error.__cause__ = error
        # Once the daemon has ended nobody wants to know.
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self.done.set)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._results[0]


class HookThread:
    """Runs what it is given, within ``timeout`` seconds each; ``name`` is what the thread is called."""

    def __init__(self, name: str, timeout: float) -> None:
        self._name = name
        self._timeout = timeout
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def call(self, function: Callable[[], T]) -> T:
        """What ``function`` returns, or raises.

        Raises:
            Overdue: if it took too long; the thread is given up, and the next call begins a new one.
        """
        job = _Job(function)
        self._begin().put(job.run)
        try:
            with trio.move_on_after(self._timeout):
                await job.done.wait()
        finally:
            if not job.done.is_set():
                self.abandon()
        if not job.done.is_set():
            raise Overdue(self._timeout)
        return job.result()

    def abandon(self) -> None:
        """Have the thread end as soon as it can; nobody waits for it."""
        thread, self._thread = self._thread, None
        self._jobs.put(None)
        self._jobs = queue.SimpleQueue()
        if thread is not None and thread.ident is not None:
            thread.name += " (abandoned)"
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))

    def close(self) -> None:
        """Let the thread end; for when no call is under way."""
        self._jobs.put(None)
        self._thread = None

    def _begin(self) -> queue.SimpleQueue[Callable[[], None] | None]:
        if self._thread is None:
            self._jobs = queue.SimpleQueue()
            self._thread = threading.Thread(target=_run, args=(self._jobs,), name=self._name, daemon=True)
            self._thread.start()
        return self._jobs


def _run(jobs: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    # An abandoned thread is ended with it, wherever it is at that moment.
    with suppress(SystemExit):
        while (job := jobs.get()) is not None:
            job()
