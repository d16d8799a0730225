from __future__ import annotations

from collections.abc import Callable

import pytest

from domain import Event, Priority
from domain.chain import client_status, event_members

EventMaker = Callable[..., Event]


def test_a_transaction_speaks_both_vocabularies(event: EventMaker) -> None:
    told = event(
        "chain.transaction",
        {"from": "0xa", "to": "0xb"},
        txHash="0x1",
        value="21000",
        status="SUCCESS",
        gasUsed=21000,
        blockHeight=5,
        fee=3,
        told_at=0.0,
    )
    assert event_members(told) == {
        "timestamp": "1970-01-01T00:00:00.000Z",
        "txHash": "0x1",
        "id": "0x1",
        "hash": "0x1",
        "from": "0xa",
        "to": "0xb",
        "value": "21000",
        "amount": 21000,
        "status": "SUCCESS",
        "gasUsed": 21000,
        "blockHeight": 5,
        "fee": 3,
    }


def test_names_that_the_event_carries_itself_are_not_replaced(event: EventMaker) -> None:
    told = event("chain.transaction", txHash="0x1", status="PENDING", id="mine", hash="h", amount=0.5, value="1")
    members = event_members(told)
    assert members is not None
    assert (members["id"], members["hash"], members["amount"]) == ("mine", "h", 0.5)


def test_what_a_transaction_did_not_carry_is_null_with_a_reason(event: EventMaker) -> None:
    members = event_members(event("chain.transaction", txHash="0x1", status="PENDING", fee=None))
    assert members is not None
    assert members["fee"] is None
    assert members["reasons"] == {
        **dict.fromkeys(("from", "to", "value", "gasUsed", "blockHeight", "fee"), "the event carried none"),
        "amount": "the event carried no value",
    }


def test_an_amount_beyond_what_a_double_holds_exactly_is_the_nearest_double(event: EventMaker) -> None:
    told = event("chain.transaction", txHash="0x1", status="PENDING", value=str(2**53 + 1))
    members = event_members(told)
    assert members is not None
    assert members["amount"] == float(2**53)
    assert members["value"] == "9007199254740993"


def test_members_beyond_the_contract_are_passed_on(event: EventMaker) -> None:
    members = event_members(event("chain.consensus", state="COMMITTED", proposer={"power": 5}))
    assert members is not None
    assert members["proposer"] == {"power": 5}


def test_the_data_s_own_timestamp_goes_first_then_the_event_s_time_then_the_receipt(event: EventMaker) -> None:
    own = event("chain.block", blockHeight=1, timestamp="2025-10-25T09:35:00Z", told_at=60.0)
    timed = event("chain.block", blockHeight=1, timestamp=None, told_at=60.0)
    received = event("chain.block", blockHeight=1)
    moments = [(event_members(each) or {})["timestamp"] for each in (own, timed, received)]
    assert moments == ["2025-10-25T09:35:00Z", "1970-01-01T00:01:00.000Z", "1970-01-01T00:16:40.000Z"]


def test_a_tombstoned_validator_is_jailed_for_good(event: EventMaker) -> None:
    members = event_members(event("validator.status", validator="v", status="TOMBSTONED"))
    assert members is not None
    assert (members["status"], members["tombstoned"], members["exactStatus"]) == ("JAILED", True, "TOMBSTONED")


def test_a_validator_of_which_nobody_knows_has_none_of_the_three_statuses(event: EventMaker) -> None:
    members = event_members(event("validator.status", validator="v", status="UNKNOWN"))
    assert members is not None
    assert (members["status"], members["exactStatus"]) == (None, "UNKNOWN")
    reasons = members["reasons"]
    assert isinstance(reasons, dict)
    assert reasons["status"] == "no source knows the status now"


def test_a_member_beyond_the_contract_that_is_null_has_its_reason_too(event: EventMaker) -> None:
    members = event_members(event("validator.status", validator="v", status="ACTIVE", moniker=None))
    assert members is not None
    reasons = members["reasons"]
    assert isinstance(reasons, dict)
    assert reasons["moniker"] == "the event carried none"


def test_other_events_have_no_members_here(event: EventMaker) -> None:
    assert event_members(event("host.metrics", cpu=1)) is None
    assert event_members(Event("1", "/s", "chain.block", None, 0.0, Priority.NORMAL)) is None


@pytest.mark.parametrize(
    ("status", "word"),
    [("PENDING", "pending"), ("SUCCESS", "confirmed"), ("FAILED", "failed"), ("DROPPED", "DROPPED"), (None, None)],
)
def test_the_web_client_has_its_own_words_for_a_status(status: str | None, word: str | None) -> None:
    assert client_status(status) == word
