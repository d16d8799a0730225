"""The production's desk on a real journal, in virtual time: stops over restarts, figures, acts, counts."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio

from actors.acts import Act, Acted
from actors.desks import CountsTold, FloorDesk, JobDesk, Presence, ProductionDesk, ReadProduction
from actors.messages import EventTaken, Publish
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, TrioActor, ask
from config import FloorSettings, JournalSettings
from config.production import DowntimeSettings, OeeSettings, ReasonSettings, StateSettings
from config.products import ProductSettings
from domain import Event, Grounds, Priority, Refused, rfc3339
from domain.access import OPEN_RIGHTS
from domain.plant.jobs import Count, Quantities
from domain.plant.site import EquipmentModel, Level, Node, Site

NOW = 1_800_000_000.0
PRESS = "acme/plant1/line3/press3"
ALWAYS = 10**18


class World:
    """What outlives the daemon: the disk, the wall clock and the settings."""

    def __init__(self, path) -> None:
        self.path = path
        self.settings = FloorSettings(
            downtime=DowntimeSettings(minor=30.0, reasons=(ReasonSettings(code="RAIN", group="weather"),)),
            oee=OeeSettings(states=(StateSettings(model="mtconnect", state="WAIT", bucket="setup"),)),
            products={"bolt": ProductSettings(ideal_cycle=2.0)},
        )
        self.site = Site()

    def wall(self) -> float:
        return NOW + trio.current_time()


@dataclass
class Rig:
    tree: object
    world: World
    told: list = field(default_factory=list)
    numbers: int = 0

    async def say(self, type_="equipment.state.changed", quality="good", at=None, **data):
        self.numbers += 1
        moment = self.world.wall() if at is None else at
        event = Event(
            id=f"e{self.world.wall():.3f}-{self.numbers}",
            source=f"/{PRESS}",
            type=type_,
            data=data,
            recorded=self.world.wall(),
            priority=Priority.HIGH,
            subject="press3",
            time=rfc3339(moment),
            quality=quality,
        )
        self.tree.ref("gateway/desks/floor").tell(EventTaken(event))
        await self.tree.settle()

    async def run(self, execution, at=None):
        await self.say(execution=execution, state="x", previous={"state": "y"}, at=at)

    async def act(self, word, key=None, **arguments):
        said = Act(f"downtime.{word}", key, "ann", self.world.wall(), arguments, "tablet 4", rights=OPEN_RIGHTS)
        return await ask(self.tree.ref("gateway/desks/production"), said, 20)

    async def read(self, read):
        return await ask(self.tree.ref("gateway/desks/production"), ReadProduction(read), 20)

    async def stops(self):
        return await self.read(lambda now: now.downtimes("", 0, ALWAYS))

    @property
    def types(self) -> list[str]:
        return [each.event.type for each in self.told if type(each) is Publish]

    def data(self, type_):
        return [each.event.data for each in self.told if type(each) is Publish and each.event.type == type_]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def run(grow, keeper, world):
    @asynccontextmanager
    async def running():
        told: list = []
        recorder = (world.path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), world.wall, at_once)
        arguments = (lambda: world.settings, lambda: world.site, world.wall)
        desks = [
            ChildSpec("floor", FloorDesk),
            ChildSpec("jobs", JobDesk, arguments),
            ChildSpec("production", ProductionDesk, arguments, {"presence": Presence()}),
        ]
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, (told,)),
            ChildSpec("desks", Supervisor, (desks,)),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree, world, told)

    return running


async def test_a_stop_begins_by_the_ledger_is_noticed_in_time_and_ends(run, autojump_clock):
    async with run() as rig:
        await rig.run("ACTIVE")
        await trio.sleep(10)
        await rig.run("READY")
        await trio.sleep(29)
        assert not rig.data("downtime.started")
        await trio.sleep(2.5)
        assert [each["start_time"] for each in rig.data("downtime.started")] == ["2027-01-15T08:00:10.000000Z"]
        await rig.run("ACTIVE")
        await trio.sleep(2)
        assert [each["duration_seconds"] for each in rig.data("downtime.ended")] == [31.5]
        assert [each["status"] for each in rig.data("line.status.changed")] == ["running", "idle", "running"]


async def test_a_daemon_that_dies_in_a_stop_finds_the_same_stop_and_tells_it_once(run, autojump_clock):
    async with run() as rig:
        await rig.run("ACTIVE")
        await trio.sleep(10)
        await rig.run("READY")
        await trio.sleep(60)
        before = await rig.stops()
    async with run() as rig:
        # The machine's greeting says again what holds, with the stamp it had.
        await rig.run("READY", at=NOW + 10)
        await trio.sleep(60)
        after = await rig.stops()
        assert [(each["id"], each["start_time"]) for each in after] == [(before[0]["id"], before[0]["start_time"])]
        assert after[0]["is_open"]
        assert not rig.data("downtime.started")


async def test_the_time_in_which_the_daemon_was_dead_is_not_known(run, autojump_clock):
    begin = round(NOW * 10**6)
    async with run() as rig:
        await rig.say("source.connected", name="press3", address="127.0.0.1:7878")
        await rig.run("ACTIVE")
        await trio.sleep(60)
    await trio.sleep(8)
    async with run() as rig:
        await trio.sleep(32)
        told = await rig.read(lambda now: now.timeline(PRESS, begin, ALWAYS))
        assert told["seconds"]["unknown"] == pytest.approx(40, abs=6)
        assert told["segments"][-1]["state"] == "gateway down"
        await rig.say("source.connected", name="press3", address="127.0.0.1:7878")
        await rig.say(execution="ACTIVE", state="x", at=NOW)
        told = await rig.read(lambda now: now.timeline(PRESS, begin, ALWAYS))
        assert told["seconds"] == {"production": pytest.approx(100, abs=1)}


async def test_a_desk_that_fails_while_the_daemon_lives_misses_nothing(run, autojump_clock):
    async with run() as rig:
        await rig.say("source.connected", name="press3", address="127.0.0.1:7878")
        await rig.run("ACTIVE")
        await trio.sleep(60)
        with pytest.raises(ZeroDivisionError):
            await rig.read(lambda _: 1 // 0)
        await trio.sleep(40)
        told = await rig.read(lambda now: now.timeline(PRESS, round(NOW * 10**6), ALWAYS))
        assert list(told["seconds"]) == ["production"]


async def test_figures_of_a_line_are_told_beside_those_of_its_units(run, world, autojump_clock):
    line = PRESS.rpartition("/")[0]
    below = (Node("line3", Level.LINE, below=(Node("press3", Level.UNIT), Node("robot1", Level.UNIT))),)
    world.site = Site(EquipmentModel(Node("acme", Level.ENTERPRISE, below=(Node("plant1", Level.SITE, below=below),))))
    async with run() as rig:
        await rig.run("ACTIVE")
        count = Count("c1", round((NOW + 1) * 10**6), None, "bolt", Quantities(good=5, scrap=0))
        rig.tree.ref("gateway/desks/production").tell(CountsTold(line, (count,)))
        await trio.sleep(21)
        told = {each["equipment"]: each for each in rig.data("oee.updated")}
        assert set(told) == {PRESS, line}
        assert (told[line]["elements"]["pq"], told[line]["unheard"]) == (5, [f"{line}/robot1"])


async def test_words_that_no_row_has_are_in_the_status_after_a_restart(run, autojump_clock):
    async with run() as rig:
        await rig.say(execution="DREAMING", state="unknown")
        await rig.run("ACTIVE")
    async with run() as rig:
        status = await rig.tree.status("gateway/desks/production")
        assert status.description["unmapped"] == ["mtconnect DREAMING"]


async def test_a_desk_that_fails_begins_with_what_was_kept(run, autojump_clock):
    async with run() as rig:
        await rig.run("READY")
        await trio.sleep(40)
        before = await rig.stops()
        with pytest.raises(ZeroDivisionError):
            await rig.read(lambda _: 1 // 0)
        await trio.sleep(2)
        assert [each["id"] for each in await rig.stops()] == [before[0]["id"]]
        assert len(rig.data("downtime.started")) == 1


async def test_a_stop_is_explained_by_an_act_and_that_outlives_the_daemon(run, autojump_clock):
    async with run() as rig:
        await rig.run("READY")
        await trio.sleep(40)
        id_ = (await rig.stops())[0]["id"]
        acted = await rig.act("assign", key="k1", id=id_, reason_code="RAIN", comment="roof")
        again = await rig.act("assign", key="k1", id=id_, reason_code="RAIN", comment="roof")
        assert isinstance(acted, Acted)
        assert acted.is_kept
        assert again.answer == acted.answer
        assert (acted.answer["reason_code"], acted.answer["subcategory"], acted.answer["confirmed_by"]) == (
            "RAIN",
            "weather",
            "ann",
        )
        assert len(rig.data("downtime.assigned")) == 1
        with pytest.raises(Refused) as refused:
            await rig.act("split", id=id_, at="2001-01-01T00:00:00Z")
        assert refused.value.grounds is Grounds.CONFLICT
    async with run() as rig:
        assert (await rig.read(lambda now: now.downtime(id_)))["notes"] == "roof"


async def test_silence_and_a_lost_link_are_unknown_time(run, autojump_clock):
    async with run() as rig:
        await rig.run("ACTIVE")
        await trio.sleep(10)
        await rig.say("source.silent", since=rfc3339(NOW + 4), equipment=PRESS)
        await trio.sleep(50)
        await rig.say("source.returned", equipment=PRESS)
        await trio.sleep(40)
        timeline = await rig.read(lambda now: now.timeline(PRESS, round(NOW * 10**6), ALWAYS))
        assert timeline["seconds"] == {"production": 44.0, "unknown": 56.0}
        assert await rig.stops() == []


async def test_figures_come_from_counts_are_told_each_interval_and_never_taken_in_again(run, autojump_clock):
    async with run() as rig:
        await rig.run("ACTIVE")
        count = Count("c1", round((NOW + 1) * 10**6), None, "bolt", Quantities(good=5, scrap=0))
        for _ in range(2):
            rig.tree.ref("gateway/desks/production").tell(CountsTold(PRESS, (count,)))
        await trio.sleep(21)
        told = rig.data("oee.updated")
        assert 3 <= len(told) <= 5
        assert {each["elements"]["pq"] for each in told[1:]} == {5}
        assert told[-1]["effectiveness"] == pytest.approx(10 / told[-1]["elements"]["apt"])
        assert told[-1]["equipment"] == PRESS
        # What is told is no source: the same figures once more make no other ones.
        await rig.say("oee.updated", **told[-1])
        figures = await rig.read(lambda now: now.oee(PRESS))
        assert figures["elements"]["pq"] == 5


async def test_a_site_says_what_its_words_mean(run, world, autojump_clock):
    async with run() as rig:
        await rig.run("WAIT")
        await trio.sleep(3)
        assert (await rig.read(lambda now: now.status(PRESS)))["status"] == "setup"
        world.settings = FloorSettings(downtime=DowntimeSettings(minor=1.0))
        await rig.run("WAIT")
        await rig.run("FEED_HOLD")
        await trio.sleep(3)
        assert (await rig.read(lambda now: now.status(PRESS)))["status"] == "stopped"
        assert len(await rig.stops()) == 1


class Unready(TrioActor):
    """A jobs' desk that cannot read what was kept."""

    def __init__(self, asked: list[object]) -> None:
        super().__init__()
        self._asked = asked

    def on_receive(self, message: object) -> object:
        self._asked.append(message)
        raise Refused(Grounds.UNAVAILABLE, "what was kept cannot be read yet")


async def test_a_desk_of_jobs_that_knows_nothing_yet_is_asked_again(grow, tmp_path, autojump_clock):
    asked: list[object] = []
    desks = [ChildSpec("jobs", Unready, (asked,)), ChildSpec("production", ProductionDesk)]
    recorder = ChildSpec("recorder", Recorder, (tmp_path, JournalSettings, Standing()), {"run": at_once})
    async with grow([recorder, ChildSpec("desks", Supervisor, (desks,))]) as tree:
        await trio.sleep(10)
        status = await tree.status("gateway/desks/production")
    assert len(asked) > 1
    assert (status.state, status.restarts) == ("running", 0)
