"""What is said on one WebSocket to a node: the subscriptions of a connection, from asking to their end.

Rules of this file:

* No I/O, no clock: moments are given, and what to do comes back as values.
* Two kinds of connection, so that no flood delays what matters. Each carries at most five queries, the limit of a node
  for one connection; the sixth is refused.
* A reply is known by its id. No id is used twice on a connection, so that a late word about an old subscription is
  never taken for one about a new.
* A refused or cancelled subscription is said, and the connection is given up: a subscription that a node cancelled
  still counts for it, and what it missed must be read again. The one exception is a query whose grammar a node does
  not know: then a plainer one that says more is asked for on the same connection.
* A subscribe that nobody answers and a connection on which nothing is heard are given up as well.

Source: CometBFT ``rpc/core/events.go`` (replies and cancellations carry the id of the subscribe), ``config/config.go``
(``max_subscriptions_per_client``), ``docs/core/subscription.md`` (the queries).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec

from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.cosmos.member import as_object
from domain.chain.cosmos.release import Release
from domain.chain.cosmos.requests import Call, refusal
from domain.json import JsonObject, JsonValue

QUERIES_LIMIT = 5
REPLY_WITHIN = 10.0
"""Seconds in which a node must answer a subscribe."""

# What nodes say of a query that they cannot read.
_NOT_UNDERSTOOD = "parse query"


class Lane(Enum):
    """The two connections to a node: what must not wait, and the many."""

    CRITICAL = "critical"
    BULK = "bulk"


class State(Enum):
    """Where one subscription stands."""

    ASKED = "asked"
    OPEN = "open"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class Said(Enum):
    """What a node may say of one."""

    GRANTED = "granted"
    EVENT = "event"
    ERROR = "error"


# The first event may overtake the reply, for a node sends them from two places.
TRANSITIONS: Mapping[tuple[State, Said], State] = MappingProxyType(
    {
        (State.ASKED, Said.GRANTED): State.OPEN,
        (State.ASKED, Said.EVENT): State.OPEN,
        (State.ASKED, Said.ERROR): State.REFUSED,
        (State.OPEN, Said.GRANTED): State.OPEN,
        (State.OPEN, Said.EVENT): State.OPEN,
        (State.OPEN, Said.ERROR): State.CANCELLED,
    }
)


class Query(msgspec.Struct, frozen=True):
    """What is subscribed to: its ``name`` here, its ``text`` there, and what to ask where that is not understood."""

    name: str
    text: str
    plainer: str | None = None


class Send(msgspec.Struct, frozen=True):
    """Send ``message`` (JSON) to the node."""

    message: JsonObject


class Opened(msgspec.Struct, frozen=True):
    """The node took the subscription."""

    query: Query


class Heard(msgspec.Struct, frozen=True):
    """A message of the subscription, to be read by ``read_message``."""

    query: Query
    message: JsonObject


class Refused(msgspec.Struct, frozen=True):
    """The node did not take the subscription."""

    query: Query
    reason: str


class Cancelled(msgspec.Struct, frozen=True):
    """The node ended the subscription by itself: there is a gap from here on."""

    query: Query
    reason: str


class Stray(msgspec.Struct, frozen=True):
    """The node said something that belongs to no subscription."""

    reason: str


class Reconnect(msgspec.Struct, frozen=True):
    """Close this connection, make another, and read again what was missed; this session is over."""

    reason: str


Step = Send | Opened | Heard | Refused | Cancelled | Stray | Reconnect


def queries_of(lane: Lane, release: Release) -> tuple[Query, ...]:
    """What is subscribed to on ``lane`` of a node of ``release``."""
    if lane is Lane.BULK:
        # NewBlock and not NewBlockEvents: it alone has the time, the proposer, the signatures and the set's changes.
        return (_of("NewBlock"), _of("NewRoundStep"), _of("NewRound"), _of("Tx"))
    source = "NewBlockEvents" if release.has_block_events else "NewBlock"
    plain = f"tm.event='{source}'"
    jails = Query("jails", f"{plain} AND slash.jailed EXISTS", plain)
    return (jails, _of("ValidatorSetUpdates"), _of("NewBlockHeader"))


def _of(event: str) -> Query:
    return Query(event, f"tm.event='{event}'")


class _Subscription(msgspec.Struct):
    query: Query
    asked_at: float
    state: State = State.ASKED


class Session:
    """The subscriptions of one connection.

    ``quiet_after`` is how many seconds without a message are too many; it may be changed as the chain's pace is
    learned, None for a connection that may be quiet for ever.
    """

    def __init__(self, queries: tuple[Query, ...], quiet_after: float | None = None) -> None:
        if not 0 < len(queries) <= QUERIES_LIMIT:
            raise ValueError(f"{len(queries)} queries on a connection, of which a node takes 1 to {QUERIES_LIMIT}")
        self.quiet_after = quiet_after
        self._queries = queries
        self._subscriptions: dict[int, _Subscription] = {}
        self._heard_at: float | None = None
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the connection was given up."""
        return self._is_over

    @property
    def is_open(self) -> bool:
        """Whether the node took every query, and all are still so."""
        opened = [one.query.name for one in self._subscriptions.values() if one.state is State.OPEN]
        return not self._is_over and len(opened) == len(self._queries)

    def states(self) -> Mapping[str, State]:
        """Where each subscription stands, by the name of its query."""
        return {one.query.name: one.state for one in self._subscriptions.values()}

    def opened(self, at: float) -> list[Step]:
        """The connection was made."""
        self._heard_at = at
        return [self._ask(query, at) for query in self._queries]

    def received(self, value: JsonValue, at: float) -> list[Step]:
        """The node sent ``value``; nothing that it sends raises."""
        if self._is_over:
            return []
        self._heard_at = at
        try:
            return self._take(as_object(value, "a message"), at)
        except CosmosFault as fault:
            return [Stray(str(fault))]

    def due(self) -> float | None:
        """When ``tick`` has something to say at the latest; None if never."""
        if self._is_over or self._heard_at is None:
            return None
        moments = [one.asked_at + REPLY_WITHIN for one in self._subscriptions.values() if one.state is State.ASKED]
        if self.quiet_after is not None:
            moments.append(self._heard_at + self.quiet_after)
        return min(moments, default=None)

    def tick(self, at: float) -> list[Step]:
        """Time passed."""
        due = self.due()
        if due is None or at < due:
            return []
        for one in self._subscriptions.values():
            if one.state is State.ASKED and at >= one.asked_at + REPLY_WITHIN:
                return self._give_up(f"no answer to the subscription {one.query.name} within {REPLY_WITHIN:g} s")
        return self._give_up(f"nothing heard for {self.quiet_after:.0f} s")

    def _ask(self, query: Query, at: float) -> Send:
        number = len(self._subscriptions) + 1
        self._subscriptions[number] = _Subscription(query, at)
        return Send(Call("subscribe", {"query": query.text}).body(number))

    def _take(self, message: JsonObject, at: float) -> list[Step]:
        subscription = self._subscription(message.get("id"))
        if subscription is None:
            return [Stray(_unknown(message))]
        refused = refusal(message)
        if refused is not None:
            return self._ended(subscription, str(refused), at)
        result = as_object(message.get("result"), "result")
        was, said = subscription.state, Said.EVENT if "data" in result else Said.GRANTED
        after = TRANSITIONS.get((was, said))
        if after is None:
            return [Stray(f"a message of the subscription {subscription.query.name}, which is {was.value}")]
        subscription.state = after
        steps: list[Step] = [] if was is State.OPEN else [Opened(subscription.query)]
        return [*steps, Heard(subscription.query, result)] if said is Said.EVENT else steps

    def _subscription(self, number: JsonValue) -> _Subscription | None:
        # In JSON true is no number, in Python it is 1.
        if not isinstance(number, int) or isinstance(number, bool):
            return None
        return self._subscriptions.get(number)

    def _ended(self, subscription: _Subscription, reason: str, at: float) -> list[Step]:
        after = TRANSITIONS.get((subscription.state, Said.ERROR))
        if after is None:
            return [Stray(f"an error of the subscription {subscription.query.name}: {reason}")]
        subscription.state = after
        query = subscription.query
        if after is State.CANCELLED:
            return [Cancelled(query, reason), *self._give_up(f"{query.name} was cancelled: {reason}")]
        if query.plainer is not None and _NOT_UNDERSTOOD in reason:
            return [Refused(query, reason), self._ask(Query(query.name, query.plainer), at)]
        return [Refused(query, reason), *self._give_up(f"{query.name} was refused: {reason}")]

    def _give_up(self, reason: str) -> list[Step]:
        self._is_over = True
        return [Reconnect(reason)]


def _unknown(message: JsonObject) -> str:
    """What a message says that carries no id of ours."""
    return f"a message with the id {excerpt(message.get('id'))}: {refusal(message) or 'no error'}"
