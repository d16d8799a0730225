"""The readers on what real nodes said, where the recordings are at hand: V2, V3's first half, and the traps."""

import pytest
from msgspec.structs import replace

from domain.chain.cosmos import (
    CosmosFault,
    Known,
    Lane,
    NodeRefused,
    Paging,
    Refused,
    Release,
    Session,
    answer_to,
    as_bech32,
    queries_of,
    read_block,
    read_block_results,
    read_blockchain,
    read_consensus_state,
    read_message,
    read_net_info,
    read_slashing_rules,
    read_status,
    release_of,
)
from domain.chain.cosmos.addresses import address_of_key
from domain.chain.cosmos.jails import read_jails
from domain.chain.cosmos.records import read_active_set
from domain.chain.cosmos.transactions import read_transaction
from domain.chain.observations import BlockSeen, BlocksMissed, HeadSeen, JailSeen, SetChanged, TransactionSeen

KVSTORES = ("kvstore_v0_34", "kvstore_v0_37", "kvstore_v0_38")

# Height, reason and who, as the blocks have them in Bech32.
JAILINGS = {
    "slash_missing_signature_block_results_full.json": (
        28,
        "downtime",
        {
            "crocnclcons1548f5hydddg0ea4sdgxse7t7j4jn84zp6y954e": 312,
            "crocnclcons1nftg2n9gzjr2l7lemcshk0v8wdmuuzq8nulnvs": 212,
        },
    ),
    "slash_missing_signature_block_results_trimmed.json": (
        168481,
        "downtime",
        {
            "crocnclcons18vyrj3se6cvdryk3vp09x88n46894ukjywnfmy": 17274617,
            "crocnclcons10wy4k3dkjd3htgleaxlzmakh0k4h8ql23cpusx": 9902032,
        },
    ),
    "slash_double_sign_block_results.json": (
        165487,
        "double_sign",
        {"crocnclcons1fnht46350sxm2e6w8ma3as2l6wdl78rfym8gku": 15600000},
    ),
}


def only(told, kind: type) -> list:
    return [one for one in told.observations if isinstance(one, kind)]


@pytest.mark.parametrize("name", JAILINGS)
def test_a_recorded_jailing_has_its_validators_and_its_reason(recorded, origin, name):
    height, reason, jailed = JAILINGS[name]
    told = read_block_results(recorded(f"crypto-org-chain/{name}"), origin)
    assert told.faults == ()
    seen = only(told, JailSeen)
    assert {as_bech32(one.address, "crocnclcons"): one.power for one in seen} == jailed
    assert len(seen) == len(jailed)
    assert {one.reason for one in seen} == {reason}
    assert {one.provenance.height for one in told.observations} == {height}


@pytest.mark.parametrize("name", JAILINGS)
def test_the_two_signals_of_a_recorded_jailing_name_the_same_validators(recorded, origin, name):
    told = read_block_results(recorded(f"crypto-org-chain/{name}"), origin)
    (changed,) = only(told, SetChanged)
    assert {address for address, _ in changed.powers} == {one.address for one in only(told, JailSeen)}
    # Their power is absent, which is none.
    assert {power for _, power in changed.powers} == {0}


@pytest.mark.parametrize("name", JAILINGS)
def test_without_its_slashes_a_recorded_block_only_changes_the_set(recorded, origin, name):
    results = recorded(f"crypto-org-chain/{name}")
    for place in ("begin_block_events", "end_block_events"):
        results[place] = [event for event in results.get(place) or [] if event["type"] != "slash"]
    told = read_block_results(results, origin)
    assert only(told, JailSeen) == []
    assert len(only(told, SetChanged)) == 1


def test_the_recorded_blocks_say_who_missed_how_many(recorded, origin):
    results = recorded("crypto-org-chain/slash_missing_signature_block_results_trimmed.json")
    missed = {one.address: one.missed for one in only(read_block_results(results, origin), BlocksMissed)}
    assert len(missed) == 42
    assert sorted(missed.values())[-5:] == [952, 976, 985, 1001, 1001]


def test_a_slash_of_a_newer_chain_is_plain_text(recorded, origin):
    event = recorded("cosmos-sdk-docs/slash_event_v050_missing_signature.json")
    (seen,) = read_jails({"finalize_block_events": [event]}, origin).observations
    assert as_bech32(seen.address, "cantovalcons") == "cantovalcons1720m87a44r6h37pmuhkkwfs3d4x4str7g0acah"
    assert (seen.reason, seen.power) == ("downtime", 1415)


