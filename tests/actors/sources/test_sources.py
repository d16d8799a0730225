from __future__ import annotations

import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
import trio

from actors.places import SOURCES, Address
from actors.runtime import ActorDead, ChildSpec, ListChildren, Policy, TrioActor, ask
from actors.sources import ApplySources, Sources, find_source
from actors.sources.sources import CHAIN_KINDS, KINDS
from config import HostSource as HostSettings
from config import HttpSource as HttpSettings
from config import MtconnectSource as MtconnectSettings

HOST = HostSettings()
HTTP = HttpSettings()
PRESS = MtconnectSettings(address="127.0.0.1:1", equipment="acme/press3")
FAILS = MtconnectSettings(address="127.0.0.1:1", equipment="fails/always")


class Source(TrioActor):
    """A source that notes its lives; one whose equipment begins with ``fails`` does, at once or when told."""

    has_tasks = True
    lives: list[tuple[str, str]] = []  # noqa: RUF012

    def __init__(self, name: str, settings, freshness, **_more) -> None:
        super().__init__()
        self.name = name
        self.freshness = freshness
        self.equipment = settings.equipment

    async def setup(self) -> None:
        self.lives.append((self.name, "begins"))
        if self.equipment.startswith("fails"):
            self.start_task(self._fail)

    async def _fail(self) -> None:
        raise RuntimeError("planted")

    async def close(self) -> None:
        self.lives.append((self.name, "ends"))

    def on_receive(self, _message: object) -> object:
        return (self.name, self.equipment, id(self))


@pytest.fixture
def lives(monkeypatch):
    for kind in list(KINDS):
        monkeypatch.setitem(KINDS, kind, Source)
    monkeypatch.setattr(Source, "lives", [])
    return Source.lives


class Rig:
    """The sources of some settings, which a reload can change."""

    def __init__(self, tree, present: dict) -> None:
        self.tree = tree
        self.present = present
        self.address = Address(tree.system.environment, SOURCES)

    async def apply(self, **wanted) -> None:
        self.present.clear()
        self.present.update(wanted)
        await ask(self.address.ref, ApplySources())
        await self.tree.settle()

    async def running(self) -> dict[str, str]:
        return {child.id: child.state for child in (await self.tree.status(SOURCES)).children}


@pytest.fixture
def run(grow, lives):
    @asynccontextmanager
    async def running(policy: Policy | None = None, **present):
        async with grow([ChildSpec("sources", Sources, (lambda: present,))], policy) as tree:
            await tree.settle()
            yield Rig(tree, present)

    return running


async def test_there_is_one_source_for_each_table(run):
    async with run(host=HOST, http=HTTP, press3=PRESS) as rig:
        assert await rig.running() == {"host": "running", "http": "running", "press3": "running"}


def test_every_kind_of_source_has_its_actor():
    kinds = {settings.__struct_config__.tag for settings in (*KINDS, *CHAIN_KINDS)}
    assert kinds == {"cosmos", "ethereum", "hook", "host", "http", "mtconnect"}


async def test_a_source_is_found_by_its_kind(run):
    async with run(press3=PRESS, door=HTTP) as rig:
        found = await find_source(rig.address, "http")
        assert (await ask(found, "who?"))[0] == "door"
        assert await find_source(rig.address, "host") is None
    with pytest.raises(ActorDead):
        await find_source(rig.address, "http")


async def test_the_sources_are_supervised_like_anybody(run):
    async with run(host=HOST, http=HTTP) as rig:
        assert {child.id for child in await ask(rig.address.ref, ListChildren())} == {"host", "http"}


# -- reload -----------------------------------------------------------------------------------------------


async def test_a_reload_begins_ends_and_leaves_alone(run, lives):
    async with run(host=HOST, press3=PRESS) as rig:
        host = await find_source(rig.address, "host")
        same = await ask(host, "who?")
        await rig.apply(host=HOST, http=HTTP)
        assert await rig.running() == {"host": "running", "http": "running"}
        assert await ask(host, "who?") == same
        assert lives[:2] in ([(one, "begins") for one in order] for order in (("host", "press3"), ("press3", "host")))
        assert lives[2:] == [("press3", "ends"), ("http", "begins")]


async def test_a_source_whose_settings_changed_begins_anew_with_them(run, lives):
    async with run(host=HOST) as rig:
        old = await find_source(rig.address, "host")
        await rig.apply(host=HostSettings(equipment="acme/gateway"))
        new = await find_source(rig.address, "host")
        assert (await ask(new, "who?"))[1] == "acme/gateway"
        assert not old.is_alive()
        assert lives == [("host", "begins"), ("host", "ends"), ("host", "begins")]


async def test_a_name_that_changes_its_kind_is_another_source(run):
    async with run(door=HTTP) as rig:
        await rig.apply(door=HOST)
        assert await find_source(rig.address, "http") is None
        assert await find_source(rig.address, "host") is not None


async def test_what_a_reload_changed_outlives_a_restart_of_all_sources(run, autojump_clock):
    async with run(host=HOST, press3=PRESS) as rig:
        await rig.apply(host=HOST, http=HTTP)
        # Something that nobody can expect: this life of the supervisor ends.
        rig.present["broken"] = None
        rig.address.tell(ApplySources())
        await rig.tree.settle()
        del rig.present["broken"]
        await trio.sleep(5)
        assert (await rig.tree.status(SOURCES)).restarts == 1
        assert await rig.running() == {"host": "running", "http": "running"}
        await rig.apply(host=HOST)
        assert await rig.running() == {"host": "running"}


async def test_a_reload_ends_a_source_that_keeps_failing(run, autojump_clock):
    async with run(bad=FAILS, host=HOST) as rig:
        await trio.sleep(30)
        await rig.apply(host=HOST)
        assert await rig.running() == {"host": "running"}
        await trio.sleep(30)
        assert await rig.running() == {"host": "running"}


# -- failures ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
async def test_sources_that_always_fail_take_nobody_along(run, lives, autojump_clock, count):
    bad = {f"bad{number}": FAILS for number in range(count)}
    async with run(Policy(intensity=0), host=HOST, **bad) as rig:
        await trio.sleep(180)
        assert (await rig.tree.status(SOURCES)).restarts == 0
        assert (await rig.running())["host"] == "running"
        assert lives.count(("host", "begins")) == 1
        # They keep trying, and no oftener than the back-off lets them.
        assert 180 / 6 < lives.count(("bad0", "begins")) < 180 / 3


async def test_a_source_that_has_mended_goes_on(run, lives, autojump_clock, monkeypatch):
    async with run(bad=FAILS) as rig:
        await trio.sleep(60)
        monkeypatch.setattr(Source, "_fail", Source.close)
        await trio.sleep(10)
        assert await rig.running() == {"bad": "running"}


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        ("HostSource()", "none"),
        ("CosmosSource(chain='hub', nodes=(CosmosNode(rpc='http://127.0.0.1:1'),))", "cosmos"),
        ("EthereumSource(chain='1', nodes=(EthereumNode(beacon='http://127.0.0.1:1'),))", "ethereum"),
    ],
)
def test_a_box_pays_for_no_kind_of_chain_that_it_does_not_read(settings, read):
    program = (
        "import sys; import andond.tree; from actors.sources.sources import actor_of; from config import *; "
        f"actor_of({settings}); names = {{'cosmos', 'ethereum', 'beacon'}}; "
        "print(*[name for name in sorted(names) if f'domain.chain.{name}' in sys.modules] or ['none'])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    kinds = result.stdout.split()
    assert kinds == ({"ethereum": ["beacon", "ethereum"]}.get(read) or [read])
