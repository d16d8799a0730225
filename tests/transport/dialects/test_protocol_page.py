"""The page for authors of clients against the code: messages, codes, states; and for every rule a test."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from domain import Priority, Reason
from domain.event import QUALITIES
from transport.codec import DEPTH_LIMIT
from transport.codes import CODES, is_sendable
from transport.dialects import examples
from transport.dialects import native_frames as wire
from transport.dialects.native import ENCODINGS, TRANSITIONS, State
from transport.dialects.pace import BURST, RATE

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
NATIVE = "tests/transport/dialects/test_native.py"
ACTS = "tests/transport/dialects/test_native_acts.py"
TOKENS = "tests/transport/dialects/test_native_tokens.py"
DOORS = "tests/andond/test_doors.py"
CALLS = "tests/actors/desks/test_calls.py"
PARTING = "tests/actors/connections/test_parting.py"
REPLAY = "tests/actors/channels/test_replay.py"
WARDEN = "tests/actors/connections/test_warden.py"
ENCODING = "tests/transport/dialects/test_native_encoding.py"
# rule -> the tests that hold the gateway to it: file and name
RULES: dict[int, list[tuple[str, str]]] = {
    1: [
        ("tests/andond/test_doors.py", "test_the_first_known_subprotocol_that_the_client_prefers_is_spoken"),
        ("tests/andond/test_doors.py", "test_who_asks_for_no_subprotocol_speaks_json_and_is_promised_none"),
        ("tests/andond/test_doors.py", "test_who_speaks_nothing_that_is_known_is_told_what_is"),
        (NATIVE, "test_the_same_members_are_taken_and_told_as_messagepack"),
        (DOORS, "test_a_token_is_no_subprotocol_so_who_names_nothing_else_speaks_json"),
    ],
    2: [(NATIVE, "test_the_wrong_kind_of_message_ends_the_session_with_1003")],
    3: [
        ("tests/transport/test_admission.py", "test_past_the_limit_a_reserve_is_told_why_and_past_that_nobody_is_heard")
    ],
    4: [
        (NATIVE, "test_a_command_does_in_each_state_what_the_table_says"),
        ("tests/andond/test_doors.py", "test_who_speaks_the_native_protocol_must_introduce_itself"),
    ],
    5: [
        ("tests/transport/test_heartbeat.py", "test_every_link_is_pinged_once_in_an_interval"),
        ("tests/transport/test_heartbeat.py", "test_a_client_that_does_not_answer_is_closed_within_the_time"),
        ("tests/transport/test_heartbeat.py", "test_any_byte_counts_as_life"),
    ],
    6: [
        ("tests/transport/test_inbound.py", "test_a_larger_message_is_stopped_at_its_header"),
        ("tests/transport/test_codec.py", "test_so_deep_and_no_deeper"),
        (ENCODING, "test_what_is_no_object_is_no_message"),
        (ENCODING, "test_what_is_not_finite_is_null_in_json"),
    ],
    7: [
        ("tests/transport/dialects/test_native_properties.py", "reply_to"),
        ("tests/fuzz/test_native.py", "test_over_a_socket_every_id_gets_its_one_reply"),
    ],
    8: [
        (NATIVE, "test_an_id_may_be_any_integer_that_json_can_say_exactly"),
        (NATIVE, "test_what_is_no_id_gets_no_reply"),
    ],
    9: [
        (NATIVE, "test_two_commands_in_one_message_are_both_refused"),
        (NATIVE, "test_a_command_that_nobody_knows_is_refused_with_those_that_are"),
        (NATIVE, "test_members_that_nobody_knows_are_ignored"),
    ],
    10: [(NATIVE, "test_receipts_and_credit_are_taken_in_silence_without_an_id_and_answered_with_one")],
    11: [
        (
            "tests/transport/dialects/test_limits.py",
            "test_a_message_that_is_not_read_has_no_id_and_the_third_in_a_row_ends_the_session",
        ),
        (NATIVE, "test_the_third_fault_in_a_row_ends_the_session_with_4002"),
        (NATIVE, "test_whatever_is_done_between_faults_begins_their_row_anew"),
        (NATIVE, "test_before_connect_everything_that_is_refused_is_a_fault"),
        (NATIVE, "test_what_is_answered_is_no_fault_once_the_session_is_connected"),
        (NATIVE, "test_a_connect_that_is_refused_leaves_everything_as_it_was"),
    ],
    12: [
        (NATIVE, "test_a_burst_is_taken_and_what_comes_faster_is_refused_with_the_time_to_wait"),
        (NATIVE, "test_who_goes_on_regardless_is_closed_with_4103_and_told_when_to_come_back"),
        (NATIVE, "test_credit_is_never_lost_for_coming_fast"),
        (NATIVE, "test_long_receipts_weigh_as_much_as_any_command"),
    ],
    13: [
        (NATIVE, "test_the_connection_can_tell_a_hole_and_the_end"),
        (NATIVE, "test_who_goes_on_regardless_is_closed_with_4103_and_told_when_to_come_back"),
        (
            PARTING,
            "test_a_native_client_is_told_its_delay_and_where_it_resumes_and_then_closed",
        ),
        (
            "tests/transport/test_hostile.py",
            "test_who_floods_is_told_when_to_come_back_before_the_close_where_its_dialect_promises_that",
        ),
        (WARDEN, "test_who_has_other_rights_is_told_when_to_come_back_if_it_knows_what_that_is"),
    ],
    14: [(NATIVE, "test_a_command_does_in_each_state_what_the_table_says")],
    15: [
        (NATIVE, "test_connect_is_answered_with_the_session_its_limits_and_the_newest_position"),
        ("tests/andond/test_doors.py", "test_a_session_tells_the_settings_in_force_and_has_a_name_of_its_own"),
    ],
    16: [(NATIVE, "test_connect_is_answered_with_the_session_its_limits_and_the_newest_position")],
    17: [
        ("tests/transport/dialects/test_asyncapi.py", "test_the_patterns_are_those_of_the_domain"),
        (NATIVE, "test_a_subscription_that_is_refused_follows_nothing"),
    ],
    18: [
        ("tests/actors/channels/test_channel.py", "test_offsets_are_dense_and_each_channel_has_an_epoch_of_its_own"),
        (NATIVE, "test_a_subscription_that_is_refused_follows_nothing"),
    ],
    19: [(NATIVE, "test_a_subscription_that_is_refused_follows_nothing")],
    20: [
        (
            REPLAY,
            "test_a_follow_is_confirmed_with_where_the_channel_is_before_all_else",
        ),
        (NATIVE, "test_a_subscription_is_confirmed_with_its_position"),
    ],
    21: [
        (NATIVE, "test_a_subscription_that_was_not_recovered_is_confirmed_with_the_gap"),
        ("tests/domain/test_history.py", "test_what_is_told_and_the_gap_are_all_that_was_published"),
    ],
    22: [
        (NATIVE, "test_so_many_subscriptions_and_no_more"),
        (NATIVE, "test_what_is_left_is_confirmed_and_can_be_followed_again"),
    ],
    23: [
        (ENCODING, "test_an_event_is_pushed_as_the_protocol_shows_it"),
        (ENCODING, "test_what_was_read_back_from_the_journal_has_no_offset"),
        (ENCODING, "test_one_that_stands_for_several_says_how_many"),
    ],
    24: [
        (NATIVE, "test_the_connection_can_tell_a_hole_and_the_end"),
        (
            REPLAY,
            "test_what_is_no_longer_kept_is_a_gap_and_the_critical_ones_in_it_are_told",
        ),
    ],
    25: [
        (NATIVE, "test_a_client_that_returns_no_credit_is_told_so"),
        ("tests/transport/test_credit.py", "test_a_client_never_has_more_credit_than_it_has_allowed"),
        (
            "tests/transport/test_credit.py",
            "test_a_pong_returns_all_that_went_before_its_ping_and_an_older_one_nothing_more",
        ),
    ],
    26: [
        (NATIVE, "test_credit_that_nobody_gave_cannot_be_returned"),
        (NATIVE, "test_receipts_and_credit_that_are_none_are_refused"),
    ],
    27: [
        (NATIVE, "test_a_resume_asks_for_what_was_missed_of_the_named_channels_and_follows_each_from_its_position"),
        (NATIVE, "test_the_reply_to_connect_is_not_overtaken_by_the_critical_events_that_follow_it"),
    ],
    28: [(NATIVE, "test_a_resumed_channel_says_what_it_could_not_recover")],
    29: [
        (NATIVE, "test_a_channel_that_is_subscribed_to_later_begins_behind_what_the_resume_told"),
        (NATIVE, "test_a_channel_that_the_resume_did_not_name_begins_where_the_client_was"),
        (NATIVE, "test_who_left_a_channel_is_told_nothing_of_before_when_it_returns"),
    ],
    30: [("tests/domain/test_history.py", "test_what_cannot_be_compared_is_told_rather_than_missed")],
    31: [(NATIVE, "test_receipts_and_credit_are_taken_in_silence_without_an_id_and_answered_with_one")],
    32: [
        (NATIVE, "test_an_act_without_a_key_or_of_no_known_type_is_refused"),
        (ACTS, "test_an_act_is_asked_for_with_who_when_and_where_and_everything_else_is_its_own"),
        (ACTS, "test_an_act_that_is_done_is_answered_with_what_it_was_about"),
        (ACTS, "test_an_act_that_is_refused_is_an_error_that_says_who_must_act_and_why"),
        (CALLS, "test_an_act_with_a_key_is_done_once_also_after_a_restart"),
        (CALLS, "test_of_two_tablets_that_acknowledge_offline_one_wins_and_the_other_is_recorded_and_shown"),
    ],
    33: [(NATIVE, "test_a_ping_is_answered_with_the_time")],
    34: [("tests/actors/test_canary.py", "test_only_who_has_said_who_it_is_gets_one")],
    35: [
        (TOKENS, "test_whose_rights_nobody_knows_is_not_connected_without_a_token"),
        (TOKENS, "test_a_token_that_does_not_count_is_told_with_its_code_and_ends_the_session"),
        (DOORS, "test_a_token_that_does_not_count_is_refused_where_its_client_is_told_of_it"),
        (DOORS, "test_a_browser_s_bad_token_is_told_in_the_dialect_that_it_named"),
    ],
    36: [
        (TOKENS, "test_what_is_not_seen_is_not_followed_whether_it_is_there_or_not"),
        ("tests/actors/test_sight.py", "test_a_tree_is_what_of_it_a_follower_sees"),
        ("tests/actors/test_sight.py", "test_what_was_missed_is_what_the_client_may_see"),
    ],
    37: [
        (TOKENS, "test_a_newer_token_lets_a_client_stay_for_longer"),
        (TOKENS, "test_a_newer_token_of_another_person_or_with_other_rights_ends_the_session"),
        (
            WARDEN,
            "test_who_has_an_expired_token_is_closed_and_who_has_a_newer_one_stays",
        ),
        ("tests/actors/test_sight.py", "test_a_client_whose_newer_token_gives_other_rights_is_told_to_return"),
    ],
    38: [("tests/transport/test_codes.py", "test_an_error_is_temporary_where_waiting_helps")],
    39: [
        (
            "tests/transport/test_codes.py",
            "test_clients_come_back_for_temporary_closes_and_stay_away_for_the_others",
        )
    ],
}


@cache
def functions(name: str) -> set[str]:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"), name)
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_the_rules_are_numbered_from_one_without_a_hole():
    numbers = [int(number) for number in re.findall(r"^\*\*(\d+)\.\*\* ", PAGE, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert set(numbers) == set(RULES)


@pytest.mark.parametrize("number", RULES)
def test_every_rule_has_a_test(number):
    assert RULES[number]
    assert [(name, function) for name, function in RULES[number] if function not in functions(name)] == []


def row(number: int) -> str:
    code = CODES[number]
    temporary = "yes" if code.temporary else "no"
    return f"| {number} | `{code.word}` | {code.meaning} | {temporary} | {code.action} |"


def test_the_codes_are_those_of_the_table():
    errors = [row(number) for number in CODES if number < 400]
    closes = [row(number) for number in CODES if number >= 1000 and is_sendable(number)]
    assert re.findall(r"^\| \d{3,4} \| .*$", PAGE, re.MULTILINE) == errors + closes


def test_every_message_on_the_page_is_an_example_and_every_example_is_on_the_page():
    said = [json.loads(line) for line in re.findall(r"^    -> (.*)$", PAGE, re.MULTILINE)]
    heard = [json.loads(line) for line in re.findall(r"^    <- (.*)$", PAGE, re.MULTILINE)]
    known = [*examples.REPLIES.values(), *examples.PUSHES.values()]
    assert [each for each in said if each not in examples.COMMANDS.values()] == []
    assert [each for each in examples.COMMANDS.values() if each not in said] == []
    assert [each for each in heard if each not in known] == []
    assert [each for each in known if each not in heard] == []


def test_the_diagram_is_that_of_the_transitions():
    arrows = re.findall(r"^    (\w+) --> (\w+): (.*)$", PAGE, re.MULTILINE)
    taken = {(start, end): words.split(", ") for start, end, words in arrows if end != State.CLOSED.value}
    expected: dict[tuple[str, str], list[str]] = {}
    for state, transitions in TRANSITIONS.items():
        for word, following in transitions.items():
            expected.setdefault((state.value, following.value), []).append(word)
    assert taken == expected
    assert {start for start, end, _ in arrows if end == State.CLOSED.value} == {
        state.value for state in State if TRANSITIONS[state]
    }


def test_the_words_and_limits_of_the_page_are_those_of_the_code():
    for encoding in ENCODINGS:
        assert f"| `{encoding.subprotocol}` |" in PAGE
    for reason in get_args(Reason):
        assert f"| `{reason}` |" in PAGE
    for word in (*QUALITIES, *(priority.wire for priority in Priority)):
        assert f"`{word}`" in PAGE
    assert set(get_args(get_type_hints(wire.CloudEvent)["quality"])) == set(QUALITIES)
    assert f"{RATE} commands a second, {BURST} at once" in PAGE
    assert f"more than {wire.SUBSCRIPTIONS} at a time" in PAGE
    assert f"at most {DEPTH_LIMIT} levels" in PAGE
    assert f"{wire.SMALLEST_CREDIT:,} to {wire.LARGEST_CREDIT:,} bytes" in PAGE
    assert f"up to {wire.SHOWN_LIMIT:,} ids" in PAGE
    assert f"come first, 0 to {wire.LATEST_LIMIT:,}" in PAGE
    assert f"above 0, up to {wire.HZ_LIMIT:,}" in PAGE
