"""The hierarchy of equipment: paths, levels, aliases, and what the model does not know."""

from datetime import time
from zoneinfo import ZoneInfo

import pytest

from domain.plant.site import (
    ELEMENTS,
    EquipmentFault,
    EquipmentModel,
    Hours,
    Level,
    Node,
    ShiftCalendar,
    ShiftPlan,
    Site,
)


def enterprise(*below):
    return Node("acme", Level.ENTERPRISE, below=(Node("plant1", Level.SITE, "Plant One", below=below),))


PLANT = enterprise(
    Node(
        "area1",
        Level.AREA,
        below=(
            Node(
                "line3",
                Level.LINE,
                "Packing",
                aliases=("BP01",),
                shifts=("early",),
                below=(
                    Node("st4", Level.CELL, aliases=("BP01.PACK.BAG1", "BAG1")),
                    Node("st5", Level.CELL, below=(Node("u1", Level.UNIT), Node("u2", Level.UNIT))),
                ),
            ),
            Node("store", Level.LINE, element="StorageZone"),
        ),
    ),
    Node("line9", Level.LINE, below=(Node("press3", Level.UNIT),)),
)
STATION = "acme/plant1/area1/line3/st4"


@pytest.fixture
def model():
    return EquipmentModel(PLANT)


@pytest.mark.parametrize("name", [STATION, f"/{STATION}", "BP01.PACK.BAG1", "BAG1", "/BAG1"])
def test_a_place_is_found_by_its_path_and_by_each_alias(model, name):
    found = model.find(name)
    assert (found.path, found.level, found.is_modelled) == (STATION, Level.CELL, True)
    assert model.path_of(name) == STATION


def test_other_systems_are_told_the_first_alias_or_the_path(model):
    assert model.code_of(STATION) == "BP01.PACK.BAG1"
    assert model.code_of("acme/plant1/line9") == "acme/plant1/line9"
    assert model.code_of("acme/plant7/x") == "acme/plant7/x"


def test_every_alias_leads_to_its_place_and_back(model):
    for place in model:
        for alias in place.aliases:
            assert model.find(alias) is place
            assert alias in model.find(place.path).aliases


def test_what_the_model_does_not_know_is_taken_and_marked(model):
    found = model.find("/acme/plant1/area1/line3/st77")
    assert (found.path, found.level, found.is_modelled) == ("acme/plant1/area1/line3/st77", None, False)
    assert found.parent == "acme/plant1/area1/line3"
    assert model.line_of(found.path).name == "line3"
    assert model.find("elsewhere").members() == {
        "path": "elsewhere",
        "name": "elsewhere",
        "title": None,
        "level": None,
        "element": None,
        "aliases": [],
        "parent": None,
        "below": [],
        "shifts": [],
        "modelled": False,
    }
    assert model.line_of("elsewhere") is None


def test_a_path_that_begins_alike_is_not_below(model):
    assert [place.path for place in model.within("acme/plant1/line9")] == [
        "acme/plant1/line9",
        "acme/plant1/line9/press3",
    ]
    assert model.within("acme/plant1/line") == []


def test_a_level_may_be_missing_and_the_line_is_found_all_the_same(model):
    assert model.line_of("acme/plant1/line9/press3").path == "acme/plant1/line9"
    assert model.line_of("BP01").path == "acme/plant1/area1/line3"
    assert model.nearest(STATION, Level.SITE).title == "Plant One"
    assert model.nearest("acme/plant1/line9", Level.AREA) is None
    assert [up.name for up in model.above(STATION)] == ["line3", "area1", "plant1", "acme"]


def test_work_units_are_the_lowest_places_from_the_line_down(model):
    assert [place.path.removeprefix("acme/plant1/") for place in model.work_units()] == [
        "area1/line3/st4",
        "area1/line3/st5/u1",
        "area1/line3/st5/u2",
        "area1/store",
        "line9/press3",
    ]
    assert [place.name for place in model.work_units("BP01")] == ["st4", "u1", "u2"]
    assert model.work_units("acme/plant7") == []


def test_places_have_the_words_of_opc_ua(model):
    elements = {place.name: place.element for place in model}
    assert elements["line3"] == "ProductionLine"
    assert elements["store"] == "StorageZone"
    assert elements["st4"] == "WorkCell"
    assert set(elements.values()) <= set(ELEMENTS)
    assert [ELEMENTS[word] for word in ("Enterprise", "Site", "Area", "ProductionLine", "WorkCell")] == [0, 1, 2, 5, 6]


@pytest.mark.parametrize(
    ("below", "fault"),
    [
        ((Node("a", Level.LINE), Node("a", Level.LINE)), "acme/plant1/a is there twice"),
        (
            (Node("a", Level.LINE, aliases=("X",)), Node("b", Level.LINE, aliases=("X",))),
            "'X' is an alias of acme/plant1/a and of acme/plant1/b",
        ),
        ((Node("a", Level.UNIT, below=(Node("b", Level.CELL),)),), "acme/plant1/a/b: a cell is not below a unit"),
        ((Node("a", Level.LINE, below=(Node("b", Level.LINE),)),), "acme/plant1/a/b: a line is not below a line"),
        (
            (Node("a", Level.LINE), Node("b", Level.LINE, aliases=("acme/plant1/a",))),
            "'acme/plant1/a' is the path of one place and an alias of acme/plant1/b",
        ),
    ],
)
def test_a_model_that_contradicts_itself_is_refused(below, fault):
    with pytest.raises(EquipmentFault, match=f"^{fault}$"):
        EquipmentModel(enterprise(*below))


def test_levels_are_below_each_other_in_the_order_of_the_standard():
    assert [level.depth for level in Level] == list(range(6))
    assert [str(level) for level in Level] == ["enterprise", "site", "area", "line", "cell", "unit"]


def test_a_line_works_its_own_shifts_and_the_others_work_all(model):
    plans = [ShiftPlan("early", Hours(time(6), time(14))), ShiftPlan("late", Hours(time(14), time(22)))]
    site = Site(model, ShiftCalendar(ZoneInfo("Europe/Berlin"), plans), "acme/plant1")
    assert [plan.name for plan in site.calendar_of("BAG1").plans] == ["early"]
    assert site.calendar_of(STATION) is site.calendar_of("BP01")
    assert site.calendar_of("acme/plant1/line9/press3") is site.calendar
    assert site.calendar_of("acme/plant1/area1/line3/st77") is site.calendar_of("BP01")


def test_a_site_of_which_nothing_is_known_plans_nothing():
    site = Site()
    assert (len(site.equipment), site.calendar.is_known) == (0, False)
    assert site.equipment.find("acme/x").is_modelled is False
