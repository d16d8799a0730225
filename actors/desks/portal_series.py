"""The keeper of the chain's history: adds minutes to the file, reads them back, lets go of what is too old.

Rules of this file: the file is used by one thread at a time and is not the journal's, so nobody who is urgent waits for
it. Minutes that cannot be written wait, the newest ``PENDING_LIMIT`` of them, and are read as if they were written; a
file that cannot be opened is tried again with each message. No failure of the disk ends a life.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, TypeVar

import msgspec
import trio

from actors.recorder.disk import Run, at_once, in_thread
from actors.runtime import MailboxFull, TrioActor
from config import HistorySettings
from domain import JsonValue, Priority, rfc3339
from domain.chain import DAY, HOUR, MINUTE, Cell, Cells, folded, joined_cells
from storage import Series, SeriesRead, StorageError
from telemetry import events

PENDING_LIMIT = 1440
"""Minutes that wait for a disk that fails: a day of them."""

RETAIN_INTERVAL = 3600.0
MORE_INTERVAL = 1.0

T = TypeVar("T")


class AddSeries(msgspec.Struct, frozen=True):
    """Keep ``minutes`` that ended, handed over ``at``; answered with whether they are on disk."""

    minutes: Cells
    at: float
    priority: ClassVar[Priority] = Priority.HIGH


class ReadSeries(msgspec.Struct, frozen=True):
    """Answer the newest ``limit`` rows of ``span`` that begin from ``begin`` on and before ``end``: ``SeriesKept``.

    None while they cannot be read.
    """

    span: int
    begin: float
    end: float
    limit: int
    priority: ClassVar[Priority] = Priority.HIGH


class SeriesKept(msgspec.Struct, frozen=True):
    """Rows by their beginnings; ``has_more``: older ones were left out; ``at``: when the newest were handed over."""

    cells: Cells
    has_more: bool
    at: float


class Retain(msgspec.Struct, frozen=True):
    """It is time to delete what is too old."""

    priority: ClassVar[Priority] = Priority.LOW


class SeriesKeeper(TrioActor):
    """Keeps the history in ``directory`` (None: in memory, a day of it) as the ``present`` settings say.

    ``run`` calls what blocks, in a thread by default.
    """

    has_tasks = True

    def __init__(
        self,
        directory: Path | None,
        present: Callable[[], HistorySettings] = HistorySettings,
        clock: Callable[[], float] = time.time,
        run: Run | None = None,
    ) -> None:
        super().__init__()
        self._run = run or (in_thread if directory else at_once)
        self._directory = directory
        self._present = present
        self._clock = clock
        self._series: Series | None = None
        self._pending: dict[int, Cell] = {}
        self._added_at = 0.0
        self._fault = ""

    async def setup(self) -> None:
        """Open the file; without it go on all the same."""
        await self._use(lambda _: None)
        self.start_task(self._keep_retaining)

    async def close(self) -> None:
        """Write what still waits, and close the file."""
        with trio.CancelScope(shield=True):
            if self._pending:
                await self._write()
            series, self._series = self._series, None
            if series is not None:
                await self._run(lambda: _closed(series))

    async def on_receive(self, message: object) -> object:
        """Add, read, let go."""
        match message:
            case AddSeries(minutes=minutes, at=at):
                self._added_at = at
                self._pending = joined_cells([self._pending, minutes])
                return await self._write()
            case ReadSeries():
                return await self._read(message)
            case Retain():
                await self._retain()
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """Where the history is, what is wrong with it, and how much waits."""
        return {
            "path": None if self._directory is None else str(self._directory),
            "fault": self._fault or None,
            "waiting": len(self._pending),
            "added": rfc3339(self._added_at) if self._added_at else None,
            "unreadable": 0 if self._series is None else self._series.unreadable,
        }

    async def _write(self) -> bool:
        pending = self._pending
        if await self._use(lambda series: _added(series, pending)):
            self._pending = {}
            return True
        for at in sorted(pending)[: max(0, len(pending) - PENDING_LIMIT)]:
            del pending[at]
        return False

    async def _read(self, wanted: ReadSeries) -> SeriesKept | None:
        read = await self._use(lambda series: series.read(wanted.span, wanted.begin, wanted.end, wanted.limit))
        if read is None:
            return None
        waiting = folded(self._pending, wanted.span)
        told = {at: cell for at, cell in waiting.items() if wanted.begin <= at < wanted.end}
        return SeriesKept(joined_cells([read.cells, told]), _has_more(read, told, wanted), self._added_at)

    async def _retain(self) -> None:
        settings = self._present()
        # What is in memory must leave room there; a day is what the peak needs.
        minutes = settings.minutes if self._directory else float(DAY)
        kept = {MINUTE: minutes, HOUR: settings.hours, DAY: settings.days}
        at = self._clock()
        if await self._use(lambda series: series.retain(kept, at)):
            self.start_task(self._ask_to_retain, MORE_INTERVAL)

    async def _keep_retaining(self) -> None:
        while True:
            await self._ask_to_retain(RETAIN_INTERVAL)

    async def _ask_to_retain(self, delay: float) -> None:
        await trio.sleep(delay)
        with suppress(MailboxFull):
            self.actor_ref.tell(Retain())

    async def _use(self, act: Callable[[Series], T]) -> T | None:
        """What ``act`` makes of the history; None if that fails, and the next use opens the file anew."""
        at = self._clock()
        try:
            made = await self._run(lambda: act(self._opened(at)))
        except StorageError as error:
            if error.reason != self._fault:
                self._fault = error.reason
                events.series_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason)
            series, self._series = self._series, None
            if series is not None:
                await self._run(lambda: _closed(series))
            return None
        self._fault = ""
        return made

    def _opened(self, at: float) -> Series:
        if self._series is None:
            series = Series.open(self._directory, at)
            if series.aside is not None:
                events.series_begun(aside=str(series.aside))
            self._series = series
        return self._series


def _has_more(read: SeriesRead, told: Cells, wanted: ReadSeries) -> bool:
    return read.has_more or len({*read.cells, *told}) > wanted.limit


def _added(series: Series, minutes: Cells) -> bool:
    series.add(minutes)
    return True


def _closed(series: Series) -> None:
    with suppress(StorageError):
        series.close()
