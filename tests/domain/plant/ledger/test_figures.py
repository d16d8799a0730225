"""Elements and figures of ISO 22400-2: sums, never averages; unknown stays unknown; nothing is clamped."""

from datetime import date, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.jobs import Count, Quantities
from domain.plant.ledger import (
    SECOND_US,
    Books,
    Bucket,
    Downtime,
    Elements,
    Entry,
    Kind,
    Ledger,
    Output,
    Piece,
    Quantity,
    Reasons,
    figures,
    kpi,
    total,
)
from domain.plant.site import Hours, ShiftCalendar, ShiftPlan

MINUTE = 60 * SECOND_US
HOUR = 60 * MINUTE
BERLIN = timezone(timedelta(hours=1))
MIDNIGHT = 1_795_215_600 * SECOND_US  # 2026-11-21T00:00:00+01:00, a Saturday
WORDS = {"ACTIVE": Bucket.PRODUCTION, "READY": Bucket.DOWN, "HELD": Bucket.DELAY, "UNAVAILABLE": Bucket.UNKNOWN}

calendar = ShiftCalendar(
    BERLIN,
    [
        ShiftPlan(
            "early", Hours(time(6), time(14)), breaks=(Hours(time(9), time(9, 15)), Hours(time(12), time(12, 30)))
        ),
        ShiftPlan("late", Hours(time(14), time(22)), breaks=(Hours(time(18), time(18, 30)),)),
        ShiftPlan("night", Hours(time(22), time(6)), breaks=(Hours(time(2), time(2, 30)),)),
    ],
)


def ledger_of(*states: tuple[int, str]) -> Ledger:
    ledger = Ledger()
    for at, word in states:
        ledger.take(Entry(MIDNIGHT + at, 0, Kind.STATE, 0, word, WORDS[word]))
    return ledger


def books(ledger: Ledger, *downtimes: Downtime, minor: int = 0, plan: ShiftCalendar = calendar) -> Books:
    return Books(ledger, plan, Reasons(), minor, downtimes)


def at(hour: float) -> int:
    return MIDNIGHT + round(hour * HOUR)


def test_three_shifts_with_breaks_give_the_planned_busy_time_of_the_calendar() -> None:
    elements = books(ledger_of((0, "ACTIVE"))).elements(at(6), at(30), at(100))
    assert elements.calendar == 24 * HOUR
    assert elements.pbt == 24 * HOUR - 15 * MINUTE - 3 * 30 * MINUTE


def test_a_stop_in_a_break_costs_nothing_and_production_in_it_is_not_lost() -> None:
    stopped = ledger_of((0, "ACTIVE"), (12 * HOUR, "READY"), (12 * HOUR + 30 * MINUTE, "ACTIVE"))
    elements = books(stopped).elements(at(6), at(14), at(100))
    assert elements.adot == 0
    assert elements.apt == 8 * HOUR - 30 * MINUTE
    assert elements.outside == 15 * MINUTE
    assert kpi.availability(elements) == pytest.approx((8 * 60 - 30) / (8 * 60 - 45))
    # What is above 1 is said, not cut off.
    assert [flag["flag"] for flag in figures(elements)["flags"]] == ["check shift calendar"]


def test_a_stop_over_a_change_of_shift_gives_each_its_part() -> None:
    ledger = ledger_of((0, "ACTIVE"), (5 * HOUR + 50 * MINUTE, "READY"), (6 * HOUR + 20 * MINUTE, "ACTIVE"))
    account = books(ledger)
    assert account.elements(at(-2), at(6), at(100)).adot == 10 * MINUTE
    assert account.elements(at(6), at(14), at(100)).adot == 20 * MINUTE


def test_without_a_calendar_nothing_is_planned_and_availability_is_not_known() -> None:
    elements = books(ledger_of((0, "ACTIVE")), plan=ShiftCalendar(BERLIN)).elements(at(6), at(14), at(100))
    assert elements.pbt is None
    assert elements.apt == 8 * HOUR
    shown = figures(elements)
    assert shown["availability"] is None
    assert shown["oee"] is None
    assert shown["reasons"]["availability"] == "no shift calendar says what is planned"


def test_what_is_to_come_of_a_shift_is_neither_planned_nor_lost() -> None:
    elements = books(ledger_of((0, "ACTIVE"))).elements(at(6), at(14), present=at(7))
    assert elements.calendar == elements.pbt == elements.apt == HOUR


