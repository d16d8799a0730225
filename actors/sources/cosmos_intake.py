"""What comes from all nodes of one chain, on its way to the desks: what is missing, and what needs a second look.

Rules of this file:

* What was said goes to the desks before anything is made of it.
* A jailing, or a validator that leaves the set, needs a second look at once; each height is looked at again once.
* Heights that are given up are told as missed, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import trio

from actors.sources.chain_link import ChainLink, heard
from domain.chain import BlockSeen, HeightsMissed, JailSeen, Observation, SetChanged, ValidatorsRead
from domain.chain.cosmos import Backlog, Lost

DOUBTS_KEPT = 256
METHOD = "block_results"


class Intake:
    """Takes what nodes of ``chain`` say and hands it on over ``link``; ``clock`` says Unix seconds."""

    def __init__(self, chain: str, link: ChainLink, gap_limit: int, clock: Callable[[], float]) -> None:
        self.chain = chain
        self.clock = clock
        self.backlog = Backlog(gap_limit)
        self.missed = 0
        self._link = link
        self._doubted: dict[int, None] = {}
        self._doubts: dict[int, str] = {}
        self._named: set[str] = set()
        self._news = trio.Event()

    async def begin(self, node: str, height: int) -> None:
        """The chain was told up to ``height`` in earlier lives, below 0 never; ``node`` says what of it is lost."""
        if height >= 0:
            await self.give_up(node, self.backlog.begin(height))
            self.wake()

    def unknown(self, watched: Iterable[str]) -> list[str]:
        """Those of ``watched`` whom no record names, once there were records."""
        return [each for each in watched if self._named and each.lower() not in self._named]

    @property
    def news(self) -> trio.Event:
        """Is set with the next thing that may give somebody here something to do."""
        return self._news

    def wake(self) -> None:
        """Have everybody look whether there is something to do."""
        self._news.set()
        self._news = trio.Event()

    async def take(self, node: str, observations: Iterable[Observation]) -> None:
        """Hand on what ``node`` said."""
        said = tuple(observations)
        if not said:
            return
        await self._link.tell(said)
        lost: list[Lost] = []
        for each in said:
            if isinstance(each, BlockSeen) and not each.provenance.is_history:
                lost += self.backlog.told(node, each.height)
            elif isinstance(each, ValidatorsRead):
                self._learn(each)
            elif not each.provenance.is_history:
                self._doubt(each)
        await self.give_up(node, lost)
        self.wake()

    async def reached(self, node: str, head: int, earliest: int = 1) -> None:
        """``node`` should have told all blocks up to ``head`` by now."""
        await self.give_up(node, self.backlog.reached(node, head, earliest))
        self.wake()

    async def give_up(self, node: str, lost: Iterable[Lost]) -> None:
        """Say that the heights of ``lost`` were seen by nobody."""
        for each in lost:
            self.missed += each.last - each.first + 1
            told = heard(self.chain, node, METHOD, self.clock())
            await self._link.tell([HeightsMissed(told, each.first, each.last, each.reason)])

    def doubts(self) -> dict[int, str]:
        """The heights that need a second look, and the node that told of each; each once."""
        found, self._doubts = self._doubts, {}
        return found

    def suspect(self, node: str, height: int) -> None:
        """``node`` told that somebody leaves the set, in its newest block or the next one; it is at ``height``."""
        self._look_again(node, height)
        self.wake()

    def _learn(self, read: ValidatorsRead) -> None:
        if any(row.operator is not None for row in read.rows):
            self._named = {name.lower() for row in read.rows for name in (row.address, row.operator) if name}

    def _doubt(self, said: Observation) -> None:
        told = said.provenance
        is_doubt = isinstance(said, JailSeen) or (
            isinstance(said, SetChanged) and any(not one for _, one in said.powers)
        )
        if is_doubt and told.height is not None:
            self._look_again(told.source, told.height)

    def _look_again(self, node: str, height: int) -> None:
        if height in self._doubted:
            return
        self._doubted[height] = None
        self._doubts[height] = node
        if len(self._doubted) > DOUBTS_KEPT:
            del self._doubted[next(iter(self._doubted))]
