"""The site, its shifts and its equipment by REST, over a real socket against the whole tree."""

from __future__ import annotations

import pytest

STATION = "acme/plant1/packing/line3/bagger"


def test_the_site_says_its_clock_its_plan_and_its_people(plant):
    site = plant.get("/site")
    assert (site["path"], site["time_zone"], site["day_begins"]) == ("acme/plant1", "Europe/Berlin", "06:00")
    assert site["shifts"] == ["early", "late", "night", "office"]
    assert site["holidays"]["2026-12-25"] == "Christmas Day"
    assert site["exceptions"] == {"2026-11-28": ["early"], "2026-12-24": ["early"]}
    assert site["levels"] == {"enterprise": 1, "site": 1, "area": 2, "line": 4, "cell": 2, "unit": 35}
    assert {person["name"] for person in site["people"]} == {"m.huber", "s.wagner", "planning", "safety-hotline"}


def test_shifts_of_a_span_come_page_by_page_with_their_planned_busy_time(plant):
    answer = plant.get("/site/shifts?begin=2026-11-16T05:00:00Z&end=2026-11-17T05:00:00Z&limit=2&offset=1")
    assert (answer["total"], [shift["id"] for shift in answer["items"]]) == (3, ["2026-11-16/late", "2026-11-16/night"])
    assert [shift["busy"] for shift in answer["items"]] == [7.25 * 3600] * 2
    assert answer["items"][0]["breaks"][0] == {"begin": "2026-11-16T16:00:00.000Z", "end": "2026-11-16T16:15:00.000Z"}


def test_a_line_has_the_shifts_that_it_works(plant):
    span = "begin=2026-11-16T05:00:00Z&end=2026-11-17T05:00:00Z"
    found = plant.get(f"/site/shifts?{span}&equipment=acme/plant1/packing/line4/press1")
    assert [shift["name"] for shift in found["items"]] == ["early", "late"]


def test_the_shift_at_a_moment_is_known_also_in_the_night_with_two_half_past_twos(plant):
    # Half past two of 25 October is at 00:30 and at 01:30 UTC, and nobody works in the night from Saturday to Sunday.
    for moment in ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"):
        assert plant.get(f"/site/shifts/current?at={moment}")["reason"] == "no shift runs then"
    assert plant.get("/site/shifts/current?at=2026-10-26T01:30:00Z")["shift"]["id"] == "2026-10-25/night"


def test_planned_busy_time_is_without_holidays_and_says_when(plant):
    assert plant.get("/site/busy-time?begin=2026-12-25&end=2026-12-26")["busy"] == 0
    eve = plant.get("/site/busy-time?begin=2026-12-24T05:00:00Z&end=2026-12-24T13:00:00Z")
    assert eve["busy"] == 5.75 * 3600
    assert eve["intervals"][-1]["end"] == "2026-12-24T11:00:00.000Z"


def test_a_date_is_the_day_of_the_plant_that_begins_then(plant):
    days = plant.get("/site/busy-time?begin=2026-11-16&end=2026-11-17")
    day = plant.get("/site/busy-time?begin=2026-11-16T05:00:00Z&end=2026-11-17T05:00:00Z")
    assert (days["begin"], days["end"]) == ("2026-11-16T05:00:00.000Z", "2026-11-17T05:00:00.000Z")
    assert days == day


def test_who_is_on_duty_is_told_by_role_and_by_name(plant):
    asked = plant.get("/site/on-duty?who=maintenance&at=2026-11-20T08:00:00Z")
    assert (asked["known"], asked["on_duty"], asked["people"]) == (True, True, ["m.huber"])
    assert plant.get("/site/on-duty?who=m.huber&at=2026-12-21T08:00:00Z")["on_duty"] is False
    stranger = plant.get("/site/on-duty?who=nobody")
    assert (stranger["known"], stranger["on_duty"], stranger["people"]) == (False, True, [])


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/site/on-duty", "/query/who"),
        ("/site/on-duty?who=a&at=yesterday", "/query/at"),
        ("/site/shifts?limit=0", "/query/limit"),
        ("/site/shifts?offset=-1", "/query/offset"),
        ("/site/shifts?begin=2026-01-01&end=2025-01-01", "/query/end"),
        ("/site/busy-time?begin=2020-01-01&end=2026-01-01", "/query/end"),
        ("/equipment?level=machine", "/query/level"),
    ],
)
def test_a_query_that_is_wrong_is_a_validation_error_with_its_place(plant, path, pointer):
    answer = plant.get(path)
    assert (answer.status, answer["error"]) == (422, "VALIDATION_ERROR")
    assert [fault["pointer"] for fault in answer["details"]["faults"]] == [pointer]
    assert answer["message"] == answer["detail"]


def test_equipment_is_found_by_path_and_by_alias(plant):
    assert plant.get(f"/equipment/{STATION}").body == plant.get("/equipment/BP01.PACK.BAG1").body
    station = plant.get("/equipment/BP01.PACK.BAG1")
    assert (station["path"], station["code"], station["line"]) == (
        STATION,
        "BP01.PACK.BAG1",
        "acme/plant1/packing/line3",
    )
    assert (station["level"], station["element"], station["modelled"]) == ("cell", "WorkCell", True)


def test_equipment_that_the_model_does_not_know_is_marked(plant):
    stranger = plant.get("/equipment/acme/plant1/packing/line3/st99")
    assert (stranger["modelled"], stranger["level"], stranger["line"]) == (False, None, "acme/plant1/packing/line3")


def test_equipment_is_listed_by_level_and_by_place(plant):
    lines = plant.get("/equipment?level=line")
    assert [place["name"] for place in lines["items"]] == ["line3", "line4", "batch1", "tests"]
    within = plant.get("/equipment?within=BP01&limit=2")
    assert ([place["name"] for place in within["items"]], within["total"]) == (["line3", "bagger"], 5)
