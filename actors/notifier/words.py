"""What is said between a desk, the channels and back.

Rules of this file: as in ``actors.messages``. ``Deliver`` is answered by exactly one ``NotificationSent`` or
``NotificationFailed`` to the desk, however long that takes; a channel that ends before it has answered says nothing,
and the desk knows what to make of that.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain import Priority
from domain.plant.escalation import Notification


class Deliver(msgspec.Struct, frozen=True):
    """Send ``notification``; the desk has it on disk that it was going to be sent."""

    notification: Notification
    priority: ClassVar[Priority] = Priority.CRITICAL


class NotificationSent(msgspec.Struct, frozen=True):
    """There is a receipt for the notification ``id``; ``receipt`` says what it was."""

    id: str
    receipt: str
    priority: ClassVar[Priority] = Priority.CRITICAL


class NotificationFailed(msgspec.Struct, frozen=True):
    """There is no receipt for the notification ``id``, and there will be none."""

    id: str
    reason: str
    priority: ClassVar[Priority] = Priority.CRITICAL


class NotDelivered(Exception):
    """What was to be told did not arrive; the message says why."""
