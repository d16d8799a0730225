from __future__ import annotations

import json

import pytest

from andond.api.floor_doors import register
from domain.access import OPEN_RIGHTS, Rights
from transport import ClientAddress, Request, Routes
from transport.dialects.floor.following import Following
from transport.dialects.floor.kinds import KINDS
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.topics import TARGETED, TOPICS


@pytest.fixture
def roster() -> Roster:
    roster = Roster(lambda: 10)
    roster.enter("c1", Visit("anna_01", "anna", "main", "10.0.0.7", 1795240800.0, Following()))
    return roster


@pytest.fixture
def get(roster):
    routes = Routes()
    register(routes, roster)

    async def get(path: str, host: str = "10.0.0.7", rights: Rights = OPEN_RIGHTS) -> tuple[int, dict[str, object]]:
        request = Request("GET", path, {}, {}, b"", ClientAddress(host), secure=False, target=path, rights=rights)
        answer = await routes(request)
        return answer.status, json.loads(answer.body)

    return get


async def test_health_says_who_is_there_and_where_the_doors_are(get):
    status, document = await get("/ws/health")
    assert (status, document["status"], document["connections"]) == (200, "healthy", 1)
    assert "/api/v1/ws/production/{line_id}" in document["endpoints"]


@pytest.mark.parametrize("path", ["/ws/events", "/api/v1/ws/production/events/types"])
async def test_every_type_of_frame_is_listed_with_what_it_is_made_of(get, path):
    status, document = await get(path)
    assert status == 200
    listed = {each["type"]: each for each in document["events"]}
    assert set(listed) == set(KINDS)
    assert all(each["made_of"] for each in listed.values())
    assert listed["andon_event"]["priority"] == 1
    assert listed["system_alert"]["subscriptions"] == ["everybody"]
    assert {"subscribe", "batch", "acknowledge"} <= set(document["client_messages"])


async def test_every_type_of_subscription_is_listed(get):
    _, document = await get("/api/v1/ws/production/subscriptions")
    assert {each["type"]: each["target_required"] for each in document["subscriptions"]} == {
        type_: type_ in TARGETED for type_ in TOPICS
    }


@pytest.mark.parametrize("path", ["/ws/stats", "/api/v1/ws/production/stats"])
async def test_the_figures_are_those_of_the_roster(get, path):
    _, document = await get(path)
    assert (document["total_connections"], document["connection_utilization"]) == (1, 0.1)


async def test_a_connection_is_told_of_to_its_own_client_and_to_nobody_else(get, roster):
    status, document = await get("/ws/connections/anna_01")
    assert (status, document["user_id"]) == (200, "anna")
    for stranger in (await get("/ws/connections/anna_01", host="10.0.0.8"), await get("/ws/connections/anna_02")):
        assert stranger[0] == 404
        assert "own client alone" in stranger[1]["detail"]
    roster.leave("c1")
    assert (await get("/ws/connections/anna_01"))[0] == 404
