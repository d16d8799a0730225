"""One node of a chain of CometBFT: what it is asked, and how it answers.

Rules of this file:

* ``status`` comes first: a node of another chain is refused and said, and is asked nothing else until it is of ours.
* An answer that does not come, or cannot be read, costs itself: it is counted, said, and asked again at the next poll.
* Nothing is decided here but when to ask.
"""

from __future__ import annotations

import math
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import trio
from msgspec.structs import replace

from actors.sources.access import Access
from actors.sources.backoff import Backoff
from actors.sources.chain_link import NodeState, heard
from actors.sources.cosmos_intake import Intake
from config import CosmosNode as NodeSettings
from config import CosmosSource as CosmosSettings
from domain import JsonValue
from domain.chain import NodeHeard, Observation, Provenance, ValidatorsRead
from domain.chain.cosmos import (
    CONSENSUS_STATE,
    HEALTH,
    HEIGHT_HEADER,
    NET_INFO,
    SLASHING_RULES,
    STATUS,
    UNCONFIRMED,
    Call,
    CosmosFault,
    Fetch,
    Known,
    NodeRefused,
    NodeStatus,
    Paging,
    Release,
    Told,
    read_consensus_state,
    read_net_info,
    read_slashing_rules,
    read_status,
    read_unconfirmed,
    release_of,
    with_signing_infos,
)
from telemetry import events
from transport import Fetched, Fetcher, Refused, Unfetched, place_of

FAULTS_TOLD = 5
QUIET = 1.5
"""Block times without a word after which a node is asked whether it lives: a chain that stands still says nothing."""
LEAST_QUIET = 1.0
SPREAD = 0.2
"""How far a poll may be from its time, as a share of the interval: so that not all nodes are asked at once."""
HEIGHT_DIGITS = 18
UNIMPLEMENTED = 12
"""The code of a REST interface for what it does not have (gRPC, "Status codes")."""

READ_ERRORS = (Unfetched, Refused, CosmosFault)
Reader = Callable[[JsonValue, Provenance], Told]


