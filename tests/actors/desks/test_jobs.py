"""The jobs' desk on a real journal, in virtual time: acts, counts from sources, restarts, who else is told."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trio

from actors.acts import Act, Acted
from actors.desks import (
    CountersInForce,
    CountsTold,
    FloorDesk,
    JobDesk,
    ReadJobs,
    RunsTold,
    SignalTaken,
    ideal_cycle,
)
from actors.messages import EventTaken, Publish
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, ask
from actors.site import site_of
from config import (
    ChangeoverSettings,
    CharacteristicSettings,
    CounterSettings,
    FloorSettings,
    JobSettings,
    JournalSettings,
    LineSettings,
    ProductSettings,
    QualitySettings,
    SiteSettings,
    TargetSettings,
    UnitSettings,
)
from config.site import CellSettings
from domain import Event, Grounds, Priority, Refused, rfc3339
from domain.access import OPEN_RIGHTS
from domain.plant.site import Site

NOW = 1_800_000_000.0
LINE = "acme/plant1/line3"
CELL = f"{LINE}/st4"
FLOOR = FloorSettings(
    counters={"parts": CounterSettings(equipment=CELL, reading="part_count", counts="good", modulus=1000)},
    changeovers=ChangeoverSettings(targets=(TargetSettings(target=600.0, after="b"), TargetSettings(target=60.0))),
    quality=QualitySettings(
        defects={"SCR": "scratch"},
        characteristics={"diameter": CharacteristicSettings(equipment=CELL, mean=10.0, sigma=1.0)},
    ),
)


class World:
    """What outlives the daemon: the disk, the clock, the settings."""

    def __init__(self, path):
        self.path = path
        self.settings = FLOOR
        self.site = Site()
        self.ids = itertools.count(1)

    def wall(self):
        return NOW + trio.current_time()

    def new_id(self):
        return f"new-{next(self.ids)}"


@dataclass
class Rig:
    tree: object
    world: World
    told: list = field(default_factory=list)
    production: list = field(default_factory=list)
    alarms: list = field(default_factory=list)

    async def act(self, type_, key=None, at=None, **arguments):
        act = Act(type_, key, "ada", self.world.wall() if at is None else at, arguments, "tablet-4", rights=OPEN_RIGHTS)
        return await ask(self.tree.ref("gateway/desks/jobs"), act, 20)

    async def done(self, type_, **arguments):
        acted = await self.act(type_, **arguments)
        assert isinstance(acted, Acted)
        assert acted.is_kept
        await self.tree.settle()
        return acted.answer

    async def read(self, read):
        return await ask(self.tree.ref("gateway/desks/jobs"), ReadJobs(read), 20)

    async def say(self, type_, id_, data, equipment=CELL, **members):
        # No two things that a source says are of the same moment.
        await trio.sleep(0.1)
        at = members.pop("at", self.world.wall())
        event = Event(
            id_, f"/{equipment}", type_, data, self.world.wall(), Priority.NORMAL, time=rfc3339(at), **members
        )
        self.tree.ref("gateway/desks/floor").tell(EventTaken(event))
        await self.tree.settle()

    async def run_job(self, id_="j1", product="a"):
        await self.done("job.store", id=id_, equipment=LINE, product=product, quantity=10)
        await self.done("job.accept", id=id_)
        return await self.done("job.start", id=id_)

    @property
    def events(self):
        return [message.event for message in self.told if type(message) is Publish]

    @property
    def types(self):
        return [event.type for event in self.events]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def run(grow, keeper, world):
    @asynccontextmanager
    async def running():
        rig = Rig(None, world)
        recorder = (world.path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), world.wall, at_once)
        desks = [
            ChildSpec("floor", FloorDesk, (JournalSettings, CountersInForce(lambda: world.settings))),
            ChildSpec("production", keeper, (rig.production,)),
            ChildSpec("alarms", keeper, (rig.alarms,)),
            ChildSpec("jobs", JobDesk, (lambda: world.settings, lambda: world.site, world.wall, None, world.new_id)),
        ]
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, (rig.told,)),
            ChildSpec("desks", Supervisor, (desks, Policy(backoff=0.05))),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            rig.tree = tree
            yield rig

    return running


async def refused(awaitable):
    with pytest.raises(Refused) as caught:
        await awaitable
    return caught.value


async def test_a_job_goes_from_assigned_to_completed_as_the_dashboard_has_it(run, autojump_clock):
    async with run() as rig:
        told = []
        for act in ("store", "accept", "start", "pause", "resume", "complete"):
            arguments = {"equipment": LINE} if act == "store" else {}
            told.append((await rig.done(f"job.{act}", id="j1", **arguments))["status"])
        assert told == ["assigned", "accepted", "in_progress", "paused", "in_progress", "completed"]
        assert rig.types == [
            "job.created", "job.accepted", "job.started", "job.paused", "job.resumed", "job.completed",
        ]  # fmt: skip
        last = rig.events[-1]
        assert (last.source, last.data["by"], last.data["station"]) == (f"/{LINE}", "ada", "tablet-4")


@pytest.mark.parametrize("act", ["cancel", "abort"])
async def test_a_cancelled_job_stays_and_a_withdrawn_one_does_not(run, autojump_clock, act):
    async with run() as rig:
        for id_ in ("j1", "j2"):
            await rig.done("job.store", id=id_, equipment=LINE)
        assert (await rig.done(f"job.{act}", id="j1", reason="no steel"))["reason"] == "no steel"
        await rig.done("job.withdraw", id="j2")
        assert [job["status"] for job in await rig.read(lambda now: now.jobs())] == ["cancelled"]
        await rig.done("job.clear", id="j1")
        assert await rig.read(lambda now: now.jobs()) == []


async def test_the_methods_of_the_standard_and_what_the_system_reports_have_an_act_each(run, autojump_clock):
    async with run() as rig:
        await rig.done("job.store", id="j1", equipment=LINE, waitsFor="steel")
        await rig.done("job.accept", id="j1")
        assert (await rig.done("job.revoke", id="j1"))["state"] == "NotAllowedToStart.Waiting"
        assert (await rig.done("job.report", id="j1", what="become_ready"))["state"] == "NotAllowedToStart.Ready"
        assert (await rig.done("job.update", id="j1", quantity=7))["quantity"] == 7
        await rig.done("job.accept", id="j1")
        await rig.done("job.start", id="j1")
        assert (await rig.done("job.stop", id="j1"))["state"] == "Ended.Completed"
        assert (await rig.done("job.report", id="j1", what="close"))["state"] == "Ended.Closed"


async def test_what_is_impossible_is_refused_with_what_is_possible_and_tells_nobody(run, autojump_clock):
    async with run() as rig:
        await rig.done("job.store", id="j1", equipment=LINE)
        told = len(rig.told)
        fault = await refused(rig.act("job.start", id="j1"))
        assert (fault.grounds, fault.details["status"]) == (Grounds.CONFLICT, "assigned")
        assert (await refused(rig.act("job.start", id="j9"))).grounds is Grounds.NOT_FOUND
        assert (await refused(rig.act("job.start"))).grounds is Grounds.INVALID
        assert (await refused(rig.act("job.dance", id="j1"))).grounds is Grounds.UNSUPPORTED
        assert len(rig.told) == told


async def test_an_act_with_a_key_is_done_once_also_after_a_restart(run, autojump_clock):
    async with run() as rig:
        first = await rig.act("job.store", key="k1", equipment=LINE)
        assert await rig.act("job.store", key="k1", equipment=LINE) == first
        await rig.act("production.count", key="k2", equipment=CELL, good=2)
    async with run() as rig:
        assert await rig.act("job.store", key="k1", equipment=LINE) == first
        await rig.act("production.count", key="k2", equipment=CELL, good=2)
        assert len(await rig.read(lambda now: now.jobs())) == 1
        made = await rig.read(lambda now: now.production(CELL, NOW - 1, NOW + 999))
        assert made["good"] == 2


async def test_after_a_restart_jobs_counts_changeovers_and_charts_are_as_they_were(run, autojump_clock):
    def seen(now):
        return (
            now.jobs(),
            now.production(CELL, NOW - 1, NOW + 999),
            [{**one, "length": 0, "internal": 0, "phases": 0, "overrun": 0} for one in now.changeovers()],
            now.charts(),
            now.inspections(),
        )

    async with run() as rig:
        await rig.run_job()
        await rig.say("production.counted", "1", {"good": 3, "scrap": 1})
        await rig.say("equipment.reading", "2", {"key": "part_count", "value": 995})
        await rig.done("changeover.start", equipment=LINE, to="b")
        await rig.done("changeover.phase", equipment=LINE, phase="set_up")
        await rig.done("quality.check", characteristic="diameter", values=[13.5])
        before = await rig.read(seen)
    async with run() as rig:
        after = await rig.read(seen)
        for job in (*before[0], *after[0]):
            job.pop("runningTime")
        assert after == before
        await rig.say("equipment.reading", "3", {"key": "part_count", "value": 2})
        made = await rig.read(lambda now: now.production(CELL, NOW - 1, NOW + 999))
        assert made["good"] == 3 + 7


async def test_a_life_that_begins_tells_all_counts_and_runs_and_the_rules_that_are_broken(run, autojump_clock):
    async with run() as rig:
        await rig.run_job()
        await rig.say("production.counted", "1", {"good": 3})
        await rig.done("quality.check", characteristic="diameter", values=[13.5])
        first = rig.alarms[0].event
    async with run() as rig:
        (counts,) = [message for message in rig.production if type(message) is CountsTold]
        (runs,) = [message for message in rig.production if type(message) is RunsTold]
        assert counts.is_all
        assert [(count.id, count.job, count.pieces.good) for count in counts.counts] == [("1", "j1", 3)]
        assert (runs.equipment, runs.runs[0].job, runs.runs[0].end) == (LINE, "j1", None)
        (raised,) = rig.alarms
        assert (raised.event.id, raised.event.data["code"]) == (first.id, "nelson-1")


async def test_what_is_counted_is_told_to_the_productions_desk_as_it_comes(run, autojump_clock):
    async with run() as rig:
        await rig.run_job(product="a")
        await rig.say("production.counted", "1", {"good": 3, "scrap": 1})
        await rig.done("job.complete", id="j1")
        runs, counts, over = rig.production
        assert [type(message) for message in rig.production] == [RunsTold, CountsTold, RunsTold]
        assert (runs.runs[0].product, runs.runs[0].end) == ("a", None)
        assert not counts.is_all
        (count,) = counts.counts
        assert (count.job, count.product, count.pieces.good) == ("j1", "a", 3)
        assert over.runs[0].end is not None


async def test_a_count_tells_what_its_job_has_come_to(run, autojump_clock):
    async with run() as rig:
        await rig.run_job()
        await rig.say("production.counted", "1", {"good": 3, "scrap": 1})
        (event,) = [event for event in rig.events if event.type == "production.updated"]
        assert event.data["made"] == {"produced": 4, "good": 3, "scrap": 1, "rework": None}
        assert (event.data["job"], event.data["progress"], event.data["jobEquipment"]) == ("j1", 30.0, LINE)
        assert (await rig.read(lambda now: now.job("j1")))["made"]["good"] == 3


async def test_a_figure_that_is_told_is_not_taken_for_a_count(run, autojump_clock):
    async with run() as rig:
        await rig.run_job()
        await rig.say("production.counted", "1", {"good": 3, "scrap": 0})
        for event in [event for event in rig.events if event.type != "production.counted"]:
            await rig.say(event.type, f"{event.id}-again", event.data)
        await rig.say("oee.updated", "9", {"good": 50, "produced": 60})
        assert (await rig.read(lambda now: now.job("j1")))["made"]["good"] == 3


async def test_a_reading_is_a_count_only_where_a_counter_is_configured(run, autojump_clock):
    async with run() as rig:
        for number, value in enumerate((990, 998, 5)):
            await rig.say("equipment.reading", str(number), {"key": "part_count", "value": value})
        await rig.say("equipment.reading", "x", {"key": "temperature", "value": 80})
        await rig.say("equipment.reading", "y", {"key": "part_count", "value": None, "reason": "unavailable"})
        await rig.say("equipment.reading", "z", {"key": "part_count", "value": 500}, equipment=f"{LINE}/st5")
        made = await rig.read(lambda now: now.production(CELL, NOW - 1, NOW + 999))
        assert made["good"] == 15
        rig.world.settings = FloorSettings()
        await rig.say("equipment.reading", "w", {"key": "part_count", "value": 9})
        made = await rig.read(lambda now: now.production(CELL, NOW - 1, NOW + 999))
        assert made["good"] == 15


async def test_late_doubled_and_bad_counts_are_where_they_belong_or_nowhere(run, autojump_clock):
    async with run() as rig:
        await trio.sleep(3600)
        await rig.say("production.counted", "1", {"good": 1}, at=NOW + 60)
        await rig.say("production.counted", "1", {"good": 1}, at=NOW + 60)
        await rig.say("production.counted", "2", {"good": 1}, at=NOW + 120, quality="bad")
        await rig.say("production.counted", "3", {"good": "many"}, at=NOW + 120)
        await rig.say("production.counted", "4", {"good": 2}, at=NOW + 9999)
        made = await rig.read(lambda now: now.production(CELL, NOW, NOW + 3000))
        assert made["good"] == 1
        # Nothing is made in the future: what says so is counted when it came.
        made = await rig.read(lambda now: now.production(CELL, NOW + 3600, NOW + 3610))
        assert made["good"] == 2


async def test_a_person_counts_and_takes_back_and_it_is_told_who_did(run, autojump_clock):
    async with run() as rig:
        await rig.done("production.count", equipment=CELL, good=5, scrap=0)
        answer = await rig.done("production.count", equipment=CELL, good=-2, scrap=2, comment="cracked")
        assert answer["good"] == -2
        counted = [event for event in rig.events if event.type == "production.counted"]
        assert [(event.data["good"], event.data["by"], event.data["comment"]) for event in counted] == [
            (5, "ada", None),
            (-2, "ada", "cracked"),
        ]
        assert (await refused(rig.act("production.count", equipment=CELL, good=-1))).grounds is Grounds.INVALID


async def test_a_changeover_has_the_target_of_its_products_and_tells_when_it_is_used_up(run, autojump_clock):
    async with run() as rig:
        begun = await rig.done("changeover.start", equipment=LINE, to="b")
        assert begun["target"] == 600.0
        await trio.sleep(599)
        assert "changeover.overran" not in rig.types
        await trio.sleep(2.5)
        assert rig.types.count("changeover.overran") == 1
        await rig.done("changeover.end", id=begun["id"])
        await trio.sleep(5)
        assert rig.types.count("changeover.overran") == 1
        assert (await rig.done("changeover.start", equipment=LINE, to="c"))["target"] == 60.0


async def test_an_overrun_is_told_once_also_across_a_restart(run, autojump_clock):
    async with run() as rig:
        await rig.done("changeover.start", equipment=LINE, to="c")
        await trio.sleep(30)
    await trio.sleep(60)
    async with run() as rig:
        await trio.sleep(1.5)
        assert rig.types.count("changeover.overran") == 1
    async with run() as rig:
        await trio.sleep(5)
        assert "changeover.overran" not in rig.types


async def test_the_first_good_piece_of_the_next_product_ends_a_changeover(run, autojump_clock):
    async with run() as rig:
        await rig.run_job("j1", "a")
        await rig.say("production.counted", "1", {"good": 1})
        await trio.sleep(60)
        await rig.done("job.complete", id="j1")
        begun = await rig.done("changeover.start", equipment=LINE, to="b")
        await trio.sleep(60)
        await rig.run_job("j2", "b")
        await rig.say("production.counted", "2", {"good": 1})
        (ended,) = await rig.read(lambda now: now.changeovers(is_open=False))
        assert (ended["id"], ended["length"], ended["from"], ended["endedBy"]) == (begun["id"], 120.1, "a", "count")
        assert set(rig.types[-2:]) == {"production.updated", "changeover.ended"}


async def test_a_broken_rule_is_an_alarm_and_it_is_on_disk_with_its_check(run, autojump_clock):
    async with run() as rig:
        answer = await rig.done("quality.check", characteristic="diameter", values=[13.5])
        assert [violation["rule"] for violation in answer["violations"]] == ["nelson-1"]
        assert rig.types == ["quality.checked", "quality.violated", "alarm.raised"] or set(rig.types) == {
            "quality.checked", "quality.violated", "alarm.raised",
        }  # fmt: skip
        await rig.done("quality.check", characteristic="diameter", values=[10.0])
        assert all(type(message) is SignalTaken for message in rig.alarms)
        assert [message.event.type for message in rig.alarms] == ["alarm.raised", "alarm.cleared"]


async def test_a_check_belongs_to_what_is_being_made_and_a_defect_has_a_known_code(run, autojump_clock):
    async with run() as rig:
        await rig.run_job()
        checked = await rig.done("quality.check", equipment=CELL, inspected=4, passed=3, defects=[{"code": "SCR"}])
        assert (checked["job"], checked["product"], checked["result"]) == ("j1", "a", "fail")
        await rig.done("quality.defect", equipment=CELL, code="SCR", count=2)
        assert (await refused(rig.act("quality.defect", equipment=CELL, code="XXX"))).grounds is Grounds.INVALID
        found = await rig.read(lambda now: now.inspections())
        assert found["defects"] == [{"code": "SCR", "description": "scratch", "count": 3}]
        assert found["firstPassYield"] == 0.75


async def test_places_are_those_of_the_site_by_path_or_alias(run, autojump_clock):
    async with run() as rig:
        unit = UnitSettings(name="st4", aliases=("BP01",))
        line = LineSettings(name="line3", cells=(CellSettings(name="st4", aliases=unit.aliases),))
        rig.world.site = site_of(SiteSettings(enterprise="acme", name="plant1", lines=(line,)))
        assert (await rig.done("job.store", equipment="BP01"))["equipment"] == CELL
        assert (await rig.done("production.count", equipment="BP01", good=1))["equipment"] == CELL
        for act in ("job.store", "production.count", "quality.defect"):
            fault = await refused(rig.act(act, equipment="acme/plant9", good=1, code="SCR"))
            assert fault.details["faults"][0]["pointer"] == "/equipment"
        # What a source counts is no exception.
        for place, id_ in (("acme/plant9", "c1"), ("BP01", "c2")):
            await rig.say("production.counted", id_, {"good": 4}, place)
        assert (await rig.read(lambda now: now.production("acme/plant9", NOW, NOW + 60)))["good"] is None
        assert (await rig.read(lambda now: now.production(CELL, NOW, NOW + 60)))["good"] == 5


async def test_a_characteristic_that_there_is_not_is_said_and_not_a_place_that_is_missing(run, autojump_clock):
    async with run() as rig:
        (fault,) = (await refused(rig.act("quality.check", characteristic="lenght", values=[1.0]))).details["faults"]
        assert fault["pointer"] == "/characteristic"
        assert "lenght" in fault["message"]


async def test_old_counts_are_kept_by_the_minute_and_a_restart_knows_their_sums(run, autojump_clock):
    async with run() as rig:
        rig.world.settings = FloorSettings(jobs=JobSettings(late=3600.0, kept=86_400.0))
        await rig.run_job()
        for number in range(5):
            await rig.say("production.counted", str(number), {"good": 1, "scrap": 0})
            await trio.sleep(1800)
        counts = await rig.read(lambda now: dict(now.counts())[CELL])
        assert [count.id.startswith("minute-") for count in counts] == [True, True, True, False, False]
    async with run() as rig:
        assert (await rig.read(lambda now: now.job("j1")))["made"]["produced"] == 5
        await rig.say("production.counted", "0", {"good": 1}, at=NOW)
        assert (await rig.read(lambda now: now.job("j1")))["made"]["produced"] == 5
        status = await rig.tree.status("gateway/desks/jobs")
        assert status.description["late"] == 1


async def test_a_desk_that_fails_begins_anew_with_all_it_had(run, autojump_clock):
    async with run() as rig:
        await rig.run_job()
        with pytest.raises(ZeroDivisionError):
            await rig.read(lambda _: 1 / 0)
        await trio.sleep(1)
        assert (await rig.done("job.pause", id="j1"))["status"] == "paused"


def test_the_ideal_cycle_of_a_place_comes_before_that_of_its_line_and_of_anywhere():
    product = ProductSettings(ideal_cycle=3.0, ideal_cycles={CELL: 1.5, LINE: 2.0})
    assert [ideal_cycle(product, place) for place in (CELL, f"{CELL}/u1", f"{LINE}/st5", "acme/x")] == [
        1.5,
        1.5,
        2.0,
        3.0,
    ]
    assert ideal_cycle(ProductSettings(), CELL) is None
    assert ideal_cycle(None, CELL) is None
