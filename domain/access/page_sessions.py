"""Who is signed in on the page: by a secret that the browser has in a cookie, and nothing else of a token.

Rules of this file:

* Pure: moments (Unix seconds) are arguments.
* A session is found by the hash of its secret: what is kept here opens nothing.
* The list is bounded, for one user and in all; who has signed in the longest ago makes room.
* The tokens of a session stay in it, for its renewal. Its identity says until when the session lasts, not its token:
  whether that is renewed in time is looked after here, by ``due()``.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from msgspec.structs import replace

from domain.access.identity import Identity

LIMIT = 10_000
PER_USER = 20

RETRY = 15.0
"""Seconds until a renewal is tried again whose provider could not be asked."""

_SHARE = 2 / 3
_SOONEST = 5.0


@dataclass(frozen=True, slots=True)
class PageSession:
    """One sign-in: ``identity`` by now, which ``ends_at`` (Unix seconds) at the latest.

    ``issuer`` is the configured name of who says so, empty for a user of this gateway. What was last proved is
    ``good_until``, and is renewed with ``renewal``, which is secret; without one it ends then.
    """

    key: bytes = field(repr=False)
    identity: Identity
    issuer: str
    began_at: float
    ends_at: float
    good_until: float
    renew_at: float | None = None
    renewal: str = field(default="", repr=False)


def key_of(secret: str) -> bytes:
    """What a session is found by."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


class PageSessions:
    """The sessions there are; ``limit`` in all, ``per_user`` of one person."""

    def __init__(self, limit: int = LIMIT, per_user: int = PER_USER) -> None:
        self._limit = limit
        self._per_user = per_user
        self._sessions: dict[bytes, PageSession] = {}
        self._by_name: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[PageSession]:
        return iter(tuple(self._sessions.values()))

    def begin(self, session: PageSession) -> list[PageSession]:
        """Keep ``session``; returns those that had to make room, which have ended."""
        of_same = [each for each in self._sessions.values() if _person(each) == _person(session)]
        crowded = of_same[: max(0, len(of_same) + 1 - self._per_user)]
        if not crowded and len(self._sessions) >= self._limit:
            crowded = [next(iter(self._sessions.values()))]
        for each in crowded:
            self.end(each.key)
        self._put(session)
        return crowded

    def find(self, key: bytes, at: float) -> PageSession | None:
        """The session of ``key``, if there is one ``at``."""
        session = self._sessions.get(key)
        return None if session is None or at >= session.ends_at else session

    def named(self, name: str) -> PageSession | None:
        """The session whose identity has ``name`` for its login."""
        key = self._by_name.get(name)
        return None if key is None else self._sessions.get(key)

    def renewed(self, session: PageSession) -> bool:
        """Keep what became of a session; False if it has ended meanwhile."""
        if session.key not in self._sessions:
            return False
        self._put(session)
        return True

    def end(self, key: bytes) -> PageSession | None:
        """Forget a session; returns it, if it was there."""
        session = self._sessions.pop(key, None)
        if session is not None:
            self._by_name.pop(session.identity.session, None)
        return session

    def due(self, at: float) -> list[PageSession]:
        """The sessions to renew ``at``."""
        return [each for each in self._sessions.values() if each.renew_at is not None and each.renew_at <= at]

    def over(self, at: float) -> list[PageSession]:
        """The sessions whose time is over ``at``; they are forgotten."""
        gone = [each for each in self._sessions.values() if each.ends_at <= at]
        for each in gone:
            self.end(each.key)
        return gone

    def _put(self, session: PageSession) -> None:
        self._sessions[session.key] = session
        self._by_name[session.identity.session] = session.key


def session_of(
    key: bytes, identity: Identity, issuer: str, at: float, *, life: float, renewal: str, good_until: float
) -> PageSession:
    """A session of ``identity``, which lasts ``life`` seconds, and no longer than its proof if none can be renewed."""
    ends_at = at + life if renewal else min(at + life, good_until)
    lasting = replace(identity, expires_at=ends_at)
    return PageSession(key, lasting, issuer, at, ends_at, good_until, _next(at, good_until, renewal), renewal)


def renewal_of(session: PageSession, identity: Identity, at: float, *, renewal: str, good_until: float) -> PageSession:
    """``session`` with what was proved anew ``at``; its end and its name stay."""
    lasting = replace(identity, expires_at=session.ends_at, session=session.identity.session)
    later = _next(at, good_until, renewal)
    return dataclasses.replace(session, identity=lasting, good_until=good_until, renew_at=later, renewal=renewal)


def postponed(session: PageSession, at: float, outage: float) -> PageSession | None:
    """``session`` whose provider cannot be asked; None if it could not be for ``outage`` seconds too long."""
    return None if at >= session.good_until + outage else dataclasses.replace(session, renew_at=at + RETRY)


def _next(at: float, good_until: float, renewal: str) -> float | None:
    return at + max(_SOONEST, (good_until - at) * _SHARE) if renewal else None


def _person(session: PageSession) -> tuple[str, str]:
    return session.issuer, session.identity.subject
