"""The figures of a window as they are told: on the wire, to the floor's clients and to the page.

Rules of this file: times are seconds, figures ratios. What cannot be said is null, and ``reasons`` says why. Figures
are not rounded: whoever shows them does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain.json import JsonValue
from domain.plant.ledger import kpi
from domain.plant.ledger.elements import Elements
from domain.plant.ledger.instants import SECOND_US, rfc3339_us
from domain.plant.site import Interval

NOT_COUNTED = "nothing was counted"


class Window(msgspec.Struct, frozen=True):
    """What is accounted for: a ``kind`` (shift, day, job, range) with its name, from ``begin`` to ``end``.

    ``spans`` are what of it counts, where it is not all of it: a job that was interrupted.
    """

    kind: str
    name: str
    begin: int
    end: int
    spans: tuple[Interval, ...] = ()

    @property
    def intervals(self) -> tuple[Interval, ...]:
        """What of it counts."""
        return self.spans or ((self.begin, self.end),)

    def document(self) -> dict[str, JsonValue]:
        """The window as it is told."""
        return {
            "kind": self.kind,
            "name": self.name,
            "begin": rfc3339_us(self.begin),
            "end": rfc3339_us(self.end),
        }


_TIMES = (
    "calendar",
    "pbt",
    "apt",
    "aust",
    "adet",
    "adot",
    "apmt",
    "acmt",
    "unknown",
    "unseen",
    "outside",
    "minor",
    "standard",
    "standard_good",
    "repair",
    "aupt",
    "aubt",
    "aoet",
)
_NUMBERS = ("pq", "gq", "sq", "rq", "minor_stops", "failures")


def figures(
    e: Elements,
    suggestions: Iterable[kpi.Suggestion] = (),
    *,
    coverage_limit: float = kpi.COVERAGE_LIMIT,
    plus_one: bool = False,
) -> dict[str, JsonValue]:
    """All figures of ``e``, with coverage, reach, flags, and the elements they are made of."""
    effectiveness, coverage = kpi.effectiveness(e), kpi.coverage(e)
    is_reach = coverage is not None and coverage < coverage_limit
    return {
        "oee": kpi.oee(e),
        "availability": kpi.availability(e),
        "effectiveness": effectiveness,
        "performance": effectiveness,
        "quality": kpi.quality_ratio(e),
        "nee": kpi.nee(e),
        "teep": kpi.teep(e),
        "allocation": kpi.allocation_efficiency(e),
        "utilization": kpi.utilization_efficiency(e),
        "technical": kpi.technical_efficiency(e),
        "setup": kpi.setup_ratio(e),
        "throughput": _per_second(kpi.throughput_rate(e)),
        "scrap": kpi.scrap_ratio(e),
        "rework": kpi.rework_ratio(e),
        "mtbf": _seconds(kpi.mtbf(e, plus_one=plus_one)),
        "mttf": _seconds(kpi.mttf(e, plus_one=plus_one)),
        "mttr": _seconds(kpi.mttr(e, plus_one=plus_one)),
        "correctiveMaintenance": kpi.corrective_maintenance_ratio(e),
        "coverage": coverage,
        "isReach": is_reach,
        "reach": {"oee": _reach(kpi.oee_reach(e)), "availability": _reach(kpi.availability_reach(e))},
        "flags": _flags(e, suggestions),
        "reasons": _reasons(e),
        "elements": {**_elements(e)},
    }


def _elements(e: Elements) -> Mapping[str, JsonValue]:
    times = {name: _seconds(getattr(e, name)) for name in _TIMES}
    return {**times, **{name: getattr(e, name) for name in _NUMBERS}}


def _flags(e: Elements, suggestions: Iterable[kpi.Suggestion]) -> list[JsonValue]:
    flags: list[JsonValue] = []
    effectiveness, availability = kpi.effectiveness(e), kpi.availability(e)
    told = list(suggestions)
    if (effectiveness is not None and effectiveness > 1) or told:
        products: list[JsonValue] = [
            {
                "product": one.product,
                "idealCycle": one.ideal_cycle / SECOND_US,
                "suggestedCycle": one.seen_cycle / SECOND_US,
            }
            for one in told
        ]
        flags.append({"flag": "check ideal cycle", "effectiveness": effectiveness, "products": products})
    if availability is not None and availability > 1:
        flags.append({"flag": "check shift calendar", "outside": e.outside / SECOND_US})
    if e.pq is not None and e.gq is not None and e.gq > e.pq:
        flags.append({"flag": "check counters", "produced": e.pq, "good": e.gq})
    return flags


def _reasons(e: Elements) -> dict[str, JsonValue]:
    """Why a figure is null."""
    reasons: dict[str, JsonValue] = {}
    if e.pbt is None:
        reasons["availability"] = "no shift calendar says what is planned"
    elif not e.pbt:
        reasons["availability"] = "nothing was planned"
    elif not e.known_pbt:
        reasons["availability"] = "nobody knows what was in all of the planned time"
    if e.pq is None:
        reasons["effectiveness"] = reasons["quality"] = NOT_COUNTED
    elif e.standard is None:
        reasons["effectiveness"] = "no ideal cycle is set for what was made"
    elif not e.apt:
        reasons["effectiveness"] = "there was no production time"
    if e.pq == 0:
        reasons["quality"] = "nothing was made"
    missing = [reasons[each] for each in ("availability", "effectiveness") if each in reasons]
    if kpi.oee(e) is None and missing:
        reasons["oee"] = missing[0]
    return reasons


def _reach(reach: kpi.Reach) -> list[JsonValue]:
    return [reach.low, reach.high]


def _seconds(us: float | None) -> float | None:
    return None if us is None else us / SECOND_US


def _per_second(rate: float | None) -> float | None:
    return None if rate is None else rate * SECOND_US
