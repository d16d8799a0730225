"""Reading one interface of one node of a chain, for ever: connect, ask, look again, and begin anew when it is lost.

Rules of this file:

* A session ends with a reason in words, never with an error: a bad node costs itself. The next one begins after a
  random time, which grows while sessions end before the first look.
* At most ``requests`` questions are under way at a time; each is answered or given up within ``deadline``. When too
  many wait the session ends: the next one begins with what is asked then.
* A chain may pause for longer than a node may be silent, and looks may be further apart: a node that is quiet is asked
  whether it is there.
* A node from which nothing at all has come for two looks and a deadline is lost, whatever its connection says.
* Who connects, asks and takes what comes is the reader of a layer; what anything means is decided by the rules of it.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

import msgspec
import trio

from actors.sources.access import Access
from actors.sources.backoff import Backoff
from actors.sources.chain_link import ChainLink, NodeState
from domain.chain import NodeHeard, Observation, Provenance
from transport import Closed, Fetcher, Refused, Unfetched

Question = TypeVar("Question")

QUICKEST_PROBE = 0.5
"""Seconds between two questions whether a node is there, at least."""

FIRST_PROBE = 1.0
"""The same while it is not known how fast the chain is."""

QUESTIONS_LIMIT = 10_000
"""Questions that wait for their turn; of a node that owes more answers nothing is known any more."""


class Pace(msgspec.Struct, frozen=True):
    """Seconds between two looks (``poll``) and for an answer (``deadline``); ``requests`` may be under way."""

    poll: float
    deadline: float
    requests: int

    @property
    def silence(self) -> float:
        """Seconds without a word after which a node is lost."""
        return 2 * self.poll + self.deadline


class Post(msgspec.Struct, frozen=True):
    """One place of one chain: what is read there, how it is, whom it is told, and the ``clock`` (Unix seconds).

    ``access`` is what lets us in.
    """

    chain: str
    address: str
    state: NodeState
    link: ChainLink
    pace: Pace
    clock: Callable[[], float]
    chance: random.Random
    access: Access = msgspec.field(default_factory=Access)

    def fetcher(self, connections: int) -> Fetcher:
        """Who asks there, ``connections`` at a time."""
        access = self.access
        return Fetcher(
            self.address,
            deadline=self.pace.deadline,
            headers=access.headers,
            context=access.context,
            connections=connections,
        )


class NodeReader(Generic[Question]):
    """What the readers of all layers have in common."""

    def __init__(self, post: Post) -> None:
        self.post = post
        self.state = post.state
        self.pace = post.pace
        self._backoff = Backoff(post.chance)
        self._scope = trio.CancelScope()
        self._reason = ""
        self._heard = 0.0
        self._is_answering = False
        self._questions, self._asked = trio.open_memory_channel[Question](QUESTIONS_LIMIT)

    async def keep_reading(self) -> None:
        """Read the node for ever."""
        while True:
            self._reason = ""
            try:
                await self.session()
            except (Unfetched, Refused, Closed) as error:
                self._reason = self._reason or str(error)
            self._is_answering = False
            await self.tell(self.ended())
            delay = self._backoff.next()
            reason = self._reason or "ended by the node"
            self.state.lost(reason, delay)
            await self.tell([NodeHeard(self.origin("connect"), None, reason)])
            await trio.sleep(delay)

    async def serve(
        self,
        begin: Callable[[], Awaitable[None]],
        ask: Callable[[Question], Awaitable[None]],
        look: Callable[[], Awaitable[None]],
        *others: Callable[[], Awaitable[None]],
    ) -> None:
        """Be connected: ``begin``, ``look`` again and again, ``ask`` what is wanted, until the session ends."""
        # What was wanted of the connection before is wanted no more.
        self._questions, self._asked = trio.open_memory_channel[Question](QUESTIONS_LIMIT)
        self._heard = trio.current_time()
        async with trio.open_nursery() as nursery:
            self._scope = nursery.cancel_scope
            for _ in range(self.pace.requests):
                nursery.start_soon(self._work, ask)
            for other in others:
                nursery.start_soon(other)
            nursery.start_soon(self._keep_looking, begin, look)

    # -- for the reader of a layer ------------------------------------------------------------------------------------

    async def session(self) -> None:
        """Connect, and ``serve``."""
        raise NotImplementedError

    def ended(self) -> Iterable[Observation]:
        """What there is to tell because the connection is gone."""
        return ()

    def want(self, questions: Iterable[Question]) -> None:
        """Ask ``questions`` when it is their turn."""
        try:
            for question in questions:
                self._questions.send_nowait(question)
        except trio.WouldBlock:
            self.end(f"{QUESTIONS_LIMIT} questions wait for an answer: it is slower than its chain")
        self._count_waiting()

    def hear(self) -> None:
        """The node said something."""
        self._heard = trio.current_time()
        self._is_answering = True
        self.state.answered()

    def end(self, reason: str) -> None:
        """End the session."""
        self._reason = self._reason or reason
        self._scope.cancel()

    async def tell(self, observations: Iterable[Observation]) -> None:
        """Tell the desks, and note what the rules say of the node itself."""
        told = tuple(observations)
        for said in told:
            if isinstance(said, NodeHeard) and said.round_trip is not None:
                self.state.round_trip = said.round_trip
        if self._is_answering and self.is_known():
            self.state.connected()
        elif self._is_answering:
            self.state.kept_out()
            # That it lives does not make it one whose word counts.
            told = tuple(said for said in told if not isinstance(said, NodeHeard) or said.fault is not None)
        await self.post.link.tell(told)

    def is_known(self) -> bool:
        """Whether the node told that it is of our chain."""
        raise NotImplementedError

    def block_time(self) -> float | None:
        """Seconds that the chain takes for a block; None while that is not known."""
        return None

    async def keep_probing(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Ask by ``probe`` whether the node is there whenever it says nothing for a block time, for ever."""
        while True:
            block_time = self.block_time()
            # How fast it is may be known to those who judge it, from before we began.
            step = FIRST_PROBE if block_time is None else max(block_time, QUICKEST_PROBE)
            step = min(step, self.pace.poll)
            await trio.sleep(step)
            if trio.current_time() - self._heard >= step:
                await probe()

    def origin(self, method: str) -> Provenance:
        """Where a word on the node itself comes from, said now."""
        return Provenance(self.post.chain, self.state.name, method, self.post.clock())

    # -- its tasks ----------------------------------------------------------------------------------------------------

    async def _work(self, ask: Callable[[Question], Awaitable[None]]) -> None:
        async for question in self._asked:
            self._count_waiting()
            await ask(question)

    def _count_waiting(self) -> None:
        self.state.waiting = self._asked.statistics().current_buffer_used

    async def _keep_looking(self, begin: Callable[[], Awaitable[None]], look: Callable[[], Awaitable[None]]) -> None:
        await begin()
        while True:
            await trio.sleep(self.pace.poll)
            silence = trio.current_time() - self._heard
            if silence > self.pace.silence:
                self.end(f"nothing was heard for {silence:.0f} s")
                return
            if silence <= self.pace.poll:
                self._backoff.reset()
            if self.state.reason is not None:
                await self.tell([NodeHeard(self.origin("connect"), None, self.state.reason)])
            await look()