def test_effectiveness_above_one_is_kept_flagged_and_explained() -> None:
    made = [Quantity("bolt", 540, 540, 0, 0, ideal_cycle=8 * SECOND_US)]
    elements = Elements(calendar=HOUR + 400 * SECOND_US, pbt=4000 * SECOND_US, apt=4000 * SECOND_US).with_counts(made)
    assert kpi.effectiveness(elements) == pytest.approx(1.08)
    suggestion = kpi.suggestion("bolt", 8 * SECOND_US, elements)
    shown = figures(elements, [suggestion] if suggestion else [])
    assert shown["performance"] == pytest.approx(1.08)
    assert shown["oee"] == pytest.approx(1.08)
    assert shown["flags"] == [
        {
            "flag": "check ideal cycle",
            "effectiveness": pytest.approx(1.08),
            "products": [{"product": "bolt", "idealCycle": 8.0, "suggestedCycle": pytest.approx(7.407407)}],
        }
    ]


@pytest.mark.parametrize(
    ("made", "missing"),
    [
        ([], ("effectiveness", "quality", "oee")),
        ([Quantity("bolt", 10, 9)], ("effectiveness", "oee")),
        ([Quantity("bolt", 10, None, ideal_cycle=SECOND_US)], ("quality", "oee")),
        ([Quantity("bolt", None, 9, ideal_cycle=SECOND_US)], ("effectiveness", "quality")),
    ],
)
def test_a_missing_input_gives_unknown_never_a_number(made: list[Quantity], missing: tuple[str, ...]) -> None:
    elements = Elements(calendar=HOUR, pbt=HOUR, apt=HOUR).with_counts(made)
    shown = figures(elements)
    assert [name for name in ("effectiveness", "quality", "oee") if shown[name] is None] == list(missing)
    assert shown["availability"] == 1.0


def test_a_denominator_of_nought_is_not_defined() -> None:
    shown = figures(Elements(pq=0, gq=0, sq=0, rq=0))
    ratios = (
        "oee",
        "availability",
        "effectiveness",
        "quality",
        "nee",
        "teep",
        "allocation",
        "utilization",
        "technical",
    )
    more = ("setup", "throughput", "scrap", "rework", "mtbf", "mttf", "mttr", "correctiveMaintenance", "coverage")
    assert all(shown[name] is None for name in (*ratios, *more))


times = st.integers(0, 10**12)


@given(st.lists(st.tuples(times, times, st.integers(0, 1000), st.integers(0, 1000)), min_size=1, max_size=6))
def test_oee_of_a_mix_is_the_ratio_of_the_sums(rows: list[tuple[int, int, int, int]]) -> None:
    parts = [
        Elements(calendar=pbt, pbt=pbt, apt=min(apt, pbt)).with_counts([Quantity(str(n), good, good, 0, 0, cycle)])
        for n, (pbt, apt, good, cycle) in enumerate(rows)
    ]
    whole = total(parts)
    planned = sum(row[0] for row in rows)
    standard = sum(good * cycle for _, _, good, cycle in rows)
    assert kpi.oee(whole) == (standard / planned if planned else None)
    assert (whole.pq, whole.apt) == (sum(p.pq or 0 for p in parts), sum(p.apt for p in parts))


def test_an_unknown_part_makes_the_sum_unknown() -> None:
    assert total([Elements(pq=5), Elements(pq=None)]).pq is None


def test_oee_is_availability_times_effectiveness_times_quality() -> None:
    e = Elements(calendar=HOUR, pbt=HOUR, apt=45 * MINUTE).with_counts([Quantity("a", 100, 90, 10, 0, 20 * SECOND_US)])
    product = (kpi.availability(e) or 0) * (kpi.effectiveness(e) or 0) * (kpi.quality_ratio(e) or 0)
    assert kpi.oee(e) == pytest.approx(product)


def test_the_other_figures_follow_their_formulas() -> None:
    e = Elements(
        calendar=10 * HOUR, pbt=8 * HOUR, apt=5 * HOUR, aust=HOUR, adet=HOUR, adot=HOUR, apmt=HOUR, acmt=HOUR,
        failures=2, repair=HOUR,
    ).with_counts([Quantity("a", 1000, 900, 60, 40, 15 * SECOND_US)])  # fmt: skip
    shown = figures(e)
    expected = {
        "availability": 5 / 8, "allocation": 7 / 8, "utilization": 5 / 7, "technical": 5 / 6, "setup": 1 / 6,
        "throughput": 1000 / (8 * 3600), "scrap": 0.06, "rework": 0.04, "teep": 15 * 900 / 36000,
        "nee": 6 / 8 * (15_000 / 18_000) * 0.9, "mttr": 1800.0, "mttf": 9000.0, "mtbf": 10_800.0,
        "correctiveMaintenance": 0.5,
    }  # fmt: skip
    assert {name: shown[name] for name in expected} == pytest.approx(expected)
    assert figures(e, plus_one=True)["mttr"] == pytest.approx(1200.0)


