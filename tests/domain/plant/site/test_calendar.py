"""Shifts, planned busy time and duty, also in the nights in which the clock is set."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.plant.site import Closure, Hours, Person, ShiftCalendar, ShiftPlan, wall_us

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HOUR = 3600 * 1_000_000
MINUTE = 60 * 1_000_000
DAY = timedelta(days=1)
WORKDAYS = frozenset(range(5))


def hours(text):
    begins, ends = text.split("-")
    return Hours(time.fromisoformat(begins), time.fromisoformat(ends))


def plan(name, text, *breaks, **more):
    return ShiftPlan(name, hours(text), breaks=tuple(map(hours, breaks)), **more)


EARLY = plan("early", "06:00-14:00", "09:00-09:15", "12:00-12:30")
LATE = plan("late", "14:00-22:00", "17:00-17:15", "19:30-20:00")
NIGHT = plan("night", "22:00-06:00", "01:00-01:15", "03:30-04:00")
ROUND_THE_CLOCK = (EARLY, LATE, NIGHT)


def us(text, zone=BERLIN):
    return wall_us(datetime.fromisoformat(text), zone)


def at(text):
    """Unix seconds of a moment in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def names(shifts):
    return [shift.id for shift in shifts]


def test_planned_busy_time_of_three_shifts_is_a_day_without_its_breaks():
    # P2: what is planned is not the length of the window.
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK)
    begin, end = us("2026-11-21T06:00"), us("2026-11-22T06:00")
    assert end - begin == 24 * HOUR
    assert calendar.busy_us(begin, end) == 24 * HOUR - 3 * 45 * MINUTE
    assert calendar.busy(begin, end)[:2] == [
        (us("2026-11-21T06:00"), us("2026-11-21T09:00")),
        (us("2026-11-21T09:15"), us("2026-11-21T12:00")),
    ]
    assert len(calendar.busy(begin, end)) == 7


@pytest.mark.parametrize(
    ("zone", "evening", "length"),
    [
        (BERLIN, date(2026, 3, 28), 7),
        (BERLIN, date(2026, 10, 24), 9),
        (BERLIN, date(2026, 10, 31), 8),
        (NEW_YORK, date(2026, 3, 7), 7),
        (NEW_YORK, date(2026, 10, 31), 9),
        (NEW_YORK, date(2026, 10, 24), 8),
    ],
)
def test_the_night_shift_of_a_change_night_has_an_hour_more_or_less(zone, evening, length):
    calendar = ShiftCalendar(zone, [plan("night", "22:00-06:00", "02:30-03:00")])
    begin, end = us(f"{evening}T22:00", zone), us(f"{evening + DAY}T06:00", zone)
    (shift,) = calendar.shifts(begin, end)
    assert shift.end_us - shift.begin_us == length * HOUR
    # The break lasts its half hour, whether 02:30 is twice, once or never.
    assert calendar.busy_us(begin, end) == length * HOUR - 30 * MINUTE
    assert (shift.id, (shift.begin_us, shift.end_us)) == (f"{evening}/night", (begin, end))


@pytest.mark.parametrize(
    ("evening", "first", "second"),
    [
        # 02:30 is never: the shift that would begin then begins when the clock jumps from 02:00 to 03:00.
        (date(2026, 3, 28), ("2026-03-28T21:00", "2026-03-29T01:00"), ("2026-03-29T01:00", "2026-03-29T04:00")),
        # 02:30 is twice: it begins at the first one.
        (date(2026, 10, 24), ("2026-10-24T20:00", "2026-10-25T00:30"), ("2026-10-25T00:30", "2026-10-25T05:00")),
    ],
)
def test_shifts_that_meet_at_half_past_two_meet_also_in_a_change_night(evening, first, second):
    calendar = ShiftCalendar(BERLIN, [plan("one", "22:00-02:30"), plan("two", "02:30-06:00")])
    begin, end = us(f"{evening}T22:00"), us(f"{evening + DAY}T06:00")
    one, two = calendar.shifts(begin, end)
    assert [one.begin_us, one.end_us] == [us(each, UTC) for each in first]
    assert [two.begin_us, two.end_us] == [us(each, UTC) for each in second]


