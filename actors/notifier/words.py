"""What is said between a desk, the channels and back.

Rules of this file: as in ``actors.messages``. ``Deliver`` is answered by exactly one ``NotificationSent`` or
``NotificationFailed`` to the desk, however long that takes; a channel that ends before it has answered says nothing,
and the desk knows what to make of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain import Priority
from domain.plant.escalation import Notification


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send ``notification``; the desk has it on disk that it was going to be sent."""

    notification: Notification
    priority: ClassVar[Priority] = Priority.CRITICAL


@dataclass(frozen=True, slots=True)
class NotificationSent:
    """There is a receipt for the notification ``id``; ``receipt`` says what it was."""

    id: str
    receipt: str
    priority: ClassVar[Priority] = Priority.CRITICAL


@dataclass(frozen=True, slots=True)
class NotificationFailed:
    """There is no receipt for the notification ``id``, and there will be none."""

    id: str
    reason: str
    priority: ClassVar[Priority] = Priority.CRITICAL


class NotDelivered(Exception):
    """What was to be told did not arrive; the message says why."""
