"""A day at the plant: the gateway, its disk, its network, those who publish, those who look, and what goes wrong.

Rules of this file: it puts together and decides nothing. The same plan gives the same day, to the last byte.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import trio
from msgspec.structs import replace

from andond.portal_streams import PORTAL_STREAMS
from config import (
    CanarySettings,
    ChannelSettings,
    FloorSettings,
    JournalSettings,
    PolicySettings,
    ServerSettings,
    Settings,
    StorageSettings,
)
from config.production import OeeSettings
from tests.simulation import checks
from tests.simulation.agenda import Agenda
from tests.simulation.clients import Client, World
from tests.simulation.dialects import NativeClient
from tests.simulation.disk import Disk
from tests.simulation.faults import QUICK, Fate, drawn
from tests.simulation.gateway import Gateway
from tests.simulation.nature import HOUR, Nature, determined
from tests.simulation.network import Network
from tests.simulation.people import everybody
from tests.simulation.plant import Plant, Publisher, lines
from tests.simulation.trace import Trace
from tests.simulation.witness import Chronicle, Witness

CALM, STILL, LOOK = 300.0, 12.0, 3.0
"""Seconds before a check in which nobody goes and nothing goes wrong; in which nothing happens; when it is."""

CHECKS = (2 / 24, 8 / 24, 16 / 24, 1.0)
SWEEP, SURVEY = 100.0, 600.0
USUAL_CENSUS = 1
OFF_BEAT = 0.1
"""Seconds behind a beat of the gateway: at one, a channel may just begin."""

MIB = 1024 * 1024


@dataclass(frozen=True)
class Plan:
    """What day it is to be.

    ``scale`` is how much is published. ``pace`` is by how much rarer than usual all is that comes again and again:
    pings, canaries, looks, what the sources have promised, visits. It makes a long day cheap.
    """

    seed: int = 1
    hours: float = 24.0
    scale: float = 0.3
    pace: float = 1.0

    def settings(self, directory: Path) -> Settings:
        """The gateway's configuration."""
        return Settings(
            server=ServerSettings(
                ping_interval=10.0 * self.pace,
                dead_after=15.0 * self.pace,
                outbox_size=64 * 1024,
                outbox_critical=400,
            ),
            storage=StorageSettings(path=str(directory)),
            journal=JournalSettings(reserve=4 * MIB, normal_size=2 * MIB, high_size=16 * MIB),
            channels=ChannelSettings(history=10),
            floor=FloorSettings(oee=OeeSettings(interval=60.0 * self.pace)),
            policy=PolicySettings(critical_rate=2.0, critical_burst=100),
            canary=CanarySettings(interval=10.0 * self.pace),
            sources={line.name: line.settings for line in lines(self.pace)},
        )

    def constants(self) -> dict[str, object]:
        """Constants of the gateway, small enough for a day to get beyond them."""
        return {
            "andond.tree.PORTAL_STREAMS": {
                type_: replace(stream, interval=5.0 * self.pace * stream.interval)
                for type_, stream in PORTAL_STREAMS.items()
            },
            # Twice that is within what is promised.
            "actors.sources.silence.LOOK": 0.25 if self.pace <= 1.0 else 0.5,
            "actors.connections.receipts.LOOK": min(5.0, self.pace),
            "actors.recorder.recorder.RETAIN_INTERVAL": 60.0 * min(5.0, self.pace),
            "actors.recorder.batch.REMEMBERED": 50,
            "actors.channels.replay.FRAMES_KEPT": 16,
            "domain.history.CRITICAL_KEPT": 20,
        }

    def calms(self) -> list[tuple[float, float]]:
        """From when to when nothing goes wrong."""
        ends = [part * self.hours * HOUR for part in CHECKS]
        return [(end - CALM, end) for end in ends]


@dataclass
class Outcome:
    """What came of a day: everything that was wrong, and some figures."""

    plan: Plan
    trace: Trace
    found: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)


def simulate(plan: Plan, directory: Path, log: TextIO | None = None) -> Outcome:
    """Live through the day of ``plan``; the journal is in ``directory``, which is empty."""
    began = time.perf_counter()
    nature = Nature(plan.seed)
    trace = Trace(nature.now, log)
    # The gateway tells where its journal is, and two days are to be told the same.
    day = Day(plan, nature, trace, Path("journal"))
    with chdir(directory), ExitStack() as stack:
        for each in day.in_place():
            stack.enter_context(each)
        trio.run(day.run, clock=nature.clock)
        day.disk.close()
        day.outcome.found += day.verdict.all(day.clients)
    day.conclude()
    day.outcome.figures["seconds"] = round(time.perf_counter() - began, 1)
    return day.outcome


