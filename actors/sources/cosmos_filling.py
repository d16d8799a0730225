"""The blocks that nobody told, read again by their heights.

Rules of this file:

* A few heights are asked for at a time and handed on in their order. What is read so is history.
* A node that is asked and does not have a block is not asked for it again; which heights are given up is for the
  ``Backlog`` to say. One that has no time for us has not said that it lacks anything.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import trio

from actors.sources.backoff import Backoff
from actors.sources.cosmos_intake import Intake
from actors.sources.cosmos_node import READ_ERRORS, Node
from domain import JsonValue
from domain.chain import BlockSeen
from domain.chain.cosmos import Known, Lost, Told, block, block_results, joined, read_block, read_block_results
from telemetry import counters
from transport import Refused

AT_A_TIME = 4
BUSY = (429, 502, 503, 504)
"""What a node that has no time says, or what stands before it (RFC 9110, RFC 6585)."""

Answers = tuple[JsonValue, JsonValue]
Outcome = Answers | Exception


class Filler:
    """Fills the gaps of the chain that ``intake`` is about, by asking ``nodes``."""

    def __init__(self, source: str, nodes: Sequence[Node], intake: Intake, chance: random.Random) -> None:
        self.filled = 0
        self._source = source
        self._nodes = nodes
        self._intake = intake
        self._backoff = Backoff(chance)
        self._known = Known()
        self._turn = 0

    async def keep(self) -> None:
        """Fill, for ever."""
        backlog = self._intake.backlog
        while True:
            news = self._intake.news
            heights = backlog.heights[:AT_A_TIME]
            node = self._next(heights[0]) if heights else None
            if node is None:
                await news.wait()
                continue
            rest = await self._fill(node, heights)
            if rest is None:
                self._backoff.reset()
            else:
                await trio.sleep(max(rest, self._backoff.next()))

    def _next(self, height: int) -> Node | None:
        """Who is asked for ``height``: one that has it, by turns."""
        ready = [node for node in self._nodes if node.is_ready and node.height >= height]
        wanted = self._intake.backlog.wanted_of(height, [node.name for node in ready])
        able = [node for node in ready if node.name in wanted]
        self._turn += 1
        return able[self._turn % len(able)] if able else None

    async def _fill(self, node: Node, heights: Sequence[int]) -> float | None:
        """Read ``heights`` from ``node``; how many seconds it wants to rest, if it had none of them or has no time."""
        found: dict[int, Outcome] = {}
        async with trio.open_nursery() as nursery:
            for height in heights:
                nursery.start_soon(_ask, node, height, found)
        lost: list[Lost] = []
        done = [await self._take(node, height, found[height], lost) for height in heights]
        await self._intake.give_up(node.name, joined(lost))
        busy = [each for each in found.values() if isinstance(each, Refused) and each.status in BUSY]
        if any(done) and not busy:
            return None
        return max((each.retry_after or 0.0 for each in busy), default=0.0)

    async def _take(self, node: Node, height: int, outcome: Outcome, lost: list[Lost]) -> bool:
        backlog = self._intake.backlog
        if height not in backlog.heights:
            # It was told meanwhile.
            return True
        told = self._read(node, height, outcome)
        if told is None:
            if isinstance(outcome, Refused) and outcome.status in BUSY:
                # It has the block, perhaps, and will say so when it is asked later.
                return False
            if isinstance(outcome, Refused) and outcome.code is not None:
                names = [each.name for each in self._nodes if each.is_ready and each.height >= height]
                lost += backlog.refused(height, node.name, names)
            else:
                lost += backlog.failed(height)
            return False
        backlog.read(height)
        self.filled += 1
        counters.chain_blocks_filled.add(self._source)
        self._known.learn(told.observations)
        await node.told("block_results", told)
        return True

    def _read(self, node: Node, height: int, outcome: Outcome) -> Told | None:
        """What the node's answers tell; None if they tell nothing."""
        try:
            if isinstance(outcome, Exception):
                raise outcome
            seen = read_block(outcome[0], node.origin("block", is_history=True), self._known)
            first = next((each for each in seen.observations if isinstance(each, BlockSeen)), None)
            return read_block_results(outcome[1], node.origin("block_results", is_history=True), first)
        except READ_ERRORS as error:
            node.state.failed("block", f"{height}: {error}")
            return None


async def _ask(node: Node, height: int, found: dict[int, Outcome]) -> None:
    try:
        found[height] = (await node.call(block(height)), await node.call(block_results(height)))
    except READ_ERRORS as error:
        found[height] = error
