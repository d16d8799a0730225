"""Jobs, counts and changeovers together: what a count means for a job, and what a restart knows of it."""

import json

import pytest

from domain import Grounds, Refused
from domain.plant import Word
from domain.plant.jobs import KINDS, JobsNow, Quantities, Trigger, Workshop
from domain.plant.quality import Quality
from domain.plant.site import Site

NOW = 1_800_000_000.0
LINE = "acme/plant1/line3"
CELL = f"{LINE}/st4"
OTHER = f"{LINE}/st5"


def word(at=NOW):
    return Word("ada", at, at)


class Floor:
    """A workshop and what it has kept."""

    def __init__(self, **members):
        self.workshop = Workshop(**members)
        self.rows = {kind: {} for kind in KINDS}

    def take(self, done):
        decision = getattr(done, "decision", done)
        for row in decision.rows:
            self.rows[row.kind].pop(row.key, None)
            if row.value is not None:
                self.rows[row.kind][row.key] = json.loads(json.dumps(row.value))
        return done

    def job(self, id_="j1", equipment=LINE, product="a", at=NOW, quantity=10):
        members = {"id": id_, "equipment": equipment, "product": product, "quantity": quantity}
        self.take(self.workshop.store(members, word(at), "x", may_start=True))
        return self.take(self.workshop.move(id_, Trigger.BEGIN, word(at)))

    def count(self, id_, equipment=CELL, at=NOW, **members):
        return self.take(self.workshop.count(id_, equipment, members, word(at)))

    def again(self):
        workshop = Workshop()
        assert workshop.recall({kind: tuple(rows.items()) for kind, rows in self.rows.items()}) == 0
        return workshop


def test_pieces_belong_to_the_job_that_the_place_or_the_line_above_it_works_on():
    floor = Floor()
    assert floor.job().turned == (LINE,)
    done = floor.count("1", at=NOW + 5, good=3)
    assert [(place, count.job, count.product) for place, count in done.counts] == [(CELL, "j1", "a")]
    (event,) = done.decision.events
    assert event.type == "production.updated"
    assert event.data["made"] == {"produced": None, "good": 3, "scrap": None, "rework": None}
    assert (event.data["progress"], event.data["quantity"]) == (30.0, 10)


def test_late_pieces_belong_to_the_job_of_their_own_moment():
    floor = Floor()
    floor.job("j1", product="a")
    floor.take(floor.workshop.move("j1", Trigger.STOP, word(NOW + 100)))
    floor.job("j2", product="b", at=NOW + 200)
    for number, at in enumerate((NOW + 50, NOW + 150, NOW + 250, NOW - 5)):
        floor.count(str(number), at=at, good=1)
    tallies = floor.workshop.production.totals(CELL, 0, 10**18)
    assert {tally.job: tally.pieces.good for tally in tallies} == {"j1": 1, "j2": 1, None: 2}


def test_pieces_that_pass_several_stations_are_not_several_pieces():
    floor = Floor()
    floor.job()
    floor.count("1", CELL, good=3)
    floor.count("1", OTHER, good=2)
    pieces, reason = floor.workshop.production.made_for("j1", LINE)
    assert (pieces, reason) == (
        Quantities(),
        f"counted at {CELL}, {OTHER}: say which one is the output of {LINE}",
    )
    floor.workshop.change(lambda name: name, lambda *_: None, {LINE: OTHER})
    assert floor.workshop.production.made_for("j1", LINE) == (Quantities(good=2), None)


def test_what_a_line_counts_itself_comes_before_its_stations():
    floor = Floor()
    floor.job()
    floor.count("1", CELL, good=3)
    floor.count("1", LINE, good=2)
    assert floor.workshop.production.made_for("j1", LINE)[0].good == 2


def test_what_was_worked_out_is_never_taken_for_a_count():
    floor = Floor()
    floor.job()
    done = floor.count("1", good=3)
    for event in done.decision.events:
        with pytest.raises(Refused) as refused:
            floor.workshop.count("2", CELL, event.data, word())
        assert refused.value.grounds is Grounds.INVALID
    assert floor.workshop.production.made_for("j1", LINE)[0].good == 3


