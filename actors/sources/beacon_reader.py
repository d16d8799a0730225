"""Reading the consensus layer of one node of Ethereum: the Beacon API, and its stream of events beside it.

Rules of this file: ``Beacon`` decides what to ask and what an answer or event means. Here is only what it cannot do:
ask, listen, and give up.

* Each look asks for the node's health too: that tells how long an answer takes, and whether there is one.
* The stream is opened once the chain's clock is known, and again whenever it ends, is refused or is silent; the way to
  ask for it changes when a way is refused, or the node does not begin to answer.
"""

from __future__ import annotations

from functools import partial

import trio

from actors.sources.backoff import Backoff
from actors.sources.node_reader import NodeReader, Post
from domain.chain import EventStream, NodeHeard, ServerSentEvent
from domain.chain.beacon import HEALTH, Beacon, Query, Step, health_fault
from transport import CodecError, Fetcher, Refused, Unfetched, decode_json

SILENT_SLOTS = 4
LEAST_SILENCE = 20.0
"""Seconds that a stream may be silent however short the chain's slots are."""

EVENTS = "events"
_OK = 200
_BESIDE = 2  # connections: the stream, and the question for the node's health


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
        async with Fetcher(self.post.address, deadline=self.pace.deadline, connections=connections) as fetcher:
            await self.serve(
                self._begin, partial(self._ask, fetcher), partial(self._look, fetcher), partial(self._listen, fetcher)
            )
        self.is_listening = False

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
            self.state.failed(query.method, f"refused with HTTP {status}")
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
            # One that was open and is cut says nothing about what was asked for.
            is_refused = isinstance(error, Refused) or error.trouble in ("silent", "garbled")
            if is_refused and not self.is_listening:
                self._machine.topics.refused()
            return str(error)
        return "ended by the node"

    async def _hear(self, event: ServerSentEvent) -> None:
        try:
            value = decode_json(event.data)
        except CodecError as error:
            self.state.failed(EVENTS, str(error))
        else:
            await self._take(self._machine.heard(event.name, value, self.post.clock()), EVENTS)
