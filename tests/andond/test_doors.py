from __future__ import annotations

import json

import pytest

from actors import Opening
from andond.doors import Doors
from telemetry import DOORS as WORDS
from transport import ClientAddress, Door, Request, Response, Subscribe
from transport.dialects.portal import DOORS as PORTAL_DOORS


def request(path: str, **query: list[str]) -> Request:
    return Request("GET", path, query, {}, b"", ClientAddress("127.0.0.1"), secure=False, target=path)


def find(path: str, **query: list[str]) -> Door:
    door = Doors()(request(path, **query))
    assert isinstance(door, Door)
    return door


def follows(door: Door, path: str, **query: list[str]) -> list[str]:
    assert isinstance(door.context, Opening)
    session = door.context.session(None, request(path, **query))
    return [step.channel for step in session.opened(0.0) if isinstance(step, Subscribe)]


@pytest.mark.parametrize("path", PORTAL_DOORS)
def test_every_door_of_the_portal_opens_a_session_that_follows_its_channels(path):
    door = find(path)
    assert door.name == PORTAL_DOORS[path].word
    assert follows(door, path) == list(PORTAL_DOORS[path].channels)


def test_the_issues_doors_are_there():
    assert set(PORTAL_DOORS) == {
        "/api/v11/live/stream",
        "/ws/metrics",
        "/ws/transactions",
        "/ws/validators",
        "/ws/consensus",
        "/ws/network",
    }


def test_the_stream_follows_the_channels_of_the_query():
    query = {"channel": ["equipment/*", "alarms/acme/press3"], "latest": ["5"]}
    door = find("/stream", **query)
    assert (door.name, door.subprotocols) == ("stream", ("cloudevents.json",))
    assert follows(door, "/stream", **query) == ["equipment/*", "alarms/acme/press3"]


@pytest.mark.parametrize("query", [{}, {"channel": ["nonsense"]}, {"channel": ["a/b"], "latest": ["many"]}])
def test_a_stream_of_nothing_is_answered_with_what_is_wrong(query):
    answer = Doors()(request("/stream", **query))
    assert isinstance(answer, Response)
    document = json.loads(answer.body)
    assert (answer.status, document["title"]) == (400, "Nothing to follow")
    assert document["detail"][0].isupper() or document["detail"][0] == "'"
    assert document["detail"].endswith(".")


@pytest.mark.parametrize("path", ["/", "/ws", "/stream/", "/ws/metrics/", "/Stream", "/api/v11/live"])
def test_a_path_that_is_no_door_is_told_where_the_doors_are(path):
    answer = Doors()(request(path))
    assert isinstance(answer, Response)
    assert answer.status == 404
    detail = json.loads(answer.body)["detail"]
    assert all(door in detail for door in ("/stream", *PORTAL_DOORS))


def test_each_connection_of_the_live_stream_has_an_id_of_its_own():
    door = find("/api/v11/live/stream")
    sessions = [door.context.session(None, None) for _ in range(2)]
    greetings = [session.opened(0.0)[0].frame.data for session in sessions]
    assert greetings[0] != greetings[1]


def test_every_door_is_counted_by_its_own_word():
    words = [find(path).name for path in PORTAL_DOORS] + ["stream"]
    assert len(set(words)) == len(words)
    assert set(words) <= set(WORDS)
