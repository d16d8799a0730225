"""The parts of a snapshot of the floor, and which desk has each.

Rules of this file: one table. A question is answered within the desk's own turn, so each part is of one moment; its
rows are the desk's documents. Which of them are of the place that was asked for is decided in one way for all parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from actors.desks import ReadAlarms, ReadCalls, ReadJobs, ReadProduction
from actors.places import ALARMS_DESK, CALLS_DESK, JOBS_DESK, PRODUCTION_DESK
from domain import JsonObject, Refused
from domain.plant.calls import CallsNow
from domain.plant.jobs import JobsNow
from domain.plant.ledger import LedgersNow
from domain.plant.site import EquipmentModel, is_within

Rows = Iterable[JsonObject]
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Where:
    """The place that was asked for, None for the whole plant; the ``model`` of the equipment; the moment (Unix s)."""

    name: str | None
    model: EquipmentModel
    at: float

    def has(self, path: str) -> bool:
        """Whether ``path`` is that place, or below it; one that the model does not know is known by its name alone."""
        if self.name is None:
            return True
        found = self.model.find(self.name)
        if found.is_modelled:
            return is_within(path, found.path)
        return f"/{found.path}/" in f"/{path}/"

    def is_in(self, path: str) -> bool:
        """Whether that place is ``path``, or below it."""
        return self.name is not None and f"{self.model.path_of(self.name)}/".startswith(f"{path}/")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a snapshot: the place of its desk, and the question that the desk answers with rows."""

    desk: str
    question: Callable[[Where], object]
    reaches_up: bool = False
    """Whether what is said of a place above is said of the one that was asked for too."""


def _alarms(_where: Where) -> object:
    return ReadAlarms(lambda now: [each for each in now.listed() if each["active_state"]])


def _jobs(_where: Where) -> object:
    return ReadJobs(JobsNow.jobs)


def _production(where: Where) -> object:
    def read(now: JobsNow) -> Rows:
        rows = []
        for equipment in filter(where.has, dict(now.counts())):
            try:
                rows.append(now.shift_production(equipment))
            except Refused:
                # Without a shift it is said what was made in the day that ends now.
                rows.append(now.production(equipment, where.at - DAY, where.at))
        return rows

    return ReadJobs(read)


def _lines(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        units = filter(where.has, now.ledgers.units)
        lines = dict.fromkeys(_line_of(where.model, unit) for unit in units)
        return [now.status(line) for line in lines if line]

    return ReadProduction(read)


def _units(where: Where) -> object:
    return ReadProduction(lambda now: [now.status(unit) for unit in filter(where.has, now.ledgers.units)])


def _oee(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        units = list(filter(where.has, now.ledgers.units))
        path = None if where.name is None else where.model.path_of(where.name)
        # The place itself first: its elements are summed, where its ratios could not be.
        own = [] if path is None or path in units or not any(each.startswith(f"{path}/") for each in units) else [path]
        return [now.oee(each) for each in (*own, *units)]

    return ReadProduction(read)


def _stops(_where: Where) -> object:
    return ReadProduction(lambda now: now.downtimes("", 0, now.now + 1, only_open=True) if now.ledgers.units else [])


def _line_of(model: EquipmentModel, unit: str) -> str | None:
    line = model.line_of(unit)
    return model.find(unit).parent if line is None else line.path


def _changeovers(_where: Where) -> object:
    return ReadJobs(lambda now: now.changeovers(is_open=True))


def _quality(_where: Where) -> object:
    return ReadJobs(JobsNow.charts)


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "andon": Section(CALLS_DESK, lambda _: ReadCalls(CallsNow.board)),
        "escalation": Section(CALLS_DESK, lambda _: ReadCalls(CallsNow.escalations)),
        "line": Section(PRODUCTION_DESK, _lines),
        "equipment": Section(PRODUCTION_DESK, _units),
        "oee": Section(PRODUCTION_DESK, _oee),
        "downtime": Section(PRODUCTION_DESK, _stops),
        "fault": Section(ALARMS_DESK, _alarms),
        "job": Section(JOBS_DESK, _jobs, reaches_up=True),
        "production": Section(JOBS_DESK, _production),
        "changeover": Section(JOBS_DESK, _changeovers),
        "quality": Section(JOBS_DESK, _quality),
    }
)
"""Every part of a snapshot that a desk has, by the dialect's word for it."""
