"""A beacon node, followed over a small one: heads, slots without a block, slashings, finality, reorganizations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chain.beacon import Beacon, Query, Step
from domain.chain.ethereum import AnswerFault
from domain.chain.observations import (
    BlockSeen,
    BlocksMissed,
    Finalized,
    HeadSeen,
    HeightsMissed,
    NodeHeard,
    Observation,
    PeersRead,
    Reorganized,
    RoundSeen,
    ValidatorsRead,
)

NOW = 1_800_000_000.0
GENESIS, SLOT_TIME = 1_700_000_000, 12
Kind = TypeVar("Kind", bound=Observation)


def only(kind: type[Kind], observed: Iterable[Observation]) -> list[Kind]:
    return [told for told in observed if isinstance(told, kind)]


@pytest.fixture
def beacon(key) -> Beacon:
    return Beacon("1/beacon", "node1", [1, key(2)], chain_id=1)


def heard_head(node, beacon, drive):
    """The node tells its newest block by an event."""
    return drive(node, beacon, beacon.heard("head", node.head_event(), NOW))


def names(step: Step) -> list[str]:
    return [query.name for query in step.queries]


def test_the_chains_clock_is_asked_for_first_and_events_wait_for_it(node, beacon, drive):
    step = beacon.began(NOW)
    assert names(step) == ["spec", "genesis"]
    assert beacon.heard("head", node.head_event(), NOW) == Step()
    drive(node, beacon, step)
    assert (beacon.timing.genesis, beacon.timing.slot_time, beacon.timing.epoch_size) == (GENESIS, SLOT_TIME, 8)


def test_a_node_that_did_not_tell_its_clock_is_asked_again_and_nothing_else(node, beacon):
    for query in beacon.began(NOW).queries:
        beacon.gave_up(query, NOW)
    assert names(beacon.polled(NOW)) == ["spec", "genesis"]


def test_a_node_of_another_chain_is_said_and_asked_nothing_else(node, beacon, drive):
    node.chain_id = "5"
    observed = drive(node, beacon, beacon.began(NOW))
    assert [told.fault for told in only(NodeHeard, observed)] == ["is a node of the chain 5, not of 1"]
    assert beacon.is_foreign
    assert set(names(beacon.polled(NOW))) <= {"spec", "genesis"}
    assert not only(HeadSeen, observed)


def test_a_new_head_is_told_at_once_and_its_block_when_its_header_is_there(node, beacon, drive, key):
    drive(node, beacon, beacon.began(NOW))
    made = node.make()
    step = beacon.heard("head", node.head_event(), NOW)
    (head,) = only(HeadSeen, step.observations)
    assert (head.height, head.at, head.hash, head.is_catching_up) == (1, GENESIS + 12.0, made.root, False)
    assert head.provenance.method == "events head"
    (block,) = only(BlockSeen, drive(node, beacon, step))
    assert (block.height, block.parent, block.proposer, block.interval) == (1, made.parent, key(1), 12.0)
    assert block.transactions is None
    assert block.provenance.method == "/eth/v1/beacon/headers"


def test_the_newer_head_topic_says_the_same(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    made = node.make()
    event = {"version": "gloas", "data": node.head_event()}
    observed = drive(node, beacon, beacon.heard("head_v2", event, NOW))
    assert [head.hash for head in only(HeadSeen, observed)] == [made.root]
    # A node that sends both says one thing once.
    assert not heard_head(node, beacon, drive)


def test_slots_without_a_block_count_in_the_interval_and_are_no_gap(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.make(skip=3)
    observed = heard_head(node, beacon, drive)
    assert [(block.height, block.interval) for block in only(BlockSeen, observed)] == [(4, 48.0)]
    assert not only(HeightsMissed, observed)


def test_who_leads_the_slot_is_told_with_its_head(node, beacon, drive, key):
    drive(node, beacon, beacon.began(NOW))
    node.make(skip=1)
    (told,) = only(RoundSeen, heard_head(node, beacon, drive))
    assert (told.height, told.round, told.step, told.proposer) == (2, 0, "head", key(2))


def test_watched_validators_are_read_at_every_head_and_by_their_ids_only(node, beacon, drive, key):
    observed = drive(node, beacon, beacon.began(NOW))
    rows = {row.operator: row for row in only(ValidatorsRead, observed)[-1].rows}
    assert set(rows) == {"1", "2"}
    assert rows["1"].address == key(1)
    assert (rows["1"].status, rows["1"].bond, rows["1"].power) == ("active_ongoing", "bonded", 32_000_000_000)
    node.make()
    (read,) = only(ValidatorsRead, heard_head(node, beacon, drive))
    assert read.provenance.height == 1
    assert not read.is_complete
    asked = [query for query in node.asked if query.name == "validators"]
    assert all(query.query == (("id", "1"), ("id", key(2))) for query in asked)


def test_nobody_watched_is_nobody_asked_for(node, drive):
    beacon = Beacon("1/beacon", "node1", [])
    observed = drive(node, beacon, beacon.began(NOW))
    node.make()
    observed += heard_head(node, beacon, drive)
    observed += drive(node, beacon, beacon.polled(NOW))
    assert not only(ValidatorsRead, observed)
    assert "validators" not in {query.name for query in node.asked}


def test_a_node_that_does_not_filter_is_read_for_the_watched_only(node, beacon, drive):
    node.ignores_ids = True
    (read,) = only(ValidatorsRead, drive(node, beacon, beacon.began(NOW)))
    assert {row.operator for row in read.rows} == {"1", "2"}


def test_ids_that_the_node_does_not_know_are_said(node, drive, key):
    beacon = Beacon("1/beacon", "node1", [1, 99, key(2), key(77)])
    drive(node, beacon, beacon.began(NOW))
    assert beacon.unknown == ("99", key(77))


def test_a_slashing_is_read_with_the_block_that_holds_it(node, beacon, drive, key):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    node.statuses[2] = "active_slashed"
    node.statuses[3] = "active_slashed"
    observed = heard_head(node, beacon, drive)
    (read,) = only(ValidatorsRead, observed)
    assert read.provenance.height == 1
    row = next(row for row in read.rows if row.address == key(2))
    assert (row.status, row.is_jailed, row.is_tombstoned) == ("active_slashed", True, False)
    assert (row.reason, {row.address for row in read.rows}) == ("slashed", {key(1), key(2)})
    node.make()
    node.statuses[2] = "exited_slashed"
    observed = heard_head(node, beacon, drive)
    assert {row.status for row in only(ValidatorsRead, observed)[0].rows} == {"active_ongoing", "exited_slashed"}


@pytest.mark.parametrize(
    ("name", "value", "is_asked"),
    [
        ("proposer_slashing", {"signed_header_1": {"message": {"proposer_index": "1"}}}, True),
        ("proposer_slashing", {"signed_header_1": {"message": {"proposer_index": "3"}}}, False),
        ("voluntary_exit", {"message": {"epoch": "1", "validator_index": "2"}}, True),
        (
            "attester_slashing",
            {"attestation_1": {"attesting_indices": ["0", "1"]}, "attestation_2": {"attesting_indices": ["1"]}},
            True,
        ),
        (
            "attester_slashing",
            {"attestation_1": {"attesting_indices": ["1"]}, "attestation_2": {"attesting_indices": ["2"]}},
            False,
        ),
        ("payload_attributes", {"whatever": 1}, False),
    ],
)
def test_an_accusation_of_a_watched_one_asks_and_tells_nothing_by_itself(node, beacon, drive, name, value, is_asked):
    drive(node, beacon, beacon.began(NOW))
    step = beacon.heard(name, value, NOW)
    assert step.observations == ()
    assert names(step) == (["validators"] if is_asked else [])


def place_head(node, beacon):
    """The node tells its newest block and answers where it is: what is asked then."""
    step = beacon.heard("head", node.head_event(), NOW)
    (header,) = [query for query in step.queries if query.name == "header"]
    assert "validators" not in names(step)
    return beacon.answered(header, *node.answer(header), NOW)


def test_heads_that_come_while_validators_are_read_are_made_up_for_by_one_question(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    (question,) = [query for query in place_head(node, beacon).queries if query.name == "validators"]
    for _ in range(5):
        node.make()
        assert "validators" not in names(place_head(node, beacon))
    again = beacon.answered(question, *node.answer(question), NOW)
    (second,) = [query for query in again.queries if query.name == "validators"]
    assert (question.height, second.height) == (1, 6)
    assert "validators" not in names(beacon.answered(second, *node.answer(second), NOW))


def test_a_node_that_wants_ids_joined_gets_them_joined(node, beacon, drive, key):
    node.refuses_repeated = True
    (read,) = only(ValidatorsRead, drive(node, beacon, beacon.began(NOW)))
    assert len(read.rows) == 2
    assert [query.query for query in node.asked if query.name == "validators"][-1] == (("id", f"1,{key(2)}"),)


def test_a_node_that_refuses_both_ways_is_not_asked_for_ever(node, beacon, drive):
    node.refuses_joined = node.refuses_repeated = True
    drive(node, beacon, beacon.began(NOW))
    assert [query.name for query in node.asked].count("validators") == 2
    node.failing = {"validators"}
    drive(node, beacon, beacon.polled(NOW))
    assert [query.name for query in node.asked].count("validators") == 3


def test_what_is_final_is_told_once_by_event_or_poll(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    event = {"block": node.chain[0].root, "epoch": "2", "execution_optimistic": False}
    (final,) = only(Finalized, beacon.heard("finalized_checkpoint", event, NOW).observations)
    assert (final.height, final.provenance.at) == (16, GENESIS + 16 * 12.0)
    assert not beacon.heard("finalized_checkpoint", event, NOW).observations
    node.finalized = 3
    assert [told.height for told in only(Finalized, drive(node, beacon, beacon.polled(NOW)))] == [24]


def test_an_optimistic_node_is_catching_up_and_makes_nothing_final(node, beacon, drive):
    node.is_optimistic, node.finalized = True, 5
    observed = drive(node, beacon, beacon.began(NOW))
    observed += beacon.heard("finalized_checkpoint", {"epoch": "6", "execution_optimistic": True}, NOW).observations
    assert {head.is_catching_up for head in only(HeadSeen, observed)} == {True}
    assert {told.step for told in only(RoundSeen, observed)} == {"optimistic"}
    assert not only(Finalized, observed)


def test_a_syncing_node_says_so_with_its_head(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.is_syncing = True
    (head,) = only(HeadSeen, drive(node, beacon, beacon.polled(NOW)))
    assert head.is_catching_up is True


def test_a_reorganization_is_told_with_its_depth_in_blocks_whatever_the_event_says(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    for skip in (0, 2, 0):
        node.make(skip)
        heard_head(node, beacon, drive)
    node.rewind(2)
    made = node.make(skip=5)
    # Measured: Caplin writes a depth below zero as 2^64 - 2, and others 0 or null.
    for depth in (str(2**64 - 2), "0", None):
        event = {"slot": str(made.slot), "depth": depth, "new_head_block": made.root, "old_head_block": None}
        observed = drive(node, beacon, beacon.heard("chain_reorg", event, NOW))
        observed += heard_head(node, beacon, drive)
        if depth == str(2**64 - 2):
            assert [(told.height, told.depth) for told in only(Reorganized, observed)] == [(4, 2)]
            assert [block.height for block in only(BlockSeen, observed)] == [7]
        else:
            assert not observed


def test_what_a_reorganization_takes_back_is_told_before_what_is_so_now(node, beacon, drive, key):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    heard_head(node, beacon, drive)
    node.make()
    node.statuses[1] = "active_slashed"
    (read,) = only(ValidatorsRead, heard_head(node, beacon, drive))
    assert [row.address for row in read.rows if row.is_jailed] == [key(1)]
    node.rewind(1)
    node.make(skip=1)
    observed = heard_head(node, beacon, drive)
    kinds = [type(told) for told in observed if isinstance(told, Reorganized | ValidatorsRead)]
    assert kinds == [Reorganized, ValidatorsRead]
    node.rewind(1)
    node.make(skip=2)
    node.statuses[1] = "active_ongoing"
    observed = heard_head(node, beacon, drive)
    assert not any(row.is_jailed for read in only(ValidatorsRead, observed) for row in read.rows)


def test_validators_are_read_although_nobody_knows_where_the_head_is(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    node.failing = {"header"}
    assert only(ValidatorsRead, heard_head(node, beacon, drive))
    node.failing = {"head"}
    assert only(ValidatorsRead, drive(node, beacon, beacon.polled(NOW)))


def test_a_poll_reads_the_validators_while_a_gap_is_being_filled(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    for _ in range(3):
        node.make()
    step = place_head(node, beacon)
    assert names(step) == ["header"]
    assert "validators" in names(beacon.polled(NOW))


def test_a_gap_is_filled_by_the_roots_of_parents_and_said_to_be_history(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    for skip in (0, 1, 0, 0):
        node.make(skip)
    blocks = only(BlockSeen, heard_head(node, beacon, drive))
    assert [(block.height, block.provenance.is_history) for block in blocks] == [
        (1, True),
        (3, True),
        (4, True),
        (5, False),
    ]


def test_a_gap_that_the_node_cannot_fill_is_said(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    forgotten = node.make()
    node.make()
    del node.blocks[forgotten.root]
    observed = heard_head(node, beacon, drive)
    assert [(told.first, told.last, told.reason) for told in only(HeightsMissed, observed)] == [
        (1, 1, "Block not found")
    ]
    assert [block.height for block in only(BlockSeen, observed)] == [2]


def test_the_header_of_an_older_head_that_comes_late_takes_nothing_back(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    first = [query for query in beacon.heard("head", node.head_event(), NOW).queries if query.name == "header"]
    node.rewind(1)
    node.make()
    observed = heard_head(node, beacon, drive)
    observed += beacon.answered(first[0], *node.answer(first[0]), NOW).observations
    assert len(only(BlockSeen, observed)) == 1
    assert not only(Reorganized, observed)


def test_what_a_node_could_not_say_of_an_epoch_is_asked_again_with_each_poll_until_it_says_it(node, beacon, drive):
    node.failing = {"proposers", "liveness"}
    node.make(skip=9)
    drive(node, beacon, beacon.began(NOW))
    node.failing = set()
    assert {"proposers", "liveness"} <= set(names(beacon.polled(NOW)))
    drive(node, beacon, beacon.began(NOW))
    drive(node, beacon, beacon.polled(NOW))
    assert not {"proposers", "liveness"} & set(names(beacon.polled(NOW)))


def test_endpoints_that_a_node_does_not_have_are_not_told_and_not_asked_again(node, beacon, drive):
    node.lacks = {"peers", "peer_count", "liveness", "rewards", "proposers", "version"}
    drive(node, beacon, beacon.began(NOW))
    for _ in range(20):
        node.make()
        heard_head(node, beacon, drive)
    assert set(beacon.not_told) == node.lacks
    for name in node.lacks:
        assert [query.name for query in node.asked].count(name) == 1
    assert "Route GET" in beacon.not_told["peers"]


def test_what_every_node_must_have_is_asked_for_again_even_after_a_404(node, beacon, drive):
    node.lacks = {"validators", "head"}
    drive(node, beacon, beacon.began(NOW))
    node.lacks = set()
    observed = drive(node, beacon, beacon.polled(NOW))
    assert only(ValidatorsRead, observed)
    assert only(HeadSeen, observed)


def test_peers_are_told_by_name_or_by_number(node, beacon, drive):
    (peers,) = only(PeersRead, drive(node, beacon, beacon.began(NOW)))
    assert (peers.count, peers.peers[0].id, peers.peers[0].address) == (1, "p1", "/ip4/10.0.0.9/tcp/9000")
    node.lacks = {"peers"}
    (peers,) = only(PeersRead, drive(node, beacon, beacon.began(NOW)))
    assert (peers.count, peers.peers) == (7, ())


@pytest.mark.parametrize("lacks", [set(), {"liveness"}])
def test_epochs_without_work_are_counted_by_liveness_or_by_rewards(node, beacon, drive, key, lacks):
    node.lacks = lacks
    drive(node, beacon, beacon.began(NOW))
    node.live = {2: False}
    observed = []
    for _ in range(40):
        node.make()
        observed += heard_head(node, beacon, drive)
    missed = [(told.address, told.missed) for told in only(BlocksMissed, observed)]
    assert (key(1), 0) in missed
    assert [count for address, count in missed if address == key(2)] == list(range(1, len(missed) // 2 + 1))
    heights = [told.provenance.height for told in only(BlocksMissed, observed) if told.address == key(2)]
    assert heights == [epoch * 8 + 7 for epoch in range(len(heights))]


def test_an_answer_that_cannot_be_read_is_a_fault_and_is_asked_for_again(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    node.make()
    (question,) = [query for query in place_head(node, beacon).queries if query.name == "validators"]
    broken = beacon.answered(question, 200, {"data": [{"index": "1", "validator": {}}, {"index": "1"}]}, NOW)
    assert isinstance(broken.fault, AnswerFault)
    assert only(ValidatorsRead, drive(node, beacon, beacon.polled(NOW)))


def test_an_answer_to_nobody_says_nothing(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    assert beacon.answered(Query("version", "/eth/v1/node/version"), 200, {"data": {"version": "x"}}, NOW) == Step()


def test_a_slot_beyond_the_end_of_time_is_a_fault(node, beacon, drive):
    drive(node, beacon, beacon.began(NOW))
    event = {"slot": str(2**63 - 1), "block": "0x" + "ab" * 32}
    assert beacon.heard("head", event, NOW).fault is not None
    assert beacon.heard("finalized_checkpoint", {"epoch": str(2**62)}, NOW).fault is not None


# The members that the readers look for, so that what is made up goes deep.
MEMBERS = (
    *("data", "slot", "block", "root", "header", "message", "parent_root", "proposer_index", "epoch", "finalized"),
    *("current_justified", "index", "status", "validator", "pubkey", "effective_balance", "slashed", "target"),
    *("execution_optimistic", "new_head_block", "attestation_1", "attestation_2", "attesting_indices", "peer_id"),
    *("signed_header_1", "is_live", "total_rewards", "validator_index", "connected", "head_slot", "sync_distance"),
    *("is_syncing", "SECONDS_PER_SLOT", "SLOTS_PER_EPOCH", "genesis_time"),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["1", "2", "-3", str(2**64 - 1), "0x" + "ab" * 32, "0x" + "cd" * 48, "active_slashed"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(MEMBERS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)
EVENTS = ["head", "head_v2", "finalized_checkpoint", "chain_reorg", "proposer_slashing", "attester_slashing", "x"]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_node_sends_nothing_raises_and_what_is_kept_is_bounded(data):
    beacon = Beacon("1/beacon", "node1", [1, 2], gap_limit=3)
    waiting = list(beacon.began(NOW).queries)
    if data.draw(st.booleans()):
        spec = {"data": {"SECONDS_PER_SLOT": "12", "SLOTS_PER_EPOCH": "8"}}
        waiting += beacon.answered(waiting.pop(0), 200, spec, NOW).queries
        waiting += beacon.answered(waiting.pop(0), 200, {"data": {"genesis_time": "5"}}, NOW).queries
    for _ in range(data.draw(st.integers(1, 25))):
        kind = data.draw(st.sampled_from(["answer", "event", "give up", "poll"]))
        if kind == "answer" and waiting:
            query = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            status = data.draw(st.sampled_from([200, 200, 200, 206, 400, 404, 500]))
            step = beacon.answered(query, status, data.draw(json_values | headers), NOW)
        elif kind == "give up" and waiting:
            step = beacon.gave_up(waiting.pop(0), NOW)
        elif kind == "event":
            step = beacon.heard(data.draw(st.sampled_from(EVENTS)), data.draw(json_values | events), NOW)
        else:
            step = beacon.polled(NOW)
        waiting += step.queries
        assert step.fault is None or isinstance(step.fault, AnswerFault)
        assert len(beacon._heads._line) <= 3
        assert len(waiting) <= 256


roots = st.integers(0, 12).map(lambda number: f"0x{number:064x}")
slots = st.integers(0, 12).map(str)
events = st.fixed_dictionaries({"slot": slots, "block": roots, "new_head_block": roots, "epoch": slots})
headers = st.builds(
    lambda slot, root, parent: {
        "data": {"root": root, "header": {"message": {"slot": slot, "proposer_index": "1", "parent_root": parent}}}
    },
    slots,
    roots,
    roots,
)
