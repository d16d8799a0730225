"""The supervisor of the sources: one child for each table of the configuration.

Rules of this file: the table's name is the child's id. Which sources there are is asked for at the beginning of each
life and at a reload, so that what a reload changed outlives a restart. How fresh each is stands on a roll that outlives
both, so that somebody else can tell when one is silent, whatever has become of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import ClassVar

import msgspec

from actors.hooks.installed import Installed
from actors.places import Address
from actors.ranks import Ranks
from actors.runtime import Actor, ActorRef, ChildSpec, Policy, Supervisor, as_ref, ask
from actors.sources.hooked import HookedSource
from actors.sources.host import HostSource
from actors.sources.http import HttpSource
from actors.sources.mtconnect import MtconnectSource
from actors.sources.silence import Roll
from config import CosmosSource as CosmosSettings
from config import EthereumSource as EthereumSettings
from config import HookSource as HookSettings
from config import HostSource as HostSettings
from config import HttpSource as HttpSettings
from config import MtconnectSource as MtconnectSettings
from config import PolicySettings, SourceSettings
from domain import Priority

KINDS: Mapping[type[SourceSettings], type[Actor]] = {
    HostSettings: HostSource,
    HttpSettings: HttpSource,
    MtconnectSettings: MtconnectSource,
    HookSettings: HookedSource,
}
CHAIN_KINDS: Mapping[type[SourceSettings], tuple[str, str]] = {
    CosmosSettings: ("actors.sources.cosmos", "CosmosSource"),
    EthereumSettings: ("actors.sources.ethereum", "EthereumSource"),
}
"""Where the kinds are that read chains: imported when one begins, so that a box without one pays no memory."""

ANSWER_TIMEOUT = 5.0
NEVER = sys.maxsize


class FindSource(msgspec.Struct, frozen=True):
    """Asks for the ref of the first source of ``kind``; None if there is none."""

    kind: str
    priority: ClassVar[Priority] = Priority.HIGH


class ApplySources(msgspec.Struct, frozen=True):
    """Begin, end and begin anew what the present settings of the sources say."""

    priority: ClassVar[Priority] = Priority.HIGH


class Sources(Supervisor):
    """Supervises one source for each of the tables that ``present`` returns; each writes on its line of ``roll``.

    ``policy`` returns the settings by which their events are ranked; ``installed`` are the hooks, which add kinds.
    """

    def __init__(
        self,
        present: Callable[[], Mapping[str, SourceSettings]],
        roll: Roll | None = None,
        policy: Callable[[], PolicySettings] = PolicySettings,
        installed: Installed | None = None,
    ) -> None:
        # A source that cannot be reached tries again by itself. One that fails, or several that do, must not take the
        # clients along: the back-off bounds what each may cost.
        super().__init__((), Policy(intensity=NEVER, period=60.0))
        self._present = present
        self._roll = roll or Roll()
        self._policy = policy
        self._installed = installed or Installed()
        self._running: dict[str, SourceSettings] = {}

    async def setup(self) -> None:
        """Begin every source, soon: what comes after in the tree does not wait until each of them is well."""
        self.actor_ref.tell(ApplySources())

    async def on_receive(self, message: object) -> object:
        """Find a source, apply a reload; the rest is supervision."""
        match message:
            case FindSource(kind=kind):
                return self._find(kind)
            case ApplySources():
                await self._apply()
                return None
            case _:
                return super().on_receive(message)

    def _find(self, kind: str) -> ActorRef | None:
        names = (name for name, settings in self._running.items() if settings.__struct_config__.tag == kind)
        return next((ref for name in names if (ref := self.child(name)) is not None), None)

    async def _apply(self) -> None:
        wanted = dict(self._present())
        for name in [name for name, settings in self._running.items() if wanted.get(name) != settings]:
            del self._running[name]
            if self.child(name) is not None:
                await self.stop_child(name)
        self._roll.keep(wanted)
        for name, settings in wanted.items():
            if name not in self._running:
                self.start_child(self._spec(name, settings))
                self._running[name] = settings

    def _spec(self, name: str, settings: SourceSettings) -> ChildSpec:
        freshness = self._roll.freshness(name, settings)
        shared: dict[str, object] = {"freshness": freshness, "ranks": Ranks(name, self._policy)}
        match settings:
            case HookSettings():
                shared["installed"] = self._installed
            case HttpSettings():
                shared["types"] = self._installed.types
        return ChildSpec(name, actor_of(settings), (name, settings), shared)


def actor_of(settings: SourceSettings) -> type[Actor]:
    """Who reads a source of ``settings``."""
    if type(settings) in KINDS:
        return KINDS[type(settings)]
    module, name = CHAIN_KINDS[type(settings)]
    kind: type[Actor] = getattr(import_module(module), name)
    return kind


async def find_source(sources: Address, kind: str) -> ActorRef | None:
    """The ref of the first source of ``kind``, None if there is none.

    Raises:
        ActorDead: if the sources are being restarted.
        AskTimeout: if they did not answer in time.
    """
    found = await ask(sources.ref, FindSource(kind), ANSWER_TIMEOUT)
    return None if found is None else as_ref(found)
