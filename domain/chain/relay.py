"""What the nodes of a chain said, as the events that the portal's streams are made of: each thing once.

Rules of this file:

* A block is told once however many nodes tell it, and again when a node says it that did not count its transactions
  before, or that had taken it back meanwhile. Of a height that holds another block now, the other one is told.
* A transaction is told when its state changes. One that was settled is only told as anything else when the node that
  says so has taken back the block in which it was settled: a node that is behind undoes nothing.
* What is told of a transaction because its block was taken back says so (``takenBack``). One that its node knows no
  more is FAILED for clients that know three states, and ``exactStatus`` says DROPPED.
* A peer is there while any of our nodes has it. A node that tells only their number tells no peer.
* Each step of each round is told once. Who proposes in a round is remembered: not every message names it.
* Every event says where it comes from, and which nodes had told the same by then. What nobody told is null, and
  ``reasons`` says why. What does not fit its field is left out; what must be there and does not fit makes no event.
* Memory is bounded; the oldest is forgotten first, and then may be told once more.

Times are Unix seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from domain.chain.fields import BLOCK, CONSENSUS, FIELDS, PEER, TRANSACTION, faults_of
from domain.chain.observations import (
    BlockSeen,
    Finalized,
    HeadSeen,
    Observation,
    Peer,
    PeersRead,
    Provenance,
    Reorganized,
    RoundSeen,
    TransactionSeen,
    ValidatorsRead,
)
from domain.chain.unknown import REASONS
from domain.event import Event
from domain.json import JsonValue
from domain.moment import rfc3339
from domain.policy import BUILT_IN

HEIGHTS_LIMIT = 1024
"""Heights of which it is remembered which blocks were told."""

BRANCH_LIMIT = 256
"""Blocks of one node's branch that are remembered: the deepest reorganization that is followed."""

TRANSACTIONS_LIMIT = 65_536
"""Transactions whose last state is remembered."""

GONE_LIMIT = 4096
"""Blocks taken back that are remembered."""

STEPS_LIMIT = 1024
"""Steps of the consensus of which it is remembered that they were told."""

NAMES_LIMIT = 10_000
"""Validators whose names are remembered."""

NOT_TOLD = "no node told it"
WHY: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (BLOCK, "blockTime"): "the block before it was not seen",
        (BLOCK, "transactions"): "the node that told it did not count them",
        (BLOCK, "failed"): "it was not read how each of its transactions ended",
        (BLOCK, "producer"): "no node had named its maker by then",
        (BLOCK, "signedShare"): "who signed it was not told, or how much power each has",
        (TRANSACTION, "to"): "it moves nothing to anybody, or no node told it",
        (TRANSACTION, "value"): "it moves nothing, or no node told it",
        (TRANSACTION, "gasUsed"): "it is in no block yet, or no node told it",
        (TRANSACTION, "fee"): "it is in no block yet, or no node told it",
        (TRANSACTION, "blockHeight"): "it is in no block yet",
        (TRANSACTION, "height"): "it is in no block yet",
        (CONSENSUS, "leader"): "no node told who proposes in this round",
        (CONSENSUS, "epoch"): "the chain has no epochs",
        (CONSENSUS, "performanceScore"): "who signed the newest block was not told, or how much power each has",
        (CONSENSUS, "activeValidators"): "not the whole set of validators was read",
        (PEER, "latency"): "nodes do not tell how far their peers are",
        (PEER, "height"): "peers are of no height",
    }
)
"""Why a member of an event is null, by its type and name; of others: no node told it."""

_COIN = re.compile(r"([0-9]{1,78})([A-Za-z][A-Za-z0-9/:._-]{0,127})?")
_SETTLED = ("SUCCESS", "FAILED")

Members = dict[str, JsonValue]

Key = TypeVar("Key")
Value = TypeVar("Value")


