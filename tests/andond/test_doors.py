from __future__ import annotations

import json
from types import SimpleNamespace

import msgpack
import pytest

from actors import Opening
from andond.doors import Doors
from andond.floor_doors import FloorDoors
from andond.version import VERSION
from config import DoorSettings, ServerSettings
from domain import Position
from telemetry import DOORS as WORDS
from transport import ClientAddress, Door, Request, Response, Resume, Resumed, Subscribe
from transport.dialects.native import NativeSession
from transport.dialects.portal import DOORS as PORTAL_DOORS

CLOUD_EVENTS = "cloudevents.json"
# A link whose client was never here before.
STRANGER = SimpleNamespace(id="c1", recollection=None)


def request(path: str, subprotocols: str = "", **query: list[str]) -> Request:
    headers = {"sec-websocket-protocol": subprotocols} if subprotocols else {}
    return Request("GET", path, query, headers, b"", ClientAddress("127.0.0.1"), secure=False, target=path)


def find(path: str, subprotocols: str = "", **query: list[str]) -> Door:
    door = Doors()(request(path, subprotocols, **query))
    assert isinstance(door, Door)
    return door


def follows(door: Door, path: str, **query: list[str]) -> list[str]:
    assert isinstance(door.context, Opening)
    session = door.context.session(STRANGER, request(path, **query))
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
        "/ws/transactions/legacy",
        "/ws/channels",
        "/ws/dashboard",
        "/ws/v11",
        "/api/v11/portal/websocket",
        "/api/v12/realtime",
    }


def native(subprotocols: str = "", doors: Doors | None = None) -> NativeSession:
    door = (doors or Doors())(request("/stream", subprotocols))
    assert isinstance(door, Door)
    assert isinstance(door.context, Opening)
    session = door.context.session(STRANGER, request("/stream", subprotocols))
    assert isinstance(session, NativeSession)
    return session


def test_who_asks_for_no_subprotocol_speaks_json_and_is_promised_none():
    door = find("/stream")
    assert (door.name, door.subprotocols) == ("stream", ())
    assert say(native(), '{"id":1,"connect":{}}') is not None


def test_who_asks_for_messagepack_gets_it():
    door = find("/stream", "andond.v1.msgpack")
    assert (door.name, door.subprotocols) == ("stream", ("andond.v1.msgpack",))
    assert say(native("andond.v1.msgpack"), msgpack.packb({"id": 1, "connect": {}})) is not None


def say(session: NativeSession, message: str | bytes) -> Resume | None:
    """What the session resumes when it is told ``message``."""
    steps = session.received(message, 0.0)
    return next((step for step in steps if isinstance(step, Resume)), None)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        ("andond.v1.json", "andond.v1.json"),
        ("andond.v1.msgpack, andond.v1.json", "andond.v1.msgpack"),
        ("andond.v1.json,andond.v1.msgpack", "andond.v1.json"),
        ("mqtt, andond.v2.json , andond.v1.json", "andond.v1.json"),
        ("cloudevents.json, andond.v1.json", "cloudevents.json"),
    ],
)
def test_the_first_known_subprotocol_that_the_client_prefers_is_spoken(offered, chosen):
    assert find("/stream", offered, channel=["a/*"]).subprotocols == (chosen,)


@pytest.mark.parametrize("offered", ["mqtt", "andond.v1.JSON", "andond.v2.json, soap", "x" * 5000])
def test_who_speaks_nothing_that_is_known_is_told_what_is(offered):
    answer = Doors()(request("/stream", offered))
    assert isinstance(answer, Response)
    document = json.loads(answer.body)
    assert (answer.status, document["title"]) == (400, "Unknown subprotocol")
    assert all(name in document["detail"] for name in ("andond.v1.json", "andond.v1.msgpack", "cloudevents.json"))


@pytest.mark.parametrize("offered", [" ", ",", " , "])
def test_an_empty_list_of_subprotocols_is_none(offered):
    assert find("/stream", offered).subprotocols == ()


@pytest.mark.parametrize("subprotocol", ["", "andond.v1.json", "andond.v1.msgpack"])
def test_who_speaks_the_native_protocol_must_introduce_itself(subprotocol):
    assert find("/stream", subprotocol).context.must_introduce


