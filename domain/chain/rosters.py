"""Who belongs to the chain: its validators and its peers, as they were last told.

Rules of this file: each roster has a limit. A validator that finds no room is left out and counted; a new peer takes
the place of the one that has been disconnected longest, or is left out and counted. A peer that has been
disconnected for an hour is forgotten: it says nothing about the network any more. What a source tells again of an
earlier moment (a replay, a backfill) does not undo what it told of a later one.
Times are Unix seconds: the source's own where it gave one, never later than the receipt.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import islice
from typing import Generic, TypeVar

import msgspec
from msgspec.structs import replace

from domain.json import JsonObject

ROSTER_LIMIT = 10000
PEER_MEMORY = 3600
"""Seconds after which a disconnected peer is forgotten."""

_SWEEP_INTERVAL = 60

Name = TypeVar("Name")


class Entry(msgspec.Struct, frozen=True):
    """What was last told of one thing: the fields that events carried, the moment it was so, and who said it.

    ``timed`` says that the moment is the source's own, not that of the receipt.
    """

    members: JsonObject
    at: float
    source: str = ""
    timed: bool = False

    def followed_by(self, told: Entry, outdated: Container[str] = ()) -> Entry:
        """``told``, with the fields of this one that it does not carry, but for those that are ``outdated``."""
        kept = {key: value for key, value in self.members.items() if key not in outdated}
        return replace(told, members={**kept, **told.members})


class Recent(Generic[Name]):
    """The newest things of a kind by name, oldest first; what is told again of one is added to it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[Name, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def take(self, name: Name, told: Entry, outdated: Container[str] = ()) -> None:
        """Keep what was ``told`` of ``name``, and forget the oldest past the limit.

        Of what was told before, the members that are ``outdated`` are so no more.
        """
        before = self._entries.get(name)
        self._entries[name] = told if before is None else before.followed_by(told, outdated)
        if len(self._entries) > self._limit:
            del self._entries[next(iter(self._entries))]

    def get(self, name: Name) -> Entry | None:
        """What was told of ``name``, or None."""
        return self._entries.get(name)

    def newest(self) -> Entry | None:
        """What came into the list last, or None."""
        return next(reversed(self._entries.values()), None)

    def first(self, count: int) -> list[Entry]:
        """The newest ``count``, newest first."""
        return list(islice(reversed(self._entries.values()), count))


class Roster:
    """Members by name, in the order in which they were first told."""

    def __init__(self, limit: int = ROSTER_LIMIT) -> None:
        self._limit = limit
        self._entries: dict[str, Entry] = {}
        self._left_out: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    @property
    def left_out(self) -> int:
        """How many members found no room (counted up to the limit)."""
        return len(self._left_out)

    def get(self, name: str) -> Entry | None:
        """The member ``name``, or None."""
        return self._entries.get(name)

    def take(self, name: str, told: Entry, outdated: Container[str] = ()) -> None:
        """Keep what was ``told`` of ``name``; fields that it does not carry stay as they were, if not ``outdated``."""
        before = self._entries.get(name)
        if before is not None:
            if before.source != told.source or before.at <= told.at:
                self._entries[name] = before.followed_by(told, outdated)
        elif len(self._entries) < self._limit or self._make_room():
            self._left_out.pop(name, None)
            self._entries[name] = told
        elif len(self._left_out) < self._limit:
            self._left_out[name] = None

    def _make_room(self) -> bool:
        return False


class Peers(Roster):
    """The peers of the nodes that report to us."""

    def __init__(self, limit: int = ROSTER_LIMIT) -> None:
        super().__init__(limit)
        self._swept = 0.0

    def forget(self, at: float) -> None:
        """Forget the peers that have been disconnected for too long; looks at most once a minute."""
        if at - self._swept < _SWEEP_INTERVAL:
            return
        self._swept = at
        gone = [
            name
            for name, entry in self._entries.items()
            if not entry.members.get("connected") and at - entry.at > PEER_MEMORY
        ]
        for name in gone:
            del self._entries[name]

    def connected(self) -> list[Entry]:
        """The peers that were last told as connected."""
        return [entry for entry in self if entry.members.get("connected")]

    def _make_room(self) -> bool:
        disconnected = [(entry.at, name) for name, entry in self._entries.items() if not entry.members.get("connected")]
        if not disconnected:
            return False
        del self._entries[min(disconnected)[1]]
        return True


class Validators(Roster):
    """The validators of the chain, and how many have each status."""

    def counts(self) -> dict[str, int]:
        """How many validators there are in all and of each status; tombstoned ones are jailed for good."""
        statuses = [entry.members.get("status") for entry in self]
        active, inactive, unknown = (statuses.count(status) for status in ("ACTIVE", "INACTIVE", "UNKNOWN"))
        return {
            "totalValidators": len(statuses),
            "activeValidators": active,
            "inactiveValidators": inactive,
            "jailedValidators": len(statuses) - active - inactive - unknown,
            "unknownValidators": unknown,
        }
