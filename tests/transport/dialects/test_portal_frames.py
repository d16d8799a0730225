from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from domain import Event, JsonValue, Priority, Publication, channel_of
from domain.chain import LIVE
from transport.dialects.portal_frames import (
    LIVE_TYPES,
    encode_chain,
    encode_live,
    encode_metrics,
    encode_transaction,
    live_frame,
)

Object = dict[str, object]
AT = 1730000000.0
ISO = "2024-10-27T03:33:20.000Z"

TRANSACTION: dict[str, JsonValue] = {
    "txHash": "0x1234",
    "from": "0xaa",
    "to": "0xbb",
    "value": "1000000000000000000",
    "status": "SUCCESS",
    "gasUsed": 21000,
    "blockHeight": 12345,
    "fee": 42,
}
ORIGIN = {
    "source": "/chain",
    "height": None,
    "method": None,
    "observedAt": ISO,
    "ageMs": 0,
    "confirmedBy": None,
    "reasons": dict.fromkeys(("height", "method", "confirmedBy"), "the event carried none"),
}
AT_HEIGHT = {
    **ORIGIN,
    "height": 12345,
    "reasons": dict.fromkeys(("method", "confirmedBy"), "the event carried none"),
}
TPS: dict[str, JsonValue] = {"currentTPS": 776390, "peakTPS": 800000, "averageTPS": 750000, "latency": 42}


def publication(type_: str, data: JsonValue) -> Publication:
    event = Event("1", "/chain", type_, data, AT, Priority.NORMAL)
    return Publication(channel_of(event), "e1", 1, AT, event)


def decoded(payload: bytes | None) -> Object:
    assert payload is not None
    value: Object = json.loads(payload)
    return value


# The reading rules of the three generations of clients.


def as_the_documents_read(frame: Object) -> Object:
    """The seed documents' clients read every field flat."""
    return {name: value for name, value in frame.items() if name not in {"data", "payload"}}


def as_the_manager_reads(frame: Object) -> tuple[object, object]:
    """The web client of the documents' time has one handler for each ``type``, which is given ``payload``."""
    return frame["type"], frame["payload"]


def as_the_web_client_reads(frame: Object, door: str) -> Object | None:
    """The later web client routes by ``channel`` where there is one, and gives ``data`` to the listeners of a door."""
    if frame.get("channel", door) != door:
        return None
    value = frame["data"]
    assert isinstance(value, dict)
    return value


def test_an_update_of_the_live_stream_is_as_the_contract_says() -> None:
    assert decoded(encode_live(publication("portal.tps", TPS))) == {
        "type": "tps_update",
        **TPS,
        "timestamp": 1730000000000,
        "payload": TPS,
        "data": TPS,
        "provenance": ORIGIN,
    }


@pytest.mark.parametrize("type_", LIVE)
def test_all_three_generations_read_an_update_of_the_live_stream(type_: str) -> None:
    frame = decoded(encode_live(publication(type_, TPS)))
    assert as_the_documents_read(frame).items() >= TPS.items()
    assert as_the_manager_reads(frame) == (LIVE_TYPES[type_], TPS)
    assert as_the_web_client_reads(frame, "live-stream") == TPS
    assert isinstance(frame["timestamp"], int)


def test_members_that_would_mislead_a_client_do_not_stand_flat() -> None:
    members: dict[str, JsonValue] = dict.fromkeys(("type", "channel", "payload", "data", "timestamp"), "theirs")
    frame = decoded(live_frame("block_update", {**members, "blockHeight": 1}, AT))
    assert frame["type"] == "block_update"
    assert frame["timestamp"] == 1730000000000
    assert "channel" not in frame
    assert frame["payload"] == frame["data"] == {**members, "blockHeight": 1}


@pytest.mark.parametrize(("type_", "data"), [("chain.block", TPS), ("portal.metrics", TPS), ("portal.tps", None)])
def test_what_is_no_update_is_not_told_on_the_live_stream(type_: str, data: JsonValue) -> None:
    assert encode_live(publication(type_, data)) is None


def test_the_metrics_are_flat_and_in_data_with_a_text_timestamp() -> None:
    members: dict[str, JsonValue] = {"timestamp": ISO, "tps": 8510000, "cpu": 45.2, "avgTps": 1}
    frame = decoded(encode_metrics(publication("portal.metrics", members)))
    assert frame == {**members, "data": members, "provenance": ORIGIN}
    # The presence of tps gates the whole of the web client's metrics.
    assert (as_the_web_client_reads(frame, "metrics") or {})["tps"] == 8510000


def test_metrics_that_are_no_object_are_not_told() -> None:
    assert encode_metrics(publication("portal.metrics", 5)) is None


