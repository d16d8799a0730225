"""Changeovers: phases, steps, targets, and what counts say of their beginning and end."""

import json
from itertools import product

import pytest

from domain import Grounds, Refused
from domain.plant import Word
from domain.plant.jobs import PHASES, Cause, Changeovers, Phase, cause_of

NOW = 1_800_000_000.0
CELL = "acme/plant1/line3/st4"

TABLE = """
            clean_up set_up first_piece good_piece end   cancel
clean_up    -        set_up first_piece ramp       ended cancelled
set_up      clean_up -      first_piece ramp       ended cancelled
first_piece clean_up set_up -           ramp       ended cancelled
ramp        -        -      -           -          ended -
ended       -        -      -           -          -     -
cancelled   -        -      -           -          -     -
"""
_HEAD, *_LINES = (line.split() for line in TABLE.strip().splitlines())
ROWS = {(Phase(line[0]), Cause(cause)): cell for line in _LINES for cause, cell in zip(_HEAD, line[1:], strict=True)}


def word(at):
    return Word("ada", at, NOW + 9999)


def begin(changeovers, last_good=None, at=NOW):
    return changeovers.begin("c1", CELL, ("a", "b"), word(at), last_good)


def test_the_table_has_every_pair():
    assert set(ROWS) == set(product(Phase, Cause))


@pytest.mark.parametrize(("phase", "cause"), ROWS, ids=lambda each: each.value)
def test_a_cause_leads_where_the_table_says_or_is_impossible(phase, cause):
    target = PHASES.get((phase, cause))
    assert ("-" if target is None else target.value) == ROWS[phase, cause]


def test_it_lasts_from_the_last_good_piece_to_the_first_good_piece():
    changeovers = Changeovers()
    begin(changeovers, last_good=NOW - 60)
    told = changeovers.good_piece(CELL, "b", word(NOW + 540))
    assert [event.type for event in told.events] == ["changeover.ended"]
    assert (told.answer["length"], told.answer["startedBy"], told.answer["endedBy"]) == (600.0, "count", "count")
    assert told.answer["phase"] == "ended"


def test_without_counts_a_person_says_when_it_begins_and_ends():
    changeovers = Changeovers()
    begin(changeovers)
    told = changeovers.move("c1", Cause.END, word(NOW + 300))
    assert (told.answer["length"], told.answer["startedBy"], told.answer["endedBy"]) == (300.0, "person", "person")


@pytest.mark.parametrize(("product", "at"), [("a", NOW + 10), ("b", NOW - 10), ("c", NOW + 10)])
def test_a_good_piece_of_another_product_or_time_ends_nothing(product, at):
    changeovers = Changeovers()
    begin(changeovers)
    assert changeovers.good_piece(CELL, product, word(at)) is None
    assert changeovers.good_piece("acme/plant1/line4", "b", word(NOW + 10)) is None
    assert changeovers.open_at(CELL).phase is Phase.CLEAN_UP


def test_the_ramp_is_watched_until_somebody_ends_it_and_is_not_in_the_length():
    changeovers = Changeovers(has_ramp=True)
    begin(changeovers)
    assert changeovers.good_piece(CELL, "b", word(NOW + 100)).answer["phase"] == "ramp"
    assert changeovers.good_piece(CELL, "b", word(NOW + 200)) is None
    told = changeovers.move("c1", Cause.END, word(NOW + 700))
    assert told.answer["length"] == 100.0
    assert [(each["phase"], each["length"]) for each in told.answer["phases"]] == [("clean_up", 100.0), ("ramp", 600.0)]


def test_phases_follow_each_other_without_a_gap():
    changeovers = Changeovers()
    begin(changeovers, last_good=NOW - 5)
    for number, phase in enumerate(("set_up", "clean_up", "first_piece"), 1):
        changeovers.move("c1", cause_of(phase), word(NOW + number * 60))
    told = changeovers.good_piece(CELL, "b", word(NOW + 240))
    lengths = [(each["phase"], each["length"]) for each in told.answer["phases"]]
    assert lengths == [("clean_up", 65.0), ("set_up", 60.0), ("clean_up", 60.0), ("first_piece", 60.0)]
    assert sum(length for _, length in lengths) == told.answer["length"]


def test_the_ramp_is_nothing_that_a_person_can_choose():
    with pytest.raises(Refused) as refused:
        cause_of("ramp")
    assert refused.value.grounds is Grounds.INVALID


