"""The parts of a snapshot of the floor, and which desk has each.

Rules of this file: one table. A question is answered within the desk's own turn, so each part is of one moment; its
rows are the desk's documents of what is seen by who asks. Which of them are of the place that was asked for is decided
in one way for all parts; whoever asks for the whole plant is shown what of it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import msgspec

from actors.desks import ReadAlarms, ReadCalls, ReadJobs, ReadProduction
from actors.places import ALARMS_DESK, CALLS_DESK, JOBS_DESK, PRODUCTION_DESK
from andond.sight import View
from domain import JsonObject, Refused
from domain.plant.jobs import JobsNow
from domain.plant.ledger import LedgersNow
from domain.plant.site import EquipmentModel, is_within

Rows = Iterable[JsonObject]
DAY = 86_400.0


class Where(msgspec.Struct, frozen=True):
    """The place that was asked for, None for the whole plant; the moment (Unix s).

    ``view`` is what who asks is shown, ``model`` the equipment that they see.
    """

    name: str | None
    model: EquipmentModel
    at: float
    view: View

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


class Section(msgspec.Struct, frozen=True):
    """A part of a snapshot: the place of its desk, and the question that the desk answers with rows."""

    desk: str
    question: Callable[[Where], object]
    reaches_up: bool = False
    """Whether what is said of a place above is said of the one that was asked for too."""


def _calls(where: Where) -> object:
    return ReadCalls(lambda now: where.view.calls(now).board())


def _escalations(where: Where) -> object:
    return ReadCalls(lambda now: where.view.calls(now).escalations())


def _alarms(where: Where) -> object:
    return ReadAlarms(lambda now: [each for each in where.view.alarms(now).listed() if each["active_state"]])


def _jobs(where: Where) -> object:
    return ReadJobs(lambda now: where.view.jobs(now).jobs())


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

    return ReadJobs(lambda now: read(where.view.jobs(now)))


def _lines(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        units = filter(where.has, now.seen_units("equipment"))
        lines = dict.fromkeys(_line_of(where.model, unit) for unit in units)
        return [now.status(line) for line in lines if line]

    return ReadProduction(lambda now: read(where.view.production(now)))


def _units(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        return [now.status(unit) for unit in filter(where.has, now.seen_units("equipment"))]

    return ReadProduction(lambda now: read(where.view.production(now)))


def _oee(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        units = list(filter(where.has, now.seen_units("oee")))
        path = None if where.name is None else where.model.path_of(where.name)
        # The place itself first: its elements are summed, where its ratios could not be.
        own = [] if path is None or path in units or not any(each.startswith(f"{path}/") for each in units) else [path]
        return [now.oee(each) for each in (*own, *units)]

    return ReadProduction(lambda now: read(where.view.production(now)))


def _stops(where: Where) -> object:
    def read(now: LedgersNow) -> Rows:
        return now.downtimes("", 0, now.now + 1, only_open=True) if now.seen_units("downtime") else []

    return ReadProduction(lambda now: read(where.view.production(now)))


def _line_of(model: EquipmentModel, unit: str) -> str | None:
    line = model.line_of(unit)
    return model.find(unit).parent if line is None else line.path


def _changeovers(where: Where) -> object:
    return ReadJobs(lambda now: where.view.jobs(now).changeovers(is_open=True))


def _quality(where: Where) -> object:
    return ReadJobs(lambda now: where.view.jobs(now).charts())


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "andon": Section(CALLS_DESK, _calls),
        "escalation": Section(CALLS_DESK, _escalations),
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
