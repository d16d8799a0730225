"""What the nodes of a chain said of themselves, as far as it tells how the network is.

Rules of this file: the newest word of each node, for as long as it is fresh; a node that has been silent for longer
says nothing any more and stands for nobody. No clock; times are Unix seconds of receipt, but for a head's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from domain.chain.fields import PEER, VALIDATOR
from domain.chain.observations import (
    BlockSeen,
    HeadSeen,
    NodeHeard,
    Observation,
    PeersRead,
    Provenance,
    RoundSeen,
    ValidatorsRead,
)
from domain.chain.unknown import Unknown

NODE_LIMIT = 1000
"""How many nodes are minded; what more there are say is left out."""

_TWO = 2


class _Said(msgspec.Struct, frozen=True):
    """A number that a node said, when that came, and what it is about: a height, or the moment of one."""

    value: float
    observed: float
    about: float = 0.0


_Saids = dict[str, _Said]


class Watch:
    """The newest words of the nodes; what is older than ``fresh`` seconds is not told."""

    def __init__(self, fresh: float) -> None:
        self._fresh = fresh
        self._heads: _Saids = {}
        self._peers: _Saids = {}
        self._rounds: _Saids = {}
        self._shares: _Saids = {}
        self._round_trips: _Saids = {}
        self._reads: dict[str, Provenance] = {}
        self.observed: float | None = None

    def take(self, said: Observation) -> None:
        """Learn what a node ``said``; what is history, or no word on the network's health, is passed over."""
        provenance = said.provenance
        if provenance.is_history:
            return
        node, observed = f"{provenance.chain}/{provenance.source}", provenance.observed
        if isinstance(said, NodeHeard) and said.round_trip is None:
            # Who does not answer was not heard.
            self._round_trips.pop(node, None)
            return
        self.observed = observed if self.observed is None else max(self.observed, observed)
        match said:
            case HeadSeen(height=height, at=at):
                _keep(self._heads, node, _Said(height, observed, at))
            case BlockSeen(height=height, at=at, signed_share=share):
                _keep_higher(self._heads, node, _Said(height, observed, at))
                if share is not None:
                    _keep(self._shares, node, _Said(share, observed, height))
            case PeersRead(count=count):
                _keep(self._peers, node, _Said(count, observed))
                self._reads[PEER] = provenance
            case ValidatorsRead():
                self._reads[VALIDATOR] = provenance
            case RoundSeen(height=height, round=round_):
                _keep(self._rounds, node, _Said(round_, observed, height))
            case NodeHeard(round_trip=float() as round_trip):
                _keep(self._round_trips, node, _Said(round_trip, observed))

    def head_age(self, at: float) -> float | Unknown:
        """Seconds since the newest block that a fresh node has."""
        heads = self._told(self._heads, at)
        return max(0.0, at - max(head.about for head in heads)) if heads else Unknown("no node told its head lately")

    def height_spread(self, at: float) -> float | Unknown:
        """Blocks between the highest and the lowest head of the fresh nodes of a chain, of the chain with the most."""
        heights: dict[str, list[float]] = {}
        for node, head in self._heads.items():
            if at - head.observed <= self._fresh:
                # The layers of a chain count differently: one blocks, the other slots.
                heights.setdefault(node.rpartition("/")[0], []).append(head.value)
        spreads = [max(each) - min(each) for each in heights.values() if len(each) >= _TWO]
        return max(spreads) if spreads else Unknown("it takes two nodes that told their heads lately")

    def fewest_peers(self, at: float) -> float | Unknown:
        """The fewest peers that one of the fresh nodes has."""
        return self._choose(min, self._peers, at, "no node told its peers lately")

    def most_peers(self, at: float) -> float | Unknown:
        """The most peers that one of the fresh nodes has."""
        return self._choose(max, self._peers, at, "no node told its peers lately")

    def read_last(self, type_: str) -> Provenance | None:
        """Where it was last read from a node what events of ``type_`` tell the changes of; None if it was not."""
        return self._reads.get(type_)

    def round(self, at: float) -> float | Unknown:
        """The round of the consensus on the highest height that was told."""
        rounds = self._told(self._rounds, at)
        if not rounds:
            return Unknown("no node told its round lately")
        return max((said.about, said.value) for said in rounds)[1]

    def signed_share(self, at: float) -> float | Unknown:
        """The share of voting power (0 to 1) behind the highest block that told it."""
        shares = self._told(self._shares, at)
        return max((said.about, said.value) for said in shares)[1] if shares else Unknown("no block told who signed it")

    def round_trip(self, at: float) -> float | Unknown:
        """The mean seconds that our own questions to the nodes took, the newest one of each."""
        trips = [said.value for said in self._told(self._round_trips, at)]
        return sum(trips) / len(trips) if trips else Unknown("no node answered lately")

    def is_fresh(self, at: float) -> bool:
        """Whether any node was heard lately."""
        return self.observed is not None and at - self.observed <= self._fresh

    def _told(self, saids: Mapping[str, _Said], at: float) -> list[_Said]:
        return [said for said in saids.values() if at - said.observed <= self._fresh]

    def _choose(self, choose: Callable[[list[float]], float], saids: _Saids, at: float, why: str) -> float | Unknown:
        values = [said.value for said in self._told(saids, at)]
        return choose(values) if values else Unknown(why)


def _keep(saids: _Saids, node: str, said: _Said) -> None:
    before = saids.get(node)
    if before is None and len(saids) >= NODE_LIMIT:
        return
    if before is None or said.observed >= before.observed:
        saids[node] = said


def _keep_higher(saids: _Saids, node: str, said: _Said) -> None:
    before = saids.get(node)
    if before is None or said.value >= before.value:
        _keep(saids, node, said)
