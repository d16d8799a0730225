from __future__ import annotations

import json
from types import SimpleNamespace

import msgpack
import pytest
from msgspec.structs import replace

from actors import Opening
from andond.doors import Doors
from andond.floor_doors import FloorDoors
from andond.identities import Identities, Terms
from andond.portal_doors import PortalDoors
from andond.version import VERSION
from config import ServerSettings
from domain import Position
from domain.access import (
    NO_RIGHTS,
    OPEN_RIGHTS,
    AccessPolicy,
    Anonymous,
    Identity,
    Proof,
    TokenFault,
    TokenRefused,
)
from telemetry import DOORS as WORDS
from transport import ClientAddress, Close, Door, Request, Response, Resume, Resumed, Subscribe
from transport.dialects.native import NativeSession
from transport.dialects.portal import DOORS as PORTAL_DOORS

CLOUD_EVENTS = "cloudevents.json"
NATIVE = ["andond.v1.json", "andond.v1.msgpack"]
# A link whose client was never here before.
STRANGER = SimpleNamespace(id="c1", recollection=None, rights=OPEN_RIGHTS, allowance=None)


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


LEE = Identity("u1", "lee", frozenset({"viewer", "user"}), Proof.TOKEN)
REFUSED = {
    "expired": TokenRefused(TokenFault.EXPIRED),
    "revoked": TokenRefused(TokenFault.REVOKED),
    "forged": TokenRefused(TokenFault.SIGNATURE),
    "nobody": TokenRefused(TokenFault.NO_SUBJECT),
    "later": TokenRefused(TokenFault.UNKNOWN_KEY, retry_after=1.0),
}


class Verifier:
    """Knows one good token, and why the others are refused."""

    def verify(self, token, at):
        assert at > 0
        if token == "good":  # noqa: S105 - a word of this test
            return LEE
        raise REFUSED[token]


def guarded(*channels: str, query: bool = False) -> Identities:
    anonymous = Anonymous(channels) if channels else None
    terms = Terms(AccessPolicy(anonymous=anonymous), query_tokens=query, verifier=Verifier())
    return Identities(lambda: terms)


def doors_of(identities: Identities) -> Doors:
    floor, portal = FloorDoors(identities=identities), PortalDoors(identities=identities)
    return Doors(floor=floor, portal=portal, identities=identities)


def with_token(path: str, token: str, subprotocols: str = "", **query: list[str]) -> Request:
    return replace(request(path, subprotocols, **query), headers={"authorization": f"Bearer {token}"} if token else {})


def closing(door: object) -> tuple[int, str]:
    assert isinstance(door, Door)
    assert isinstance(door.context, Opening)
    assert door.context.rights is NO_RIGHTS
    (close,) = door.context.session(STRANGER, None).opened(0.0)
    assert isinstance(close, Close)
    return close.code, close.reason


FLOOR_PATHS = ["/ws", "/ws/", "/ws/andon", "/api/v1/ws/production/line3"]


@pytest.mark.parametrize("path", FLOOR_PATHS)
def test_the_floor_s_doors_are_closed_to_who_has_no_token_unless_that_is_allowed(path):
    answer = doors_of(guarded())(request(path))
    assert isinstance(answer, Response)
    assert (answer.status, json.loads(answer.body)["title"]) == (403, "Not let in")
    door = doors_of(guarded("andon/*"))(request(path))
    assert isinstance(door, Door)
    assert (door.name, door.subprotocols) == ("floor", ())
    assert door.context.rights.sees("andon/a/b")
    assert not door.context.rights.sees("alarms/a/b")


@pytest.mark.parametrize("path", [*FLOOR_PATHS, "/stream", "/ws/v11", "/ws/metrics"])
def test_who_shows_a_token_that_counts_has_its_rights_behind_every_door(path):
    door = doors_of(guarded())(with_token(path, "good"))
    assert isinstance(door, Door)
    assert door.context.rights.identity == LEE


@pytest.mark.parametrize("path", FLOOR_PATHS)
@pytest.mark.parametrize(("token", "code"), [("expired", 1008), ("forged", 1008), ("revoked", 1008), ("nobody", 4001)])
def test_a_bad_token_closes_a_floor_s_door_with_the_predecessor_s_code_and_a_reason(path, token, code):
    assert closing(doors_of(guarded("andon/*"))(with_token(path, token)))[0] == code


