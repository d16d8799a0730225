"""Alarms by REST, over a real socket: lists, acts that are three different things, what the alarm system does."""

from __future__ import annotations

import itertools

import pytest

from domain.plant.alarms import Alarms

numbers = itertools.count(1)


@pytest.fixture
def active(plant):
    """An alarm that was just raised by a source: its id and where."""
    place = f"acme/plant1/packing/line4/a{next(numbers)}"
    data = {"key": "motor", "code": "M1", "level": "FAULT", "text": "Motor hot"}
    plant.publish("alarm.raised", data, f"/{place}")
    found = plant.until(f"/alarms?equipment={place}", lambda answer: answer["total"] == 1)
    return found["items"][0]["id"], place


def test_an_alarm_is_listed_until_it_is_acknowledged_and_returns(plant, active):
    id_, place = active
    alarm = plant.get(f"/alarms/{id_}")
    assert (alarm["state"], alarm["letter"]) == ("unacknowledged", "B")
    assert (alarm["equipment"], alarm["key"]) == (place, "motor")
    assert (alarm["rationalised"], alarm["priority"]) == (False, "medium")
    seen = plant.post(f"/alarms/{id_}/acknowledge", {"by": "anna", "comment": "on my way"})
    assert (seen.status, seen["letter"], seen["acknowledged_by"], seen["comment"]) == (200, "C", "anna", "on my way")
    again = plant.post(f"/alarms/{id_}/acknowledge", {"by": "ben"})
    assert (again.status, again["error"], again["details"]["acknowledged_by"]) == (409, "CONFLICT", "anna")
    data = {"key": "motor", "code": "M1", "level": "NORMAL", "previous": "FAULT"}
    plant.publish("alarm.cleared", data, f"/{place}")
    plant.until(f"/alarms/{id_}", lambda answer: answer["letter"] == "A")
    assert plant.get(f"/alarms?equipment={place}")["total"] == 0


def test_silence_shelve_and_acknowledge_are_three_things(plant, active):
    id_, place = active
    silent = plant.post(f"/alarms/{id_}/silence", {"by": "anna"})
    assert (silent["letter"], silent["audible_enabled"], silent["silence_state"]) == ("B", False, True)
    shelved = plant.post(f"/alarms/{id_}/shelve", {"by": "anna", "reason": "known", "duration": 600})
    assert (shelved["letter"], shelved["shelving"]["by"], shelved["acknowledged_by"]) == ("E", "anna", None)
    listed = plant.get(f"/alarms?list=shelved&equipment={place}")["items"]
    assert [(each["id"], each["shelving_remaining"] > 0) for each in listed] == [(id_, True)]
    back = plant.post(f"/alarms/{id_}/unshelve", {"by": "anna"})
    # By hand: it is active, and was seen.
    assert back["letter"] == "C"


def test_a_shelving_needs_a_reason_and_is_no_longer_than_its_class_allows(plant, active):
    id_, _ = active
    nameless = plant.post(f"/alarms/{id_}/shelve", {"by": "anna", "duration": 600})
    assert (nameless.status, nameless["details"]["faults"][0]["pointer"]) == (422, "/reason")
    forever = plant.post(f"/alarms/{id_}/shelve", {"by": "anna", "reason": "x", "duration": 10**9})
    assert (forever.status, forever["error"]) == (403, "FORBIDDEN")
    assert forever["details"]["max_time_shelved"] > 0


def test_an_alarm_that_never_was_active_is_shelved_by_what_it_is_of(plant):
    body = {"equipment": "BP01.PACK.BAG1", "data_item": "knife", "code": "K", "reason": "test", "duration": 60}
    assert plant.post("/alarms/shelve", body)["letter"] == "E"


def test_an_alarm_goes_out_of_service_with_a_permit_and_back(plant, active):
    id_, _ = active
    out = plant.post(f"/alarms/{id_}/remove", {"by": "anna", "permit": "P-17", "reason": "overhaul"})
    assert (out["letter"], out["removal"]["permit"]) == ("G", "P-17")
    assert plant.post(f"/alarms/{id_}/restore", {"by": "anna"})["letter"] == "B"


def test_an_alarm_that_is_not_there_is_not_found(plant):
    assert plant.get("/alarms/none")["error"] == "NOT_FOUND"
    assert plant.post("/alarms/none/acknowledge", {"by": "anna"}).status == 404


def test_lists_have_filters_and_pages(plant, active):
    _, place = active
    assert plant.get(f"/alarms?state=unacknowledged&equipment={place}")["total"] == 1
    assert plant.get(f"/alarms?state=acknowledged&equipment={place}")["total"] == 0
    assert plant.get(f"/alarms?priority=high&equipment={place}")["total"] == 0
    assert plant.get("/alarms?list=all&limit=1")["limit"] == 1
    assert plant.get("/alarms?state=SLEEPING")["error"] == "VALIDATION_ERROR"


def test_no_more_is_made_for_a_page_than_what_is_on_it(plant, active, monkeypatch):
    """Whoever reads keeps the desk from telling others what is critical."""
    _, place = active
    for number in range(60):
        data = {"key": "belt", "code": str(number), "level": "FAULT", "text": "Belt slips"}
        plant.publish("alarm.raised", data, f"/{place}")
    plant.until(f"/alarms?equipment={place}", lambda answer: answer["total"] == 61)
    made = []
    document = Alarms.document
    monkeypatch.setattr(Alarms, "document", lambda self, alarm: made.append(alarm) or document(self, alarm))
    page = plant.get(f"/alarms?equipment={place}&limit=1&offset=7")
    assert (len(page["items"]), page["total"], len(made)) == (1, 61, 1)
    whole = plant.get(f"/alarms?equipment={place}")["items"]
    assert whole[7:8] == [{**page["items"][0], "age": whole[7]["age"]}]
    assert len(whole) == len({each["id"] for each in whole}) == 61
    assert plant.get(f"/equipment/{place.replace('/', '%2F')}/faults").body != []


def test_the_alarm_system_says_how_it_does(plant, active):
    summary = plant.get("/alarms/summary")
    assert summary["counts"]["unacknowledged"] >= 1
    positions = plant.get("/alarms/positions").body
    assert set(plant.get("/alarms/rates").body) == set(positions)
    shown = [plant.get(f"/alarms/boards/{position}") for position in positions]
    assert sum(board["alarms"] for board in shown) >= 1
    assert isinstance(plant.get("/alarms/floods").body, list)


def test_a_position_is_found_by_its_alias_too(plant, active):
    by_path = plant.get("/alarms/boards/acme/plant1/packing/line3").body
    assert by_path["position"] == "acme/plant1/packing/line3"
    assert plant.get("/alarms/boards/BP01").body == by_path
    assert plant.get("/alarms/rationalisation")["unrationalised"] >= 1


def test_faults_of_equipment_are_its_alarms(plant, active):
    id_, place = active
    code = place.replace("/", "%2F")
    assert [alarm["id"] for alarm in plant.get(f"/equipment/{code}/faults").body] == [id_]
