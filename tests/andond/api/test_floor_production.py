"""Jobs, counts, changeovers, quality, OEE, downtime and the dashboard by REST, over a real socket."""

from __future__ import annotations

import itertools
import time

import pytest

from domain import rfc3339

numbers = itertools.count(1)
PRESS = "acme/plant1/packing/line4/press1"


@pytest.fixture
def place():
    """A place of its own, since a place works on one job at a time."""
    return f"acme/plant1/tests/p{next(numbers)}"


@pytest.fixture
def job(plant, place):
    """The id of a job order that was just stored."""
    answer = plant.post("/jobs", {"equipment": place, "product": "flour", "quantity": 10, "by": "planner"})
    assert answer.status == 201
    return answer["id"]


def test_a_job_goes_its_way_and_its_count_is_from_count_events(plant, place, job):
    for word, status in (
        ("accept", "accepted"),
        ("start", "in_progress"),
        ("pause", "paused"),
        ("resume", "in_progress"),
    ):
        answer = plant.post(f"/jobs/{job}/{word}", {"by": "anna"})
        assert (answer.status, answer["status"]) == (200, status)
    assert plant.get(f"/jobs/{job}")["made"] == dict.fromkeys(("produced", "good", "scrap", "rework"))
    plant.publish("production.counted", {"good": 4, "scrap": 1}, f"/{place}")
    made = plant.until(f"/jobs/{job}", lambda answer: answer["made"]["good"] == 4)
    assert (made["made"]["produced"], made["progress"]) == (5, 40.0)
    assert plant.post(f"/jobs/{job}/complete", {"by": "anna"})["state"] == "Ended.Completed"
    late = plant.post(f"/jobs/{job}/pause", {"by": "anna"})
    assert (late.status, late["error"], late["details"]["state"]) == (409, "CONFLICT", "Ended.Completed")


def test_jobs_are_listed_by_status_place_and_person(plant, place, job):
    assert [each["id"] for each in plant.get(f"/jobs?equipment={place}&status=assigned")["items"]] == [job]
    assert plant.get(f"/jobs?equipment={place}&status=completed")["total"] == 0
    assert plant.get(f"/jobs?equipment={place}&assignedTo=ben")["total"] == 0
    assert plant.get("/jobs?status=sleeping")["error"] == "VALIDATION_ERROR"
    assert plant.post(f"/jobs/{job}/update", {"assignedTo": "ben", "by": "planner"})["assignedTo"] == "ben"
    assert plant.get(f"/jobs?equipment={place}&assignedTo=ben")["total"] == 1


def test_a_job_that_is_not_well_described_is_refused(plant):
    answer = plant.post("/jobs", {"quantity": 0, "by": "planner"})
    assert (answer.status, answer["error"]) == (422, "VALIDATION_ERROR")
    assert {fault["pointer"] for fault in answer["details"]["faults"]} >= {"/equipment", "/quantity"}
    assert plant.get("/jobs/none").status == 404


@pytest.mark.parametrize("base", ["/job-assignments", "/production/job-assignments"])
def test_a_job_assignment_is_a_job_in_other_words(plant, base):
    code = f"acme/plant1/tests/p{next(numbers)}"
    created = plant.post(
        base,
        {"equipment_code": code, "user_id": "u1", "title": "Flour", "product_type_id": "flour",
         "target_quantity": 20},
    )  # fmt: skip
    assert created.status == 201
    assert (created["line_id"], created["equipment_code"], created["user_id"]) == ("acme/plant1/tests", code, "u1")
    assert (created["status"], created["target_quantity"], created["title"]) == ("assigned", 20, "Flour")
    id_ = created["id"]
    assert id_ in [job["id"] for job in plant.get(f"{base}?line_id=acme/plant1/tests&user_id=u1").body]
    assert id_ in [job["id"] for job in plant.get("/jobs/my-jobs?user_id=u1").body]
    for word, status in (("accept", "accepted"), ("start", "in_progress"), ("complete", "completed")):
        answer = plant.request("POST", f"/api/v1{base}/{id_}/{word}")
        assert (answer.status, answer["status"]) == (200, status)
    assert plant.get(f"{base}/{id_}")["completed_at"] is not None
    assert plant.post(f"{base}/none/accept").status == 404


