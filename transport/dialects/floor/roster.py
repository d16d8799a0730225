"""Who is connected at the floor's doors, and how each of them does.

Rules of this file: no I/O, no clock. Every figure was counted; what is not counted is null with a reason. A connection
is looked up by its id, by who may see it: its own client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from domain import JsonValue, rfc3339
from domain.access import EVERY_TENANT
from transport.dialects.floor.following import Following, subscriptions_by_type
from transport.dialects.floor.health import Traffic, name_of, score

_LISTED = ("line", "equipment", "andon", "escalation", "downtime", "job", "production", "oee", "quality", "changeover")


def _no_traffic() -> Traffic:
    return Traffic()


class Visit(msgspec.Struct, eq=False):
    """One connection: whose it is, what it follows, what was counted of it. Moments are Unix seconds, sizes bytes.

    ``host`` is the address that it came from, ``tenant`` whose client it is; ``traffic`` reads what the link has
    counted; ``told`` and ``told_size`` are the answers, ``events`` returns the number and size of the events.
    """

    connection_id: str
    user_id: str
    door: str
    host: str
    opened_at: float
    following: Following
    traffic: Callable[[], Traffic] = _no_traffic
    events: Callable[[], tuple[int, int]] = msgspec.field(default=lambda: (0, 0))
    heard_at: float = 0.0
    messages: int = 0
    errors: int = 0
    received: int = 0
    told: int = 0
    told_size: int = 0
    tenant: str = ""

    @property
    def kin(self) -> str | None:
        """The tenant of whose connections it is told; None: of everybody's."""
        return None if self.tenant in ("", EVERY_TENANT) else self.tenant

    @property
    def score(self) -> float:
        """How well it does, from 0 to 1."""
        return score(self.messages, self.errors, self.traffic())

    def details(self) -> dict[str, JsonValue]:
        """``connection_details`` of the contract, section 3.6."""
        events, size = self.events()
        return {
            "connection_id": self.connection_id,
            "user_id": self.user_id,
            "connected_at": rfc3339(self.opened_at),
            "last_activity": rfc3339(max(self.heard_at, self.opened_at)),
            "message_count": self.messages,
            "error_count": self.errors,
            "messages_sent": self.told + events,
            "bytes_sent": self.told_size + size,
            "bytes_received": self.received,
            "subscription_count": len(self.following),
            "health_score": self.score,
            "health": name_of(self.score),
            "subscriptions": [topic.members() for topic in self.following.topics],
            "is_active": True,
        }


class Roster:
    """The connections at the floor's doors; ``capacity`` returns how many the port takes in all."""

    __slots__ = ("_by_id", "_by_link", "_capacity")

    def __init__(self, capacity: Callable[[], int] = lambda: 0) -> None:
        self._capacity = capacity
        self._by_link: dict[str, Visit] = {}
        self._by_id: dict[str, Visit] = {}

    def __len__(self) -> int:
        return len(self._by_link)

    def __iter__(self) -> Iterator[Visit]:
        return iter(tuple(self._by_link.values()))

    def enter(self, link: str, visit: Visit) -> None:
        """``visit`` is here, on the link of this id."""
        self._by_link[link] = visit
        self._by_id[visit.connection_id] = visit

    def leave(self, link: str) -> None:
        """The link of this id is over."""
        visit = self._by_link.pop(link, None)
        if visit is not None:
            self._by_id.pop(visit.connection_id, None)

    def find(self, connection_id: str) -> Visit | None:
        """The connection of this id, if it is here."""
        return self._by_id.get(connection_id)

    def statistics(self, tenant: str | None = None) -> dict[str, JsonValue]:
        """``connection_stats`` of the contract, section 3.6, of the connections that are here now.

        Of those of a ``tenant`` alone, if one is named.
        """
        visits = tuple(visit for visit in self if tenant in (None, visit.tenant))
        messages, errors = sum(each.messages for each in visits), sum(each.errors for each in visits)
        by_type = subscriptions_by_type(each.following for each in visits)
        capacity = self._capacity() if tenant is None else 0
        reasons: dict[str, JsonValue] = {"batch_queues": "events are sent as they come, nothing is batched"}
        if not visits:
            reasons["average_health_score"] = "nobody is connected"
        if not messages:
            reasons["error_rate"] = "nobody has said anything"
        return {
            "total_connections": len(visits),
            "total_subscriptions": sum(len(each.following) for each in visits),
            "average_health_score": round(sum(each.score for each in visits) / len(visits), 4) if visits else None,
            "total_messages_sent": sum(each.told + each.events()[0] for each in visits),
            "total_messages_received": messages,
            "total_errors": errors,
            "error_rate": round(errors / messages, 4) if messages else None,
            **{f"{type_}_subscriptions": by_type[type_] for type_ in _LISTED},
            "event_subscriptions": by_type["event"],
            "connection_utilization": round(len(visits) / capacity, 6) if capacity else None,
            "batch_queues": None,
            "connections_by_door": _by_door(visits),
            "reasons": reasons,
        }


def _by_door(visits: tuple[Visit, ...]) -> Mapping[str, JsonValue]:
    counts: dict[str, int] = {}
    for each in visits:
        counts[each.door] = counts.get(each.door, 0) + 1
    return dict(counts)
