"""The floor's clients over real sockets, against the whole tree: with the frames that they build themselves."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import websockets

from config import (
    AccessSettings,
    AnonymousSettings,
    ConnectionLimitSettings,
    HttpSource,
    LimitSettings,
    ServerSettings,
    Settings,
)
from domain.access import ROLES, TokenFault
from telemetry import configure
from tests.andond.house import LIMIT, Client, House, numbers, person, say

PRESS = "/acme/plant1/line3/press3"
OWN_LINE = "acme/plant1/line5"
PEOPLE = {
    "good": person("anna", "operator", places=("acme/p/l", OWN_LINE)),
    "lead": person("mona", "shift_manager"),
    "looks": person("vera", "viewer"),
    "idle": person("otto", "nobody-knows-this-role"),
    "gone": TokenFault.NO_SUBJECT,
    "late": TokenFault.EXPIRED,
    "back": TokenFault.REVOKED,
    "feed": person("feed", "publisher", places=("acme",)),
}
(LOOKS,) = ROLES["viewer"].grants
"""What clients without a token are shown here: the floor."""


def floor_house(
    *, anonymous: tuple[str, ...] = LOOKS.sees, query_tokens: bool = True, server: ServerSettings | None = None
) -> House:
    shown = AnonymousSettings(enabled=bool(anonymous), channels=anonymous)
    access = AccessSettings(anonymous=shown, query_tokens=query_tokens)
    settings = Settings(sources={"door": HttpSource()}, access=access, server=server or ServerSettings())
    return House(settings, PRESS, PEOPLE)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    house = floor_house()
    yield house
    house.close()


@pytest.fixture(scope="module")
def strict_house() -> Iterator[House]:
    """A gateway without a word of clients that show no token, nor of tokens in addresses."""
    house = floor_house(anonymous=(), query_tokens=False)
    yield house
    house.close()


@pytest.fixture(scope="module")
def narrow_house() -> Iterator[House]:
    """A gateway that shows clients without a token the calls of one line."""
    house = floor_house(anonymous=("andon/acme/plant1/line3/*",))
    yield house
    house.close()


class Lines(io.StringIO):
    """Everything that is logged, but for what the client's own library says in the same process."""

    def getvalue(self) -> str:
        return "".join(line for line in super().getvalue().splitlines(keepends=True) if "=websockets." not in line)


@pytest.fixture
def lines() -> Iterator[Lines]:
    stream = Lines()
    configure("logfmt", "debug", stream)
    yield stream
    configure("logfmt", "info")


def hear(client: Client) -> dict[str, object]:
    told: dict[str, object] = json.loads(client.recv(LIMIT))
    return told


def talk(client: Client, message: object) -> dict[str, object]:
    """The next frame behind ``message``: some clients take that for the answer, whatever it is."""
    say(client, message)
    return hear(client)


def until(
    client: Client,
    type_: str,
    fits: Callable[[dict[str, object]], object] = lambda _told: True,
) -> dict[str, object]:
    """The next frame of ``type_`` that ``fits``; there may be others before it."""
    for _ in range(50):
        told = hear(client)
        if told["type"] == type_ and fits(told):
            return told
    raise AssertionError(f"no {type_} among fifty frames")


def call(priority: str = "high") -> dict[str, object]:
    return {
        "call": f"c{next(numbers)}",
        "word": "material",
        "priority": priority,
        "state": "raised",
        "text": "no steel",
    }


def subscribe(type_: str, target: object, verb: str = "subscribe") -> dict[str, object]:
    return {"type": verb, "subscription_type": type_, "target_id": target}


