"""The way to the channels, and the way back to the desk.

Rules of this file: whoever cannot be told that something is to be sent has failed to send it, at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from actors.notifier.words import Deliver, NotificationFailed, NotificationSent
from actors.places import CALLS_DESK, NOTIFIER, Address
from actors.runtime import ActorDead, Environment, MailboxFull
from domain.plant.escalation import Notification
from telemetry import events


class Couriers:
    """Hands notifications to the channels; their answers go to the desk at ``answers``."""

    def __init__(self, environment: Environment, answers: str = CALLS_DESK) -> None:
        self._environment = environment
        self._office = Office(environment, answers)

    def send(self, notifications: Iterable[Notification]) -> None:
        """Have them sent; the answers come as messages."""
        for notification in notifications:
            try:
                Address(self._environment, f"{NOTIFIER}/{notification.channel}").tell(Deliver(notification))
            except ActorDead:
                self._office.failed(notification, f"there is no channel {notification.channel}")
            except MailboxFull:
                self._office.failed(notification, f"{notification.channel} has too much to send")


class Office:
    """Tells the desk at ``answers`` what became of a notification, and the log."""

    def __init__(self, environment: Environment, answers: str = CALLS_DESK) -> None:
        self._desk = Address(environment, answers)

    def sent(self, notification: Notification, receipt: str) -> None:
        """There is a receipt."""
        events.notification_sent(
            notification=notification.id, channel=notification.channel, target=notification.target, receipt=receipt
        )
        self._tell(NotificationSent(notification.id, receipt))

    def failed(self, notification: Notification, reason: str) -> None:
        """There will be none."""
        events.notification_failed(
            notification=notification.id, channel=notification.channel, target=notification.target, reason=reason
        )
        self._tell(NotificationFailed(notification.id, reason))

    def _tell(self, message: NotificationSent | NotificationFailed) -> None:
        # A desk that is not there begins with what was kept, and asks anew.
        with suppress(ActorDead, MailboxFull):
            self._desk.tell(message)
