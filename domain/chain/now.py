"""What is so now: each value the portal asks for, or the reason why there is none.

Rules of this file:

* A value is what was received or follows from it by a rule that stands here; nothing is assumed.
* What flows (rate, latency, block, consensus) is stale when its own events have stayed away for ``stale_after``.
  What stands (validators, peers) changes rarely: it is stale when for that long no chain event at all came and no node
  that is asked was heard.
* Integers where the portal's contract has integers, rounded half up.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import floor

from domain.chain.fields import BLOCK, CONSENSUS, PEER, TRANSACTION, VALIDATOR
from domain.chain.health import Check, Vitals, checks, health
from domain.chain.latencies import Spread
from domain.chain.unknown import Document, Known, Unknown, milliseconds
from domain.chain.view import ChainView


class Now:
    """A chain view at one moment, ``at`` (Unix seconds)."""

    def __init__(self, view: ChainView, at: float) -> None:
        self.view = view
        self.at = at

    # What flows.

    @property
    def throughput(self) -> Known:
        """Transactions a second, not rounded."""
        return self._absent_rate() or round(self.view.rate.current(self.at), 3)

    @property
    def current_tps(self) -> Known:
        """Transactions a second, over the last seconds."""
        return self._absent_rate() or _half_up(self.view.rate.current(self.at))

    @property
    def average_tps(self) -> Known:
        """Transactions a second, over the window."""
        return self._absent_rate() or _half_up(self.view.rate.average(self.at))

    @property
    def peak_tps(self) -> Known:
        """The highest current rate of the last 24 hours."""
        if not self.view.has_rate and not self.view.rate.is_restored:
            return self._absent_rate() or Unknown(_NO_RATE)
        return _half_up(self.view.rate.peak(self.at))

    @property
    def latency(self) -> Known:
        """Mean time from submission to settlement over the window, in ms."""
        spread = self.spread
        return spread if isinstance(spread, Unknown) else _half_up(spread.mean)

    @property
    def spread(self) -> Spread | Unknown:
        """How the times from submission to settlement are spread over the window."""
        spread = self.view.latencies.spread(self.at)
        if spread is not None:
            return spread
        return self._absent((TRANSACTION,)) or Unknown(
            f"no transaction settled in the last {self.view.window:g} s told its latencyMs or was seen pending before"
        )

    @property
    def block(self) -> Document | Unknown:
        """The members of the newest block's event."""
        block = self.view.block
        if block is None or self.at - block.at > self.view.stale_after:
            return self._absent((BLOCK,)) or Unknown(self._late_reason((BLOCK,)))
        return dict(block.members)

    @property
    def consensus(self) -> Document | Unknown:
        """The fields of the newest consensus event."""
        consensus = self.view.consensus
        if consensus is None or self.at - consensus.at > self.view.stale_after:
            return self._absent((CONSENSUS,)) or Unknown(self._late_reason((CONSENSUS,)))
        return dict(consensus.members)

    @property
    def block_height(self) -> Known:
        """The height of the newest block."""
        block = self.block
        return block if isinstance(block, Unknown) else block["blockHeight"]

    @property
    def block_interval(self) -> float | Unknown:
        """Mean seconds between the newest blocks, as their events told it."""
        return self._absent((BLOCK,)) or self._usual_interval()

    @property
    def transactions_per_block(self) -> float | Unknown:
        """Mean number of transactions of the newest blocks, as their events told it."""
        return self._absent((BLOCK,)) or self._block_mean("transactions")

    # What stands.

    @property
    def validators(self) -> dict[str, int] | Unknown:
        """How many validators there are in all and of each status."""
        return self._absent_state(VALIDATOR) or self.view.validators.counts()

    @property
    def total_nodes(self) -> Known:
        """How many peers are known."""
        return self._absent_state(PEER) or len(self.view.peers)

    @property
    def active_nodes(self) -> Known:
        """How many peers are connected; where nodes only count theirs, the most that one of them has."""
        absent = self._absent_state(PEER)
        if absent is None:
            return len(self.view.peers.connected())
        counted = self.view.watch.most_peers(self.at)
        return absent if isinstance(counted, Unknown) else round(counted)

    @property
    def network_health(self) -> Known:
        """How the network is, by the rule of ``domain.chain.health``."""
        watch = self.view.watch
        if watch.observed is not None:
            # Where nodes are asked, their silence is ours: nobody knows how the network is.
            age = self.at - watch.observed
            return health(self.checks) if watch.is_fresh(self.at) else Unknown(f"no node was heard for {age:.0f} s")
        if self.silence is not None:
            return self.silence if self.view.heard else self._absent_state(PEER)
        return health(self.checks)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the network's health is made from."""
        return checks(self._vitals())

    @property
    def peer_ratio(self) -> float | Unknown:
        """The share of the known peers (0 to 1) that are connected."""
        if not isinstance(self.view.watch.fewest_peers(self.at), Unknown):
            # A node that is well changes its peers all the time: those it has let go are not missing.
            return Unknown("nodes that are asked change their peers as they like; what counts is how many they have")
        absent = self._absent_state(PEER)
        if absent is not None:
            return absent
        total = len(self.view.peers)
        return len(self.view.peers.connected()) / total if total else Unknown("no peer is known")

    @property
    def network_latency(self) -> Known:
        """Mean latency of the connected peers that told one, in ms."""
        absent = self._absent_state(PEER)
        if absent is not None:
            return absent
        told = [entry.members.get("latency") for entry in self.view.peers.connected()]
        latencies = [latency for latency in told if isinstance(latency, int | float)]
        if latencies:
            return _half_up(sum(latencies) / len(latencies))
        trip = self.view.watch.round_trip(self.at)
        return Unknown("no connected peer told its latency") if isinstance(trip, Unknown) else _half_up(trip * 1000)

    # What adds up.

    @property
    def total_transactions(self) -> Known:
        """How many transactions were counted since the daemon started."""
        return self._never((TRANSACTION, BLOCK)) or self.view.settlements.total

    @property
    def pending(self) -> Known:
        """How many transactions are told as pending and not yet as settled."""
        return self._absent((TRANSACTION,)) or self.view.settlements.pending

    @property
    def confirmed(self) -> Known:
        """How many transactions were told one by one as SUCCESS."""
        return self._never((TRANSACTION,)) or self.view.settlements.confirmed

    @property
    def failed(self) -> Known:
        """How many transactions were told one by one as FAILED."""
        return self._never((TRANSACTION,)) or self.view.settlements.failed

    @property
    def success_ratio(self) -> Known:
        """Which part of the transactions told one by one succeeded, 0 to 1."""
        settled = self.view.settlements.confirmed + self.view.settlements.failed
        if not settled:
            return self._never((TRANSACTION,)) or Unknown("no transaction event told SUCCESS or FAILED yet")
        return round(self.view.settlements.confirmed / settled, 6)

    # When it was so.

    def observed_at(self, *types: str) -> Known:
        """When the newest event of ``types`` came, or nodes last told the same, in Unix ms."""
        read = [told.observed for type_ in types if (told := self.view.watch.read_last(type_)) is not None]
        heard = self._heard(types)
        newest = max([*read, *(() if heard is None else (heard,))], default=None)
        return Unknown(_never_reason(types)) if newest is None else milliseconds(newest)

    @property
    def silence(self) -> Unknown | None:
        """Why nothing is heard of the chain, or None while its events come."""
        if not self.view.heard:
            return Unknown("no chain event received yet")
        age = self.at - max(self.view.heard.values())
        return (
            Unknown(f"the last chain event of any kind came {age:.0f} s ago") if age > self.view.stale_after else None
        )

    def _vitals(self) -> Vitals:
        watch, at = self.view.watch, self.at
        return Vitals(
            head_age=self._either(watch.head_age(at), self._told_head_age()),
            # Of a chain that stands still too: what is expected of it must not change with that.
            interval=self._usual_interval(),
            height_spread=watch.height_spread(at),
            peer_ratio=self.peer_ratio,
            fewest_peers=watch.fewest_peers(at),
            round=self._either(watch.round(at), self._told_round()),
            signed_share=watch.signed_share(at),
            stale_after=self.view.stale_after,
        )

    @staticmethod
    def _either(observed: float | Unknown, told: float | Unknown) -> float | Unknown:
        return told if isinstance(observed, Unknown) else observed

    def _told_head_age(self) -> float | Unknown:
        """The age of the newest block by its own time, if its event carried one."""
        block = self.view.block
        height = None if block is None else block.members.get("blockHeight")
        if block is None or not isinstance(height, int):
            return Unknown("no block was told that was not old when it came")
        told = self.view.blocks.get(height)
        return max(0.0, self.at - (block.at if told is None else told.at))

    def _told_round(self) -> float | Unknown:
        told = self.consensus
        if isinstance(told, Unknown):
            return told
        value = told.get("round")
        return value if isinstance(value, int) else Unknown("the consensus event carried no round")

    def _usual_interval(self) -> float | Unknown:
        mean = self._block_mean("blockTime")
        return mean if isinstance(mean, Unknown) else mean / 1000

    def _block_mean(self, name: str) -> float | Unknown:
        values = [entry.members.get(name) for entry in self.view.blocks.first(len(self.view.blocks))]
        told = [value for value in values if isinstance(value, int)]
        return sum(told) / len(told) if told else Unknown(f"no block event carried {name}")

    def _absent_rate(self) -> Unknown | None:
        types = (TRANSACTION, BLOCK)
        counted = self.view.counted_at
        if counted is None:
            return self._never(types) or Unknown(self._late_reason(types) if self.view.late else _NO_RATE)
        if self.at - counted > self.view.stale_after:
            return Unknown(_age_reason(types, self.at - counted))
        return None if self.view.has_rate else Unknown(_NO_RATE)

    def _absent_state(self, type_: str) -> Unknown | None:
        absent = self._never((type_,))
        if absent is not None or self.view.watch.is_fresh(self.at):
            # While nodes answer, what stands stands, however long no block comes.
            return absent
        age = self.at - max(self.view.heard.values())
        return (
            Unknown(f"the last chain event of any kind came {age:.0f} s ago") if age > self.view.stale_after else None
        )

    def _absent(self, types: tuple[str, ...]) -> Unknown | None:
        heard = self._heard(types)
        if heard is None:
            return Unknown(_never_reason(types))
        age = self.at - heard
        return Unknown(_age_reason(types, age)) if age > self.view.stale_after else None

    def _never(self, types: tuple[str, ...]) -> Unknown | None:
        return Unknown(_never_reason(types)) if self._heard(types) is None else None

    def _heard(self, types: Iterable[str]) -> float | None:
        return max((self.view.heard[type_] for type_ in types if type_ in self.view.heard), default=None)

    def _late_reason(self, types: tuple[str, ...]) -> str:
        late = max((self.view.late[type_] for type_ in types if type_ in self.view.late), default=0.0)
        return f"the {_words(types)} events were {late:.0f} s old by their own time when they came"


_NO_RATE = "no settled transaction, and no block with its transactions and block time, received yet"


def _words(types: tuple[str, ...]) -> str:
    return " or ".join(types)


def _never_reason(types: tuple[str, ...]) -> str:
    return f"no {_words(types)} event received yet"


def _age_reason(types: tuple[str, ...], age: float) -> str:
    return f"the last {_words(types)} event came {age:.0f} s ago"


def _half_up(value: float) -> int:
    return floor(value + 0.5)
