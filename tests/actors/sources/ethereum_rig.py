"""A source of kind ethereum in a tree with the validators' desk on a real journal, in front of nodes on real sockets.

Rules of this file: what is published, and what the portal's desk is told, is kept and can be waited for; nobody sleeps
to see what comes. Where time is virtual it stands still while a socket has something for us.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from actors.desks import ReadValidators, TermsInForce, ValidatorDesk
from actors.messages import EventTaken, Observed, Publish, StatusesTold
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ActorSystem, ChildSpec, Policy, Supervisor, TrioActor, ask, survey
from actors.sources.ethereum import EthereumSource
from config import ChainRuleSettings, EthereumNode, JournalSettings
from config import EthereumSource as EthereumSettings
from domain import Event, JsonValue
from domain.chain.observations import Observation

LIMIT = 900.0
LOOK = 0.25
SOURCE = "gateway/sources/mainnet"


class Board:
    """Where news is cried: whoever waits for something looks again."""

    def __init__(self) -> None:
        self._news = trio.Event()

    def cry(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def until(self, condition: Callable[[], object], limit: float) -> None:
        """Wait until ``condition`` holds, looking whenever there is news and a little later: nodes cry none."""
        with trio.fail_after(limit):
            while not condition():
                with trio.move_on_after(LOOK):
                    await self._news.wait()


class Ear(TrioActor):
    """Keeps what it is told."""

    mailbox_limit = 100_000

    def __init__(self, kept: list[object], board: Board) -> None:
        super().__init__()
        self._kept = kept
        self._board = board

    def on_receive(self, message: object) -> None:
        self._kept.append(message)
        self._board.cry()


class Rig:
    """What the source made the desks do."""

    def __init__(self, wall: Callable[[], float], limit: float) -> None:
        self.wall = wall
        self.told: list[object] = []
        self.portal: list[object] = []
        self.board = Board()
        self._limit = limit
        self.system: ActorSystem | None = None
        self.root: object = None

    async def until(self, condition: Callable[[], object]) -> None:
        await self.board.until(condition, self._limit)

    def events(self, *types: str) -> list[Event]:
        """What was published of these types, by the validators' desk."""
        found = [each.event for each in self.told if type(each) is Publish]
        return [event for event in found if not types or event.type in types]

    def taken(self, type_: str) -> list[Mapping[str, JsonValue]]:
        """The data of what the portal's desk was told as events of a type."""
        events = [each.event for each in self.portal if type(each) is EventTaken]
        return [event.data for event in events if event.type == type_]

    def observed(self, kind: type[Observation]) -> list[Observation]:
        """What the portal's desk was told of the network."""
        lists = [each.observations for each in self.portal if type(each) is Observed]
        return [said for observations in lists for said in observations if isinstance(said, kind)]

    def shown(self) -> list[Event]:
        """What the portal's desk was shown of the states of validators."""
        lists = [each.events for each in self.portal if type(each) is StatusesTold]
        return [event for events in lists for event in events]

    def heights(self) -> list[JsonValue]:
        return [data["blockHeight"] for data in self.taken("chain.block")]

    async def statuses(self) -> dict[str, str]:
        """The state of each validator by its index."""
        assert self.system is not None
        desk = self.system.environment.registry.get("gateway/desks/validators")
        return await ask(desk, ReadValidators(lambda now: {v["operator"]: v["status"] for v in _validators(now)}), 30)

    async def describe(self) -> Mapping[str, JsonValue]:
        tree = await survey(self.root, expand=1000)
        (found,) = [status for status in tree.walk() if status.path == SOURCE]
        return found.description

    async def node(self, part: str = "execution", number: int = 0) -> Mapping[str, JsonValue]:
        """How a node of the source is."""
        said = await self.describe()
        return [node for node in said["nodes"] if node["part"] == part][number]


def _validators(now: object) -> list[Mapping[str, JsonValue]]:
    return [each for chain in now.names for each in now.validators(chain)]


def node(execution: object = None, beacon: object = None, *, is_http: bool = False) -> EthereumNode:
    """The settings of a node that a test runs."""
    address = "" if execution is None else execution.url if is_http else execution.link
    return EthereumNode(execution=address, beacon="" if beacon is None else beacon.url)


@asynccontextmanager
async def reading(
    path: Path,
    *nodes: EthereumNode,
    began: float | None = None,
    rules: ChainRuleSettings | None = None,
    limit: float = LIMIT,
    portal: ChildSpec | None = None,
    channels: ChildSpec | None = None,
    **settings: object,
) -> AsyncIterator[Rig]:
    """Run a source that reads ``nodes``; ``began`` is the Unix time that the loop's clock begins with."""
    start = trio.current_time()

    def wall() -> float:
        return (began or 0.0) + trio.current_time() - start

    clock = {} if began is None else {"clock": wall}
    rig = Rig(wall, limit)
    asked = EthereumSettings(**{"chain": "1", "nodes": nodes, "watched": (0, 1), **settings})
    terms = TermsInForce(lambda: rules or ChainRuleSettings(), lambda: frozenset({"0", "1"}))
    recorder = (path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing())
    desks = [
        portal or ChildSpec("portal", Ear, (rig.portal, rig.board)),
        ChildSpec("validators", ValidatorDesk, (terms,), clock),
    ]
    specs = [
        ChildSpec("recorder", Recorder, recorder, {} if began is None else {**clock, "run": at_once}, redeliver=True),
        channels or ChildSpec("channels", Ear, (rig.told, rig.board)),
        ChildSpec("desks", Supervisor, (desks,)),
        ChildSpec(
            "sources",
            Supervisor,
            ([ChildSpec("mainnet", EthereumSource, ("mainnet", asked), {**clock, "chance": random.Random(7)})],),
        ),
    ]
    async with ActorSystem.open() as system:
        rig.system, rig.root = system, system.start(Supervisor, "gateway", specs, Policy(backoff=0.05))
        await system.settled(rig.root)
        yield rig
