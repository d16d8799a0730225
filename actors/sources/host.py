"""The machine that the daemon runs on, and the daemon itself, once every cadence.

Rules of this file: psutil reads ``/proc`` in microseconds and is asked on the trio thread; what can block (a file
system that does not answer) is asked in a worker thread with a deadline, and is null with a reason while it hangs. A
thread that hangs is not joined by another for the same question.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence

import msgspec
import psutil
import trio

from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import TrioActor
from actors.sources.source import Freshness
from config import HostSource as HostSourceSettings
from domain import Event, JsonValue, Priority, beat_after, rfc3339
from telemetry import Histogram, counters

DISK_TIMEOUT = 2.0
MEBIBYTE = 1024 * 1024


class _Totals(msgspec.Struct, frozen=True):
    """What only grows, at one moment of the monotonic clock."""

    at: float
    received: int
    sent: int
    events: int
    deliveries: int
    cpu: float
    delays: Histogram


class HostSource(TrioActor):
    """Reads the host every ``cadence`` seconds; ``name`` is the table of its settings."""

    has_tasks = True

    def __init__(
        self,
        name: str,
        settings: HostSourceSettings,
        clock: Callable[[], float] = time.time,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._desks = Desks.at_their_places(self.life.environment)
        self._clock = clock
        self._process = psutil.Process()
        self._host = socket.gethostname()
        self._freshness = freshness or Freshness.of(name, settings)
        self._ranks = ranks or Ranks(name)
        self._disks = _Disks(settings.disks)
        self._began = clock()
        self._count = 0

    async def setup(self) -> None:
        """Begin to read."""
        self.start_task(self._read_for_ever)

    def describe(self) -> Mapping[str, JsonValue]:
        """How fresh the source is."""
        return self._freshness.describe(self._clock())

    async def _read_for_ever(self) -> None:
        psutil.cpu_percent()
        before = self._totals()
        # What is read is a rate: over a sliver of the first interval it would be anything.
        due = beat_after(trio.current_time() + self._settings.cadence / 2, self._settings.cadence)
        while True:
            await trio.sleep_until(due)
            due = beat_after(trio.current_time(), self._settings.cadence)
            now = self._totals()
            disks = await self._disks.read()
            self._tell({**self._present(), **_rates(before, now), **_disk_members(disks)})
            before = now

    def _tell(self, data: dict[str, JsonValue]) -> None:
        at = self._clock()
        self._count += 1
        self._freshness.note(at)
        place = self._settings.equipment or f"hosts/{self._host}"
        event = Event(
            id=f"{self._name}-{self._began:.3f}-{self._count}",
            source=f"/{place}",
            type="host.metrics",
            data=data,
            recorded=at,
            priority=Priority.NORMAL,
            subject=self._host,
            time=rfc3339(at),
        )
        self._desks.of(event).tell(EventTaken(self._ranks.rank(event)))

    def _present(self) -> dict[str, JsonValue]:
        memory = psutil.virtual_memory()
        load = psutil.getloadavg()
        return {
            "cpuPercent": psutil.cpu_percent(),
            "cpuCount": psutil.cpu_count(),
            "loadAverage": [round(value, 2) for value in load],
            "memoryPercent": memory.percent,
            "memoryUsedBytes": memory.total - memory.available,
            "memoryTotalBytes": memory.total,
            "processMemoryBytes": self._process.memory_info().rss,
        }

    def _totals(self) -> _Totals:
        network = psutil.net_io_counters()
        times = self._process.cpu_times()
        return _Totals(
            at=trio.current_time(),
            received=network.bytes_recv if network else 0,
            sent=network.bytes_sent if network else 0,
            events=sum(counters.published),
            deliveries=counters.frames_sent,
            cpu=times.user + times.system,
            delays=counters.broadcast_latency.copy(),
        )


def _rates(before: _Totals, now: _Totals) -> dict[str, JsonValue]:
    """What passed between two moments, a second, and how long deliveries took meanwhile (null when there were none)."""
    seconds = max(now.at - before.at, 1e-6)
    delays = now.delays.since(before.delays)
    return {
        "networkReceivedBytesPerSecond": round((now.received - before.received) / seconds),
        "networkSentBytesPerSecond": round((now.sent - before.sent) / seconds),
        "eventRate": round((now.events - before.events) / seconds, 1),
        "deliveryRate": round((now.deliveries - before.deliveries) / seconds, 1),
        "processCpuPercent": round(100 * (now.cpu - before.cpu) / seconds, 1),
        "deliveryP50Ms": _milliseconds(delays.quantile(0.5)),
        "deliveryP99Ms": _milliseconds(delays.quantile(0.99)),
    }


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


class _Disk(msgspec.Struct, frozen=True):
    """One file system: how full, or why that is not known."""

    used: int | None
    total: int | None
    percent: float | None
    reason: str | None


class _Disks:
    """The file systems at ``paths``, each asked by one thread at a time."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._turns = {path: trio.CapacityLimiter(1) for path in paths}

    async def read(self) -> dict[str, _Disk]:
        """Ask all of them at once."""
        found: dict[str, _Disk] = {}

        async def read(path: str, turn: trio.CapacityLimiter) -> None:
            found[path] = await _disk(path, turn)

        async with trio.open_nursery() as nursery:
            for path, turn in self._turns.items():
                nursery.start_soon(read, path, turn)
        return {path: found[path] for path in self._turns}


async def _disk(path: str, turn: trio.CapacityLimiter) -> _Disk:
    # An earlier question that still hangs holds the turn.
    if turn.available_tokens:
        with trio.move_on_after(DISK_TIMEOUT):
            try:
                usage = await trio.to_thread.run_sync(psutil.disk_usage, path, abandon_on_cancel=True, limiter=turn)
            except OSError as error:
                return _Disk(None, None, None, error.strerror or str(error))
            return _Disk(usage.used, usage.total, usage.percent, None)
    return _Disk(None, None, None, f"did not answer within {DISK_TIMEOUT:g} s")


def _disk_members(disks: Mapping[str, _Disk]) -> dict[str, JsonValue]:
    """The fullest disk as the one figure to watch, and each by its path."""
    known = [disk.percent for disk in disks.values() if disk.percent is not None]
    each: dict[str, JsonValue] = {
        path: {"usedBytes": disk.used, "totalBytes": disk.total, "percent": disk.percent, "reason": disk.reason}
        for path, disk in disks.items()
    }
    return {"diskPercent": max(known) if known else None, "disks": each}