def test_counts_of_a_place_are_null_with_a_reason_until_something_is_counted(plant, place):
    empty = plant.get(f"/production-counts?equipment={place}")
    assert (empty["good"], empty["reason"]) == (None, "nothing was counted")
    counted = plant.post("/production-counts", {"equipment": place, "good": 3, "by": "anna"}, key=f"c-{place}")
    assert (counted.status, counted["good"]) == (201, 3)
    again = plant.post("/production-counts", {"equipment": place, "good": 3, "by": "anna"}, key=f"c-{place}")
    assert again["id"] == counted["id"]
    assert plant.get(f"/production-counts?equipment={place}")["good"] == 3
    assert plant.get("/production-counts").status == 422


def test_a_changeover_has_phases_and_an_end(plant, place):
    begun = plant.post("/changeovers", {"equipment": place, "from": "flour", "to": "sugar", "by": "anna"})
    assert (begun.status, begun["from"], begun["to"], begun["phase"]) == (201, "flour", "sugar", "clean_up")
    id_ = begun["id"]
    assert [each["id"] for each in plant.get(f"/changeovers?equipment={place}&open=true")["items"]] == [id_]
    assert plant.post(f"/changeovers/{id_}/phase", {"phase": "set_up", "by": "anna"})["phase"] == "set_up"
    stepped = plant.post(f"/changeovers/{id_}/phase", {"step": "change die", "kind": "internal", "by": "anna"})
    assert [step["name"] for step in stepped["steps"]] == ["change die"]
    assert plant.post(f"/changeovers/{id_}/end", {"by": "anna"})["endedBy"] == "person"
    assert plant.get(f"/changeovers/{id_}")["endedAt"] is not None
    assert plant.get(f"/changeovers?equipment={place}&open=true")["total"] == 0
    assert plant.get("/changeovers/none").status == 404


def test_a_phase_that_is_none_is_a_fault_at_its_place(plant, place):
    begun = plant.post("/changeovers", {"equipment": place, "to": "salt", "by": "anna"})["id"]
    for phase in ("lunch", "ramp"):
        wrong = plant.post(f"/changeovers/{begun}/phase", {"phase": phase, "by": "anna"})
        assert [fault["pointer"] for fault in wrong["details"]["faults"]] == ["/phase"]


def test_a_characteristic_that_there_is_not_is_named(plant):
    wrong = plant.post("/quality/checks", {"characteristic": "lenght", "values": [1], "by": "ben"})
    assert wrong.status == 422
    (fault,) = wrong["details"]["faults"]
    assert (fault["pointer"], "lenght" in fault["message"]) == ("/characteristic", True)


def test_quality_is_checked_and_defects_are_counted(plant, place):
    check = plant.post("/quality/checks", {"equipment": place, "inspected": 10, "passed": 9, "by": "anna"})
    assert (check.status, check["result"]) == (201, "fail")
    words = plant.post("/quality/checks", {"equipment_code": place, "check_type": "visual", "result": "pass",
                                           "notes": "fine", "performed_by": "u3"})  # fmt: skip
    assert (words.status, words["passed"]) == (201, 1)
    defect = plant.post("/quality/defects", {"equipment": place, "code": "torn", "count": 2, "by": "anna"})
    assert defect.status == 201
    figures = plant.get(f"/quality/statistics?equipment={place}")
    assert (figures["inspected"], figures["passed"]) == (11, 10)
    assert figures["defects"] == [{"code": "torn", "description": "Torn bag", "count": 2}]
    assert len(plant.get(f"/quality/checks?equipment={place}").body) == 3
    assert plant.get("/quality/codes").body == [{"code": "torn", "description": "Torn bag"}]
    unknown = plant.post("/quality/defects", {"equipment": place, "code": "wet", "by": "anna"})
    assert (unknown.status, unknown["error"]) == (422, "VALIDATION_ERROR")
    assert plant.get("/quality/charts")["total"] == 0


# --- time


@pytest.fixture(scope="module")
def stopped(plant):
    """A press that ran from an hour ago on, and has stood for the last half of it; the id of its stop."""
    now = time.time()
    for ago, word in ((3600, "running"), (1800, "stopped")):
        at = rfc3339(now - ago)
        plant.publish("equipment.state.changed", {"model": "plain", "state": word}, f"/{PRESS}", at)
    found = plant.until(f"/downtimes?equipment={PRESS}&days=1&open=true", lambda answer: answer["total"] == 1)
    return found["items"][0]["id"]


