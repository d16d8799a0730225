"""The site by its settings: the example of the documents is the plant that it describes."""

from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import pytest

from actors.site import SiteInForce, site_of
from config import SiteSettings, load
from domain.plant.site import Level, Site

EXAMPLE = Path(__file__).parents[2] / "docs/examples/plant.toml"
HOUR = 3600 * 1_000_000


@pytest.fixture(scope="module")
def settings():
    return load(EXAMPLE, {}, {}).settings.site


@pytest.fixture
def site(settings) -> Site:
    return site_of(settings)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def us(text):
    return round(at(text)) * 1_000_000


def test_the_equipment_has_its_paths_levels_and_aliases(site):
    assert site.path == "acme/plant1"
    robot = site.equipment.find("acme/plant1/packing/line3/palletiser/robot")
    assert (robot.level, robot.is_modelled) == (Level.UNIT, True)
    assert site.equipment.path_of("BP01.PACK.BAG1") == "acme/plant1/packing/line3/bagger"
    assert site.equipment.line_of("BP01.PACK.BAG1").title == "Bagging line 3"
    assert site.equipment.find("acme/plant1/mixing/batch1").element == "ProcessCell"
    assert [place.name for place in site.equipment.at_level(Level.AREA)] == ["packing", "mixing"]


def test_a_line_works_the_shifts_that_it_names(site):
    # Friday 20 November 2026, 04:00 in Berlin: the night of Thursday.
    moment = at("2026-11-20T03:00")
    assert site.calendar_of("BP01").shift_at(moment).id == "2026-11-19/night"
    assert site.calendar_of("acme/plant1/packing/line4/press1").shift_at(moment) is None


def test_planned_time_is_without_breaks_holidays_and_closures(site):
    a_day = us("2026-11-18T05:00"), us("2026-11-19T05:00")
    assert site.calendar.busy_us(*a_day) == 24 * HOUR - 3 * HOUR * 3 // 4
    eve = us("2026-12-24T05:00"), us("2026-12-25T05:00")
    # The early shift alone, until noon, without its first break.
    assert site.calendar.busy_us(*eve) == 6 * HOUR - HOUR // 4
    assert site.calendar.busy_us(us("2026-12-25T05:00"), us("2026-12-26T05:00")) == 0


def test_a_day_of_a_report_begins_at_six(site):
    assert site.calendar.day_at(at("2026-11-20T04:59")).date == date(2026, 11, 19)


@pytest.mark.parametrize(
    ("who", "moment", "expected"),
    [
        ("maintenance", "2026-11-20T08:00", ("m.huber",)),
        ("maintenance", "2026-12-21T08:00", ()),
        ("shift_manager", "2026-11-20T15:00", ("s.wagner",)),
        ("planner", "2026-11-20T15:00", ("planning",)),
        ("planner", "2026-11-20T16:00", ()),
        ("safety", "2026-12-25T03:00", ("safety-hotline",)),
    ],
)
def test_people_are_on_duty_as_their_shifts_say(site, who, moment, expected):
    assert site.calendar.people_on_duty(who, at(moment)) == expected


def test_a_reload_brings_another_site_and_the_same_settings_the_same(settings):
    present = [settings]
    in_force = SiteInForce(lambda: present[0])
    first = in_force()
    assert in_force() is first
    present[0] = msgspec.structs.replace(settings, holidays={**settings.holidays, "2026-11-20": "Works outing"})
    moment = at("2026-11-20T08:00")
    assert in_force().calendar.shift_at(moment) is None
    assert first.calendar.shift_at(moment) is not None


def test_settings_that_say_nothing_are_a_site_of_which_nothing_is_known():
    site = site_of(SiteSettings())
    assert (site.path, len(site.equipment), site.calendar.is_known) == ("", 0, False)
    assert str(site.calendar.zone) == "UTC"
