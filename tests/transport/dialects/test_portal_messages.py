from __future__ import annotations

import json

import pytest

from domain import Event, JsonValue, Priority, Publication, channel_of
from transport.dialects.portal_messages import (
    client_block,
    client_transaction,
    encode_console,
    encode_dashboard,
    encode_feed,
    encode_ledger,
    message_encoder,
)

Object = dict[str, object]
AT = 1730000000.0
AT_MS = 1730000000000
ISO = "2024-10-27T03:33:20.000Z"
NONE = "the event carried none"
ORIGIN = {"source": "node1", "height": 7, "method": "m", "observedAt": ISO, "ageMs": 5, "confirmedBy": ["node1"]}
TX: dict[str, JsonValue] = {"txHash": "0x1", "from": "0xaa", "value": "42", "status": "FAILED"}


def publication(type_: str, data: JsonValue) -> Publication:
    event = Event("1", "/chain", type_, data, AT, Priority.NORMAL)
    return Publication(channel_of(event), "e1", 1, AT, event)


def decoded(payload: bytes | None) -> Object:
    assert payload is not None
    value: Object = json.loads(payload)
    return value


def test_the_ledger_s_metrics_stand_under_their_own_name_and_under_data() -> None:
    metrics: dict[str, JsonValue] = {"tps": 5, "blockHeight": 7}
    frame = decoded(encode_ledger(publication("portal.channel", {**metrics, "provenance": ORIGIN})))
    assert frame == {
        "type": "channel_update",
        "channelId": "main-channel",
        "metrics": metrics,
        "data": metrics,
        "timestamp": AT_MS,
        "provenance": ORIGIN,
    }


def test_the_ledger_s_transaction_is_in_the_web_client_s_words_with_reasons_for_what_is_missing() -> None:
    frame = decoded(encode_ledger(publication("chain.transaction", TX)))
    transaction = {
        "id": "0x1",
        "from": "0xaa",
        "to": None,
        "amount": 42,
        "timestamp": AT_MS,
        "status": "failed",
        "fee": None,
        "hash": "0x1",
        "blockHeight": None,
        "gasUsed": None,
        "reasons": dict.fromkeys(("to", "fee", "blockHeight", "gasUsed"), NONE),
    }
    assert frame["transaction"] == frame["data"] == transaction
    assert (frame["type"], frame["channelId"]) == ("transaction", "main-channel")


@pytest.mark.parametrize("name", ["prevHash", "parentHash", "parent"])
def test_the_ledger_s_block_is_in_the_web_client_s_words(name: str) -> None:
    data: dict[str, JsonValue] = {"blockHeight": 7, "transactions": 3, "producer": "v1", "hash": "0xb", name: "0xa"}
    frame = decoded(encode_ledger(publication("chain.block", data)))
    assert frame["block"] == frame["data"]
    assert frame["block"] == {
        "height": 7,
        "transactionCount": 3,
        "validator": "v1",
        "hash": "0xb",
        "timestamp": AT_MS,
        "size": None,
        "blockTime": None,
        "prevHash": "0xa",
        "reasons": {"size": NONE, "blockTime": NONE},
    }


def test_a_block_without_the_one_before_it_says_so() -> None:
    block = client_block(publication("chain.block", {"blockHeight": 7}))
    assert block is not None
    reasons = block["reasons"]
    assert isinstance(reasons, dict)
    assert (block["prevHash"], reasons["prevHash"]) == (None, NONE)


@pytest.mark.parametrize(
    ("type_", "data", "word", "told"),
    [
        ("portal.dashboard", {"nodeHealth": []}, "metrics", {"nodeHealth": []}),
        ("portal.nodes", {"nodes": [{"nodeId": "p"}], "timestamp": 1}, "nodes", [{"nodeId": "p"}]),
        ("portal.performance", {"latency": {}}, "performance", {"latency": {}}),
    ],
)
def test_the_dashboard_s_objects_are_told_by_their_words(
    type_: str, data: dict[str, JsonValue], word: str, told: JsonValue
) -> None:
    frame = decoded(encode_dashboard(publication(type_, {**data, "provenance": ORIGIN})))
    assert frame == {"type": word, "data": told, "timestamp": AT_MS, "provenance": ORIGIN}


def test_the_console_s_metrics_are_told() -> None:
    frame = decoded(encode_console(publication("portal.realtime", {"tps": 5, "provenance": ORIGIN})))
    assert frame == {"type": "realtime_metrics", "data": {"tps": 5}, "timestamp": AT_MS, "provenance": ORIGIN}


def test_the_feed_names_sender_and_receiver_and_why_one_is_missing() -> None:
    frame = decoded(encode_feed(publication("chain.transaction", TX)))
    data = frame["data"]
    assert isinstance(data, dict)
    assert (data["sender"], data["receiver"], data["timestamp"]) == ("0xaa", None, ISO)
    assert data["reasons"]["receiver"] == NONE
    assert "sender" not in data["reasons"]
    whole = {**TX, "to": "0xbb", "fee": 1, "blockHeight": 7, "gasUsed": 5}
    data = decoded(encode_feed(publication("chain.transaction", whole)))["data"]
    assert isinstance(data, dict)
    assert "reasons" not in data


@pytest.mark.parametrize(
    ("type_", "data", "told"),
    [
        ("portal.analytics", {"tps": 5, "provenance": ORIGIN}, {"tps": 5}),
        ("chain.block", {"blockHeight": 7, "blockTime": 1, "transactions": 2, "producer": "v"}, None),
        ("chain.transaction", TX, None),
    ],
)
def test_a_message_names_its_channel(type_: str, data: JsonValue, told: JsonValue) -> None:
    frame = decoded(message_encoder("c")(publication(type_, data)))
    assert (frame["type"], frame["channel"], frame["timestamp"]) == ("message", "c", AT_MS)
    inner = frame["data"]
    assert isinstance(inner, dict)
    assert told is None or inner == told
    assert inner.get("status", "failed") == "failed"


@pytest.mark.parametrize("encode", [encode_ledger, encode_dashboard, encode_console, encode_feed, message_encoder("c")])
def test_what_is_of_another_kind_is_not_told(encode: object) -> None:
    assert callable(encode)
    for type_ in ("host.metrics", "portal.nonsense", "chain.transaction"):
        assert encode(publication(type_, [1])) is None
    assert client_transaction(publication("chain.block", {"blockHeight": 7})) is None
    assert client_block(publication("chain.transaction", TX)) is None
