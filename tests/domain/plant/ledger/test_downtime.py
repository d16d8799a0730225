"""Downtime: cut and joined at any instant, explained, undone; accounting is cut, the stop is not."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.decision import Refused
from domain.plant.ledger import SECOND_US, Downtime, Piece, Reason, Reasons, Stop, statistics
from domain.plant.ledger.downtime import assign, begun, fitted, followed, merge, split, undo, within
from domain.plant.ledger.keeping import downtime_of, downtime_row
from domain.plant.site import Day

MINUTE = 60 * SECOND_US
BEGIN, END = 1000, 2000

acts = st.lists(
    st.one_of(
        st.tuples(st.just("split"), st.integers(900, 2100)),
        st.tuples(st.just("merge"), st.integers(0, 5)),
        st.tuples(st.just("assign"), st.integers(900, 2100)),
        st.tuples(st.just("undo"), st.just(0)),
    ),
    max_size=30,
)


def stop(begin: int = BEGIN, end: int = END, *, is_open: bool = False) -> Downtime:
    return begun("press", Stop(begin, end, "READY", is_open))


def done(downtime: Downtime, act: str, number: int) -> Downtime:
    if act == "split":
        return split(downtime, number, "ann", 1)
    if act == "merge":
        return merge(downtime, downtime.pieces[number % len(downtime.pieces)].begin, "ann", 1)
    if act == "assign":
        return assign(downtime, number, "MAT_JAM", "stuck", "ann", 1)
    return undo(downtime, "ann", 1)


@given(acts)
def test_whatever_is_done_the_pieces_sum_to_the_whole(steps: list[tuple[str, int]]) -> None:
    downtime = stop()
    for act, number in steps:
        try:
            downtime = done(downtime, act, number)
        except Refused:
            continue
        ends = [piece.end for piece in downtime.pieces]
        assert [piece.begin for piece in downtime.pieces] == [BEGIN, *ends[:-1]]
        assert ends[-1] == END
        assert sum(piece.length for piece in downtime.pieces) == downtime.length == END - BEGIN


@given(acts)
def test_undoing_everything_brings_back_the_beginning(steps: list[tuple[str, int]]) -> None:
    downtime = stop()
    for act, number in steps:
        if act != "undo":
            try:
                downtime = done(downtime, act, number)
            except Refused:
                continue
    did = [each.act for each in downtime.history]
    for _ in did:
        downtime = undo(downtime, "bob", 2)
    assert downtime.pieces == stop().pieces
    assert [each.act for each in downtime.history] == did + ["undone"] * len(did)
    with pytest.raises(Refused):
        undo(downtime, "bob", 3)


def test_each_act_is_on_record_with_who_did_it_and_what_was_before() -> None:
    downtime = split(stop(), 1500, "ann", 7)
    assert downtime.history[-1].by == "ann"
    assert downtime.history[-1].before == (Piece(BEGIN, END),)
    joined = merge(assign(downtime, 1500, "MAT_JAM", "", "bob", 8), 1500, "cid", 9)
    assert [(each.by, each.act) for each in joined.history] == [
        ("ann", "split"),
        ("bob", "assigned"),
        ("cid", "merged"),
    ]
    assert joined.pieces == (Piece(BEGIN, END, by="cid"),)


@pytest.mark.parametrize("at", [999, 1000, 2000, 5000])
def test_a_cut_outside_of_the_stop_or_where_one_is_is_refused(at: int) -> None:
    with pytest.raises(Refused):
        split(stop(), at, "ann", 1)


def test_the_whole_stop_is_explained_where_no_instant_is_named() -> None:
    downtime = assign(split(stop(), 1500, "ann", 1), None, "CLEANING", "", "ann", 1)
    assert {piece.reason for piece in downtime.pieces} == {"CLEANING"}


def test_shift_boundaries_cut_the_accounting_and_not_the_stop() -> None:
    downtime = split(stop(), 1500, "ann", 1)
    assert [piece[:2] for piece in within(downtime, 1200, 1800)] == [(1200, 1500), (1500, 1800)]
    assert (downtime.begin, downtime.end) == (BEGIN, END)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20))), st.integers(0, 40), st.integers(1, 40))
def test_pieces_close_up_to_fill_a_stop_that_the_ledger_moved(
    given_: list[tuple[int, int]], begin: int, length: int
) -> None:
    pieces = [Piece(start, start + size, f"R{start}") for start, size in given_]
    found = fitted(pieces, begin, begin + length)
    if any(piece.begin < begin + length and begin < piece.end for piece in pieces):
        assert sum(piece.length for piece in found) == length
        assert (found[0].begin, found[-1].end) == (begin, begin + length)
        assert all(one.end == other.begin for one, other in pairwise(found))
    else:
        assert found == ()


def test_a_stop_that_grew_keeps_its_explanation_and_its_name() -> None:
    before = assign(split(stop(), 1500, "ann", 1), 1600, "MAT_JAM", "", "ann", 1)
    after = followed(before, Stop(900, 2500, "READY", is_open=False))
    assert after.id == before.id
    assert [(piece.begin, piece.end, piece.reason) for piece in after.pieces] == [
        (900, 1500, "UNKNOWN"),
        (1500, 2500, "MAT_JAM"),
    ]


def test_what_is_kept_is_what_is_read_back() -> None:
    downtime = assign(split(stop(is_open=True), 1500, "ann", 1), 1600, "MAT_JAM", "stück", "ann", 2)
    assert downtime_of(downtime.id, downtime_row(downtime)) == downtime
    assert downtime_of("dt-1", {"unit": "press"}) is None


def test_statistics_are_clipped_at_the_window_and_have_the_names_of_the_dashboard() -> None:
    shift = 6 * 60 * MINUTE
    over = begun("press", Stop(shift - 10 * MINUTE, shift + 20 * MINUTE, "READY", is_open=False))
    over = assign(over, None, "CHANGEOVER", "", "ann", 1)
    inside = begun("press", Stop(shift + 60 * MINUTE, shift + 90 * MINUTE, "READY", is_open=False))
    inside = assign(split(inside, shift + 70 * MINUTE, "ann", 1), shift + 60 * MINUTE, "MOTOR_FAIL", "", "ann", 1)
    day = Day(date(1970, 1, 1), 0, 86_400 * SECOND_US)
    found = statistics([over, inside], shift, shift + 480 * MINUTE, Reasons(), [day])
    assert found["total_events"] == 2
    assert found["total_downtime_seconds"] == 50 * 60
    assert found["total_downtime_minutes"] == 50
    assert found["total_downtime_hours"] == pytest.approx(50 / 60)
    assert (found["avg_duration_seconds"], found["avg_duration_minutes"]) == (1500.0, 25.0)
    events = ("unplanned_events", "planned_events", "maintenance_events", "changeover_events")
    assert [found[name] for name in events] == [1, 0, 0, 1]
    assert [(each["reason_code"], each["seconds"]) for each in found["top_reasons"]] == [
        ("CHANGEOVER", 1200.0),
        ("UNKNOWN", 1200.0),
        ("MOTOR_FAIL", 600.0),
    ]
    assert found["daily_breakdown"] == [{"date": "1970-01-01", "events": 2, "downtime_seconds": 3000.0}]
    before = statistics([over, inside], 0, shift, Reasons())
    assert (before["total_events"], before["total_downtime_seconds"]) == (1, 600.0)
    assert statistics([], 0, 1, Reasons())["avg_duration_seconds"] is None


def test_there_are_27_reasons_in_two_levels_and_a_site_may_change_them() -> None:
    reasons = Reasons()
    assert len(reasons.table) == 27
    assert {reason.category for reason in reasons.table.values()} == {
        "planned",
        "unplanned",
        "changeover",
        "maintenance",
    }
    assert reasons.of("MOTOR_FAIL").group == "mechanical"
    assert reasons.get("NO_SUCH") is None
    assert not reasons.of("NO_SUCH").is_failure
    own = Reasons(
        [Reason("MOTOR_FAIL", "drives", "unplanned", "Drive"), Reason("RAIN", "weather", "unplanned", "Rain")]
    )
    assert (own.of("MOTOR_FAIL").group, own.of("RAIN").group, len(own.table)) == ("drives", "weather", 28)


def test_what_of_a_stop_lies_outside_of_planned_time_is_no_downtime_and_told_beside() -> None:
    over, saturday = stop(100 * MINUTE, 130 * MINUTE), stop(600 * MINUTE, 604 * MINUTE)
    explained = assign(over, 121 * MINUTE, "CLEANING", "", "ann", 0)
    busy = [(0, 110 * MINUTE), (120 * MINUTE, 125 * MINUTE)]
    day = Day(date(2026, 11, 21), 0, 1440 * MINUTE)
    found = statistics([explained, saturday], 0, 1440 * MINUTE, Reasons(), [day], lambda _: busy)
    assert (found["total_events"], found["planned_events"], found["unplanned_events"]) == (1, 1, 0)
    assert (found["planned_seconds"], found["unplanned_seconds"]) == (15 * 60.0, 0.0)
    assert found["outside_seconds"] == 19 * 60.0
    assert found["daily_breakdown"] == [{"date": "2026-11-21", "events": 1, "downtime_seconds": 15 * 60.0}]
    nothing = statistics([saturday], 0, 1440 * MINUTE, Reasons(), (), lambda _: [])
    assert (nothing["total_events"], nothing["unplanned_events"], nothing["total_downtime_seconds"]) == (0, 0, 0.0)
    assert nothing["outside_seconds"] == 240.0
