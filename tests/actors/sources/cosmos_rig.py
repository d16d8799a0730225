"""A gateway that watches a chain of the tests' nodes: source, desks, recorder and a journal on the disk.

Rules of this file: time is virtual, sockets and the disk are real. A block's time is the time when it is made, as on a
chain that goes on. What was published is kept in the order in which it came.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import trio

from actors.desks import PortalDesk, TermsInForce, ValidatorDesk
from actors.desks.validators import ReadValidators
from actors.messages import Publish
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ActorRef, ActorSystem, ChildSpec, Policy, Supervisor, TrioActor, ask, survey
from actors.sources.cosmos import CosmosSource
from actors.sources.source import Freshness
from config import ChainRuleSettings, CosmosNode, JournalSettings, PortalSettings
from config import CosmosSource as CosmosSettings
from domain import Event, JsonValue
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Block, Chain, Member
from tests.nodes.comet_chain import Event as BlockEvent

NOW = 1_800_000_000.0
SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[4] / "shared"))
RECORDED = SHARED / "data" / "validators" / "crypto-org-chain"
NAMES = ("one", "two", "three")
QUERIES = 7


def now() -> float:
    """Unix seconds of the virtual clock."""
    return NOW + trio.current_time()


class Publisher(TrioActor):
    """Keeps what is published."""

    mailbox_limit = 200_000

    def __init__(self, told: list[Publish]) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message: object) -> None:
        assert isinstance(message, Publish)
        self._told.append(message)


class Watched:
    """The gateway, as a test looks at it."""

    def __init__(self, system: ActorSystem, root: ActorRef, told: list[Publish], freshness: Freshness) -> None:
        self.system = system
        self.root = root
        self.told = told
        self.freshness = freshness

    def events(self, *types: str) -> list[Event]:
        return [one.event for one in self.told if one.event.type in types]

    def news(self, name: str | None = None, chain: Chain | None = None) -> list[tuple[str, str | None]]:
        """Status and reason of each change of a state that was told, of one validator or of all."""
        address = None if name is None else Member(name).address if chain is None else chain.members[name].address
        return [
            (event.data["status"], event.data["reason"])
            for event in self.events("validator.status")
            if event.data.get("news") and address in {None, event.data["validator"]}
        ]

    def jailings(self) -> list[tuple[str, str, str | None]]:
        """Address, status and reason of each jailing that was told as news."""
        return [
            (event.data["validator"], event.data["status"], event.data["reason"])
            for event in self.events("validator.status")
            if event.data.get("news") and event.data["status"] in {"JAILED", "TOMBSTONED"}
        ]

    def status(self, name: str) -> str | None:
        """What was told last of the validator ``name``."""
        told = [one.data for one in self.events("validator.status") if one.data["validator"] == Member(name).address]
        return told[-1]["status"] if told else None

    async def describe(self, path: str = "gateway/hub") -> Mapping[str, JsonValue]:
        status = await survey(self.root, expand=1000)
        (found,) = [each for each in status.walk() if each.path == path]
        return found.description

    async def node(self, place: int = 0) -> Mapping[str, JsonValue]:
        return (await self.describe())["nodes"][place]

    async def validator(self, address: str) -> Mapping[str, JsonValue]:
        """What the desk knows of a validator."""
        desk = self.system.environment.registry.get("gateway/desks/validators")
        return await ask(desk, ReadValidators(lambda now: now.validator(address)), 10)

    async def chain(self) -> Mapping[str, JsonValue]:
        return (await self.describe("gateway/desks/validators"))["chains"][0]


async def until(happened: Callable[[], object], limit: float = 120.0) -> None:
    """Let others run, and the time pass, until ``happened``."""
    with trio.fail_after(limit):
        while not happened():  # noqa: ASYNC110
            await trio.sleep(0.05)


@asynccontextmanager
async def watching(
    nodes: Sequence[CometNode],
    path: Path,
    *,
    rules: ChainRuleSettings | None = None,
    clock: Callable[[], float] = now,
    channels: ChildSpec | None = None,
    asked: Sequence[CosmosNode] | None = None,
    **settings: object,
) -> AsyncIterator[Watched]:
    """Watch the chain of ``nodes``; the journal is at ``path``."""
    told: list[Publish] = []
    places = asked or [
        CosmosNode(rpc=node.url, rest=node.url, name=name) for node, name in zip(nodes, NAMES, strict=False)
    ]
    chain = nodes[0].chain.chain
    known = CosmosSettings(**{"chain": chain, "nodes": tuple(places), "poll": 5.0, "deadline": 3.0, **settings})
    freshness = Freshness.of("hub", known)
    journal = (path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), clock, at_once)
    watched = frozenset(each.lower() for each in known.watched)
    terms = TermsInForce(lambda: rules or ChainRuleSettings(), lambda: watched)
    desks = [
        ChildSpec("portal", PortalDesk, (PortalSettings(), clock)),
        ChildSpec("validators", ValidatorDesk, (terms, clock)),
    ]
    more = {"clock": clock, "chance": random.Random(7), "freshness": freshness}
    specs = [
        ChildSpec("recorder", Recorder, journal, redeliver=True),
        channels or ChildSpec("channels", Publisher, (told,)),
        ChildSpec("desks", Supervisor, (desks, Policy(backoff=0.05))),
        ChildSpec("hub", CosmosSource, ("hub", known), more),
    ]
    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "gateway", specs, Policy(backoff=0.05))
        await system.settled(root)
        yield Watched(system, root, told, freshness)


class Maker:
    """Makes a block of ``chain`` each second, and has ``nodes`` tell of it, while it goes on."""

    def __init__(self, chain: Chain, *nodes: CometNode, clock: Callable[[], float] = now) -> None:
        self.chain = chain
        self.nodes = nodes
        self.clock = clock

    async def make(self, count: int = 1, **members: object) -> None:
        """Make ``count`` blocks, a second after each other."""
        for _ in range(count):
            await trio.sleep(self.chain.interval)
            self.chain.grow(at=self.clock(), **members)
            await self.tell()

    async def tell(self) -> None:
        """Have all nodes tell what they have."""
        for node in self.nodes:
            if node.is_awake:
                await node.publish()

    async def keep_making(self) -> None:
        while True:
            await self.make()


def grown(blocks: int = 5, **members: object) -> Chain:
    """A chain that has made ``blocks`` up to now."""
    chain = Chain(**{"began": now() - blocks, **members})
    for _ in range(blocks):
        chain.grow()
    return chain


def change(chain: Chain, name: str, **members: object) -> None:
    """Have the validator ``name`` be what no block says of it."""
    chain.members[name] = replace(chain.members[name], **members)


async def linked(*nodes: CometNode) -> None:
    """Wait until both links to each of ``nodes`` are subscribed."""
    await until(lambda: all(len(node.subscriptions) == QUERIES for node in nodes))


async def begun(rig: Watched, maker: Maker) -> None:
    """Wait until the validators are known, and the links tell of blocks."""
    await until(lambda: rig.status("ann") == rig.status("bob") == "ACTIVE")
    await linked(*maker.nodes)
    await maker.make(3)
    await trio.sleep(0.5)


class RecordedChain(Chain):
    """A chain that has one block which a real chain made."""

    def __init__(self, recorded: dict, **members: object) -> None:
        self.recorded = recorded
        super().__init__(**{"release": "0.34.8", **members})

    @property
    def at_height(self) -> int:
        return int(self.recorded["height"])

    def make(self, at: float) -> Block:
        # Its events are as they were; that there is a jailing among them is what the query asks for.
        return self.grow(at=at, events=[BlockEvent("slash", (("jailed", "told below"),))])

    def events(self, height: int) -> list | None:
        if height != self.at_height:
            return super().events(height)
        return [*(self.recorded["begin_block_events"] or ()), *(self.recorded["end_block_events"] or ())]

    def updates(self, height: int) -> list | None:
        return self.recorded["validator_updates"] if height == self.at_height else super().updates(height)


def recorded_block(name: str) -> dict:
    """What a real node answered to ``block_results``."""
    value = json.loads((RECORDED / f"{name}.json").read_text())
    return value.get("result", value)