def test_between_two_half_past_twos_the_same_shift_runs():
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK)
    for moment in ("2026-10-25T00:30", "2026-10-25T01:30"):
        assert calendar.shift_at(at(moment)).id == "2026-10-24/night"
    assert calendar.shift_at(at("2026-10-25T04:59:59")).id == "2026-10-24/night"
    assert calendar.shift_at(at("2026-10-25T05:00")).id == "2026-10-25/early"


def test_a_shift_is_of_the_day_on_which_it_begins_and_of_the_weekdays_it_has():
    calendar = ShiftCalendar(BERLIN, [plan("night", "22:00-06:00", weekdays=WORKDAYS)])
    # 20 November 2026 is a Friday: its night lasts into the Saturday, and there is none on Saturday.
    assert calendar.shift_at(at("2026-11-21T04:59")).id == "2026-11-20/night"
    assert calendar.shift_at(at("2026-11-21T05:00")) is None
    assert calendar.shift_at(at("2026-11-21T22:30")) is None


def test_a_holiday_has_no_shift_and_an_exception_has_those_it_says():
    calendar = ShiftCalendar(
        BERLIN,
        [plan("early", "06:00-14:00", weekdays=WORKDAYS), plan("late", "14:00-22:00", weekdays=WORKDAYS)],
        holidays={date(2026, 12, 24): "Christmas Eve", date(2026, 12, 25): "Christmas"},
        exceptions={date(2026, 11, 28): ["early"], date(2026, 11, 27): [], date(2026, 12, 24): ["early"]},
    )
    found = names(calendar.shifts(us("2026-11-26T00:00"), us("2026-11-30T00:00")))
    assert found == ["2026-11-26/early", "2026-11-26/late", "2026-11-28/early"]
    assert names(calendar.shifts(us("2026-12-24T00:00"), us("2026-12-28T00:00"))) == ["2026-12-24/early"]


def test_a_closure_is_no_planned_time_and_the_shift_runs_all_the_same():
    closure = Closure("overhaul", us("2026-11-20T10:00"), us("2026-11-20T20:00"))
    calendar = ShiftCalendar(BERLIN, [EARLY], closures=[closure])
    begin, end = us("2026-11-20T06:00"), us("2026-11-20T14:00")
    assert calendar.busy_us(begin, end) == 4 * HOUR - 15 * MINUTE
    assert calendar.shift_at(at("2026-11-20T10:30")).name == "early"


def test_shifts_come_whole_and_busy_time_is_cut_at_the_window():
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK)
    begin, end = us("2026-11-20T05:50"), us("2026-11-20T06:20")
    night, early = calendar.shifts(begin, end)
    assert (night.begin_us, early.end_us) == (us("2026-11-19T22:00"), us("2026-11-20T14:00"))
    assert calendar.busy(begin, end) == [(begin, end)]
    assert calendar.busy(end, begin) == calendar.shifts(begin, begin) == []


def test_where_an_unusual_shift_begins_the_one_before_it_ends():
    calendar = ShiftCalendar(
        BERLIN,
        [plan("early", "06:00-14:00", "13:00-13:30"), plan("long", "10:00-22:00", weekdays=frozenset())],
        exceptions={date(2026, 11, 21): ["early", "long"]},
    )
    early, long = calendar.shifts(us("2026-11-21T00:00"), us("2026-11-22T00:00"))
    assert early.end_us == long.begin_us == us("2026-11-21T10:00")
    assert early.breaks == ()
    assert calendar.busy_us(early.begin_us, long.end_us) == 16 * HOUR


