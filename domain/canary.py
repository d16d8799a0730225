"""How long a message needs to a client and back, and whether that is the gateway's fault.

Rules of this file: no I/O; a moment is in seconds of a clock that does not jump.

* A client breaches the bound when its newest critical message took longer there and back, or is under way for longer.
* The gateway is in breach when a share of its clients is. One client alone is believed for a while only: a dead one is
  cut by the heartbeat meanwhile, and one that is slow for longer while nobody else is, is slow by itself. So neither
  takes a gateway with three tablets out of service for ever.
* Of each priority one message is under way to a client. One that does not come back is given up after a while: what is
  not critical may be dropped on its way.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from domain.event import Event
from domain.moment import rfc3339
from domain.priority import Priority
from domain.publication import Publication

SOURCE = "/andond/canary"
TYPE = "canary.sent"
ALONE = 30.0
"""Seconds for which one client alone is believed."""

GIVEN_UP = 60.0
"""Seconds after which a message that did not come back is one that will not."""

_ROUNDING = 1e-9


def canary(id_: str, priority: Priority, at: float) -> Publication:
    """A synthetic message of ``priority``, made ``at`` (Unix seconds). It has no place on a channel or in a log."""
    event = Event(
        id=id_,
        source=SOURCE,
        type=TYPE,
        data={"priority": priority.wire},
        recorded=at,
        priority=priority,
        time=rfc3339(at),
        quality="synthetic",
    )
    return Publication(f"canary/{priority.wire}", "", 0, at, event)


class Verdict(msgspec.Struct, frozen=True):
    """How many of the clients breach the bound (seconds), and whether that is too many."""

    clients: int
    breaching: int
    bound: float
    is_breach: bool

    def __str__(self) -> str:
        return f"canary: {self.breaching} of {self.clients} clients beyond {self.bound} s"


class Canaries:
    """What is under way to whom."""

    def __init__(self) -> None:
        # The messages of a client that are under way, each with the moment it was sent.
        self._under_way: dict[str, dict[Priority, float]] = {}
        # Critical ones that are not late yet, the oldest first; and since when the late clients are.
        self._critical: dict[str, float] = {}
        self._late: dict[str, float] = {}

    def keep(self, clients: Collection[str]) -> None:
        """Know ``clients``, whether they had their turn or not, and nobody else."""
        for gone in self._under_way.keys() - set(clients):
            self.forget(gone)
        for client in clients:
            self._under_way.setdefault(client, {})

    def forget(self, client: str) -> None:
        """``client`` has left."""
        for known in (self._under_way, self._critical, self._late):
            known.pop(client, None)

    def send(self, client: str, priority: Priority, at: float) -> bool:
        """Whether a message may be sent now; if so it is under way."""
        under_way = self._under_way.setdefault(client, {})
        before = under_way.get(priority)
        if before is not None and at - before < GIVEN_UP:
            return False
        under_way[priority] = at
        if priority is Priority.CRITICAL and client not in self._late:
            self._critical.pop(client, None)
            self._critical[client] = at
        return True

    def echo(self, client: str, priority: Priority, sent: float, round_trip: float, bound: float) -> None:
        """The message that was ``sent`` then came back after ``round_trip`` seconds; ``bound`` is what is allowed."""
        under_way = self._under_way.get(client, {})
        if under_way.get(priority) != sent:
            # Given up, or of a client that has left.
            return
        del under_way[priority]
        if priority is not Priority.CRITICAL:
            return
        self._critical.pop(client, None)
        if round_trip > bound:
            self._late.setdefault(client, sent + bound)
        else:
            self._late.pop(client, None)

    def judge(self, share: float, bound: float, at: float) -> Verdict:
        """How it is ``at``: ``share`` (0 to 1) of the clients may not be beyond ``bound`` seconds."""
        self._find_late(bound, at)
        clients, breaching = len(self._under_way), len(self._late)
        is_breach = breaching > 0 and breaching >= share * clients - _ROUNDING
        if breaching == 1 and at - next(iter(self._late.values())) >= ALONE:
            is_breach = False
        return Verdict(clients, breaching, bound, is_breach)

    def _find_late(self, bound: float, at: float) -> None:
        while self._critical:
            client, sent = next(iter(self._critical.items()))
            if at - sent <= bound:
                return
            del self._critical[client]
            self._late[client] = sent + bound