def test_a_count_that_came_before_or_comes_too_late_is_refused_with_the_reason():
    floor = Floor()
    floor.count("1", good=3)
    with pytest.raises(Refused) as again:
        floor.count("1", good=3)
    floor.workshop.production.fold(round((NOW + 86_400) * 1e6), 0)
    with pytest.raises(Refused) as late:
        floor.count("3", at=NOW, good=1)
    assert [each.value.details["reason"] for each in (again, late)] == ["duplicate", "too_late"]


@pytest.mark.parametrize(
    ("members", "pointers"),
    [
        ({}, ["/good"]),
        ({"good": -1}, ["/good"]),
        ({"good": 1.5, "scrap": True}, ["/good", "/scrap"]),
        ({"value": -1}, ["/value"]),
        ({"value": 70_000, "modulus": 65_536, "kind": "good"}, ["/value"]),
        ({"value": 1, "kind": "parts"}, ["/kind"]),
    ],
)
def test_a_count_that_is_not_well_told_is_refused_with_every_fault(members, pointers):
    with pytest.raises(Refused) as refused:
        Workshop().count("1", CELL, members, word())
    assert [fault["pointer"] for fault in refused.value.details["faults"]] == pointers


def test_a_person_may_take_pieces_back_with_a_word_why_and_a_machine_may_not():
    floor = Floor()
    floor.count("1", good=5, scrap=0)
    with pytest.raises(Refused, match="required where pieces are taken back"):
        floor.workshop.count("2", CELL, {"good": -2, "scrap": 2}, word(), is_act=True)
    members = {"good": -2, "scrap": 2, "comment": "cracked"}
    with pytest.raises(Refused):
        floor.workshop.count("2", CELL, members, word())
    done = floor.take(floor.workshop.count("2", CELL, members, word(), is_act=True))
    assert [event.type for event in done.decision.events] == ["production.counted", "production.updated"]
    assert floor.workshop.production.totals(CELL, 0, 10**18)[0].pieces == Quantities(5, 3, 2, None)


def test_a_changeover_lasts_from_the_last_good_piece_to_the_first_one_of_the_next_product():
    floor = Floor()
    floor.job("j1", LINE, "a")
    floor.count("1", at=NOW + 90, good=1, scrap=0)
    floor.take(floor.workshop.move("j1", Trigger.STOP, word(NOW + 100)))
    begun = floor.take(floor.workshop.begin_changeover({"equipment": LINE, "to": "b"}, word(NOW + 120), "c1"))
    assert (begun.decision.answer["from"], begun.decision.answer["startedAt"]) == ("a", "2027-01-15T08:01:30.000Z")
    floor.job("j2", LINE, "b", at=NOW + 300)
    floor.count("2", at=NOW + 310, scrap=1)
    done = floor.count("3", at=NOW + 330, good=1)
    assert [event.type for event in done.decision.events] == ["production.updated", "changeover.ended"]
    assert done.decision.events[1].data["length"] == 240.0


def test_a_changeover_of_a_line_ends_where_its_pieces_come_out():
    floor = Floor(outputs={LINE: OTHER})
    floor.take(floor.workshop.begin_changeover({"equipment": LINE, "to": "b"}, word(NOW), "c1"))
    floor.job("j2", LINE, "b", at=NOW)
    assert len(floor.count("1", CELL, at=NOW + 10, good=1).decision.events) == 1
    assert floor.count("2", OTHER, at=NOW + 60, good=1).decision.events[1].data["length"] == 60.0


def test_a_changeover_may_follow_a_job_and_is_found_by_its_place():
    floor = Floor()
    floor.take(floor.workshop.store({"id": "j2", "equipment": CELL, "product": "b"}, word(), "x"))
    told = floor.workshop.begin_changeover({"equipment": CELL, "job": "j2"}, word(), "c1").decision
    assert (told.answer["to"], told.answer["job"]) == ("b", "j2")
    floor.workshop.change_phase({"equipment": CELL, "phase": "set_up"}, word(NOW + 1))
    ended = floor.workshop.end_changeover({"equipment": CELL, "cancelled": True}, word(NOW + 2)).decision
    assert ended.answer["phase"] == "cancelled"
    with pytest.raises(Refused) as refused:
        floor.workshop.end_changeover({"equipment": CELL}, word(NOW + 3))
    assert refused.value.grounds is Grounds.NOT_FOUND


