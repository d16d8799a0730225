from __future__ import annotations

import pytest

from domain.plant.site import EquipmentModel, Level, Node
from transport.dialects.floor.places import REMEMBERED, Places, text_of

PRESS = Node("press3", Level.CELL, aliases=("BP01.PACK.BAG1", "P3"))
LINE = Node("line3", Level.LINE, aliases=("L-003",), below=(PRESS,))
MODEL = EquipmentModel(
    Node("acme", Level.ENTERPRISE, below=(Node("plant1", Level.SITE, below=(LINE, Node("oven", Level.LINE))),))
)
PATH = "acme/plant1/line3/press3"


def test_a_place_has_the_codes_of_the_model():
    place = Places(lambda: MODEL)(PATH)
    assert (place.line_id, place.equipment_code, place.path) == ("L-003", "BP01.PACK.BAG1", PATH)
    assert place.element == "WorkCell"


def test_a_place_is_named_by_every_path_name_and_alias_at_or_above_it():
    assert Places(lambda: MODEL)(PATH).names == {
        "acme", "plant1", "acme/plant1", "line3", "acme/plant1/line3", "L-003", "press3", PATH, "BP01.PACK.BAG1", "P3",
    }  # fmt: skip


def test_a_line_without_an_alias_is_known_by_its_path_and_is_its_own_line():
    place = Places(lambda: MODEL)("acme/plant1/oven")
    assert (place.line_id, place.equipment_code) == ("acme/plant1/oven", "acme/plant1/oven")
    assert Places(lambda: MODEL)("acme/plant1/oven", is_line=True).equipment_code is None


def test_what_is_above_the_lines_is_at_no_line():
    place = Places(lambda: MODEL)("acme/plant1")
    assert (place.line_id, place.equipment_code) == (None, None)


def test_a_place_below_a_known_line_is_at_that_line():
    place = Places(lambda: MODEL)("acme/plant1/line3/press9/axis1")
    assert (place.line_id, place.equipment_code) == ("L-003", "acme/plant1/line3/press9/axis1")


def test_an_unknown_place_is_an_equipment_and_the_place_above_it_a_line():
    place = Places()("globex/site/line1/robot")
    assert (place.line_id, place.equipment_code) == ("globex/site/line1", "globex/site/line1/robot")
    assert {"globex", "site", "line1", "robot", "globex/site/line1"} <= place.names


def test_an_unknown_line_is_what_the_event_says():
    place = Places()("globex/site/line1", is_line=True)
    assert (place.line_id, place.equipment_code) == ("globex/site/line1", None)


@pytest.mark.parametrize("path", ["", "/", "//"])
def test_nowhere_is_nowhere(path):
    place = Places()(path)
    assert (place.line_id, place.equipment_code, place.names) == (None, None, frozenset())


def test_a_short_path_is_at_no_line():
    assert Places()("press3").line_id is None


def test_another_model_is_asked_anew_and_the_same_one_once():
    models = [EquipmentModel(), MODEL]
    places = Places(lambda: models[0])
    before = places(PATH)
    assert places(PATH) is before
    models.pop(0)
    assert places(PATH).line_id == "L-003"


def test_memory_is_bounded():
    places = Places()
    for number in range(REMEMBERED + 10):
        places(f"a/b/c{number}")
    assert len(places._known) <= REMEMBERED
    deep = "/".join(str(number) for number in range(1000))
    assert len(places(deep).names) < 40


@pytest.mark.parametrize(
    ("value", "text"),
    [("L1", "L1"), (" L1 ", "L1"), (7, "7"), ("", None), (" ", None), (True, None), (1.5, None), (None, None),
     ([], None), (10**30, None)],
)  # fmt: skip
def test_an_id_is_text_or_a_whole_number(value, text):
    assert text_of(value) == text
