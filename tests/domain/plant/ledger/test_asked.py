"""OEE out of figures that a client brings along."""

from __future__ import annotations

import pytest

from domain import Refused
from domain.plant.ledger import brings_figures, calculated

INPUTS = {
    "planned_production_time": 28_800, "actual_production_time": 25_200, "ideal_cycle_time": 1.0,
    "actual_cycle_time": 1.05, "good_parts": 23_280, "total_parts": 24_000,
}  # fmt: skip


def test_the_six_inputs_give_the_figures_of_the_dashboards_formula():
    found = calculated(INPUTS)
    assert (found["availability"], found["performance"], found["quality"]) == (0.875, 0.9524, 0.97)
    assert found["oee"] == 0.8083
    assert {name: found[name] for name in INPUTS} == INPUTS
    assert found["reasons"] == {}


def test_the_cycle_that_was_seen_follows_from_time_and_parts():
    found = calculated({name: value for name, value in INPUTS.items() if name != "actual_cycle_time"})
    assert (found["actual_cycle_time"], found["performance"]) == (1.05, 0.9524)


@pytest.mark.parametrize(
    ("changed", "figure"),
    [
        ({"planned_production_time": 0}, "availability"),
        ({"actual_production_time": None}, "availability"),
        ({"ideal_cycle_time": None}, "performance"),
        ({"actual_cycle_time": 0}, "performance"),
        ({"total_parts": 0}, "quality"),
        ({"good_parts": None}, "quality"),
    ],
)
def test_what_cannot_be_worked_out_is_null_with_its_reason_and_so_is_oee(changed, figure):
    found = calculated({**INPUTS, **changed})
    assert (found[figure], found["oee"]) == (None, None)
    assert {figure, "oee"} == set(found["reasons"])


def test_performance_above_1_is_kept_and_said():
    found = calculated({**INPUTS, "ideal_cycle_time": 2.1})
    assert (found["performance"], found["oee"]) == (2.0, 1.6975)
    assert "above 1" in found["reasons"]["performance"]


def test_every_input_that_is_wrong_is_named():
    with pytest.raises(Refused) as refused:
        calculated({**INPUTS, "good_parts": 1.5, "ideal_cycle_time": -1})
    assert {fault["pointer"] for fault in refused.value.details["faults"]} == {"/good_parts", "/ideal_cycle_time"}


def test_a_question_for_a_window_brings_none_along():
    assert not brings_figures({"line_id": "L1", "good_parts": None})
    assert brings_figures({"good_parts": 0})
