from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Event, Priority, Publication
from domain.plant.ledger import Bucket, StateMap
from domain.plant.site import EquipmentModel, Level, Node
from transport.dialects.floor.kinds import ALIASES, KINDS, TOLD, tellings
from transport.dialects.floor.places import Places
from transport.dialects.floor.script import Script, tail

AT = 1795240800.0
NOW = "2026-11-21T06:00:00.000Z"
PRESS = Node("press3", Level.CELL, aliases=("BP01.PACK.BAG1",))
LINE = Node("line3", Level.LINE, aliases=("L-003",), below=(PRESS,))
MODEL = EquipmentModel(Node("acme", Level.ENTERPRISE, below=(Node("plant1", Level.SITE, below=(LINE,)),)))
PATH = "/acme/plant1/line3/press3"
CONTRACT = {
    "production_update", "line_status_update", "job_assigned", "job_started", "job_completed", "job_cancelled",
    "job_update", "oee_update", "oee_calculation_completed", "andon_event", "andon_escalation_triggered",
    "equipment_status_update", "equipment_fault_occurred", "equipment_fault_resolved", "quality_alert",
    "quality_check_completed", "downtime_event", "downtime_statistics_update", "escalation_event",
    "escalation_status_update", "escalation_reminder", "escalation_update", "changeover_started",
    "changeover_completed", "system_alert",
}  # fmt: skip
"""Every event of section 3.5 but ``changeover_event``, which only tests know (an alias), and ``health_alert``."""
CALL = {
    "call": "c1", "path": PATH[1:], "type": "material", "word": "material", "priority": "high", "text": "no steel",
    "state": "acknowledged", "level": 1, "raised_by": "anna", "raised_at": NOW, "trigger": "acknowledge",
    "by": "bert", "at": "2026-11-21T06:01:00.000Z", "comment": "coming",
}  # fmt: skip


def publication(
    type_: str, data: object = None, source: str = PATH, priority: Priority = Priority.NORMAL
) -> Publication:
    event = Event("e1", source, type_, data, AT, priority, time="2026-11-21T05:59:59.500Z", quality="uncertain")
    return Publication("x/y", "e", 1, AT, event)


def frames(type_: str, data: object = None, **how: object) -> list[dict[str, object]]:
    script = Script(Places(lambda: MODEL))
    return [
        json.loads(told.body(told.telling.kind.type) + tail("u1_00"))
        for told in script.of(publication(type_, data, **how))
    ]


def frame(type_: str, data: object = None, **how: object) -> dict[str, object]:
    (only,) = frames(type_, data, **how)
    return only


def test_every_event_of_the_contract_is_made_of_one_of_ours():
    assert set(KINDS) - {"plc_metrics_update", "plc_connection_status"} == CONTRACT
    assert "changeover_event" in ALIASES


@pytest.mark.parametrize("type_", TOLD)
def test_every_frame_has_the_envelope_its_ids_at_the_top_and_in_data_and_its_wrapper(type_):
    data = {"call": "c1", "id": "j1", "state": "running", "step": {"repeat": 1}}
    for told in [*frames(type_, data), *frames(type_, {})]:
        kind = KINDS[str(told["type"])]
        assert told["timestamp"] == NOW
        assert told["connection_id"] == "u1_00"
        assert told["priority"] in (1, 2, 3, 4)
        assert told["data"]["line_id"] == "L-003"
        for id_ in (kind.id, "line_id", "equipment_code"):
            assert told.get(id_) == told["data"].get(id_)
        wrapped = told["data"][kind.wrapper]
        flat = {name: value for name, value in wrapped.items() if name != "reasons"}
        assert {**told["data"], **flat} == told["data"]


@pytest.mark.parametrize("type_", TOLD)
@pytest.mark.parametrize("data", [None, {}, [], "text", 5, {"status": {"a": 1}, "defects": "many", "id": []}])
def test_whatever_an_event_carries_is_told_without_a_number_that_nobody_said(type_, data):
    for told in frames(type_, data):
        kind = KINDS[str(told["type"])]
        for field in kind.fields:
            if told["data"][field.name] is None:
                assert told["data"]["reasons"][field.name]
            else:
                # What kind of place it is, the model knows.
                assert isinstance(data, dict) or field.name == "equipment_type"


def test_a_call_is_told_as_clients_know_it():
    told = frame("andon.call.acknowledged", CALL, priority=Priority.CRITICAL)
    assert (told["type"], told["line_id"], told["equipment_code"], told["priority"]) == (
        "andon_event", "L-003", "BP01.PACK.BAG1", 1
    )  # fmt: skip
    expected = {
        "id": "c1", "event_id": "c1", "event_type": "material", "priority": "high", "description": "no steel",
        "status": "acknowledged", "screen_status": "acknowledged", "reported_by": "anna", "reported_at": NOW,
        "acknowledged_by": "bert", "acknowledged_at": "2026-11-21T06:01:00.000Z", "resolved_by": None,
        "escalation_level": 1, "line_id": "L-003", "equipment_code": "BP01.PACK.BAG1",
    }  # fmt: skip
    assert {**told["data"], **expected} == told["data"]
    assert told["data"]["andon_event"]["description"] == "no steel"
    assert told["origin"] == {
        "id": "e1", "type": "andon.call.acknowledged", "source": PATH, "time": "2026-11-21T05:59:59.500Z",
        "recorded": NOW, "quality": "uncertain",
    }  # fmt: skip


