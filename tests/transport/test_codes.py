from __future__ import annotations

import pytest

from transport import CODES, ProtocolError, UsageError, code_of
from transport.codes import is_sendable, phrase


def test_every_number_stands_under_itself():
    assert all(number == code.number for number, code in CODES.items())


def test_words_are_snake_case_and_stand_once():
    words = [code.word for code in CODES.values()]
    assert len(set(words)) == len(words)
    assert all(word.replace("_", "").isalpha() and word.islower() for word in words)


def test_every_code_says_what_it_means_and_what_to_do():
    assert all(code.meaning and code.action for code in CODES.values())


def test_every_proposed_close_code_is_in_the_table_and_can_be_sent():
    closes = {code.close for code in CODES.values() if code.close is not None}
    assert all(close in CODES and is_sendable(close) for close in closes)


def test_every_proposed_status_is_an_error():
    assert all(400 <= code.status <= 599 for code in CODES.values() if code.status is not None)


def test_a_refusal_has_its_own_number_as_status():
    assert all(code.status == number for number, code in CODES.items() if 400 <= number <= 599)


@pytest.mark.parametrize("number", [100, 101, 102, 103, 104, 105, 106, 107, 109, 111, 112])
def test_the_errors_of_the_protocol_are_there(number):
    assert code_of(number).number == number


@pytest.mark.parametrize("number", [1003, 1007, 1009, 4001, 4002, 4003, 4004, 4101, 4102, 4103, 4201, 4202, 4203])
def test_the_close_codes_of_the_protocol_are_there(number):
    assert code_of(number).close == number


# PROTOCOL, "Errors and closes": the error, and whether the same command may succeed later.
ERRORS = {
    100: "internal",
    101: "unauthorised",
    102: "unknown_channel",
    103: "permission_denied",
    104: "unknown_command",
    105: "already_subscribed",
    106: "limit_exceeded",
    107: "bad_request",
    109: "token_expired",
    111: "too_many_requests",
    112: "position_not_recoverable",
}


def test_the_errors_have_the_protocols_numbers_and_words_and_there_are_no_others():
    assert {number: code.word for number, code in CODES.items() if number < 400} == ERRORS


def test_an_error_is_temporary_where_waiting_helps():
    assert {number for number in ERRORS if CODES[number].temporary} == {100, 111}


def test_the_protocols_own_closes_are_all_in_the_table_and_there_are_no_others():
    ours = {number for number in CODES if number >= 4000}
    assert ours == {4001, 4002, 4003, 4004, 4101, 4102, 4103, 4201, 4202, 4203}


def test_clients_come_back_for_temporary_closes_and_stay_away_for_the_others():
    assert all(CODES[number].temporary for number in CODES if 4100 <= number < 4300)
    assert not any(CODES[number].temporary for number in CODES if 4000 <= number < 4100)


def test_an_unknown_number_is_our_mistake():
    with pytest.raises(UsageError, match="4999"):
        code_of(4999)


SENDABLE = [(1000, True), (1004, False), (1005, False), (1006, False), (1015, False), (2999, False), (3000, True)]


@pytest.mark.parametrize(("number", "sendable"), [*SENDABLE, (4999, True), (5000, False)])
def test_only_some_codes_may_stand_in_a_close_frame(number, sendable):
    assert is_sendable(number) is sendable


def test_a_protocol_error_proposes_its_status_and_close_code():
    error = ProtocolError(109)
    assert (error.status, error.close, error.detail) == (401, 4001, error.code.meaning)


def test_a_protocol_error_without_a_row_for_it_proposes_bad_request_and_protocol_error():
    assert ProtocolError(1008).status == 400
    assert ProtocolError(431).close == 4002


def test_an_unknown_status_has_a_phrase_all_the_same():
    assert (phrase(404), phrase(599)) == ("Not Found", "Error")
