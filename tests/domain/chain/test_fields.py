from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Event, JsonValue, Priority
from domain.chain import is_chain_event
from domain.chain.fields import FIELDS, faults_of, known

GOOD: dict[str, dict[str, JsonValue]] = {
    "chain.transaction": {
        "timestamp": "2025-10-25T09:35:00Z",
        "txHash": "0x1234",
        "from": "0xaa",
        "to": "0xbb",
        "value": "1000000000000000000",
        "status": "PENDING",
        "gasUsed": 21000,
        "amount": 1.5,
        "blockHeight": 7,
        "fee": 0,
        "latencyMs": 12.5,
    },
    "validator.status": {
        "validator": "0xvalidator",
        "status": "ACTIVE",
        "votingPower": 1000000,
        "uptime": 99.95,
        "lastBlockProposed": 12345,
    },
    "chain.consensus": {
        "leader": "0xleader",
        "epoch": 145,
        "round": 3,
        "term": 7,
        "state": "COMMITTED",
        "performanceScore": 0.98,
        "activeValidators": 156,
    },
    "chain.peer": {"peerId": "peer-abc", "ip": "192.168.1.100", "connected": True, "latency": 25, "version": "11.4.3"},
    "chain.block": {"blockHeight": 12345, "blockTime": 1000, "transactions": 500, "producer": "validator-1"},
}


def chain_event(type_: str, data: JsonValue) -> Event:
    return Event(id="1", source="/chain", type=type_, data=data, recorded=0.0, priority=Priority.NORMAL)


def faults(type_: str, data: JsonValue) -> list[tuple[str, str]]:
    return [(fault.pointer, fault.message) for fault in faults_of(chain_event(type_, data))]


@pytest.mark.parametrize("type_", GOOD)
def test_what_the_contract_shows_as_an_example_has_no_fault(type_: str) -> None:
    assert faults(type_, GOOD[type_]) == []


@pytest.mark.parametrize("type_", GOOD)
def test_every_optional_field_may_be_null_or_absent(type_: str) -> None:
    required = {name: GOOD[type_][name] for name, field in FIELDS[type_].items() if field.required}
    data: dict[str, JsonValue] = dict.fromkeys(FIELDS[type_]) | (required or {"state": "PENDING"})
    assert faults(type_, data) == []


@pytest.mark.parametrize(
    ("type_", "field", "value", "message"),
    [
        ("chain.transaction", "txHash", None, "is required"),
        ("chain.transaction", "txHash", "", "must be a printable string of 1 to 256 characters"),
        ("chain.transaction", "txHash", "x" * 257, "must be a printable string of 1 to 256 characters"),
        ("chain.transaction", "from", "a\nb", "must be a printable string of 1 to 256 characters"),
        ("chain.transaction", "value", 5, "must be a whole number written as a string of 1 to 78 digits"),
        ("chain.transaction", "value", "-5", "must be a whole number written as a string of 1 to 78 digits"),
        ("chain.transaction", "value", "", "must be a whole number written as a string of 1 to 78 digits"),
        ("chain.transaction", "value", "٣", "must be a whole number written as a string of 1 to 78 digits"),
        ("chain.transaction", "value", "1" * 79, "must be a whole number written as a string of 1 to 78 digits"),
        ("chain.transaction", "status", "pending", "must be one of PENDING, SUCCESS, FAILED"),
        ("chain.transaction", "status", ["PENDING"], "must be one of PENDING, SUCCESS, FAILED"),
        ("chain.transaction", "gasUsed", "21000", "must be an integer from 0 to 2^63-1"),
        ("chain.transaction", "gasUsed", True, "must be an integer from 0 to 2^63-1"),
        ("chain.transaction", "gasUsed", 1.0, "must be an integer from 0 to 2^63-1"),
        ("chain.transaction", "gasUsed", 2**63, "must be an integer from 0 to 2^63-1"),
        ("chain.transaction", "timestamp", "yesterday", "must be an RFC 3339 moment: 2026-11-21T06:00:00.000Z"),
        ("chain.transaction", "timestamp", 1730000000, "must be an RFC 3339 moment: 2026-11-21T06:00:00.000Z"),
        ("chain.transaction", "fee", -1, "must be a number of at least 0"),
        ("chain.transaction", "fee", False, "must be a number of at least 0"),
        ("validator.status", "status", None, "is required"),
        ("validator.status", "uptime", 100.1, "must be a number from 0 to 100"),
        ("chain.consensus", "performanceScore", 1.01, "must be a number from 0 to 1"),
        ("chain.peer", "connected", 1, "must be true or false"),
        ("chain.peer", "latency", 2.5, "must be an integer from 0 to 2^63-1"),
        ("chain.block", "blockHeight", -1, "must be an integer from 0 to 2^63-1"),
    ],
)
def test_a_wrong_value_is_named_by_its_pointer(type_: str, field: str, value: JsonValue, message: str) -> None:
    assert faults(type_, {**GOOD[type_], field: value}) == [(f"/data/{field}", message)]


def test_every_fault_is_named_at_once() -> None:
    pointers = [pointer for pointer, _ in faults("chain.transaction", {"gasUsed": "x", "status": "?"})]
    assert pointers == ["/data/txHash", "/data/status", "/data/gasUsed"]


@pytest.mark.parametrize("data", [None, [], "text", 5, True])
def test_data_that_is_no_object_is_refused(data: JsonValue) -> None:
    assert faults("chain.block", data) == [("/data", "must be an object")]


def test_a_consensus_event_that_says_nothing_is_refused() -> None:
    assert [pointer for pointer, _ in faults("chain.consensus", {"timestamp": None, "other": 1})] == ["/data"]


def test_members_beyond_the_contract_are_no_fault() -> None:
    assert faults("chain.block", {"blockHeight": 1, "payload": {"deep": [[]]}, "channel": 5}) == []


def test_events_that_are_not_the_chains_have_no_faults_here() -> None:
    assert faults("equipment.reading", "anything") == []
    assert not is_chain_event(chain_event("equipment.reading", {}))


def test_known_members_are_those_of_the_table_that_are_not_null() -> None:
    data: dict[str, JsonValue] = {"blockHeight": 1, "producer": None, "proposer": "x"}
    assert known(chain_event("chain.block", data)) == {"blockHeight": 1}
    assert known(chain_event("chain.block", None)) == {}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(type_=st.sampled_from(sorted(FIELDS)), draw=st.data())
def test_no_value_at_all_makes_the_check_fail(type_: str, draw: st.DataObject) -> None:
    names = st.sampled_from(sorted(FIELDS[type_])) | st.text(max_size=5)
    data = draw.draw(st.dictionaries(names, anything) | anything)
    check: Callable[[str, JsonValue], list[tuple[str, str]]] = faults
    assert all(pointer.startswith("/data") for pointer, _ in check(type_, data))


def test_an_integer_of_hundreds_of_digits_is_refused_like_any_other_that_is_too_large():
    data = {"validator": "v", "status": "ACTIVE", "uptime": 10**400}
    event = Event("1", "/hub", "validator.status", data, 0.0, Priority.HIGH)
    assert [fault.pointer for fault in faults_of(event)] == ["/data/uptime"]
