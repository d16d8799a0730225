"""What is asked of the keeper of the local users, and what it answers.

Rules of this file: frozen classes. What is secret travels as a ``Secret``, so that no log and no traceback shows it.
``host`` and ``door`` say where a client is and what it came through.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from config import Secret
from domain import Priority
from domain.access import User


@dataclass(frozen=True, slots=True)
class LogIn:
    """Log in who is called ``login``, a name or an address: answered with ``LoggedIn`` or ``Denied``."""

    login: str
    password: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Renew:
    """Renew the login whose refresh ``token`` this is: answered with ``LoggedIn`` or ``Denied``."""

    token: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class LogOut:
    """End the login of which this ``token`` is: answered with ``Done``, or ``Denied`` if it is none of ours.

    ``is_everywhere``: all logins of its user.
    """

    token: Secret
    host: str
    door: str
    is_everywhere: bool = False
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Give the user whose access ``token`` this is a new password: answered with ``Done`` or ``Denied``.

    All its other logins end.
    """

    token: Secret
    present: Secret
    wanted: Secret
    host: str
    door: str
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class WhoIs:
    """Whose access ``token`` this is: answered with ``Known`` or ``Denied``."""

    token: Secret
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The tokens of a login; the access token is good for ``expires_in`` seconds. ``session`` names the login."""

    access: Secret
    refresh: Secret
    user: User
    session: str
    expires_in: float


@dataclass(frozen=True, slots=True)
class Known:
    """Whose a token is, and for how many seconds it is good; ``session`` is empty where it is not one of our own."""

    user: User
    session: str
    expires_in: float


@dataclass(frozen=True, slots=True)
class Done:
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


@dataclass(frozen=True, slots=True)
class Denied:
    """It is not done, for this reason; ``message`` may be shown, ``retry_after`` is in seconds."""

    why: Denial
    message: str
    retry_after: float | None = None