@pytest.mark.parametrize(
    ("path", "height", "transactions", "failed"),
    [
        ("tendermint-rs/osmosis_fixtures/block_results_at_height_10499831.json", 10499831, 8, 0),
        ("tendermint-rs/dydx_fixtures/block_results_at_height_12791634.json", 12791634, 1, 0),
        ("tendermint-rs/sei_fixtures/block_results_with_failed_txs.json", 54810790, 28, 2),
        ("tendermint-rs/gaia_fixtures/block_results_at_height_10.json", 10, 0, 0),
        ("tendermint-rs/gaia_fixtures/block_results_at_height_4555980.json", 4555980, 4, 0),
        ("tendermint-rs/kvstore_v0_34/block_results_at_height_10.json", 10, 0, 0),
        ("tendermint-rs/kvstore_v0_38/block_results_at_height_10.json", 10, 0, 0),
        ("cosmjs-comet1/block_results.json", 137512194, 3, 0),
        ("cometbft-openapi/example_block_results.json", 12, 1, 0),
    ],
)
def test_recorded_results_of_every_version_are_read_without_a_fault(
    recorded, origin, path, height, transactions, failed
):
    results = recorded(path)
    told = read_block_results(results, origin, BlockSeen(origin, height, 0.0))
    assert told.faults == ()
    assert only(told, JailSeen) == []
    (block,) = only(told, BlockSeen)
    assert (block.transactions, block.failed) == (transactions, failed)


def test_a_recorded_liveness_in_base64_is_read(recorded, origin):
    results = recorded("tendermint-rs/osmosis_fixtures/block_results_at_height_10499831.json")
    (missed,) = only(read_block_results(results, origin), BlocksMissed)
    assert (missed.address, missed.missed) == ("1571038B5AAAB431EC011F6AB1094463C6ED9842", 3998)


def test_the_third_shape_of_an_update_is_read(recorded, origin):
    results = recorded("cosmjs-comet1/block_results.json")
    (changed,) = only(read_block_results(results, origin), SetChanged)
    key = results["validator_updates"][0]["pub_key_bytes"]
    assert changed.powers == ((address_of_key("ed25519", key), 820743),)


@pytest.mark.parametrize("version", [*KVSTORES, "gaia_fixtures"])
@pytest.mark.parametrize("number", range(5))
def test_recorded_messages_of_new_blocks_are_read(recorded, origin_on, version, number):
    message = recorded(f"tendermint-rs/{version}/subscribe_newblock_{number}.json")
    header = message["data"]["value"]["block"]["header"]
    told = read_message(message, origin_on(header["chain_id"]))
    assert told.faults == ()
    (head,), (block,) = only(told, HeadSeen), only(told, BlockSeen)
    assert head.height == block.height == int(header["height"])
    assert block.proposer == header["proposer_address"]
    assert block.parent == header["last_block_id"]["hash"]
    # Only newer nodes say the block's own hash beside it.
    assert (block.hash is None) == ("block_id" not in message["data"]["value"])


@pytest.mark.parametrize("version", KVSTORES)
def test_recorded_messages_of_transactions_are_read(recorded, origin, version):
    message = recorded(f"tendermint-rs/{version}/subscribe_txs_1.json")
    (seen,) = read_message(message, origin).observations
    assert isinstance(seen, TransactionSeen)
    # The node's own word for the hash is that of the bytes.
    assert [seen.hash] == message["events"]["tx.hash"]
    assert (seen.status, seen.gas_used) == ("SUCCESS", 0)


def test_the_fee_of_a_recorded_transaction_is_not_taken_for_a_transfer(recorded, origin):
    (found,) = recorded("tendermint-rs/simd_fixtures/tx_search.json")["txs"]
    value = {"TxResult": {"height": found["height"], "tx": found["tx"], "result": found["tx_result"]}}
    (seen,) = read_transaction(value, origin, {}).observations
    assert (seen.hash, seen.gas_used, seen.fee) == (found["hash"], 79943, "881stake")
    assert seen.sender == "cosmos175gsvrtdqe5j77566dfyf8f2pgle5v5u9xsda9"
    assert (seen.transfers, seen.recipient, seen.value) == (0, None, None)


@pytest.mark.parametrize("version", [*KVSTORES, "gaia_fixtures"])
def test_a_recorded_node_is_asked_what_its_release_knows(recorded, origin, version):
    status = read_status(recorded(f"tendermint-rs/{version}/status.json"), origin)
    minor = 34 if version == "gaia_fixtures" else int(version.rpartition("_")[2])
    assert release_of(status.version) == Release(0, minor)
    assert queries_of(Lane.CRITICAL, release_of(status.version))[0].text.startswith(
        "tm.event='NewBlockEvents'" if minor >= 38 else "tm.event='NewBlock'"
    )
    assert status.head.height > 0


