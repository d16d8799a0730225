"""One node of the execution layer, followed: what to ask it, and what its answers mean. No I/O.

Rules of this file:

* The source sends the requests of every ``Step`` and hands in what comes back, whatever it is: nothing raises. What
  was wrong with a message is the step's ``fault``, and the rest of the step stands.
* First of all the node says which chain it is on. One of another chain is said and asked nothing else.
* Heads come by subscription where the node has it, and by ``polls`` in any case: a subscription that has died unseen
  is caught up with by the next poll. A head is told at once (``HeadSeen``), its block when all is known of it
  (``BlockSeen``, with the transactions that ended in it).
* What a node does not offer is in ``not_told`` with its own reason, and is not asked again on this connection.
* Every request is answered, refused or given up by the source (``gave_up``), else a block waits until newer ones push
  it out.

Heights are block numbers. Source: Ethereum execution APIs; geth's "Real-time events".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from domain.chain.ethereum import peers
from domain.chain.ethereum.answers import Notice, Refused, Reply, read_message
from domain.chain.ethereum.blocks import Head, read_block, read_head, read_receipt, read_receipts, read_transfer
from domain.chain.ethereum.calls import (
    CHAIN_ID,
    FINALIZED,
    LATEST,
    NEW_HEADS,
    NEW_PENDING,
    PEER_COUNT,
    PEERS,
    POOL_STATUS,
    SYNCING,
    VERSION,
    Call,
    Request,
    block,
)
from domain.chain.ethereum.heads import Advance, HeadTracker
from domain.chain.ethereum.inquiries import Inquiries
from domain.chain.ethereum.pool import Pool
from domain.chain.ethereum.reading import WORD_LIMIT, AnswerFault, members, quantity, words
from domain.chain.ethereum.requests import Requests
from domain.chain.ethereum.step import Step, Turn
from domain.chain.observations import (
    Finalized,
    HeadSeen,
    HeightsMissed,
    NodeHeard,
    PeersRead,
    PoolRead,
    Provenance,
    Reorganized,
)
from domain.json import JsonValue

GAP_LIMIT = 500
"""Blocks that are asked for to fill a gap, if the configuration says nothing else."""

# Notices may overtake the answer that says which subscription they belong to.
_EARLY_LIMIT = 64
_TOO_MANY = "more blocks are missing than are asked for"


class Execution:
    """Follows the node ``source`` of ``chain``, which must have the number ``chain_id`` unless that is None.

    ``follow`` says whether every transaction is read; else blocks are counted only. Gaps are filled up to
    ``gap_limit`` blocks.
    """

    def __init__(
        self, chain: str, source: str, *, chain_id: int | None = None, follow: bool = True, gap_limit: int = GAP_LIMIT
    ) -> None:
        self._chain = chain
        self._source = source
        self._chain_id = chain_id
        self._requests = Requests()
        self._heads = HeadTracker(gap_limit)
        self._inquiries = Inquiries(gap_limit + 1, follow=follow)
        self._follow = follow
        self._pool = Pool()
        self._subscriptions: dict[str, Call] = {}
        self._early: deque[Notice] = deque(maxlen=_EARLY_LIMIT)
        self._said: tuple[str, bool | None] | None = None
        self._catching_up: bool | None = None
        self._finalized = -1
        # Whether the node has said which chain it is on, or cannot say it.
        self.is_known = False
        self.is_foreign = False
        self.version: str | None = None
        self._readers: Mapping[str, Callable[[Turn, Call, JsonValue], None]] = {
            CHAIN_ID.name: self._read_chain_id,
            VERSION.name: self._read_version,
            SYNCING.name: self._read_syncing,
            LATEST.method: self._read_by_number,
            "eth_getBlockByHash": self._read_block,
            "eth_getBlockReceipts": self._read_block_receipts,
            "eth_getTransactionReceipt": self._read_receipt,
            "eth_getTransactionByHash": self._read_orphan,
            PEER_COUNT.name: self._read_peer_count,
            PEERS.name: self._read_peers,
            POOL_STATUS.name: self._read_pool,
            "eth_subscribe": self._read_subscription,
        }

    @property
    def not_told(self) -> Mapping[str, str]:
        """What this node does not offer, by the name of the call, with its own reason."""
        return self._requests.not_told

    @property
    def block_time(self) -> float | None:
        """Seconds that the chain takes for a block, as far as this node told; None if that is not known."""
        return self._heads.block_time

    def began(self, at: float) -> Step:
        """A connection was made at ``at`` (for HTTP: the node is to be asked for the first time)."""
        self._requests.begin()
        self._subscriptions.clear()
        self._early.clear()
        self._said = None
        self.is_foreign = self.is_known = False
        turn = Turn(at, "began")
        self._ask(turn, CHAIN_ID)
        return self._step(turn)

    def polled(self, at: float) -> Step:
        """It is time to ask again."""
        turn = Turn(at, "polled")
        if not self.is_known:
            self._ask(turn, CHAIN_ID)
        else:
            peers_call = PEERS if self._requests.is_offered(PEERS) else PEER_COUNT
            self._ask(turn, LATEST, SYNCING, FINALIZED, peers_call, POOL_STATUS)
            self._ask_wanted(turn)
        return self._step(turn)

    def probed(self, at: float) -> Step:
        """Nothing was heard for a while: ask whether the node is there."""
        turn = Turn(at, "probed")
        self._ask(turn, SYNCING if self.is_known else CHAIN_ID)
        return self._step(turn)

    def received(self, message: JsonValue, at: float) -> Step:
        """A message came at ``at``: an answer, or the notice of a subscription."""
        turn = Turn(at, "")
        try:
            told = read_message(message)
            if isinstance(told, Notice):
                self._take_notice(turn, told)
            else:
                self._take_reply(turn, told)
        except AnswerFault as fault:
            return self._step(turn, fault)
        return self._step(turn)

    def gave_up(self, request: Request, at: float, reason: str = "no answer") -> Step:
        """No answer to ``request`` will come: it took too long, or could not be sent; ``reason`` is for people."""
        turn = Turn(at, request.call.name)
        call = self._requests.answered(request.id)
        if call is not None:
            self._refused(turn, call, Refused("failed", reason))
        return self._step(turn)

    def lost(self, at: float) -> Step:
        """The connection is gone: blocks that wait are told with what is known of them."""
        turn = Turn(at, "lost")
        self._requests.end()
        self._subscriptions.clear()
        self._tell_blocks(turn, is_lost=True)
        return self._step(turn)

    def _take_notice(self, turn: Turn, notice: Notice) -> None:
        call = self._subscriptions.get(notice.subscription)
        if call is None:
            if self._requests.is_under_way(NEW_HEADS.name) or self._requests.is_under_way(NEW_PENDING.name):
                self._early.append(notice)
            return
        turn.method = call.name
        if call == NEW_HEADS:
            self._take_head(turn, read_head(notice.value, "/params/result"))
        elif (transfer := read_transfer(notice.value, "/params/result")) is not None:
            turn.observations += self._pool.heard(transfer, self._provenance(turn))

    def _take_reply(self, turn: Turn, reply: Reply) -> None:
        call = self._requests.answered(reply.id)
        if call is None:
            return
        turn.method = call.name
        if isinstance(reply.result, Refused):
            self._refused(turn, call, reply.result)
            return
        try:
            self._readers[call.method](turn, call, reply.result)
        except AnswerFault as fault:
            self._refused(turn, call, Refused("failed", str(fault)))
            raise
        self._inquiries.close(call)

    def _refused(self, turn: Turn, call: Call, refusal: Refused) -> None:
        """``call`` has no answer: go on without it."""
        if refusal.kind == "not_offered":
            self._requests.note_refusal(call, refusal.reason)
        if call == CHAIN_ID and refusal.kind == "not_offered":
            self._begin_following(turn)
        elif call == PEERS:
            self._ask(turn, PEER_COUNT)
        elif call.method == "eth_getTransactionByHash":
            self._pool.forget(str(call.params[0]))
        elif call.method == "eth_getBlockReceipts" and refusal.kind == "not_offered":
            self._ask_receipts(turn, call)
        elif call.method == "eth_getBlockByHash" and call.params[0] == self._heads.wanted:
            self._advance(turn, self._heads.give_up(), refusal.reason)
        self._inquiries.close(call)

    def _read_chain_id(self, turn: Turn, _: Call, value: JsonValue) -> None:
        number = quantity(value, "/result", WORD_LIMIT)
        if self._chain_id is not None and number != self._chain_id:
            self.is_foreign = True
            fault = f"is a node of the chain {number}, not of {self._chain_id}"
            turn.observations.append(NodeHeard(self._provenance(turn), None, fault))
            return
        self.is_foreign = False
        self._begin_following(turn)

    def _begin_following(self, turn: Turn) -> None:
        self.is_known = True
        self._ask(turn, VERSION, LATEST, NEW_HEADS, SYNCING, FINALIZED, PEERS, POOL_STATUS)
        if self._follow:
            self._ask(turn, NEW_PENDING)

    def _read_version(self, _turn: Turn, _: Call, value: JsonValue) -> None:
        self.version = words(value)

    def _read_syncing(self, turn: Turn, _: Call, value: JsonValue) -> None:
        # False is the whole answer of a node that is there; one that is not tells how far it is.
        self._catching_up = value is not False
        if value is not False:
            members(value, "/result")
        tip = self._heads.tip
        if tip is not None:
            self._say_head(turn, tip)

    def _read_by_number(self, turn: Turn, call: Call, value: JsonValue) -> None:
        if value is None:
            return
        head = read_head(value)
        if call == LATEST:
            self._take_head(turn, head)
        elif head.number > self._finalized:
            self._finalized = head.number
            turn.observations.append(Finalized(self._provenance(turn, head), head.number))

    def _read_block(self, turn: Turn, call: Call, value: JsonValue) -> None:
        told = read_block(value)
        if told is not None and told.head.hash != str(call.params[0]):
            raise AnswerFault("/result/hash", "must be the hash that was asked for")
        inquiry = self._inquiries.of(call)
        if inquiry is not None and told is not None:
            inquiry.transfers = told.transfers
            self._heads.learn(told.head)
            if not self._requests.is_offered(Call("eth_getBlockReceipts")):
                self._put(turn, self._inquiries.ask_receipts(inquiry))
        if call.params[0] == self._heads.wanted:
            if told is None:
                self._advance(turn, self._heads.give_up(), "the node has no such block")
            else:
                self._advance(turn, self._heads.fill(told.head), _TOO_MANY)

    def _read_block_receipts(self, _turn: Turn, call: Call, value: JsonValue) -> None:
        inquiry, receipts = self._inquiries.of(call), read_receipts(value)
        if inquiry is not None and receipts is not None:
            inquiry.take_receipts(receipts)

    def _read_receipt(self, _turn: Turn, call: Call, value: JsonValue) -> None:
        inquiry, receipt = self._inquiries.of(call), read_receipt(value)
        if inquiry is not None and receipt is not None:
            inquiry.take_receipts((receipt,))

    def _read_orphan(self, turn: Turn, call: Call, value: JsonValue) -> None:
        turn.observations += self._pool.told(str(call.params[0]), read_transfer(value), self._provenance(turn))

    def _read_peer_count(self, turn: Turn, _: Call, value: JsonValue) -> None:
        turn.observations.append(PeersRead(self._provenance(turn), quantity(value, "/result")))

    def _read_peers(self, turn: Turn, _: Call, value: JsonValue) -> None:
        count, told = peers.read_peers(value)
        turn.observations.append(PeersRead(self._provenance(turn), count, told))

    def _read_pool(self, turn: Turn, _: Call, value: JsonValue) -> None:
        pending = quantity(members(value, "/result").get("pending"), "/result/pending")
        turn.observations.append(PoolRead(self._provenance(turn), pending))

    def _read_subscription(self, turn: Turn, call: Call, value: JsonValue) -> None:
        if not isinstance(value, str):
            raise AnswerFault("/result", "must be the number of the subscription")
        self._subscriptions[value] = call
        early, self._early = self._early, deque(maxlen=_EARLY_LIMIT)
        for notice in early:
            self._take_notice(turn, notice)

    def _take_head(self, turn: Turn, head: Head) -> None:
        self._say_head(turn, head)
        self._advance(turn, self._heads.news(head), _TOO_MANY)

    def _say_head(self, turn: Turn, head: Head) -> None:
        said = (head.hash, self._catching_up)
        if said != self._said:
            self._said = said
            turn.observations.append(
                HeadSeen(self._provenance(turn, head), head.number, head.at, head.hash, self._catching_up)
            )

    def _advance(self, turn: Turn, advance: Advance, reason: str) -> None:
        if advance.missed is not None:
            turn.observations.append(HeightsMissed(self._provenance(turn), *advance.missed, reason))
        if advance.taken_back:
            first = advance.taken_back[0]
            turn.observations.append(
                Reorganized(self._provenance(turn, first), first.number, len(advance.taken_back), advance.dropped)
            )
            for head in advance.taken_back:
                self._inquiries.remove(head.hash)
            self._put(turn, self._pool.orphaned(advance.dropped) if self._follow else [])
        for linked in advance.linked:
            self._inquiries.add(linked, turn.method)
        self._ask_wanted(turn)

    def _ask_wanted(self, turn: Turn) -> None:
        if (wanted := self._heads.wanted) is not None:
            self._ask(turn, block(wanted, is_full=False))

    def _ask_receipts(self, turn: Turn, call: Call) -> None:
        inquiry = self._inquiries.of(call)
        if inquiry is not None:
            self._put(turn, self._inquiries.ask_receipts(inquiry))

    def _tell_blocks(self, turn: Turn, *, is_lost: bool = False) -> None:
        """Tell the blocks of which all is known, and ask about those whose turn has come."""
        by_block = self._requests.is_offered(Call("eth_getBlockReceipts"))
        while True:
            if not is_lost:
                self._put(turn, self._inquiries.begin(by_block=by_block))
            done = self._inquiries.finished(is_lost=is_lost)
            for inquiry in done:
                linked = inquiry.linked
                provenance = self._provenance(turn, linked.head, inquiry.method, is_history=linked.is_filled)
                turn.observations.append(inquiry.block_seen(provenance))
                turn.observations += inquiry.transactions_seen(provenance)
                self._pool.settled(transfer.hash for transfer in inquiry.transfers or ())
            if not done:
                return

    def _put(self, turn: Turn, calls: list[Call]) -> None:
        """Ask ``calls`` about blocks; what cannot be asked is not waited for."""
        self._ask(turn, *calls)
        for call in calls:
            if not self._requests.is_asked(call):
                self._inquiries.close(call)
                if call.method == "eth_getTransactionByHash":
                    self._pool.forget(str(call.params[0]))

    def _ask(self, turn: Turn, *calls: Call) -> None:
        turn.requests += [request for call in calls if (request := self._requests.ask(call)) is not None]

    def _step(self, turn: Turn, fault: AnswerFault | None = None) -> Step:
        self._tell_blocks(turn)
        return Step(tuple(turn.observations), tuple(turn.requests), fault)

    def _provenance(
        self, turn: Turn, head: Head | None = None, method: str | None = None, *, is_history: bool = False
    ) -> Provenance:
        return Provenance(
            self._chain,
            self._source,
            method or turn.method,
            turn.at,
            None if head is None else head.number,
            None if head is None else head.at,
            is_history,
        )
