from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.floor.topics import (
    PRIORITIES,
    TARGET_LIMIT,
    TARGETED,
    TOPICS,
    TopicFault,
    place_addresses,
    remembered,
    topic_of,
)

NAMES = frozenset({"acme", "acme/plant1", "acme/plant1/line3", "acme/plant1/line3/press3", "line3", "press3", "L-003"})
PLACED = [topic for topic in TOPICS if topic not in ("job", "escalation")]


def at(*topics: str) -> set[str]:
    return place_addresses(topics, NAMES)


def test_there_are_ten_types():
    assert sorted(TOPICS) == sorted(
        ["line", "equipment", "downtime", "escalation", "job", "production", "oee", "andon", "quality", "changeover"]
    )


@pytest.mark.parametrize("type_", [each for each in TOPICS if each not in TARGETED])
@pytest.mark.parametrize("target", [None, "all"])
def test_without_a_target_all_of_a_type_is_followed(type_, target):
    assert topic_of(type_, target).keys == {f"{type_}:all"}
    assert topic_of(type_, target).target == "all"


@pytest.mark.parametrize("type_", ["downtime", "production", "oee", "andon", "quality", "changeover"])
@pytest.mark.parametrize(
    "target",
    ["line3", "line:line3", "line:L-003", "line:acme/plant1/line3", "equipment:press3", "all",
     {"line_id": "line3"}, {"equipment_code": "press3"}, {"line_id": "line3", "equipment_code": "press3"},
     {"line_id": "line3", "equipment_code": "all"}, {"line_id": None}, {}],
)  # fmt: skip
def test_every_form_of_a_target_takes_in_what_is_there(type_, target):
    assert topic_of(type_, target).takes(at(type_), {})
    others = [each for each in PLACED if each != type_]
    assert not topic_of(type_, target).takes(at(*others), {})


@pytest.mark.parametrize("type_", ["downtime", "production", "oee", "andon", "quality", "changeover"])
@pytest.mark.parametrize(
    "target",
    ["line4", "line:line4", "equipment:press4", {"line_id": "line4"}, {"line_id": "line3", "equipment_code": "press4"},
     {"line_id": "line4", "equipment_code": "press3"}],
)  # fmt: skip
def test_no_form_of_a_target_takes_in_what_is_elsewhere(type_, target):
    assert not topic_of(type_, target).takes(at(type_), {})


def test_all_of_downtime_receives():
    assert topic_of("downtime", "all").takes(at("downtime", "line", "equipment"), {})


@pytest.mark.parametrize("type_", ["line", "equipment"])
def test_a_line_and_an_equipment_are_named_barely_or_with_their_prefix(type_):
    for target in ("line3", "press3", "acme/plant1/line3", f"{type_}:line3", 3):
        assert topic_of(type_, target).keys == {f"{type_}:id={str(target).removeprefix(f'{type_}:')}"}
    assert topic_of(type_, "line3").takes(at("line", "equipment"), {})


@pytest.mark.parametrize("type_", sorted(TARGETED))
@pytest.mark.parametrize("target", [None, "", "  ", [], {}, True, 1.5, "x" * (TARGET_LIMIT + 1), "a\nb"])
def test_what_needs_a_target_is_refused_without_one(type_, target):
    with pytest.raises(TopicFault) as caught:
        topic_of(type_, target)
    assert caught.value.code == "MISSING_TARGET_ID"


def test_an_object_names_a_line_by_its_own_member():
    both = {"line_id": "line3", "equipment_code": "press3"}
    assert topic_of("line", both).keys == {"line:id=line3"}
    assert topic_of("equipment", both).keys == {"equipment:id=press3"}
    assert topic_of("line", {"equipment_code": "press3"}).keys == {"line:id=press3"}


def test_an_escalation_is_named_by_its_id_its_priority_or_both():
    assert topic_of("escalation", "escalation:e1").keys == {"escalation:id=e1"}
    assert topic_of("escalation", "e1").keys == {"escalation:id=e1"}
    for form in ("critical", "priority:critical", "priority:CRITICAL", {"priority": "critical"}):
        assert topic_of("escalation", form).keys == {"escalation:priority=critical"}
    both = topic_of("escalation", {"escalation_id": "e1", "priority": "high"})
    assert both.takes({"escalation:id=e1", "escalation:priority=high"}, {})
    assert not both.takes({"escalation:id=e1", "escalation:priority=low"}, {})
    assert {f"escalation:priority={word}" for word in PRIORITIES} == {
        key for word in PRIORITIES for key in topic_of("escalation", word).keys
    }


def test_an_event_is_followed_by_its_name():
    topic = topic_of("event", "andon_event")
    assert topic.takes({"event:andon_event"}, {})
    assert topic.members()["event_type"] == topic.members()["event"] == "andon_event"
    with pytest.raises(TopicFault):
        topic_of("event", None)


@pytest.mark.parametrize("type_", ["", "lines", "LINE", "event ", "everybody", "x" * 5000])
def test_what_is_no_type_is_refused(type_):
    with pytest.raises(TopicFault) as caught:
        topic_of(type_, "line3")
    assert caught.value.code == "UNKNOWN_SUBSCRIPTION_TYPE"
    assert len(caught.value.message) < 400


def test_filters_are_applied():
    topic = topic_of("andon", "all", {"priority": "high", "level": 2})
    assert topic.takes(at("andon"), {"priority": "high", "level": 2, "more": 1})
    assert not topic.takes(at("andon"), {"priority": "low", "level": 2})
    assert not topic.takes(at("andon"), {})


@pytest.mark.parametrize("filters", [[], "priority", 3, {"a": []}, {"a": {}}, {str(n): n for n in range(17)}])
def test_what_is_no_filter_is_refused(filters):
    with pytest.raises(TopicFault) as caught:
        topic_of("andon", "all", filters)
    assert caught.value.code == "INVALID_FILTERS"


targets = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.fixed_dictionaries({}, optional={name: st.text(max_size=5) for name in ("line_id", "equipment_code", "id",
                                                                               "escalation_id", "priority")}),
)  # fmt: skip


@given(st.sampled_from([*TOPICS, "event"]), targets)
def test_a_topic_is_known_again_by_its_name(type_, target):
    try:
        topic = topic_of(type_, target)
    except TopicFault:
        return
    again = remembered(topic.name)
    assert again is not None
    assert (again.type, again.keys) == (topic.type, topic.keys)
    if type_ != "event":
        assert topic_of(type_, again.target).keys == topic.keys


@given(st.text())
def test_a_name_that_was_never_one_means_nothing_or_is_a_topic(name):
    found = remembered(name)
    assert found is None or found.type in (*TOPICS, "event")