def test_lines_may_work_different_shifts_at_a_time_and_people_those_of_theirs():
    calendar = ShiftCalendar(
        BERLIN, [EARLY, plan("long", "06:00-18:00")], people=[Person("ann", shifts=frozenset({"early"}))]
    )
    assert [calendar.only([name]).shift_at(at("2026-11-20T12:00")).end_us for name in ("early", "long")] == [
        us("2026-11-20T14:00"),
        us("2026-11-20T18:00"),
    ]
    assert calendar.on_duty("ann", at("2026-11-20T12:59"))
    assert not calendar.on_duty("ann", at("2026-11-20T13:00"))


def test_a_shift_for_people_alone_plans_nothing_and_cuts_nothing():
    office = plan("office", "08:00-16:00", weekdays=WORKDAYS, is_production=False)
    calendar = ShiftCalendar(
        BERLIN, [EARLY, office], people=[Person("anna", frozenset({"planner"}), frozenset({"office"}))]
    )
    assert names(calendar.shifts(us("2026-11-20T00:00"), us("2026-11-21T00:00"))) == ["2026-11-20/early"]
    assert calendar.on_duty("planner", at("2026-11-20T14:30"))
    assert not calendar.on_duty("planner", at("2026-11-20T15:00"))
    assert not ShiftCalendar(BERLIN, [office]).is_known


def test_a_calendar_without_shifts_plans_nothing_and_says_that_it_does_not_know():
    calendar = ShiftCalendar(BERLIN)
    assert not calendar.is_known
    assert calendar.busy(0, 10**15) == calendar.shifts(0, 10**15) == []
    assert calendar.shift_at(0.0) is None
    assert ShiftCalendar(BERLIN, [EARLY]).is_known


# --- duty

MAINTENANCE = (
    Person("anna", frozenset({"maintenance"}), frozenset({"early"}), ((date(2026, 11, 23), date(2026, 11, 24)),)),
    Person("ben", frozenset({"maintenance", "shift_manager"}), frozenset({"night"})),
    Person("on-call", frozenset({"safety"}), absences=((date(2026, 12, 24), date(2026, 12, 24)),)),
)


@pytest.mark.parametrize(
    ("who", "moment", "expected"),
    [
        ("anna", "2026-11-20T07:00", ("anna",)),
        ("maintenance", "2026-11-20T07:00", ("anna",)),
        ("maintenance", "2026-11-20T15:00", ()),
        ("maintenance", "2026-11-20T23:00", ("ben",)),
        # 00:30 and 01:30 UTC are both half past two in Berlin.
        ("ben", "2026-10-25T00:30", ("ben",)),
        ("ben", "2026-10-25T01:30", ("ben",)),
        ("ben", "2026-10-25T05:00", ()),
        ("anna", "2026-11-23T07:00", ()),
        ("anna", "2026-11-25T07:00", ("anna",)),
        ("safety", "2026-11-20T03:00", ("on-call",)),
        ("safety", "2026-12-24T12:00", ()),
    ],
)
def test_who_is_on_duty_follows_the_shifts_in_the_sites_time(who, moment, expected):
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK, people=MAINTENANCE)
    assert calendar.people_on_duty(who, at(moment)) == expected
    assert calendar.on_duty(who, at(moment)) is bool(expected)


def test_nobody_works_on_a_holiday_but_who_is_always_on_duty():
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK, people=MAINTENANCE, holidays={date(2026, 11, 20): "closed"})
    assert not calendar.on_duty("maintenance", at("2026-11-20T07:00"))
    assert calendar.on_duty("safety", at("2026-11-20T07:00"))


def test_who_is_not_known_is_not_known_to_be_off_duty():
    calendar = ShiftCalendar(BERLIN, ROUND_THE_CLOCK, people=MAINTENANCE)
    assert not calendar.knows("board@example.com")
    assert calendar.on_duty("board@example.com", at("2026-11-20T07:00"))
    assert calendar.people_on_duty("board@example.com", at("2026-11-20T07:00")) == ()