# -- the doors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "greeting"),
    [("/ws", None), ("/ws/", None), ("/ws?compression=permessage-deflate", None), ("/ws?line_id=line3", None),
     ("/ws?equipment_code=press3", None), ("/ws/production", "connection_established"),
     ("/ws/andon?line_id=line3&priority=high", "andon_connection_established"),
     ("/ws/equipment?equipment_code=press3", "equipment_connection_established"),
     ("/api/v1/ws/production?user_id=u1", "connection_established"),
     ("/api/v1/ws/production/line3", "line_connection_established"),
     ("/api/v1/ws/equipment/press3", "equipment_connection_established")],
)  # fmt: skip
def test_every_door_opens_and_greets_as_its_clients_expect(house, path, greeting):
    with house.connect(path) as client:
        if greeting is None:
            assert talk(client, {"type": "ping"})["type"] == "pong"
        else:
            told = hear(client)
            assert told["type"] == greeting
            assert told["connection_id"] == told["data"]["connection_id"]


def test_a_line_s_door_tells_how_the_line_is_and_nothing_that_nobody_knows(house):
    with house.connect("/api/v1/ws/production/nowhere") as client:
        assert hear(client)["type"] == "line_connection_established"
        told = hear(client)
    assert (told["type"], told["line_id"]) == ("initial_line_status", "nowhere")
    assert told["data"]["current_oee"] is None
    assert told["data"]["reasons"]["current_oee"]


def test_the_first_confirmation_is_the_next_frame(house):
    with house.connect("/ws") as client:
        assert talk(client, subscribe("line", "line9"))["type"] == "subscription_confirmed"
        assert talk(client, subscribe("andon", "line9"))["type"] == "subscription_confirmed"


def test_a_door_s_query_that_cannot_be_is_refused_with_the_reason(house):
    with pytest.raises(websockets.InvalidStatus) as refused:
        house.connect("/ws/production?subscription_types=weather")
    assert refused.value.response.status_code == 400
    assert "weather" in refused.value.response.body.decode()


# -- events -------------------------------------------------------------------------------------------------------


def test_who_follows_a_line_and_its_calls_gets_each_call_once(house):
    with house.connect("/ws") as client:
        for type_ in ("line", "andon", "equipment"):
            talk(client, subscribe(type_, "press3" if type_ == "equipment" else "line3"))
        say(client, {"type": "subscribe", "event_type": "andon_event"})
        hear(client)
        house.publish("andon.call.raised", call())
        assert hear(client)["type"] == "andon_event"
        assert talk(client, {"type": "ping"})["type"] == "pong"


def test_a_call_comes_in_its_hybrid_form(house):
    with house.connect("/ws/andon") as client:
        hear(client)
        told_of = call()
        id_ = house.publish("andon.call.raised", told_of)
        told = hear(client)
    assert (told["type"], told["priority"]) == ("andon_event", 1)
    assert told["line_id"] == told["data"]["line_id"] == told["data"]["andon_event"]["line_id"] == "acme/plant1/line3"
    assert told["data"]["event_type"] == told["data"]["andon_event"]["event_type"] == "material"
    assert told["data"]["id"] == told["data"]["event_id"] == told_of["call"]
    assert told["origin"]["id"] == id_


def test_who_follows_all_of_downtime_receives(house):
    with house.connect("/ws") as client:
        talk(client, subscribe("downtime", "all"))
        house.publish("downtime.started", {"id": "d1", "start_time": "2026-11-21T06:00:00.000Z"})
        told = hear(client)
    assert (told["type"], told["data"]["start_time"]) == ("downtime_event", "2026-11-21T06:00:00.000Z")
    assert told["data"]["end_time"] is None
    assert told["data"]["reasons"]["end_time"]


@pytest.mark.parametrize(
    "target", ["line:line3", "equipment:press3", "line3", {"line_id": "line3", "equipment_code": "press3"}]
)
def test_every_form_of_a_downtime_s_target_receives_and_another_one_does_not(house, target):
    with house.connect("/ws") as fits, house.connect("/ws") as other:
        talk(fits, subscribe("downtime", target))
        talk(other, subscribe("downtime", "line:line4"))
        house.publish("downtime.started", {"id": "d1"})
        assert hear(fits)["type"] == "downtime_event"
        assert talk(other, {"type": "ping"})["type"] == "pong"


