"""The plant: lines whose publishers post what happens, by shifts, with outages, repeats, bursts and one flood.

Rules of this file: a publisher is what a good one is: it sends again what it was not answered for, with the same ids.
It keeps its cadence unless it is meant to be silent. What it was answered for is remembered, for whoever checks it.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import trio

from actors import EventsTaken, TakeEvents
from actors.runtime import ActorDead, AskTimeout, MailboxFull, ask
from config import HttpSource
from domain import JsonObject, rfc3339
from tests.simulation.gateway import Gateway
from tests.simulation.nature import FIRST_HOUR, HOUR, Nature
from tests.simulation.trace import Trace
from tests.simulation.witness import Name

PLACE = "acme/plant1"
STATIONS = ("st1", "st2", "st3")
ANSWER_LIMIT = 5.0
AGAIN = 3.0
SHIFTS = ((6, 14, 1.0), (14, 22, 0.7), (22, 30, 0.15))
"""From, to (hours of the day), and how busy."""

BURST, FLOOD = 40, 1500
KEEPING_ALIVE = 0.7
"""Cadences after which a publisher has something to say."""

Members = dict[str, object]


@dataclass(frozen=True)
class Line:
    """One line: ``rate`` is of events a second in the first shift."""

    name: str
    cadence: float
    rate: float
    is_required: bool = False

    @property
    def settings(self) -> HttpSource:
        """Its table in the configuration."""
        return HttpSource(equipment=f"{PLACE}/{self.name}", cadence=self.cadence, required=self.is_required)


def lines(cadence: float) -> list[Line]:
    """All lines, with their cadences as a multiple."""
    return [replace(line, cadence=cadence * line.cadence) for line in LINES]


LINES = (
    Line("line1", 15.0, 1.0, is_required=True),
    Line("line2", 30.0, 0.6),
    Line("line3", 60.0, 0.4, is_required=True),
    Line("line4", 20.0, 0.3),
)

Make = Callable[["Machines", str], tuple[str, object, dict[str, object]]]


@dataclass
class Machines:
    """What is going on at one line."""

    chance: random.Random
    calls: deque[tuple[str, str]] = field(default_factory=deque)
    number: int = 0

    def reading(self, station: str) -> tuple[str, object, dict[str, object]]:
        key = self.chance.choice(("temperature", "pressure", "speed", "torque"))
        value = round(self.chance.gauss(50, 10), 3)
        return "equipment.reading", {"key": key, "value": value, "unit": "1"}, {"subject": f"{station}-{key}"}

    def state(self, _station: str) -> tuple[str, object, dict[str, object]]:
        state = self.chance.choice(("ACTIVE", "READY", "STOPPED", "INTERRUPTED"))
        return "equipment.state.changed", {"state": state}, {}

    def sample(self, _station: str) -> tuple[str, object, dict[str, object]]:
        return "quality.sampled", {"ok": self.chance.random() < 0.97, "size": self.chance.randrange(1, 50)}, {}

    def trace(self, _station: str) -> tuple[str, object, dict[str, object]]:
        return "line.traced", {"step": self.chance.randrange(1000)}, {"priority": "low"}

    def note(self, _station: str) -> tuple[str, object, dict[str, object]]:
        return "shift.noted", {"text": "changeover"}, {"priority": "high"}

    def warning(self, _station: str) -> tuple[str, object, dict[str, object]]:
        return "alarm.raised", {"key": "hydraulics", "code": "W12", "level": "WARNING"}, {}

    def fault(self, _station: str) -> tuple[str, object, dict[str, object]]:
        return "alarm.raised", {"key": "safety", "code": "E7", "level": "FAULT"}, {}

    def call(self, station: str) -> tuple[str, object, dict[str, object]]:
        if self.calls and self.chance.random() < 0.6:
            word, call = self.calls.popleft()
            if word == "acknowledged":
                self.calls.append(("resolved", call))
            return f"andon.call.{word}", {"call": call}, {}
        self.number += 1
        call = f"{station}-call-{self.number}"
        self.calls.append(("acknowledged", call))
        return "andon.call.raised", {"call": call, "reason": "material"}, {}


KINDS: tuple[tuple[float, Make], ...] = (
    (0.780, Machines.reading),
    (0.080, Machines.state),
    (0.060, Machines.sample),
    (0.040, Machines.trace),
    (0.010, Machines.note),
    (0.012, Machines.warning),
    (0.006, Machines.fault),
    (0.012, Machines.call),
)


@dataclass
class Silence:
    """A source was last heard at ``began`` and again at ``ended``, on the simulation's clock."""

    source: str
    cadence: float
    began: float
    ended: float = math.inf


