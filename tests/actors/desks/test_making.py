"""From a machine's word and a count to the figures of a job: three desks together, on a real journal."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager

import pytest
import trio

from actors.acts import Act
from actors.desks import CountersInForce, FloorDesk, JobDesk, ProductionDesk, ReadProduction
from actors.messages import EventTaken
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, ask
from config import CounterSettings, FloorSettings, JournalSettings, ProductSettings
from domain import Event, Priority, rfc3339
from domain.access import OPEN_RIGHTS

NOW = 1_800_000_000.0
CELL = "acme/plant1/line3/st4"
FLOOR = FloorSettings(
    products={"a": ProductSettings(ideal_cycle=9.0, ideal_cycles={CELL: 1.6})},
    counters={"parts": CounterSettings(equipment=CELL, reading="part_count", counts="produced")},
)


class Rig:
    def __init__(self, tree):
        self.tree = tree
        self.ids = itertools.count(1)

    async def say(self, type_, **data):
        event = Event(
            f"e{next(self.ids)}-{trio.current_time()}",
            f"/{CELL}",
            type_,
            data,
            wall(),
            Priority.HIGH,
            time=rfc3339(wall()),
        )
        self.tree.ref("gateway/desks/floor").tell(EventTaken(event))
        await self.tree.settle()

    async def act(self, type_, **arguments):
        await ask(
            self.tree.ref("gateway/desks/jobs"), Act(type_, None, "ada", wall(), arguments, rights=OPEN_RIGHTS), 20
        )

    async def figures(self, job):
        def read(now):
            place, window = now.job(job)
            return now.oee(place, window)

        return await ask(self.tree.ref("gateway/desks/production"), ReadProduction(read), 20)


def wall():
    return NOW + trio.current_time()


@pytest.fixture
def run(grow, keeper, tmp_path):
    @asynccontextmanager
    async def running():
        recorder = (tmp_path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), wall, at_once)
        desks = [
            ChildSpec("floor", FloorDesk, (JournalSettings, CountersInForce(lambda: FLOOR))),
            ChildSpec("alarms", keeper, ([],)),
            ChildSpec("production", ProductionDesk, (lambda: FLOOR,), {"clock": wall}),
            ChildSpec("jobs", JobDesk, (lambda: FLOOR,), {"clock": wall}),
        ]
        specs = [
            ChildSpec("recorder", Recorder, recorder, redeliver=True),
            ChildSpec("channels", keeper, ([],)),
            ChildSpec("desks", Supervisor, (desks, Policy(backoff=0.05))),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree)

    return running


async def test_the_figures_of_a_job_are_made_of_what_was_counted_while_it_ran_also_after_a_restart(run, autojump_clock):
    async with run() as rig:
        await rig.say("equipment.state.changed", state="active", execution="ACTIVE")
        await rig.act("job.store", id="j1", equipment=CELL, product="a", quantity=100)
        await rig.act("job.accept", id="j1")
        await rig.act("job.start", id="j1")
        await rig.say("equipment.reading", key="part_count", value=700)
        await trio.sleep(50)
        await rig.say("equipment.reading", key="part_count", value=750)
        await rig.say("production.counted", scrap=10)
        await trio.sleep(50)
        await rig.act("job.complete", id="j1")
        await rig.tree.settle()
        first = await rig.figures("j1")
        assert first["performance"] == pytest.approx(1.6 * 50 / 100)
        assert first["quality"] == 0.8
    await trio.sleep(30)
    async with run() as rig:
        # The production's desk asks for what was counted, until it is told.
        await trio.sleep(10)
        again = await rig.figures("j1")
        assert (again["performance"], again["quality"]) == (first["performance"], first["quality"])


async def test_the_figures_of_a_job_that_was_interrupted_are_of_all_the_time_it_ran_and_no_other(run, autojump_clock):
    async with run() as rig:
        await rig.say("equipment.state.changed", state="active", execution="ACTIVE")
        await rig.act("job.store", id="j1", equipment=CELL, product="a", quantity=100)
        await rig.act("job.accept", id="j1")
        await rig.act("job.start", id="j1")
        await trio.sleep(40)
        await rig.say("production.counted", good=20, scrap=5)
        await rig.act("job.pause", id="j1")
        await trio.sleep(1000)
        await rig.act("job.resume", id="j1")
        await trio.sleep(10)
        await rig.say("production.counted", good=5)
        await trio.sleep(10)
        found = await rig.figures("j1")
        assert (found["elements"]["pq"], found["elements"]["gq"]) == (30, 25)
        assert found["elements"]["apt"] == pytest.approx(60, abs=0.1)
        assert found["performance"] == pytest.approx(1.6 * 30 / 60, rel=0.01)
