from __future__ import annotations

import json

import pytest

from domain import Gap, Grounds, Memory, Refused
from transport.dialects.floor.envelope import Teller
from transport.dialects.floor.following import Following
from transport.dialects.floor.places import Places
from transport.dialects.floor.questions import SECTIONS, Deed, Done, Row, Seen, Snapshot
from transport.dialects.floor.reading import BATCH_LIMIT
from transport.dialects.floor.roster import Roster, Visit
from transport.dialects.floor.script import Script
from transport.dialects.floor.session import COMMANDS, RETURN_TIME, FloorSession, Surroundings, Visitor
from transport.dialects.floor.welcome import DOORS, enter
from transport.session import Close, Enquire, Express, Prompt, Send, Step, Subscribe, Unsubscribe

AT = 1795240800.0
NOW = "2026-11-21T06:00:00.000Z"
READER = Visitor("anonymous")
ACTOR = Visitor("anna", may_act=True, is_known=True)


class Client:
    """One connection to a door; ``heard`` reads what the steps send."""

    def __init__(
        self, path: str = "/ws", visitor: Visitor = READER, recollection: object = None, charge=str, **query: str
    ) -> None:
        self.roster = Roster(lambda: 100)
        self.at = AT
        entry = enter(path, {name: [value] for name, value in query.items()})
        assert entry is not None
        following = Following(aliases=entry.aliases, wants_all_names=entry.wants_all_names)
        self.visit = Visit("u_1", visitor.user_id, entry.door.word, "127.0.0.1", AT, following)
        self.roster.enter("c1", self.visit)
        surroundings = Surroundings(Script(Places()), self.roster, lambda: self.at, 300.0)
        self.session = FloorSession(self.visit, visitor, entry, surroundings, recollection, charge)
        self.opening = self.session.opened(AT)

    def say(self, message: object) -> list[Step]:
        text = message if isinstance(message, str | bytes) else json.dumps(message)
        return self.session.received(text, self.at)

    def ask(self, message: object) -> dict[str, object]:
        """The one frame that answers ``message``."""
        (only,) = heard(self.say(message))
        return only

    @property
    def topics(self) -> list[str]:
        return sorted(self.session.following.names)


def heard(steps: list[Step], answer: object = None) -> list[dict[str, object]]:
    """The frames of ``steps``; what is enquired is answered with ``answer``. The envelope is looked at here."""
    found = []
    for step in steps:
        if isinstance(step, Send):
            data = step.frame.data
            told = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
            assert set(told) >= {"type", "data", "timestamp", "priority", "connection_id"}
            assert told["priority"] in (1, 2, 3, 4)
            assert told["connection_id"] == "u_1"
            found.append(told)
        elif isinstance(step, Enquire):
            found += heard(list(step.then(answer)))
    return found


def followed(steps: list[Step]) -> set[str]:
    return {step.channel for step in steps if isinstance(step, Subscribe)}


# -- opening ------------------------------------------------------------------------------------------------------


def test_nothing_comes_unasked_where_there_is_no_token():
    client = Client("/ws")
    assert heard(client.opening) == []
    assert {"andon/*", "sources/*"} <= followed(client.opening)
    assert isinstance(client.opening[0], Express)
    assert isinstance(client.opening[1], Prompt)


def test_who_is_known_is_greeted_at_the_main_door():
    (told,) = heard(Client("/ws", ACTOR).opening)
    assert (told["type"], told["data"]["message"]) == ("system_alert", "WebSocket connection established")
    assert told["data"]["connection_id"] == "u_1"
    assert told["data"]["read_only"] is False


GREETINGS = {
    "/ws/production": (
        "connection_established",
        {"line_id": "L1", "subscriptions": ["production", "oee", "andon", "downtime"]},
    ),
    "/ws/andon": ("andon_connection_established", {"line_id": "L1", "priority": None}),
    "/ws/equipment": ("equipment_connection_established", {"equipment_code": None, "equipment_type": None}),
    "/api/v1/ws/production": ("connection_established", {"line_id": "L1", "subscriptions": ["line"]}),
}


@pytest.mark.parametrize("path", GREETINGS)
def test_every_other_door_greets_in_its_own_words(path):
    (told,) = heard(Client(path, line_id="L1").opening)
    type_, members = GREETINGS[path]
    assert told["type"] == type_
    expected = {"connection_id": "u_1", "user_id": "anonymous", "server_time": NOW, "read_only": True, **members}
    assert {**told["data"], **expected} == told["data"]
    assert told["user_id"] == "anonymous"


