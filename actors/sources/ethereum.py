"""An Ethereum chain: the nodes of its two layers, which are told as two chains.

Rules of this file:

* The execution layer goes by the chain's number, the consensus layer by that and ``/beacon``: heights are blocks there
  and slots here.
* Blocks and transactions of the portal's streams come from the execution layer, the consensus from the beacon chain,
  peers from both. Where no node has an execution layer, blocks are those of the beacon chain, which tell no
  transactions.
* Who made a block is known to the beacon chain alone: it is told with the block if a beacon node has named the maker of
  its moment by then.
* A node that cannot be read, or speaks of another chain, costs itself; the others are read.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping

import trio

from actors.ranks import Ranks
from actors.runtime import TrioActor
from actors.sources.access import Access
from actors.sources.beacon_reader import BeaconReader
from actors.sources.chain_link import ChainLink, NodeState, Strangers
from actors.sources.execution_reader import ExecutionReader
from actors.sources.node_reader import Pace, Post
from actors.sources.source import Freshness
from config import EthereumNode
from config import EthereumSource as EthereumSettings
from domain import JsonValue
from domain.chain import Relay
from domain.chain.beacon import Beacon
from domain.chain.ethereum import Execution
from transport import place_of


class EthereumSource(TrioActor):
    """Reads the nodes of one chain; ``name`` is the table of its settings."""

    has_tasks = True

    def __init__(
        self,
        name: str,
        settings: EthereumSettings,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._clock = clock
        self._chance = chance or random.Random()
        self._freshness = freshness or Freshness.of(name, settings)
        self._pace = Pace(settings.poll, settings.deadline, settings.requests)
        self._beacons = [
            Beacon(
                self.beacon_chain,
                node.beacon_called,
                settings.watched,
                chain_id=int(settings.chain),
                gap_limit=settings.gap_limit,
            )
            for node in settings.nodes
            if node.beacon
        ]
        ranks = ranks or Ranks(name)
        environment = self.life.environment
        has_blocks = any(node.execution for node in settings.nodes)
        beacon_relay = Relay(self.beacon_chain, epoch_of=self._epoch_of, tells_blocks=not has_blocks)
        relay = Relay(settings.chain, maker_at=beacon_relay.maker_at)
        self._beacon_link = ChainLink(environment, beacon_relay, clock, self._freshness, ranks)
        self._link = ChainLink(environment, relay, clock, self._freshness, ranks)
        self._readers: list[ExecutionReader | BeaconReader] = [*self._execution_readers(), *self._beacon_readers()]

    @property
    def beacon_chain(self) -> str:
        """What the consensus layer goes by."""
        return f"{self._settings.chain}/beacon"

    async def setup(self) -> None:
        """Begin to read."""
        for reader in self._readers:
            self.start_task(reader.keep_reading)
        self.start_task(self._keep_telling)

    def describe(self) -> Mapping[str, JsonValue]:
        """How each node is, and which of the watched validators no node knows."""
        states = [reader.state for reader in self._readers]
        is_lost = all(state.since is None for state in states)
        return {
            **self._freshness.describe(self._clock(), "lost" if is_lost else None),
            "chain": self._settings.chain,
            "nodes": [state.describe() for state in states],
            "desks": {"execution": self._link.describe(), "beacon": self._beacon_link.describe()},
            "unknownValidators": [*self._unknown()],
        }

    def _unknown(self) -> list[str]:
        unknown = (set(beacon.unknown) for beacon in self._beacons)
        return sorted(set.intersection(*unknown)) if self._beacons else []

    async def _keep_telling(self) -> None:
        strangers = Strangers(self._name)
        while True:
            await trio.sleep(self._settings.poll)
            strangers.tell(self._unknown())

    def _epoch_of(self, slot: int) -> int | None:
        timings = (beacon.timing for beacon in self._beacons)
        return next((timing.epoch(slot) for timing in timings if timing is not None), None)

    def _execution_readers(self) -> Iterable[ExecutionReader]:
        settings = self._settings
        for node in settings.nodes:
            if node.execution:
                name = node.execution_called
                machine = Execution(
                    settings.chain,
                    name,
                    chain_id=int(settings.chain),
                    follow=settings.transactions,
                    gap_limit=settings.gap_limit,
                )
                post = self._post(settings.chain, name, "execution", node.execution, self._link, node)
                yield ExecutionReader(post, machine)

    def _beacon_readers(self) -> Iterable[BeaconReader]:
        nodes = [node for node in self._settings.nodes if node.beacon]
        for node, machine in zip(nodes, self._beacons, strict=True):
            name = node.beacon_called
            post = self._post(self.beacon_chain, name, "beacon", node.beacon, self._beacon_link, node)
            yield BeaconReader(post, machine)

    def _post(self, chain: str, name: str, part: str, address: str, link: ChainLink, node: EthereumNode) -> Post:
        state = NodeState(self._name, name, part, place_of(address), self._clock)
        return Post(chain, address, state, link, self._pace, self._clock, self._chance, Access.of(node))
