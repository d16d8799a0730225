"""The disk under the recorder: the journal, and the one thread at a time that it is used in.

Rules of this file: it knows no message. What fails, or takes longer than it may, is a ``StorageError``; a disk that
hangs is left to hang, and nothing is asked of it until it has come back. Work that was begun is never abandoned,
because a journal is used by one thread at a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

import trio

from config import JournalSettings
from storage import Journal, StorageError, keep_of

T = TypeVar("T")

PATIENCE = 2.0
"""Seconds that a write or a read may take; then the disk counts as hanging."""

OPENING_PATIENCE = 30.0
"""The same for an opening, which may have to look at every record."""

StartTask = Callable[[Callable[[], Awaitable[object]]], None]


class Run(Protocol):
    """Calls a function that blocks, and waits for what it returns."""

    async def __call__(self, function: Callable[[], T], /) -> T:
        """Call ``function``."""


async def in_thread(function: Callable[[], T], /) -> T:
    """Call ``function`` in a thread, however many others are in use."""
    return await trio.to_thread.run_sync(function, limiter=trio.CapacityLimiter(1))


async def at_once(function: Callable[[], T], /) -> T:
    """Call ``function`` here: for a journal in memory, which waits for no disk."""
    return function()


class _Outcome(Generic[T]):
    """What came of a piece of work."""

    def __init__(self) -> None:
        self.done = trio.Event()
        self.values: list[T] = []
        self.error: Exception | None = None

    def result(self) -> T:
        if self.error is not None:
            raise self.error
        return self.values[0]


class Disk:
    """The journal in the directory ``path`` (None: in memory), kept as the ``present`` settings say.

    ``start`` runs a task that ends with the recorder's life.
    """

    def __init__(
        self,
        path: Path | None,
        present: Callable[[], JournalSettings],
        clock: Callable[[], float],
        run: Run,
        start: StartTask,
    ) -> None:
        self.path = path
        self._present = present
        self._in_force: JournalSettings | None = None
        self._clock = clock
        self._run = run
        self._start = start
        self._journal: Journal | None = None
        self._busy: trio.Event | None = None

    async def open(self) -> Journal:
        """Open the journal, anew if it is open.

        Raises:
            StorageError: if it cannot be opened; then there is none.
        """
        return await self._work(self._open, OPENING_PATIENCE, "open")

    async def use(self, act: Callable[[Journal], T]) -> T:
        """Have ``act`` work on the journal.

        Raises:
            StorageError: if that failed or takes too long, or there is no journal.
        """
        return await self._work(lambda: act(self._opened()), PATIENCE, "use")

    async def close(self) -> None:
        """Close the journal, unless the disk hangs.

        Raises:
            StorageError: if that failed, or the disk hangs.
        """
        if self._busy is not None:
            with trio.move_on_after(PATIENCE):
                await self._busy.wait()
        await self._work(self._close, PATIENCE, "close")

    async def _work(self, act: Callable[[], T], patience: float, word: str) -> T:
        if self._busy is not None:
            raise StorageError(self.path, word, "the disk does not answer")
        outcome: _Outcome[T] = _Outcome()
        self._busy = outcome.done
        self._start(partial(self._do, act, outcome))
        with trio.move_on_after(patience):
            await outcome.done.wait()
            return outcome.result()
        raise StorageError(self.path, word, f"the disk has not answered for {patience:g} seconds")

    async def _do(self, act: Callable[[], T], outcome: _Outcome[T]) -> None:
        try:
            with trio.CancelScope(shield=True):
                outcome.values.append(await self._run(act))
        except Exception as error:  # noqa: BLE001 - raised where the outcome is waited for
            outcome.error = error
        finally:
            self._busy = None
            outcome.done.set()

    def _open(self) -> Journal:
        with suppress(StorageError):
            self._close()
        settings = self._present()
        self._journal = Journal.open(self.path, keep_of(settings), settings.reserve, self._clock())
        self._in_force = settings
        return self._journal

    def _close(self) -> None:
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    def _opened(self) -> Journal:
        if self._journal is None:
            raise StorageError(self.path, "use", "it is not open")
        settings = self._present()
        if settings != self._in_force:
            # A reload: what is kept from now on.
            self._journal.adjust(keep_of(settings), settings.reserve)
            self._in_force = settings
        return self._journal
