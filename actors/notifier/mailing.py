"""One mail by SMTP: what it says, and the conversation with the server that takes it.

Rules of this file: it blocks, so it is for a thread of its own; it is loaded when there is something to send.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

from actors.notifier.blocking import Away
from actors.notifier.words import NotDelivered
from config import MailSettings, split_address
from domain.plant.escalation import Importance, Notification
from transport import outgoing_context

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_PRIORITY = {Importance.HIGH: "1 (Highest)", Importance.NORMAL: "3 (Normal)", Importance.LOW: "5 (Lowest)"}


def mailed(notification: Notification, settings: MailSettings) -> str:
    """Send the mail that tells of ``notification``; the server's answer to it.

    Raises:
        NotDelivered: if it did not take it for every address.
    """
    message = mail_of(notification, settings.sender)
    try:
        with _conversation(settings) as smtp:
            return _send(smtp, message, settings.sender, notification.addresses)
    except (smtplib.SMTPException, OSError) as error:
        raise _failure(error) from error


class _Smtp(smtplib.SMTP):
    """A conversation that remembers what the server said to the mail itself."""

    answer = ""

    def data(self, msg: ReadableBuffer | str) -> tuple[int, bytes]:
        """Send the mail itself."""
        code, words = super().data(msg)
        self.answer = _said(code, words)
        return code, words


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same, secret from its first byte."""


@contextmanager
def _conversation(settings: MailSettings) -> Iterator[_Smtp]:
    """Talk to the server, logged in if somebody is to be.

    Raises:
        OSError, smtplib.SMTPException: if that cannot be.
    """
    host, port = split_address(settings.server)
    # A name that was looked up would take as long as the name service takes to say that there is none.
    name = socket.gethostname() or "localhost"
    if settings.security == "tls":
        smtp: _Smtp = _SmtpOverTls(host, port, name, timeout=settings.timeout, context=_context(settings))
    else:
        smtp = _Smtp(host, port, name, timeout=settings.timeout)
    try:
        if settings.security == "starttls":
            smtp.starttls(context=_context(settings))
        if settings.user and settings.password is not None:
            smtp.login(settings.user, settings.password.reveal())
        yield smtp
        # The mail is taken by now; how the conversation ends makes no difference.
        with suppress(smtplib.SMTPException, OSError):
            smtp.quit()
    finally:
        smtp.close()


def _send(smtp: _Smtp, message: bytes, sender: str, addresses: tuple[str, ...]) -> str:
    """Send one mail and return the server's answer to it.

    Raises:
        NotDelivered: if the server took it for some of the addresses only.
    """
    refused = smtp.sendmail(sender, list(addresses), message)
    if refused:
        raise NotDelivered(f"refused: {_refusals(refused)}")
    return smtp.answer


def mail_of(notification: Notification, sender: str) -> bytes:
    """The mail that tells of ``notification``, as it goes over the wire (RFC 5322)."""
    message = EmailMessage(SMTP)
    domain = parseaddr(sender)[1].rpartition("@")[2] or "andond.invalid"
    message["Subject"] = " ".join(notification.subject.split())
    message["From"] = sender
    message["To"] = ", ".join(notification.addresses)
    message["Date"] = format_datetime(datetime.fromtimestamp(notification.at, UTC))
    message["Message-ID"] = f"<{notification.id}@{domain}>"
    message["X-Priority"] = _PRIORITY[notification.importance]
    message["Importance"] = notification.importance.value
    message["Auto-Submitted"] = "auto-generated"
    message["X-Andond-Call"] = notification.call
    message["X-Andond-Attempt"] = str(notification.attempt)
    message["X-Andond-Repeated"] = "yes" if notification.repeated else "no"
    message.set_content(notification.text)
    return message.as_bytes()


def _context(settings: MailSettings) -> ssl.SSLContext:
    return outgoing_context(settings)


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(f"{address}: {_said(*why)}" for address, why in refused.items())


def _failure(error: Exception) -> NotDelivered:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            return NotDelivered(f"refused: {_refusals(recipients)}")
        case smtplib.SMTPConnectError() | smtplib.SMTPHeloError() | smtplib.SMTPAuthenticationError():
            return Away(f"the mail server refused: {_said(error.smtp_code, error.smtp_error)}")
        case smtplib.SMTPResponseException():
            return NotDelivered(f"refused: {_said(error.smtp_code, error.smtp_error)}")
        case smtplib.SMTPNotSupportedError():
            return NotDelivered(f"the mail server cannot do that: {error}")
        case TimeoutError():
            return Away("the mail server does not answer")
    return Away(f"the mail server cannot be used: {error}")


def _said(code: int, words: bytes | str) -> str:
    text = words if isinstance(words, str) else words.decode(errors="replace")
    return f"{code} {' '.join(text.split())}".strip()
