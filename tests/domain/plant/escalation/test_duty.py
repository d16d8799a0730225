"""Site time: shifts, schedules and hours in the nights in which the clock is set."""

from __future__ import annotations

from datetime import UTC, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from domain.plant.escalation import Directory, Schedule
from domain.plant.escalation.chain import IfTime
from domain.plant.escalation.duty import is_time
from domain.plant.site import Hours, Person, ShiftCalendar, ShiftPlan

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
EVERY_DAY = frozenset(range(7))
# In Berlin 02:30 comes twice on 2026-10-25 and never on 2026-03-29, in New York on 2026-11-01 and 2026-03-08.
LONG = {"Berlin": (BERLIN, "2026-10-25T00:30+00:00"), "New York": (NEW_YORK, "2026-11-01T05:30+00:00")}
SHORT = {"Berlin": (BERLIN, "2026-03-29T01:00+00:00"), "New York": (NEW_YORK, "2026-03-08T07:00+00:00")}


def _unix(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _between(begins: str, ends: str, days: frozenset[int] = EVERY_DAY) -> IfTime:
    return IfTime(days, time.fromisoformat(begins), time.fromisoformat(ends), "", (), ())


@pytest.mark.parametrize("site", LONG)
def test_hours_that_come_twice_hold_twice(site):
    zone, first = LONG[site]
    calendar = ShiftCalendar(zone)
    # The clock goes back at 03:00 in Berlin and at 02:00 in New York: 02:45 and 01:45 come twice.
    hours = _between("02:15", "02:50") if site == "Berlin" else _between("01:15", "01:50")
    assert is_time(hours, calendar, _unix(first))
    assert not is_time(hours, calendar, _unix(first) + 1800)
    assert is_time(hours, calendar, _unix(first) + 3600)


@pytest.mark.parametrize("site", SHORT)
def test_hours_that_never_come_never_hold(site):
    zone, jump = SHORT[site]
    calendar = ShiftCalendar(zone)
    hours = _between("02:15", "02:45")
    assert not any(is_time(hours, calendar, _unix(jump) + seconds) for seconds in range(-3600, 3601, 60))


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin():
    calendar = ShiftCalendar(BERLIN)
    friday_night = _between("22:00", "06:00", frozenset({4}))
    assert is_time(friday_night, calendar, _unix("2026-11-20T23:00+01:00"))
    assert is_time(friday_night, calendar, _unix("2026-11-21T05:59+01:00"))
    assert not is_time(friday_night, calendar, _unix("2026-11-21T06:00+01:00"))
    assert not is_time(friday_night, calendar, _unix("2026-11-20T05:00+01:00"))
    assert not is_time(friday_night, calendar, _unix("2026-11-21T23:00+01:00"))


def test_hours_are_those_of_the_site_and_not_of_the_machine():
    noon = _unix("2026-11-20T12:00+00:00")
    assert is_time(_between("13:00", "13:01"), ShiftCalendar(BERLIN), noon)
    assert is_time(_between("07:00", "07:01"), ShiftCalendar(NEW_YORK), noon)


def test_a_shift_is_a_time():
    calendar = ShiftCalendar(BERLIN, [ShiftPlan("night", Hours(time(22), time(6)))])
    night = IfTime(frozenset(), time(), time(), "night", (), ())
    assert is_time(night, calendar, _unix("2026-11-20T23:00+01:00"))
    assert not is_time(night, calendar, _unix("2026-11-20T12:00+01:00"))


@pytest.mark.parametrize("site", [*LONG])
def test_a_schedule_hands_over_once_in_the_night_that_is_longer(site):
    zone, _ = LONG[site]
    day = "2026-10-24" if site == "Berlin" else "2026-10-31"
    wall = "02:30" if site == "Berlin" else "01:30"
    schedule = Schedule(("anna", "ben"), datetime.fromisoformat(f"{day}T{wall}"), days=1)
    calendar = ShiftCalendar(zone)
    begins = _unix(LONG[site][1]) - 1800
    turns = [schedule.on_call(calendar, begins + minute * 60) for minute in range(240)]
    assert sum(before != after for before, after in pairwise(turns)) == 1
    # The first time that the clock shows it.
    assert turns[:30] == ["anna"] * 30
    assert turns[30] == "ben"


@pytest.mark.parametrize("site", [*SHORT])
def test_a_schedule_hands_over_when_the_clock_jumps_over_its_time(site):
    zone, jump = SHORT[site]
    day = "2026-03-28" if site == "Berlin" else "2026-03-07"
    schedule = Schedule(("anna", "ben"), datetime.fromisoformat(f"{day}T02:30"), days=1)
    calendar = ShiftCalendar(zone)
    assert schedule.on_call(calendar, _unix(jump) - 1) == "anna"
    assert schedule.on_call(calendar, _unix(jump)) == "ben"
    assert schedule.on_call(calendar, _unix(jump) + 3600) == "ben"


def test_a_weekly_schedule_goes_around_and_nobody_is_on_call_before_it_begins():
    schedule = Schedule(("anna", "ben"), datetime.fromisoformat("2026-11-16T06:00"))
    calendar = ShiftCalendar(BERLIN)
    moments = ["2026-11-16T05:59+01:00", "2026-11-16T06:00+01:00", "2026-11-23T05:59+01:00", "2026-11-23T06:00+01:00",
               "2026-11-30T06:00+01:00"]  # fmt: skip
    assert [schedule.on_call(calendar, _unix(each)) for each in moments] == [None, "anna", "anna", "ben", "anna"]


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        # The night shift of 24 October lasts until 06:00 after the change, nine hours.
        ("2026-10-25T02:30+02:00", ["anna"]),
        ("2026-10-25T02:30+01:00", ["anna"]),
        ("2026-10-25T05:59+01:00", ["anna"]),
        ("2026-10-25T06:00+01:00", ["ben"]),
        ("2026-03-29T01:59+01:00", ["anna"]),
        ("2026-03-29T03:00+02:00", ["anna"]),
        ("2026-03-29T06:00+02:00", ["ben"]),
    ],
)
def test_who_is_on_shift_is_told_in_the_nights_in_which_the_clock_is_set(make_desk, moment, told):
    plans = [ShiftPlan("night", Hours(time(22), time(6))), ShiftPlan("day", Hours(time(6), time(22)))]
    people = [Person("anna", shifts=frozenset({"night"})), Person("ben", shifts=frozenset({"day"}))]
    desk = make_desk(ShiftCalendar(BERLIN, plans, people=people), unacknowledged=[{"notify": ["anna", "ben"]}])
    desk.at = _unix(moment)
    assert [each.target for each in desk.raise_call()] == told


def test_who_is_on_call_is_told(make_desk):
    directory = Directory(
        schedules={"electricians": Schedule(("anna", "ben"), datetime.fromisoformat("2027-01-11T06:00"))}
    )
    desk = make_desk(ShiftCalendar(UTC), directory, unacknowledged=[{"notify_on_call": "electricians"}])
    assert [each.target for each in desk.raise_call()] == ["anna"]
    desk.at += 7 * 86_400
    assert [each.target for each in desk.raise_call("c2")] == ["ben"]


def test_a_group_stands_for_others_unless_somebody_has_its_name():
    directory = Directory(groups={"bosses": ("anna", "ben")})
    assert directory.expanded("bosses", ShiftCalendar(UTC)) == ("anna", "ben")
    known = ShiftCalendar(UTC, people=[Person("bosses")])
    assert directory.expanded("bosses", known) == ("bosses",)