def test_a_line_s_door_tells_how_the_line_is_from_what_the_desks_know():
    client = Client("/api/v1/ws/production/L1")
    (ask,) = [step for step in client.opening if isinstance(step, Enquire)]
    assert ask.question == Snapshot(("line", "equipment", "job", "oee", "andon", "downtime"), "L1")
    seen = Seen(
        {
            "line": [Row("a/b/L1", {"state": "executing"})],
            "equipment": [Row("a/b/L1/m1", {}), Row("a/b/L1/m2", {})],
            "job": [
                Row("a/b/L1", {"id": "j1", "status": "in_progress"}),
                Row("a/b/L1", {"id": "j2", "status": "paused"}),
            ],
            "oee": [Row("a/b/L1", {"oee": 0.61})],
            "andon": [Row("a/b/L1", {"id": "c1"})],
            "downtime": [],
        },
        {},
    )
    greeting, initial = heard(client.opening, seen)
    assert greeting["type"] == "line_connection_established"
    assert greeting["data"]["line_id"] == "L1"
    assert initial["type"] == "initial_line_status"
    assert initial["line_id"] == "L1"
    assert initial["data"] == {
        "line_id": "L1", "status": "running", "equipment_count": 2, "active_jobs": 1, "current_oee": 0.61,
        "active_andon_events": 1, "downtime_events": 0,
    }  # fmt: skip


def test_what_no_desk_knows_is_null_and_not_a_constant():
    _, initial = heard(Client("/api/v1/ws/production/L1").opening, Seen({}, {"oee": "the desk is away"}))
    values = {name: value for name, value in initial["data"].items() if name not in ("line_id", "reasons")}
    assert set(values.values()) == {None}
    assert initial["data"]["reasons"]["current_oee"] == "the desk is away"
    assert set(initial["data"]["reasons"]) == set(values)
    _, initial = heard(Client("/api/v1/ws/equipment/E1").opening, Refused(Grounds.UNAVAILABLE, "all is away"))
    assert (initial["type"], initial["equipment_code"]) == ("initial_equipment_status", "E1")
    values = {name: value for name, value in initial["data"].items() if name not in ("equipment_code", "reasons")}
    assert set(values) == {
        "status",
        "current_job",
        "oee",
        "availability",
        "performance",
        "quality",
        "active_faults",
        "last_update",
    }
    assert set(values.values()) == {None}


# -- subscribing --------------------------------------------------------------------------------------------------

SPELLINGS = [
    ({"type": "subscribe", "subscription_type": "andon", "target_id": "L1", "filters": None}, "andon:id=L1"),
    ({"type": "subscribe", "subscription_type": "andon", "target": "L1"}, "andon:id=L1"),
    (
        {"type": "subscribe", "data": {"event": "andon_event"}, "timestamp": "2026-11-21T06:00:00.000Z"},
        "event:andon_event",
    ),
    ({"type": "subscribe", "event_type": "andon_event"}, "event:andon_event"),
    ({"type": "subscribe", "data": {"subscription_type": "line", "target_id": "L1"}, "id": "msg_1"}, "line:id=L1"),
]


@pytest.mark.parametrize(("message", "name"), SPELLINGS)
def test_a_subscribe_is_confirmed_with_its_fields_at_the_top_and_in_data(message, name):
    client = Client()
    told = client.ask(message)
    assert told["type"] == "subscription_confirmed"
    assert client.topics == [name]
    for field in ("subscription_type", "target", "target_id", "message"):
        assert told[field] == told["data"][field]
    assert told["target_id"] == told["target"] in ("L1", "andon_event")
    assert "snapshot" not in told["data"]


def test_the_confirmation_is_the_next_frame():
    client = Client()
    steps = client.say({"type": "subscribe", "subscription_type": "line", "target_id": "L1"})
    assert isinstance(steps[0], Send)


