"""A desk that says to escalations what happens, keeps what they decide, and can be killed.

Rules of this file: nothing is sent that is not kept; a new life begins with the rows of the one before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from domain import Decision, Event, Priority, channel_of
from domain.plant.escalation import (
    KINDS,
    CallFacts,
    Directory,
    Escalations,
    Notification,
    Outgoing,
    Reading,
    Rulebook,
    read_chain,
)
from domain.plant.site import ShiftCalendar

NOON = 1_800_000_000.0
PATH = "acme/plant1/line3/press3"
CHANNELS = ("websocket", "mail")


class Desk:
    """Escalations of one plant, and everything that came of them."""

    def __init__(self, book: Rulebook, calendar: ShiftCalendar) -> None:
        self.book = book
        self.calendar = calendar
        self.rows: dict[tuple[str, str], str] = {}
        self.events: list[Event] = []
        self.sent: list[Notification] = []
        self.asks: list[object] = []
        self.at = NOON
        self.live()

    def live(self) -> None:
        """Begin a life with what was kept."""
        self.escalations = Escalations(lambda: self.book, lambda _: self.calendar)
        kept = {
            kind: [(key, json.loads(text)) for (each, key), text in self.rows.items() if each == kind] for kind in KINDS
        }
        assert self.escalations.restore(kept) == []

    def die(self) -> list[Notification]:
        """Be killed and live again: what is sent again."""
        self.live()
        return self.take(self.escalations.resume(self.at))

    def take(self, decision: Decision[Outgoing]) -> list[Notification]:
        """Keep what was decided, and send; returns the notifications."""
        for row in decision.rows:
            if row.value is None:
                self.rows.pop((row.kind, row.key), None)
            else:
                self.rows[row.kind, row.key] = json.dumps(row.value)
        for event in decision.events:
            assert event.priority is Priority.CRITICAL
            assert channel_of(event) == f"escalations/{PATH}"
        ids = [event.id for event in self.events]
        assert not set(ids) & {event.id for event in decision.events}
        self.events += decision.events
        self.sent += decision.answer.notifications
        self.asks += decision.answer.asks
        return list(decision.answer.notifications)

    def raise_call(self, call: str = "c1", priority: str = "high", type_: str = "maintenance") -> list[Notification]:
        facts = CallFacts(call, PATH, type_, priority, "oil on the floor", "anna", self.at)
        return self.take(self.escalations.raised(facts, self.at))

    def reopen(self, call: str = "c1", priority: str = "high") -> list[Notification]:
        facts = CallFacts(call, PATH, "maintenance", priority, "oil on the floor", "anna", self.at)
        return self.take(self.escalations.reopened(facts, "ben", self.at))

    def acknowledge(self, call: str = "c1", by: str = "ben") -> list[Notification]:
        return self.take(self.escalations.acknowledged(call, by, self.at))

    def resolve(self, call: str = "c1") -> list[Notification]:
        return self.take(self.escalations.resolved(call, "ben", self.at))

    def receipt(self, notification: Notification) -> list[Notification]:
        return self.take(self.escalations.sent(notification.id, "250 ok", self.at))

    def fail(self, notification: Notification) -> list[Notification]:
        return self.take(self.escalations.failed(notification.id, "refused", self.at))

    def fail_all(self, notifications: list[Notification]) -> list[Notification]:
        """Fail these and what comes of it, until there is nothing more to send: all that was sent."""
        tried = []
        while notifications:
            tried += notifications
            notifications = [each for one in notifications for each in self.fail(one)]
        return tried

    def go(self, seconds: float) -> list[Notification]:
        """Let time pass, and say what is due at the end of it, once."""
        self.at += seconds
        return self.take(self.escalations.due(self.at))

    def pass_time(self, seconds: float) -> list[Notification]:
        """Let time pass, and say what is due when it is."""
        end, sent = self.at + seconds, []
        while (due := self.escalations.next_due()) is not None and due <= end:
            self.at = max(self.at, due)
            sent += self.take(self.escalations.due(self.at))
        self.at = end
        return sent

    def set_clock(self, step: float, elapsed: float) -> None:
        """The wall clock is set by ``step`` seconds, ``elapsed`` after the machine was started."""
        self.at += step
        self.take(self.escalations.read_clocks(Reading(self.at, elapsed, "boot-1")))

    def words(self, type_: str) -> list[dict[str, object]]:
        """What the events of this type say."""
        return [dict(event.data) for event in self.events if event.type == f"escalation.{type_}"]

    def view(self, call: str = "c1") -> dict[str, object]:
        return dict(self.escalations.view(call) or {})


def _chain(**members: object) -> object:
    return read_chain({"name": "own", "acknowledge": 300, "resolve": 1800, **members}, CHANNELS)


@pytest.fixture
def make_desk() -> Callable[..., Desk]:
    """``make_desk(unacknowledged=[...], unresolved=[...])``: one chain for all calls, or the built-in ones."""

    def make(calendar: ShiftCalendar | None = None, directory: Directory | None = None, **chain: object) -> Desk:
        book = Rulebook((_chain(**chain),) if chain else (), directory=directory or Directory())
        return Desk(book, calendar or ShiftCalendar(UTC))

    return make


@pytest.fixture
def berlin() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")
