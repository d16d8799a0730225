"""What a source that reads the nodes of a chain needs, whatever kind the chain is: its way to the desks, and its nodes.

Rules of this file:

* What concerns validators, heads, nodes and rounds goes to the validators' desk, and to the portal's, which looks at
  how the network is. Events of the portal's streams are made by the ``Relay`` and go to the portal's desk.
* Where a desk is behind or away, the one who tells waits, and so does the node that is read. Only of more than
  ``WAITING_LIMIT`` messages, as those leave behind who gave up waiting, the oldest are thrown away, and counted.
* What is told first comes first, whichever tasks tell it. When one is cancelled while it waits for a desk, what it
  told goes with what is told next: the rules believe that it was told, and will not say it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

import msgspec
import trio

from actors.messages import EventTaken, Observed
from actors.places import PORTAL_DESK, VALIDATORS_DESK, Address, Receiver
from actors.ranks import Ranks
from actors.runtime import ActorDead, Environment, MailboxFull
from actors.sources.source import Freshness
from domain import JsonObject, JsonValue, rfc3339
from domain.chain import Observation, Provenance, Relay, TransactionSeen
from telemetry import counters, events

DESK_PATIENCE = 0.02
WAITING_LIMIT = 5000
"""Messages that wait for one desk; what is older than all of them the next look at the chain says again."""


class ChainLink:
    """The way from one chain's nodes to the desks; ``relay`` makes its events.

    ``clock`` says Unix seconds; what comes is noted on ``freshness``.
    """

    def __init__(
        self, environment: Environment, relay: Relay, clock: Callable[[], float], freshness: Freshness, ranks: Ranks
    ) -> None:
        self._validators = _Lane(Address(environment, VALIDATORS_DESK), freshness.name)
        self._portal = _Lane(Address(environment, PORTAL_DESK), freshness.name)
        self._relay = relay
        self._clock = clock
        self._freshness = freshness
        self._ranks = ranks

    async def tell(self, observations: Iterable[Observation]) -> None:
        """Tell the desks ``observations``, in their order; returns when both have them in their mailboxes."""
        told = tuple(observations)
        if told:
            self._put(told)
        await self._validators.drain()
        await self._portal.drain()

    def describe(self) -> dict[str, JsonValue]:
        """How much waits for each desk, and how much was thrown away."""
        return {"validators": self._validators.describe(), "portal": self._portal.describe()}

    def _put(self, told: tuple[Observation, ...]) -> None:
        at = self._clock()
        if any(not _is_fault(said) for said in told):
            self._freshness.note(at)
        # Nobody asks the desks of validators and of health about single transactions, and there may be thousands.
        watched = tuple(said for said in told if not isinstance(said, TransactionSeen))
        if watched:
            self._validators.put([Observed(watched)])
            self._portal.put([Observed(watched)])
        events = (self._ranks.admit(self._ranks.rank(event)) for event in self._relay.take(told, at))
        self._portal.put(EventTaken(event) for event in events)


class _Lane:
    """What waits for one desk: a jailing is not to wait for the portal's."""

    def __init__(self, desk: Receiver, source: str) -> None:
        self._waiting: deque[object] = deque()
        self._dropped = 0
        self._desk = desk
        self._source = source
        self._turn = trio.Lock()

    def put(self, messages: Iterable[object]) -> None:
        """Have ``messages`` wait for their turn."""
        self._waiting.extend(messages)
        excess = len(self._waiting) - WAITING_LIMIT
        for _ in range(excess):
            self._waiting.popleft()
        if excess > 0:
            self._dropped += excess
            events.message_dead_lettered(actor=self._source, message="Observed", reason="overflow", count=excess)

    def describe(self) -> JsonObject:
        """How much waits, and how much was thrown away."""
        return {"waiting": len(self._waiting), "dropped": self._dropped}

    async def drain(self) -> None:
        """Tell the desk all that waits, as soon as it is there and has room."""
        async with self._turn:
            while self._waiting:
                # A mailbox does not say when it has room again, nor a place when somebody lives there.
                while not self._is_taken(self._waiting[0]):  # noqa: ASYNC110
                    await trio.sleep(DESK_PATIENCE)
                self._waiting.popleft()

    def _is_taken(self, message: object) -> bool:
        try:
            self._desk.tell(message)
        except (MailboxFull, ActorDead):
            return False
        return True


def _is_fault(said: Observation) -> bool:
    return getattr(said, "fault", None) is not None


class NodeState(msgspec.Struct):
    """How one node is: for the status document, the log and the metrics of the source ``source``.

    ``name`` is the node's, ``part`` which of its interfaces this is about. ``reason`` is why it is not connected,
    ``waiting`` how many questions wait for their turn.
    """

    source: str
    name: str
    part: str
    place: str
    clock: Callable[[], float]
    since: float | None = None
    reason: str | None = None
    last: float | None = None
    round_trip: float | None = None
    version: str | None = None
    answers: int = 0
    failures: int = 0
    waiting: int = 0
    last_failure: str | None = None
    not_told: Mapping[str, str] = msgspec.field(default_factory=dict)

    def connected(self) -> None:
        """The node was reached and spoke."""
        if self.since is None:
            self.since, self.reason = self.clock(), None
            events.node_connected(source=self.source, node=self.name, part=self.part, address=self.place)

    def lost(self, reason: str, delay: float) -> None:
        """It is connected no more, or could not be; the next attempt is in ``delay`` seconds."""
        self.since, self.reason = None, reason
        events.node_lost(source=self.source, node=self.name, part=self.part, reason=reason, delay=delay)

    def kept_out(self) -> None:
        """It answers, and is none that we can read: ``reason`` is what went wrong last."""
        self.since, self.reason = None, self.last_failure

    def answered(self) -> None:
        """It answered, or told something."""
        self.last = self.clock()
        self.answers += 1
        counters.chain_answers.add(self.source)

    def failed(self, asked: str, reason: str) -> None:
        """It did not answer what was ``asked``, or refused, or what it said cannot be read."""
        self.failures += 1
        self.last_failure = f"{asked}: {reason}"
        events.answer_missed(source=self.source, node=self.name, asked=asked, reason=reason)

    def lost_stream(self, stream: str, reason: str) -> None:
        """A subscription or stream was refused or ended."""
        self.last_failure = f"{stream}: {reason}"
        events.stream_lost(source=self.source, node=self.name, stream=stream, reason=reason)

    def describe(self) -> dict[str, JsonValue]:
        """The node in the status document."""
        return {
            "node": self.name,
            "part": self.part,
            "address": self.place,
            "connected": self.since is not None,
            "connectedSince": None if self.since is None else rfc3339(self.since),
            "reason": self.reason,
            "lastAnswer": None if self.last is None else rfc3339(self.last),
            "roundTripMs": None if self.round_trip is None else round(self.round_trip * 1000, 3),
            "version": self.version,
            "answers": self.answers,
            "failures": self.failures,
            "waiting": self.waiting,
            "lastFailure": self.last_failure,
            "notTold": dict(self.not_told),
        }


class Strangers:
    """Says of the validators that the source ``source`` is to watch which of them no node knows, each once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._told: set[str] = set()

    def tell(self, unknown: Iterable[str]) -> None:
        """These are ``unknown`` now."""
        now = set(unknown)
        for validator in sorted(now - self._told):
            events.validator_unknown(source=self._source, validator=validator)
        self._told = now


def heard(chain: str, source: str, method: str, at: float) -> Provenance:
    """Where a word on the node itself comes from."""
    return Provenance(chain, source, method, at)