def test_unknown_time_is_not_down_and_oee_is_a_range_with_its_coverage() -> None:
    ledger = ledger_of((0, "ACTIVE"), (7 * HOUR, "UNAVAILABLE"), (13 * HOUR, "ACTIVE"))
    elements = books(ledger).elements(at(6), at(14), at(100))
    elements = elements.with_counts([Quantity("a", 200, 180, 20, 0, 30 * SECOND_US)])
    shown = figures(elements)
    assert elements.adot == 0
    assert shown["isReach"] is True
    assert shown["coverage"] == pytest.approx(2 / 7.25)
    assert shown["availability"] == 1.0
    assert shown["reach"]["availability"] == [pytest.approx(2 / 7.25), 1.0]
    low, high = shown["reach"]["oee"]
    assert (low, high) == (pytest.approx(1.5 / 7.25), pytest.approx(0.75))
    assert low < shown["oee"] <= high


def test_a_machine_that_is_hardly_ever_seen_has_its_coverage_and_the_mark() -> None:
    ledger = ledger_of((0, "UNAVAILABLE"))
    shown = figures(books(ledger).elements(at(6), at(14), at(100)))
    assert (shown["coverage"], shown["isReach"], shown["availability"]) == (0.0, True, None)
    assert shown["reach"]["availability"] == [0.0, 1.0]
    assert shown["reasons"]["availability"] == "nobody knows what was in all of the planned time"


def test_minor_stops_stay_in_production_time_and_are_counted_where_they_began() -> None:
    ledger = ledger_of((0, "ACTIVE"), (7 * HOUR, "READY"), (7 * HOUR + MINUTE, "ACTIVE"))
    account = books(ledger, minor=2 * MINUTE)
    elements = account.elements(at(6), at(14), at(100))
    assert (elements.adot, elements.minor, elements.minor_stops) == (0, MINUTE, 1)
    halves = [
        account.elements(at(6), at(7) + MINUTE // 2, at(100)),
        account.elements(at(7) + MINUTE // 2, at(14), at(100)),
    ]
    assert [half.minor_stops for half in halves] == [1, 0]
    assert total(halves).apt == elements.apt


def test_a_reason_moves_time_and_a_failure_counts_where_it_began() -> None:
    ledger = ledger_of((0, "ACTIVE"), (7 * HOUR, "READY"), (8 * HOUR, "ACTIVE"))
    begin, middle, end = at(7), at(7.5), at(8)
    pieces = (Piece(begin, middle, "CHANGEOVER"), Piece(middle, end, "MOTOR_FAIL"))
    stop = Downtime("dt-1", "press", begin, end, is_open=False, word="READY", pieces=pieces)
    account = books(ledger, stop)
    elements = account.elements(at(6), at(14), at(100))
    assert (elements.aust, elements.adot) == (30 * MINUTE, 30 * MINUTE)
    assert (elements.failures, elements.repair) == (1, 30 * MINUTE)
    parts = [account.elements(a, b, at(100)) for a, b in ((at(6), at(7.75)), (at(7.75), at(14)))]
    assert [part.failures for part in parts] == [1, 0]
    whole = total(parts)
    assert (whole.aust, whole.adot, whole.repair) == (elements.aust, elements.adot, elements.repair)


def test_what_was_counted_comes_from_counts_and_a_repeat_changes_nothing() -> None:
    output = Output()
    counts = [
        Count("c1", at(7), "j1", "bolt", Quantities(good=90)),
        Count("c2", at(8), "j1", "bolt", Quantities(scrap=10)),
        Count("c3", at(9), "j2", "nut", Quantities(good=5)),
    ]
    for _ in range(2):
        output.take("press", counts)
    made = output.in_window("press", at(6), at(14), lambda product, _: 2 * SECOND_US if product == "bolt" else None)
    assert [(each.product, each.produced, each.good, each.scrap) for each in made] == [
        ("bolt", 100, 90, 10),
        ("nut", 5, 5, 0),
    ]
    assert output.in_window("press", at(6), at(14), lambda *_: None, job="j2")[0].product == "nut"
    assert output.in_window("press", at(10), at(14), lambda *_: None) == []
    output.take("press", [Count("c1", at(7), "j1", "bolt", Quantities(good=80))])
    assert output.in_window("press", at(6), at(8), lambda *_: None)[0].good == 80


def test_the_day_of_the_tests_is_the_one_they_say() -> None:
    assert calendar.day_at(MIDNIGHT / SECOND_US).date == date(2026, 11, 21)
