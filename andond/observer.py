"""What the actor runtime reports, told as the daemon's own events.

Rules of this file: one line a report. The runtime knows no telemetry, and telemetry no runtime; they meet here.
"""

from __future__ import annotations

from domain import Priority
from telemetry import counters, events


class TelemetryObserver:
    """Writes what happens to actors to the log and counts it."""

    def actor_failed(self, actor: str, error: BaseException | None, message: str | None) -> None:
        """A life ended in ``error`` while it handled ``message``."""
        events.actor_failed(actor=actor, kind=kind_of(actor), error=error, message=message or "")

    def actor_restarted(self, actor: str, restarts: int, delay: float) -> None:
        """The next life began."""
        events.actor_restarted(actor=actor, kind=kind_of(actor), delay=delay, restarts=restarts)

    def actor_quarantined(self, actor: str, message: str, error: BaseException) -> None:
        """A message that ended a life was put aside."""
        events.actor_quarantined(actor=actor, kind=kind_of(actor), message=message, reason=repr(error))

    def actor_buried(self, actor: str, left: int) -> None:
        """An actor ended for good; of those that end with their client only the unusual is told."""
        if left:
            events.actor_buried(actor=actor, kind=kind_of(actor), reason=f"{left} messages were waiting")

    def actor_abandoned(self, actor: str, age: float) -> None:
        """A thread did not end in time."""
        events.actor_stuck(actor=actor, kind=kind_of(actor), age=age)

    def message_dead_lettered(self, actor: str, message: str, reason: str, count: int) -> None:
        """Messages were never handled."""
        events.message_dead_lettered(actor=actor, message=message, reason=reason, count=count)

    def messages_dropped(self, actor: str, priority: Priority, dropped: int, conflated: int, refused: int) -> None:
        """A mailbox overflowed."""
        counters.messages_dropped[priority] += dropped + refused
        counters.messages_conflated[priority] += conflated
        if dropped or refused:
            events.mailbox_overflowed(actor=actor, priority=priority.wire, dropped=dropped, refused=refused)

    def supervisor_escalated(self, supervisor: str, child: str, restarts: int, period: float) -> None:
        """A supervisor gave up; what its child failed with has been told."""
        del child
        events.supervisor_escalated(actor=supervisor, restarts=restarts, period=period)


def kind_of(path: str) -> str:
    """The part of the tree that ``path`` is in: a bounded word, where an id would be none."""
    parts = path.split("/")
    return parts[1] if len(parts) > 1 else parts[0]
