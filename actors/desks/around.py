"""What surrounds the chain's values in the portal's metrics: the host, the connections, the share of errors.

Rules of this file: the time is an argument. A value of a host that has gone quiet is null, with its age as the reason.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from domain import JsonValue
from domain.chain import Surroundings
from telemetry import counters, gauges

MEGABYTE = 1_000_000
GIGABYTE = 1_000_000_000
ERROR_WINDOW = 60.0


class Around:
    """The newest host reading, and what the daemon counts of itself since ``started`` (Unix seconds)."""

    def __init__(self, stale_after: float, started: float) -> None:
        self._stale_after = stale_after
        self._started = started
        self._host: Mapping[str, JsonValue] = {}
        self._host_at: float | None = None
        self._answers: deque[tuple[float, int, int]] = deque([(started, *_answers())])

    def take(self, host: Mapping[str, JsonValue], at: float) -> None:
        """Keep a host reading that came at ``at``."""
        self._host, self._host_at = host, at

    def present(self, at: float) -> Surroundings:
        """What is known at ``at``."""
        host = self._fresh_host(at)
        reasons = {} if host else dict.fromkeys(_HOST_VALUES, self._why_no_host(at))
        error_rate, why = self._error_rate(at)
        if why:
            reasons["error_rate"] = why
        reasons |= dict.fromkeys(_NEVER, "not measured by the host source")
        disk_used, disk_total = _fullest(host.get("disks"))
        return Surroundings(
            cpu_percent=_number(host, "cpuPercent"),
            memory_mb=_scaled(host, "memoryUsedBytes"),
            memory_total_mb=_scaled(host, "memoryTotalBytes"),
            disk_used_gb=disk_used,
            disk_total_gb=disk_total,
            received_mb_per_second=_megabytes(host, "networkReceivedBytesPerSecond"),
            sent_mb_per_second=_megabytes(host, "networkSentBytesPerSecond"),
            uptime=at - self._started,
            error_rate=error_rate,
            connections=_connections(),
            troubles=(*_halted(), *_jailed()),
            reasons=reasons,
        )

    def _fresh_host(self, at: float) -> Mapping[str, JsonValue]:
        fresh = self._host_at is not None and at - self._host_at <= self._stale_after
        return self._host if fresh else {}

    def _why_no_host(self, at: float) -> str:
        if self._host_at is None:
            return "no host reading received yet"
        return f"the newest host reading is {at - self._host_at:.0f} s old"

    def _error_rate(self, at: float) -> tuple[float | None, str | None]:
        """The share of requests and client messages of the last minute that ended as errors."""
        while len(self._answers) > 1 and at - self._answers[1][0] >= ERROR_WINDOW:
            self._answers.popleft()
        total, failed = _answers()
        if at > self._answers[-1][0]:
            self._answers.append((at, total, failed))
        handled = total - self._answers[0][1]
        if not handled:
            return None, f"no request or client message in the last {ERROR_WINDOW:.0f} s"
        return (failed - self._answers[0][2]) / handled, None


_HOST_VALUES = (
    "cpu_percent", "memory_mb", "memory_total_mb", "disk_used_gb", "disk_total_gb", "received_mb_per_second",
    "sent_mb_per_second",
)  # fmt: skip
_NEVER = ("disk_read_mb_per_second", "disk_write_mb_per_second", "threads")


def _answers() -> tuple[int, int]:
    """Requests and messages handled so far, and how many of them ended as errors."""
    rejected = counters.frames_rejected.total
    handled = counters.requests_answered.total + counters.frames_received + rejected
    return handled, counters.requests_failed + rejected


def _halted() -> list[str]:
    return [f"{chain} is halted" for (chain,) in _labels_of("chain_halted")]


def _jailed() -> list[str]:
    return [f"{validator} of {chain} is in jail" for chain, validator in _labels_of("chain_watched_jailed")]


def _labels_of(gauge: str) -> list[list[str]]:
    """The labels under which ``gauge`` is not 0."""
    read = gauges.read(gauge)
    return [labels.split("\t") for labels, value in read.items() if value] if isinstance(read, Mapping) else []


def _connections() -> int | None:
    value = gauges.read("connections")
    if isinstance(value, Mapping):
        return round(sum(value.values()))
    return None if value is None else round(value)


def _number(host: Mapping[str, JsonValue], name: str) -> float | None:
    value = host.get(name)
    return float(value) if isinstance(value, int | float) else None


def _scaled(host: Mapping[str, JsonValue], name: str) -> int | None:
    value = _number(host, name)
    return None if value is None else round(value / MEGABYTE)


def _megabytes(host: Mapping[str, JsonValue], name: str) -> float | None:
    value = _number(host, name)
    return None if value is None else round(value / MEGABYTE, 3)


def _fullest(disks: JsonValue) -> tuple[float | None, float | None]:
    """Used and total GB of the disk that is fullest."""
    if not isinstance(disks, Mapping):
        return None, None
    known = [disk for disk in disks.values() if isinstance(disk, Mapping) and disk.get("percent") is not None]
    if not known:
        return None, None
    fullest = max(known, key=lambda disk: _number(disk, "percent") or 0.0)
    used, total = _number(fullest, "usedBytes"), _number(fullest, "totalBytes")
    return (None if used is None else round(used / GIGABYTE, 3)), (
        None if total is None else round(total / GIGABYTE, 3)
    )
