"""What is asked of the keeper of who is signed in on the page, and what it answers.

Rules of this file: frozen classes. What is secret travels as a ``Secret``, or in what has no ``repr`` of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import msgspec

from actors.accounts.words import LoggedIn
from config import Secret
from domain import Priority
from domain.access import Attempt, PageSession, SignInFault


@dataclass(frozen=True, slots=True)
class FinishSignIn:
    """The browser at ``host`` brought ``code`` from the sign-in ``attempt``: ``SignedIn`` or ``NotSignedIn``."""

    attempt: Attempt
    code: str = field(repr=False)
    host: str = ""
    priority: ClassVar[Priority] = Priority.HIGH


class KeepLogin(msgspec.Struct, frozen=True):
    """A user of this gateway has logged in, and the page is to have a session: ``SignedIn`` or ``NotSignedIn``."""

    login: LoggedIn
    host: str = ""
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class LeavePage:
    """End the session of ``key``; answered with None when it has ended, whoever else has to be told."""

    key: bytes = field(repr=False)
    host: str = ""
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class SettleSession:
    """Renew the session of ``key`` now if what it leans on was taken back; answered with None when that is done."""

    key: bytes = field(repr=False)
    priority: ClassVar[Priority] = Priority.HIGH


class SignedIn(msgspec.Struct, frozen=True):
    """The browser is to keep ``secret``."""

    secret: Secret
    session: PageSession


class NotSignedIn(msgspec.Struct, frozen=True):
    """Nobody is signed in; ``message`` may be shown to whoever it is, who is called ``name`` if that is known."""

    fault: SignInFault
    message: str
    name: str = ""