def test_who_takes_no_commands_need_not_introduce_itself():
    assert not find("/stream", CLOUD_EVENTS, channel=["a/*"]).context.must_introduce
    assert [path for path in PORTAL_DOORS if find(path).context.must_introduce] == ["/ws/v11"]


def test_a_session_tells_the_settings_in_force_and_has_a_name_of_its_own():
    settings = [ServerSettings(ping_interval=5.0, dead_after=9.0, message_size=2048), ServerSettings()]
    doors = Doors(lambda: settings[0])
    told = []
    for _ in range(2):
        resume = say(native(doors=doors), '{"id":1,"connect":{}}')
        frame = resume.confirm(Resumed(recovered=True, missed=0, newest=Position("e7", 0)))
        told.append(json.loads(frame.data[4:])["connect"])
    assert [(each["ping_ms"], each["limits"]["message_size"]) for each in told] == [(5000, 2048)] * 2
    assert all(each["server"] == f"andond/{VERSION}" for each in told)
    assert told[0]["session"] != told[1]["session"]
    settings.pop(0)
    resume = say(native(doors=doors), '{"id":1,"connect":{}}')
    frame = resume.confirm(Resumed(recovered=True, missed=0, newest=Position("e7", 0)))
    assert json.loads(frame.data[4:])["connect"]["ping_ms"] == 10000


def test_cloud_events_follow_the_channels_of_the_query():
    query = {"channel": ["equipment/*", "alarms/acme/press3"], "latest": ["5"]}
    door = find("/stream", CLOUD_EVENTS, **query)
    assert (door.name, door.subprotocols) == ("stream", (CLOUD_EVENTS,))
    assert follows(door, "/stream", **query) == ["equipment/*", "alarms/acme/press3"]


QUERIES = [{}, {"channel": ["nonsense"]}, {"channel": ["a/b"], "latest": ["many"]}]


@pytest.mark.parametrize("query", QUERIES)
def test_cloud_events_of_nothing_are_answered_with_what_is_wrong(query):
    answer = Doors()(request("/stream", CLOUD_EVENTS, **query))
    assert isinstance(answer, Response)
    document = json.loads(answer.body)
    assert (answer.status, document["title"]) == (400, "Nothing to follow")
    assert document["detail"][0].isupper() or document["detail"][0] == "'"
    assert document["detail"].endswith(".")


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("subprotocol", ["", "andond.v1.json", "andond.v1.msgpack"])
def test_who_subscribes_by_commands_may_have_any_query(query, subprotocol):
    assert find("/stream", subprotocol, **query).name == "stream"


@pytest.mark.parametrize("path", ["/", "/wss", "/stream/", "/ws/metrics/", "/Stream", "/api/v11/live"])
def test_a_path_that_is_no_door_is_told_where_the_doors_are(path):
    answer = Doors()(request(path))
    assert isinstance(answer, Response)
    assert answer.status == 404
    detail = json.loads(answer.body)["detail"]
    assert all(door in detail for door in ("/stream", *PORTAL_DOORS, "/ws/andon"))


@pytest.mark.parametrize("path", ["/ws", "/ws/", "/ws/andon", "/api/v1/ws/production/line3"])
def test_the_floor_s_doors_are_closed_to_who_has_no_token_unless_that_is_allowed(path):
    answer = Doors()(request(path))
    assert isinstance(answer, Response)
    assert (answer.status, json.loads(answer.body)["title"]) == (403, "Not let in")
    open_to_all = FloorDoors(lambda: DoorSettings(anonymous=True))
    door = Doors(floor=open_to_all)(request(path))
    assert isinstance(door, Door)
    assert (door.name, door.subprotocols) == ("floor", ())


def test_each_connection_of_the_live_stream_has_an_id_of_its_own():
    door = find("/api/v11/live/stream")
    sessions = [door.context.session(STRANGER, None) for _ in range(2)]
    greetings = [session.opened(0.0)[0].frame.data for session in sessions]
    assert greetings[0] != greetings[1]


def test_every_door_is_counted_by_its_own_word():
    words = [find(path).name for path in PORTAL_DOORS] + ["stream"]
    assert len(set(words)) == len(words)
    assert set(words) <= set(WORDS)
