"""The gateway itself: its real tree on a disk and a network of ours, life after life of its process.

Rules of this file: the tree is the one that ``andond.tree`` makes. Given to it from outside are the clock, the disk's
runner and the sockets; left out are the pulse, which looks at the real collector, and who has a thread. A life of the
process ends in a power cut, where nothing is closed in order, or in a planned restart, where everything is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from unittest.mock import patch

import trio
from msgspec.structs import replace
from pykka.messages import ProxyCall

from actors import Drain, Front
from actors.places import CHANNELS, GATEWAY, LISTENER, SOURCES
from actors.runtime import (
    Actor,
    ActorDead,
    ActorRef,
    ActorStatus,
    ActorSystem,
    AskTimeout,
    ChildSpec,
    Supervisor,
    TooManyRestarts,
    TrioActor,
    ask,
    survey,
)
from actors.sources import sources
from andond.doors import Doors
from andond.observer import TelemetryObserver
from andond.tree import GATEWAY_POLICY, Present, gateway
from config import HttpSource as HttpSettings
from config import Settings
from tests.simulation.disk import Disk
from tests.simulation.nature import Nature
from tests.simulation.network import Listening, Network
from transport import Link, Routes, UnsentLimit

CLOCKED = frozenset(
    {
        "channels",
        "portal",
        "calls",
        "alarms",
        "production",
        "validators",
        "jobs",
        "listener",
        "vigil",
        "receipts",
        "canary",
    }
    | {"canary", "webhook", "websocket", "hooks"}
)
LEFT_OUT = frozenset({"pulse", "mail", "mqtt"})
DRAIN = 20.0


class Planted(Exception):
    """A failure that was planted."""


async def _fail() -> None:
    raise Planted


class Gateway:
    """One gateway; ``process`` counts its lives, ``fell`` is why it gave up, if it ever did."""

    def __init__(self, nature: Nature, network: Network, disk: Disk, settings: Settings) -> None:
        self._nature = nature
        self._network = network
        self._disk = disk
        self._settings = settings
        self._front = Front()
        self._system: ActorSystem | None = None
        self._root: ActorRef | None = None
        self._life = trio.CancelScope()
        self._end = trio.Event()
        self._down = 0.0
        self._is_over = False
        self.process = 0
        self.is_ready = False
        self.fell: list[str] = []
        self.quarantined: list[str] = []
        self.listening = Listening()

    # -- lives of the process ---------------------------------------------------------------------------------

    async def run(self) -> None:
        """Live until stopped."""
        while not self._is_over:
            self.process += 1
            self._end = trio.Event()
            try:
                with trio.CancelScope() as self._life:
                    await self._live()
            except TooManyRestarts as error:
                self.fell.append(str(error))
            self._network.cut()
            self._system = self._root = None
            if not self._is_over:
                await trio.sleep_until(trio.current_time() + self._down)
                self._disk.restore_power()

    async def _live(self) -> None:
        present, front = Present(self._settings), Front(unsent=UnsentLimit(0))
        self._front = front
        specs = self._adapted(gateway(present, [self.listening], Routes(), Doors(present.server), front), front)
        chance = self._nature.chance("restarts", self.process)
        try:
            async with ActorSystem.open(observer=TelemetryObserver(), rng=chance) as system:
                self._system = system
                self._root = system.start(Supervisor, GATEWAY, specs, GATEWAY_POLICY)
                self._network.is_up = True
                await system.settled(self._root)
                self.is_ready = True
                await self._end.wait()
                self.is_ready = False
                self._network.is_up = False
                with suppress(ActorDead, AskTimeout):
                    await ask(self.ref(LISTENER), Drain(DRAIN), 2 * DRAIN)
        finally:
            self.is_ready = False
            self.quarantined += [f"{each.actor}: {each.error}" for each in system.letters.quarantined]

    def cut_power(self, down: float) -> None:
        """The process is dead from one moment to the next, and back after ``down`` seconds."""
        self._down = down
        self.is_ready = False
        self._disk.cut_power()
        self._network.cut()
        self._life.cancel()

    def restart(self, down: float) -> None:
        """The process ends in order, and is back ``down`` seconds later."""
        self._down = down
        self._end.set()

    def stop(self) -> None:
        """The process ends in order, for good."""
        self._is_over = True
        self._end.set()

    def _adapted(self, specs: Sequence[ChildSpec], front: Front) -> list[ChildSpec]:
        """``specs``, given what of the world is ours."""
        found = []
        for spec in specs:
            args, more = spec.args, {}
            if spec.id in LEFT_OUT:
                continue
            if spec.id in {"recorder", "auditor"}:
                more = {"clock": self._nature.wall, "run": self._disk.run}
            elif spec.id == "memory":
                # It would write its file in a thread.
                args = (front.memory, None)
            elif spec.id == "series":
                # It would read and write its file in a thread.
                args, more = (None, *spec.args[1:]), {"clock": self._nature.wall}
            elif spec.id in CLOCKED:
                more = {"clock": self._nature.wall}
            elif issubclass(spec.actor_class, Supervisor) and args and isinstance(args[0], list):
                args = (self._adapted(args[0], front), *args[1:])
            found.append(replace(spec, args=args, kwargs={**spec.kwargs, **more}))
        return found

    @contextmanager
    def in_place(self, constants: dict[str, object]) -> Iterator[None]:
        """Have what the tree itself makes know this clock, and bounds that a day can reach."""
        wall = self._nature.wall

        class Source(sources.HttpSource):
            def __init__(self, name: str, settings: HttpSettings, **shared: object) -> None:
                super().__init__(name, settings, wall, **shared)

        with ExitStack() as stack:
            stack.enter_context(patch.dict(sources.KINDS, {HttpSettings: Source}))
            for place, value in constants.items():
                stack.enter_context(patch(place, value))
            yield

    # -- who is in the tree -----------------------------------------------------------------------------------

    @property
    def links(self) -> list[Link]:
        """The links that are open."""
        return [] if self._front.server is None else list(self._front.server.links)

    def ref(self, path: str) -> ActorRef:
        """The ref of whoever lives at ``path``.

        Raises:
            ActorDead: if nobody does.
        """
        return self._actor(path).actor_ref

    def source(self, name: str) -> ActorRef:
        """The ref of one source.

        Raises:
            ActorDead: if it is not there.
        """
        return self.ref(f"{SOURCES}/{name}")

    def channels(self) -> list[str]:
        """The paths of all channels."""
        return self.below(CHANNELS)

    def below(self, path: str) -> list[str]:
        """The paths of the children of a supervisor; none if it is not there."""
        try:
            owner = self._actor(path)
        except ActorDead:
            return []
        children = owner.children if isinstance(owner, Supervisor) else ()
        return [f"{path}/{child.spec.id}" for child in children if child.is_living]

    def _actor(self, path: str) -> Actor:
        system = self._system
        ref = None if system is None else system.environment.registry.get(path)
        if ref is not None and isinstance(ref.actor_inbox.owner, Actor):
            return ref.actor_inbox.owner
        for parent in (SOURCES, CHANNELS, f"{GATEWAY}/listeners/connections"):
            above = None if system is None else system.environment.registry.get(parent)
            owner = None if above is None else above.actor_inbox.owner
            if path.startswith(f"{parent}/") and isinstance(owner, Supervisor):
                for child in owner.children:
                    if f"{parent}/{child.spec.id}" == path and child.is_living and child.actor is not None:
                        return child.actor
        raise ActorDead(path)

    def fail(self, path: str, *, abruptly: bool) -> bool:
        """Have an actor fail: at its next message or, ``abruptly``, wherever it is; False if it is not there."""
        try:
            actor = self._actor(path)
        except ActorDead:
            return False
        if abruptly and isinstance(actor, TrioActor) and actor.has_tasks and actor._nursery is not None:
            actor.start_task(_fail)
        else:
            actor.actor_ref.tell(ProxyCall(attr_path=("planted",), args=(), kwargs={}))
        return True

    async def survey(self) -> ActorStatus | None:
        """How everybody is; None while nobody is there."""
        if self._root is None:
            return None
        try:
            return await survey(self._root, expand=100_000)
        except ActorDead:
            return None
