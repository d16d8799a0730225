"""Reading the consensus layer of one node of Ethereum: the Beacon API, and its stream of events beside it.

Rules of this file: ``Beacon`` decides what to ask and what an answer or event means. Here is only what it cannot do:
ask, listen, and give up.

* Each look asks for the node's health too: that tells how long an answer takes, and whether there is one.
* The stream is opened once the chain's clock is known, and again whenever it ends, is refused or is silent; the way to
  ask for it changes when a way is refused, or the node does not begin to answer although it has new heads.
"""

from __future__ import annotations

from functools import partial

import trio

from actors.sources.backoff import Backoff
from actors.sources.node_reader import NodeReader, Post
from domain.chain import EventStream, NodeHeard, ServerSentEvent
from domain.chain.beacon import HEALTH, Beacon, Query, Step, health_fault, read_refusal
from transport import CodecError, Fetcher, Refused, Unfetched, advice_on, decode_json

SILENT_SLOTS = 4
LEAST_SILENCE = 20.0
"""Seconds that a stream may be silent however short the chain's slots are."""

EVENTS = "events"
_OK = 200
_BESIDE = 3  # connections: the stream, and the questions for the node's health, of a look and of a silence


class BeaconReader(NodeReader[Query]):
    """Reads the node at ``post`` into ``machine``."""

    def __init__(self, post: Post, machine: Beacon) -> None:
        super().__init__(post)
        self._machine = machine
        self._stream = EventStream()
        self._clock_known = trio.Event()
        self.is_listening = False

    async def session(self) -> None:
        """Connect and read."""
        self._clock_known = trio.Event()
        connections = self.pace.requests + _BESIDE
        async with self.post.fetcher(connections) as fetcher:
            await self.serve(
                self._begin,
                partial(self._ask, fetcher),
                partial(self._look, fetcher),
                partial(self._listen, fetcher),
                partial(self.keep_probing, partial(self._probe, fetcher)),
            )
        self.is_listening = False

    def is_known(self) -> bool:
        """Whether the node told the clock of our chain."""
        return self._machine.timing is not None

    def block_time(self) -> float | None:
        """Seconds that a slot takes, once the node has told it."""
        return None if self._machine.timing is None else self._machine.timing.slot_time

    async def _begin(self) -> None:
        await self._take(self._machine.began(self.post.clock()), "connect")

    async def _look(self, fetcher: Fetcher) -> None:
        await self._probe(fetcher)
        await self._take(self._machine.polled(self.post.clock()), "poll")

    async def _take(self, step: Step, asked: str) -> None:
        self.want(step.queries)
        if step.fault is not None:
            self.state.failed(asked, str(step.fault))
        self.state.version = self._machine.version
        self.state.not_told = dict(self._machine.not_told.items())
        for said in step.observations:
            if isinstance(said, NodeHeard) and said.fault is not None:
                self.state.failed(said.provenance.method, said.fault)
        if self._machine.timing is not None:
            self._clock_known.set()
        await self.tell(step.observations)

    # -- questions ----------------------------------------------------------------------------------------------------

    async def _ask(self, fetcher: Fetcher, query: Query) -> None:
        try:
            if query.body is None:
                fetched = await fetcher.fetch(query.path, query.query)
                status, body = fetched.status, fetched.value
            else:
                status, body = _OK, await fetcher.post(query.path, list(query.body))
        except Refused as error:
            status, body = error.status, error.answer or error.message
        except Unfetched as error:
            self.state.failed(query.method, error.detail)
            await self._take(self._machine.gave_up(query, self.post.clock(), error.detail), query.method)
            if self.state.since is None:
                self.end(str(error))
            return
        self.hear()
        step = self._machine.answered(query, status, body, self.post.clock())
        if status != _OK and query.name not in self._machine.not_told:
            reason = f"{read_refusal(status, body).reason}{advice_on(status)}"
            self.state.failed(query.method, f"refused with HTTP {status}: {reason}")
        await self._take(step, query.method)

    async def _probe(self, fetcher: Fetcher) -> None:
        began = trio.current_time()
        try:
            status = (await fetcher.fetch(HEALTH.path)).status
        except Refused as error:
            status = error.status
        except Unfetched as error:
            self.end(str(error))
            return
        self.hear()
        fault = health_fault(status)
        await self.tell([NodeHeard(self.origin(HEALTH.method), trio.current_time() - began, fault)])

    # -- the stream ---------------------------------------------------------------------------------------------------

    async def _listen(self, fetcher: Fetcher) -> None:
        backoff = Backoff(self.post.chance)
        await self._clock_known.wait()
        while True:
            reason = await self._listen_once(fetcher, backoff)
            self.is_listening = False
            self._stream.reset()
            self.state.lost_stream(EVENTS, reason)
            await trio.sleep(backoff.next())

    async def _listen_once(self, fetcher: Fetcher, backoff: Backoff) -> str:
        """Open the stream and read it to its end; why it ended."""
        timing, query = self._machine.timing, self._machine.topics.query
        silence = LEAST_SILENCE if timing is None else max(LEAST_SILENCE, SILENT_SLOTS * timing.slot_time)
        head = self._machine.head
        try:
            async with fetcher.stream(query.path, query.query, silence=silence) as pieces:
                self.is_listening = True
                # What happened before it was opened is in no event.
                await self._take(self._machine.polled(self.post.clock()), "poll")
                async for piece in pieces:
                    backoff.reset()
                    self.hear()
                    for event in self._stream.feed(piece):
                        await self._hear(event)
        except (Refused, Unfetched) as error:
            # One that was open and is cut says nothing about what was asked for, nor one that had nothing to tell.
            has_news = head not in (None, self._machine.head)
            if not self.is_listening and _is_refusal(error, has_news=has_news):
                self._machine.topics.refused()
            return str(error)
        return "ended by the node"

    async def _hear(self, event: ServerSentEvent) -> None:
        try:
            value = decode_json(event.data, limit=None)
        except CodecError as error:
            self.state.failed(EVENTS, str(error))
        else:
            await self._take(self._machine.heard(event.name, value, self.post.clock()), EVENTS)


def _is_refusal(error: Refused | Unfetched, *, has_news: bool) -> bool:
    """Whether a stream that did not begin was asked for in a wrong way; ``has_news``: there was something to tell."""
    if isinstance(error, Refused):
        return True
    return error.trouble == "garbled" or (error.trouble == "silent" and has_news)