def test_a_snapshot_comes_in_the_confirmation_of_who_wants_one():
    client = Client()
    steps = client.say({"type": "subscribe", "subscription_type": "andon", "target_id": "line:L1", "snapshot": True})
    (ask,) = [step for step in steps if isinstance(step, Enquire)]
    assert ask.question == Snapshot(("andon",), "L1")
    (told,) = heard(steps, Seen({"andon": [Row("a/b/L1/m", {"id": "c1", "priority": "low"})]}, {}))
    assert told["type"] == "subscription_confirmed"
    assert [row["priority"] for row in told["data"]["snapshot"]["andon"]] == ["low"]


def test_an_unsubscribe_really_unsubscribes():
    client = Client()
    client.say({"type": "subscribe", "subscription_type": "oee", "target_id": "L1"})
    steps = client.say({"type": "unsubscribe", "subscription_type": "oee", "target_id": "L1"})
    (told,) = heard(steps)
    assert (told["type"], told["was_subscribed"], told["data"]["target_id"]) == ("unsubscription_confirmed", True, "L1")
    assert client.topics == []
    assert any(isinstance(step, Unsubscribe) for step in steps)
    again = client.ask({"type": "unsubscribe", "subscription_type": "oee", "target": "L1"})
    assert again["was_subscribed"] is False


@pytest.mark.parametrize("path", [*DOORS, "/ws/", "/api/v1/ws/production/L1", "/api/v1/ws/equipment/E1"])
def test_every_door_takes_every_command(path):
    if path.endswith("/") and path != "/ws/":
        return
    client = Client(path)
    for type_ in COMMANDS:
        for told in heard(client.say({"type": type_, "subscription_type": "line", "target_id": "L1"}), Seen({}, {})):
            assert told.get("code") != "UNKNOWN_MESSAGE_TYPE"


def test_who_says_an_unknown_word_is_told_all_that_there_are():
    told = Client().ask({"type": "nonsense"})
    assert {"batch", "subscribe", "act", "ping"} <= set(told["supported_types"])


FAULTS = [
    ({"type": "subscribe"}, "MISSING_SUBSCRIPTION_TYPE"),
    ({"type": "unsubscribe"}, "MISSING_SUBSCRIPTION_TYPE"),
    ({"type": "subscribe", "subscription_type": "line"}, "MISSING_TARGET_ID"),
    ({"type": "subscribe", "subscription_type": "lines", "target_id": "L1"}, "UNKNOWN_SUBSCRIPTION_TYPE"),
    ({"type": "subscribe", "subscription_type": "andon", "filters": 7}, "INVALID_FILTERS"),
    ({"type": "nonsense"}, "UNKNOWN_MESSAGE_TYPE"),
    ({"type": ""}, "MISSING_MESSAGE_TYPE"),
    ({}, "MISSING_MESSAGE_TYPE"),
    ([], "INVALID_MESSAGE"),
    ("{", "INVALID_JSON"),
    ("", "INVALID_JSON"),
    ("not json", "INVALID_JSON"),
    (b"\x00\x01", "BINARY_NOT_SUPPORTED"),
    ({"type": "batch"}, "INVALID_BATCH"),
    ({"type": "batch", "data": {"messages": [{"type": "ping"}] * (BATCH_LIMIT + 1)}}, "INVALID_BATCH"),
    ({"type": "request_data", "data_type": "weather"}, "UNKNOWN_DATA_TYPE"),
    ({"type": "request_data", "data": {"types": "all"}}, "INVALID_DATA_TYPE"),
    ({"type": "acknowledge"}, "PERMISSION_DENIED"),
    ({"type": "authenticate", "token": "secret"}, "AUTHENTICATION_UNSUPPORTED"),
    ({"type": "get_connection_details", "connection_id": "somebody_2"}, "PERMISSION_DENIED"),
]


@pytest.mark.parametrize(("message", "code"), FAULTS)
def test_what_is_not_understood_is_answered_in_words_and_the_connection_stays(message, code):
    client = Client()
    told = client.ask(message)
    assert (told["type"], told["code"], told["data"]["code"]) == ("error", code, code)
    assert told["message"] == told["data"]["message"] == told["data"]["error"] or code == "INVALID_JSON"
    assert "secret" not in json.dumps(told)
    assert client.visit.errors == 1
    assert client.ask({"type": "ping"})["type"] == "pong"


# -- what the shipped clients send ----------------------------------------------------------------------------------