@dataclass
class Plant:
    """What the publishers share; ``mood`` says how much they say: 1 as usual, 0 only that they live, None nothing."""

    nature: Nature
    gateway: Gateway
    trace: Trace
    scale: float
    mood: int | None = 1
    answered: dict[Name, float] = field(default_factory=dict)
    posted: int = 0
    unanswered: int = 0
    silences: list[Silence] = field(default_factory=list)

    def busyness(self) -> float:
        """How busy the plant is now."""
        hour = (FIRST_HOUR + self.nature.now() / HOUR) % 24
        return next(busy for begin, end, busy in SHIFTS if begin <= hour < end or begin <= hour + 24 < end)


class Publisher:
    """Posts what happens at one line."""

    def __init__(self, plant: Plant, line: Line) -> None:
        self.line = line
        self._plant = plant
        self._chance = plant.nature.chance("publisher", line.name)
        self._machines = Machines(plant.nature.chance("machines", line.name))
        self._number = 0
        self._silent_until = 0.0
        self._heard = 0.0
        self._recent: deque[Members] = deque(maxlen=50)
        self._extra: list[Members] = []

    async def run(self) -> None:
        """Post until cancelled."""
        began = trio.current_time()
        while True:
            await trio.sleep_until(trio.current_time() + self._pause())
            now = trio.current_time()
            if now < self._silent_until or self._plant.mood is None:
                continue
            batch = self._batch(now - began)
            began = now
            while batch and not await self._post(batch):  # noqa: ASYNC110 - nobody tells when to try again
                await trio.sleep_until(trio.current_time() + AGAIN)

    def be_silent(self, cadences: float) -> None:
        """Say nothing for so many cadences."""
        self._silent_until = trio.current_time() + cadences * self.line.cadence

    def burst(self, count: int) -> None:
        """Something happens that ``count`` critical events tell of."""
        self._extra += [self._event(Machines.fault) for _ in range(count)]

    def _pause(self) -> float:
        longest = KEEPING_ALIVE * self.line.cadence
        return self._chance.uniform(0.3, 1.0) * longest

    def _batch(self, elapsed: float) -> list[Members]:
        mean = self._plant.scale * self.line.rate * self._plant.busyness() * elapsed if self._plant.mood else 0.0
        count = max(1, min(500, round(self._chance.gauss(mean, math.sqrt(mean)))))
        kinds, weights = [make for _, make in KINDS], [weight for weight, _ in KINDS]
        batch = [self._event(make) for make in self._chance.choices(kinds, weights, k=count)]
        extra, self._extra = self._extra[:200], self._extra[200:]
        batch += extra
        if self._recent and self._chance.random() < 0.1:
            batch += self._chance.sample(list(self._recent), min(3, len(self._recent)))
        self._recent.extend(batch)
        return batch

    def _event(self, make: Make) -> Members:
        station = self._chance.choice(STATIONS)
        type_, data, more = make(self._machines, station)
        self._number += 1
        return {
            "specversion": "1.0",
            "id": f"{self.line.name}-{self._number}",
            "source": f"/{PLACE}/{self.line.name}/{station}",
            "type": type_,
            "time": rfc3339(self._plant.nature.wall()),
            "data": data,
            **more,
        }

    async def _post(self, batch: list[Members]) -> bool:
        """Post ``batch``; whether the gateway has answered for all of it."""
        plant, asked = self._plant, trio.current_time()
        plant.posted += 1
        members: list[JsonObject] = batch
        try:
            taken = await ask(plant.gateway.source(self.line.name), TakeEvents(members), ANSWER_LIMIT)
        except (ActorDead, AskTimeout, MailboxFull) as error:
            plant.unanswered += 1
            plant.trace.note("unanswered", self.line.name, type(error).__name__)
            return False
        if not isinstance(taken, EventsTaken):
            raise TypeError(f"the source answered {taken!r}")
        if asked - self._heard > 2 * self.line.cadence:
            plant.silences.append(Silence(self.line.name, self.line.cadence, self._heard, asked))
        self._heard = asked
        plant.trace.note("taken", self.line.name, taken.accepted, taken.duplicates, taken.unkept, taken.overloaded)
        if taken.refused:
            raise ValueError(f"the source refused {taken.refused}")
        if taken.unkept or taken.overloaded:
            return False
        plant.answered |= dict.fromkeys(((str(each["source"]), str(each["id"])) for each in batch), asked)
        return True