class Day:
    """Everything that a day is made of."""

    def __init__(self, plan: Plan, nature: Nature, trace: Trace, directory: Path) -> None:
        self.outcome = Outcome(plan, trace)
        self._plan = plan
        self._nature = nature
        self._agenda = Agenda()
        self._network = Network(self._agenda)
        chance = nature.chance("disk")
        self.disk = Disk(directory, lambda: chance.uniform(*QUICK))
        self._gateway = Gateway(nature, self._network, self.disk, plan.settings(directory))
        self._witness = Witness(trace, Chronicle(trace, nature.now))
        self._world = World(nature, self._agenda, self._network, trace, self._witness)
        self.clients: Sequence[Client] = everybody(self._world, max(1.0, plan.pace / 3))
        self._plant = Plant(nature, self._gateway, trace, plan.scale)
        self._publishers = [Publisher(self._plant, line) for line in lines(plan.pace)]
        self._fate = Fate(nature, self._agenda, self._gateway, self.disk, self.clients, self._publishers, trace)
        self.verdict = checks.Verdict(directory, self._witness, self._plant, self._fate, self._gateway)
        self._censuses: list[Counter[str]] = []

    def in_place(self):
        """What must be in force while the day lasts."""
        yield determined(self._nature)
        yield self._network.in_place()
        yield self.disk.in_place()
        yield self._witness.watching()
        yield self._gateway.in_place(self._plan.constants())

    async def run(self) -> None:
        """Live through it."""
        calms = self._plan.calms()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._agenda.run)
            for client in self.clients:
                client.start()
            self._fate.plan(drawn(self._nature.chance("faults"), self._plan.hours, calms))
            for publisher in self._publishers:
                nursery.start_soon(publisher.run)
            nursery.start_soon(self._sweep)
            nursery.start_soon(self._look_after, calms)
            await self._gateway.run()
            nursery.cancel_scope.cancel()

    async def _sweep(self) -> None:
        due = trio.current_time()
        while True:
            due += SWEEP
            await trio.sleep_until(due + OFF_BEAT)
            self.outcome.found += checks.ledgers(self._gateway)
            if due % SURVEY == 0 and not self._fate.is_disturbed(due - 30.0, due) and self._gateway.is_ready:
                self.outcome.found += self._at(checks.living(await self._gateway.survey()))

    async def _look_after(self, calms: Sequence[tuple[float, float]]) -> None:
        for begin, end in calms:
            await trio.sleep_until(begin)
            self._world.is_calm, self._plant.mood = True, 0
            for client in self.clients:
                client.connect()
            await trio.sleep_until(end - STILL)
            self._plant.mood = None
            await trio.sleep_until(end - LOOK + OFF_BEAT)
            await self._check()
            self._world.is_calm, self._plant.mood = False, 1
        self._gateway.stop()

    async def _check(self) -> None:
        tree = await self._gateway.survey()
        found = [
            *checks.living(tree),
            *checks.idle(tree),
            *checks.ledgers(self._gateway),
            *checks.present(self._gateway, self.clients),
            *checks.accounted(self.clients),
        ]
        self._censuses.append(checks.census())
        # By the first check not every cache has been filled.
        if len(self._censuses) > USUAL_CENSUS + 1:
            found += checks.grown(self._censuses[USUAL_CENSUS], self._censuses[-1])
        self.outcome.found += self._at(found)

    def _at(self, found: Sequence[str]) -> list[str]:
        return [f"at {self._nature.now() / HOUR:.2f} h: {each}" for each in found]

    def conclude(self) -> None:
        """Take down the figures."""
        natives = [client for client in self.clients if isinstance(client, NativeClient)]
        codes: Counter[int] = sum((client.codes for client in self.clients), Counter())
        self.outcome.figures |= {
            "trace": self.outcome.trace.digest,
            "processes": self._gateway.process,
            "published": self._witness.published,
            "answered": len(self._plant.answered),
            "posts": self._plant.posted,
            "posts unanswered": self._plant.unanswered,
            "critical in the journal": self.verdict.critical,
            "visits": sum(client.visits for client in self.clients),
            "closes": dict(sorted(codes.items())),
            "critical repeats": sum(client.criticals.repeats for client in natives),
            "unrecovered": sum(client.criticals.unrecovered for client in natives),
            "errors": [error for client in natives for error in client.errors][:5],
            "silences": len(self._plant.silences),
            "said": dict(Counter(line.event for line in self._witness.chronicle.lines)),
            "seen": dict(self.outcome.trace.counts),
        }
