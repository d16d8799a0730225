"""A chain of CometBFT and the Cosmos SDK, read from several of its nodes.

Rules of this file:

* Each node is read by itself, over two links and by polls, and what is the chain's own (the records of validators) by
  turns, from whoever answers. One bad node, one bad answer and one refused query cost themselves.
* What a jailing leaves open is asked at once, of another node than the one that told it if there is one.
* What earlier lives have told is asked of the validators' desk: the blocks since then are a gap like any other.
* When a desk is behind or away the links are not read. What they hold is bounded, and what does not fit is a gap.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

import trio

from actors.desks.asking import until_answered
from actors.desks.validators import ReadValidators
from actors.places import VALIDATORS_DESK, Address
from actors.ranks import Ranks
from actors.runtime import TrioActor
from actors.sources.chain_link import ChainLink, Strangers
from actors.sources.cosmos_filling import Filler
from actors.sources.cosmos_intake import Intake
from actors.sources.cosmos_lane import NodeLane
from actors.sources.cosmos_node import Node
from actors.sources.source import Freshness
from config import CosmosSource as CosmosSettings
from domain import JsonValue
from domain.chain import Relay
from domain.chain.cosmos import Lane, block_results, read_block_results
from domain.chain.validators import ValidatorsNow

ASK_TIMEOUT = 5.0
ASK_INTERVAL = 1.0
OTHERS_PATIENCE = 2.0
"""Seconds that another node has to get to the height that is to be confirmed."""
CONFIRM_PAUSE = 1.0


class CosmosSource(TrioActor):
    """Reads one chain; ``name`` is the table of its settings."""

    has_tasks = True

    def __init__(
        self,
        name: str,
        settings: CosmosSettings,
        clock: Callable[[], float] = time.time,
        chance: random.Random | None = None,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._clock = clock
        self._freshness = freshness or Freshness.of(name, settings)
        environment = self.life.environment
        self._link = ChainLink(environment, Relay(settings.chain), clock, self._freshness, ranks or Ranks(name))
        self._desk = Address(environment, VALIDATORS_DESK)
        self._intake = Intake(settings.chain, self._link, settings.gap_limit, clock)
        self._chance = chance or random.Random()
        self._nodes = [Node(name, settings, node, self._intake, self._chance) for node in settings.nodes]
        self._lanes = [[NodeLane(node, lane) for lane in Lane] for node in self._nodes]
        self._filler = Filler(name, self._nodes, self._intake, self._chance)
        self._strangers = Strangers(name)
        self._turn = 0

    async def setup(self) -> None:
        """Begin to read."""
        self.start_task(self._begin)

    def describe(self) -> Mapping[str, JsonValue]:
        """How each node and its links are, and what of the chain is still to be read."""
        ready = [node for node in self._nodes if node.is_ready]
        backlog: dict[str, JsonValue] = {
            "waiting": len(self._intake.backlog),
            "filled": self._filler.filled,
            "missed": self._intake.missed,
        }
        return {
            **self._freshness.describe(self._clock(), None if ready else "lost"),
            "chain": self._settings.chain,
            "nodes": [_node(node, lanes) for node, lanes in zip(self._nodes, self._lanes, strict=True)],
            "gaps": backlog,
            "desks": self._link.describe(),
            "unknownValidators": [*self._intake.unknown(self._settings.watched)],
        }

    async def _begin(self) -> None:
        with trio.move_on_after(ASK_TIMEOUT) as patience:
            await self._recall()
        if patience.cancelled_caught:
            # While the journal cannot be read the chain is read all the same.
            self.start_task(self._recall)
        for node, lanes in zip(self._nodes, self._lanes, strict=True):
            self.start_task(self._keep_node, node, lanes)
        for work in (self._filler.keep, self._keep_reading, self._keep_confirming):
            self.start_task(work)

    async def _recall(self) -> None:
        height = await self._told_before()
        await self._intake.begin(self._nodes[0].name, height)

    async def _told_before(self) -> int:
        """The height up to which the chain was told in earlier lives, -1 if there was none; waits for the answer."""
        chain = self._settings.chain

        def read(now: ValidatorsNow) -> int:
            return now.told_to(chain)

        return await until_answered(self._desk, ReadValidators(read), int, ASK_TIMEOUT, ASK_INTERVAL)

    async def _keep_node(self, node: Node, lanes: list[NodeLane]) -> None:
        async with node.reached(), trio.open_nursery() as nursery:
            nursery.start_soon(node.keep_polling)
            nursery.start_soon(node.keep_probing)
            for lane in lanes:
                nursery.start_soon(lane.keep)

    # -- the records of validators ------------------------------------------------------------------------------------

    async def _keep_reading(self) -> None:
        while True:
            news = self._intake.news
            if not any(node.is_ready for node in self._nodes):
                await news.wait()
                continue
            await self._read_records()
            await trio.sleep(self._nodes[0].spread())

    async def _read_records(self) -> None:
        """Read the records from the node whose turn it is; from the next one where that does not go well."""
        self._turn += 1
        turn = self._turn % len(self._nodes)
        ready = [node for node in (*self._nodes[turn:], *self._nodes[:turn]) if node.is_ready]
        for node in ready:
            if node.has_rest and await _read_all(node):
                self._strangers.tell(self._intake.unknown(self._settings.watched))
                return
        for node in ready:
            # Nobody can say who is jailed; who is in the set can still be said.
            if await node.read_active_set():
                return

    # -- a second look ------------------------------------------------------------------------------------------------

    async def _keep_confirming(self) -> None:
        while True:
            news = self._intake.news
            doubts = self._intake.doubts()
            if not doubts:
                await news.wait()
                continue
            height = max(doubts)
            node = await self._another(doubts[height], height)
            if node is not None:
                await self._confirm(node, sorted(doubts))
            # On a chain whose set changes with every block the next look takes in many of them.
            await trio.sleep(CONFIRM_PAUSE)

    async def _another(self, source: str, height: int) -> Node | None:
        """A node that has ``height``: another one than ``source`` if there is one."""
        others = [node for node in self._nodes if node.name != source]
        with trio.move_on_after(OTHERS_PATIENCE if any(node.is_ready for node in others) else 0):
            while True:
                news = self._intake.news
                able = [node for node in others if node.is_ready and node.height >= height]
                if able:
                    return self._chance.choice(able)
                await news.wait()
        return next((node for node in self._nodes if node.is_ready and node.name == source), None)

    async def _confirm(self, node: Node, heights: list[int]) -> None:
        for height in heights:
            await node.read(block_results(height), read_block_results)
        if node.has_rest:
            await node.read_records()


async def _read_all(node: Node) -> bool:
    await node.read_rules()
    # In this order: the active set by itself does not say who is jailed.
    return await node.read_records() and await node.read_active_set()


def _node(node: Node, lanes: list[NodeLane]) -> dict[str, JsonValue]:
    links: list[JsonValue] = []
    for lane in lanes:
        states = {} if lane.session is None else {name: state.value for name, state in lane.session.states().items()}
        links.append({**lane.state.describe(), "subscriptions": {**states}})
    return {
        **node.state.describe(),
        "state": "ready" if node.is_ready else "lost",
        "height": None if node.height < 0 else node.height,
        "earliest": node.earliest if node.status is not None else None,
        "links": links,
    }