# --- days


def test_a_day_of_the_plant_begins_at_its_own_hour():
    calendar = ShiftCalendar(BERLIN, day_begins=time(6))
    found = calendar.day_at(at("2026-10-25T04:59"))
    assert (found.date, found.end_us - found.begin_us) == (date(2026, 10, 24), 25 * HOUR)
    assert calendar.day_at(at("2026-10-25T05:00")).date == date(2026, 10, 25)


# --- properties

MOMENTS = st.integers(us("2025-01-01T00:00") // MINUTE, us("2028-01-01T00:00") // MINUTE).map(MINUTE.__mul__)
LENGTHS = st.integers(1, 20 * 24 * 60).map(MINUTE.__mul__)
CLOCK = st.integers(0, 24 * 4 - 1).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


@st.composite
def calendars(draw):
    """Shifts that follow each other round the clock, with breaks anywhere, in a zone with changes."""
    cuts = sorted(draw(st.sets(CLOCK, min_size=1, max_size=5)))
    breaks = draw(st.lists(st.tuples(CLOCK, CLOCK).map(lambda pair: Hours(*pair)), max_size=3))
    plans = [
        ShiftPlan(f"s{number}", Hours(begin, end), breaks=tuple(breaks))
        for number, (begin, end) in enumerate(zip(cuts, [*cuts[1:], cuts[0]], strict=True))
    ]
    return ShiftCalendar(draw(st.sampled_from([BERLIN, NEW_YORK])), plans, day_begins=draw(CLOCK))


@settings(deadline=None)
@given(calendar=calendars(), begin=MOMENTS, length=LENGTHS)
def test_shifts_round_the_clock_partition_every_stretch_of_time(calendar, begin, length):
    end = begin + length
    shifts = calendar.shifts(begin, end)
    assert shifts[0].begin_us <= begin
    assert shifts[-1].end_us >= end
    assert all(one.end_us == two.begin_us for one, two in pairwise(shifts))
    assert len({shift.id for shift in shifts}) == len(shifts)


@settings(deadline=None)
@given(calendar=calendars(), begin=MOMENTS, length=LENGTHS)
def test_days_partition_every_stretch_of_time(calendar, begin, length):
    days = calendar.days(begin, begin + length)
    assert days[0].begin_us <= begin
    assert days[-1].end_us >= begin + length
    assert all(one.end_us == two.begin_us for one, two in pairwise(days))
    assert all(one.date + DAY == two.date for one, two in pairwise(days))


@settings(deadline=None)
@given(calendar=calendars(), begin=MOMENTS, length=LENGTHS, cut=st.floats(0, 1))
def test_busy_time_of_the_parts_is_the_busy_time_of_the_whole(calendar, begin, length, cut):
    middle, end = begin + int(length * cut), begin + length
    whole = calendar.busy_us(begin, end)
    assert calendar.busy_us(begin, middle) + calendar.busy_us(middle, end) == whole
    by_shift = [
        calendar.busy_us(max(shift.begin_us, begin), min(shift.end_us, end)) for shift in calendar.shifts(begin, end)
    ]
    assert sum(by_shift) == whole <= length


@settings(deadline=None)
@given(calendar=calendars(), begin=MOMENTS, length=LENGTHS)
def test_busy_time_and_breaks_are_the_shift(calendar, begin, length):
    for shift in calendar.shifts(begin, begin + length):
        pauses = sum(end - start for start, end in shift.breaks)
        assert calendar.busy_us(shift.begin_us, shift.end_us) == shift.end_us - shift.begin_us - pauses
        assert calendar.shift_at(shift.begin_us / 1_000_000) == shift


@settings(deadline=None)
@given(calendar=calendars(), begin=MOMENTS)
def test_every_moment_is_in_the_shift_that_runs_then(calendar, begin):
    shift = calendar.shift_at(begin / 1_000_000)
    assert shift.begin_us <= begin < shift.end_us
