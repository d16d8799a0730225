"""OEE out of figures that a client brings along, for a "what would it be": nothing of it is kept.

Rules of this file: as ``kpi``: a denominator of nought and a missing input make a figure None with its reason, and
nothing is clamped. What follows from two inputs is worked out: the cycle that was seen is production time by parts.

Source: the floor dashboard's calculation (availability, performance and quality of its six inputs), without its ceiling
at 1; ISO 22400-2 names them availability, effectiveness and quality ratio.
"""

from __future__ import annotations

from domain.arguments import Arguments
from domain.json import JsonObject, JsonValue
from domain.plant.ledger.kpi import ratio

TIMES = ("planned_production_time", "actual_production_time", "ideal_cycle_time", "actual_cycle_time")
PARTS = ("good_parts", "total_parts")
INPUTS = (*TIMES, *PARTS)


def brings_figures(members: JsonObject) -> bool:
    """Whether a question brings any of the inputs along."""
    return any(members.get(name) is not None for name in INPUTS)


def calculated(members: JsonObject) -> dict[str, JsonValue]:
    """The figures of the inputs in ``members`` (seconds, pieces), each beside the input; what is None has a reason.

    Raises:
        Refused: if an input is no number of at least 0, with every fault.
    """
    given = Arguments(members)
    planned, actual, ideal, seen = (_seconds(given, name) for name in TIMES)
    good, parts = (given.count(name) for name in PARTS)
    given.check()
    if seen is None:
        seen = ratio(actual, parts)
    availability, performance, quality = ratio(actual, planned), ratio(ideal, seen), ratio(good, parts)
    figures = {"availability": availability, "performance": performance, "quality": quality}
    oee = None
    if availability is not None and performance is not None and quality is not None:
        oee = availability * performance * quality
    missing = {name: _WHY[name] for name, figure in figures.items() if figure is None}
    if missing:
        missing["oee"] = "it needs all three of availability, performance and quality"
    if performance is not None and performance > 1:
        missing["performance"] = "above 1: the ideal cycle time is longer than the one that was seen"
    return {
        **{name: None if figure is None else round(figure, 4) for name, figure in {**figures, "oee": oee}.items()},
        **dict(zip(INPUTS, (planned, actual, ideal, seen, good, parts), strict=True)),
        "reasons": missing,
    }


_WHY = {
    "availability": "it needs actual_production_time, and planned_production_time above 0",
    "performance": "it needs ideal_cycle_time, and actual_cycle_time or the production time of some parts",
    "quality": "it needs good_parts, and total_parts above 0",
}


def _seconds(given: Arguments, name: str) -> float | None:
    value = given.number(name)
    if value is not None and value < 0:
        given.fault(name, "must be a number of at least 0")
    return value
