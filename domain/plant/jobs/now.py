"""What can be asked of jobs, counts, changeovers and quality at a moment.

Rules of this file: it only reads. Moments are Unix seconds, windows half open. What is not known is null with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import inf

import msgspec

from domain.decision import Grounds, Refused
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.jobs.counts import Count, Tally
from domain.plant.jobs.order import JobOrder
from domain.plant.jobs.quantities import Quantities
from domain.plant.jobs.states import Status, status_of
from domain.plant.jobs.workshop import SECOND_US, Workshop
from domain.plant.quality import Quality, baseline_members, pareto
from domain.plant.site import Site, is_within

Window = tuple[float, float]


class JobsNow(msgspec.Struct, frozen=True):
    """The ``workshop`` and its ``quality`` as they are ``at``; the ``site`` says which shift it is."""

    workshop: Workshop
    quality: Quality
    site: Site
    at: float

    def seen(self, sees: Callable[[str, str], bool], site: Site) -> JobsNow:
        """What of it ``sees``, a kind of channel and a path; ``site`` is what of the site is seen."""
        quality = self.quality.seen(lambda path: sees("quality", path))
        return JobsNow(self.workshop.seen(sees), quality, site, self.at)

    def jobs(
        self, status: Status | None = None, equipment: str = "", assigned_to: str | None = None
    ) -> list[JsonObject]:
        """The job orders of a ``status``, at ``equipment`` or below it, of a person; the earliest stored first."""
        return self.members(self.orders(status, equipment, assigned_to))

    def orders(
        self, status: Status | None = None, equipment: str = "", assigned_to: str | None = None
    ) -> list[JobOrder]:
        """The same, before anything is said of them."""
        chosen = [
            order
            for order in self.workshop.jobs
            if status in (None, status_of(order.state))
            and is_within(order.equipment, equipment)
            and assigned_to in (None, order.assigned_to)
        ]
        chosen.sort(key=lambda order: (order.stored_at or 0.0, order.id))
        return chosen

    def members(self, orders: Sequence[JobOrder]) -> list[JsonObject]:
        """What is said of ``orders``."""
        return [self.workshop.jobs.members(order, self.at) for order in orders]

    def job(self, id_: str) -> JsonObject:
        """One job order.

        Raises:
            Refused: if there is none.
        """
        return self.workshop.jobs.members(self.workshop.jobs.get(id_), self.at)

    def running(self, equipment: str) -> JsonObject | None:
        """What is being made at ``equipment``, or at the nearest place above it."""
        run = self.workshop.production.runs.at(equipment, round(self.at * SECOND_US))
        try:
            return None if run is None else self.job(run.job)
        except Refused:
            return None

    def production(self, equipment: str, begin: float, end: float) -> JsonObject:
        """What ``equipment`` made in [``begin``, ``end``): in all, and by job and product."""
        tallies = self.tallies(equipment, begin, end)
        total = sum((tally.pieces for tally in tallies), Quantities())
        parts: list[JsonValue] = [
            {"job": tally.job, "product": tally.product, **tally.pieces.to_members()} for tally in tallies
        ]
        return {
            "equipment": equipment,
            "begin": rfc3339(begin),
            "end": rfc3339(end),
            **total.to_members(),
            "reason": None if tallies else "nothing was counted",
            "parts": parts,
        }

    def tallies(self, equipment: str, begin: float, end: float) -> list[Tally]:
        """The same as sums."""
        return self.workshop.production.totals(equipment, round(begin * SECOND_US), round(end * SECOND_US))

    def shift_production(self, equipment: str) -> JsonObject:
        """What ``equipment`` made in the shift that it works now.

        Raises:
            Refused: if it works none.
        """
        shift = self.site.calendar_of(equipment).shift_at(self.at)
        if shift is None:
            raise Refused(Grounds.NOT_FOUND, f"{equipment} works no shift now", {"equipment": equipment})
        made = self.production(equipment, shift.begin_us / SECOND_US, shift.end_us / SECOND_US)
        return {**made, "shift": shift.id}

    def changeovers(self, equipment: str = "", *, is_open: bool | None = None) -> list[JsonObject]:
        """The changeovers at ``equipment`` or below it, newest first; those that go on, or are over, if asked."""
        chosen = [
            one
            for one in self.workshop.changeovers
            if is_within(one.equipment, equipment) and is_open in (None, one.phase.is_open)
        ]
        return [one.to_members(self.at) for one in sorted(chosen, key=lambda one: (-one.begun, one.id))]

    def inspections(self, window: Window = (-inf, inf), equipment: str = "") -> JsonObject:
        """First pass yield and defects of a window."""
        begin, end = window
        chosen = list(self.quality.inspections.within(begin, end, equipment))
        first = self.quality.first_pass(begin, end, equipment)
        defects: list[JsonValue] = [
            {"code": code, "description": self.quality.codes.get(code), "count": count}
            for code, count in pareto(chosen)
        ]
        return {
            "checks": len(chosen),
            "inspected": first.inspected,
            "passed": first.passed,
            "firstPassYield": first.ratio,
            "reason": None if first.inspected else "nothing was inspected",
            "defects": defects,
        }

    def charts(self) -> list[JsonObject]:
        """The control charts: limits, points, and the rules that are broken now."""
        broken = self.quality.active()
        return [self._chart(name, broken) for name in self.quality.characteristics]

    def counts(self) -> Iterator[tuple[str, tuple[Count, ...]]]:
        """Everything that was counted, place by place; what is old by the minute."""
        for equipment in self.workshop.production:
            yield equipment, self.workshop.production.counts(equipment)

    def _chart(self, name: str, broken: tuple[tuple[str, str, float], ...]) -> JsonObject:
        chart, one = self.quality.chart(name), self.quality.characteristics[name]
        points: list[JsonValue] = [
            {
                "id": sample.id,
                "at": rfc3339(sample.at),
                "mean": sample.mean,
                "values": list(sample.values),
                "distance": None if chart.baseline is None else chart.baseline.distance(sample.values),
            }
            for sample in chart.samples
        ]
        active: list[JsonValue] = [
            {"rule": rule, "since": rfc3339(since)} for characteristic, rule, since in broken if characteristic == name
        ]
        return {
            "characteristic": name,
            "equipment": one.equipment,
            "product": one.product,
            "unit": one.nature.unit or None,
            "lowerSpecification": one.nature.lower,
            "upperSpecification": one.nature.upper,
            "size": one.nature.size,
            "baseline": baseline_members(chart),
            "rules": [rule.name for rule in one.nature.rules],
            "points": points,
            "active": active,
        }