class Node:
    """A node of the source ``source``; ``intake`` takes what it says."""

    def __init__(
        self, source: str, settings: CosmosSettings, node: NodeSettings, intake: Intake, chance: random.Random
    ) -> None:
        self.name = node.called
        self.address = node.rpc.rstrip("/")
        self.access = Access.of(node)
        self.settings = settings
        self.intake = intake
        self.chance = chance
        self.known = Known()
        self.status: NodeStatus | None = None
        self.is_ours = False
        self.is_ready = False
        self.height = -1
        self.state = NodeState(source, self.name, "rpc", place_of(self.address), intake.clock)
        self._rpc = _fetcher(self.address, self.access, settings)
        self._rest = _fetcher(node.rest.rstrip("/"), self.access, settings) if node.rest else None
        self._backoff = Backoff(chance)
        self._wanted = trio.Event()
        self._refused: str | None = None
        self._has_new_link = False
        self._heard = -math.inf

    @property
    def has_rest(self) -> bool:
        """Whether it has the records of the Cosmos SDK."""
        return self._rest is not None

    @property
    def release(self) -> Release:
        """Which release of CometBFT it is."""
        return release_of(None if self.status is None else self.status.version)

    @property
    def earliest(self) -> int:
        """The lowest height that it still has."""
        return 1 if self.status is None else self.status.earliest

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[None]:
        """Have its connections for as long as this lasts."""
        async with AsyncExitStack() as stack:
            for fetcher in (self._rpc, self._rest):
                if fetcher is not None:
                    await stack.enter_async_context(fetcher)
            yield

    def origin(self, method: str, *, is_history: bool = False) -> Provenance:
        """Where what it says by ``method`` now comes from."""
        return Provenance(self.intake.chain, self.name, method, self.intake.clock(), is_history=is_history)

    def note_height(self, height: int) -> None:
        """It has the block of ``height``."""
        self.height = max(self.height, height)

    def suspect(self) -> None:
        """It told that somebody leaves the set, and not in which block: its records are to say why."""
        self.intake.suspect(self.name, self.height)

    def opened(self) -> None:
        """It tells of new blocks from now on: what it has already and nobody told is a gap."""
        self._has_new_link = True
        self._wanted.set()

    async def wait_ours(self) -> None:
        """Wait until it is known to be a node of our chain."""
        while not self.is_ours:
            await self.intake.news.wait()

    # -- the polls ----------------------------------------------------------------------------------------------------

    async def keep_polling(self) -> None:
        """Ask how it is, for ever."""
        while True:
            self._wanted = trio.Event()
            delay = self.spread() if await self._poll() else self._backoff.next()
            with trio.move_on_after(delay):
                await self._wanted.wait()

    async def keep_probing(self) -> None:
        """Ask whether it lives when it is quiet for longer than the chain usually is, for ever."""
        asked = -math.inf
        while True:
            await trio.sleep(LEAST_QUIET)
            block_time, at = self.known.block_time, trio.current_time()
            if self.is_ready and block_time is not None and at - max(self._heard, asked) >= QUIET * block_time:
                asked = at
                await self._measure()

    def spread(self) -> float:
        """Seconds until the next poll."""
        return self.settings.poll * self.chance.uniform(1 - SPREAD, 1 + SPREAD)

    async def _poll(self) -> bool:
        before, is_new_link = self.status, self._has_new_link
        if not await self._look():
            return False
        self._backoff.reset()
        # What it had at the last poll it has told by now, or it never will.
        status = self.status if is_new_link else before
        if status is not None:
            self._has_new_link = self._has_new_link and not is_new_link
            await self.intake.reached(self.name, status.head.height, self.earliest)
        await self.read(NET_INFO, read_net_info)
        await self.read(CONSENSUS_STATE, read_consensus_state)
        await self.read(UNCONFIRMED, read_unconfirmed)
        await self._measure()
        return True

    async def _look(self) -> bool:
        """Ask for its status; whether it is a node of ours."""
        try:
            value = await self.call(STATUS)
            status = read_status(value, self.origin(STATUS.method))
        except READ_ERRORS as error:
            await self._lost(str(error))
            return False
        if status.chain != self.intake.chain:
            await self._refuse(status.chain)
            return False
        self._refused = None
        self.status = status
        # Higher heights that it told before it may have never had.
        self.height = status.head.height
        self.state.version = status.version
        self.state.connected()
        self.state.answered()
        self.is_ours = self.is_ready = True
        # A chain that has no block yet has no head, whatever its nodes say of the time of one.
        await self.take([status.head if status.head.height else NodeHeard(self.origin(STATUS.method), None)])
        return True

    async def _refuse(self, chain: str) -> None:
        self.is_ours = False
        if self._refused != chain:
            self._refused = chain
            events.node_refused(source=self.state.source, node=self.name, chain=chain, wanted=self.intake.chain)
        await self._lost(f"it is a node of the chain {chain}, not of {self.intake.chain}")

    async def _lost(self, reason: str) -> None:
        self.state.failed(STATUS.method, reason)
        self.state.since, self.state.reason = None, reason
        self.is_ready = False
        self.intake.backlog.left(self.name)
        fault = NodeHeard(heard(self.intake.chain, self.name, STATUS.method, self.intake.clock()), None, reason)
        await self.intake.take(self.name, [fault])

    async def _measure(self) -> None:
        began = trio.current_time()
        try:
            await self.call(HEALTH)
        except READ_ERRORS as error:
            self.state.failed(HEALTH.method, str(error))
            return
        self.state.round_trip = trio.current_time() - began
        await self.take([NodeHeard(self.origin(HEALTH.method), self.state.round_trip)])

    # -- asking -------------------------------------------------------------------------------------------------------

    async def call(self, asked: Call) -> JsonValue:
        """The result of a call.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if it answered with an error.
        """
        return await self._rpc.call(asked.method, dict(asked.params))

    async def fetch(self, asked: Fetch) -> tuple[JsonValue, int | None]:
        """What its REST interface answers, an error of its own too, and the height that this is of.

        Raises:
            Unfetched: if there was no answer that can be used.
            Refused: if it answered with an error that is not in JSON.
        """
        if self._rest is None:
            raise CosmosFault("it has no REST interface")
        try:
            found: Fetched = await self._rest.fetch(asked.path, dict(asked.params))
        except Refused as refused:
            if refused.answer is None:
                raise
            return refused.answer, None
        height = found.headers.get(HEIGHT_HEADER, "")
        is_height = height.isascii() and height.isdigit() and len(height) <= HEIGHT_DIGITS
        return found.value, int(height) if is_height else None

    async def take(self, observations: Iterable[Observation]) -> None:
        """Hand on what it said, and learn from it."""
        said = tuple(observations)
        self._heard = trio.current_time()
        self.known.learn(said)
        await self.intake.take(self.name, said)

    async def told(self, method: str, told: Told) -> None:
        """Hand on what an answer or a message told; what of it could not be read is counted and said."""
        self.state.answered()
        for fault in told.faults[:FAULTS_TOLD]:
            self.state.failed(method, str(fault))
        await self.take(told.observations)

    async def read(self, asked: Call, read: Reader) -> bool:
        """Ask, read and hand on; whether there was an answer."""

        async def find() -> Told:
            value = await self.call(asked)
            return read(value, self.origin(asked.method))

        return await self._hand_on(asked.method, find)

    async def read_rules(self) -> bool:
        """Ask for the chain's own rules for downtime, and hand them on."""

        async def find() -> Told:
            value, _ = await self.fetch(SLASHING_RULES)
            return read_slashing_rules(value, self.origin("slashing/params"))

        return await self._hand_on("slashing/params", find)

    async def read_records(self) -> bool:
        """Read who the validators are, which of them are jailed and what each missed; whether that went well.

        A chain that has no such records is well too: another chain has its validators.
        """
        staking = await self._find("staking/validators", partial(self._read_pages, Paging.of_staking()))
        if staking is None:
            return False
        signing = await self._find("slashing/signing_infos", partial(self._read_pages, Paging.of_signing_infos()))
        await self.told("staking/validators", _together(staking, signing or Told()))
        return True

    async def read_active_set(self) -> bool:
        """Read who validates the next block; whether that went well."""
        return await self._hand_on("validators", partial(self._read_pages, Paging.of_active_set()))

    async def _read_pages(self, paging: Paging) -> Told:
        told = Told()
        while (wanted := paging.wanted) is not None:
            # Where the answer does not say of which height it is, it is of this one or a later one.
            before = None if self.height < 0 else self.height
            height: int | None = None
            if isinstance(wanted, Call):
                value = await self.call(wanted)
            else:
                value, height = await self.fetch(wanted)
                height = before if height is None else height
            told = paging.take(value, replace(self.origin(""), height=height))
        return told

    async def _hand_on(self, method: str, find: Callable[[], Awaitable[Told]]) -> bool:
        told = await self._find(method, find)
        if told is None:
            return False
        await self.told(method, told)
        return True

    async def _find(self, method: str, find: Callable[[], Awaitable[Told]]) -> Told | None:
        try:
            return await find()
        except READ_ERRORS as error:
            self.state.failed(method, str(error))
            return Told() if isinstance(error, NodeRefused) and error.code == UNIMPLEMENTED else None


def _fetcher(address: str, access: Access, settings: CosmosSettings) -> Fetcher:
    return Fetcher(address, deadline=settings.deadline, headers=access.headers, context=access.context)


def _together(staking: Told, signing: Told) -> Told:
    faults = staking.faults + signing.faults
    match staking.observations, signing.observations:
        case (ValidatorsRead() as rows,), (ValidatorsRead() as infos,):
            return Told(with_signing_infos(rows, infos), faults)
    return Told((*staking.observations, *signing.observations), faults)
