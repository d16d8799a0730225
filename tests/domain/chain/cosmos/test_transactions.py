"""Transactions: their hash, their fate, and the first transfer that is not the fee."""

from hashlib import sha256

import pytest

from domain.chain.cosmos import CosmosFault, as_bech32, read_unconfirmed
from domain.chain.cosmos.transactions import read_transaction
from domain.chain.observations import JailSeen, PoolRead

COLLECTOR = as_bech32(sha256(b"fee_collector").hexdigest()[:40], "cosmos")
TX = "dHgxPXZhbHVl"
# Of a node that was asked (tendermint-rs, kvstore_v0_34/subscribe_txs_1.json).
HASH = "9F424A8E634AAF63CFA61151A306AA788C9CC792F16B370F7867ED0BD972476C"


def read(origin, *events, flat=None, tx: str | None = TX, **result):
    value = {"TxResult": {"height": "80", "tx": tx, "result": {"events": list(events), **result}}}
    return read_transaction(value, origin, flat or {}).observations[0]


def fee(event, **more):
    return event("transfer", recipient=COLLECTOR, sender="payer", amount="881stake", **more)


def test_the_collector_of_fees_is_the_account_that_chains_have():
    assert COLLECTOR == "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta"


def test_a_transaction_is_named_by_the_digest_of_its_bytes(origin):
    assert read(origin).hash == HASH
    assert read(origin, tx=None, flat={"tx.hash": [HASH.lower()]}).hash == HASH


@pytest.mark.parametrize("flat", [{}, {"tx.hash": []}, {"tx.hash": ["none"]}, {"tx.hash": [7]}])
def test_a_transaction_without_bytes_and_name_is_a_fault(origin, flat):
    with pytest.raises(CosmosFault, match="hash"):
        read(origin, tx=None, flat=flat)


@pytest.mark.parametrize(("code", "status"), [(None, "SUCCESS"), (0, "SUCCESS"), ("0", "SUCCESS"), (5, "FAILED")])
def test_a_code_that_is_left_out_is_success(origin, code, status):
    assert read(origin, code=code).status == status
    assert read(origin).status == "SUCCESS"


def test_gas_that_is_left_out_is_none_at_all(origin):
    assert read(origin).gas_used == 0
    assert read(origin, gas_used="79943").gas_used == 79943


@pytest.mark.parametrize("coded", [True, False])
def test_the_fee_is_no_transfer_of_the_senders(event, origin, coded):
    seen = read(
        origin,
        fee(event, coded=coded),
        event("tx", coded=coded, fee="881stake", fee_payer="payer"),
        event("transfer", coded=coded, recipient="to", sender="from", amount="12uatom,3stake"),
        event("transfer", coded=coded, recipient="other", sender="from", amount="1uatom"),
    )
    assert (seen.sender, seen.recipient, seen.value, seen.transfers) == ("from", "to", "12uatom,3stake", 2)
    assert seen.fee == "881stake"


def test_a_transaction_that_moves_nothing_has_its_sender_alone(event, origin):
    seen = read(origin, fee(event), event("message", sender="signer"), event("tx", fee="881stake", fee_payer="payer"))
    assert (seen.sender, seen.recipient, seen.value, seen.transfers) == ("signer", None, None, 0)
    assert read(origin, event("message", sender=""), event("tx", fee="", fee_payer="payer")).sender == "payer"
    nobody = read(origin)
    assert (nobody.sender, nobody.fee, nobody.transfers) == (None, None, 0)


def test_a_transfer_without_a_sender_is_the_signers(event, origin):
    seen = read(origin, event("transfer", recipient="to", amount="1uatom"), event("message", sender="signer"))
    assert (seen.sender, seen.recipient) == ("signer", "to")


def test_merged_transfers_are_counted_apart(event, origin):
    parts = [event("transfer", recipient=one, sender="from", amount="1uatom") for one in ("to", "other")]
    merged = {"type": "transfer", "attributes": [one for part in parts for one in part["attributes"]]}
    seen = read(origin, merged)
    assert (seen.recipient, seen.transfers) == ("to", 2)


def test_a_transaction_stands_at_its_height(origin):
    place = read(origin).provenance
    assert (place.method, place.height, place.at) == ("Tx", 80, None)


def test_a_transaction_may_jail(event, origin):
    jailed = as_bech32("AA" * 20, "cosmosvalcons")
    slash = event("slash", address=jailed, reason="double_sign", jailed=jailed)
    value = {"TxResult": {"height": "80", "tx": TX, "result": {"events": [slash]}}}
    seen, jail = read_transaction(value, origin, {}).observations
    assert jail == JailSeen(seen.provenance, "AA" * 20, "double_sign")


def test_a_bad_event_costs_only_itself(event, origin):
    bad = {"type": "transfer", "attributes": [{"key": "c2VuZGVy", "value": "not base64!"}]}
    good = event("transfer", recipient="to", sender="from", amount="1uatom")
    value = {"TxResult": {"height": "80", "tx": TX, "result": {"events": [bad, good]}}}
    told = read_transaction(value, origin, {})
    assert (told.observations[0].recipient, len(told.faults)) == ("to", 1)


def test_what_waits_in_the_pool_is_pending(origin):
    told = read_unconfirmed({"n_txs": "2", "total": "2", "txs": [TX, "not base64!", None]}, origin)
    pool, *waiting = told.observations
    assert pool == PoolRead(pool.provenance, 2)
    assert [(one.hash, one.status, one.provenance.height) for one in waiting] == [(HASH, "PENDING", None)]
    assert len(told.faults) == 2


def test_the_pool_is_as_large_as_the_node_says_and_not_as_what_it_shows(origin):
    (pool,) = read_unconfirmed({"n_txs": "31", "total": "82", "txs": None}, origin).observations
    assert pool.pending == 82
    assert read_unconfirmed({"n_txs": "31"}, origin).observations[0].pending == 31
    assert read_unconfirmed({}, origin).observations[0].pending == 0
