from __future__ import annotations

import json

import pytest

from domain import Event, JsonValue, Priority, Publication, channel_of
from transport.dialects.portal_system import encode_block, encode_system

AT = 1730000000.0
ISO = "2024-10-27T03:33:20.000Z"


def publication(type_: str, data: JsonValue, priority: Priority = Priority.NORMAL) -> Publication:
    event = Event("1", "/chain/hub", type_, data, AT, priority)
    return Publication(channel_of(event), "e1", 1, AT, event)


def test_what_happened_to_the_chain_says_what_and_how_urgent_and_where_from() -> None:
    data: JsonValue = {"chain": "hub", "why": "rounds rise", "height": 7, "headHeight": None, "channel": "x"}
    payload = encode_system(publication("chain.halted", data, Priority.CRITICAL))
    assert payload is not None
    frame = json.loads(payload)
    assert (frame["type"], frame["event"], frame["severity"]) == ("system", "chain.halted", "critical")
    assert (frame["timestamp"], frame["why"], frame["data"]["why"]) == (ISO, "rounds rise", "rounds rise")
    assert (frame["headHeight"], frame["reasons"]["headHeight"]) == (None, "the event carried none")
    assert (frame["provenance"]["height"], frame["provenance"]["chain"]) == (7, "hub")
    assert "channel" not in frame


def test_what_carries_nothing_is_told_all_the_same() -> None:
    payload = encode_system(publication("chain.stale", None))
    assert payload is not None
    assert json.loads(payload)["data"] == {}


def test_a_block_says_that_it_is_one() -> None:
    payload = encode_block(publication("chain.block", {"blockHeight": 7, "producer": "v1"}))
    assert payload is not None
    frame = json.loads(payload)
    assert (frame["type"], frame["blockHeight"], frame["data"]["producer"]) == ("block", 7, "v1")


@pytest.mark.parametrize(("type_", "data"), [("chain.transaction", {"txHash": "0x1"}), ("chain.block", [1])])
def test_what_is_no_block_is_not_told_as_one(type_: str, data: JsonValue) -> None:
    assert encode_block(publication(type_, data)) is None