def test_who_unsubscribes_gets_nothing_more(house):
    with house.connect("/ws") as client:
        talk(client, subscribe("andon", "all"))
        house.publish("andon.call.raised", call())
        assert hear(client)["type"] == "andon_event"
        told = talk(client, subscribe("andon", "all", "unsubscribe"))
        assert (told["type"], told["was_subscribed"]) == ("unsubscription_confirmed", True)
        house.publish("andon.call.raised", call())
        assert talk(client, {"type": "ping"})["type"] == "pong"


def test_a_critical_call_comes_before_what_waits(house):
    with house.connect("/ws") as client:
        talk(client, subscribe("line", "line3"))
        for number in range(50):
            house.publish("downtime.started", {"id": f"d{number}"})
        house.publish("andon.call.raised", call("critical"))
        types = [hear(client)["type"] for _ in range(51)]
    assert types.count("andon_event") == 1
    assert types.count("downtime_event") == 50


def test_the_other_names_come_to_who_asks_for_them_alone(house):
    with (
        house.connect("/ws?line_id=line3&aliases=andon_alert") as asked,
        house.connect("/ws?line_id=line3") as not_asked,
    ):
        talk(asked, {"type": "ping"})
        talk(not_asked, {"type": "ping"})
        house.publish("andon.call.raised", call())
        assert [hear(asked)["type"] for _ in range(2)] == ["andon_event", "andon_alert"]
        assert hear(not_asked)["type"] == "andon_event"
        assert talk(not_asked, {"type": "ping"})["type"] == "pong"


def test_who_never_subscribes_gets_the_default(house):
    with house.connect("/ws", user_agent_header="websocket.ts") as client:
        talk(client, {"type": "heartbeat", "timestamp": 1, "data": {}})
        house.publish("andon.call.raised", call())
        assert hear(client)["type"] == "andon_event"


def test_who_returns_gets_what_it_followed_without_asking(house):
    for _ in range(2):
        with house.connect("/ws?client=tablet7") as client:
            talk(client, {"type": "ping"})
            if _ == 0:
                talk(client, subscribe("line", "line7"))
            house.publish("andon.call.raised", call())
            house.publish("andon.call.raised", call(), source="/acme/plant1/line7/press1")
            assert hear(client)["line_id"] == "acme/plant1/line7"


# -- what clients say -----------------------------------------------------------------------------------------------


def test_the_enhanced_client_s_batch_is_unwrapped(house):
    beat = {
        "type": "heartbeat",
        "timestamp": 1795240799987,
        "id": "msg_1_a",
        "priority": 4,
        "retryCount": 0,
        "data": {},
    }
    with house.connect("/ws") as client:
        say(
            client,
            {
                "type": "batch",
                "data": {"messages": [beat, {"type": "get_stats"}], "batchSize": 2, "timestamp": 1},
                "timestamp": 1,
            },
        )
        pong, stats = hear(client), hear(client)
    assert (pong["type"], pong["timestamp"]) == ("pong", 1795240799987)
    assert stats["data"]["total_connections"] >= 1


def test_what_is_no_json_or_binary_is_answered_and_the_connection_stays(house):
    with house.connect("/ws") as client:
        assert talk(client, "{nonsense")["code"] == "INVALID_JSON"
        assert talk(client, b"\x00\x01")["code"] == "BINARY_NOT_SUPPORTED"
        assert talk(client, {"type": "ping"})["type"] == "pong"


def test_a_snapshot_comes_on_request_and_at_its_end_the_word_for_it(house):
    with house.connect("/ws") as client:
        told = talk(client, {"type": "request_data", "data": {"types": ["production", "jobs"], "timestamp": 1}})
        assert (told["type"], told["data"]["production"] is not None) == ("production_data", True)
        assert hear(client)["type"] == "jobs_data"
        assert hear(client)["type"] == "sync_complete"
        assert talk(client, {"type": "force_sync"})["type"] == "snapshot_data"
        assert hear(client)["type"] == "sync_complete"