def test_a_changeover_to_nothing_is_refused():
    with pytest.raises(Refused, match="/to: is required"):
        Workshop().begin_changeover({"equipment": CELL}, word(), "c1")


def test_a_report_is_one_of_what_the_executing_system_says():
    floor = Floor()
    floor.job()
    assert floor.workshop.report({"id": "j1", "what": "hold"}, word()).decision.answer["state"] == "Interrupted.Held"
    for what in ("Abort", None):
        with pytest.raises(Refused) as refused:
            floor.workshop.report({"id": "j1", "what": what}, word())
        assert refused.value.grounds is Grounds.INVALID


def test_a_restart_knows_jobs_runs_counts_and_counters_as_they_were():
    floor = Floor()
    floor.job()
    floor.count("1", at=NOW, counter="c", kind="good", value=100)
    floor.count("2", at=NOW + 60, counter="c", kind="good", value=110)
    floor.count("3", at=NOW + 30, counter="c", kind="good", value=104)
    floor.count("4", at=NOW + 70, scrap=2)
    floor.count("5", at=NOW + 80, scrap=1, corrects="4")
    again = floor.again()
    assert again.production.totals(CELL, 0, 10**18) == floor.workshop.production.totals(CELL, 0, 10**18)
    assert again.production.counts(CELL) == floor.workshop.production.counts(CELL)
    assert again.production.made_for("j1", LINE) == (Quantities(11, 10, 1, None), None)
    assert again.jobs.get("j1") == floor.workshop.jobs.get("j1")
    with pytest.raises(Refused, match="duplicate"):
        again.count("2", CELL, {"good": 1}, word())


def test_a_restart_after_folding_and_forgetting_knows_the_same_sums():
    floor = Floor()
    floor.job()
    for number in range(40):
        floor.count(str(number), at=NOW + number * 600, counter="c", kind="good", value=number * 3)
    fold, keep = (round((NOW + at) * 1e6) for at in (20 * 600, 3600))
    for row in floor.workshop.production.fold(fold, keep):
        floor.rows[row.kind].pop(row.key, None)
        if row.value is not None:
            floor.rows[row.kind][row.key] = json.loads(json.dumps(row.value))
    assert 0 < len(floor.rows["production.count"]) < 40
    again = floor.again()
    assert again.production.made_for("j1", LINE) == (Quantities(good=117), None)
    for begin in (0, fold, fold + 3_600_000_000):
        assert again.production.totals(CELL, begin, 10**18) == floor.workshop.production.totals(CELL, begin, 10**18)
    for workshop in (again, floor.workshop):
        workshop.count("late", CELL, {"counter": "c", "kind": "good", "value": 61}, word(NOW + 20 * 600 + 1))
        assert workshop.production.made_for("j1", LINE)[0].good == 117


def test_a_job_that_is_removed_takes_its_sums_with_it():
    floor = Floor()
    floor.job()
    floor.count("1", good=3)
    floor.take(floor.workshop.move("j1", Trigger.ABORT, word(NOW + 1)))
    floor.take(floor.workshop.move("j1", Trigger.CLEAR, word(NOW + 2)))
    assert floor.workshop.production.made_for("j1", LINE) == (Quantities(), "nothing was counted yet")
    assert floor.workshop.production.totals(CELL, 0, 10**18)[0].pieces.good == 3


def test_what_is_asked_now_has_the_job_the_shift_and_a_reason_where_nothing_is_known():
    floor = Floor()
    floor.job()
    floor.count("1", at=NOW + 5, good=3, scrap=1)
    now = JobsNow(floor.workshop, Quality(), Site(), NOW + 10)
    assert now.running(CELL)["id"] == "j1"
    assert [job["id"] for job in now.jobs(equipment="acme/plant1")] == ["j1"]
    assert now.jobs(equipment="acme/plant2") == []
    made = now.production(LINE, NOW, NOW + 60)
    assert (made["produced"], made["good"], made["scrap"], made["reason"]) == (4, 3, 1, None)
    assert now.production(LINE, NOW + 60, NOW + 90)["reason"] == "nothing was counted"
    assert now.inspections()["firstPassYield"] is None
    with pytest.raises(Refused, match="works no shift now"):
        now.shift_production(LINE)
