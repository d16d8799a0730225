"""Checks and defects as they are told, and the alarms that come of them."""

import json

import pytest

from domain import Grounds, Priority, Refused
from domain.plant import Word
from domain.plant.quality import KINDS, Baseline, Characteristic, Nature, Quality

NOW = 1_800_000_000.0
CELL = "acme/plant1/line3/st4"
NATURE = Nature("diameter", "mm", lower=9.0, upper=14.0, baseline=Baseline(10.0, 1.0, 1))
OF_A = Characteristic(NATURE, CELL, "a")


def word(at=NOW):
    return Word("quinn", at, at)


def quality(**members):
    return Quality([OF_A, Characteristic(Nature("torque", size=3), CELL)], **members)


def check(known, id_, at=0.0, product="a", **members):
    return known.check(id_, members, word(NOW + at), product, "j1")


def measure(known, *values, start=0):
    return [
        check(known, f"q{start + number}", start + number, characteristic="diameter", values=[value])
        for number, value in enumerate(values)
    ]


def types(said):
    return [event.type for event in said.decision.events]


def test_measured_pieces_are_inspected_by_their_specification():
    known = quality()
    said = check(known, "q1", characteristic="diameter", values=[8.5])
    answer = said.decision.answer
    assert (answer["inspected"], answer["passed"], answer["result"]) == (1, 0, "fail")
    assert (answer["mean"], answer["distance"], answer["job"], answer["product"]) == (8.5, -1.5, "j1", "a")
    assert answer["baseline"] == {
        "centre": 10.0,
        "sigma": 1.0,
        "lower": 7.0,
        "upper": 13.0,
        "rangeCentre": pytest.approx(1.128379),
        "rangeLower": 0.0,
        "rangeUpper": pytest.approx(3.685885),
        "subgroups": None,
        "origin": "stated",
    }
    assert types(said) == ["quality.checked", "quality.violated", "alarm.raised"]


def test_a_rule_that_begins_to_be_broken_is_told_once_with_its_window_and_is_an_alarm():
    known = quality()
    first, second, third = measure(known, 13.5, 13.4, 10.0)
    assert types(first) == ["quality.checked", "quality.violated", "alarm.raised"]
    violated, raised = first.decision.events[1:]
    assert (violated.id, violated.subject) == ("q0-nelson-1", "diameter/nelson-1")
    assert [point["mean"] for point in violated.data["window"]] == [13.5]
    assert (raised.source, raised.subject) == (f"/{CELL}", "quality/diameter/nelson-1")
    assert raised.data["level"] == "WARNING"
    assert (raised.data["key"], raised.data["code"]) == ("quality/diameter", "nelson-1")
    assert raised.data["text"] == "diameter: 1 point beyond 3 sigma"
    assert raised.priority is Priority.HIGH
    # It is still broken: another rule begins, and this one is not told again.
    assert [event.data["rule"] for event in second.decision.events if event.type == "quality.violated"] == ["nelson-5"]
    assert types(third) == ["quality.checked", "alarm.cleared", "alarm.cleared"]
    assert third.alarms == third.decision.events[1:]
    assert {event.data["since"] for event in third.alarms} == {"2027-01-15T08:00:00.000Z", "2027-01-15T08:00:01.000Z"}
    assert known.active() == ()


def test_an_alarm_is_raised_again_as_it_was_for_who_may_have_missed_it():
    known = quality()
    (said,) = measure(known, 13.5)
    (again,) = known.alarms(NOW + 60)
    (first,) = said.alarms
    assert (again.id, again.data, again.time) == (first.id, first.data, first.time)


def test_a_late_sample_that_breaks_a_rule_is_told_and_is_no_alarm():
    known = quality()
    measure(known, 10.0, 10.1, 10.0, 10.1, start=10)
    said = check(known, "late", 5, characteristic="diameter", values=[13.6])
    assert types(said) == ["quality.checked", "quality.violated"]
    assert said.alarms == ()


