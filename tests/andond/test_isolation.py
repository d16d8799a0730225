"""Nothing of one tenant is read by another, and nothing that it tries changes what is another's.

Rules of this file: see the rig. A byte of the other tenant's that arrives somewhere is seen by its mark.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.andond.tenants_asking import NOT_ITS_WORDS, ghost_of, paths_of, plain, settled, sweep, values_of
from tests.andond.tenants_rig import ACTS, GHOST, LIMIT, MARKS, House, Party, press


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(tmp_path_factory.mktemp("house"))
    yield house
    house.close()


@pytest.fixture(scope="module")
def parties(house: House) -> tuple[Party, Party]:
    return settled(house)


@pytest.fixture
def connection(house: House, parties: tuple[Party, Party]) -> Iterator[str]:
    """The id of a connection of the second tenant at the floor's door."""
    with house.connect("/ws", parties[1].token) as client:
        welcome = json.loads(client.recv(LIMIT))
        yield str(welcome.get("connection_id") or welcome["data"]["connection_id"])


# --- what is read

QUIET = {
    "/api/v1/alarms/floods",
    "/api/v1/andon/call-types",
    "/api/v1/checklists",
    "/api/v1/dashboard/kpis",
    "/api/v1/dashboard/overview",
    "/api/v1/dashboard/summary",
    "/api/v1/downtime/reasons",
    "/api/v1/downtime/statistics",
    "/api/v1/downtime/summary",
    "/api/v1/downtimes/reasons",
    "/api/v1/downtimes/statistics",
    "/api/v1/downtimes/summary",
    "/api/v1/maintenance",
    "/api/v1/oee/alerts",
    "/api/v1/oee/reports",
    "/api/v1/quality/codes",
    "/api/v1/quality/statistics",
    "/api/v1/reports",
    "/api/v1/site/busy-time",
    "/api/v1/users",
    "/api/v1/ws/production/events/types",
    "/api/v1/ws/production/stats",
    "/api/v1/ws/production/subscriptions",
}
"""The floor's paths that answer with figures, or with what all tenants have in common, and with no name of anybody."""


def test_each_tenant_is_shown_its_own_by_every_path_of_the_floor(house, parties, connection):
    other = parties[1]
    found = sweep(house, other.token, other, connection)
    floor = {pattern for pattern in found if pattern.startswith("/api/v1/") and "/auth/" not in pattern}
    showing = {pattern for pattern in floor if any(other.mark in each.text for _, _, each in found[pattern])}
    # Who adds a path says here that it has no names, or gives the tenants of this file something that it shows.
    assert floor - showing == QUIET
    assert [path for asked in found.values() for path, _, each in asked if each.status == 500] == []


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from(ACTS)), min_size=1, max_size=12))
def test_no_path_that_can_be_read_shows_a_tenant_a_byte_of_another(house, parties, connection, story):
    for number, act in story:
        parties[number].act(act)
    for token in (parties[0].token, "viewer"):
        for pattern, asked in sweep(house, token, parties[0], connection).items():
            for path, _, answer in asked:
                shown = answer.everything.replace(connection.casefold(), "")
                assert MARKS[1] not in shown, (pattern, path, answer)


def test_what_is_another_tenant_s_is_answered_as_what_is_not_there(house, parties, connection):
    one, other = parties
    values, job = values_of(other, connection), other.ids["job"][-1]
    for route in house.gets():
        for path, said in paths_of(route, values, other.mark, job):
            nobodys = ghost_of(said, other.mark)
            ghost = path.replace(quote(said, safe=""), quote(nobodys, safe="")).replace(said, nobodys)
            asked = house.ask(one.token, "GET", path), house.ask(one.token, "GET", ghost.replace(other.mark, GHOST))
            shown = plain(asked[0], *filter(None, (said, other.mark))), plain(asked[1], *filter(None, (nobodys, GHOST)))
            assert shown[0] == shown[1], (path, ghost)


def gateways_own(house) -> int:
    """How many alarms there are of the gateway itself, which are of no tenant."""
    alarms = house.ask("boss", "GET", "/api/v1/alarms?limit=1000").body["items"]
    return sum(not any(mark in each["equipment"] for mark in MARKS) for each in alarms)