def test_internal_and_external_time_is_summed_apart_and_counts_once():
    changeovers = Changeovers()
    begin(changeovers)
    changeovers.do_step(
        "c1", {"step": "fetch die", "kind": "external", "begin": NOW - 600, "end": NOW - 300}, word(NOW)
    )
    changeovers.do_step("c1", {"step": "unbolt", "kind": "internal"}, word(NOW + 10))
    changeovers.do_step(
        "c1", {"step": "wipe", "kind": "internal", "begin": NOW + 40, "end": NOW + 130}, word(NOW + 130)
    )
    told = changeovers.do_step("c1", {"step": "unbolt"}, word(NOW + 100))
    assert (told.answer["internal"], told.answer["external"]) == (120.0, 300.0)
    assert [step["name"] for step in told.answer["steps"]] == ["fetch die", "unbolt", "wipe"]


def test_a_step_that_goes_on_ends_with_the_changeover():
    changeovers = Changeovers()
    begin(changeovers)
    changeovers.do_step("c1", {"step": "unbolt"}, word(NOW))
    told = changeovers.move("c1", Cause.END, word(NOW + 80))
    assert told.answer["steps"][0]["length"] == 80.0
    with pytest.raises(Refused, match="no more steps"):
        changeovers.do_step("c1", {"step": "late"}, word(NOW + 90))


def test_the_overrun_is_what_is_beyond_the_target_and_is_told_once():
    changeovers = Changeovers(lambda _, *products: 600.0 if products == ("a", "b") else None)
    begin(changeovers)
    assert changeovers.due() == NOW + 600
    assert changeovers.overdue(NOW + 599, NOW + 599).events == ()
    told = changeovers.overdue(NOW + 601, NOW + 601)
    assert [(event.type, event.time) for event in told.events] == [("changeover.overran", "2027-01-15T08:10:00.000Z")]
    assert (changeovers.due(), changeovers.overdue(NOW + 700, NOW + 700).events) == (None, ())
    ended = changeovers.good_piece(CELL, "b", word(NOW + 750))
    assert (ended.answer["target"], ended.answer["overrun"]) == (600.0, 150.0)


def test_without_a_target_there_is_no_overrun_and_within_it_it_is_nought():
    changeovers = Changeovers()
    assert begin(changeovers).answer["overrun"] is None
    timed = Changeovers(lambda *_: 600.0)
    begin(timed)
    assert timed.move("c1", Cause.END, word(NOW + 10)).answer["overrun"] == 0.0


def test_one_changeover_goes_on_at_a_place():
    changeovers = Changeovers()
    begin(changeovers)
    with pytest.raises(Refused) as refused:
        changeovers.begin("c2", CELL, ("a", "b"), word(NOW), None)
    assert (refused.value.grounds, refused.value.details["id"]) == (Grounds.CONFLICT, "c1")
    assert changeovers.begin("c3", "acme/plant1/line4", (None, "b"), word(NOW), None).answer["from"] is None


def test_what_was_kept_gives_the_same_again():
    changeovers = Changeovers(lambda *_: 60.0, has_ramp=True)
    rows = [*begin(changeovers, last_good=NOW - 5).rows]
    rows += changeovers.move("c1", Cause.TO_SET_UP, word(NOW + 10)).rows
    rows += changeovers.do_step("c1", {"step": "unbolt"}, word(NOW + 20)).rows
    rows += changeovers.overdue(NOW + 90, NOW + 90).rows
    rows += changeovers.good_piece(CELL, "b", word(NOW + 100)).rows
    again = Changeovers()
    kept = {row.key: json.loads(json.dumps(row.value)) for row in rows}
    assert again.recall(kept.items()) == 0
    assert list(again) == list(changeovers)
    assert again.recall([("x", {"equipment": CELL})]) == 1


def test_the_oldest_that_is_over_makes_room():
    changeovers = Changeovers(capacity=2)
    for number in range(3):
        changeovers.begin(f"c{number}", CELL, ("a", "b"), word(NOW + number * 10), None)
        told = changeovers.move(f"c{number}", Cause.CANCEL, word(NOW + number * 10 + 5))
    assert [one.id for one in changeovers] == ["c1", "c2"]
    assert told.events[0].type == "changeover.cancelled"


def test_an_impossible_step_says_what_is_possible():
    changeovers = Changeovers(has_ramp=True)
    begin(changeovers)
    changeovers.good_piece(CELL, "b", word(NOW + 5))
    with pytest.raises(Refused) as refused:
        changeovers.move("c1", Cause.CANCEL, word(NOW + 6))
    assert refused.value.details == {"id": "c1", "phase": "ramp", "possible": ["end"]}
