"""What a login begins: a family of refresh tokens, of which only the newest is good, and how it ends.

Rules of this file:

* Pure: ids and moments (Unix seconds) are arguments. Times are those of ``SessionTerms``.
* A refresh token is used once: it gives the next. One that was used before is in two hands, and nobody can tell which
  is the thief's, so the whole family ends (RFC 9700, section 4.14.2).
* A token is called ``FAMILY.NUMBER``. So nobody has to keep which were given out.
* Access tokens live on their own, for less than ``LONGEST_TOKEN``; so long it is kept that those of a family that has
  ended are taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from domain.access.revocations import Revocation, Scope

DAY = 86_400.0
_MILLI = 1000

LONGEST_TOKEN = DAY
"""Seconds: no access token of ours lives longer."""


class SessionTerms(msgspec.Struct, frozen=True):
    """Seconds an access token lives, a login in all, a login without renewal; logins of one user at a time."""

    token_life: float = 1800.0
    life: float = 7 * DAY
    idle: float = 3 * DAY
    per_user: int = 20


class Family(msgspec.Struct, frozen=True):
    """One login of a user. ``number`` is that of the newest tokens; it was begun from ``host`` by ``door``."""

    id: str
    user_id: str
    began_at: float
    renewed_at: float
    number: int = 1
    host: str = ""
    door: str = ""

    def ends_at(self, terms: SessionTerms) -> float:
        """When it ends if nobody renews it."""
        return min(self.began_at + terms.life, self.renewed_at + terms.idle)

    @property
    def token_id(self) -> str:
        """What its newest tokens are called."""
        return f"{self.id}.{self.number}"


class SessionFault(StrEnum):
    """Why a login is not renewed."""

    UNKNOWN = "unknown"
    """There is no such family: it has ended, or never was."""
    REUSED = "reused"
    """The token was used before; the family ends."""
    EXPIRED = "expired"
    """The family has had its time."""
    IDLE = "idle"
    """Nobody renewed it for too long."""


def number_of(token_id: str, family: str) -> int | None:
    """The number of the token ``token_id`` of ``family``; None if it is none of its tokens."""
    begin, _, number = token_id.rpartition(".")
    # What was signed by us is well-formed; anything else counts as none.
    return int(number) if begin == family and number.isascii() and number.isdigit() and len(number) <= _DIGITS else None


_DIGITS = 9


def renewed(family: Family | None, token_id: str, at: float, terms: SessionTerms) -> Family | SessionFault:
    """The family after its refresh token ``token_id`` was shown, or why it is not renewed."""
    if family is None:
        return SessionFault.UNKNOWN
    # A number that was never given out is as bad as an old one: the file was brought back from a copy.
    if number_of(token_id, family.id) != family.number:
        return SessionFault.REUSED
    if at >= family.began_at + terms.life:
        return SessionFault.EXPIRED
    if at >= family.renewed_at + terms.idle:
        return SessionFault.IDLE
    return replace(family, number=family.number + 1, renewed_at=at)


def crowded_out(families: Iterable[Family], terms: SessionTerms) -> list[str]:
    """Which of a user's families end so that there is room for one more: those renewed the longest ago."""
    newest = sorted(families, key=lambda family: family.renewed_at, reverse=True)
    return [family.id for family in newest[max(0, terms.per_user - 1) :]]


class Why(StrEnum):
    """Why tokens were taken back before their time."""

    LOGOUT = "logout"
    REUSED = "reused"
    PASSWORD = "password"  # noqa: S105 - a word, no secret
    LOCKED = "locked"
    REMOVED = "removed"
    CHANGED = "changed"
    """Its user has other rights now; a renewal gives a token with them."""
    CROWDED = "crowded"
    EVERYWHERE = "everywhere"
    """All logins of its user were ended at once."""


class Withdrawal(msgspec.Struct, frozen=True):
    """Tokens of the user ``user_id`` that were taken back ``at`` (Unix seconds)."""

    row: Revocation
    user_id: str
    why: Why
    at: float


def ended(family: Family, why: Why, at: float) -> Withdrawal:
    """What ending ``family`` takes back."""
    return Withdrawal(Revocation(Scope.SESSION, family.id, until=at + LONGEST_TOKEN), family.user_id, why, at)


def superseded(user_id: str, why: Why, at: float) -> Withdrawal:
    """Every access token of the user from before ``at``; its logins go on."""
    # Tokens say when they were issued to the millisecond; who is given one at once must be let in with it.
    before = int(at * _MILLI) / _MILLI
    return Withdrawal(Revocation(Scope.SUBJECT, user_id, before=before, until=at + LONGEST_TOKEN), user_id, why, at)
