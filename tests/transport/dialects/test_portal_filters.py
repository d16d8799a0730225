from __future__ import annotations

import json

import pytest

from domain import Event, JsonValue, Priority, Publication, channel_of
from transport.dialects.portal_commands import Misunderstood
from transport.dialects.portal_filters import FILTER_LIMIT, encoder_of, filter_of, fits

AT = 1730000000.0


def publication(type_: str, data: JsonValue) -> Publication:
    event = Event("1", "/chain", type_, data, AT, Priority.NORMAL)
    return Publication(channel_of(event), "e1", 1, AT, event)


def test_no_filter_fits_everything() -> None:
    assert filter_of("transactions", " ") == ()
    assert filter_of("analytics", "") == ()
    assert fits({}, ())


def test_a_filter_is_read_by_the_clients_names_and_means_our_members() -> None:
    assert filter_of("transactions", "sender:0xAA, status:Failed") == (("from", "0xaa"), ("status", "failed"))
    assert filter_of("transactions", "status:failed,sender:0xaa") == filter_of(
        "transactions", "from:0xaa,status:FAILED"
    )


@pytest.mark.parametrize(
    ("channel", "text"),
    [("transactions", "status"), ("transactions", "colour:red"), ("transactions", "status:a,,"), ("bridge", "a:b")],
)
def test_what_is_no_filter_is_said(channel: str, text: str) -> None:
    with pytest.raises(Misunderstood) as caught:
        filter_of(channel, text)
    assert caught.value.detail


def test_a_transaction_s_status_is_named_by_either_word_and_another_one_is_refused() -> None:
    assert filter_of("transactions", "status:SUCCESS") == filter_of("transactions", "status:confirmed")
    with pytest.raises(Misunderstood) as caught:
        filter_of("transactions", "status:fine")
    assert caught.value.detail == "the status one of pending, confirmed, failed, success"
    with pytest.raises(Misunderstood):
        filter_of("validators", "status:free")


def test_a_filter_has_an_end() -> None:
    with pytest.raises(Misunderstood, match="too long"):
        filter_of("transactions", "status:" + "x" * FILTER_LIMIT)


@pytest.mark.parametrize(
    ("terms", "data", "fit"),
    [
        ((("connected", "true"),), {"connected": True}, True),
        ((("connected", "true"),), {"connected": False}, False),
        ((("blockHeight", "77"),), {"blockHeight": 77}, True),
        ((("from", ""),), {"from": None}, True),
        ((("from", "0xaa"), ("status", "failed")), {"from": "0xAA", "status": "pending"}, False),
    ],
)
def test_every_term_must_fit(terms: tuple[tuple[str, str], ...], data: dict[str, JsonValue], *, fit: bool) -> None:
    assert fits(data, terms) is fit


def test_the_same_filter_is_one_encoder_and_tells_only_what_fits() -> None:
    terms = filter_of("transactions", "status:failed")
    encode = encoder_of("transactions", terms)
    assert encode is encoder_of("transactions", filter_of("transactions", "status:FAILED"))
    assert encode is not encoder_of("transactions")
    assert encode(publication("chain.transaction", {"txHash": "0x1", "status": "SUCCESS"})) is None
    payload = encode(publication("chain.transaction", {"txHash": "0x2", "status": "FAILED"}))
    assert payload is not None
    assert json.loads(payload)["data"]["txHash"] == "0x2"


def test_validators_are_filtered_by_their_exact_status() -> None:
    encode = encoder_of("validators", filter_of("validators", "status:tombstoned"))
    assert encode(publication("validator.status", {"validator": "v", "status": "JAILED"})) is None
    assert encode(publication("validator.status", {"validator": "v", "status": "TOMBSTONED"})) is not None
