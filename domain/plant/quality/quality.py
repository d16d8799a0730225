"""Quality on the floor: checks and defects as they are told, and the alarms that come of them.

Rules of this file:

* A check measures a characteristic, or inspects pieces, or both. Measured pieces are inspected by their specification,
  where there is one.
* Each rule that is broken is told once, when it begins to be (``quality.violated``), and is an alarm of its own until
  it no longer is: key ``quality/CHARACTERISTIC``, code the rule's name. A late sample that breaks a rule is told, and
  is no alarm unless the rule is still broken now.
* Where codes of defects are configured no other is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from domain.arguments import Arguments
from domain.decision import Decision, Grounds, Refused, Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.quality.chart import TITLES, Chart, Judged, Nature, Sample, Violation
from domain.plant.quality.inspections import Defect, Inspection, Inspections, Yield, first_pass
from domain.plant.quality.rows import (
    chart_of_row,
    chart_row,
    defects_of,
    inspection_of_row,
    inspection_row,
    judged_members,
)
from domain.plant.word import Word

CHECK, CHART = "quality.check", "quality.chart"
KINDS = (CHECK, CHART)
VALUES = 1000
NAME_LIMIT = 128
US = "andond"
_NO_CODES: Mapping[str, str] = {}


class Characteristic(msgspec.Struct, frozen=True):
    """What is measured at ``equipment``, of pieces of ``product`` (None: of any)."""

    nature: Nature
    equipment: str
    product: str | None = None


class Said(msgspec.Struct, frozen=True):
    """What was decided about a check; ``alarms`` are those of its events that the alarms' desk is to know of."""

    decision: Decision[JsonObject]
    alarms: tuple[Event, ...] = ()


