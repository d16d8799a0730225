from __future__ import annotations

import json

import pytest

from domain import Event, Priority, Publication
from transport.dialects.floor.envelope import Envelope, Teller
from transport.dialects.floor.following import LIMIT, Following, everything
from transport.dialects.floor.places import Places
from transport.dialects.floor.script import Script
from transport.dialects.floor.topics import TopicFault, topic_of

AT = 1795240800.0
CALL = {"call": "c1", "word": "material", "priority": "high", "state": "raised"}


def published(
    type_: str = "andon.call.raised", source: str = "/acme/plant1/line3/press3", data: object = CALL
) -> Publication:
    return Publication("x/y", "e", 1, AT, Event("e1", source, type_, data, AT, Priority.CRITICAL))


def following(*topics: object, **how: object) -> Following:
    one = Following(**how)
    one.begin([topic_of(*each) if isinstance(each, tuple) else topic_of(each) for each in topics])
    return one


def heard(one: Following, publication: Publication, connection_id: str = "u_1") -> list[str]:
    """The types of the frames that tell ``publication``, all in one piece."""
    frame = Teller(Script(Places()), one, connection_id).frame(publication)
    return [] if frame is None else [each["type"] for each in split(frame.data)]


def split(data: bytes) -> list[dict[str, object]]:
    found = []
    while data:
        assert data[0] == 0x81
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        found.append(json.loads(data[start : start + size]))
        data = data[start + size :]
    return found


def test_what_fits_several_subscriptions_comes_once():
    one = following(
        ("line", "line3"), ("andon", "line3"), ("andon", "all"), ("equipment", "press3"), ("event", "andon_event")
    )
    assert heard(one, published()) == ["andon_event"]


def test_what_fits_none_does_not_come():
    one = following(("line", "line4"), ("andon", "line:line4"), ("oee", "all"), ("escalation", "low"))
    assert heard(one, published()) == []


def test_what_is_urgent_comes_to_who_follows_its_priority():
    assert heard(following(("escalation", "high")), published()) == ["andon_event"]
    assert heard(following(("escalation", "critical")), published()) == []
    assert heard(following(("escalation", "all")), published()) == []


def test_system_alerts_come_to_everybody():
    assert heard(following(), published("source.lost", data={"reason": "x"})) == ["system_alert"]


def test_filters_are_applied():
    one = following(("andon", "all", {"priority": "low"}))
    assert heard(one, published()) == []
    assert heard(one, published(data={**CALL, "priority": "low"})) == ["andon_event"]


def test_other_names_come_to_who_wants_them_and_not_to_others():
    assert heard(following(("line", "line3")), published()) == ["andon_event"]
    assert heard(following(("line", "line3"), aliases=("andon_alert",)), published()) == ["andon_event", "andon_alert"]
    every = heard(following(("line", "line3"), wants_all_names=True), published())
    assert every == ["andon_event", "andon_alert", "andon_update", "andon_event_created"]
    assert heard(following(("event", "andon_event_created")), published()) == ["andon_event_created"]
    assert heard(following(("event", "andon_event_resolved")), published()) == []


def test_everything_can_be_followed_by_one_name():
    assert heard(following(("event", "*")), published()) == ["andon_event"]


def test_each_connection_gets_its_own_id_and_the_rest_is_the_same():
    script = Script(Places())
    one = published()
    pieces = [Teller(script, following("andon"), name).frame(one).data for name in ("u_1", "u_2")]
    told = [split(piece)[0] for piece in pieces]
    assert [each.pop("connection_id") for each in told] == ["u_1", "u_2"]
    assert told[0] == told[1]


def test_the_frame_keeps_the_event_s_priority_and_its_publication():
    one = published()
    frame = Teller(Script(Places()), following("andon"), "u").frame(one)
    assert frame.priority is Priority.CRITICAL
    assert frame.publication is one
    assert frame.key is None


def test_a_newer_reading_takes_the_place_of_an_older_one():
    reading = Publication(
        "readings/a/b/c",
        "e",
        1,
        AT,
        Event("e1", "/a/b/c", "equipment.reading", {"key": "X", "value": 1}, AT, Priority.NORMAL, subject="X"),
    )
    frame = Teller(Script(Places()), following(("equipment", "c")), "u").frame(reading)
    assert frame.key == ("readings/a/b/c", "equipment.reading", "/a/b/c", "X")


def test_what_was_told_is_counted():
    teller = Teller(Script(Places()), following(("line", "line3"), aliases=("andon_alert",)), "u")
    frame = teller.frame(published())
    assert (teller.told, teller.size) == (2, len(frame.data))
    assert teller.frame(published("chain.block")) is None
    assert json.loads(teller(published()))["type"] == "andon_event"
    assert teller(published("chain.block")) is None


def test_the_default_lasts_until_the_client_asks_by_itself():
    one = Following()
    one.begin(everything(), implicit=True)
    assert heard(one, published()) == ["andon_event"]
    assert one.names == frozenset()
    one.follow(topic_of("oee"))
    assert heard(one, published()) == []
    assert one.names == {"oee:all"}


def test_what_is_settled_stays():
    one = Following()
    one.begin(everything(), implicit=True)
    one.settle()
    one.follow(topic_of("line", "line9"))
    assert heard(one, published()) == ["andon_event"]


def test_what_is_left_is_left():
    one = following(("andon", "all"))
    assert one.leave(topic_of("andon")) is True
    assert one.leave(topic_of("andon")) is False
    assert heard(one, published()) == []
    assert len(one) == 0


def test_subscriptions_are_bounded():
    one = following(*[("line", f"l{number}") for number in range(LIMIT)])
    assert one.follow(topic_of("line", "l0")) is False
    with pytest.raises(TopicFault) as caught:
        one.follow(topic_of("line", "one more"))
    assert caught.value.code == "SUBSCRIPTION_LIMIT"
    assert topic_of("line", "one more") not in one


def test_only_the_channels_that_it_takes_are_followed():
    assert following().channels() == {"sources/*", "alarms/*"}
    assert "andon/*" in following("andon").channels()
    assert "readings/*" not in following("andon", "oee", ("line", "line3")).channels()
    assert "readings/*" in following(("equipment", "press3")).channels()
    assert "readings/*" in following(("event", "plc_metrics_update")).channels()
    assert following(("event", "no such thing")).channels() == following().channels()


def test_who_is_known_is_told_of_its_own_jobs():
    mine = published("job.started", data={"id": "j1", "assignedTo": "bert"})
    assert heard(following(user="bert"), mine) == ["job_started"]
    assert heard(following(user="anna"), mine) == []
    assert "jobs/*" in following(user="bert").channels() or "events/*" in following(user="bert").channels()


def test_an_answer_has_its_members_twice_and_its_own_ones_once():
    frame = Envelope("u_1").frame("pong", {"timestamp": "t", "a": 1, "type": "x"}, AT, Priority.LOW, timestamp=5)
    (told,) = split(frame.data)
    assert told == {
        "type": "pong", "a": 1, "data": {"timestamp": "t", "a": 1, "type": "x"}, "timestamp": 5, "priority": 4,
        "connection_id": "u_1",
    }  # fmt: skip
    assert frame.priority is Priority.HIGH
