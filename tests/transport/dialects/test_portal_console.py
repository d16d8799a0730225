from __future__ import annotations

import json

import pytest

from domain import Grounds, Refused
from transport.dialects.portal_console import HIGHEST_LIMIT, LIMIT, ConsoleQuestion, ConsoleSession
from transport.dialects.portal_messages import encode_console
from transport.session import Enquire, Send, Step, Subscribe

AT = 1730000000.0
AT_MS = 1730000000000
ORIGIN = {"source": "node1"}

Object = dict[str, object]


def told(step: Step) -> Object:
    assert isinstance(step, Send)
    data = step.frame.data
    value: Object = json.loads(data[{126: 4, 127: 10}.get(data[1], 2) :])
    return value


def asked(message: object) -> Enquire:
    (step,) = ConsoleSession().received(json.dumps(message), AT)
    assert isinstance(step, Enquire)
    return step


def test_the_console_begins_with_an_overview_and_then_the_metrics() -> None:
    enquiry, subscription = ConsoleSession().opened(AT)
    assert isinstance(enquiry, Enquire)
    assert enquiry.question == ConsoleQuestion("initial_data")
    (step,) = enquiry.then({"currentTPS": 5, "provenance": ORIGIN})
    assert told(step) == {
        "type": "initial_data",
        "data": {"currentTPS": 5},
        "timestamp": AT_MS,
        "provenance": ORIGIN,
    }
    assert subscription == Subscribe("panels/realtime", encode_console, latest=1)


def test_where_a_list_was_asked_for_the_data_are_the_list() -> None:
    answer = {"validators": [{"validatorId": "v"}], "totalValidators": None, "reasons": {"totalValidators": "why"}}
    (step,) = asked({"type": "get_validators"}).then({**answer, "provenance": ORIGIN})
    frame = told(step)
    assert (frame["type"], frame["data"]) == ("validators", [{"validatorId": "v"}])
    assert frame["reasons"] == {"totalValidators": "why"}


@pytest.mark.parametrize(
    ("params", "limit"),
    [
        (None, LIMIT),
        ({}, LIMIT),
        ({"limit": "5"}, 5),
        ({"limit": 7}, 7),
        ({"limit": str(HIGHEST_LIMIT)}, HIGHEST_LIMIT),
    ],
)
def test_a_list_is_as_long_as_the_client_says(params: object, limit: int) -> None:
    assert asked({"type": "get_transactions", "params": params}).question == ConsoleQuestion("transactions", limit)


@pytest.mark.parametrize("limit", [0, HIGHEST_LIMIT + 1, "0", "9999999", "many", "-1", 1.5, True, None])
def test_a_length_that_is_none_is_an_error(limit: object) -> None:
    (step,) = ConsoleSession().received(json.dumps({"type": "get_transactions", "params": {"limit": limit}}), AT)
    assert told(step)["type"] == "error"


def test_who_does_not_answer_in_time_is_said() -> None:
    (step,) = asked({"type": "get_analytics"}).then(Refused(Grounds.UNAVAILABLE, "the desk is behind"))
    frame = told(step)
    assert frame["data"] == {"message": "Failed to process request", "detail": "the desk is behind"}
    assert (frame["type"], frame["message"], frame["timestamp"]) == ("error", "Failed to process request", AT_MS)


def test_an_answer_of_another_kind_is_a_fault_of_ours() -> None:
    with pytest.raises(TypeError, match="answers no question"):
        asked({"type": "get_analytics"}).then(5)


@pytest.mark.parametrize("request_", ["get_users", "update_config"])
def test_what_needs_a_token_says_so(request_: str) -> None:
    (step,) = ConsoleSession().received(json.dumps({"type": request_}), AT)
    frame = told(step)
    assert (frame["type"], frame["data"]) == (
        "auth_required",
        {"message": "Authentication required", "request": request_},
    )


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("dance", "Unknown request type: dance"),
        (5, "Invalid message format"),
        (None, "Invalid message format"),
        ([], "Invalid message format"),
    ],
)
def test_what_is_not_understood_is_an_error_in_words(message: object, error: str) -> None:
    (step,) = ConsoleSession().received(json.dumps({"type": message}), AT)
    assert told(step)["message"] == error
