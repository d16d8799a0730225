"""One machine: observations go in, events come out.

Rules of this file: no I/O, no clock; ``received`` (Unix seconds) is the receiver's time. It only puts together what
the others decide:

* ``Repeats`` drops what was said before and marks what is late, ``Clock`` says whether a stamp is believed.
* A late observation that is off the clock waits (bounded) until it is known whether the clock jumped. If it did, it
  is news of a new era and is taken as it came; if not, it is told as late.
* The state follows from execution, availability and emergency stop; alarms from conditions; everything else is a
  reading. What a line says at one stamp changes the state once, when all of it is known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from domain.event import Event
from domain.json import JsonValue
from domain.plant.mtconnect.clock import Clock, Jumped, Settled
from domain.plant.mtconnect.conditions import Conditions
from domain.plant.mtconnect.equipment import Equipment
from domain.plant.mtconnect.notices import Notices
from domain.plant.mtconnect.observation import UNAVAILABLE, Observation, Role
from domain.plant.mtconnect.readings import Reading, Readings
from domain.plant.mtconnect.repeats import Novelty, Repeats

HELD_LIMIT = 1024


class _Noted(NamedTuple):
    """What came last of that which the state follows from."""

    cause: Observation
    at: float
    received: float
    is_good: bool


class Machine:
    """What is known of one machine; ``place`` is its ISA-95 path, ``name`` its source in the settings."""

    def __init__(self, place: str, name: str, clock_step: float) -> None:
        self.clock = Clock(clock_step)
        self.equipment = Equipment()
        self.conditions = Conditions()
        self.notices = Notices(place, name)
        self._repeats = Repeats()
        self._readings = Readings()
        self._held: deque[tuple[Observation, float]] = deque()
        self._last: Observation | None = None
        self._noted: _Noted | None = None
        self.taken = 0
        self.repeated = 0
        self.late = 0
        self.uncertain = 0

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for its time, so that ``tick`` is wanted."""
        return bool(self._readings) or bool(self._held) or self.clock.is_suspicious

    def connected(self, received: float) -> None:
        """A connection to the machine begins."""
        self.clock.connected(received)

    def take(self, observation: Observation, received: float) -> list[Event]:
        """The events that ``observation`` makes, if it is alone on its line."""
        return self.take_line((observation,), received)

    def take_line(self, observations: Iterable[Observation], received: float) -> list[Event]:
        """The events that the ``observations`` of one line make."""
        told: list[Event] = []
        for observation in observations:
            told += self._take(observation, received)
        return told + self._settle()

    def _take(self, observation: Observation, received: float) -> list[Event]:
        self.taken += 1
        if observation.at is None:
            # No stamp: the receiver's time holds. A stamp that could not be read: nobody knows.
            return self._apply(observation, received, is_good=not observation.stamp)
        novelty = self._repeats.judge(observation)
        if novelty is Novelty.REPEAT:
            self.repeated += 1
            return []
        self._last = observation
        era = self._repeats.era
        name = f"{observation.key}/{observation.code}" if observation.role is Role.CONDITION else observation.key
        verdict = self.clock.take(name, observation.at, received)
        told = self._after(verdict.notice, observation, received)
        if novelty is Novelty.LATE and self._repeats.era != era:
            novelty = self._repeats.judge(observation)
        if novelty is Novelty.NEW:
            return told + self._apply(observation, received, is_good=verdict.is_good)
        if novelty is Novelty.LATE:
            self._held.append((observation, received))
            if len(self._held) > HELD_LIMIT:
                told += self._tell_late(*self._held.popleft())
            if not self.clock.is_suspicious:
                told += self._release_late()
        return told

    def tick(self, received: float) -> list[Event]:
        """The events that are due because time passed; call it a few times a second while ``is_waiting``."""
        told = [self.notices.reading(reading) for reading in self._readings.due(received)]
        jumped = self.clock.idle(received, waiting=bool(self._held))
        if self._last is not None:
            told += self._after(jumped, self._last, received)
        return told + self._settle()

    def describe(self) -> Mapping[str, JsonValue]:
        """What the status document says of the machine."""
        status, clock = self.equipment.status, self.clock
        return {
            "state": status.state.value,
            "execution": status.execution,
            "activeAlarms": len(self.conditions),
            "refusedAlarms": self.conditions.refused,
            "observations": self.taken,
            "repeated": self.repeated,
            "late": self.late,
            "uncertain": self.uncertain,
            "clockOffset": None if clock.offset is None else round(clock.offset, 3),
            "clockPace": None if clock.pace is None else round(clock.pace, 3),
            "clockJumps": clock.jumps,
            "quarantined": clock.is_quarantined,
        }

    def _after(self, notice: Jumped | Settled | None, cause: Observation, received: float) -> list[Event]:
        """What follows from news of the clock, and for what was held back until they came."""
        told: list[Event] = []
        if notice is not None:
            if notice.backwards:
                self._repeats.era += 1
                self.notices.era += 1
            told.append(self.notices.clock(notice, cause, received))
        if not self._held or self.clock.is_suspicious:
            return told
        return told + (self._release_late() if notice is None or not notice.backwards else self._release())

    def _release(self) -> list[Event]:
        """The clock did step back: what was held is news."""
        told: list[Event] = []
        while self._held:
            observation, received = self._held.popleft()
            if self._repeats.judge(observation) is Novelty.NEW:
                told += self._apply(observation, received, is_good=False)
        return told

    def _release_late(self) -> list[Event]:
        told: list[Event] = []
        while self._held:
            told += self._tell_late(*self._held.popleft())
        return told

    def _tell_late(self, observation: Observation, received: float) -> list[Event]:
        self.late += 1
        self._repeats.remember(observation)
        return [self.notices.late(observation, received)]

    def _apply(self, observation: Observation, received: float, *, is_good: bool) -> list[Event]:
        self.uncertain += not is_good
        at = received if observation.at is None else observation.at
        if observation.role is Role.CONDITION:
            changes = self.conditions.take(observation, at, self._repeats.era)
            return [self.notices.alarm(change, observation, received, is_good=is_good) for change in changes]
        if observation.role is Role.MESSAGE:
            if observation.value == UNAVAILABLE:
                return []
            return [self.notices.message(observation, received, is_good=is_good)]
        told = []
        if observation.role not in (Role.VALUE, Role.SERIES):
            told = self._note(observation, at, received, is_good=is_good)
        reading = self._readings.take(Reading(observation, received, is_good))
        if reading is not None:
            told.append(self.notices.reading(reading))
        return told

    def _note(self, observation: Observation, at: float, received: float, *, is_good: bool) -> list[Event]:
        """Take in what the state follows from; what changed by that of another stamp is told first."""
        told: list[Event] = [] if self._noted is None or self._noted.at == at else self._settle()
        self.equipment.note(observation, at, self._repeats.era)
        self._noted = _Noted(observation, at, received, is_good)
        return told

    def _settle(self) -> list[Event]:
        noted, self._noted = self._noted, None
        changed = None if noted is None else self.equipment.settle()
        if noted is None or changed is None:
            return []
        moment = self.equipment.newest
        return [self.notices.state(changed, noted.cause, noted.received, is_good=noted.is_good, moment=moment)]
