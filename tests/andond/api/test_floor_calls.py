"""Andon calls by REST, in our words and in those of the dashboard's clients, over a real socket."""

from __future__ import annotations

import itertools

import pytest

STATION = "acme/plant1/packing/line3/bagger"
numbers = itertools.count(1)


@pytest.fixture
def place(plant):
    """A place of its own, since one place has one call of a type at a time."""
    return f"{STATION}/t{next(numbers)}"


@pytest.fixture
def raised(plant, place):
    """The id of a call that was just raised."""
    answer = plant.post("/andon/calls", {"equipment": place, "type": "material", "text": "no bags", "by": "anna"})
    assert answer.status == 201
    return answer["id"]


def test_a_call_has_its_whole_life_by_its_acts(plant, raised):
    for word, by, state in (
        ("acknowledge", "ben", "acknowledged"),
        ("arrive", "ben", "in_progress"),
        ("resolve", "ben", "resolved"),
        ("close", "anna", "closed"),
    ):
        answer = plant.post(f"/andon/calls/{raised}/{word}", {"by": by, "comment": f"{word} it", "station": "st4"})
        assert (answer.status, answer["state"]) == (200, state)
    call = plant.get(f"/andon/calls/{raised}")
    assert (call["state"], call["raised_by"], call["acknowledged"]["by"]) == ("closed", "anna", "ben")
    assert (call["arrived"]["comment"], call["arrived"]["station"]) == ("arrive it", "st4")
    done = [step["trigger"] for step in call["history"] if step["by"] in ("anna", "ben")]
    assert done == ["raise", "acknowledge", "arrive", "resolve", "close"]
    assert call["possible"] == []


def test_a_call_that_was_not_solved_is_reopened(plant, raised):
    assert plant.post(f"/andon/calls/{raised}/resolve", {"by": "ben"})["state"] == "resolved"
    again = plant.post(f"/andon/calls/{raised}/reopen", {"by": "anna"})
    assert "resolve" in again["possible"]


def test_an_alias_is_a_place_and_the_call_has_the_path(plant):
    call = plant.post("/andon/calls", {"equipment": "BP01.PACK.PAL1", "type": "quality", "by": "anna"})
    assert call["path"] == "acme/plant1/packing/line3/palletiser"
    assert plant.post(f"/andon/calls/{call['id']}/cancel", {"by": "anna"})["state"] == "cancelled"


def test_the_same_key_raises_one_call_and_another_act_with_it_is_refused(plant, place):
    wish = {"equipment": place, "type": "safety", "by": "anna"}
    first, again = (plant.post("/andon/calls", wish, key=f"k-{place}") for _ in range(2))
    assert (first.status, again.status, first["id"]) == (201, 201, again["id"])
    other = plant.post("/andon/calls", {**wish, "text": "different"}, key=f"k-{place}")
    assert (other.status, other["error"]) == (409, "CONFLICT")


def test_the_key_may_stand_in_the_body_and_must_be_one(plant, place):
    wish = {"equipment": place, "type": "quality", "by": "anna", "key": f"b-{place}"}
    assert plant.post("/andon/calls", wish)["id"] == plant.post("/andon/calls", wish)["id"]
    answer = plant.post("/andon/calls", wish, key="other")
    assert (answer.status, answer["details"]["faults"][0]["pointer"]) == (422, "/key")


def test_a_second_call_of_a_type_at_a_place_is_a_conflict_that_names_the_first(plant, place, raised):
    answer = plant.post("/andon/calls", {"equipment": place, "type": "material", "by": "ben"})
    assert (answer.status, answer["error"]) == (409, "CONFLICT")
    assert raised in str(answer["details"])


def test_an_act_that_does_not_fit_the_state_is_a_conflict(plant, raised):
    answer = plant.post(f"/andon/calls/{raised}/close", {"by": "anna"})
    assert (answer.status, answer["error"]) == (409, "CONFLICT")


