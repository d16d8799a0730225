"""The paths of the dashboard's clients that are answered out of what others know, and those that are not here."""

from __future__ import annotations

import time

import pytest

from domain import rfc3339

PRESS = "acme/plant1/packing/line4/press1"
LINE = "acme/plant1/packing/line4"


@pytest.fixture(scope="module")
def running(plant):
    """A press that has run for an hour, with an alarm."""
    now = time.time()
    plant.publish("equipment.state.changed", {"model": "plain", "state": "running"}, f"/{PRESS}", rfc3339(now - 3600))
    plant.publish("alarm.raised", {"key": "hot", "level": "fault", "text": "too hot"}, f"/{PRESS}")
    plant.until(f"/equipment/{PRESS.replace('/', '%2F')}/faults", lambda answer: len(answer.body) == 1)
    plant.until("/equipment/status", lambda answer: PRESS in [each["equipment"] for each in answer.body])


@pytest.fixture
def planned(plant):
    """A job that is planned."""
    job = {"equipment": "BP01", "product": "flour", "quantity": 50, "plannedStart": "2026-12-01T05:00:00Z"}
    return plant.post("/jobs", {**job, "by": "planning"})["id"]


# --- production


def test_a_schedule_is_a_job_order_that_has_a_planned_time(plant, planned):
    unplanned = plant.post("/jobs", {"equipment": "BP01", "product": "flour", "by": "planning"})["id"]
    listed = {row["id"]: row for row in plant.get("/production/schedules?line_id=BP01").body}
    assert (planned in listed, unplanned in listed) == (True, False)
    row = plant.get(f"/production/schedules/{planned}").body
    assert row == listed[planned]
    assert (row["line_id"], row["product_type_id"], row["target_quantity"]) == ("BP01", "flour", 50)
    assert row["scheduled_start"].startswith("2026-12-01T05:00:00")
    assert plant.get("/production/schedules/none").status == 404
    assert plant.get(f"/production/schedules/{unplanned}").status == 404
    assert plant.get("/production/schedules?status=sleeping").status == 422


def test_production_statistics_are_sums_and_null_with_a_reason_where_nothing_was_counted(plant):
    before = plant.get("/production/statistics?line_id=acme/plant1/mixing/batch1")
    assert (before["units_produced"], before["reasons"]["units_produced"]) == (None, "nothing was counted")
    made = {"equipment": "acme/plant1/mixing/batch1", "good": 7, "scrap": 1, "by": "ben"}
    assert plant.post("/production-counts", made).status == 201
    figures = plant.get("/production/statistics?days=1")
    rows = {row["line_id"]: row for row in figures["lines"]}
    assert rows["acme/plant1/mixing/batch1"]["good_parts"] == 7
    assert (figures["good_parts"] >= 7, figures["total_jobs"] >= 0) == (True, True)
    assert rows["BP01"]["reason"] == "nothing was counted"


# --- oee


def test_the_oee_dashboard_has_every_line_and_the_whole_plant(plant, running):
    board = plant.get("/oee/dashboard")
    rows = {row["line_id"]: row for row in board["lines"]}
    assert {"BP01", LINE} <= set(rows)
    assert rows["BP01"]["reasons"] == {"oee": "nothing was heard of it"}
    assert board["overall"]["coverage"] is not None


def test_oee_analytics_have_figures_shifts_and_losses_of_a_place(plant, running):
    found = plant.get(f"/oee/analytics?line_id={LINE}&days=1")
    assert (found["figures"]["line_id"], found["reasons"]) == (LINE, {})
    assert found["downtime"]["total_events"] >= 0
    never = plant.get("/oee/analytics?line_id=BP01")
    assert (never["downtime"], never["reasons"]["downtime"]) == (None, "nothing was heard of it")
    assert plant.get("/oee/analytics?line_id=none").status == 404
    assert plant.get("/oee/analytics").status == 422


def test_oee_alerts_are_figures_that_are_flagged(plant, running):
    for made in ({"produced": 3}, {"produced": 5, "good": 5, "scrap": 0}, {"good": 4}):
        assert plant.post("/production-counts", {"equipment": PRESS, **made, "by": "ben"}).status == 201
    found = plant.until(
        f"/oee/alerts?equipment={PRESS}", lambda answer: answer.body[0]["alert_type"] == "check counters"
    )
    assert found.body[0]["equipment_code"] == PRESS


