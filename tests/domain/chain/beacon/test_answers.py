"""The answers of beacon nodes, one by one, and the queries that ask for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chain.beacon import (
    BONDS,
    IDS_LIMIT,
    HeadEvent,
    Query,
    Spec,
    Timing,
    Topics,
    health_fault,
    read_event,
    read_genesis,
    read_refusal,
    read_spec,
    read_syncing,
    read_validators,
    skipped,
    validators,
)
from domain.chain.beacon.attendance import Attendance
from domain.chain.beacon.reading import pubkey, uint
from domain.chain.beacon.statuses import SLASHED
from domain.chain.ethereum import AnswerFault

KEY = "0x" + "aB" * 48
ROOT = "0x" + "ab" * 32


def entry(status: str, index: str = "1", *, slashed: bool | None = None) -> dict:
    is_slashed = status.endswith("_slashed") if slashed is None else slashed
    described = {"pubkey": KEY, "effective_balance": "32000000000", "slashed": is_slashed}
    return {"index": index, "status": status, "validator": described}


@pytest.mark.parametrize(
    ("told", "number"), [("0", 0), ("12", 12), ("0012", 12), (12, 12), (str(2**63 - 1), 2**63 - 1)]
)
def test_numbers_are_read_as_strings_or_as_they_are(told, number) -> None:
    assert uint(told, "/slot") == number


@pytest.mark.parametrize(
    "told", ["", "-1", "1.0", " 1", "1\n", "\u0661", "0x1", str(2**64), "1" * 21, -1, 1.0, True, None]
)
def test_what_is_no_number_is_a_fault_that_names_the_place(told) -> None:
    with pytest.raises(AnswerFault, match=r"^/slot must be a whole number"):
        uint(told, "/slot")


def test_a_number_too_long_to_be_written_down_is_a_fault() -> None:
    for told in (10**5000, -(10**5000)):
        with pytest.raises(AnswerFault):
            uint(told, "/slot")


def test_public_keys_are_one_spelling() -> None:
    assert pubkey(KEY, "/pubkey") == KEY.lower()
    with pytest.raises(AnswerFault):
        pubkey(KEY[:-1], "/pubkey")


@pytest.mark.parametrize(
    ("status", "bond", "is_jailed"),
    [
        ("pending_initialized", "unbonded", False),
        ("pending_queued", "unbonded", False),
        ("active_ongoing", "bonded", False),
        ("active_exiting", "bonded", False),
        ("active_slashed", "bonded", True),
        ("exited_unslashed", "unbonding", False),
        ("exited_slashed", "unbonding", True),
        ("withdrawal_possible", "unbonding", False),
        ("withdrawal_done", "unbonded", False),
        ("a_new_status", None, False),
    ],
)
def test_the_statuses_of_the_specification_mean(status, bond, is_jailed) -> None:
    (((index, row)),) = read_validators({"data": [entry(status)]}, {"1"})
    assert (index, row.status, row.bond, row.is_jailed, row.is_tombstoned) == ("1", status, bond, is_jailed, False)
    assert (row.address, row.operator, row.power) == (KEY.lower(), "1", 32_000_000_000)


def test_one_that_was_slashed_stays_jailed_when_it_has_withdrawn() -> None:
    ((_, row),) = read_validators({"data": [entry("withdrawal_done", slashed=True)]}, {"1"})
    assert row.is_jailed
    assert row.reason == "slashed"
    ((_, row),) = read_validators({"data": [entry("active_ongoing")]}, {"1"})
    assert row.reason is None
    ((_, row),) = read_validators({"data": [entry("active_slashed", slashed=False)]}, {"1"})
    assert row.is_jailed


def test_every_status_has_a_meaning_and_the_slashed_ones_are_among_them() -> None:
    assert len(BONDS) == 9
    assert set(BONDS) >= SLASHED


def test_rows_are_found_by_index_or_by_key_in_any_case_and_others_are_not_read() -> None:
    others = [{"index": 10**5000, "validator": {}}, {"index": ["1"], "validator": {"pubkey": {}}}]
    for watched in ({"1"}, {KEY.lower()}):
        assert len(read_validators({"data": [*others, entry("active_ongoing")]}, watched)) == 1
    assert read_validators({"data": [*others, entry("active_ongoing")]}, {"7"}) == ()


def test_ids_are_asked_for_in_pieces_and_never_without_one() -> None:
    assert validators([], 5) == ()
    ids = [str(number) for number in range(200)]
    asked = validators([*ids, "7"], 5)
    assert [len(query.query) for query in asked] == [IDS_LIMIT] * 3 + [8]
    assert [id_ for query in asked for _, id_ in query.query] == ids
    assert {query.height for query in asked} == {5}
    keys = [f"0x{number:096x}" for number in range(64)]
    assert all(sum(len(id_) + 4 for _, id_ in query.query) <= 3200 for query in validators(keys, None))
    (joined,) = validators(["1", "2"], None, is_joined=True)
    assert joined.query == (("id", "1,2"),)


@given(st.lists(st.integers(0, 10**6).map(str)), st.booleans())
def test_every_query_for_validators_has_an_id(ids, is_joined) -> None:
    for query in validators(ids, None, is_joined=is_joined):
        assert query.query
        assert all(name == "id" and value for name, value in query.query)


def test_topics_are_tried_repeated_then_fewer_then_newer_then_joined_and_again() -> None:
    topics = Topics()
    ways = []
    for _ in range(5):
        ways.append(topics.query)
        topics.refused()
    assert topics.query == ways[0]
    assert all(query.path == "/eth/v1/events" for query in ways)
    assert [len(query.query) for query in ways] == [7, 5, 7, 1, 1]
    assert ("topics", "proposer_slashing") in ways[0].query
    assert ("topics", "proposer_slashing") not in ways[1].query
    assert ("topics", "head_v2") in ways[2].query
    assert ways[3].query[0][1].split(",") == [topic for _, topic in ways[0].query]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, {"message": "Route GET:/eth/v1/x not found", "error": "Not Found", "statusCode": 404}, "not_offered"),
        (404, {"code": 404, "message": "NOT_FOUND"}, "not_offered"),
        (404, {"code": 404, "message": "State not found"}, "absent"),
        (404, {"code": 404, "message": "NOT_FOUND: beacon block with root 0xab"}, "absent"),
        (404, None, "not_offered"),
        (404, "404 page not found", "not_offered"),
        (405, {}, "not_offered"),
        (501, {"code": 501, "message": "Not implemented"}, "not_offered"),
        (429, None, "limited"),
        (400, {"code": 400, "message": "Invalid epoch"}, "failed"),
        (503, {"code": 503, "message": "Beacon node is currently syncing"}, "failed"),
        (500, [1, 2], "failed"),
    ],
)
def test_a_node_without_an_endpoint_is_told_from_one_without_the_thing(status, body, kind) -> None:
    refusal = read_refusal(status, body)
    assert (refusal.kind, refusal.code) == (kind, status)
    assert refusal.reason


def test_the_clock_is_slots_epochs_and_seconds() -> None:
    timing = Timing(1000.0, 12.0, 32)
    assert (timing.start(0), timing.start(3)) == (1000.0, 1036.0)
    assert [timing.slot(at) for at in (0.0, 1000.0, 1011.9, 1012.0)] == [0, 0, 0, 1]
    assert [timing.epoch(slot) for slot in (0, 31, 32)] == [0, 0, 1]
    assert (timing.first_slot(2), timing.last_slot(2)) == (64, 95)
    assert [skipped(5, slot) for slot in (6, 7, 10, 5)] == [0, 1, 4, 0]


@given(st.integers(0, 10**6), st.sampled_from([0.5, 2.0, 6.0, 12.0]), st.sampled_from([1, 6, 8, 32]))
def test_a_slot_is_the_one_that_its_beginning_is_in(slot, slot_time, epoch_size) -> None:
    timing = Timing(1_606_824_023.0, slot_time, epoch_size)
    assert timing.slot(timing.start(slot)) == slot
    epoch = timing.epoch(slot)
    assert timing.first_slot(epoch) <= slot <= timing.last_slot(epoch)


def test_the_spec_may_say_its_slots_in_milliseconds() -> None:
    assert read_spec({"data": {"SECONDS_PER_SLOT": "2", "SLOTS_PER_EPOCH": "8"}}) == Spec(2.0, 8)
    told = {"SLOT_DURATION_MS": "5500", "SLOTS_PER_EPOCH": "8", "DEPOSIT_CHAIN_ID": "5"}
    assert read_spec({"data": told}) == Spec(5.5, 8, 5)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"SECONDS_PER_SLOT": "0", "SLOTS_PER_EPOCH": "8"},
        {"SECONDS_PER_SLOT": "3601", "SLOTS_PER_EPOCH": "8"},
        {"SECONDS_PER_SLOT": "12", "SLOTS_PER_EPOCH": "0"},
        {"SECONDS_PER_SLOT": "12"},
    ],
)
def test_a_spec_without_a_clock_is_a_fault(told) -> None:
    with pytest.raises(AnswerFault):
        read_spec({"data": told})


def test_genesis_after_the_end_of_time_is_a_fault() -> None:
    assert read_genesis({"data": {"genesis_time": "1606824023"}}) == 1606824023.0
    with pytest.raises(AnswerFault):
        read_genesis({"data": {"genesis_time": "253402300800"}})


@pytest.mark.parametrize("name", ["is_syncing", "is_optimistic", "el_offline"])
def test_any_reason_not_to_be_trusted_is_catching_up(name) -> None:
    told = {"head_slot": "5", "sync_distance": "0", "is_syncing": False}
    assert not read_syncing({"data": told}).is_catching_up
    assert read_syncing({"data": told | {name: True}}).is_catching_up


def test_health_is_a_status() -> None:
    assert health_fault(200) is None
    assert "catching up" in str(health_fault(206))
    assert health_fault(503)
    assert health_fault(418) == "answered HTTP status 418"


def test_an_event_is_read_by_its_topic() -> None:
    told = {"slot": "10", "block": ROOT}
    assert read_event("head", told, bool) == HeadEvent(10, ROOT, is_optimistic=False)
    assert read_event("block", told, bool) is read_event("attestation", None, bool) is None
    for name in ("head", "head_v2", "finalized_checkpoint", "chain_reorg", "proposer_slashing", "attester_slashing"):
        with pytest.raises(AnswerFault):
            read_event(name, {"data": 5}, bool)


def test_absences_are_counted_over_the_window_and_once() -> None:
    attendance = Attendance(window=3)
    assert attendance.note(0, {"1": False, "2": True}) == {"1": 1, "2": 0}
    assert attendance.note(0, {"1": False}) == {}
    assert attendance.note(1, {"1": False}) == {"1": 2}
    assert attendance.note(3, {"1": True}) == {"1": 1}
    assert attendance.note(0, {"1": False}) == {}
    assert attendance.note(9, {"1": False}) == {"1": 1}


def test_a_query_names_its_endpoint_without_what_it_asks_for() -> None:
    assert Query("header", f"/eth/v1/beacon/headers/{ROOT}", about=ROOT).method == "/eth/v1/beacon/headers"
    assert Query("spec", "/eth/v1/config/spec").method == "/eth/v1/config/spec"