def test_who_only_reads_is_told_who_must_act(house):
    with house.connect("/ws") as client:
        told = talk(client, {"type": "acknowledge", "event_id": "c1", "event_type": "andon_event"})
    assert (told["type"], told["code"]) == ("error", "PERMISSION_DENIED")
    assert "logged in" in told["message"]


def test_a_call_lives_over_the_floor_s_own_frames(house):
    act = {
        "type": "act",
        "act": {"type": "andon.raise", "arguments": {"type": "safety", "equipment": "acme/p/l/st8"}},
    }
    with house.connect("/ws?token=good") as person, house.connect("/ws") as board:
        hear(person)
        talk(board, subscribe("andon", "st8"))
        say(person, act)
        told = hear(board)
        assert (told["type"], told["data"]["status"], told["data"]["reported_by"]) == (
            "andon_event",
            "open",
            "anna",
        )
        confirmation = until(person, "act_confirmed")
        id_ = confirmation["data"]["result"]["id"]
        assert told["data"]["id"] == id_
        frame = {
            "type": "acknowledge",
            "event_id": id_,
            "event_type": "andon_event",
            "timestamp": 1,
            "id": "msg_1",
        }
        say(person, frame)
        assert until(person, "acknowledge_confirmed")["event_id"] == id_
        told = until(board, "andon_event", lambda each: each["data"]["status"] == "acknowledged")
        assert (told["data"]["acknowledged_by"], told["data"]["id"]) == ("anna", id_)
        say(person, frame)
        assert until(person, "acknowledge_confirmed")["event_id"] == id_
        say(person, {**frame, "id": "msg_2"})
        assert until(person, "error")["code"] == "CONFLICT"
        say(board, {"type": "request_data", "data_type": "andon", "filters": {"line_id": "l"}})
        (row,) = until(board, "andon_data")["data"]["andon"]
        assert (row["id"], row["status"], row["acknowledged_by"]) == (id_, "acknowledged", "anna")


def raised(client: Client, place: str) -> str:
    """The id of a call that ``client`` raises at ``place``."""
    arguments = {"type": "material", "equipment": place}
    say(client, {"type": "act", "act": {"type": "andon.raise", "arguments": arguments}})
    confirmation = until(client, "act_confirmed")
    id_ = confirmation["data"]["result"]["id"]
    assert isinstance(id_, str)
    return id_


def acknowledge(id_: str) -> dict[str, object]:
    return {"type": "acknowledge", "event_id": id_, "event_type": "andon_event", "id": f"msg_{next(numbers)}"}


def status_of(client: Client, id_: str) -> tuple[object, object]:
    """How the call is, and who has acknowledged it."""
    say(client, {"type": "request_data", "data_type": "andon"})
    rows = until(client, "andon_data")["data"]["andon"]
    return next((row["status"], row["acknowledged_by"]) for row in rows if row["id"] == id_)


def test_an_operator_raises_calls_everywhere_and_acknowledges_those_of_the_own_line_alone(house):
    with house.connect("/ws", "good") as anna, house.connect("/ws", "lead") as mona:
        hear(anna)
        own, foreign = raised(anna, f"{OWN_LINE}/st9"), raised(anna, "acme/plant1/line3/press3")
        say(anna, acknowledge(foreign))
        refused = until(anna, "error")
        assert refused["code"] == "PERMISSION_DENIED"
        assert all(word in refused["message"] for word in ("operator", "andon.acknowledge", OWN_LINE))
        assert status_of(anna, foreign) == ("open", None)
        say(anna, acknowledge(own))
        assert until(anna, "acknowledge_confirmed")["event_id"] == own
        # By whom it may be done it is done.
        hear(mona)
        say(mona, acknowledge(foreign))
        assert until(mona, "acknowledge_confirmed")["event_id"] == foreign
        assert status_of(mona, own) == ("acknowledged", "anna")
        assert status_of(mona, foreign) == ("acknowledged", "mona")


