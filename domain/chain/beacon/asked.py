"""Which queries of a beacon node are under way, and which endpoints it does not have.

Rules of this file: the same query is under way once at a time, and at most ``QUERIES_LIMIT`` are. What a node does
not offer is asked once a connection.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.chain.beacon.queries import Query, QueryName

QUERIES_LIMIT = 256
"""Queries of one node that are under way at a time."""


class Asked:
    """The queries of one connection."""

    def __init__(self) -> None:
        self._under_way: set[Query] = set()
        self._not_told: dict[QueryName, str] = {}

    @property
    def not_told(self) -> Mapping[QueryName, str]:
        """What this node does not offer, with its own reason."""
        return MappingProxyType(self._not_told)

    def begin(self) -> None:
        """A new connection: nothing is under way, nothing is known to be refused."""
        self._under_way.clear()
        self._not_told.clear()

    def ask(self, query: Query) -> bool:
        """Whether ``query`` is to be sent."""
        if query in self._under_way or query.name in self._not_told or len(self._under_way) >= QUERIES_LIMIT:
            return False
        self._under_way.add(query)
        return True

    def answered(self, query: Query) -> bool:
        """Whether ``query`` was under way; it is no more."""
        if query not in self._under_way:
            return False
        self._under_way.discard(query)
        return True

    def note_refusal(self, query: Query, reason: str) -> None:
        """The node does not offer what ``query`` asked for."""
        self._not_told[query.name] = reason

    def is_offered(self, name: QueryName) -> bool:
        """Whether the node may have an answer to queries of this name."""
        return name not in self._not_told
