"""The channel mail: SMTP, by the standard library in a thread of its own.

Rules of this file: a mail is sent when the server has taken it for every address (250, RFC 5321 section 4.2.5). A mail
that is sent again has the same Message-ID, so that a mailbox can tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from actors.notifier.blocking import Away, BlockingChannel
from actors.notifier.words import NotDelivered
from actors.places import CALLS_DESK
from config import MailSettings
from domain.plant.escalation import Notification


class MailChannel(BlockingChannel):
    """Sends mails by the settings that ``present`` returns."""

    def __init__(
        self,
        present: Callable[[], MailSettings],
        answers: str = CALLS_DESK,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(answers, clock)
        self._present = present

    def deliver(self, notification: Notification) -> str:
        """Send it; the receipt is the server's answer."""
        settings = self._present()
        if not settings.server:
            raise Away("mail is not set up: notifications.mail.server is empty")
        if not notification.addresses:
            raise NotDelivered(f"no mail address of {notification.target} is known")
        # Here, because what nobody is notified by takes no memory.
        from actors.notifier.mailing import mailed  # noqa: PLC0415

        return mailed(notification, settings)
