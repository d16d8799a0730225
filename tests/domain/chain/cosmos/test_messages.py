"""Messages of a subscription, each by the type that it says it is."""

import pytest
from msgspec.structs import replace

from domain.chain.cosmos import CosmosFault, as_bech32, read_message
from domain.chain.observations import BlockSeen, HeadSeen, JailSeen, RoundSeen, SetChanged, TransactionSeen

A = "AA" * 20


def kinds(told) -> list[type]:
    return [type(one) for one in told.observations]


def test_each_type_gives_what_it_is_about(message, new_block, header, event, origin):
    slash = event("slash", jailed=as_bech32(A, "cosmosvalcons"))
    place = {"height": "7", "round": 0, "step": "RoundStepPropose"}
    messages = {
        "NewBlock": (new_block(7), [HeadSeen, BlockSeen]),
        "NewBlockHeader": ({"header": header(7)}, [HeadSeen]),
        "NewBlockEvents": ({"height": "7", "events": [slash], "num_txs": "0"}, [JailSeen]),
        "ValidatorSetUpdates": ({"validator_updates": [{"address": A, "voting_power": "0"}]}, [SetChanged]),
        "NewRound": ({**place, "proposer": {"address": A}}, [RoundSeen]),
        "RoundState": (place, [RoundSeen]),
        "Tx": ({"TxResult": {"height": "7", "tx": "dHg=", "result": {}}}, [TransactionSeen]),
    }
    for kind, (value, expected) in messages.items():
        assert kinds(read_message(message(kind, value), origin)) == expected, kind


def test_a_change_of_the_set_is_told_without_the_height_that_its_message_lacks(message, origin):
    value = {"validator_updates": [{"address": A, "voting_power": "10"}]}
    (changed,) = read_message(message("ValidatorSetUpdates", value), origin).observations
    assert changed == SetChanged(replace(origin, method="ValidatorSetUpdates"), ((A, 10),))


def test_the_lists_beside_a_message_are_never_paired(message, event, origin):
    b = "BB" * 20
    written, other = as_bech32(A, "cosmosvalcons"), as_bech32(b, "cosmosvalcons")
    events = [
        event("slash", address=written, power="1", reason="double_sign"),
        event("slash", jailed=written),
        event("slash", address=other, power="2", reason="missing_signature", jailed=other),
    ]
    # Three lists, of which the n-th of one belongs to no n-th of another.
    flat = {
        "slash.address": [written, other],
        "slash.reason": ["double_sign", "missing_signature"],
        "slash.jailed": [other],
    }
    told = read_message(message("NewBlockEvents", {"height": "7", "events": events}, flat), origin)
    assert [(one.address, one.reason) for one in told.observations] == [(A, "double_sign"), (b, "downtime")]


@pytest.mark.parametrize("kind", ["", "Vote", "CompleteProposal", "x" * 1000, None, 7])
def test_a_type_that_is_not_known_is_a_fault(message, origin, kind):
    with pytest.raises(CosmosFault):
        read_message(message(kind, {}), origin)


@pytest.mark.parametrize("value", [None, [], {}, {"data": None}, {"data": {"type": "tendermint/event/Tx"}}])
def test_what_is_no_message_is_a_fault(origin, value):
    with pytest.raises(CosmosFault):
        read_message(value, origin)


def test_a_fault_names_the_message_that_it_is_in(message, origin):
    with pytest.raises(CosmosFault, match="NewBlockEvents: height must be"):
        read_message(message("NewBlockEvents", {}), origin)


def test_a_large_block_is_read_in_one_pass(message, new_block, event, origin):
    written = as_bech32(A, "cosmosvalcons")
    slash = event("slash", address=written, reason="missing_signature", jailed=written)
    events = [*[event("transfer", recipient="x" * 40, amount="1uatom")] * 40_000, slash]
    # More than 5 MiB of transactions beside the events.
    value = new_block(7, txs=["A" * 4000] * 1500, result_finalize_block={"events": events})
    told = read_message(message("NewBlock", value), origin)
    assert kinds(told) == [HeadSeen, BlockSeen, JailSeen]
    assert told.observations[1].transactions == 1500
