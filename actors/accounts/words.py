"""What is asked of the keeper of the local users, and what it answers.

Rules of this file: frozen classes. What is secret travels as a ``Secret``, so that no log and no traceback shows it.
``host`` and ``door`` say where a client is and what it came through.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from config import Secret
from domain import Priority
from domain.access import User


class LogIn(msgspec.Struct, frozen=True):
    """Log in who is called ``login``, a name or an address: answered with ``LoggedIn`` or ``Denied``."""

    login: str
    password: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


class Renew(msgspec.Struct, frozen=True):
    """Renew the login whose refresh ``token`` this is: answered with ``LoggedIn`` or ``Denied``."""

    token: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


class LogOut(msgspec.Struct, frozen=True):
    """End the login of which this ``token`` is: answered with ``Done``, or ``Denied`` if it is none of ours.

    ``is_everywhere``: all logins of its user.
    """

    token: Secret
    host: str
    door: str
    is_everywhere: bool = False
    priority: ClassVar[Priority] = Priority.HIGH


class ChangePassword(msgspec.Struct, frozen=True):
    """Give the user whose access ``token`` this is a new password: answered with ``Done`` or ``Denied``.

    All its other logins end.
    """

    token: Secret
    present: Secret
    wanted: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


class WhoIs(msgspec.Struct, frozen=True):
    """Whose access ``token`` this is: answered with ``Known`` or ``Denied``."""

    token: Secret
    priority: ClassVar[Priority] = Priority.HIGH


class LoggedIn(msgspec.Struct, frozen=True):
    """The tokens of a login; the access token is good for ``expires_in`` seconds. ``session`` names the login."""

    access: Secret
    refresh: Secret
    user: User
    session: str
    expires_in: float


class Known(msgspec.Struct, frozen=True):
    """Whose a token is, and for how many seconds it is good; ``session`` is empty where it is not one of our own."""

    user: User
    session: str
    expires_in: float


class Done(msgspec.Struct, frozen=True):
    """It is done."""


class Denial(StrEnum):
    """Why something is denied."""

    CREDENTIALS = "credentials"
    """No user of this name has this password, or it may not log in: which of these is not said."""
    HELD_OFF = "held_off"
    """Too many failures: it is not looked at before the delay is over."""
    BUSY = "busy"
    """Too many want to log in at the same time."""
    ENDED = "ended"
    """The token is not good, or its login has ended."""
    WEAK = "weak"
    """The new password is too weak."""
    AWAY = "away"
    """The file of the users cannot be used now."""


class Denied(msgspec.Struct, frozen=True):
    """It is not done, for this reason; ``message`` may be shown, ``retry_after`` is in seconds."""

    why: Denial
    message: str
    retry_after: float | None = None