@pytest.mark.parametrize("path", [*FLOOR_PATHS, "/stream", "/ws/metrics"])
def test_a_token_whose_key_is_being_fetched_is_asked_to_come_again(path):
    answer = doors_of(guarded())(with_token(path, "later"))
    assert isinstance(answer, Response)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(("token", "code"), [("expired", 4001), ("forged", 4001), ("revoked", 4004)])
def test_a_token_that_does_not_count_is_refused_where_its_client_is_told_of_it(token, code):
    doors = doors_of(guarded())
    answer = doors(with_token("/stream", token))
    assert isinstance(answer, Response)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    # A browser is not told why a handshake failed.
    assert closing(doors(request("/stream", f"{CLOUD_EVENTS}, bearer, {token}", channel=["a/*"])))[0] == code
    page = with_token("/stream", token)
    door = doors(replace(page, headers={**page.headers, "origin": "https://andond.example"}))
    assert closing(door)[0] == code
    assert door.subprotocols == ()


@pytest.mark.parametrize(("offered", "spoken"), [("", "bearer"), *((name, name) for name in NATIVE)])
@pytest.mark.parametrize(
    ("token", "codes"), [("expired", (109, 4001)), ("forged", (101, 4001)), ("revoked", (101, 4004))]
)
def test_a_browser_s_bad_token_is_told_in_the_dialect_that_it_named(offered, spoken, token, codes):
    asked = request("/stream", ", ".join(name for name in (offered, "bearer", token) if name))
    door = doors_of(guarded("andon/*"))(asked)
    assert isinstance(door, Door)
    assert (door.subprotocols, door.weighs, door.context.must_introduce) == ((spoken,), True, True)
    assert door.context.rights is NO_RIGHTS
    session = door.context.session(STRANGER, asked)
    is_packed = offered == "andond.v1.msgpack"
    command = {"id": 1, "connect": {}}
    told, _, close = session.received(msgpack.packb(command) if is_packed else json.dumps(command), 0.0)
    data = told.frame.data[{126: 4, 127: 10}.get(told.frame.data[1], 2) :]
    reply = msgpack.unpackb(data) if is_packed else json.loads(data)
    assert (reply["error"]["code"], close.code) == codes


@pytest.mark.parametrize("offered", ["bearer, good", "Bearer, good"])
def test_a_token_is_no_subprotocol_so_who_names_nothing_else_speaks_json(offered):
    door = doors_of(guarded())(request("/stream", offered))
    assert isinstance(door, Door)
    assert (door.subprotocols, door.context.rights.identity) == ((offered.split(",")[0],), LEE)


def test_a_token_stands_in_an_address_only_where_that_is_allowed():
    for query, is_let_in in ((True, True), (False, False)):
        door = doors_of(guarded(query=query))(request("/ws/andon", token=["good"]))
        assert isinstance(door, Door) is is_let_in
    assert doors_of(guarded(query=True))(request("/stream", token=["good"])).context.rights is NO_RIGHTS


def test_who_only_receives_is_told_at_the_handshake_what_it_may_not_see():
    doors = doors_of(guarded("andon/*"))
    assert isinstance(doors(request("/stream", CLOUD_EVENTS, channel=["andon/a"])), Door)
    refused = doors(request("/stream", CLOUD_EVENTS, channel=["andon/a", "alarms/*"]))
    assert isinstance(refused, Response)
    assert refused.status == 403
    unknown = doors_of(guarded())(request("/stream", CLOUD_EVENTS, channel=["andon/a"]))
    assert isinstance(unknown, Response)
    assert unknown.status == 401


def test_guests_see_the_portal_only_where_they_are_shown_something():
    assert closing(doors_of(guarded("andon/*"))(request("/ws/metrics")))[0] == 1008
    assert isinstance(doors_of(guarded("portal/*"))(request("/ws/metrics")), Door)
    # Here a token comes in a message.
    door = doors_of(guarded())(request("/ws/v11"))
    assert isinstance(door, Door)
    assert door.context.rights is NO_RIGHTS
    assert door.context.must_introduce


def test_each_connection_of_the_live_stream_has_an_id_of_its_own():
    door = find("/api/v11/live/stream")
    sessions = [door.context.session(STRANGER, None) for _ in range(2)]
    greetings = [session.opened(0.0)[0].frame.data for session in sessions]
    assert greetings[0] != greetings[1]


def test_every_door_is_counted_by_its_own_word():
    words = [find(path).name for path in PORTAL_DOORS] + ["stream"]
    assert len(set(words)) == len(words)
    assert set(words) <= set(WORDS)
