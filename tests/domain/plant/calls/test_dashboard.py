from domain.plant.calls import Trigger, dashboard_members


def test_the_dashboards_clients_read_their_own_names_flat_and_in_utc(plant):
    plant.call("kim", text="jam")
    plant.wait(10)
    plant.act("c1", Trigger.ACKNOWLEDGE, "lee")
    plant.carry_out(plant.calls.escalated("c1", 2, plant.at))
    plant.wait(10)
    plant.act("c1", Trigger.RESOLVE, "lee", comment="belt replaced")
    assert dashboard_members(plant.calls.find("c1"), "L3", "BAG1") == {
        "id": "c1",
        "line_id": "L3",
        "equipment_code": "BAG1",
        "modelled": None,
        "event_type": "stop",
        "priority": "high",
        "description": "jam",
        "status": "resolved",
        "screen_status": "resolved",
        "reported_by": "kim",
        "reported_at": "2027-01-15T08:00:00.000Z",
        "acknowledged_by": "lee",
        "acknowledged_at": "2027-01-15T08:00:10.000Z",
        "resolved_by": "lee",
        "resolved_at": "2027-01-15T08:00:20.000Z",
        "resolution_notes": "belt replaced",
        "escalation_level": 2,
        "assigned_to": None,
        "created_at": "2027-01-15T08:00:00.000Z",
        "updated_at": "2027-01-15T08:00:20.000Z",
        "state": "resolved",
    }


def test_what_has_not_happened_is_null(plant):
    call = plant.call("kim")
    members = dashboard_members(call, None, call.path)
    absent = {
        "line_id",
        "modelled",
        "acknowledged_by",
        "acknowledged_at",
        "resolved_by",
        "resolved_at",
        "resolution_notes",
        "assigned_to",
    }
    assert {name for name, value in members.items() if value is None} == absent
    assert (members["status"], members["screen_status"]) == ("open", "active")