def test_figures_are_of_what_is_seen_alone(house, parties):
    one, other = parties
    everything = house.ask("boss", "GET", "/api/v1/dashboard/overview").body
    parts = [house.ask(party.token, "GET", "/api/v1/dashboard/overview").body for party in parties]
    for name in ("total_lines", "total_jobs", "active_jobs", "total_andon_events", "open_andon_events"):
        assert everything[name] == sum(part[name] for part in parts), name
        assert all(part[name] for part in parts), name
    for path in ("/api/v1/andon/statistics?days=2", "/api/v1/alarms/summary"):
        told = [house.ask(token, "GET", path).body for token in ("boss", one.token, other.token)]
        counts = [each.get("total", each.get("counts", {}).get("known")) for each in told]
        assert counts[0] == counts[1] + counts[2] + (gateways_own(house) if "alarms" in path else 0)
        assert min(counts[1:]) > 0


# --- the state of the gateway


def test_the_state_of_the_gateway_names_nothing_of_another_tenant(house, parties, connection):
    one, other = parties
    for token, shown, hidden in ((one.token, *MARKS), (other.token, *reversed(MARKS))):
        status = house.ask(token, "GET", "/statusz")
        assert status.status == 200
        assert [each["name"] for each in status.body["sources"]] == [f"{shown}-machine"]
        assert any(f"{shown}-machine" in each for each in status.body["not_ready"])
        assert "tree" not in status.body
        metrics = house.ask(token, "GET", "/metrics")
        assert f'andond_source_fresh{{source="{shown}-machine"}}' in metrics.text
        assert all(shown in line for line in metrics.text.splitlines() if "{" in line)
        assert hidden not in status.everything + metrics.everything
    assert house.ask(one.token, "GET", "/statusz").body["connections"] == {"open": 0, "by_door": {}}
    assert house.ask(other.token, "GET", "/statusz").body["connections"] == {"open": 1, "by_door": {"floor": 1}}
    assert [house.ask(party.token, "GET", "/ws/stats").body["total_connections"] for party in parties] == [0, 1]
    whole = house.ask("boss", "GET", "/statusz")
    assert all(f"{mark}-machine" in whole.text for mark in MARKS)
    assert whole.body["tree"]


@pytest.mark.parametrize("path", ["/readyz", "/health"])
def test_who_is_not_known_is_told_that_something_is_not_ready_and_not_what(house, parties, path):
    answer = house.ask("", "GET", path)
    assert (answer.status, answer.body["not_ready"]) == (503, ["sources"])


# --- what is done


WORDS = {
    "type": "material", "key": "{m}-guard", "code": "torn", "reason": "why", "to": "flour", "phase": "set_up",
    "reason_code": "OTHER", "good": 1, "values": [5.0], "product": "flour", "quantity": 5, "duration": 5.0,
    "state": "running", "what": "finish", "priority": "low", "permit": "p1", "text": "mine", "event_type": "material",
    "equipment": "{p}", "line_id": "{p}", "equipment_code": "{p}", "characteristic": "{m}-weight",
}  # fmt: skip
"""What any act could want, said of a tenant's place."""

WHOLE = (
    "/andon/calls",
    "/alarms?list=all",
    "/jobs",
    "/changeovers",
    "/downtimes",
    "/quality/checks",
    "/quality/charts",
)
QUIET_ROUNDS = 4
AGES = re.compile(
    r'"(?:age|running_?time|duration|shelving_remaining|[a-z_]*(?:seconds|minutes))":\s*[\d.]+', re.IGNORECASE
)


def body_of(mark: str, place: str) -> dict[str, object]:
    return {
        name: value.format(m=mark, p=place) if isinstance(value, str) else value for name, value in WORDS.items()
    } | {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1200.0))}


def state_of(party: Party) -> dict[str, object]:
    """All that is kept of a tenant once what it did has come to rest, as it sees it, but for how old it is."""
    seen = [_seen_of(party)]
    while len(seen) < QUIET_ROUNDS or any(each != seen[-1] for each in seen[-QUIET_ROUNDS:]):
        seen.append(_seen_of(party))
    return seen[-1]


def _seen_of(party: Party) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in (*WHOLE, *(f"/andon/calls/{id_}" for id_ in party.ids["call"])):
        told = party.house.ask(party.token, "GET", f"/api/v1{path}{'&' if '?' in path else '?'}limit=1000&days=2")
        found[path] = NOT_ITS_WORDS.sub("N", AGES.sub("", told.text).casefold())
    return found


