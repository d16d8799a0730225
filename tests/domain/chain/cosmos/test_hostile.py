"""Whatever bytes a node sends, a reader reads them or says what is wrong with them: nothing else is ever raised."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import JsonValue
from domain.chain.cosmos import (
    CosmosFault,
    Known,
    Paging,
    Told,
    answer_to,
    as_bech32,
    read_block,
    read_block_results,
    read_blockchain,
    read_consensus_state,
    read_message,
    read_net_info,
    read_slashing_rules,
    read_status,
    read_unconfirmed,
    release_of,
)
from domain.chain.observations import BlockSeen, Provenance
from transport.codec import CodecError, decode_json

ORIGIN = Provenance("testhub-1", "node1", "", 0.0)
A = "AA" * 20
WHO = as_bech32(A, "cosmosvalcons")
KEY = "bNNlGls5R25wC3Sd8720F/3+7IZBhXcD22MNFtPk/v0="
HEADER = {
    "chain_id": "testhub-1",
    "height": "7",
    "time": "2023-11-14T22:13:20Z",
    "last_block_id": {"hash": "CD" * 32},
    "proposer_address": A,
}
EVENTS = [
    {"type": "slash", "attributes": [{"key": "address", "value": WHO}, {"key": "reason", "value": "double_sign"}]},
    {"type": "slash", "attributes": [{"key": "amFpbGVk", "value": "Y29zbW9z"}, {"key": "power", "value": "7"}]},
    {"type": "liveness", "attributes": [{"key": "address", "value": WHO}, {"key": "missed_blocks", "value": "9"}]},
    {"type": "transfer", "attributes": [{"key": "recipient", "value": "to"}, {"key": "amount", "value": "1uatom"}]},
]
UPDATES = [
    {"pub_key": {"Sum": {"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": KEY}}}, "power": "7"},
    {"address": A, "pub_key": {"type": "tendermint/PubKeyEd25519", "value": KEY}, "voting_power": "1"},
    {"pub_key_bytes": KEY, "pub_key_type": "ed25519"},
]
BLOCK = {
    "block_id": {"hash": "AB" * 32},
    "block": {
        "header": HEADER,
        "data": {"txs": ["dHg="]},
        "last_commit": {"signatures": [{"block_id_flag": 2, "validator_address": A}]},
    },
    "result_begin_block": {"events": EVENTS},
    "result_end_block": {"validator_updates": UPDATES},
    "result_finalize_block": {"tx_results": [{"code": 5, "events": EVENTS}], "validator_updates": None},
}
RESULTS = {"height": "7", "txs_results": [{"events": EVENTS}], "finalize_block_events": EVENTS}
ROUND = {"height": "7", "round": 0, "step": "RoundStepPropose", "proposer": {"address": A}}
TX = {"TxResult": {"height": "7", "tx": "dHg=", "result": {"code": 0, "gas_used": "9", "events": EVENTS}}}
STAKED = {
    "consensus_pubkey": {"@type": "/cosmos.crypto.ed25519.PubKey", "key": KEY},
    "jailed": True,
    "status": "BOND_STATUS_BONDED",
    "description": {"moniker": "one"},
}
SIGNING = {"address": WHO, "jailed_until": "1970-01-01T00:00:00Z", "tombstoned": False, "missed_blocks_counter": "1"}
STATUS = {
    "node_info": {"network": "testhub-1", "version": "0.38.12"},
    "sync_info": {"latest_block_height": "7", "latest_block_time": "2023-11-14T22:13:20Z", "catching_up": False},
}


def known() -> Known:
    memory = Known()
    memory.learn(Paging.of_active_set().take(SET, ORIGIN).observations)
    return memory


def message(kind: str, value: JsonValue) -> JsonValue:
    return {"query": "", "data": {"type": f"tendermint/event/{kind}", "value": value}, "events": {"tx.hash": ["AB"]}}


SET = {"block_height": "5", "validators": [{"address": A, "voting_power": "1"}], "total": "1"}
PAGES = {"pagination": {"next_key": "AA=="}}
PARAMS = {"signed_blocks_window": "9", "min_signed_per_window": "0.5", "downtime_jail_duration": "600s"}

# What a node may well say, and who reads it.
READERS: dict[str, tuple[Callable[[JsonValue], object], JsonValue]] = {
    "NewBlock": (lambda value: read_message(value, ORIGIN, known()), message("NewBlock", BLOCK)),
    "NewBlockHeader": (lambda value: read_message(value, ORIGIN), message("NewBlockHeader", {"header": HEADER})),
    "NewBlockEvents": (
        lambda value: read_message(value, ORIGIN),
        message("NewBlockEvents", {"height": "7", "events": EVENTS}),
    ),
    "set": (
        lambda value: read_message(value, ORIGIN),
        message("ValidatorSetUpdates", {"validator_updates": UPDATES}),
    ),
    "NewRound": (lambda value: read_message(value, ORIGIN), message("NewRound", ROUND)),
    "RoundState": (lambda value: read_message(value, ORIGIN), message("RoundState", ROUND)),
    "Tx": (lambda value: read_message(value, ORIGIN), message("Tx", TX)),
    "block": (lambda value: read_block(value, ORIGIN, known()), BLOCK),
    "block_results": (lambda value: read_block_results(value, ORIGIN), RESULTS),
    "results": (lambda value: read_block_results(value, ORIGIN, BlockSeen(ORIGIN, 7, 0.0)), RESULTS),
    "blockchain": (
        lambda value: read_blockchain(value, ORIGIN),
        {"block_metas": [{"header": HEADER, "num_txs": "1", "block_id": {"hash": "AB"}}, {"header": HEADER}]},
    ),
    "unconfirmed": (lambda value: read_unconfirmed(value, ORIGIN), {"n_txs": "1", "txs": ["dHg="]}),
    "status": (lambda value: release_of(read_status(value, ORIGIN).version), STATUS),
    "net_info": (
        lambda value: read_net_info(value, ORIGIN),
        {"n_peers": "1", "peers": [{"node_info": {"id": "ab", "moniker": "one"}, "remote_ip": "10.0.0.7"}]},
    ),
    "consensus": (
        lambda value: read_consensus_state(value, ORIGIN),
        {"round_state": {"height/round/step": "7/0/1", "proposer": {"address": A}}},
    ),
    "validators": (lambda value: Paging.of_active_set().take(value, ORIGIN), SET),
    "staking": (lambda value: Paging.of_staking().take(value, ORIGIN), {"validators": [STAKED], **PAGES}),
    "signing": (lambda value: Paging.of_signing_infos().take(value, ORIGIN), {"info": [SIGNING], **PAGES}),
    "params": (lambda value: read_slashing_rules(value, ORIGIN), {"params": PARAMS}),
    "answer": (lambda value: answer_to(1, value), {"jsonrpc": "2.0", "id": 1, "result": {}}),
    "error": (lambda value: answer_to(1, value), {"id": 1, "error": {"code": 1, "message": "no", "data": "x"}}),
}

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(
        ["", "-1", "9" * 30, "NaN", "\ud800", WHO[:-1], WHO.upper(), "A" * 500, "1970-01-01T00:00:00Z", 10**4000, -1]
    )
)
JUNK = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def places(value: JsonValue, way: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every value inside of ``value``."""
    found = [way]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        found += places(one, (*way, key))
    return found