def test_a_stop_is_told_with_its_length_and_no_reason_until_somebody_says_one(plant, stopped):
    stop = plant.get(f"/downtimes/{stopped}")
    assert 1790 < stop["duration_seconds"] < 1900
    assert (stop["is_open"], stop["is_assigned"], stop["end_time"]) == (True, False, None)
    code = plant.get("/downtimes/reasons")["reason_codes"][0]["code"]
    said = plant.post(f"/downtimes/{stopped}/assign", {"reason_code": code, "notes": "belt", "by": "anna"})
    assert (said["reason_code"], said["confirmed_by"], said["notes"]) == (code, "anna", "belt")
    assert plant.post(f"/downtimes/{stopped}/undo", {"by": "anna"})["is_assigned"] is False
    wrong = plant.post(f"/downtimes/{stopped}/assign", {"reason_code": "LUNCH", "by": "anna"})
    assert (wrong.status, wrong["error"]) == (422, "VALIDATION_ERROR")


def test_a_stop_is_cut_at_an_instant_and_joined_again(plant, stopped):
    at = rfc3339(time.time() - 900)
    cut = plant.post(f"/downtimes/{stopped}/split", {"at": at, "by": "anna"})
    assert len(cut["pieces"]) == 2
    assert cut["pieces"][1]["begin"].startswith(at[:-1])
    assert len(plant.post(f"/downtimes/{stopped}/merge", {"at": at, "by": "anna"})["pieces"]) == 1
    assert plant.post(f"/downtimes/{stopped}/split", {"by": "anna"})["details"]["faults"][0]["pointer"] == "/at"
    assert plant.get("/downtimes/none").status == 404


def test_downtime_has_the_dashboards_paths_and_figures(plant, stopped):
    events = plant.get(f"/downtime/events?equipment_code={PRESS}&days=1").body
    assert stopped in [event["id"] for event in events]
    assert plant.get(f"/downtime/events/{stopped}").body["id"] == stopped
    assert plant.get("/downtime/reasons").body == plant.get("/downtimes/reasons").body
    figures = plant.get(f"/downtime/statistics?equipment={PRESS}&days=1")
    # Of the day on which this runs some is planned, or none.
    assert figures["total_downtime_seconds"] + figures["outside_seconds"] > 1700
    assert figures["total_events"] == (figures["total_downtime_seconds"] > 0)
    assert plant.get(f"/downtime/events?equipment_code={PRESS}&days=1&category=none").body == []


def test_oee_is_null_with_its_reason_where_nothing_was_counted(plant, stopped):
    figures = plant.get(f"/oee?equipment={PRESS}&window=range&days=1")
    assert (figures["oee"], figures["quality"]) == (None, None)
    assert figures["reasons"]["quality"] == "nothing was counted"
    assert (figures["status"], figures["units"]) == ("stopped", [PRESS])
    assert plant.get("/oee").status == 422
    assert plant.get("/oee?equipment=acme/plant1/nowhere")["error"] == "NOT_FOUND"
    assert plant.get("/oee?job=none")["error"] == "NOT_FOUND"


def test_the_ledger_of_a_unit_adds_up_to_its_span(plant, stopped):
    begin = rfc3339(time.time() - 3000)
    line = plant.get(f"/oee/timeline?equipment={PRESS}&begin={begin}&end={rfc3339(time.time() - 60)}")
    assert [segment["state"] for segment in line["segments"]] == ["running", "stopped"]
    assert sum(line["seconds"].values()) == pytest.approx(2940, abs=0.002)