def test_the_basic_client_s_frames():
    client = Client()
    subscribe = {"type": "subscribe", "data": {"event": "production_update"}, "timestamp": NOW}
    assert client.ask(subscribe)["event_type"] == "production_update"
    beat = {
        "type": "heartbeat",
        "data": {"timestamp": NOW, "messageCount": 3, "errorCount": 0, "uptime": 30000},
        "timestamp": NOW,
    }
    told = client.ask(beat)
    assert (told["type"], told["timestamp"]) == ("heartbeat_response", NOW)
    assert told["data"] == {"timestamp": NOW, "client_data": beat["data"], "server_time": NOW}
    assert told["priority"] == 4


def test_the_enhanced_client_s_heartbeat_measures_its_latency():
    said = 1795240799987
    beat = {
        "type": "heartbeat", "timestamp": said, "id": "msg_1_ab", "priority": 4, "retryCount": 0,
        "data": {"timestamp": said, "healthScore": 1, "latency": 0, "subscriptionCount": 2},
    }  # fmt: skip
    told = Client().ask(beat)
    assert (told["type"], told["timestamp"], told["server_time"]) == ("pong", said, NOW)


def test_a_batch_is_unwrapped_and_each_message_answered():
    inner = [
        {"type": "heartbeat", "timestamp": 5, "data": {}},
        {"type": "subscribe", "subscription_type": "line", "target_id": "L1"},
        {"type": "nonsense"},
        7,
        {"type": "batch", "data": {"messages": [{"type": "ping"}]}},
        {"type": "ping"},
    ]
    client = Client()
    told = heard(
        client.say({"type": "batch", "data": {"messages": inner, "batchSize": 6, "timestamp": 1}, "timestamp": 1})
    )
    assert [each["type"] for each in told] == ["pong", "subscription_confirmed", "error", "error", "error", "pong"]
    assert (client.visit.messages, client.visit.errors) == (6, 3)


def test_ping_is_answered():
    told = Client().ask({"type": "ping"})
    assert (told["type"], told["timestamp"], told["priority"]) == ("pong", NOW, 4)
    assert told["data"]["server_time"] == NOW


def test_data_that_is_requested_comes():
    client = Client()
    steps = client.say({"type": "request_data", "data_type": "andon_events", "filters": {"line_id": "L1"}})
    assert steps[0].question == Snapshot(("andon",), "L1")
    (told,) = heard(steps, Seen({"andon": [Row("a/b/L1/m", {"id": "c1", "text": "help", "raised_by": "anna"})]}, {}))
    assert (told["type"], told["data"]["status"], told["data"]["count"]) == ("andon_events_data", "ok", 1)
    (row,) = told["data"]["andon"]
    assert (row["id"], row["description"], row["reported_by"], row["line_id"]) == ("c1", "help", "anna", "a/b/L1")


def test_data_that_nobody_has_is_null_with_its_reason():
    (told,) = heard(Client().say({"type": "request_data", "data_type": "oee"}), Seen({}, {"oee": "the desk is away"}))
    assert (told["data"]["status"], told["data"]["oee"]) == ("unavailable", None)
    assert told["data"]["reasons"] == {"oee": "the desk is away"}


def test_the_dashboard_hook_gets_each_type_and_then_the_word_that_this_was_all():
    client = Client("/ws", line_id="L1")
    steps = client.say({"type": "request_data", "data": {"types": ["production", "andon"], "timestamp": 1}})
    seen = Seen({"production": [Row("a/b/L1/m", {"good": 5})]}, {"andon": "x"})
    told = heard(steps, seen)
    assert [each["type"] for each in told] == ["production_data", "andon_data", "sync_complete"]
    assert told[0]["data"]["production_rows"][0]["lineId"] == "a/b/L1"
    assert told[0]["data"]["production_rows"][0]["timestamp"] == round(AT * 1000)
    assert steps[0].question.place == "L1"


def test_a_forced_sync_is_everything_and_then_the_word_that_this_was_all():
    steps = Client().say({"type": "force_sync"})
    assert set(steps[0].question.sections) == set(SECTIONS)
    assert [each["type"] for each in heard(steps, Seen({}, {}))] == ["snapshot_data", "sync_complete"]


