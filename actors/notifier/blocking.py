"""What channels have in common that block: one thread each, one notification at a time.

Rules of this file: what nobody needs any more is not sent. When the other side is away, those that wait for the same
way fail with the first one: each of them has another channel to try.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from actors.notifier.couriers import Office
from actors.notifier.words import Deliver, NotDelivered
from actors.places import CALLS_DESK
from actors.runtime import ThreadingActor
from domain import Priority
from domain.plant.escalation import Notification

SLACK = 1.0
"""Seconds before its end at which sending a notification is not begun any more."""


class Away(NotDelivered):
    """The other side cannot be reached at all; the message says why."""


class BlockingChannel(ThreadingActor):
    """Sends one notification after the other; a subclass says how. Answers go to the desk at ``answers``."""

    def __init__(self, answers: str = CALLS_DESK, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._office = Office(self.life.environment, answers)
        self._clock = clock

    def deliver(self, notification: Notification) -> str:
        """Send ``notification`` and return the receipt.

        Raises:
            NotDelivered: if there is none; ``Away`` if nobody would get one now.
        """
        raise NotImplementedError

    def on_receive(self, message: object) -> None:
        """Send a notification and say what became of it."""
        if not isinstance(message, Deliver):
            return
        notification = message.notification
        if notification.expires - self._clock() < SLACK:
            self._office.failed(notification, "too late: it waited behind others")
            return
        try:
            receipt = self.deliver(notification)
        except Away as away:
            for waiting in (message, *self.take_waiting(Priority.CRITICAL, Deliver)):
                self._office.failed(waiting.notification, str(away))
        except NotDelivered as failure:
            self._office.failed(notification, str(failure))
        else:
            self._office.sent(notification, receipt)