def test_oee_in_the_dashboards_words_has_null_where_nothing_is_known(plant, stopped):
    assert plant.get(f"/oee/equipment/{PRESS.replace('/', '%2F')}")["oee"] is None
    line = plant.get("/oee/lines/acme%2Fplant1%2Fpacking%2Fline4")
    assert {"oee", "availability", "performance", "quality"} <= set(line.body)
    never = plant.get("/oee/lines/BP01")
    assert (never["oee"], never["reasons"]) == (None, {"oee": "nothing was heard of it"})
    assert plant.get("/oee/lines/none").status == 404
    brought = {"line_id": PRESS, "planned_production_time": 100, "actual_production_time": 50, "ideal_cycle_time": 1}
    figures = plant.post("/oee/calculate", {**brought, "good_parts": 20, "total_parts": 25})
    assert (figures["oee"], figures["availability"], figures["performance"]) == (0.2, 0.5, 0.5)
    assert plant.post("/oee/calculate", {**brought, "good_parts": "many"})["error"] == "VALIDATION_ERROR"
    asked = plant.post("/oee/calculate", {"lineId": PRESS, "startTime": "2026-11-01", "endTime": "2026-11-02"})
    assert asked.status in (200, 404)
    assert plant.get(f"/oee/calculate?line_id={PRESS}&days=1")["equipment_code"] == PRESS
    assert len(plant.get("/oee/current").body) >= 3
    assert isinstance(plant.get(f"/oee/trends?line_id={PRESS}&days=2").body, list)
    assert isinstance(plant.get(f"/oee/lines/{PRESS.replace('/', '%2F')}/history?days=2").body, list)
    assert plant.get(f"/oee/shifts?equipment={PRESS}&days=2").status == 200


def test_what_a_unit_did_is_corrected_by_a_person(plant, stopped):
    at = rfc3339(time.time() - 3500)
    path = f"/equipment/{PRESS.replace('/', '%2F')}/correct"
    assert plant.post(path, {"state": "running", "at": at, "by": "anna"}).status == 200
    assert plant.post(path, {"state": "running", "by": "anna"})["details"]["faults"][0]["pointer"] == "/at"


def test_equipment_says_what_it_does_and_what_was_never_heard_of_says_so(plant, stopped):
    found = {each["equipment"]: each for each in plant.get("/equipment/status").body}
    assert (found[PRESS]["status"], found[PRESS]["reason"]) == ("stopped", None)
    never = found["acme/plant1/packing/line3/bagger"]
    assert (never["status"], never["equipment_code"], never["reason"]) == (
        None,
        "BP01.PACK.BAG1",
        "nothing was heard of it",
    )
    assert plant.get("/equipment/BP01.PACK.BAG1/status").body == never
    assert [each["name"] for each in plant.get("/equipment/lines/BP01").body] == [
        "bagger",
        "palletiser",
        "robot",
        "wrapper",
    ]


def test_the_dashboard_shows_every_line_with_what_is_known_of_it(plant, stopped):
    lines = {line["line_id"]: line for line in plant.get("/dashboard/lines").body}
    assert set(lines) >= {"BP01", "acme/plant1/packing/line4", "acme/plant1/mixing/batch1"}
    assert lines["acme/plant1/packing/line4"]["status"] is not None
    assert lines["acme/plant1/mixing/batch1"]["reasons"]["status"] == "nothing was heard of it"
    plant.post("/andon/calls", {"equipment": "acme/plant1/mixing/batch1/mixer", "type": "safety", "by": "anna"})
    batch = plant.get("/dashboard/lines/acme%2Fplant1%2Fmixing%2Fbatch1/status")
    assert [event["event_type"] for event in batch["active_andon_events"]] == ["safety"]
    assert plant.get("/dashboard/lines/none").status == 404
    four = "acme%2Fplant1%2Fpacking%2Fline4"
    assert stopped in [stop["id"] for stop in plant.get(f"/dashboard/lines/{four}/downtime?days=1").body]
    assert plant.get(f"/dashboard/lines/{four}/oee")["line_id"] == "acme/plant1/packing/line4"


def test_production_lines_say_what_stands_in_them(plant):
    lines = {line["id"]: line for line in plant.get("/production/lines").body}
    assert lines["BP01"]["name"] == "Bagging line 3"
    assert "BP01.PACK.BAG1" in lines["BP01"]["equipment_codes"]
    assert plant.get("/production/lines/BP01").body == lines["BP01"]
    assert plant.get("/production/lines/none").status == 404


def test_the_plant_in_numbers_counts_what_is_and_says_what_nobody_knows(plant, stopped):
    overview = plant.get("/dashboard/overview")
    lines = ("running_lines", "stopped_lines", "fault_lines", "unknown_lines")
    assert overview["total_lines"] == sum(overview[name] for name in lines) >= 3
    assert overview["open_andon_events"] <= overview["total_andon_events"]
    assert (overview["average_oee"], "average_oee" in overview["reasons"]) == (None, True)
    assert overview["total_downtime_minutes"] >= 0
    assert plant.get("/dashboard/kpis").status == plant.get("/dashboard/summary").status == 200