def changed(value: JsonValue, way: tuple[str | int, ...], junk: JsonValue, *, gone: bool) -> JsonValue:
    """``value`` with something else at the end of ``way``, or nothing."""
    if not way:
        return junk
    copy = dict(value) if isinstance(value, dict) else list(value)
    if gone and len(way) == 1:
        del copy[way[0]]
    else:
        copy[way[0]] = changed(copy[way[0]], way[1:], junk, gone=gone)
    return copy


def read(reader: Callable[[JsonValue], object], value: JsonValue) -> None:
    try:
        told = reader(value)
    except CosmosFault as fault:
        assert str(fault)  # noqa: PT017
        assert str(fault).isprintable()  # noqa: PT017
        return
    if isinstance(told, Told):
        assert all(str(fault) for fault in told.faults)


@pytest.mark.parametrize("name", READERS)
def test_what_a_node_may_well_say_is_read(name):
    if name != "error":
        reader, value = READERS[name]
        reader(value)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=50)
@given(data=st.data())
def test_a_message_with_anything_in_it_is_read_or_a_fault(name, data):
    reader, value = READERS[name]
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(places(value)))
        value = changed(value, way, data.draw(JUNK), gone=data.draw(st.booleans()))
    read(reader, value)


@given(name=st.sampled_from(sorted(READERS)), value=JUNK)
def test_any_value_is_read_or_a_fault(name, value):
    read(READERS[name][0], value)


@given(name=st.sampled_from(sorted(READERS)), data=st.data())
def test_any_bytes_are_read_or_a_fault(name, data):
    reader, value = READERS[name]
    sent = bytearray(json.dumps(value).encode())
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(sent) - 1))
        sent[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
        if not sent:
            return
    try:
        received = decode_json(bytes(sent))
    except CodecError:
        return
    read(reader, received)