def test_first_pass_yield_counts_no_second_inspection():
    known = quality()
    check(known, "1", equipment=CELL, inspected=10, passed=8)
    check(known, "2", equipment=CELL, inspected=2, passed=2, again=True)
    check(known, "3", equipment=CELL, result="fail")
    found = known.first_pass(NOW - 1, NOW + 1)
    assert (found.inspected, found.passed) == (11, 8)


def test_a_defect_is_found_without_an_inspection_and_is_no_scrap():
    known = quality(codes={"SCR": "scratch"})
    said = known.defect("d1", {"equipment": CELL, "code": "SCR", "count": 3}, word(), "a", "j1")
    assert types(said) == ["quality.defect.found"]
    assert said.decision.answer["defects"] == [{"code": "SCR", "count": 3}]
    assert said.decision.answer["inspected"] is None
    assert known.first_pass(0, NOW + 1).inspected == 0


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({}, "/equipment"),
        ({"equipment": CELL}, "/values"),
        ({"equipment": CELL, "inspected": 3}, "/passed"),
        ({"equipment": CELL, "inspected": 3, "passed": 4}, "/passed"),
        ({"equipment": CELL, "result": "maybe"}, "/result"),
        ({"equipment": CELL, "defects": [{"code": "XXX"}]}, "/defects"),
        ({"equipment": CELL, "defects": [{}]}, "/defects/0/code"),
        ({"equipment": CELL, "defects": ["SCR"]}, "/defects/0"),
        ({"characteristic": "diameter", "values": [1, 2]}, "/values"),
        ({"characteristic": "diameter", "values": [float("nan")]}, "/values"),
        ({"characteristic": "diameter", "values": [1], "equipment": "acme/x"}, "/equipment"),
        ({"characteristic": "diameter", "values": [1], "product": "b"}, "/product"),
    ],
)
def test_what_is_wrong_with_a_check_is_said_and_nothing_is_kept(members, pointer):
    known = quality(codes={"SCR": "scratch"})
    with pytest.raises(Refused) as refused:
        check(known, "1", **members)
    assert refused.value.grounds is Grounds.INVALID
    assert refused.value.details["faults"][0]["pointer"] == pointer
    assert len(known.inspections) == 0
    assert known.chart("diameter").samples == []


def test_an_unknown_characteristic_is_not_found_and_a_known_check_is_a_conflict():
    known = quality()
    with pytest.raises(Refused) as unknown:
        check(known, "1", characteristic="length", values=[1])
    check(known, "1", equipment=CELL, result="pass")
    with pytest.raises(Refused) as again:
        check(known, "1", equipment=CELL, result="pass")
    assert (unknown.value.grounds, again.value.grounds) == (Grounds.NOT_FOUND, Grounds.CONFLICT)


def test_while_a_baseline_is_learned_it_says_how_far_it_is():
    known = quality()
    said = check(known, "1", characteristic="torque", values=[1, 2, 3])
    assert said.decision.answer["baseline"] == {"centre": None, "subgroups": 1, "learning": 25}
    assert said.decision.answer["result"] is None


def test_a_restart_knows_checks_charts_and_alarms_as_they_were():
    known = quality()
    rows = {kind: {} for kind in KINDS}
    for said in [*measure(known, 10.0, 13.5), check(known, "x", 9, equipment=CELL, inspected=4, passed=3)]:
        for row in said.decision.rows:
            rows[row.kind][row.key] = json.loads(json.dumps(row.value))
    again = quality()
    assert again.recall({kind: tuple(kept.items()) for kind, kept in rows.items()}) == 0
    assert again.active() == known.active()
    assert again.alarms(NOW) == known.alarms(NOW)
    assert again.first_pass(0, NOW + 99) == known.first_pass(0, NOW + 99)
    assert types(measure(again, 10.0, start=2)[0]) == ["quality.checked", "alarm.cleared"]
    assert Quality().recall({kind: tuple(kept.items()) for kind, kept in rows.items()}) == 0


def test_a_row_that_is_none_of_ours_is_counted_and_left_out():
    assert quality().recall({"quality.check": [("1", {"at": 1.0})]}) == 1
