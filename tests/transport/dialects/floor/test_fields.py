from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.floor.fields import camel, counted, fields, found, minutes, moment, number, told, word_of
from transport.dialects.floor.kinds import KINDS

FIELDS = (*fields("status=state acknowledged_at", "nobody knows"), *fields("speed", "no source", number))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_a_field_is_found_under_any_of_its_names_and_the_rest_is_passed_on():
    assert told({"state": "running", "acknowledgedAt": "t", "speed": 4, "more": [1]}, FIELDS) == {
        "status": "running", "acknowledged_at": "t", "speed": 4, "state": "running", "acknowledgedAt": "t", "more": [1],
    }  # fmt: skip


def test_what_is_not_there_is_null_with_its_reason():
    assert told({}, FIELDS) == {
        "status": None,
        "acknowledged_at": None,
        "speed": None,
        "reasons": {"status": "nobody knows", "acknowledged_at": "nobody knows", "speed": "no source"},
    }


def test_the_reason_that_the_event_gives_is_better_than_ours():
    assert told({"reasons": {"speed": "the sensor is broken", "other": "x"}}, FIELDS)["reasons"] == {
        "speed": "the sensor is broken", "other": "x", "status": "nobody knows", "acknowledged_at": "nobody knows"
    }  # fmt: skip


def test_nothing_is_invented_for_what_is_no_number():
    assert told({"state": "a", "acknowledged_at": "b", "speed": "fast"}, FIELDS)["speed"] is None


def test_a_job_has_the_dashboards_word_for_its_state_and_is_its_assignees():
    event = {"id": "j1", "state": "Interrupted.Suspended", "status": "paused", "by": "p"}
    for kind in KINDS.values():
        if kind.wrapper == "job":
            shown = told(event, kind.fields)
            assert (shown["status"], shown["user_id"]) == ("paused", None)
            assert told({**event, "assigned_to": "kim"}, kind.fields)["user_id"] == "kim"


def test_a_place_may_be_within_another():
    assert found({"a": {"b": {"c": 0}}}, "a.b.c") == 0
    assert found({"a": 1}, "a.b") is None
    assert camel("acknowledged_at") == "acknowledgedAt"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1795240800, "2026-11-21T06:00:00.000Z"), (1795240800.5, "2026-11-21T06:00:00.500Z"),
     (1795240800000, "2026-11-21T06:00:00.000Z"), (1795240800000000, "2026-11-21T06:00:00.000Z"),
     ("2026-11-21T06:00:00Z", "2026-11-21T06:00:00Z"), (12, None), (math.inf, None), (True, None), ([], None),
     ("", None), (1e300, None)],
)  # fmt: skip
def test_a_moment_is_rfc_3339_whoever_wrote_it(value, text):
    assert moment(value) == text


def test_words_are_the_clients_and_others_are_passed_on():
    read = word_of({"executing": "running"})
    assert (read("EXECUTING"), read("Odd"), read(None), read([])) == ("running", "Odd", None, None)


def test_counts_and_minutes():
    assert counted("count")([{"count": 2}, {"count": 3}, {"code": "x"}, 7]) == 5
    assert counted("count")(4) == 4
    assert minutes(90) == 1.5
    assert minutes("x") is None


@given(json_values)
def test_any_data_can_be_told_of_and_written(data):
    for kind in KINDS.values():
        members = told(data, kind.fields)
        assert {field.name for field in kind.fields} <= set(members)
        json.dumps(members)