def test_a_transaction_is_in_both_vocabularies_with_each_its_own_status() -> None:
    frame = decoded(encode_transaction(publication("chain.transaction", TRANSACTION)))
    members = {
        "timestamp": ISO,
        **TRANSACTION,
        "id": "0x1234",
        "hash": "0x1234",
        "amount": 1000000000000000000,
    }
    assert frame == {**members, "data": {**members, "status": "confirmed"}, "provenance": AT_HEIGHT}
    assert as_the_documents_read(frame)["status"] == "SUCCESS"
    # The presence of id gates a row of the web client's feed.
    assert (as_the_web_client_reads(frame, "transactions") or {})["id"] == "0x1234"


@pytest.mark.parametrize(
    ("type_", "members"),
    [
        (
            "validator.status",
            {
                "validator": "0xvalidator",
                "status": "ACTIVE",
                "votingPower": 1000000,
                "uptime": 99.95,
                "lastBlockProposed": 12345,
            },
        ),
        (
            "chain.consensus",
            {
                "leader": "0xleader",
                "epoch": 145,
                "round": 3,
                "term": 7,
                "state": "COMMITTED",
                "performanceScore": 0.98,
                "activeValidators": 156,
            },
        ),
        (
            "chain.peer",
            {"peerId": "peer-abc", "ip": "192.168.1.100", "connected": True, "latency": 25, "version": "11.4.3"},
        ),
    ],
)
def test_the_other_dtos_are_the_same_flat_and_in_data(type_: str, members: Mapping[str, JsonValue]) -> None:
    beside = {"exactStatus": members["status"]} if "status" in members else {}
    expected = {"timestamp": ISO, **members, **beside}
    frame = decoded(encode_chain(publication(type_, members)))
    assert frame == {**expected, "data": expected, "provenance": ORIGIN}


@pytest.mark.parametrize("word", ["confirmed", "retracted", "conflict"])
def test_what_is_said_of_a_status_is_told_with_the_status_that_it_has_then(word: str) -> None:
    frame = decoded(encode_chain(publication(f"validator.{word}", {"validator": "v", "status": "ACTIVE"})))
    assert (frame["validator"], frame["status"], frame["event"]) == ("v", "ACTIVE", f"validator.{word}")
    assert encode_chain(publication(f"validator.{word}", {"status": "ACTIVE"})) is None
    assert encode_chain(publication(f"validator.{word}", None)) is None


def test_provenance_that_an_event_carries_stands_beside_the_fields_and_not_among_them() -> None:
    told: dict[str, JsonValue] = {"source": "node1", "height": 7, "method": "m", "ageMs": 5, "confirmedBy": ["node1"]}
    told["observedAt"] = ISO
    frame = decoded(encode_chain(publication("chain.peer", {"peerId": "p", "connected": True, "provenance": told})))
    assert frame["provenance"] == told
    assert "provenance" not in (as_the_web_client_reads(frame, "network") or {})


def test_an_age_stands_in_the_provenance_alone_where_it_is_that_of_the_telling() -> None:
    told: dict[str, JsonValue] = {**TRANSACTION, "source": "node1", "ageMs": 0}
    frame = decoded(encode_transaction(publication("chain.transaction", told)))
    inner = frame["data"]
    assert isinstance(inner, dict)
    assert "ageMs" not in frame
    assert "ageMs" not in inner
    assert inner["source"] == "node1"


@pytest.mark.parametrize("encode", [encode_chain, encode_transaction])
def test_a_publication_of_another_kind_is_not_told(encode: object) -> None:
    assert callable(encode)
    assert encode(publication("host.metrics", {"cpu": 1})) is None
    assert encode(publication("chain.transaction", [1])) is None


def test_members_beyond_a_dto_are_passed_on_but_never_as_the_frame_s_channel() -> None:
    data: dict[str, JsonValue] = {"peerId": "p", "connected": True, "moniker": "m", "channel": "x", "type": "seed"}
    frame = decoded(encode_chain(publication("chain.peer", data)))
    assert frame["moniker"] == "m"
    assert "channel" not in frame
    inner = frame["data"]
    assert isinstance(inner, dict)
    assert (inner["channel"], inner["type"]) == ("x", "seed")


def test_no_frame_repeats_a_name() -> None:
    for payload in (
        encode_live(publication("portal.tps", TPS)),
        encode_transaction(publication("chain.transaction", TRANSACTION)),
        encode_metrics(publication("portal.metrics", {"timestamp": ISO, "tps": 1})),
    ):
        assert payload is not None
        json.loads(payload, object_pairs_hook=_refuse_repeated)


def _refuse_repeated(pairs: list[tuple[str, object]]) -> Object:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)
