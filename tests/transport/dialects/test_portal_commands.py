from __future__ import annotations

import json

import pytest

from domain import JsonValue, Priority
from transport.dialects.portal_commands import Misunderstood, command_of, echo, names_of, say, say_text


@pytest.mark.parametrize(
    ("message", "command"),
    [
        ('{"action":"a"}', {"action": "a"}),
        ('{"channel":"c","data":{"action":"a"},"timestamp":1}', {"action": "a"}),
        ('{"action":"a","data":{"action":"b"}}', {"action": "a", "data": {"action": "b"}}),
        (b'{"data":5}', {"data": 5}),
    ],
)
def test_a_command_is_the_object_that_has_the_word(message: str | bytes, command: object) -> None:
    assert command_of(message, "action") == command


@pytest.mark.parametrize("message", ["", "{", "[]", "5", b"\xff"])
def test_what_is_no_object_is_not_understood(message: str | bytes) -> None:
    with pytest.raises(Misunderstood, match="Invalid message format") as caught:
        command_of(message, "action")
    assert caught.value.detail


def test_names_are_taken_once_each() -> None:
    assert names_of({"channels": ["b", "a", "b"]}) == ["b", "a"]
    assert names_of({"channels": []}) == []


@pytest.mark.parametrize("channels", [None, "a", {"a": 1}, [1], ["a", None], ["x" * 129], ["a"] * 101])
def test_what_is_no_list_of_names_is_not_understood(channels: JsonValue) -> None:
    with pytest.raises(Misunderstood):
        names_of({"channels": channels})


def test_answers_go_before_routine_updates_and_repeat_little() -> None:
    frame = say({"type": "a"}).frame
    assert (frame.priority, json.loads(frame.data[2:])) == (Priority.HIGH, {"type": "a"})
    assert (say_text("PONG").frame.data[2:], say_text("\ud800").frame.data[2:]) == (b"PONG", b"?")
    assert len(echo("x" * 5000)) == 64
