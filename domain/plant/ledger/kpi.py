"""The key figures of ISO 22400-2 out of their elements.

Rules of this file:

* A figure is a ratio of sums. A denominator of nought, and an input that nobody knows, make it None, never a number.
* Nothing is clamped. Effectiveness above 1 is kept, is flagged, and names the cycle time that would explain it.
* Unknown time is neither run nor stop: a ratio over planned busy time leaves it out of both, ``coverage`` says how much
  of the plan was seen, and ``reach`` says what the figure could be if the unit had stood still, or had run, meanwhile.

Source: ISO 22400-2:2014, clause 6 (descriptions of the KPIs, which it names as here), out of the elements of clause 5,
as restated by public sources; TEEP is not of ISO 22400.
"""

from __future__ import annotations

import msgspec

from domain.plant.ledger.elements import Elements

COVERAGE_LIMIT = 0.95
"""Below this share of planned time seen, a figure is shown with its reach."""

Ratio = float | None


class Reach(msgspec.Struct, frozen=True):
    """What a figure is at least and at most, whatever was the case while nobody saw it; None: nobody can say."""

    low: Ratio
    high: Ratio


class Suggestion(msgspec.Struct, frozen=True):
    """The ideal cycle that is set for ``product``, and the cycle that was seen: both microseconds an item."""

    product: str
    ideal_cycle: int
    seen_cycle: int


def ratio(part: float | None, whole: float | None) -> Ratio:
    """``part / whole``; None if either is not known or ``whole`` is nought."""
    return None if part is None or not whole else part / whole


def availability(e: Elements) -> Ratio:
    """ISO 22400-2, "Availability": APT / PBT: of the planned time that was seen, how much was production."""
    return ratio(e.apt, e.known_pbt)


def effectiveness(e: Elements) -> Ratio:
    """ISO 22400-2, "Effectiveness": PRI * PQ / APT, the performance of the older books. May exceed 1."""
    return ratio(e.standard, e.apt)


def quality_ratio(e: Elements) -> Ratio:
    """ISO 22400-2, "Quality ratio": GQ / PQ."""
    return ratio(e.gq, e.pq)


def oee(e: Elements) -> Ratio:
    """ISO 22400-2, "OEE index": Availability * effectiveness * quality ratio, which is PRI * GQ / PBT."""
    return ratio(e.standard_good, e.known_pbt)


def nee(e: Elements) -> Ratio:
    """ISO 22400-2, "NEE index": AUPT / PBT * effectiveness * quality ratio."""
    return _times(ratio(e.aupt, e.known_pbt), effectiveness(e), quality_ratio(e))


def teep(e: Elements) -> Ratio:
    """PRI * GQ / calendar time, of which the unseen part is left out. Not of ISO 22400."""
    return ratio(e.standard_good, e.calendar - e.unseen)


def allocation_efficiency(e: Elements) -> Ratio:
    """ISO 22400-2, "Allocation efficiency": AUBT / PBT."""
    return ratio(e.aubt, e.known_pbt)


def utilization_efficiency(e: Elements) -> Ratio:
    """ISO 22400-2, "Utilization efficiency": APT / AUBT."""
    return ratio(e.apt, e.aubt)


def technical_efficiency(e: Elements) -> Ratio:
    """ISO 22400-2, "Technical efficiency": APT / (APT + ADET)."""
    return ratio(e.apt, e.apt + e.adet)


def setup_ratio(e: Elements) -> Ratio:
    """ISO 22400-2, "Setup ratio": AUST / AUPT."""
    return ratio(e.aust, e.aupt)


def throughput_rate(e: Elements) -> Ratio:
    """ISO 22400-2, "Throughput rate": PQ / AOET, items a microsecond."""
    return ratio(e.pq, e.aoet)


def scrap_ratio(e: Elements) -> Ratio:
    """ISO 22400-2, "Scrap ratio": SQ / PQ."""
    return ratio(e.sq, e.pq)


def rework_ratio(e: Elements) -> Ratio:
    """ISO 22400-2, "Rework ratio": RQ / PQ."""
    return ratio(e.rq, e.pq)


def mtbf(e: Elements, *, plus_one: bool = False) -> Ratio:
    """ISO 22400-2, "Mean operating time between failures": (APT + repair) / FE, in microseconds.

    Some readings of the standard divide by FE + 1: ``plus_one``.
    """
    return ratio(e.apt + e.repair, _failures(e, plus_one=plus_one))


def mttf(e: Elements, *, plus_one: bool = False) -> Ratio:
    """ISO 22400-2, "Mean time to failure": APT / FE, in microseconds; ``plus_one`` as in ``mtbf``."""
    return ratio(e.apt, _failures(e, plus_one=plus_one))


def mttr(e: Elements, *, plus_one: bool = False) -> Ratio:
    """ISO 22400-2, "Mean time to restoration": repair / FE, in microseconds; ``plus_one`` as in ``mtbf``."""
    return ratio(e.repair, _failures(e, plus_one=plus_one))


def corrective_maintenance_ratio(e: Elements) -> Ratio:
    """ISO 22400-2, "Corrective maintenance ratio": CMT / (CMT + PMT)."""
    return ratio(e.acmt, e.acmt + e.apmt)


def coverage(e: Elements) -> Ratio:
    """The share of the planned time of which is known what was; of the whole window where nothing is planned."""
    if e.pbt:
        return ratio(e.known_pbt, e.pbt)
    return ratio(e.calendar - e.unseen, e.calendar)


def availability_reach(e: Elements) -> Reach:
    """Availability if the unit stood still in the unknown time, and if it ran."""
    return Reach(ratio(e.apt, e.pbt), ratio(e.apt + e.unknown, e.pbt))


def oee_reach(e: Elements) -> Reach:
    """OEE if the unit stood still in the unknown time, and if it ran as it did when it was seen."""
    return Reach(
        ratio(e.standard_good, e.pbt), _times(ratio(e.apt + e.unknown, e.pbt), effectiveness(e), quality_ratio(e))
    )


def suggestion(product: str, ideal_cycle: int | None, e: Elements) -> Suggestion | None:
    """The cycle that would explain an effectiveness above 1 of ``product`` alone; None where there is none."""
    value = effectiveness(e)
    if value is None or value <= 1 or not e.pq or ideal_cycle is None:
        return None
    return Suggestion(product, ideal_cycle, e.apt // e.pq)


def _failures(e: Elements, *, plus_one: bool) -> int:
    return e.failures + plus_one if e.failures else 0


def _times(*factors: Ratio) -> Ratio:
    product = 1.0
    for factor in factors:
        if factor is None:
            return None
        product *= factor
    return product