@pytest.mark.parametrize("version", [*KVSTORES, "gaia_fixtures"])
def test_the_key_of_a_recorded_node_gives_its_own_address(recorded, version):
    info = recorded(f"tendermint-rs/{version}/status.json")["validator_info"]
    assert address_of_key(info["pub_key"]["type"], info["pub_key"]["value"]) == info["address"]


@pytest.mark.parametrize("version", [*KVSTORES, "gaia_fixtures"])
def test_recorded_blocks_and_headers_agree(recorded, origin_on, version):
    answer = recorded(f"tendermint-rs/{version}/block_at_height_10.json")
    origin = origin_on(answer["block"]["header"]["chain_id"])
    headers = read_blockchain(recorded(f"tendermint-rs/{version}/blockchain_from_1_to_10.json"), origin)
    assert [one.height for one in headers.observations] == list(range(1, 11))
    assert all(one.interval is not None for one in headers.observations[1:])
    known = Known()
    known.learn(headers.observations)
    (block,) = read_block(answer, origin, known).observations
    assert block == replace(headers.observations[-1], provenance=block.provenance)


@pytest.mark.parametrize("version", [*KVSTORES, "gaia_fixtures"])
def test_recorded_states_of_nodes_are_read(recorded, origin, version):
    (seen,) = read_consensus_state(recorded(f"tendermint-rs/{version}/consensus_state.json"), origin).observations
    assert (seen.height > 0, seen.round) == (True, 0)
    (read,) = read_net_info(recorded(f"tendermint-rs/{version}/net_info.json"), origin).observations
    assert (read.count, read.peers) == (0, ())


@pytest.mark.parametrize("version", KVSTORES)
def test_a_recorded_refusal_of_a_query_ends_its_subscription(recorded, version):
    session = Session(queries_of(Lane.BULK, Release(0, 38)))
    session.opened(0.0)
    answer = {**recorded(f"tendermint-rs/{version}/subscribe_malformed.json"), "id": 4}
    was_refused, _ = session.received(answer, 1.0)
    assert isinstance(was_refused, Refused)
    assert "failed to parse query" in was_refused.reason


def test_a_recorded_error_is_told_in_the_nodes_words(recorded):
    answer = recorded("tendermint-rs/kvstore_v0_34/block_at_height_0.json")
    with pytest.raises(NodeRefused, match="height must be greater than 0, but got 0"):
        answer_to(1, answer)


def test_the_examples_of_the_specification_are_read(recorded, origin):
    status = read_status(recorded("cometbft-openapi/example_status.json"), origin)
    assert (status.chain, status.head.height, status.earliest) == ("cosmoshub-2", 1262196, 1262196)
    (read,) = read_net_info(recorded("cometbft-openapi/example_net_info.json"), origin).observations
    assert [(one.id[:4], one.address, one.version) for one in read.peers] == [("5576", "95.179.155.35", "0.32.1")]
    (seen,) = read_consensus_state(recorded("cometbft-openapi/example_consensus_state.json"), origin).observations
    assert (seen.height, seen.step) == (1262197, "RoundStepCommit")
    page = read_active_set(recorded("cometbft-openapi/example_validators.json"), 1, 1)
    assert (page.rows[0].power, page.height, page.next, page.total) == (239727, 55, "2", 25)
    (changed,) = read_message(recorded("cometbft-openapi/docs-subscription-example-1.json"), origin).observations
    assert changed.powers == (("09EAD022FD25DE3A02E64B0FE9610B1417183EE4", 10),)


def test_the_examples_of_the_slashing_module_are_read(recorded, origin):
    (rules,) = read_slashing_rules(recorded("cosmos-sdk-docs/slashing_params.json"), origin).observations
    assert (rules.window, rules.least_signed, rules.jail_time) == (100, 0.5, 600.0)
    (read,) = (
        Paging.of_signing_infos().take(recorded("cosmos-sdk-docs/slashing_signing_infos.json"), origin).observations
    )
    (row,) = read.rows
    assert as_bech32(row.address, "cosmosvalcons") == "cosmosvalcons1nrqslkwd3pz096lh6t082frdqc84uwxn0t958c"
    assert (row.missed, row.jailed_until, row.is_tombstoned) == (0, None, False)


def test_recordings_of_one_chain_are_not_taken_for_another(recorded, origin):
    with pytest.raises(CosmosFault, match="not of testhub-1"):
        read_message(recorded("tendermint-rs/kvstore_v0_38/subscribe_newblock_1.json"), origin)