def test_a_call_that_is_not_there_is_not_found(plant):
    for answer in (plant.get("/andon/calls/none"), plant.post("/andon/calls/none/acknowledge", {"by": "anna"})):
        assert (answer.status, answer["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/type", "/equipment"}),
        ({"type": "lunch", "equipment": "BP01", "by": "a"}, {"/type"}),
        ({"type": "material", "equipment": "BP01", "priority": "urgent"}, {"/priority"}),
        ({"type": "material", "equipment": "BP01", "at": "noon"}, {"/at"}),
        ({"type": "material", "equipment": "BP01", "by": 5}, {"/by"}),
        ([], {""}),
    ],
)
def test_a_body_that_is_wrong_is_a_validation_error_with_each_fault(plant, body, pointers):
    answer = plant.post("/andon/calls", body)
    assert (answer.status, answer["error"], answer["title"]) == (422, "VALIDATION_ERROR", "Unprocessable Entity")
    assert {fault["pointer"] for fault in answer["details"]["faults"]} == pointers


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("/andon/calls", {"equipment": "L1", "type": "tea", "by": 5}, {"/by", "/type"}),
        ("/andon/calls", {"text": 7, "at": "noon"}, {"/at", "/type", "/equipment", "/text"}),
        ("/andon/calls/c1/reassign", {"by": "", "to": 4}, {"/by", "/to"}),
        ("/andon/events", {"event_type": "tea", "user_id": 5}, {"/user_id", "/event_type", "/equipment_code"}),
        ("/jobs", {"quantity": "many", "station": 4}, {"/station", "/equipment", "/quantity"}),
    ],
)
def test_what_is_wrong_with_who_and_when_hides_no_other_fault(plant, path, body, pointers):
    answer = plant.post(path, body)
    assert answer.status == 422
    assert {fault["pointer"] for fault in answer["details"]["faults"]} == pointers


def test_faults_point_at_the_members_that_the_client_wrote(plant):
    def pointers(path, body):
        return {fault["pointer"] for fault in plant.post(path, body)["details"]["faults"]}

    assert pointers("/andon/events", {"event_type": "tea", "line_id": "BP01", "description": 5}) == {
        "/event_type",
        "/description",
    }
    assert pointers("/andon/events", {}) == {"/event_type", "/equipment_code"}
    assert plant.post("/andon/events", {"event_type": "tea", "line_id": "BP01"})["message"].startswith("/event_type: ")
    job = {"line_id": "BP01", "product_type_id": 5, "target_quantity": "many"}
    assert pointers("/job-assignments", job) == {"/product_type_id", "/target_quantity"}
    assert pointers("/quality/checks", {"equipment_code": 5, "inspected": 3}) == {"/equipment_code"}


def test_a_call_at_a_place_that_the_site_does_not_describe_is_taken_and_marked(plant):
    stray = plant.post("/andon/calls", {"equipment": "L9", "type": "material", "by": "anna"})
    assert (stray.status, stray["modelled"]) == (201, False)
    assert plant.get(f"/andon/calls/{stray['id']}")["modelled"] is False
    known = plant.post("/andon/calls", {"equipment": STATION, "type": "safety", "by": "anna"})
    assert known["modelled"] is True
    told = plant.post("/andon/events", {"line_id": "L8", "event_type": "quality"})
    assert (told.status, told["modelled"]) == (201, False)


def test_a_body_that_is_no_json_is_a_validation_error(plant):
    answer = plant.request("POST", "/api/v1/andon/calls", b"invalid json")
    assert (answer.status, answer["error"]) == (422, "VALIDATION_ERROR")


def test_who_does_not_say_who_they_are_is_called_by_their_address(plant, place):
    call = plant.post("/andon/calls", {"equipment": place, "type": "material"})
    assert call["raised_by"] == "anonymous@127.0.0.1"


def test_the_moment_of_the_device_is_kept_beside_ours(plant, raised):
    answer = plant.post(f"/andon/calls/{raised}/acknowledge", {"by": "ben", "at": "2026-11-21T06:00:00Z"})
    assert answer["acknowledged"]["at"] == "2026-11-21T06:00:00.000Z"
    assert answer["acknowledged"]["received"] > "2026-11-21T06:00:00.000Z"


