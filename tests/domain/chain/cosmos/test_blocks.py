"""Blocks and headers of every version, and that those of another chain are not taken."""

import pytest
from msgspec.structs import replace

from domain.chain.cosmos import CosmosFault, Known, as_bech32, read_block, read_block_results, read_blockchain
from domain.chain.cosmos.blocks import read_new_block, read_new_block_events, read_new_block_header
from domain.chain.observations import BlockSeen, HeadSeen, JailSeen, SetChanged, ValidatorRow, ValidatorsRead

A, B = "AA" * 20, "BB" * 20
AT = 1_700_000_000.123456


def slash_of(event, address: str):
    written = as_bech32(address, "cosmosvalcons")
    return event("slash", address=written, power="7", reason="missing_signature", jailed=written)


def test_a_new_block_is_the_head_and_the_block(new_block, origin):
    head, block = read_new_block(new_block(7, txs=["dHg="]), origin).observations
    place = replace(origin, method="NewBlock", height=7, at=AT)
    assert head == HeadSeen(place, 7, AT, "AB" * 32)
    assert block == BlockSeen(
        place, 7, AT, hash="AB" * 32, parent="CD" * 32, transactions=1, failed=None, proposer="AA" * 20
    )


def test_a_block_without_transactions_has_none_that_failed(new_block, origin):
    for txs in (None, []):
        _, block = read_new_block(new_block(7, txs=txs), origin).observations
        assert (block.transactions, block.failed) == (0, 0)


def test_transactions_that_failed_are_counted_where_their_results_are_there(new_block, origin):
    results = {"tx_results": [{}, {"code": 5}, {"code": 0}]}
    value = new_block(7, txs=["YQ==", "Yg==", "Yw=="], result_finalize_block=results)
    _, block = read_new_block(value, origin).observations
    assert (block.transactions, block.failed) == (3, 1)


@pytest.mark.parametrize("version", ["0.34", "0.38"])
def test_a_new_block_tells_whom_it_jails_and_how_the_set_changes(new_block, event, origin, version):
    update = {"address": A}
    results = (
        {"result_finalize_block": {"events": [slash_of(event, A)], "validator_updates": [update]}}
        if version == "0.38"
        else {
            "result_begin_block": {"events": [slash_of(event, A)]},
            "result_end_block": {"events": None, "validator_updates": [update]},
        }
    )
    head, _, jailed, changed = read_new_block(new_block(7, **results), origin).observations
    assert jailed == JailSeen(head.provenance, A, "downtime", 7)
    assert changed == SetChanged(head.provenance, ((A, 0),))


def test_a_header_is_the_head_and_up_to_037_the_events_too(header, event, origin):
    (head,) = read_new_block_header({"header": header(7)}, origin).observations
    assert head == HeadSeen(replace(origin, method="NewBlockHeader", height=7, at=AT), 7, AT)
    old = {"header": header(7), "num_txs": "0", "result_begin_block": {"events": [slash_of(event, A)]}}
    assert read_new_block_header(old, origin).observations[1] == JailSeen(head.provenance, A, "downtime", 7)


@pytest.mark.parametrize("height", ["7", 7])
def test_the_events_of_a_block_stand_at_its_height(event, origin, height):
    (jailed,) = read_new_block_events({"height": height, "events": [slash_of(event, A)]}, origin).observations
    assert jailed == JailSeen(replace(origin, method="NewBlockEvents", height=7), A, "downtime", 7)


def test_what_is_known_completes_a_block(new_block, origin):
    known = Known()
    rows = (ValidatorRow(A, power=3), ValidatorRow(B, power=1))
    read = ValidatorsRead(replace(origin, method="validators", height=5), rows, is_complete=True)
    known.learn([HeadSeen(origin, 6, AT - 6.5), read])
    signatures = [{"block_id_flag": 2, "validator_address": A}, {"block_id_flag": 1, "validator_address": ""}]
    block = read_new_block(new_block(7, signatures=signatures), origin, known).observations[1]
    assert (block.interval, block.signed_share) == (pytest.approx(6.5), 0.75)
    (asked,) = read_block(new_block(7, signatures=signatures), origin, known).observations
    assert asked == replace(block, provenance=replace(block.provenance, method="block"))


def test_results_are_those_of_their_block(new_block, event, origin):
    (block,) = read_block(new_block(7, txs=["YQ=="]), origin).observations
    results = {"height": "7", "txs_results": [{"code": 1}], "finalize_block_events": [slash_of(event, A)]}
    complete, jailed = read_block_results(results, origin, block).observations
    assert complete == replace(block, failed=1)
    assert jailed == JailSeen(replace(origin, method="block_results", height=7, at=AT), A, "downtime", 7)
    (alone,) = read_block_results(results, origin).observations
    assert (alone.provenance.height, alone.provenance.at) == (7, None)


def test_results_of_another_block_are_a_fault(new_block, origin):
    (block,) = read_block(new_block(8), origin).observations
    with pytest.raises(CosmosFault, match="not of 8"):
        read_block_results({"height": "7"}, origin, block)


def test_headers_come_lowest_first_with_their_intervals(header, origin):
    metas = [
        {"block_id": {"hash": "AB" * 32}, "header": header(9, time="2023-11-14T22:13:30Z"), "num_txs": "0"},
        {"header": header(7), "num_txs": "4"},
        {"header": header(6, time="2023-11-14T22:13:14.123456Z")},
    ]
    blocks = read_blockchain({"last_height": "9", "block_metas": metas}, origin).observations
    assert [(one.height, one.transactions, one.failed) for one in blocks] == [(6, 0, 0), (7, 4, None), (9, 0, 0)]
    assert [one.interval for one in blocks] == [None, pytest.approx(6.0), None]
    assert [one.hash for one in blocks] == [None, None, "AB" * 32]


def test_history_stays_history(new_block, origin):
    (block,) = read_block(new_block(7), replace(origin, is_history=True)).observations
    assert block.provenance.is_history


@pytest.mark.parametrize(
    "read",
    [
        lambda header, origin: read_new_block({"block": {"header": header}}, origin),
        lambda header, origin: read_new_block_header({"header": header}, origin),
        lambda header, origin: read_block({"block": {"header": header}}, origin),
        lambda header, origin: read_blockchain({"block_metas": [{"header": header}]}, origin),
    ],
)
def test_a_block_of_another_chain_is_a_fault(header, origin, read):
    with pytest.raises(CosmosFault, match="of the chain 'otherhub-1', not of testhub-1"):
        read(header(7, chain_id="otherhub-1"), origin)


@pytest.mark.parametrize(
    "wrong",
    [
        {"chain_id": None},
        {"height": None},
        {"height": "-7"},
        {"time": "noon"},
        {"proposer_address": "nobody"},
        {"last_block_id": []},
    ],
)
def test_a_header_that_makes_no_sense_is_a_fault(header, origin, wrong):
    with pytest.raises(CosmosFault):
        read_new_block_header({"header": {**header(7), **wrong}}, origin)


def test_the_first_block_has_no_parent(header, origin):
    first = header(1, last_block_id={"hash": "", "parts": {}})
    (block,) = read_block({"block": {"header": first}}, origin).observations
    assert block.parent is None
