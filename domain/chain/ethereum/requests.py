"""Which requests of a node are under way, and which methods it does not have.

Rules of this file:

* Every request has a number of its own, for the life of this object. The same call is under way once at a time.
* At most ``limit`` requests are under way: beyond it nothing new is asked, and what was not asked is given back as
  such, so that nobody waits for it.
* What a node does not offer is asked once a connection: another node, or a new version, may answer at the same address.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.chain.ethereum.calls import Call, Request

REQUESTS_LIMIT = 1024
"""Requests of one node that are under way at a time."""


class Requests:
    """The requests of one connection."""

    def __init__(self, limit: int = REQUESTS_LIMIT) -> None:
        self._limit = limit
        self._last = 0
        self._under_way: dict[int, Call] = {}
        self._calls: set[Call] = set()
        self._not_told: dict[str, str] = {}

    @property
    def not_told(self) -> Mapping[str, str]:
        """What this node does not offer, by the name of the call, with its own reason."""
        return MappingProxyType(self._not_told)

    def begin(self) -> None:
        """A new connection: nothing is under way, nothing is known to be refused."""
        self._under_way.clear()
        self._calls.clear()
        self._not_told.clear()

    def end(self) -> list[Call]:
        """The connection is lost: the calls that will not be answered."""
        calls = list(self._under_way.values())
        self._under_way.clear()
        self._calls.clear()
        return calls

    def ask(self, call: Call) -> Request | None:
        """The request for ``call``; None if it is under way or not offered, or if too many are."""
        if call in self._calls or call.name in self._not_told or len(self._under_way) >= self._limit:
            return None
        self._last += 1
        self._under_way[self._last] = call
        self._calls.add(call)
        return Request(self._last, call)

    def is_asked(self, call: Call) -> bool:
        """Whether ``call`` is under way."""
        return call in self._calls

    def is_offered(self, call: Call) -> bool:
        """Whether the node may have an answer to ``call``."""
        return call.name not in self._not_told

    def answered(self, id_: int) -> Call | None:
        """The call that request ``id_`` asked; None if no such request is under way."""
        call = self._under_way.pop(id_, None)
        if call is not None:
            self._calls.discard(call)
        return call

    def note_refusal(self, call: Call, reason: str) -> None:
        """The node does not offer ``call``."""
        self._not_told[call.name] = reason

    def is_under_way(self, name: str) -> bool:
        """Whether any call of this ``name`` is under way."""
        return any(call.name == name for call in self._calls)