def test_a_call_that_reached_a_level_is_told_as_a_call_and_as_an_escalation():
    call, escalation = frames("andon.call.escalated", {**CALL, "level": 2}, priority=Priority.CRITICAL)
    assert (call["type"], call["data"]["status"], call["data"]["escalation_level"]) == (
        "andon_event",
        "acknowledged",
        2,
    )
    assert (escalation["type"], escalation["escalation_id"]) == ("andon_escalation_triggered", "c1")
    assert escalation["data"]["escalation"]["status"] == "escalated"
    assert escalation["data"]["escalation_level"] == 2


@pytest.mark.parametrize(
    "type_", [each for each in TOLD if each.partition(".")[0] in ("escalation", "source", "journal")]
)
def test_escalations_and_system_alerts_are_never_normal(type_):
    for data in ({}, {"step": {"repeat": 1}}):
        for told in frames(type_, data, priority=Priority.NORMAL):
            assert told["priority"] in (1, 2), told["type"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"state": "not_executing", "execution": "ACTIVE", "emergencyStop": "TRIGGERED"}, "fault"),
        ({"state": "not_executing", "execution": "READY"}, "idle"),
        ({"model": "packml", "state": "Held"}, "fault"),
        ({"itemState": "OutOfService", "operationMode": "Maintenance"}, "maintenance"),
        ({"model": "plain", "state": "running"}, "running"),
        ({"state": "dancing"}, "unknown"),
    ],
)
def test_the_status_of_equipment_is_the_one_that_the_ledger_tells(said, status):
    told = frame("equipment.state.changed", said)
    assert (told["data"]["status"], told["data"]["status_data"]["status"]) == (status, status)


def test_a_word_of_the_site_means_what_the_site_says():
    states = StateMap([("plain", "dancing", "", Bucket.PRODUCTION)])
    (told,) = Script(Places(), lambda: states).of(publication("equipment.state.changed", {"state": "dancing"}))
    assert told.data["status"] == "running"


ALARM = {
    "id": "a1", "equipment": PATH[1:], "key": "guard", "code": "17", "text": "Guard open", "state": "unacknowledged",
    "priority": "critical", "severity": 900, "occurred_at": NOW, "since": NOW, "level": "FAULT",
}  # fmt: skip


def test_a_fault_is_told_as_the_alarms_desk_decided_it_with_its_severity():
    told = frame("alarm.state.unacknowledged", ALARM, priority=Priority.CRITICAL)
    assert (told["type"], told["priority"], told["data"]["severity"]) == ("equipment_fault_occurred", 1, "critical")
    expected = {"fault_code": "17", "description": "Guard open", "occurred_at": NOW}
    assert {**told["data"]["fault"], **expected} == told["data"]["fault"]
    (fault,) = Script(Places()).of(publication("alarm.state.unacknowledged", ALARM))
    assert "escalation:priority=critical" in fault.addresses


@pytest.mark.parametrize(
    ("type_", "state", "told"),
    [
        ("alarm.state.unacknowledged", "unacknowledged", "equipment_fault_occurred"),
        ("alarm.state.returned", "returned", "equipment_fault_resolved"),
        ("alarm.state.normal", "normal", "equipment_fault_resolved"),
        ("alarm.state.reset", "normal", "equipment_fault_resolved"),
        ("alarm.state.unshelved", "unacknowledged", "equipment_fault_occurred"),
        ("alarm.state.unshelved", "normal", "equipment_fault_resolved"),
        ("alarm.state.restored", "unacknowledged", "equipment_fault_occurred"),
        ("alarm.state.unsuppressed", "normal", "equipment_fault_resolved"),
        ("alarm.state.unshelved", "acknowledged", None),
        ("alarm.state.acknowledged", "acknowledged", None),
        ("alarm.state.shelved", "shelved", None),
        ("alarm.raised", None, None),
        ("alarm.changed", None, None),
        ("alarm.cleared", None, None),
    ],
)
def test_one_frame_tells_an_alarm_and_what_a_source_said_of_it_is_not_told_beside(type_, state, told):
    assert [each["type"] for each in frames(type_, {**ALARM, "state": state})] == ([told] if told else [])


def test_an_alarm_of_a_chart_is_a_quality_alert_with_its_severity_and_no_fault():
    alarm = {**ALARM, "key": "quality/weight", "code": "nelson-1", "text": "weight: beyond 3 sigma"}
    told = frame("alarm.state.unacknowledged", alarm)
    assert (told["type"], told["data"]["severity"]) == ("quality_alert", "critical")
    assert (told["data"]["parameter"], told["data"]["message"]) == ("weight", "weight: beyond 3 sigma")
    assert frames("alarm.state.normal", {**alarm, "state": "normal"}) == []
    # Our own chart tells what broke its rule beside the alarm; whoever else says so is told.
    assert frames("quality.violated", {"characteristic": "weight", "rule": "nelson-1", "window": []}) == []
    other = frame("quality.violated", {"characteristic": "weight", "severity": "high"})
    assert (other["type"], other["data"]["severity"]) == ("quality_alert", "high")


