"""Who a browser says that it is by its cookie: people who are signed in on the page.

Rules of this file: a cookie counts only where a page of ours asks, or a person by the address bar: a browser adds it to
whatever any page has it send. Elsewhere it is as if there were none. One whose sign-in has ended is refused, and not
taken for nobody: its page would be shown less than it expects and not why.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from domain.access import Identity, PageSession, PageSessions, TokenFault, TokenRefused, is_secret, key_of
from transport import Request, cookie_in, cookie_name, is_own_page

COOKIE = "andond"

_ENDED = "the sign-in has ended: sign in again"


class Revoker(Protocol):
    """Knows what was taken back."""

    def is_revoked(self, identity: Identity, at: float) -> bool:
        """Whether what ``identity`` came with was taken back ``at`` (Unix seconds)."""


class Visitors:
    """Finds the session of a request among ``sessions``; ``clock`` gives the Unix seconds."""

    def __init__(self, sessions: PageSessions, revoker: Revoker, clock: Callable[[], float] = time.time) -> None:
        self._sessions = sessions
        self._revoker = revoker
        self._clock = clock

    def secret(self, request: Request) -> str:
        """What the cookie of ``request`` holds; empty if there is none that counts."""
        if "cookie" not in request.headers or not is_own_page(request.method, request.headers):
            return ""
        secret = cookie_in(request.headers, cookie_name(COOKIE, request.headers, secure=request.secure))
        return secret if is_secret(secret) else ""

    def session(self, request: Request) -> PageSession | None:
        """The session of ``request``, taken back or not; None if there is none."""
        secret = self.secret(request)
        return self._sessions.find(key_of(secret), self._clock()) if secret else None

    def identity(self, request: Request) -> Identity | None:
        """Who is signed in where ``request`` comes from; None if it does not say that somebody is.

        Raises:
            TokenRefused: if the sign-in has ended.
        """
        secret = self.secret(request)
        if not secret:
            return None
        session = self._sessions.find(key_of(secret), self._clock())
        if session is None:
            raise TokenRefused(TokenFault.EXPIRED, _ENDED)
        if self.is_ended(session):
            raise TokenRefused(TokenFault.REVOKED, _ENDED)
        return session.identity

    def is_ended(self, session: PageSession) -> bool:
        """Whether what ``session`` leans on was taken back."""
        return self._revoker.is_revoked(session.identity, self._clock())

    def current(self, identity: Identity) -> Identity:
        """Who ``identity`` is by now, if it signed in on the page; else what it was."""
        session = self._sessions.named(identity.session) if identity.session else None
        return identity if session is None else session.identity
