"""The relay: each thing that nodes say becomes one event of the portal's, whole and with where it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.chain import faults_of
from domain.chain.observations import (
    BlockSeen,
    Finalized,
    HeadSeen,
    Observation,
    Peer,
    PeersRead,
    Provenance,
    Reorganized,
    RoundSeen,
    TransactionSeen,
    ValidatorRow,
    ValidatorsRead,
)
from domain.chain.relay import HEIGHTS_LIMIT, TRANSACTIONS_LIMIT, Relay
from domain.chain.view import ChainView

AT = 1_800_000_000.0


def by(node: str = "a", height: int | None = None, at: float | None = None) -> Provenance:
    return Provenance("1", node, "test", AT, height, at)


def block(height: int, hash_: str | None = "", node: str = "a", **members) -> BlockSeen:
    named = f"0x{height}" if hash_ == "" else hash_
    return BlockSeen(by(node, height, AT), height, AT, named, **{"transactions": 2, **members})


def moved(status: str, height: int | None = None, node: str = "a", hash_: str = "0xaa", **members) -> TransactionSeen:
    return TransactionSeen(by(node, height, None if height is None else AT), hash_, status, **members)


def taken_back(height: int, node: str = "a", depth: int = 1) -> Reorganized:
    return Reorganized(by(node, height), height, depth)


@pytest.fixture
def relay() -> Relay:
    return Relay("1")


def data(relay: Relay, *said) -> list:
    return [event.data for event in relay.take(said, AT + 1)]


def test_a_block_has_all_that_is_known_and_says_of_the_rest_why_not(relay):
    (event,) = relay.take([block(7, parent="0x6", interval=12.0, failed=1)], AT + 1)
    assert not faults_of(event)
    assert (event.type, event.source, event.time) == ("chain.block", "/chain/1", "2027-01-15T08:00:00.000Z")
    told = event.data
    assert (told["blockHeight"], told["blockTime"], told["transactions"], told["failed"]) == (7, 12_000, 2, 1)
    assert (told["hash"], told["prevHash"]) == ("0x7", "0x6")
    assert (told["source"], told["height"], told["method"], told["ageMs"]) == ("a", 7, "test", 1000)
    assert told["confirmedBy"] == ["a"]
    null = {name for name, value in told.items() if value is None}
    assert null == set(told["reasons"])
    assert "producer" in null


def test_a_block_is_told_once_and_again_when_it_is_counted(relay):
    assert data(relay, block(7, transactions=None))[0]["transactions"] is None
    assert data(relay, block(7, node="b"))[0]["transactions"] == 2
    assert not data(relay, block(7), block(7, node="b"), block(7, transactions=None))


def test_another_block_of_the_same_height_is_told(relay):
    told = data(relay, block(7), block(7, "0xother", "b"), block(7), block(7, "0xother"))
    assert [each["hash"] for each in told] == ["0x7", "0xother"]


def test_a_block_that_comes_back_is_told_again_by_the_node_that_had_taken_it_back(relay):
    data(relay, block(7))
    assert not data(relay, taken_back(7), block(7, node="b"))
    assert [told["hash"] for told in data(relay, block(7, "0xother"), taken_back(7), block(7))] == ["0xother", "0x7"]


def test_a_transaction_is_told_when_its_state_changes(relay):
    states = ("PENDING", "PENDING", "SUCCESS", "SUCCESS", "PENDING", "FAILED")
    told = data(relay, *(moved(state, None if state == "PENDING" else 7) for state in states))
    assert [each["status"] for each in told] == ["PENDING", "SUCCESS"]
    assert told[0]["blockHeight"] is None
    assert told[1]["blockHeight"] == 7


def test_who_has_taken_back_its_block_may_say_that_it_waits_again_or_is_gone(relay):
    data(relay, block(7), moved("SUCCESS", 7))
    data(relay, block(7, node="b"), taken_back(7, "b"))
    assert [each["status"] for each in data(relay, moved("PENDING", node="b"))] == ["PENDING"]
    assert not data(relay, taken_back(7), moved("PENDING"), moved("DROPPED"))
    assert [each["blockHeight"] for each in data(relay, block(8), moved("SUCCESS", 8))][1:] == [8]
    (gone,) = data(relay, taken_back(8), moved("DROPPED"))
    assert (gone["status"], gone["exactStatus"]) == ("FAILED", "DROPPED")


def test_what_becomes_of_a_transaction_whose_block_was_taken_back_says_so_and_is_learnt(relay):
    view = ChainView(60.0, 30.0)

    def told(*said: Observation) -> list:
        events = relay.take(said, AT + 1)
        for event in events:
            view.take(event, AT + 1)
        return [event.data["takenBack"] for event in events if event.type == "chain.transaction"]

    assert told(block(7), moved("PENDING"), moved("SUCCESS", 7)) == [False, False]
    assert told(taken_back(7), moved("PENDING"), block(7, "0xother"), moved("SUCCESS", 7)) == [True, False]
    assert told(taken_back(7), block(7), moved("SUCCESS", 7)) == [True]
    assert view.settlements.confirmed == 1
    assert told(taken_back(7), moved("DROPPED")) == [True]
    assert [entry.members["status"] for entry in view.transactions.first(10)] == ["FAILED"]
    assert (view.settlements.confirmed, view.settlements.failed) == (0, 1)


def test_what_was_never_told_is_not_told_as_dropped(relay):
    assert not data(relay, moved("DROPPED"))


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [("5", "5", None), ("12uatom,3stake", "12", "uatom"), ("7ibc/AB12", "7", "ibc/AB12"), ("much", None, None)],
)
def test_an_amount_is_taken_apart(relay, written, value, unit):
    (told,) = data(relay, moved("SUCCESS", 7, value=written, fee=written))
    assert told["value"] == value
    assert told["fee"] == (None if value is None else int(value))
    assert told.get("denom") == unit


def test_a_fee_beyond_a_number_of_the_portal_is_left_out(relay):
    (told,) = data(relay, moved("SUCCESS", 7, fee=str(10**30), value=str(2**256 - 1)))
    assert told["fee"] is None
    assert told["value"] == str(2**256 - 1)


def test_what_cannot_be_shown_is_not_told(relay):
    assert not data(relay, moved("SUCCESS", 7, hash_="x" * 300), PeersRead(by(), 1, (Peer("a\x00b"),)))
    (told,) = data(relay, PeersRead(by("b"), 1, (Peer("ok", "10.0.0.1\n", "v" * 300),)))
    assert (told["peerId"], told["ip"], told["version"]) == ("ok", None, None)


def test_a_peer_is_there_while_any_node_has_it(relay):
    def read(node: str, *names: str):
        return [(told["peerId"], told["connected"]) for told in data(
            relay, PeersRead(by(node), len(names), tuple(Peer(name) for name in names))
        )]  # fmt: skip

    assert read("a", "x", "y") == [("x", True), ("y", True)]
    assert read("b", "y", "z") == [("z", True)]
    assert read("a", "x") == []
    assert read("b", "z") == [("y", False)]
    assert data(relay, PeersRead(by("c"), 40)) == []


def test_a_step_of_a_round_is_told_once_with_what_is_known_of_the_consensus(relay):
    rows = tuple(ValidatorRow(str(number), bond="bonded" if number else "unbonded") for number in range(4))
    data(relay, ValidatorsRead(by(), rows, is_complete=True), block(7, signed_share=0.75), Finalized(by(), 5))
    (told,) = data(relay, RoundSeen(by(), 8, 0, "propose", "AB"), RoundSeen(by("b"), 8, 0, "propose"))
    assert (told["leader"], told["term"], told["round"], told["state"]) == ("AB", 8, 0, "propose")
    assert (told["performanceScore"], told["activeValidators"], told["finalizedHeight"]) == (0.75, 3, 5)
    assert told["epoch"] is None
    assert [told["round"] for told in data(relay, RoundSeen(by(), 8, 1, "propose"))] == [1]


def test_another_layer_names_the_maker_and_the_epoch():
    beacon = Relay("1/beacon", epoch_of=lambda slot: slot // 32, tells_blocks=False)
    relay = Relay("1", maker_at=beacon.maker_at)
    (told,) = data(beacon, RoundSeen(by(at=AT), 64, 0, "head", "0xkey"), block(64))
    assert told["epoch"] == 2
    assert data(relay, block(7))[0]["producer"] == "0xkey"


def test_what_is_remembered_is_bounded(relay):
    for number in range(HEIGHTS_LIMIT + 10):
        data(relay, block(number))
    assert len(relay._heights) == HEIGHTS_LIMIT
    assert len(relay._branches["a"]) <= HEIGHTS_LIMIT
    for number in range(TRANSACTIONS_LIMIT + 10):
        relay._transaction(moved("PENDING", hash_=f"0x{number}"), AT)
    assert len(relay._transactions) == TRANSACTIONS_LIMIT


_nodes = st.sampled_from("abc")
_heights = st.integers(0, 6)
_said = st.one_of(
    st.builds(block, _heights, st.sampled_from(["0x1", "0x2", None]), _nodes, transactions=st.none() | st.just(3)),
    st.builds(moved, st.sampled_from(["SUCCESS", "FAILED"]), _heights, _nodes, st.sampled_from(["0xa", "0xb"])),
    st.builds(moved, st.sampled_from(["PENDING", "DROPPED"]), st.none(), _nodes, st.sampled_from(["0xa", "0xb"])),
    st.builds(taken_back, _heights, _nodes),
)


@given(st.lists(_said, max_size=40))
def test_whatever_nodes_say_each_event_is_right_and_nothing_is_told_twice_in_a_row(said):
    relay, last = Relay("1"), {}
    for event in relay.take(said, AT + 1):
        assert not faults_of(event)
        if event.type == "chain.transaction":
            now = (event.data["exactStatus"], event.data["blockHeight"])
            assert last.get(event.data["txHash"]) != ("PENDING", None) or now != ("PENDING", None)
            last[event.data["txHash"]] = now


@given(st.lists(_said, max_size=30))
def test_a_block_that_a_second_node_repeats_is_no_news(said):
    relay = Relay("1")
    blocks = [each for each in said if isinstance(each, BlockSeen)]
    relay.take(blocks, AT)
    assert relay.take([replace(each, provenance=by("z", each.height, AT)) for each in blocks], AT) == []


def test_a_block_names_those_who_had_it_by_then_and_its_producer_once_that_is_known(relay):
    row = ValidatorRow("AA", operator="valoper1x", moniker="ann", bond="bonded")
    heads = [HeadSeen(by(node, 7), 7, AT, hash_) for node, hash_ in (("b", None), ("c", "0x7"), ("d", "0xother"))]
    (told,) = data(relay, ValidatorsRead(by(height=6), (row,), is_complete=True), *heads, block(7, proposer="AA"))
    assert told["confirmedBy"] == ["b", "c", "a"]
    assert (told["producer"], told["producerOperator"], told["producerName"]) == ("AA", "valoper1x", "ann")


def test_who_proposes_is_remembered_for_the_steps_that_do_not_name_it(relay):
    steps = [
        RoundSeen(by(), 7, 1, "RoundStepNewRound", "AA"),
        RoundSeen(by(), 7, 1, "RoundStepPrevote"),
        RoundSeen(by("b"), 7, 1, "RoundStepNewRound", "AA"),
        RoundSeen(by(), 8, 0, "RoundStepPropose"),
    ]
    told = data(relay, *steps)
    assert [(one["term"], one["state"], one["leader"]) for one in told] == [
        (7, "RoundStepNewRound", "AA"),
        (7, "RoundStepPrevote", "AA"),
        (8, "RoundStepPropose", None),
    ]
    assert told[2]["reasons"]["leader"] == "no node told who proposes in this round"
