"""What the recorder says of the journal: events for everybody, members of the status document.

Rules of this file: no trio, no actor; the time is an argument. That the journal fails is CRITICAL: from then on a call
may be lost with the daemon, and somebody must act. What it gave up, and that it is well again, is HIGH.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

from actors.recorder.batch import advice
from domain import CriticalLog, Event, JsonValue, Priority, rfc3339
from storage import Statistics, StorageError

SOURCE = "/andond/journal"
SAID_EVERY = 60.0
"""Seconds between two events on what was given up."""


class Words:
    """Makes the events of one life of the recorder that began at ``started``."""

    def __init__(self, path: Path | None, started: float) -> None:
        self._path = path
        self._started = started
        self._ids = itertools.count(1)
        self._shed: dict[Priority, int] = {}
        self._said_at = -SAID_EVERY

    def failed(self, error: StorageError, at: float) -> Event:
        """The journal cannot be written."""
        data: dict[str, JsonValue] = {"operation": error.operation, "reason": error.reason, "action": advice(error)}
        return self._event("journal.failed", Priority.CRITICAL, data, at)

    def recovered(self, duration: float, written: int, at: float) -> Event:
        """The journal can be written again; ``written`` events that were told meanwhile are in it now."""
        return self._event("journal.recovered", Priority.HIGH, {"duration": round(duration, 3), "written": written}, at)

    def shed(self, counts: Mapping[Priority, int], at: float) -> Event | None:
        """So many were given up for want of room: together with those before, once a minute; else None."""
        for priority, count in counts.items():
            self._shed[priority] = self._shed.get(priority, 0) + count
        if not any(self._shed.values()) or at - self._said_at < SAID_EVERY:
            return None
        told: dict[str, JsonValue] = {priority.wire: count for priority, count in sorted(self._shed.items()) if count}
        self._shed, self._said_at = {}, at
        action = "the operator must make room on the disk"
        return self._event("journal.shed", Priority.HIGH, {"shed": told, "action": action}, at)

    def _event(self, type_: str, priority: Priority, data: dict[str, JsonValue], at: float) -> Event:
        return Event(
            id=f"{self._started:.6f}-{next(self._ids)}",
            source=SOURCE,
            type=type_,
            data={"path": str(self._path) if self._path else None, **data},
            recorded=at,
            priority=priority,
            time=rfc3339(at),
        )


def described(
    path: Path | None, log: CriticalLog, fault: StorageError | None, unkept: int, statistics: Statistics | None
) -> dict[str, JsonValue]:
    """The journal in the status document; ``fault`` is why it cannot be written."""
    members: dict[str, JsonValue] = {
        "path": str(path) if path else None,
        "volatile": path is None,
        "writable": fault is None,
        "fault": None if fault is None else advice(fault),
        "critical": str(log.position),
        "in_memory": len(log),
        "unkept": unkept,
    }
    if statistics is not None:
        oldest = {word.wire: at for word, at in statistics.oldest.items()}
        members |= {
            "records": {priority.wire: count for priority, count in statistics.records.items()},
            "oldest": {word: None if at is None else rfc3339(at) for word, at in oldest.items()},
            "bytes": statistics.file_size,
            "free": statistics.free,
            "unreadable": statistics.unreadable,
        }
    return members
