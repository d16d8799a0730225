"""How checks and charts are kept, and what is told of a sample.

Rules of this file: a row is what was taken, so that the same is worked out from it again; only the baseline that was
estimated, and since when a rule is broken, are kept as results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from domain.arguments import Arguments, is_number
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.quality.chart import Chart, Judged, Sample, Violation
from domain.plant.quality.inspections import Defect, Inspection
from domain.plant.quality.limits import Baseline

Since = Mapping[str, tuple[float, str]]
DEFECTS = 50


def inspection_row(inspection: Inspection) -> dict[str, JsonValue]:
    """``inspection`` as it is kept."""
    defects: list[JsonValue] = [{"code": defect.code, "count": defect.count} for defect in inspection.defects]
    return {
        "at": inspection.at,
        "equipment": inspection.equipment,
        "product": inspection.product,
        "job": inspection.job,
        "inspected": inspection.inspected,
        "passed": inspection.passed,
        "again": inspection.is_again,
        "defects": defects,
    }


def inspection_of_row(id_: str, row: JsonObject) -> Inspection:
    """The inspection that was kept as ``row``.

    Raises:
        Refused: if it is none of ours.
    """
    kept = Arguments(row)
    inspection = Inspection(
        id=id_,
        at=kept.number("at") or 0.0,
        equipment=kept.text("equipment"),
        product=kept.optional_text("product"),
        job=kept.optional_text("job"),
        inspected=kept.count("inspected"),
        passed=kept.count("passed"),
        is_again=kept.flag("again") or False,
        defects=defects_of(kept),
    )
    kept.check()
    return inspection


def defects_of(given: Arguments) -> tuple[Defect, ...]:
    """The defects in the argument ``defects``: a list of ``{"code": ..., "count": ...}``."""
    found = []
    for defect in given.objects("defects", DEFECTS):
        found.append(Defect(defect.text("code"), defect.count("count", least=1) or 1))
        given.faults += defect.faults
    return tuple(found)


def chart_row(chart: Chart, since: Since) -> dict[str, JsonValue]:
    """``chart`` as it is kept; ``since`` is when each active rule began to be broken, and by which sample."""
    baseline = chart.baseline
    samples: list[JsonValue] = [[sample.at, sample.id, list(sample.values)] for sample in chart.samples]
    return {
        "samples": samples,
        "baseline": None if baseline is None else [baseline.centre, baseline.sigma, baseline.size, baseline.subgroups],
        "active": {rule: [at, id_] for rule, (at, id_) in since.items()},
    }


def chart_of_row(chart: Chart, row: JsonObject) -> dict[str, tuple[float, str]]:
    """Have ``chart`` know again what was kept; since when its active rules are broken, and by which sample."""
    active = dict(_active(row.get("active")))
    chart.recall(list(_samples(row.get("samples"))), _baseline(row.get("baseline")), frozenset(active))
    return active


def judged_members(judged: Judged, chart: Chart) -> dict[str, JsonValue]:
    """What is told of a sample: where it lies, by which limits, and which rules it breaks, with their windows."""
    values = judged.sample.values
    return {
        "mean": judged.sample.mean,
        "range": max(values) - min(values) if len(values) > 1 else None,
        "distance": judged.distance,
        "baseline": baseline_members(chart),
        "violations": [_violation(violation) for violation in judged.violations],
        "active": sorted(chart.active),
    }


def baseline_members(chart: Chart) -> JsonValue:
    """The limits of ``chart`` and where they come from; None with the number of subgroups so far while it learns."""
    baseline = chart.baseline
    if baseline is None:
        return {"centre": None, "subgroups": len(chart.samples), "learning": chart.nature.learning}
    lower, upper = baseline.limits
    lower_range, upper_range = baseline.range_limits
    return {
        "centre": baseline.centre,
        "sigma": baseline.sigma,
        "lower": lower,
        "upper": upper,
        "rangeCentre": baseline.mean_range,
        "rangeLower": lower_range,
        "rangeUpper": upper_range,
        "subgroups": baseline.subgroups,
        "origin": "stated" if baseline.subgroups is None else "estimated",
    }


def _violation(violation: Violation) -> dict[str, JsonValue]:
    window: list[JsonValue] = [
        {"id": sample.id, "at": rfc3339(sample.at), "mean": sample.mean} for sample in violation.window
    ]
    return {"rule": violation.rule, "title": violation.title, "window": window}


def _samples(rows: JsonValue) -> Iterator[Sample]:
    for row in rows if isinstance(rows, list | tuple) else ():
        match row:
            case [float(at) | int(at), str(id_), [*values]]:
                yield Sample(float(at), id_, tuple(float(value) for value in values if is_number(value)))


def _active(rules: JsonValue) -> Iterator[tuple[str, tuple[float, str]]]:
    for rule, began in rules.items() if isinstance(rules, Mapping) else ():
        match began:
            case [float(at) | int(at), str(id_)]:
                yield rule, (float(at), id_)


def _baseline(row: JsonValue) -> Baseline | None:
    match row:
        case [float(centre) | int(centre), float(sigma) | int(sigma), int(size), subgroups]:
            return Baseline(float(centre), float(sigma), size, subgroups if isinstance(subgroups, int) else None)
    return None
