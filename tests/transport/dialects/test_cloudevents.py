import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import Event, Position, Priority, Publication, parse_event
from transport.dialects.cloudevents import CHANNEL_LIMIT, LATEST_LIMIT, CloudEventsSession, QueryFault, encode
from transport.session import Close, Session, Subscribe

EVENT = Event(
    id="1",
    source="/acme/press3",
    type="alarm.raised",
    data={"level": "FAULT", "text": "Öl"},
    recorded=1795240800.0,
    priority=Priority.CRITICAL,
    time="2026-11-21T05:59:59.5Z",
    extensions={"correlationid": "c7"},
)


def subscribed(query) -> list[tuple[str, int]]:
    session: Session = CloudEventsSession.from_query(query)
    steps = session.opened(0.0)
    assert all(isinstance(step, Subscribe) and step.encode is encode for step in steps)
    return [(step.channel, step.latest) for step in steps]


def test_a_session_follows_each_channel_once_in_the_order_asked():
    query = {"channel": ["alarms/*", "equipment/acme/press3", "alarms/*"]}
    assert subscribed(query) == [("alarms/*", 1), ("equipment/acme/press3", 1)]


@pytest.mark.parametrize(("latest", "count"), [("0", 0), ("1", 1), ("1000", 1000), ("0007", 7)])
def test_latest_says_how_many_come_first(latest, count):
    assert subscribed({"channel": ["a/*"], "latest": [latest]}) == [("a/*", count)]


def test_one_latest_is_for_all_channels_and_none_is_one():
    assert subscribed({"channel": ["a/*", "b/c"], "latest": ["9"]}) == [("a/*", 9), ("b/c", 9)]
    assert subscribed({"channel": ["a/*"], "latest": []}) == [("a/*", 1)]


def test_several_latest_are_for_the_channels_in_their_order():
    assert subscribed({"channel": ["a/*", "b/c"], "latest": ["5", "0"]}) == [("a/*", 5), ("b/c", 0)]


def test_latest_for_some_of_the_channels_only_is_refused():
    with pytest.raises(QueryFault, match="once for each"):
        CloudEventsSession.from_query({"channel": ["a/*", "b/*", "c/*"], "latest": ["5", "9"]})


@pytest.mark.parametrize(
    "latest", ["", "-1", "1001", "1.0", "+1", " 1", "1e2", "abc", "²", "\u0661", "9" * 5000, "1\n"]
)
def test_a_latest_that_is_no_count_is_refused(latest):
    with pytest.raises(QueryFault, match=f"0 to {LATEST_LIMIT}"):
        CloudEventsSession.from_query({"channel": ["a/*"], "latest": [latest]})


@pytest.mark.parametrize("query", [{}, {"channel": []}, {"channels": ["a/*"]}])
def test_who_names_no_channel_is_told_how(query):
    with pytest.raises(QueryFault, match=r"/stream\?channel="):
        CloudEventsSession.from_query(query)


@pytest.mark.parametrize("channel", ["", "a", "*", "/*", "a/*/b", "a b/c", "a/b/", "x" * 300 + "/*", "a/\x00"])
def test_a_name_that_is_no_channel_is_refused(channel):
    with pytest.raises(QueryFault, match="is no channel"):
        CloudEventsSession.from_query({"channel": ["alarms/*", channel]})


def test_so_many_channels_and_no_more():
    names = [f"a/{number}" for number in range(CHANNEL_LIMIT)]
    assert len(subscribed({"channel": names})) == CHANNEL_LIMIT
    with pytest.raises(QueryFault, match=str(CHANNEL_LIMIT)):
        CloudEventsSession.from_query({"channel": [*names, "a/b"]})


@pytest.mark.parametrize("message", ["", "{}", "subscribe", b"\x00"])
def test_who_sends_a_command_is_told_that_there_are_none(message):
    session = CloudEventsSession.from_query({"channel": ["a/*"]})
    assert session.received(message, 0.0) == [Close(4002, "cloudevents.json takes no commands")]


def test_a_publication_is_a_cloudevent_with_its_place():
    members = json.loads(encode(Publication("alarms/acme/press3", "e7", 512, 1795240801.0, EVENT)))
    assert members == {
        "specversion": "1.0",
        "id": "1",
        "source": "/acme/press3",
        "type": "alarm.raised",
        "time": "2026-11-21T05:59:59.5Z",
        "recordedtime": "2026-11-21T06:00:00.000Z",
        "channel": "alarms/acme/press3",
        "offset": "e7:512",
        "priority": "critical",
        "quality": "good",
        "correlationid": "c7",
        "data": {"level": "FAULT", "text": "Öl"},
    }


def test_a_critical_one_has_its_place_in_the_log_and_one_from_the_journal_none_on_its_channel():
    position = Position("e7", 88121)
    live = json.loads(encode(Publication("alarms/acme/press3", "9c1f", 77, 1795240801.0, EVENT, position)))
    kept = json.loads(encode(Publication("alarms/acme/press3", "", 0, 1795240801.0, EVENT, position)))
    assert (live["offset"], live["criticaloffset"]) == ("9c1f:77", "e7:88121")
    assert kept == {name: value for name, value in live.items() if name != "offset"}


def test_one_that_stands_for_several_says_how_many():
    reading = replace(EVENT, type="equipment.reading", priority=Priority.NORMAL)
    frame = encode.frame(Publication("readings/acme/press3", "e7", 5, 1795240801.0, reading), 3)
    assert json.loads(frame.data[4:])["sampledrate"] == 3


def test_another_gateway_can_take_what_this_one_sent():
    members = json.loads(encode(Publication("alarms/acme/press3", "e7", 512, 1795240801.0, EVENT)))
    assert parse_event(members, EVENT.recorded) == EVENT


@given(
    st.dictionaries(
        st.sampled_from(["channel", "latest", "x"]), st.lists(st.text(max_size=12) | st.just("a/*"), max_size=4)
    )
)
def test_no_query_raises_anything_but_a_query_fault(query):
    try:
        session = CloudEventsSession.from_query(query)
    except QueryFault:
        return
    assert session.opened(0.0)