def test_there_are_no_oee_targets_and_every_line_says_so(plant):
    rows = plant.get("/oee/targets").body
    assert {row["target_oee"] for row in rows} == {None}
    assert rows[0]["reasons"]["target_oee"] == "the configuration has no targets of OEE"


@pytest.mark.parametrize("element", ["availability", "performance", "quality"])
def test_each_element_of_oee_has_the_dashboards_paths(plant, running, element):
    one = plant.get(f"/oee/{element}/calculate?equipment_code={PRESS}")
    assert element in one.body
    brought = {"planned_production_time": 100, "actual_production_time": 50, "ideal_cycle_time": 1}
    said = plant.post(f"/oee/{element}/calculate", {**brought, "good_parts": 20, "total_parts": 40})
    assert said[element] == {"availability": 0.5, "performance": 0.8, "quality": 0.5}[element]
    assert "BP01" in [row["line_id"] for row in plant.get(f"/oee/{element}/data").body]
    assert isinstance(plant.get(f"/oee/{element}/trends?line_id={LINE}").body, list)


# --- andon


def test_escalation_rules_are_the_chains_in_force(plant):
    rules = plant.get("/andon/escalation-rules").body
    assert [rule["id"] for rule in rules] == [chain["name"] for chain in plant.get("/andon/escalation-tree")["chains"]]
    critical = next(rule for rule in rules if rule["priorities"] == ["critical"])
    assert (critical["acknowledgment_timeout_minutes"], critical["resolution_timeout_minutes"]) == (2, 15)


def test_an_andon_report_has_the_figures_in_all_and_shift_by_shift(plant):
    plant.post("/andon/calls", {"equipment": PRESS, "type": "material", "by": "anna"})
    report = plant.get("/andon/reports?days=2")
    assert report["total"]["by_type"]["material"] == 1
    assert sum(shift["figures"]["total"] for shift in report["shifts"]) <= report["total"]["total"]
    assert plant.get("/andon/reports?begin=never").status == 422


# --- quality, equipment


def test_defects_are_listed_with_where_and_when(plant):
    plant.post("/quality/defects", {"equipment": PRESS, "code": "torn", "count": 3, "by": "ben"})
    row = plant.get("/quality/defects?days=1").body[0]
    assert (row["code"], row["description"], row["count"]) == ("torn", "Torn bag", 3)
    assert (row["equipment"], row["line_id"]) == (PRESS, LINE)


def test_maintenance_is_no_name_of_a_machine(plant, running):
    rows = {row["equipment"]: row for row in plant.get("/equipment/maintenance").body}
    assert (rows[PRESS]["is_in_maintenance"], rows[PRESS]["maintenance_due"]) == (False, None)
    assert rows[PRESS]["reasons"] == {"maintenance_due": "no source tells it"}


def test_diagnostics_say_what_each_unit_does_and_which_alarms_it_has(plant, running):
    rows = {row["equipment"]: row for row in plant.get("/equipment/diagnostics").body}
    assert (rows[PRESS]["status"], [fault["key"] for fault in rows[PRESS]["faults"]]) == ("running", ["hot"])
    never = rows["acme/plant1/mixing/batch1/mixer"]
    assert (never["status"], never["reason"], never["faults"]) == (None, "nothing was heard of it", [])


# --- the root


def test_health_is_told_in_the_dashboards_words(plant):
    answer = plant.request("GET", "/health")
    assert (answer.status, answer["status"], answer["not_ready"]) == (200, "healthy", [])
    detailed = plant.request("GET", "/health/detailed")
    assert (detailed["status"], detailed["components"]["journal"]["status"]) == ("healthy", "healthy")
    assert {"actors", "journal", "sources", "connections"} <= set(detailed["components"])


# --- what is not here


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users"),
        ("GET", "/users/7/roles"),
        ("POST", "/reports/production"),
        ("GET", "/checklists/templates"),
        ("POST", "/checklists/complete"),
        ("GET", "/maintenance/work-orders"),
        ("POST", "/oee/reports/generate"),
    ],
)
def test_what_this_gateway_does_not_do_is_not_found_and_says_so_in_one_line(plant, method, path):
    answer = plant.request(method, f"/api/v1{path}", {} if method == "POST" else None)
    assert (answer.status, answer["error"]) == (404, "NOT_FOUND")
    assert "this gateway" in answer["message"]
    assert "\n" not in answer["message"]