def test_no_act_on_what_is_another_tenant_s_does_anything_or_tells_that_it_is_there(house, parties):
    one, other = parties
    before, values = state_of(other), values_of(other, "none")
    routes = [route for route in house.routes if route.method in ("POST", "PUT", "DELETE")]
    for route in routes:
        if "/auth/" in route.pattern or "/login" in route.pattern or route.pattern == "/api/v1/events":
            continue
        for path, said in paths_of(route, values, other.mark, other.ids["job"][-1]):
            for place in (press(other.mark), f"{other.mark}-P1"):
                ghost = path.replace(said, ghost_of(said, other.mark)) if said else path
                theirs = house.ask(one.token, route.method, path, body_of(other.mark, place))
                nobodys = house.ask(
                    one.token, route.method, ghost.replace(other.mark, GHOST),
                    body_of(GHOST, place.replace(other.mark, GHOST)),
                )  # fmt: skip
                words = (
                    [word for word in (said, other.mark) if word],
                    [*filter(None, [ghost_of(said, other.mark)]), GHOST],
                )
                assert plain(theirs, *words[0]) == plain(nobodys, *words[1]), (route, path, place)
                assert theirs.status >= 400 or "/calculate" in path or "/report" in path, (route, path, theirs)
    assert state_of(other) == before


def test_a_job_or_a_key_of_another_tenant_means_nothing_here(house, parties):
    one, other = parties
    before, job = state_of(other), other.ids["job"][-1]
    body = {"type": "safety", "equipment": f"{press(other.mark)}/keyed", "text": other.mark}
    kept = house.ask(other.token, "POST", "/api/v1/andon/calls", body, key="same-key")
    mine = {"type": "safety", "equipment": f"{press(one.mark)}/keyed{next(house.numbers)}"}
    answer = house.ask(one.token, "POST", "/api/v1/andon/calls", mine, key="same-key")
    assert (kept.status, answer.status) == (201, 201)
    assert other.mark not in answer.everything
    counted = one.post("/production-counts", {"equipment": press(one.mark), "good": 1, "job": job})
    checked = one.post("/quality/checks", {"equipment": press(one.mark), "result": "pass", "job": job})
    unknown = one.post(
        "/quality/checks", {"equipment": press(one.mark), "result": "pass", "job": ghost_of(job, other.mark)}
    )
    assert (counted.status, checked.status, unknown.status) == (201, 201, 201)
    measured = [
        one.post("/quality/checks", {"characteristic": f"{each}-weight", "values": [5.0]})
        for each in (other.mark, GHOST)
    ]
    assert plain(measured[0], other.mark) == plain(measured[1], GHOST)
    with house.connect(
        f"/stream?channel=production/{press(one.mark)}&latest=100", one.token, subprotocols=["cloudevents.json"]
    ) as client:
        told = client.recv(LIMIT)
    assert other.mark not in str(told).replace(job, "")
    after = state_of(other)
    assert {path: said for path, said in after.items() if "calls" not in path} == {
        path: said for path, said in before.items() if "calls" not in path
    }


@pytest.mark.parametrize(
    ("type_", "source"),
    [
        ("equipment.state.changed", "/{b}"),
        ("alarm.raised", "{b}"),
        ("alarm.raised", "/{a}/../xbravox-line"),
        ("production.counted", "//{b}"),
        ("production.counted", "/shared/plant"),
        ("andon.call.raised", "urn:{b}"),
        ("equipment.reading", "/xbravox-P1"),
        ("chain.block", "/{a}"),
        ("host.metrics", "/{a}"),
        ("portal.tps", "/{a}"),
    ],
)
def test_an_event_of_another_tenant_or_of_no_place_is_not_published(house, parties, type_, source):
    one, other = parties
    said = source.format(a=press(one.mark), b=press(other.mark))
    events = [
        {"specversion": "1.0", "id": f"s{next(house.numbers)}", "source": each, "type": kind, "data": data}
        for each, kind, data in (
            (f"/{press(one.mark)}", "production.counted", {"good": 1}),
            (said, type_, {"model": "plain", "state": "fault", "good": 1, "key": "spoof", "level": "FAULT"}),
            ("", "", None),
        )
    ]
    before = state_of(other)
    answer = house.ask(one.token, "POST", "/api/v1/events", events, "application/cloudevents-batch+json")
    assert (answer.status, answer.body["accepted"]) == (422, 1)
    assert [each["index"] for each in answer.body["errors"]] == [1, 2]
    pointer = "/1/source" if said.strip("/") != press(one.mark) else "/1/type"
    assert [fault["pointer"] for fault in answer.body["errors"][0]["faults"]] == [pointer]
    assert state_of(other) == before
    mine = {"accepted": 1, "duplicates": 0}
    assert house.publish(one.token, "production.counted", {"good": 1}, f"/{press(one.mark)}").body == mine


def test_a_record_of_the_portal_is_taken_from_who_may_publish_anywhere_alone(house, parties):
    body = {"validator": "v", "status": "ACTIVE"}
    for token, status in ((parties[0].token, 403), (parties[1].token, 403), ("boss", 202)):
        answer = house.ask(token, "POST", "/api/v11/analytics/record/validator", body)
        assert answer.status == status, answer