def test_a_more_urgent_event_is_told_as_such():
    assert frame("equipment.state.changed", {"state": "held"}, priority=Priority.NORMAL)["priority"] == 3
    assert frame("equipment.state.changed", {"state": "held"}, priority=Priority.HIGH)["priority"] == 2
    assert frame("alarm.state.unacknowledged", {"code": "1"}, priority=Priority.CRITICAL)["priority"] == 1


def test_readings_are_metrics_and_late_ones_are_not_told():
    told = frame("equipment.reading", {"key": "Xload", "value": 5.5})
    assert (told["type"], told["data"]["name"], told["data"]["value"]) == ("plc_metrics_update", "Xload", 5.5)
    assert frames("equipment.reading.late", {"key": "Xload", "value": 5.5}) == []
    assert frames("chain.block", {}) == []


def test_a_line_s_status_is_of_the_line():
    told = frame("line.status.changed", {"state": "executing", "previous": "stopped"}, source="/acme/plant1/line3")
    assert (told["line_id"], told["data"]["status"], told["data"]["old_status"]) == ("L-003", "running", "stopped")
    assert told["data"]["equipment_code"] is None


def test_what_fits_whom():
    def takers(type_: str, data: object) -> set[str]:
        return {
            address for told in Script(Places(lambda: MODEL)).of(publication(type_, data)) for address in told.addresses
        }

    call = takers("andon.call.raised", CALL)
    assert {"andon:all", "line:id=L-003", "equipment:id=BP01.PACK.BAG1", "escalation:priority=high"} <= call
    assert "escalation:priority=high" not in takers("andon.call.raised", {**CALL, "priority": "low"})
    assert not {"oee:all", "downtime:all", "everybody"} & call
    assert "everybody" in takers("source.lost", {})
    assert {"job:id=j1", "user:id=bert"} <= takers("job.started", {"id": "j1", "assignedTo": "bert"})
    assert {"downtime:all", "downtime:line=line3", "downtime:equipment=press3"} <= takers("downtime.started", {})
    assert {"escalation:all", "escalation:id=c1", "escalation:priority=low"} <= takers(
        "escalation.started", {"call": "c1", "call_priority": "low"}
    )


def test_a_place_that_the_event_itself_names_counts_too():
    script = Script(Places())
    (told,) = script.of(publication("downtime.started", {"line_id": "L9"}, source="/acme"))
    assert "line:id=L9" in told.addresses
    assert told.data["line_id"] == "L9"


def test_a_publication_is_worked_out_once():
    script, one = Script(Places()), publication("andon.call.raised", CALL)
    assert script.of(one) is script.of(one)
    assert script.of(one)[0].body("andon_event") is script.of(one)[0].body("andon_event")
    assert script.of(publication("andon.call.raised", CALL)) is not script.of(one)


def test_other_names_have_the_rows_of_the_dashboards_tables():
    script = Script(Places(lambda: MODEL))
    (told,) = script.of(
        publication("oee.updated", {"oee": 0.77, "availability": 0.95, "performance": 0.88, "quality": 0.92})
    )
    data = json.loads(told.body("oee_data_updated") + tail("c"))["data"]
    assert (data["lineId"], data["equipmentId"]) == ("L-003", "BP01.PACK.BAG1")
    assert data["oee"] == [
        {"lineId": "L-003", "availability": 0.95, "performance": 0.88, "quality": 0.92, "oee": 0.77,
         "timestamp": 1795240799500}
    ]  # fmt: skip
    plain = json.loads(told.body("oee_update") + tail("c"))["data"]
    assert plain["oee"] == 0.77
    assert "lineId" not in plain


@given(
    st.sampled_from([*TOLD, "alarm", "andon", "x.y"]),
    st.dictionaries(
        st.sampled_from(["id", "call", "line_id", "priority", "severity", "state", "defects", "step", "reasons", "job",
                         "trigger", "acknowledged", "equipment", "timestamp", "oee", "status"]),
        st.none() | st.text(max_size=5) | st.integers() | st.floats() | st.lists(st.none() | st.text(), max_size=2)
        | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    ),
    st.text(st.characters(codec="ascii", exclude_categories=("Cc",)), min_size=1),
)  # fmt: skip
def test_no_event_ends_a_channel(type_, data, source):
    script = Script(Places(lambda: MODEL))
    for told in script.of(publication(type_, data, source=source)):
        for name in told.telling.names:
            json.loads(told.body(name) + tail("c"))


def test_the_nearest_type_above_tells_what_an_event_is():
    assert tellings("andon.call.contested") == TOLD["andon.call"]
    assert tellings("andon") == ()
    assert tellings("job.revoked")[0].kind.type == "job_update"
