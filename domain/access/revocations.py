"""The tokens that were taken back before their time: one by one, a login, or all that a user had until then.

Rules of this file:

* Pure: moments (Unix seconds) are arguments. Whoever keeps the list on disk is told each row and gives them all back.
* A token that does not say when it was issued counts as issued before anything: it is taken back with all the others.
* A row lapses once no token that it could be about is valid any more. The list is bounded; one that is full takes no
  further row, because to forget one would let somebody in.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from domain.access.identity import Identity

LIMIT = 100_000
"""Rows at most."""


class Scope(StrEnum):
    """What a row is about."""

    TOKEN = "token"  # noqa: S105 - a word, no secret
    """One token, by its id (``jti``)."""
    SESSION = "session"
    """All tokens of one login."""
    SUBJECT = "subject"
    """All tokens of one user that were issued before a moment."""


class Revocation(msgspec.Struct, frozen=True):
    """One row: ``id`` is that of the token, the login or the user.

    ``before`` bounds when a token was issued; None: whenever. ``until`` is when the row lapses; None: never.
    """

    scope: Scope
    id: str
    before: float | None = None
    until: float | None = None

    def covers(self, issued_at: float | None, at: float) -> bool:
        """Whether a token issued at ``issued_at`` is taken back ``at``."""
        has_lapsed = self.until is not None and at >= self.until
        return not has_lapsed and (self.before is None or issued_at is None or issued_at < self.before)

    def merged(self, other: Revocation) -> Revocation:
        """One row that covers what both of the same id do."""
        return Revocation(self.scope, self.id, _later(self.before, other.before), _later(self.until, other.until))


class TooManyRevocations(Exception):
    """The list is full."""


class Revocations:
    """The rows in force, by what they are about."""

    __slots__ = ("_limit", "_rows")

    def __init__(self, rows: Iterable[Revocation] = (), limit: int = LIMIT) -> None:
        self._limit = limit
        self._rows: dict[tuple[Scope, str], Revocation] = {}
        for row in rows:
            self._put(row)

    def __len__(self) -> int:
        return len(self._rows)

    def rows(self) -> tuple[Revocation, ...]:
        """All rows."""
        return tuple(self._rows.values())

    def revoke(self, row: Revocation, at: float) -> Revocation:
        """Put ``row`` in force; returns it as it is kept, joined with one of the same id.

        Raises:
            TooManyRevocations: if there is no room for it ``at``.
        """
        if (row.scope, row.id) not in self._rows and len(self._rows) >= self._limit:
            self.lapse(at)
            if len(self._rows) >= self._limit:
                raise TooManyRevocations(f"{self._limit} revocations are kept, and none of them has lapsed")
        return self._put(row)

    def covers(self, identity: Identity, at: float) -> bool:
        """Whether the token that ``identity`` came with is taken back ``at``."""
        named = (
            (Scope.TOKEN, identity.token_id),
            (Scope.SESSION, identity.session),
            (Scope.SUBJECT, identity.subject),
        )
        return any(
            id_ and (row := self._rows.get((scope, id_))) is not None and row.covers(identity.issued_at, at)
            for scope, id_ in named
        )

    def lapse(self, at: float) -> list[Revocation]:
        """Forget the rows that have lapsed ``at``; returns them."""
        gone = [row for row in self._rows.values() if row.until is not None and at >= row.until]
        for row in gone:
            del self._rows[row.scope, row.id]
        return gone

    def _put(self, row: Revocation) -> Revocation:
        earlier = self._rows.get((row.scope, row.id))
        kept = row if earlier is None else earlier.merged(row)
        self._rows[row.scope, row.id] = kept
        return kept


def _later(one: float | None, other: float | None) -> float | None:
    """The later of two bounds; None is no bound at all."""
    return None if one is None or other is None else max(one, other)