def test_stats_details_and_status():
    client = Client()
    client.say("{")
    stats = client.ask({"type": "get_stats"})
    assert stats["type"] == "connection_stats"
    assert {"total_connections": 1, "total_errors": 1, "connection_utilization": 0.01}.items() <= stats["data"].items()
    details = client.ask({"type": "get_connection_details"})
    assert details["type"] == "connection_details"
    assert {"connection_id": "u_1", "message_count": 3, "error_count": 1, "is_active": True}.items() <= details[
        "data"
    ].items()
    status = client.ask({"type": "get_status"})
    assert (status["type"], status["status"]) == ("status_response", "connected")


# -- acting -------------------------------------------------------------------------------------------------------


def test_who_only_reads_is_told_who_must_act():
    told = Client().ask({"type": "acknowledge", "event_id": "c1", "event_type": "andon_event"})
    assert (told["type"], told["code"], told["read_only"]) == ("error", "PERMISSION_DENIED", True)
    assert "logged in" in told["message"]


def test_an_acknowledge_is_done_by_the_desk_and_confirmed_with_its_answer():
    client = Client("/ws/andon", ACTOR)
    (ask,) = client.say({"type": "acknowledge", "event_id": "c1", "event_type": "andon_event", "id": "msg_7"})
    assert ask.question == Deed("andon.acknowledge", "anna:msg_7", "anna", AT, {"call": "c1"})
    (told,) = heard([ask], Done({"state": "acknowledged"}, is_kept=True))
    assert told["type"] == "acknowledge_confirmed"
    assert (told["event_id"], told["data"]["result"], told["data"]["is_kept"]) == (
        "c1",
        {"state": "acknowledged"},
        True,
    )


def test_an_alarm_can_be_acknowledged_too():
    (ask,) = Client("/ws", ACTOR).say(
        {"type": "acknowledge", "event_id": "a1", "event_type": "equipment_fault_occurred", "comment": "seen"}
    )
    assert ask.question == Deed("alarm.acknowledge", None, "anna", AT, {"alarm": "a1", "comment": "seen"})


@pytest.mark.parametrize(
    ("grounds", "code"),
    [(Grounds.CONFLICT, "CONFLICT"), (Grounds.NOT_FOUND, "NOT_FOUND"), (Grounds.INVALID, "VALIDATION_ERROR"),
     (Grounds.NOT_ALLOWED, "PERMISSION_DENIED"), (Grounds.UNSUPPORTED, "UNSUPPORTED"),
     (Grounds.UNAVAILABLE, "UNAVAILABLE")],
)  # fmt: skip
def test_a_refusal_of_the_desk_is_an_error_with_its_details(grounds, code):
    steps = Client("/ws", ACTOR).say({"type": "acknowledge", "event_id": "c1"})
    (told,) = heard(steps, Refused(grounds, "it is resolved", {"state": "resolved"}))
    assert (told["code"], told["message"], told["data"]["state"]) == (code, "it is resolved", "resolved")


def test_every_ground_has_its_word():
    test_a_refusal_of_the_desk_is_an_error_with_its_details(Grounds.INVALID, "VALIDATION_ERROR")
    for grounds in Grounds:
        heard(Client("/ws", ACTOR).say({"type": "acknowledge", "event_id": "c1"}), Refused(grounds, "x"))


def test_any_act_can_be_done_by_a_frame():
    client = Client("/ws", ACTOR)
    act = {"type": "andon.raise", "equipment": "press3", "word": "material", "key": "k1", "station": "st4"}
    (ask,) = client.say({"type": "act", "act": act})
    assert ask.question == Deed("andon.raise", "k1", "anna", AT, {"equipment": "press3", "word": "material"}, "st4")
    (told,) = heard([ask], Done({"id": "c1"}, is_kept=False))
    assert (told["type"], told["data"]["is_kept"]) == ("act_confirmed", False)
    (ask,) = client.say({"type": "act", "act": {"type": "andon.raise", "arguments": {"type": "material"}}})
    assert ask.question == Deed("andon.raise", None, "anna", AT, {"type": "material"})
    for wrong in ({}, {"act": 7}, {"act": {"type": 3}}):
        assert client.ask({"type": "act", **wrong})["code"] == "VALIDATION_ERROR"
    assert client.ask({"type": "acknowledge"})["code"] == "VALIDATION_ERROR"


# -- what comes by itself -------------------------------------------------------------------------------------------


def test_a_silent_client_hears_a_heartbeat():
    client = Client()
    prompt = client.opening[1]
    assert isinstance(prompt, Prompt)
    assert prompt.after == 300.0
    (told,) = heard([Send(prompt.write(AT + 300))])
    assert (told["type"], told["data"]["connection_id"], told["priority"]) == ("heartbeat", "u_1", 4)