def test_a_call_goes_to_another_and_gets_another_priority(plant, raised):
    assert plant.post(f"/andon/calls/{raised}/reassign", {"by": "anna", "to": "carl"})["assigned_to"] == "carl"
    assert plant.post(f"/andon/calls/{raised}/change", {"by": "anna", "priority": "critical"})["priority"] == "critical"


def test_calls_are_listed_by_place_state_type_and_page(plant, place, raised):
    assert [call["id"] for call in plant.get(f"/andon/calls?equipment={place}")["items"]] == [raised]
    assert plant.get(f"/andon/calls?equipment={place}&type=safety")["total"] == 0
    assert plant.get(f"/andon/calls?equipment={place}&state=open&priority=low")["total"] in (0, 1)
    everything = plant.get("/andon/calls?limit=1")
    assert (len(everything["items"]), everything["total"] > 1) == (1, True)
    assert everything["items"][0]["id"] == raised
    assert plant.get("/andon/calls?state=sleeping").status == 422
    assert raised in [call["id"] for call in plant.get("/andon/board").body]


def test_figures_types_and_escalation_can_be_read(plant, raised):
    figures = plant.get("/andon/statistics?begin=2026-11-01&end=2027-01-01")
    assert (figures["total"] > 0, figures["by_type"]["material"] > 0) == (True, True)
    assert {kind["word"] for kind in plant.get("/andon/call-types").body} >= {"safety", "quality", "material"}
    assert plant.get("/andon/escalation-tree")["chains"]
    assert isinstance(plant.get("/andon/escalations").body, list)


# --- the dashboard's words


def test_an_andon_event_is_a_call_in_other_words(plant):
    created = plant.post(
        "/andon/events",
        {
            "equipment_code": "BP01.PACK.BAG1",
            "line_id": "BP01",
            "event_type": "maintenance",
            "priority": "high",
            "description": "bearing is hot",
            "reported_by": "user-7",
        },
    )
    assert created.status == 201
    assert (created["line_id"], created["equipment_code"]) == ("BP01", "BP01.PACK.BAG1")
    assert (created["event_type"], created["priority"], created["description"]) == (
        "maintenance",
        "high",
        "bearing is hot",
    )
    assert (created["status"], created["screen_status"], created["reported_by"]) == ("open", "active", "user-7")
    id_ = created["id"]
    assert plant.get(f"/andon/calls/{id_}")["path"] == STATION
    assert id_ in [event["id"] for event in plant.get("/andon/events?line_id=BP01&status=active").body]
    assert id_ in [event["id"] for event in plant.get("/andon/events/active").body]
    taken = plant.request("POST", f"/api/v1/andon/events/{id_}/acknowledge")
    assert (taken.status, taken["status"], taken["acknowledged_by"]) == (200, "acknowledged", "anonymous@127.0.0.1")
    done = plant.post(f"/andon/events/{id_}/resolve", {"notes": "greased", "resolved_by": "user-8"})
    assert (done["status"], done["resolved_by"], done["resolution_notes"]) == ("resolved", "user-8", "greased")
    assert plant.get(f"/andon/events/{id_}").body == done.body
    assert id_ not in [event["id"] for event in plant.get("/andon/events/active").body]


def test_an_andon_event_that_is_wrong_or_not_there_is_told_so(plant):
    assert plant.get("/andon/events/none").status == 404
    answer = plant.post("/andon/events", {"event_type": "lunch"})
    assert (answer.status, answer["error"]) == (422, "VALIDATION_ERROR")
    assert plant.post("/andon/events/none/resolve", {"resolution_notes": "x"}).status == 404


def test_a_path_that_is_none_is_a_problem_too(plant):
    answer = plant.get("/invalid/endpoint")
    assert (answer.status, answer["status"]) == (404, 404)
