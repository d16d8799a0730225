"""Who is behind the portal's doors: what is known of each connection, and who else is there.

Rules of this file:

* Nobody is checked here. Who lets clients in says who they are; a client that showed no token is a guest without a
  name and without a role.
* Counting everybody costs the more the more there are, so what is counted is kept for a second.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import msgspec

from domain.access import NO_RIGHTS, Rights
from domain.chain import Document

_COUNT_INTERVAL = 1.0


class Guest(msgspec.Struct, frozen=True):
    """Who a client is: ``user_id`` is empty, and ``roles`` are none, for one that showed no token."""

    user_id: str = ""
    roles: frozenset[str] = frozenset()


Tokens = Callable[[str], Rights | None]
"""Tells what somebody with a token may do and see; None: it does not count."""


def guest_of(rights: Rights) -> Guest:
    """Who has ``rights``: a guest without a name if that is not proved."""
    identity = rights.identity
    if not identity.is_proved:
        return Guest()
    return Guest(identity.name, frozenset(role.upper() for role in identity.roles))


def nothing_waits() -> int:
    """For a connection whose outbox nobody looks at."""
    return 0


class Present(msgspec.Struct, frozen=True):
    """One connection in the crowd: who is behind it, what it follows, and how many frames wait for it."""

    guest: Guest
    followed: Collection[str]
    waiting: Callable[[], int]


class Crowd:
    """The connections behind one door."""

    __slots__ = ("_counted", "_counted_at", "_present")

    def __init__(self) -> None:
        self._present: dict[str, Present] = {}
        self._counted: Document = {}
        self._counted_at: float | None = None

    def __len__(self) -> int:
        return len(self._present)

    def enter(self, name: str, present: Present) -> None:
        """The connection ``name`` has come."""
        self._present[name] = present

    def leave(self, name: str) -> None:
        """The connection ``name`` is over."""
        self._present.pop(name, None)

    def statistics(self, at: float) -> Document:
        """How many there are at ``at`` (Unix seconds), as they ask for it."""
        if self._counted_at is None or not 0 <= at - self._counted_at < _COUNT_INTERVAL:
            self._counted, self._counted_at = self._count(), at
        return self._counted

    def _count(self) -> Document:
        here = list(self._present.values())
        users = [each.guest.user_id for each in here if each.guest.user_id]
        return {
            "totalSessions": len(here),
            "authenticatedSessions": len(users),
            "uniqueUsers": len(set(users)),
            "activeChannels": len({name for each in here for name in each.followed}),
            "queuedMessages": sum(each.waiting() for each in here),
        }


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a session finds itself: its ``name`` in the ``crowd`` of its door, who is behind it, with which ``rights``.

    ``waiting`` tells how many frames wait for the connection; ``tokens`` is None where nobody can check one.
    """

    name: str = ""
    guest: Guest = msgspec.field(default_factory=Guest)
    rights: Rights = NO_RIGHTS
    crowd: Crowd = msgspec.field(default_factory=Crowd)
    waiting: Callable[[], int] = nothing_waits
    tokens: Tokens | None = None