def test_who_is_proved_acts_under_the_own_name_whatever_the_client_says(house):
    with house.connect("/ws?user_id=boss", "good") as client:
        assert hear(client)["data"]["user_id"] == "anna"
        id_ = raised(client, f"{OWN_LINE}/st7")
        say(client, {**acknowledge(id_), "user_id": "boss", "by": "boss", "acknowledged_by": "boss"})
        until(client, "acknowledge_confirmed")
        assert status_of(client, id_) == ("acknowledged", "anna")


@pytest.mark.parametrize("token", ["looks", "idle", "feed"])
def test_who_is_known_and_has_no_role_for_it_is_told_which_one_does_not_do(house, token):
    act = {"type": "andon.raise", "arguments": {"type": "safety", "equipment": f"{OWN_LINE}/no{token}"}}
    with house.connect("/ws", token) as client, house.connect("/ws", "lead") as board:
        hear(client)
        told = talk(client, {"type": "act", "act": act})
        assert (told["type"], told["code"]) == ("error", "PERMISSION_DENIED")
        assert "andon.raise" in told["message"]
        assert next(iter(PEOPLE[token].roles)) in told["message"]
        say(board, {"type": "request_data", "data_type": "andon"})
        rows = until(board, "andon_data")["data"]["andon"]
        assert all(f"no{token}" not in json.dumps(row) for row in rows)


def test_who_may_act_is_answered_by_the_desk(house):
    with house.connect("/ws/andon?token=good") as client:
        assert hear(client)["data"]["read_only"] is False
        told = talk(client, {"type": "act", "act": {"type": "alarm.acknowledge", "alarm": "no such alarm"}})
        assert told["code"] in ("NOT_FOUND", "VALIDATION_ERROR")
        assert talk(client, {"type": "act", "act": {"type": "moon.land"}})["code"] == "UNSUPPORTED"


def test_who_speaks_too_fast_is_closed_with_1008(house):
    with house.connect("/ws") as client:
        with suppress(websockets.ConnectionClosed):
            for _ in range(400):
                say(client, {"type": "ping"})
            for _ in range(400):
                hear(client)
        assert client.close_code == 1008


