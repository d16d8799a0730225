from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.floor.reading import BATCH_LIMIT, Asked, Fault, read, topic
from transport.dialects.floor.topics import TopicFault


def one(message: object) -> Asked | Fault:
    (only,) = read(message if isinstance(message, str | bytes) else json.dumps(message))
    return only


def test_a_message_is_an_object_with_a_type():
    asked = one({"type": "ping", "timestamp": 5})
    assert isinstance(asked, Asked)
    assert (asked.type, asked.echo()) == ("ping", 5)
    assert Asked("ping", {"timestamp": True}).echo() is None
    assert Asked("ping", {"timestamp": "now"}).echo() is None


@pytest.mark.parametrize(
    ("message", "code"),
    [("x", "INVALID_JSON"), ("[1]", "INVALID_MESSAGE"), ("{}", "MISSING_MESSAGE_TYPE"),
     ('{"type":5}', "MISSING_MESSAGE_TYPE"),
     (b"{}", "BINARY_NOT_SUPPORTED"), ('{"type":"batch","data":{"messages":[]}}', "INVALID_BATCH"),
     ('{"type":"batch","data":[]}', "INVALID_BATCH"), ("[" * 100_000, "INVALID_JSON")],
)  # fmt: skip
def test_what_is_none_is_a_fault(message, code):
    fault = one(message)
    assert isinstance(fault, Fault)
    assert fault.code == code


def test_a_batch_is_its_messages_and_no_more_than_a_hundred():
    assert [each.type for each in read('{"type":"batch","messages":[{"type":"a"},{"type":"b"}]}')] == ["a", "b"]
    full = {"type": "batch", "data": {"messages": [{"type": "ping"}] * BATCH_LIMIT}}
    assert len(read(json.dumps(full))) == BATCH_LIMIT


def test_a_member_is_read_flat_first_and_then_under_data():
    asked = Asked("x", {"a": 1, "data": {"a": 2, "b": 3}, "c": None})
    assert (asked.given("a"), asked.given("b"), asked.given("c"), asked.given("c", "b")) == (1, 3, None, 3)
    assert Asked("x", {"data": [1]}).given("a") is None
    assert (Asked("x", {"a": 7}).text("a"), Asked("x", {"a": []}).text("a")) == ("7", "")


def test_a_topic_that_is_not_named_is_a_fault():
    with pytest.raises(TopicFault) as caught:
        topic(Asked("subscribe", {}))
    assert caught.value.code == "MISSING_SUBSCRIPTION_TYPE"


@given(st.text() | st.binary())
def test_reading_never_fails(message):
    found = read(message)
    assert found
    assert all(isinstance(each, Asked | Fault) for each in found)