class Relay:
    """The events of the chain ``name``, made from what its nodes say.

    ``epoch_of`` says which epoch a height is in, on a chain that has them; ``maker_at`` who made the block of a moment,
    where another layer of the chain knows it. Without ``tells_blocks`` another layer tells them.
    """

    def __init__(
        self,
        name: str,
        *,
        epoch_of: Callable[[int], int | None] = lambda _: None,
        maker_at: Callable[[float], str | None] = lambda _: None,
        tells_blocks: bool = True,
    ) -> None:
        self._name = name
        self._epoch_of = epoch_of
        self._asks_maker = maker_at
        self._tells_blocks = tells_blocks
        self._makers: dict[float, str] = {}
        self._heights: dict[int, dict[str, bool]] = {}
        self._branches: dict[str, dict[int, str]] = {}
        self._gone: dict[tuple[str, str], None] = {}
        self._transactions: dict[str, tuple[str, str]] = {}
        self._peers: dict[str, dict[str, Peer]] = {}
        self._steps: dict[tuple[int, int, str | None], None] = {}
        self._proposers: dict[tuple[int, int], str] = {}
        self._witnesses: dict[int, dict[str, str | None]] = {}
        self._names: dict[str, tuple[str | None, str | None]] = {}
        self._share: float | None = None
        self._active: int | None = None
        self._final: int | None = None

    def take(self, observations: Iterable[Observation], at: float) -> list[Event]:
        """The events that follow from ``observations``, told at ``at``."""
        events: list[Event | None] = []
        for said in observations:
            match said:
                case HeadSeen(provenance=told, height=height, hash=hash_):
                    self._hear(height, told.source, hash_)
                case BlockSeen():
                    self._note_maker(said.at, said.proposer)
                    events.append(self._block(said, at) if self._tells_blocks else None)
                case TransactionSeen():
                    events.append(self._transaction(said, at))
                case RoundSeen():
                    self._note_maker(said.provenance.at, said.proposer)
                    events.append(self._consensus(said, at))
                case PeersRead():
                    events += self._peers_of(said, at)
                case Reorganized():
                    self._take_back(said)
                case Finalized(height=height):
                    self._final = height if self._final is None else max(self._final, height)
                case ValidatorsRead():
                    self._learn(said)
                case _:
                    pass
        return [event for event in events if event is not None]

    def _learn(self, said: ValidatorsRead) -> None:
        if said.is_complete:
            self._active = sum(row.bond == "bonded" for row in said.rows)
        for row in said.rows:
            if row.operator is not None:
                _keep(self._names, row.address, (row.operator, row.moniker), NAMES_LIMIT)

    def _names_of(self, address: str | None, role: str) -> Members:
        """Who the validator at ``address`` is for people, where that was read."""
        names = self._names.get(address or "")
        return {} if names is None else {f"{role}Operator": names[0], f"{role}Name": names[1]}

    def maker_at(self, moment: float) -> str | None:
        """Who made the block of this ``moment`` of the chain, or is to; None if nobody said so."""
        return self._makers.get(moment)

    def _note_maker(self, moment: float | None, maker: str | None) -> None:
        if moment is not None and maker is not None:
            _keep(self._makers, moment, maker, HEIGHTS_LIMIT)

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _hear(self, height: int, source: str, hash_: str | None) -> None:
        heard = self._witnesses.get(height, {})
        _keep(self._witnesses, height, {**heard, source: hash_ or heard.get(source)}, HEIGHTS_LIMIT)

    def _witnesses_of(self, height: int, hash_: str | None) -> list[str]:
        """Who told a block of ``height`` that can be the one of ``hash_``."""
        heard = self._witnesses.get(height, {})
        return [source for source, said in heard.items() if None in (said, hash_) or said == hash_]

    def _block(self, said: BlockSeen, at: float) -> Event | None:
        source, hash_ = said.provenance.source, said.hash or ""
        _keep(self._branches.setdefault(source, {}), said.height, hash_, BRANCH_LIMIT)
        self._share = self._share if said.signed_share is None else said.signed_share
        self._hear(said.height, source, said.hash)
        told = self._heights.get(said.height, {})
        has_count = said.transactions is not None
        is_back = self._gone.pop((source, hash_), "") is None
        if hash_ in told and not is_back and (told[hash_] or not has_count):
            return None
        told[hash_] = has_count or told.get(hash_, False)
        _keep(self._heights, said.height, told, HEIGHTS_LIMIT)
        producer = said.proposer or self._asks_maker(said.at)
        data: Members = {
            "blockHeight": said.height,
            "blockTime": None if said.interval is None else round(said.interval * 1000),
            "transactions": said.transactions,
            "producer": producer,
            "failed": said.failed,
            "hash": said.hash,
            "prevHash": said.parent,
            "signedShare": said.signed_share,
            **self._names_of(producer, "producer"),
        }
        data["confirmedBy"] = [*self._witnesses_of(said.height, said.hash)]
        return self._event(BLOCK, said.hash or str(said.height), data, said.provenance, at, said.at)

    def _take_back(self, said: Reorganized) -> None:
        source = said.provenance.source
        branch = self._branches.get(source, {})
        for height in [height for height in branch if height >= said.height]:
            _keep(self._gone, (source, branch.pop(height)), None, GONE_LIMIT)
        for place in [place for place in self._steps if place[0] >= said.height]:
            del self._steps[place]

    # -- transactions -------------------------------------------------------------------------------------------------

    def _transaction(self, said: TransactionSeen, at: float) -> Event | None:
        told = said.provenance
        is_settled = said.status in _SETTLED
        branch = self._branches.get(told.source, {})
        block = branch.get(told.height, "") if is_settled and told.height is not None else ""
        before = self._transactions.get(said.hash)
        if before is not None and not self._is_news(said.status, block, before, told.source):
            return None
        if before is None and said.status == "DROPPED":
            return None
        is_taken_back = before is not None and before[0] in _SETTLED
        _keep(self._transactions, said.hash, (said.status, block), TRANSACTIONS_LIMIT)
        value, unit = _amount(said.value)
        data: Members = {
            "txHash": said.hash,
            "from": said.sender,
            "to": said.recipient,
            "value": value,
            "status": "FAILED" if said.status == "DROPPED" else said.status,
            "exactStatus": said.status,
            "gasUsed": said.gas_used,
            "fee": None if (fee := _amount(said.fee)[0]) is None else int(fee),
            "blockHeight": told.height if is_settled else None,
            "transfers": said.transfers,
            "takenBack": is_taken_back,
        }
        if unit is not None:
            data |= {"denom": unit, "coins": said.value}
        moment = told.at if is_settled else told.observed
        return self._event(TRANSACTION, f"{said.hash}:{said.status}", data, told, at, moment)

    def _is_news(self, status: str, block: str, before: tuple[str, str], source: str) -> bool:
        was, in_block = before
        if was in _SETTLED:
            return block != in_block and (source, in_block) in self._gone
        return status in _SETTLED

    # -- peers and rounds ---------------------------------------------------------------------------------------------

    def _peers_of(self, said: PeersRead, at: float) -> list[Event | None]:
        source = said.provenance.source
        if not said.peers and said.count:
            return []
        known = {name for peers in self._peers.values() for name in peers}
        gone = self._peers.get(source, {})
        self._peers[source] = {peer.id: peer for peer in said.peers if peer.is_connected}
        there = {name for peers in self._peers.values() for name in peers}
        new = [peer for name, peer in self._peers[source].items() if name not in known]
        lost = [peer for name, peer in gone.items() if name not in there]
        return [
            self._peer(peer, said.provenance, at, is_connected=is_connected)
            for peers, is_connected in ((new, True), (lost, False))
            for peer in peers
        ]

    def _peer(self, peer: Peer, told: Provenance, at: float, *, is_connected: bool) -> Event | None:
        data: Members = {
            "peerId": peer.id,
            "ip": peer.address,
            "version": peer.version,
            "moniker": peer.moniker,
            "connected": is_connected,
            "latency": None,
        }
        return self._event(PEER, f"{peer.id}:{is_connected}", data, told, at, told.observed)

    def _consensus(self, said: RoundSeen, at: float) -> Event | None:
        place = (said.height, said.round)
        if said.proposer is not None:
            _keep(self._proposers, place, said.proposer, STEPS_LIMIT)
        if (*place, said.step) in self._steps:
            return None
        _keep(self._steps, (*place, said.step), None, STEPS_LIMIT)
        leader = self._proposers.get(place)
        data: Members = {
            "leader": leader,
            "epoch": self._epoch_of(said.height),
            "round": said.round,
            "term": said.height,
            "state": said.step,
            "performanceScore": self._share,
            "activeValidators": self._active,
            "finalizedHeight": self._final,
            **self._names_of(leader, "leader"),
        }
        name = f"{said.height}:{said.round}:{said.step}"
        return self._event(CONSENSUS, name, data, said.provenance, at, said.provenance.observed)

    # -- events -------------------------------------------------------------------------------------------------------

    def _event(
        self, type_: str, name: str, data: Members, told: Provenance, at: float, moment: float | None
    ) -> Event | None:
        source, fields = f"/chain/{self._name}", FIELDS[type_]
        fitting = {
            member: value if value is None or member not in fields or fields[member].kind.fits(value) else None
            for member, value in data.items()
        }
        full: Members = {**provenance_members(told, at), **fitting}
        reasons = {name: WHY.get((type_, name), NOT_TOLD) for name, value in full.items() if value is None}
        if reasons:
            full[REASONS] = reasons
        time = _moment(told.observed if moment is None else moment)
        event = Event(
            id=f"{self._name}:{type_}:{name}:{round(at * 1000)}",
            source=source,
            type=type_,
            data=full,
            recorded=at,
            priority=BUILT_IN.priority_of(type_, full, source),
            time=time,
        )
        return None if faults_of(event) else event


def provenance_members(told: Provenance, at: float) -> Mapping[str, JsonValue]:
    """Where an observation comes from, told at ``at``, as members of an event's data."""
    return {
        "chain": told.chain,
        "source": told.source,
        "height": told.height,
        "method": told.method,
        "observedAt": rfc3339(told.observed),
        "ageMs": round(max(0.0, at - told.observed) * 1000),
        "confirmedBy": [told.source],
    }


def _amount(text: str | None) -> tuple[str | None, str | None]:
    """The digits of the first of the coins in ``text``, and the coin's name if it has one."""
    coin = None if text is None else _COIN.match(text)
    return (None, None) if coin is None else (coin[1], coin[2])


def _moment(at: float) -> str | None:
    try:
        return rfc3339(at)
    except ValueError:
        return None


def _keep(kept: dict[Key, Value], key: Key, value: Value, limit: int) -> None:
    kept.pop(key, None)
    kept[key] = value
    if len(kept) > limit:
        del kept[next(iter(kept))]
