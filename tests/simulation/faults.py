"""What goes wrong in a day: who fails, what the disk does, when the power is cut, how the clock is set.

Rules of this file: everything is drawn before the day begins, from the seed. Nothing goes wrong in the calm before a
check, nor so shortly before that it is not over.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.places import (
    CANARY,
    CHANNELS,
    CONNECTIONS,
    FLOOR_DESK,
    LISTENER,
    PORTAL_DESK,
    RECEIPTS,
    RECORDER,
    SOURCES,
    VIGIL,
)
from tests.simulation.agenda import Agenda
from tests.simulation.clients import Client
from tests.simulation.disk import Disk
from tests.simulation.gateway import Gateway
from tests.simulation.nature import HOUR, Nature
from tests.simulation.plant import BURST, FLOOD, Publisher
from tests.simulation.trace import Trace

ONE_OF_CHANNELS, ONE_OF_CONNECTIONS, ONE_OF_SOURCES = f"{CHANNELS}/*", f"{CONNECTIONS}/*", f"{SOURCES}/*"
FAILURES = {
    ONE_OF_CHANNELS: 60,
    ONE_OF_CONNECTIONS: 40,
    ONE_OF_SOURCES: 8,
    FLOOR_DESK: 8,
    PORTAL_DESK: 4,
    RECEIPTS: 5,
    CANARY: 5,
    VIGIL: 5,
    RECORDER: 3,
    CHANNELS: 2,
    CONNECTIONS: 2,
    LISTENER: 2,
}
"""How often who fails, in 24 hours."""

QUICK, SLOW, HANGING = (0.0002, 0.002), (0.05, 0.8), (0.5, 6.0)
"""Seconds that a piece of work takes."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong ``at`` a moment, for ``lasting`` seconds."""

    at: float
    kind: str
    lasting: float = 0.0
    what: str = ""


# kind -> how often in 24 hours, for how long
KINDS: dict[str, tuple[int, float]] = {
    "disk full": (2, 600.0),
    "disk slow": (3, 300.0),
    "disk hangs": (2, 60.0),
    "disk broken": (2, 120.0),
    "power cut": (4, 30.0),
    "restart": (2, 5.0),
    "clock": (8, 0.0),
    "outage": (3, 30.0),
    "burst": (16, 0.0),
    "flood": (1, 60.0),
    "silence": (24, 600.0),
}
TRIES = 100
REST = 400.0
"""Seconds that the gateway and its clients need to be well again."""


def drawn(chance: random.Random, hours: float, calms: Sequence[tuple[float, float]]) -> list[Fault]:
    """The faults of so many hours, none in or shortly before the ``calms``."""
    faults = []

    def draw(kind: str, count: int, lasting: float, what: str = "") -> None:
        for _ in range(max(1, round(count * hours / 24))):
            draws = (chance.uniform(60.0, hours * HOUR) for _ in range(TRIES))
            at = next((at for at in draws if not _is_calm(at, lasting, calms)), None)
            # In a day of an hour there is no time for what lasts.
            if at is not None:
                faults.append(Fault(at, kind, lasting, what))

    for what, count in FAILURES.items():
        draw("failure", count, 10.0, what)
    for kind, (count, lasting) in KINDS.items():
        draw(kind, count, lasting)
    return sorted(faults, key=lambda fault: fault.at)


def _is_calm(at: float, lasting: float, calms: Sequence[tuple[float, float]]) -> bool:
    return any(begin - lasting - REST <= at <= end for begin, end in calms)


class Fate:
    """Has everything go wrong that was drawn."""

    def __init__(
        self,
        nature: Nature,
        agenda: Agenda,
        gateway: Gateway,
        disk: Disk,
        clients: Sequence[Client],
        publishers: Sequence[Publisher],
        trace: Trace,
    ) -> None:
        self._chance = nature.chance("fate")
        self._nature = nature
        self._agenda = agenda
        self._gateway = gateway
        self._disk = disk
        self._clients = clients
        self._publishers = publishers
        self._trace = trace
        self.disturbed: list[tuple[float, float]] = []
        """From when to when nobody can expect the gateway to be as usual."""

    def plan(self, faults: Sequence[Fault]) -> None:
        """Put ``faults`` down on the agenda, at the beginning."""
        for fault in faults:
            self._agenda.later(fault.at, lambda fault=fault: self._befall(fault))

    def _befall(self, fault: Fault) -> None:
        acts: dict[str, Callable[[Fault], None]] = {
            "failure": self._fail,
            "disk full": self._fill,
            "disk slow": lambda fault: self._slow(fault, SLOW),
            "disk hangs": lambda fault: self._slow(fault, HANGING),
            "disk broken": self._break,
            "power cut": self._cut_power,
            "restart": self._restart,
            "clock": self._set_clock,
            "outage": self._cut_network,
            "burst": lambda _fault: self._chance.choice(self._publishers).burst(BURST),
            "flood": lambda _fault: self._chance.choice(self._publishers).burst(FLOOD),
            "silence": self._silence,
        }
        self._trace.note("fault", fault.kind, fault.what)
        acts[fault.kind](fault)

    def is_disturbed(self, begin: float, end: float) -> bool:
        """Whether anything of this kind befell the gateway in that time."""
        return any(since < end and begin < until for since, until in self.disturbed)

    def _disturb(self, lasting: float) -> None:
        now = self._nature.now()
        self.disturbed.append((now, now + lasting + 30.0))

    def _fail(self, fault: Fault) -> None:
        path = fault.what
        if path.endswith("/*"):
            below = sorted(self._gateway.below(path.removesuffix("/*")))
            if not below:
                return
            path = self._chance.choice(below)
        if self._gateway.is_ready and self._gateway.fail(path, abruptly=self._chance.random() < 0.5):
            self._trace.note("failed", path)
            self._disturb(0.0)

    def _fill(self, fault: Fault) -> None:
        self._disk.fill(is_full=True)
        self._agenda.later(fault.lasting, lambda: self._disk.fill(is_full=False))

    def _slow(self, fault: Fault, delays: tuple[float, float]) -> None:
        usual = self._disk.delay
        self._disk.delay = lambda: self._chance.uniform(*delays)
        self._disturb(fault.lasting)

        def recover() -> None:
            self._disk.delay = usual

        self._agenda.later(fault.lasting, recover)

    def _break(self, fault: Fault) -> None:
        self._disk.is_broken = True
        self._disturb(fault.lasting)

        def mend() -> None:
            self._disk.is_broken = False

        self._agenda.later(fault.lasting, mend)

    def _cut_power(self, fault: Fault) -> None:
        if self._gateway.is_ready:
            self._disturb(fault.lasting)
            self._gateway.cut_power(self._chance.uniform(2.0, fault.lasting))

    def _restart(self, fault: Fault) -> None:
        if self._gateway.is_ready:
            self._disturb(60.0)
            self._gateway.restart(fault.lasting)

    def _set_clock(self, _fault: Fault) -> None:
        self._nature.offset += self._chance.choice((-3600.0, -120.0, -0.5, 0.7, 30.0, 7200.0))

    def _cut_network(self, fault: Fault) -> None:
        for client in self._clients:
            client.lose(self._chance.uniform(5.0, fault.lasting))

    def _silence(self, _fault: Fault) -> None:
        self._chance.choice(self._publishers).be_silent(self._chance.uniform(2.2, 5.0))
