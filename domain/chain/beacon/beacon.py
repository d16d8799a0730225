"""One beacon node, followed: what to ask it, and what its answers and events mean. No I/O.

Rules of this file:

* The source sends the queries of every ``Step`` and hands in what comes back, whatever it is: nothing raises. What
  was wrong with an answer is the step's ``fault``, and the rest of the step stands.
* First of all the node tells its chain's clock (spec and genesis). Nothing is told before: a slot has no time yet. A
  node of another chain is said and asked nothing else.
* At each new head the watched validators are read again, so a slashing is heard of with the block that holds it. They
  are asked for when the head has its place on the branch: what a reorganization takes back is told before what is so
  now. While a gap is filled every poll asks. One round of questions is under way at a time; heads that come meanwhile
  are made up for by one more.
* A row is about the newest slot that was known when it was asked for, or a later one.
* Blocks join by their parents (``HeadTracker``), so a reorganization is told with its real depth in blocks. Slots
  without a block lie between a block and its parent, and count in ``interval``.
* What a checkpoint makes final is told only by a node that has checked the payloads (not optimistic).
* What a node does not offer is in ``not_told`` with its own reason, and is not asked again on this connection.

Heights are slots. Source: Ethereum Beacon APIs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from domain.chain.beacon import queries
from domain.chain.beacon.answers import (
    BAD_REQUEST,
    OK,
    SYNCING,
    Header,
    read_finality,
    read_header,
    read_peer_count,
    read_peers,
    read_refusal,
    read_syncing,
    read_version,
)
from domain.chain.beacon.asked import Asked
from domain.chain.beacon.duties import Duties
from domain.chain.beacon.events import AccusedEvent, FinalizedEvent, HeadEvent, ReorgEvent, read_event
from domain.chain.beacon.queries import Query, QueryName, Topics
from domain.chain.beacon.register import Register
from domain.chain.beacon.slots import Spec, Timing, read_genesis, read_spec
from domain.chain.beacon.statuses import read_validators
from domain.chain.beacon.step import Step, Turn
from domain.chain.ethereum import GAP_LIMIT, Advance, AnswerFault, HeadTracker, Refused
from domain.chain.observations import (
    BlockSeen,
    BlocksMissed,
    Finalized,
    HeadSeen,
    HeightsMissed,
    NodeHeard,
    PeersRead,
    Provenance,
    Reorganized,
    RoundSeen,
    ValidatorsRead,
)
from domain.json import JsonValue

_TOO_MANY = "more blocks are missing than are asked for"


class Beacon:
    """Follows the node ``source`` of ``chain``, whose deposit chain must be ``chain_id`` unless that is None.

    ``watched`` are indices and public keys of validators: of the others nothing is read.
    """

    def __init__(
        self,
        chain: str,
        source: str,
        watched: Iterable[int | str],
        *,
        chain_id: int | None = None,
        gap_limit: int = GAP_LIMIT,
    ) -> None:
        self._chain = chain
        self._source = source
        self._chain_id = chain_id
        self._asked = Asked()
        self._register = Register(watched)
        self._duties = Duties()
        self._heads = HeadTracker(gap_limit)
        self._spec: Spec | None = None
        self._genesis: float | None = None
        self._timing: Timing | None = None
        self._newest: HeadEvent | None = None
        self._said: tuple[str, bool | None] | None = None
        self._catching_up: bool | None = None
        self._finalized = -1
        # Whether the validators are to be read when the newest head has its place.
        self._is_due = False
        self.is_foreign = False
        self.version: str | None = None
        self.topics = Topics()
        self._readers = self._told_by()

    @property
    def not_told(self) -> Mapping[QueryName, str]:
        """What this node does not offer, by the name of the query, with its own reason."""
        return self._asked.not_told

    @property
    def unknown(self) -> tuple[str, ...]:
        """The watched ids that the node has not told anything about."""
        return self._register.unknown

    @property
    def timing(self) -> Timing | None:
        """The chain's clock, once the node has told it."""
        return self._timing

    @property
    def head(self) -> str | None:
        """The root of the newest head that the node told."""
        return None if self._newest is None else self._newest.root

    def began(self, at: float) -> Step:
        """A connection was made at ``at``."""
        self._asked.begin()
        self._register.begin()
        self._timing = self._spec = self._genesis = self._said = self._newest = None
        self._duties.begin()
        self.is_foreign = False
        return self._ask(Turn(at, "began"), queries.SPEC, queries.GENESIS).step()

    def polled(self, at: float) -> Step:
        """It is time to ask again."""
        turn = Turn(at, "polled")
        if self._timing is None:
            return self._ask(turn, queries.SPEC, queries.GENESIS).step()
        self._ask_peers(turn)
        self._ask(turn, queries.HEAD, queries.SYNCING, queries.FINALITY)
        if self._newest is not None:
            epoch = self._timing.epoch(self._newest.slot)
            if not self._duties.has_proposers(self._timing.first_slot(epoch), self._timing.last_slot(epoch)):
                self._ask(turn, queries.proposers(epoch))
            self._ask_attendance(turn)
        self._is_due = True
        if self._heads.wanted is not None:
            self._ask_validators(turn)
        self._ask_wanted(turn)
        return turn.step()

    def answered(self, query: Query, status: int, body: JsonValue, at: float) -> Step:
        """The node answered ``query`` with an HTTP ``status`` and ``body``, None if that was no JSON."""
        if not self._asked.answered(query):
            return Step()
        turn = Turn(at, query.method)
        if status not in (OK, SYNCING):
            self._refused(turn, query, read_refusal(status, body))
            return turn.step()
        try:
            self._read(turn, query, body)
        except AnswerFault as fault:
            self._refused(turn, query, Refused("failed", str(fault)))
            return turn.step(fault)
        self._close(turn, query)
        return turn.step()

    def gave_up(self, query: Query, at: float, reason: str = "no answer") -> Step:
        """No answer to ``query`` will come: it took too long, or could not be sent; ``reason`` is for people."""
        turn = Turn(at, query.method)
        if self._asked.answered(query):
            self._refused(turn, query, Refused("failed", reason))
        return turn.step()

    def heard(self, name: str, value: JsonValue, at: float) -> Step:
        """The event ``name`` came at ``at``, with the JSON of its data."""
        timing, turn = self._timing, Turn(at, f"events {name}")
        if timing is None:
            return Step()
        try:
            event = read_event(name, value, self._register.concerns)
            if isinstance(event, HeadEvent):
                self._take_head(turn, timing, event)
            elif isinstance(event, ReorgEvent):
                self._take_head(turn, timing, HeadEvent(event.slot, event.root, is_optimistic=False))
            elif isinstance(event, FinalizedEvent) and not event.is_optimistic:
                self._take_finalized(turn, timing, event.epoch)
            elif isinstance(event, AccusedEvent) and event.indices:
                self._ask_validators(turn)
        except AnswerFault as fault:
            return turn.step(fault)
        return turn.step()

    def _told_by(self) -> Mapping[QueryName, Callable[[Turn, Timing, Query, JsonValue], None]]:
        """Who reads the answer to a query, by its name."""
        return {
            "version": self._read_version,
            "syncing": self._read_syncing,
            "finality": self._read_finality,
            "head": self._read_head,
            "header": self._read_header,
            "validators": self._read_validators,
            "peer_count": self._read_peer_count,
            "peers": self._read_peers,
            "proposers": self._read_proposers,
            "liveness": self._read_attendance,
            "rewards": self._read_attendance,
        }

    def _read(self, turn: Turn, query: Query, body: JsonValue) -> None:
        if query.name == "spec":
            self._spec = self._checked(turn, read_spec(body))
        elif query.name == "genesis":
            self._genesis = read_genesis(body)
        elif self._timing is not None:
            self._readers[query.name](turn, self._timing, query, body)
        if self._timing is None and self._spec is not None and self._genesis is not None:
            self._timing = Timing(self._genesis, self._spec.slot_time, self._spec.epoch_size)
            # The head asks for the validators: what is read of them is about a slot.
            self._ask(turn, queries.VERSION, queries.SYNCING, queries.HEAD, queries.FINALITY)
            self._ask_peers(turn)

    def _checked(self, turn: Turn, spec: Spec) -> Spec | None:
        self.is_foreign = None not in (self._chain_id, spec.chain_id) and self._chain_id != spec.chain_id
        if not self.is_foreign:
            return spec
        fault = f"is a node of the chain {spec.chain_id}, not of {self._chain_id}"
        turn.observations.append(NodeHeard(self._provenance(turn), None, fault))
        return None

    def _refused(self, turn: Turn, query: Query, refusal: Refused) -> None:
        """``query`` has no answer: go on without it."""
        if refusal.kind == "not_offered" and query.name not in ("spec", "genesis", "head", "header", "validators"):
            self._asked.note_refusal(query, refusal.reason)
        if query.name == "peers":
            self._ask(turn, queries.PEER_COUNT)
        elif query.name == "liveness" and not self._asked.is_offered("liveness"):
            self._ask_attendance(turn)
        elif query.name == "header" and query.about == self._heads.wanted:
            self._advance(turn, self._heads.give_up(), refusal.reason)
        elif query.name == "head" or (query.name == "header" and self._newest and query.about == self._newest.root):
            # Where the head is will not be known: what is so now is asked for all the same.
            self._ask_validators(turn)
        elif query.name == "validators" and refusal.code == BAD_REQUEST and len(query.query) > 1:
            self._register.join()
        self._close(turn, query)

    def _close(self, turn: Turn, query: Query) -> None:
        if query.name == "validators" and self._register.close(query):
            self._ask_validators(turn)

    def _read_version(self, _turn: Turn, _timing: Timing, _: Query, body: JsonValue) -> None:
        self.version = read_version(body)

    def _read_syncing(self, turn: Turn, timing: Timing, _: Query, body: JsonValue) -> None:
        self._catching_up = read_syncing(body).is_catching_up
        if self._newest is not None:
            self._say_head(turn, timing, self._newest)

    def _read_finality(self, turn: Turn, timing: Timing, _: Query, body: JsonValue) -> None:
        finality = read_finality(body)
        if not finality.is_optimistic:
            self._take_finalized(turn, timing, finality.finalized)

    def _read_head(self, turn: Turn, timing: Timing, _: Query, body: JsonValue) -> None:
        header = read_header(body)
        self._take_head(turn, timing, HeadEvent(header.slot, header.root, header.is_optimistic), header)

    def _read_header(self, turn: Turn, timing: Timing, query: Query, body: JsonValue) -> None:
        header = read_header(body)
        if header.root != query.about:
            raise AnswerFault("/data/root", "must be the root that was asked for")
        self._take_header(turn, timing, header)
        if self._newest is not None:
            self._settle(turn, self._newest)

    def _read_validators(self, turn: Turn, _: Timing, query: Query, body: JsonValue) -> None:
        rows = read_validators(body, self._register.watched)
        self._register.take(rows)
        told = tuple(row for _, row in rows)
        turn.observations.append(ValidatorsRead(self._provenance(turn, query.height), told, is_complete=False))

    def _read_peer_count(self, turn: Turn, _timing: Timing, _: Query, body: JsonValue) -> None:
        turn.observations.append(PeersRead(self._provenance(turn), read_peer_count(body)))

    def _read_peers(self, turn: Turn, _timing: Timing, _: Query, body: JsonValue) -> None:
        turn.observations.append(PeersRead(self._provenance(turn), *read_peers(body)))

    def _read_proposers(self, _turn: Turn, timing: Timing, _: Query, body: JsonValue) -> None:
        self._duties.take_proposers(body, timing.epoch_size)

    def _read_attendance(self, turn: Turn, timing: Timing, query: Query, body: JsonValue) -> None:
        provenance = self._provenance(turn, timing.last_slot(int(query.about)))
        for index, missed in self._duties.take_attendance(query, body).items():
            if (key := self._register.key(index)) is not None:
                turn.observations.append(BlocksMissed(provenance, key, missed, self._duties.counted))

    def _take_head(self, turn: Turn, timing: Timing, event: HeadEvent, header: Header | None = None) -> None:
        timing.start(event.slot)
        is_new = self._newest is None or self._newest.root != event.root
        self._newest = event
        self._say_head(turn, timing, event)
        if is_new:
            self._is_due = True
            if self._duties.enter(epoch := timing.epoch(event.slot)):
                self._ask(turn, queries.FINALITY, queries.proposers(epoch))
                self._ask_attendance(turn)
            step = "optimistic" if event.is_optimistic else "head"
            proposer = self._duties.proposer(event.slot)
            turn.observations.append(RoundSeen(self._provenance(turn, event.slot), event.slot, 0, step, proposer))
        if header is not None:
            self._take_header(turn, timing, header)
        elif event.root not in self._heads:
            self._ask(turn, queries.header(event.root))
        self._settle(turn, event)

    def _settle(self, turn: Turn, newest: HeadEvent) -> None:
        if self._is_due and newest.root in self._heads:
            self._ask_validators(turn)

    def _say_head(self, turn: Turn, timing: Timing, event: HeadEvent) -> None:
        catching_up = True if event.is_optimistic else self._catching_up
        if (event.root, catching_up) != self._said:
            self._said = (event.root, catching_up)
            at = timing.start(event.slot)
            turn.observations.append(
                HeadSeen(self._provenance(turn, event.slot), event.slot, at, event.root, catching_up)
            )

    def _take_header(self, turn: Turn, timing: Timing, header: Header) -> None:
        head = header.head(timing.start(header.slot))
        if header.root == self._heads.wanted:
            self._advance(turn, self._heads.fill(head), _TOO_MANY)
        # An older head's header may come late: it is no news then.
        elif self._newest is not None and header.root == self._newest.root:
            self._advance(turn, self._heads.news(head), _TOO_MANY)

    def _take_finalized(self, turn: Turn, timing: Timing, epoch: int) -> None:
        slot = timing.first_slot(epoch)
        timing.start(slot)
        if slot > self._finalized:
            self._finalized = slot
            turn.observations.append(Finalized(self._provenance(turn, slot), slot))

    def _advance(self, turn: Turn, advance: Advance, reason: str) -> None:
        if advance.missed is not None:
            turn.observations.append(HeightsMissed(self._provenance(turn), *advance.missed, reason))
        if advance.taken_back:
            first = advance.taken_back[0].number
            turn.observations.append(Reorganized(self._provenance(turn, first), first, len(advance.taken_back)))
        for linked in advance.linked:
            head = linked.head
            turn.observations.append(
                BlockSeen(
                    self._provenance(turn, head.number, is_history=linked.is_filled),
                    head.number,
                    head.at,
                    head.hash,
                    head.parent,
                    proposer=self._proposer(head.number, head.producer),
                    interval=linked.interval,
                )
            )
        self._ask_wanted(turn)

    def _proposer(self, slot: int, index: str | None) -> str | None:
        if index is None:
            return None
        return self._duties.proposer(slot, index) or self._register.key(index)

    def _ask_peers(self, turn: Turn) -> None:
        self._ask(turn, queries.PEERS if self._asked.is_offered("peers") else queries.PEER_COUNT)

    def _ask_validators(self, turn: Turn) -> None:
        self._is_due = False
        height = None if self._newest is None else self._newest.slot
        for query in self._register.ask(height):
            self._ask(turn, query)
            if query not in turn.queries:
                self._register.close(query)

    def _ask_wanted(self, turn: Turn) -> None:
        if (wanted := self._heads.wanted) is not None:
            self._ask(turn, queries.header(wanted))

    def _ask_attendance(self, turn: Turn) -> None:
        query = self._duties.attendance(self._register.indices, is_live=self._asked.is_offered("liveness"))
        if query is not None:
            self._ask(turn, query)

    def _ask(self, turn: Turn, *asked: Query) -> Turn:
        turn.queries += [query for query in asked if self._asked.ask(query)]
        return turn

    def _provenance(self, turn: Turn, slot: int | None = None, *, is_history: bool = False) -> Provenance:
        at = None if slot is None or self._timing is None else self._timing.start(slot)
        return Provenance(self._chain, self._source, turn.method, turn.at, slot, at, is_history)
