from __future__ import annotations

from datetime import UTC, date, time

import pytest

from domain.plant.site import EquipmentModel, Hours, Level, Node, Person, ShiftCalendar, ShiftPlan, Site

LINE1, LINE2 = "acme/hall1/line1", "acme/hall2/line2"
DAY = 86_400.0


def plan(name, begins, *places):
    return ShiftPlan(name, Hours(time(begins), time(begins + 8)), places=places)


def hall(number, *shifts):
    line = Node(f"line{number}", Level.LINE, f"Line {number}", (f"L{number}",), below=(Node("press", Level.UNIT),))
    return Node(f"hall{number}", Level.AREA, shifts=shifts, below=(line,))


@pytest.fixture
def site() -> Site:
    model = EquipmentModel(Node("acme", Level.ENTERPRISE, below=(hall(1, "early"), hall(2))))
    plans = [plan("early", 6), plan("mine", 8, "acme/hall1"), plan("theirs", 10, "acme/hall2"), plan("all", 14)]
    people = [Person("ann", places=(LINE1,)), Person("bob", places=("acme/hall2",)), Person("all")]
    calendar = ShiftCalendar(UTC, plans, people=people, exceptions={date(2026, 11, 21): ("theirs", "early")})
    return Site(model, calendar, "acme")


def seen(site, *places):
    return site.seen(lambda path: any(path == place or path.startswith(f"{place}/") for place in places))


def test_what_is_not_seen_has_no_name_no_alias_and_no_number(site):
    part = seen(site, LINE1).equipment
    assert [place.path for place in part] == [LINE1, f"{LINE1}/press"]
    assert (part.path_of("L1"), part.path_of("L2")) == (LINE1, "L2")
    assert not part.find(LINE2).is_modelled
    assert part.line_of(f"{LINE1}/press").title == "Line 1"


def test_a_place_works_the_shifts_of_a_hall_that_is_not_seen(site):
    part = seen(site, LINE1)
    assert part.equipment.shifts_of("L1") == ("early",)
    assert [each.name for each in part.calendar_of("L1").plans] == [each.name for each in site.calendar_of("L1").plans]


def test_a_shift_with_places_is_worked_and_shown_there_alone(site):
    assert [each.name for each in site.calendar_of("L1").plans] == ["early"]
    assert [each.name for each in site.calendar_of("L2").plans] == ["early", "theirs", "all"]
    assert [each.name for each in site.calendar.plans] == ["early", "mine", "theirs", "all"]
    part = seen(site, "acme/hall1").calendar
    assert [each.name for each in part.plans] == ["early", "mine", "all"]
    # The day has no other shifts for that, and does not name theirs.
    assert part.exceptions == {date(2026, 11, 21): ("early",)}


def test_a_role_means_those_who_work_at_the_place_and_a_name_whoever_has_it(site):
    people = [
        Person("ann", frozenset({"chief"}), places=(LINE1,)),
        Person("bob", frozenset({"chief"}), places=("acme/hall2",)),
        Person("cid", frozenset({"medic"}), places=("acme/hall2",)),
    ]
    site = Site(site.equipment, ShiftCalendar(UTC, people=people), "acme")
    at_press, in_hall = site.calendar_of(f"{LINE1}/press"), site.calendar_of("acme/hall1")
    assert at_press.people_on_duty("chief", DAY) == in_hall.people_on_duty("chief", DAY) == ("ann",)
    assert site.calendar_of("L2").people_on_duty("chief", DAY) == ("bob",)
    assert site.calendar_of("").people_on_duty("chief", DAY) == ("ann", "bob")
    # Who is named is meant, and a role that nobody has here is known all the same: there is nobody on duty.
    assert at_press.people_on_duty("bob", DAY) == ("bob",)
    assert at_press.knows("medic")
    assert not at_press.on_duty("medic", DAY)
    assert site.calendar_of("L2").on_duty("medic", DAY)


def test_who_is_of_no_place_is_of_the_whole_plant(site):
    assert [each.name for each in seen(site, LINE1).calendar.people] == ["ann"]
    assert [each.name for each in seen(site, "acme/hall2").calendar.people] == ["bob"]
    assert [each.name for each in site.seen(lambda _: True).calendar.people] == ["ann", "bob", "all"]
    assert not seen(site, LINE1).calendar.knows("bob")


def test_the_name_of_the_site_is_that_of_a_place(site):
    assert (seen(site, "acme/hall1").path, seen(site, "acme").path) == ("", "acme")