def no_characteristic(name: str) -> Refused:
    """What is said where there is no characteristic ``name``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, f"there is no characteristic {name}", {"characteristic": name})


class Quality:
    """The inspections and charts of the floor; ``codes`` are the known defects and what they are."""

    def __init__(self, characteristics: Iterable[Characteristic] = (), codes: Mapping[str, str] = _NO_CODES) -> None:
        self.codes = codes
        self.characteristics = {one.nature.name: one for one in characteristics}
        self.inspections = Inspections()
        self._charts = {name: Chart(one.nature) for name, one in self.characteristics.items()}
        self._since: dict[tuple[str, str], tuple[float, str]] = {}

    def chart(self, name: str) -> Chart:
        """The chart of the characteristic ``name``.

        Raises:
            Refused: if there is none.
        """
        chart = self._charts.get(name)
        if chart is None:
            raise no_characteristic(name)
        return chart

    def seen(self, sees: Callable[[str], bool]) -> Quality:
        """The inspections and charts of places that ``sees``, for reading."""
        part = Quality((one for one in self.characteristics.values() if sees(one.equipment)), self.codes)
        part.inspections = self.inspections.seen(sees)
        part._charts = {name: self._charts[name] for name in part.characteristics}
        part._since = {rule: since for rule, since in self._since.items() if rule[0] in part.characteristics}
        return part

    def recall(self, kept: Mapping[str, Iterable[tuple[str, JsonObject]]]) -> int:
        """Know again what was kept; how many rows are none of ours. What is not configured any more is left out."""
        faults = 0
        found = []
        for id_, row in kept.get(CHECK, ()):
            try:
                found.append(inspection_of_row(id_, row))
            except Refused:
                faults += 1
        for inspection in sorted(found, key=lambda one: (one.at, one.id)):
            self.inspections.add(inspection)
        for name, row in kept.get(CHART, ()):
            if name in self._charts:
                since = chart_of_row(self._charts[name], row)
                self._since |= {(name, rule): one for rule, one in since.items()}
        return faults

    def check(self, new_id: str, arguments: JsonObject, word: Word, product: str | None, job: str | None) -> Said:
        """Take a check; ``product`` and ``job`` are what is being made, if the check does not say.

        Raises:
            Refused: if it is not well described, speaks of what is not configured, or is known already.
        """
        given = Arguments(arguments)
        name = given.optional_text("characteristic", NAME_LIMIT)
        chart = None if name is None else self.chart(name)
        values = given.numbers("values", VALUES) or ()
        product = given.optional_text("product", NAME_LIMIT) or product
        equipment = self._where(given, name, product)
        self._must_fit(given, chart, values)
        inspected, passed = _inspected(given, chart, values)
        inspection = Inspection(
            id=given.optional_text("id", NAME_LIMIT) or new_id,
            at=word.at,
            equipment=equipment,
            product=product,
            job=given.optional_text("job", NAME_LIMIT) or job,
            inspected=inspected,
            passed=passed,
            is_again=given.flag("again") or False,
            defects=self._defects(given),
        )
        if not values and inspected is None and not inspection.defects:
            given.fault("values", "one of values, inspected, result and defects is required")
        given.check()
        self._must_be_new(inspection.id)
        judged = None if chart is None or not values else chart.take(Sample(word.at, inspection.id, values))
        return self._said(inspection, name, judged, values, word)

    def defect(self, new_id: str, arguments: JsonObject, word: Word, product: str | None, job: str | None) -> Said:
        """Take a defect that somebody found, without an inspection around it.

        Raises:
            Refused: if it is not well described, its code is not known, or it is known already.
        """
        given = Arguments(arguments)
        code = given.text("code", NAME_LIMIT)
        self._must_know(given, "code", code)
        inspection = Inspection(
            id=given.optional_text("id", NAME_LIMIT) or new_id,
            at=word.at,
            equipment=given.text("equipment"),
            product=given.optional_text("product", NAME_LIMIT) or product,
            job=given.optional_text("job", NAME_LIMIT) or job,
            defects=(Defect(code, given.count("count", least=1) or 1),),
        )
        given.check()
        self._must_be_new(inspection.id)
        return self._said(inspection, None, None, (), word, "quality.defect.found")

    def first_pass(self, begin: float, end: float, equipment: str = "", product: str | None = None) -> Yield:
        """The first pass yield of [``begin``, ``end``)."""
        return first_pass(self.inspections.within(begin, end, equipment, product))

    def active(self) -> tuple[tuple[str, str, float], ...]:
        """Every rule that is broken now: characteristic, rule, since when."""
        return tuple((name, rule, at) for (name, rule), (at, _) in self._since.items())

    def alarms(self, received: float) -> tuple[Event, ...]:
        """The alarms that are active, as they were raised: for whoever may have missed that."""
        raised = []
        for (name, rule), (at, id_) in self._since.items():
            raised.append(self._alarm("raised", name, rule, Word(US, at, received), id_))
        return tuple(raised)

    # -- within -------------------------------------------------------------------------------------------------

    def _where(self, given: Arguments, name: str | None, product: str | None) -> str:
        if name is None:
            return given.text("equipment")
        known = self.characteristics[name]
        if known.product is not None and known.product != product:
            given.fault("product", f"{name} is of {known.product}, not of {product or 'an unknown product'}")
        if (given.optional_text("equipment") or known.equipment) != known.equipment:
            given.fault("equipment", f"{name} is measured at {known.equipment}")
        return known.equipment

    def _must_fit(self, given: Arguments, chart: Chart | None, values: tuple[float, ...]) -> None:
        if chart is not None and values and len(values) != chart.nature.size:
            given.fault("values", f"must be {chart.nature.size}: the size of a subgroup of {chart.nature.name}")

    def _must_be_new(self, id_: str) -> None:
        if id_ in self.inspections:
            raise Refused(Grounds.CONFLICT, f"there is a check {id_} already", {"id": id_})

    def _must_know(self, given: Arguments, name: str, code: str) -> None:
        if code and self.codes and code not in self.codes:
            given.fault(name, f"must be one of {', '.join(sorted(self.codes))}")

    def _defects(self, given: Arguments) -> tuple[Defect, ...]:
        defects = defects_of(given)
        for defect in defects:
            self._must_know(given, "defects", defect.code)
        return defects

    def _said(
        self,
        inspection: Inspection,
        name: str | None,
        judged: Judged | None,
        values: tuple[float, ...],
        word: Word,
        type_: str = "quality.checked",
    ) -> Said:
        gone = self.inspections.add(inspection)
        members: dict[str, JsonValue] = {
            **inspection_row(inspection),
            "id": inspection.id,
            "at": rfc3339(inspection.at),
            "characteristic": name,
            "values": list(values),
            "result": _result(inspection),
        }
        rows = [Row(CHECK, inspection.id, inspection_row(inspection))]
        rows += [] if gone is None else [Row(CHECK, gone, None)]
        violated: tuple[Event, ...] = ()
        alarms: tuple[Event, ...] = ()
        if name is not None and judged is not None:
            members |= judged_members(judged, self._charts[name])
            violated = self._violated(name, judged, inspection, word)
            alarms = self._changed(name, judged, word)
            since = {rule: one for (chart, rule), one in self._since.items() if chart == name}
            rows.append(Row(CHART, name, chart_row(self._charts[name], since)))
        event = word.event(type_, inspection.equipment, inspection.id, inspection.id, members)
        return Said(Decision(members, (event, *violated, *alarms), tuple(rows)), alarms)

    def _violated(self, name: str, judged: Judged, inspection: Inspection, word: Word) -> tuple[Event, ...]:
        began = {violation.rule for violation in judged.began}
        late = [violation for violation in judged.violations if violation.rule not in began]
        told = (*judged.began, *(one for one in late if judged.sample is not self._charts[name].samples[-1]))
        return tuple(self._violation(name, violation, inspection, word) for violation in told)

    def _violation(self, name: str, violation: Violation, inspection: Inspection, word: Word) -> Event:
        window: list[JsonValue] = [
            {"id": sample.id, "at": rfc3339(sample.at), "mean": sample.mean, "values": list(sample.values)}
            for sample in violation.window
        ]
        data: dict[str, JsonValue] = {
            "characteristic": name,
            "rule": violation.rule,
            "title": violation.title,
            "product": inspection.product,
            "job": inspection.job,
            "check": inspection.id,
            "unit": self._charts[name].nature.unit or None,
            "window": window,
        }
        id_ = f"{inspection.id}-{violation.rule}"
        return word.event("quality.violated", inspection.equipment, f"{name}/{violation.rule}", id_, data)

    def _changed(self, name: str, judged: Judged, word: Word) -> tuple[Event, ...]:
        """The alarms that are raised and cleared by what was judged."""
        alarms = []
        ours = Word(US, word.at, word.received)
        for rule in judged.ceased:
            alarms.append(self._alarm("cleared", name, rule, ours, judged.sample.id))
            self._since.pop((name, rule), None)
        for violation in judged.began:
            self._since[name, violation.rule] = (judged.sample.at, judged.sample.id)
            alarms.append(self._alarm("raised", name, violation.rule, ours, judged.sample.id))
        return tuple(alarms)

    def _alarm(self, change: str, name: str, rule: str, word: Word, cause: str) -> Event:
        is_over = change == "cleared"
        since, _ = self._since.get((name, rule), (word.at, ""))
        key = f"quality/{name}"
        data: dict[str, JsonValue] = {
            "key": key,
            "code": rule,
            "level": "NORMAL" if is_over else "WARNING",
            "previous": "WARNING" if is_over else None,
            "severity": None,
            "qualifier": None,
            "text": f"{name}: {TITLES[rule]}",
            "since": rfc3339(since),
        }
        equipment = self.characteristics[name].equipment
        return word.event(f"alarm.{change}", equipment, f"{key}/{rule}", f"{cause}-{rule}-{change}", data)


def _inspected(given: Arguments, chart: Chart | None, values: tuple[float, ...]) -> tuple[int | None, int | None]:
    inspected, passed = given.count("inspected", least=1), given.count("passed")
    result = given.choice("result", ("pass", "fail"))
    if inspected is None and result is not None:
        inspected = 1
    if inspected is None and chart is not None and values and chart.nature.has_specification:
        inspected = len(values)
        passed = sum(map(chart.nature.conforms, values)) if passed is None else passed
    if inspected is not None and passed is None:
        if result is None or inspected > 1:
            given.fault("passed", "is required with inspected")
        passed = 1 if result == "pass" else 0
    if inspected is not None and passed is not None and passed > inspected:
        given.fault("passed", "must not be more than inspected")
    return inspected, None if inspected is None else passed


def _result(inspection: Inspection) -> str | None:
    if inspection.inspected is None:
        return None
    return "pass" if inspection.passed == inspection.inspected else "fail"