def pongs(client: Client, count: int, size: int) -> int:
    """How many of ``count`` pings at once, ``size`` of them in a message, are answered."""
    ping = {"type": "ping"}
    answered = 0
    with suppress(websockets.ConnectionClosed):
        for _ in range(count // size):
            say(client, ping if size == 1 else {"type": "batch", "messages": [ping] * size})
    with suppress(websockets.ConnectionClosed):
        while answered < count:
            answered += hear(client)["type"] == "pong"
    return answered


@pytest.mark.parametrize(("messages", "least", "most"), [(0.0, 1000, 1000), (100.0, 200, 700), (10.0, 20, 90)])
def test_how_many_messages_a_connection_may_send_is_what_the_settings_say(messages, least, most):
    limits = LimitSettings(connection=ConnectionLimitSettings(messages=messages))
    house = floor_house(server=ServerSettings(limits=limits))
    try:
        for size in (1, 10):
            with house.connect("/ws") as client:
                assert least <= pongs(client, 1000, size) <= most
                assert client.close_code == (1008 if messages else None)
    finally:
        house.close()


# -- who is let in --------------------------------------------------------------------------------------------------


def showing(token: str, how: str) -> tuple[str, dict[str, object]]:
    """What stands behind the path, and how to connect, of a client that shows ``token``."""
    options: dict[str, dict[str, object]] = {
        "query": {},
        "header": {"additional_headers": {"Authorization": f"Bearer {token}"}},
        "subprotocol": {"subprotocols": ["bearer", token]},
    }
    return f"?token={token}" if how == "query" else "", options[how]


@pytest.mark.parametrize("how", ["query", "header", "subprotocol"])
def test_a_good_token_is_taken_from_wherever_a_client_can_put_it(house, how):
    query, options = showing("good", how)
    with house.connect(f"/ws/{query}" if query else "/ws", **options) as client:
        told = hear(client)
        assert (told["type"], told["data"]["user_id"], told["data"]["authenticated"]) == ("system_alert", "anna", True)
        assert told["connection_id"].startswith("anna_")
        assert client.subprotocol == ("bearer" if how == "subprotocol" else None)


@pytest.mark.parametrize("how", ["query", "header", "subprotocol"])
@pytest.mark.parametrize(("token", "code"), [("bad", 1008), ("late", 1008), ("back", 1008), ("gone", 4001)])
def test_a_token_that_is_not_taken_closes_the_connection_with_its_code(house, token, code, how):
    query, options = showing(token, how)
    with house.connect(f"/ws{query}", **options) as client:
        with pytest.raises(websockets.ConnectionClosed):
            client.recv(LIMIT)
        assert client.close_code == code
        assert client.close_reason


DOORS = ["/ws", "/ws/", "/ws/production", "/ws/andon", "/ws/equipment", "/api/v1/ws/production",
         "/api/v1/ws/production/L1", "/api/v1/ws/equipment/E1"]  # fmt: skip


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("token", ["", "?token=secret-token", "?token=good"])
def test_who_has_no_token_that_counts_is_refused_unless_looking_is_allowed(strict_house, lines, path, token):
    with pytest.raises(websockets.InvalidStatus) as refused:
        strict_house.connect(path + token)
    assert refused.value.response.status_code == 403
    said = json.loads(refused.value.response.body)
    assert "access.anonymous" in said["detail"]
    assert "secret-token" not in json.dumps(said)
    assert "secret-token" not in lines.getvalue()


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("how", ["header", "subprotocol"])
def test_who_shows_a_token_that_counts_is_let_in_where_nobody_else_is(strict_house, path, how):
    _, options = showing("good", how)
    with strict_house.connect(path, **options) as client:
        told = hear(client)
        assert (told["data"]["user_id"], told["data"]["authenticated"], told["data"]["read_only"]) == (
            "anna",
            True,
            False,
        )


@pytest.mark.parametrize("path", ["/ws/production", "/ws/andon", "/ws/equipment", "/api/v1/ws/production"])
def test_who_has_no_token_is_told_that_it_only_reads(house, path):
    with house.connect(f"{path}?user_id=u1") as client:
        data = hear(client)["data"]
        assert (data["user_id"], data["authenticated"], data["read_only"]) == ("u1", False, True)


def test_where_tokens_may_not_stand_in_addresses_one_there_proves_nothing():
    house = floor_house(query_tokens=False)
    try:
        with house.connect("/ws/andon?token=good") as client:
            data = hear(client)["data"]
            assert (data["authenticated"], data["read_only"]) == (False, True)
    finally:
        house.close()


def test_who_has_no_token_sees_what_the_configuration_shows_and_nothing_else(narrow_house):
    elsewhere = "/acme/plant1/line7/press1"
    with narrow_house.connect("/ws") as board, narrow_house.connect("/ws", "looks") as person_:
        hear(person_)
        for client in (board, person_):
            for type_ in ("line", "downtime", "andon"):
                for line in ("line3", "line7"):
                    talk(client, subscribe(type_, line))
        hidden = call()
        narrow_house.publish("downtime.started", {"id": "d1"})
        narrow_house.publish("andon.call.raised", hidden, source=elsewhere)
        heard = {hear(person_)["type"] for _ in range(2)}
        assert heard == {"downtime_event", "andon_event"}
        shown = call()
        narrow_house.publish("andon.call.raised", shown)
        told = hear(board)
        assert (told["type"], told["data"]["id"]) == ("andon_event", shown["call"])
        assert talk(board, {"type": "ping"})["type"] == "pong"
        own = raised_by(narrow_house, "acme/plant1/line3/press3")
        other = raised_by(narrow_house, "acme/plant1/line7/press1")
        until(board, "andon_event", lambda each: each["data"]["id"] == own)
        say(board, {"type": "force_sync"})
        snapshot = json.dumps(until(board, "snapshot_data"))
        assert own in snapshot
        assert other not in snapshot
        say(person_, {"type": "force_sync"})
        assert other in json.dumps(until(person_, "snapshot_data"))


def raised_by(house: House, place: str) -> str:
    """The id of a call that somebody with a token raises at ``place``."""
    with house.connect("/ws", "lead") as client:
        hear(client)
        return raised(client, place)


def test_a_token_is_never_written_to_the_log(house, lines):
    with house.connect("/ws?token=good") as client:
        hear(client)
        talk(client, {"type": "authenticate", "token": "good-secret"})
        assert "connection.opened" in lines.getvalue()
    assert "good" not in lines.getvalue()


# -- beside the doors -----------------------------------------------------------------------------------------------


FIGURES = ("/ws/health", "/ws/stats", "/api/v1/ws/production/stats")
LISTS = ("/ws/events", "/api/v1/ws/production/events/types", "/api/v1/ws/production/subscriptions")


@pytest.mark.parametrize("path", [*FIGURES, *LISTS])
def test_what_stands_beside_the_doors_can_be_read(house, path):
    status, document = house.request("GET", path, shown="lead")
    assert status == 200
    assert document


@pytest.mark.parametrize("path", [*FIGURES, *LISTS])
def test_what_stands_beside_the_doors_is_read_by_who_may(house, strict_house, path):
    for who in ("", "looks"):
        assert house.request("GET", path, shown=who)[0] == (403 if path in FIGURES else 200)
    assert strict_house.request("GET", path)[0] == 401
    assert strict_house.request("GET", f"{path}?token=lead")[0] == 401
    assert strict_house.request("GET", path, shown="lead")[0] == 200


def test_a_connection_is_told_of_to_its_own_client(house):
    with house.connect("/ws") as client:
        own = talk(client, {"type": "ping"})["connection_id"]
        status, document = house.request("GET", f"/ws/connections/{own}")
        assert (status, document["connection_id"]) == (200, own)
        assert document["bytes_sent"] > 0
        assert house.request("GET", "/ws/connections/anna_00000000")[0] == 404
        assert house.request("GET", "/ws/stats", shown="lead")[1]["total_connections"] >= 1


def test_no_two_connections_have_the_same_id_and_none_takes_over_another_s(house):
    with house.connect("/ws?user_id=u1") as one, house.connect("/ws?user_id=u1") as other:
        first, second = talk(one, {"type": "ping"})["connection_id"], talk(other, {"type": "ping"})["connection_id"]
        assert first != second
        one.close()
        with house.connect("/ws?user_id=u1") as newcomer:
            assert talk(newcomer, {"type": "ping"})["connection_id"] not in (first, second)
        told = talk(other, {"type": "get_connection_details", "connection_id": first})
        assert told["code"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws/production"])
def test_a_name_in_the_query_lets_nobody_act(house, path):
    with house.connect(f"{path}?user_id=admin") as client:
        say(
            client, {"type": "act", "act": {"type": "andon.raise", "arguments": {"type": "safety", "equipment": "a/b"}}}
        )
        assert until(client, "error")["code"] == "PERMISSION_DENIED"


def test_who_is_gone_is_not_counted(house):
    with house.connect("/ws?client=gone") as client:
        own = talk(client, {"type": "ping"})["connection_id"]
    for _ in range(100):
        status, _document = house.request("GET", f"/ws/connections/{own}")
        if status == 404:
            return
    raise AssertionError("it is still there")


def test_a_planned_end_is_told_and_then_the_link_breaks():
    house = floor_house()
    try:
        with house.connect("/ws") as client:
            talk(client, {"type": "ping"})
            house.drain()
            told = hear(client)
            assert (told["type"], told["priority"]) == ("system_shutdown", 1)
            with pytest.raises(websockets.ConnectionClosedError) as broken:
                client.recv(LIMIT)
            assert broken.value.rcvd is None
    finally:
        house.close()
