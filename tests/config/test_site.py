"""The plant in a configuration: what is understood, and every fault by its key and what was expected."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config import SettingsError, SiteSettings, load, toml_value
from config.reference import settings_page

EXAMPLE = Path(__file__).parents[2] / "docs/examples/plant.toml"
NAMED = '[site]\nenterprise = "acme"\nname = "plant1"\n'
EARLY = '[[site.shifts]]\nname = "early"\nbegins = "06:00"\nends = "14:00"\n'
LATE = '[[site.shifts]]\nname = "late"\nbegins = "14:00"\nends = "22:00"\n'


@pytest.fixture
def given(tmp_path):
    """The site that a text describes."""

    def given(text, environ=None):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        return load(path, environ or {}, {}).settings.site

    return given


@pytest.fixture
def faults(given):
    """What is wrong with a text: (key, what is expected)."""

    def faults(text, environ=None):
        with pytest.raises(SettingsError) as raised:
            given(text, environ)
        return [(fault.key, fault.expected) for fault in raised.value.faults]

    return faults


def test_the_example_of_a_plant_is_understood_as_it_is_written():
    site = load(EXAMPLE, {}, {}).settings.site
    assert (site.enterprise, site.name, site.time_zone, site.day_begins) == ("acme", "plant1", "Europe/Berlin", "06:00")
    assert [shift.name for shift in site.shifts] == ["early", "late", "night", "office"]
    assert site.shifts[2].days == ("sun", "mon", "tue", "wed", "thu")
    assert site.areas[0].lines[0].cells[1].units[0].name == "robot"
    assert site.areas[0].lines[0].aliases == ("BP01",)
    assert site.areas[0].lines[1].shifts == ("early", "late")
    assert site.areas[1].lines[0].element == "ProcessCell"


def test_days_and_times_of_toml_itself_are_understood_too():
    site = load(EXAMPLE, {}, {}).settings.site
    assert [each.date for each in site.exceptions] == ["2026-11-28", "2026-12-24"]
    assert (site.closures[0].begins, site.closures[0].ends) == ("2026-12-24T12:00", "2026-12-24T14:00")


def test_a_site_is_written_as_it_is_read():
    site = load(EXAMPLE, {}, {}).settings.site
    assert tomllib.loads(f"site = {toml_value(site)}")["site"]["shifts"][0]["breaks"] == ["09:00-09:15", "12:00-12:30"]


def test_without_a_site_nothing_is_known(given):
    assert given("") == SiteSettings()


def test_tables_can_come_from_a_variable(given):
    site = given(NAMED, {"ANDOND__SITE__LINES": '[{name = "line3", units = [{name = "press3"}]}]'})
    assert site.lines[0].units[0].name == "press3"


def test_every_fault_of_every_table_is_told_at_once_with_its_number(faults):
    assert faults(
        '[site]\ntime_zone = "Europe/Bavaria"\nday_begins = "6:00"\nholidays = { "25.12.2026" = "Christmas" }\n'
        '[[site.shifts]]\nname = "early"\nbegins = "24:00"\nends = "14:00"\ndays = ["mon", "tues"]\n'
        '[[site.shifts]]\nbegins = "14:00"\nends = "22:00"\nbreaks = ["17:00"]\n'
        '[[site.exceptions]]\ndate = "2026-02-30"\nshifts = []\n'
        '[[site.people]]\nname = "m huber"\nabsent = ["2026-12-24/2026-12-20"]\n'
        '[[site.areas]]\nname = "packing"\n[[site.areas.lines]]\nname = "line 3"\n'
        '[[site.areas.lines.cells]]\nname = "bagger"\naliases = ["BP01/PACK"]\ntitel = "Bagger"\n'
    ) == [
        ("site.time_zone", "a time zone such as Europe/Berlin or America/New_York"),
        ("site.day_begins", "a time from 00:00 to 23:59 such as 06:00"),
        (
            "site.holidays",
            'a table such as { "2026-12-25" = "Christmas" } of days and what they are; \'25.12.2026\' is no day',
        ),
        ("site.shifts[1].begins", "a time from 00:00 to 23:59 such as 06:00"),
        ("site.shifts[1].days", "a list of mon, tue, wed, thu, fri, sat, sun"),
        ("site.shifts[2].breaks", "stretches of time such as [\"09:00-09:15\"], and '17:00' is none"),
        ("site.shifts[2].name", "text"),
        ("site.exceptions[1].date", "a day of the calendar such as 2026-12-24"),
        (
            "site.people[1].name",
            "a name such as m.huber or maintenance (letters, digits, and any of . _ @ + -)",
        ),
        (
            "site.people[1].absent",
            'days such as ["2026-12-24", "2026-12-27/2026-12-31"], and \'2026-12-24/2026-12-20\' is none',
        ),
        (
            "site.areas[1].lines[1].name",
            "one name of a path such as line3 (letters, digits, dot, dash, underscore; at most 63)",
        ),
        (
            "site.areas[1].lines[1].cells[1].aliases",
            'different names such as ["BP01.PACK.BAG1"], without slashes and spaces',
        ),
        ("site.areas[1].lines[1].cells[1].titel", "'title', perhaps"),
    ]


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[site]\nshifts = 3\n", "site.shifts", "a list of tables, [[site.shifts]]"),
        ("[site]\nlines = [3]\n", "site.lines", "a list of tables, [[site.lines]]"),
        (
            '[[site.lines]]\nname = "a"\ncells = { name = "b" }\n',
            "site.lines[1].cells",
            "a list of tables, [[site.lines.cells]]",
        ),
        (EARLY + "days = []\n", "site.shifts[1].days", "at least one of them, each once"),
        (EARLY + 'breaks = ["09:00-09:00"]\n', "site.shifts[1].breaks", "stretches of time"),
        ('[[site.exceptions]]\ndate = "2026-11-28"\n', "site.exceptions[1].shifts", "a list of text"),
        (
            '[[site.closures]]\nbegins = "2026-11-28 12:00"\nends = "2026-11-28T13:00"\n',
            "site.closures[1].begins",
            "a day and a time by the clock on the wall, such as 2026-12-24T12:00",
        ),
        (
            '[[site.closures]]\nbegins = "2026-11-31T12:00"\nends = "2026-12-28T13:00"\n',
            "site.closures[1].begins",
            "a day and a time",
        ),
    ],
)
def test_a_value_that_is_wrong_is_named(faults, text, key, expected):
    ((found, words),) = faults(text)
    assert found == key
    assert words.startswith(expected)


# --- what tables owe each other


def test_a_site_with_equipment_has_a_name(faults):
    assert faults('[[site.lines]]\nname = "line3"\n') == [
        ("site.enterprise", "the first name of every path, such as acme"),
        ("site.name", "the second name of every path, such as plant1"),
    ]


def test_a_path_is_one_place(faults):
    text = NAMED + '[[site.areas]]\nname = "a"\n[[site.lines]]\nname = "a"\n[[site.lines]]\nname = "b"\n'
    assert faults(text) == [("site.lines[1].name", "a name that is not taken, and acme/plant1/a is site.areas[1]")]


def test_a_path_is_not_longer_than_a_channel_takes(faults):
    line = {"name": "a" * 63, "cells": [{"name": "b" * 63, "units": [{"name": "c" * 63}]}]}
    text = f"{NAMED}lines = {toml_value([line])}\n"
    ((key, expected),) = faults(text)
    assert key == "site.lines[1].cells[1].units[1].name"
    assert expected.startswith("a name with which the path is an ISA-95 path")


def test_an_alias_is_one_place(faults):
    text = NAMED + (
        '[[site.lines]]\nname = "a"\naliases = ["BP01"]\nunits = [{ name = "u", aliases = ["BP01"] }]\n'
        '[[site.lines]]\nname = "b"\naliases = ["BP02", "BP01"]\n'
    )
    assert faults(text) == [
        ("site.lines[1].units[1].aliases", "names for this place alone, and 'BP01' is site.lines[1]"),
        ("site.lines[2].aliases", "names for this place alone, and 'BP01' is site.lines[1]"),
    ]


def test_a_name_is_there_once(faults):
    text = EARLY + EARLY.replace("06:00", "00:00").replace("14:00", "06:00")
    text += '[[site.people]]\nname = "a"\n[[site.people]]\nname = "a"\nroles = ["b"]\n[[site.people]]\nname = "b"\n'
    text += 2 * '[[site.exceptions]]\ndate = "2026-11-28"\nshifts = []\n'
    assert faults(text) == [
        ("site.shifts[2].name", "another one than site.shifts[1] has"),
        ("site.exceptions[2].date", "another one than site.exceptions[1] has"),
        ("site.people[2].name", "another one than site.people[1] has"),
        ("site.people[3].name", "a name that is not also a role"),
    ]


def test_a_shift_that_is_named_is_one_of_the_sites(faults):
    text = NAMED + EARLY + LATE
    text += '[[site.people]]\nname = "a"\nshifts = ["early", "lat"]\n'
    text += '[[site.exceptions]]\ndate = "2026-11-28"\nshifts = ["x"]\n'
    text += '[[site.areas]]\nname = "a"\nlines = [{ name = "b", shifts = ["night"] }]\n'
    assert faults(text) == [
        ("site.people[1].shifts", "'late', perhaps, for 'lat'"),
        ("site.exceptions[1].shifts", "one of early, late, for 'x'"),
        ("site.areas[1].lines[1].shifts", "one of early, late, for 'night'"),
    ]


def test_who_names_a_shift_where_there_is_none_is_told_so(faults):
    assert faults('[[site.people]]\nname = "a"\nshifts = ["early"]\n') == [
        ("site.people[1].shifts", "shifts of [[site.shifts]], and there are none, for 'early'")
    ]


def test_a_fault_of_a_shift_is_not_told_again_as_one_of_who_names_it(faults):
    text = EARLY.replace("06:00", "6") + '[[site.people]]\nname = "a"\nshifts = ["early"]\n'
    assert [key for key, _ in faults(text)] == ["site.shifts[1].begins"]


def test_a_break_is_in_its_shift_also_over_midnight(faults, given):
    night = '[[site.shifts]]\nname = "night"\nbegins = "22:00"\nends = "06:00"\nbreaks = ["{}"]\n'
    given(night.format("01:00-01:15"))
    given(night.format("05:45-06:00"))
    assert faults(night.format("05:45-06:15")) == [
        ("site.shifts[1].breaks", "breaks between 22:00 and 06:00, and 05:45-06:15 is not")
    ]
    assert faults(night.format("21:45-22:15"))


def test_shifts_do_not_overlap_on_a_line(faults, given):
    long = '[[site.shifts]]\nname = "long"\nbegins = "06:00"\nends = "18:00"\n'
    expected = "shifts one after the other on each line, and 'early' and 'long' overlap"
    assert faults(EARLY + long) == [("site.shifts", expected)]
    apart = '[[site.lines]]\nname = "a"\nshifts = ["early"]\n[[site.lines]]\nname = "b"\nshifts = ["long"]\n'
    assert given(NAMED + EARLY + long + apart)
    assert given(EARLY + long + "production = false\n")
    assert given(EARLY + 'days = ["mon"]\n' + long + 'days = ["tue"]\n')


def test_a_shift_that_lasts_into_the_next_week_does_not_overlap_its_first(faults):
    night = '[[site.shifts]]\nname = "night"\nbegins = "22:00"\nends = "06:30"\ndays = ["sun"]\n'
    ((key, expected),) = faults(EARLY + 'days = ["mon"]\n' + night)
    assert (key, expected.endswith("'night' and 'early' overlap")) == ("site.shifts", True)


def test_a_shift_may_last_a_day_and_follow_itself(given):
    assert given('[[site.shifts]]\nname = "all"\nbegins = "06:00"\nends = "06:00"\n')


def test_a_closure_ends_after_it_began(faults):
    text = '[[site.closures]]\nbegins = "2026-11-28T12:00"\nends = "2026-11-28T12:00"\n'
    assert faults(text) == [("site.closures[1].ends", "a time after 2026-11-28T12:00")]


def test_the_reference_tells_a_table_once_and_every_place_where_it_may_stand():
    page = settings_page()
    assert "## `[[site.areas.lines]]`, `[[site.lines]]`" in page
    assert page.count("| `element` |") == 1
    assert "| `lines` | `[]` | a list of tables, [[site.areas.lines]] |" in page