def test_the_end_is_told_and_so_is_a_hole():
    client = Client()
    words = client.opening[0]
    assert isinstance(words, Express)
    client.at = AT + 60
    (end,) = heard([Send(words.disconnect(1012, "restart", 3.2, None))])
    assert (end["type"], end["priority"], end["reconnect_after_ms"]) == ("system_shutdown", 1, 3200)
    assert end["timestamp"] == "2026-11-21T06:01:00.000Z"
    (hole,) = heard([Send(words.gap(Gap("oee/a", 1, 5, 5, "overflow")))])
    assert (hole["type"], hole["data"]["type"], hole["left_out"]) == ("health_alert", "connection_warning", 5)


def test_a_silent_listener_with_many_subscriptions_does_well():
    client = Client()
    for number in range(60):
        client.at += 1
        client.say({"type": "subscribe", "subscription_type": "line", "target_id": f"L{number}"})
    client.at += 86_400
    assert client.visit.score == 1.0


def test_who_makes_many_mistakes_is_warned_and_not_sent_away():
    client = Client()
    alerts = []
    for _ in range(40):
        client.at += 1
        steps = client.say("{")
        assert not any(isinstance(step, Close) for step in steps)
        alerts += [each["data"]["type"] for each in heard(steps) if each["type"] == "health_alert"]
    assert alerts == ["connection_warning"]


def test_each_message_of_a_batch_is_counted_and_the_first_that_is_too_many_ends_the_connection():
    room = ["", "", "at most 2 a second"]
    client = Client(charge=lambda: room.pop(0))
    for _ in range(100):
        # Where it comes in it is counted already.
        assert client.ask({"type": "ping"})["type"] == "pong"
    *steps, close = client.say({"type": "batch", "messages": [{"type": "ping"}] * 9})
    assert [each["type"] for each in heard(steps)] == ["pong", "pong", "pong", "error"]
    assert heard(steps)[-1]["code"] == "RATE_LIMITED"
    assert close == Close(1008, "at most 2 a second")
    assert client.say({"type": "ping"}) == []
    assert room == []


# -- who returns --------------------------------------------------------------------------------------------------


def visit(memory: Memory, *messages: object, wait: float = 0.0, **query: str) -> Client:
    recollection = memory.arrive("a", AT)
    client = Client("/ws", recollection=recollection, **query)
    client.at += wait
    for message in messages:
        client.say(message)
    recollection.end(AT)
    return client


LINE_1 = {"type": "subscribe", "subscription_type": "line", "target_id": "L1"}
LINE_2 = {"type": "subscribe", "subscription_type": "line", "target_id": "L2"}


def names(client: Client) -> set[str]:
    return {topic.name for topic in client.session.following.topics}


def test_who_returns_follows_what_it_followed():
    memory = Memory()
    visit(memory, LINE_1)
    assert names(visit(memory)) == {"line:id=L1"}


def test_who_never_asked_for_anything_follows_the_default_each_time():
    memory = Memory()
    before = names(visit(memory))
    assert names(visit(memory)) == before
    assert "andon:all" in before


def test_who_asks_again_as_soon_as_it_is_back_follows_that_alone():
    memory = Memory()
    visit(memory, LINE_1)
    assert names(visit(memory, LINE_2)) == {"line:id=L2"}


def test_who_asks_for_more_later_keeps_what_it_had():
    memory = Memory()
    visit(memory, LINE_1)
    assert names(visit(memory, LINE_2, wait=RETURN_TIME + 1)) == {"line:id=L1", "line:id=L2"}


def test_what_was_left_is_not_restored():
    memory = Memory()
    visit(memory, LINE_1, LINE_2, {**LINE_1, "type": "unsubscribe"})
    assert names(visit(memory)) == {"line:id=L2"}


def test_the_query_s_wishes_are_followed_beside_those_of_the_last_visit():
    memory = Memory()
    visit(memory, LINE_2, line_id="L1")
    assert names(visit(memory, line_id="L1")) == {"line:id=L1", "line:id=L2"}


def test_a_session_writes_events_for_its_own_connection():
    (first, *_) = [step for step in Client().opening if isinstance(step, Subscribe)]
    assert isinstance(first.encode, Teller)
