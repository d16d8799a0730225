"""Reading the execution layer of one node of Ethereum: by WebSocket, where it tells by itself, or by HTTP.

Rules of this file: ``Execution`` decides what to ask and what an answer means. Here is only what it cannot do: send,
receive, and give up.

* By HTTP nothing can be subscribed to: heads come with each look, and no transaction before it is in a block.
* Where a node has the subscription to heads, and refuses it, or brings none while each look finds new ones, the link is
  made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import trio

from actors.sources.node_reader import NodeReader, Post
from domain import JsonValue
from domain.chain import HeadSeen, NodeHeard, Observation
from domain.chain.ethereum import LATEST, NEW_HEADS, SYNCING, Execution, Request, Step, read_refusal
from transport import (
    Closed,
    CodecError,
    Fetcher,
    LinkLimits,
    Refused,
    Unfetched,
    WebSocketLink,
    connect,
    decode_json,
    encode_json,
)

UNHEARD_LIMIT = 3
"""Looks in a row that find a new head of which the subscription has told nothing."""

_SUBSCRIBE = "eth_subscribe"


class ExecutionReader(NodeReader[Request]):
    """Reads the node at ``post`` into ``machine``."""

    def __init__(self, post: Post, machine: Execution) -> None:
        super().__init__(post)
        self._machine = machine
        self._waiting: dict[int, tuple[Request, trio.Event]] = {}
        self._is_link = post.address.startswith("ws")
        self._unheard = 0

    async def session(self) -> None:
        """Connect and read."""
        self._unheard = 0
        if self._is_link:
            deadline = self.pace.deadline
            limits = LinkLimits(deadline=deadline, ping_interval=deadline, patience=deadline)
            access = self.post.access
            async with connect(
                self.post.address, limits=limits, headers=access.headers, context=access.context
            ) as link:
                send, read = partial(self._send, link), partial(self._read, link)
                await self.serve(self._begin, send, self._look, read, self._keep_probing)
        else:
            async with self.post.fetcher(self.pace.requests) as fetcher:
                await self.serve(self._begin, partial(self._post, fetcher), self._look, self._keep_probing)

    def ended(self) -> Iterable[Observation]:
        """The blocks that waited for more to be known."""
        self._waiting.clear()
        return self._machine.lost(self.post.clock()).observations

    def is_known(self) -> bool:
        """Whether the node told the number of our chain."""
        return self._machine.is_known

    def block_time(self) -> float | None:
        """Seconds that the chain takes for a block, as far as the node told."""
        return self._machine.block_time

    async def _keep_probing(self) -> None:
        await self.keep_probing(self._probe)

    async def _begin(self) -> None:
        await self._take(self._machine.began(self.post.clock()), "connect")

    async def _look(self) -> None:
        await self._take(self._machine.polled(self.post.clock()), "poll")

    async def _probe(self) -> None:
        await self._take(self._machine.probed(self.post.clock()), "probe")

    async def _take(self, step: Step, asked: str) -> None:
        self.want(step.requests)
        if step.fault is not None:
            self.state.failed(asked, str(step.fault))
        self.state.version, self.state.not_told = self._machine.version, self._machine.not_told
        for said in step.observations:
            self._note(said)
        await self.tell(step.observations)

    def _note(self, said: Observation) -> None:
        if isinstance(said, NodeHeard) and said.fault is not None:
            self.state.failed(said.provenance.method, said.fault)
        elif isinstance(said, HeadSeen):
            method = said.provenance.method
            self._unheard = self._unheard + 1 if method == LATEST.name else 0
            if self._is_link and self._unheard > UNHEARD_LIMIT and NEW_HEADS.name not in self._machine.not_told:
                self.state.lost_stream(NEW_HEADS.name, "it brings nothing, although there are new heads")
                self.end("the subscription to heads brings nothing")

    # -- by WebSocket -------------------------------------------------------------------------------------------------

    async def _send(self, link: WebSocketLink, request: Request) -> None:
        answered = trio.Event()
        self._waiting[request.id] = request, answered
        began, is_sent = trio.current_time(), False
        with trio.move_on_after(self.pace.deadline):
            try:
                await link.send(encode_json(request.message()).decode())
            except Closed as error:
                self.end(str(error))
                return
            is_sent = True
            await answered.wait()
        self._waiting.pop(request.id, None)
        if answered.is_set():
            await self._probed(request, trio.current_time() - began)
        elif is_sent:
            await self._give_up(request, f"no answer within {self.pace.deadline:g} s")
        else:
            # Half a message may be on its way: nothing can follow it.
            self.end(f"it did not take a request within {self.pace.deadline:g} s")

    async def _read(self, link: WebSocketLink) -> None:
        try:
            async for message in link:
                try:
                    value = decode_json(message, limit=None)
                except CodecError as error:
                    self.state.failed("a message", str(error))
                else:
                    await self._received(value)
        except Closed as error:
            self.end(str(error))

    async def _received(self, value: JsonValue) -> None:
        self.hear()
        told = value if isinstance(value, Mapping) else {}
        number = told.get("id")
        waiting = self._waiting.pop(number, None) if isinstance(number, int) else None
        if waiting is not None:
            request, answered = waiting
            answered.set()
            self._complain(request, value)
        step = self._machine.received(value, self.post.clock())
        if waiting is not None and step.fault is not None and waiting[0].call.method == _SUBSCRIBE:
            self._missed(waiting[0], str(step.fault))
        await self._take(step, "a notice" if "method" in told else "an answer")

    # -- by HTTP ------------------------------------------------------------------------------------------------------

    async def _post(self, fetcher: Fetcher, request: Request) -> None:
        if request.call.method == _SUBSCRIBE:
            await self._take(self._machine.gave_up(request, self.post.clock(), "not by HTTP"), request.call.name)
            return
        began = trio.current_time()
        try:
            value = await fetcher.post("", request.message())
        except Refused as error:
            # Some nodes send the errors of JSON-RPC with a status of their own.
            value = error.answer if isinstance(error.answer, Mapping) and "id" in error.answer else None
            if value is None:
                await self._give_up(request, str(error))
                return
        except Unfetched as error:
            await self._give_up(request, error.detail)
            if request.call == SYNCING or self.state.since is None:
                self.end(str(error))
            return
        self.hear()
        self._complain(request, value)
        await self._take(self._machine.received(value, self.post.clock()), request.call.name)
        # What was no answer to this request is none that will come.
        await self._take(self._machine.gave_up(request, self.post.clock(), "no answer to it"), request.call.name)
        await self._probed(request, trio.current_time() - began)

    # -- both ---------------------------------------------------------------------------------------------------------

    async def _probed(self, request: Request, round_trip: float) -> None:
        if request.call == SYNCING:
            await self.tell([NodeHeard(self.origin(SYNCING.name), round_trip)])

    async def _give_up(self, request: Request, reason: str) -> None:
        self._missed(request, reason)
        await self._take(self._machine.gave_up(request, self.post.clock(), reason), request.call.name)

    def _complain(self, request: Request, value: JsonValue) -> None:
        """Note what the node refuses, unless it is something that it does not have."""
        error = value.get("error") if isinstance(value, Mapping) else None
        if error is None:
            return
        refusal = read_refusal(error)
        if refusal.kind != "not_offered":
            self._missed(request, refusal.reason)
        elif request.call.method == _SUBSCRIBE:
            self.state.lost_stream(request.call.name, refusal.reason)

    def _missed(self, request: Request, reason: str) -> None:
        self.state.failed(request.call.name, reason)
        if request.call.method == _SUBSCRIBE:
            self.state.lost_stream(request.call.name, reason)
            if request.call == NEW_HEADS:
                self.end(f"the subscription to heads was refused: {reason}")
