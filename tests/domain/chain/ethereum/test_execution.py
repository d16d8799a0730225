"""A node of the execution layer, followed over a small one: heads, blocks, transactions, reorganizations, gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chain.ethereum import AnswerFault, Call, Execution, Step
from domain.chain.observations import (
    BlockSeen,
    Finalized,
    HeadSeen,
    HeightsMissed,
    NodeHeard,
    Observation,
    PeersRead,
    PoolRead,
    Reorganized,
    TransactionSeen,
)

NOW = 1_800_000_000.0
Kind = TypeVar("Kind", bound=Observation)


def only(kind: type[Kind], observed: Iterable[Observation]) -> list[Kind]:
    return [told for told in observed if isinstance(told, kind)]


@pytest.fixture
def execution() -> Execution:
    return Execution("1", "node1", chain_id=1)


def names(step: Step) -> list[str]:
    return [request.call.name for request in step.requests]


def heard_head(node, execution, drive):
    """The node tells its newest block by subscription."""
    return drive(node, execution, execution.received(node.notice(), NOW))


def test_the_chain_is_asked_for_first_and_then_everything_at_once(node, execution):
    step = execution.began(NOW)
    assert names(step) == ["eth_chainId"]
    assert step.requests[0].message() == {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    followed = execution.received(node.answer(step.requests[0]), NOW)
    assert names(followed) == [
        "web3_clientVersion",
        "eth_getBlockByNumber latest",
        "eth_subscribe newHeads",
        "eth_syncing",
        "eth_getBlockByNumber finalized",
        "admin_peers",
        "txpool_status",
        "eth_subscribe newPendingTransactions",
    ]
    assert len({request.id for request in followed.requests}) == len(followed.requests)


def test_a_node_of_another_chain_is_said_and_asked_nothing_else(node, execution, drive):
    node.chain_id = 5
    observed = drive(node, execution, execution.began(NOW))
    assert [told.fault for told in only(NodeHeard, observed)] == ["is a node of the chain 5, not of 1"]
    assert execution.is_foreign
    assert names(execution.polled(NOW)) == ["eth_chainId"]


def test_a_node_that_becomes_the_right_one_is_followed(node, execution, drive):
    node.chain_id = 5
    drive(node, execution, execution.began(NOW))
    node.chain_id = 1
    assert only(HeadSeen, drive(node, execution, execution.polled(NOW)))
    assert not execution.is_foreign


def test_a_node_that_did_not_say_its_chain_is_asked_again_and_nothing_else(node, execution):
    (request,) = execution.began(NOW).requests
    execution.gave_up(request, NOW)
    assert names(execution.polled(NOW)) == ["eth_chainId"]


def test_a_new_head_is_told_at_once_and_its_block_with_its_transactions_after(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    good, bad = fresh_hash(), fresh_hash()
    made = node.mine(good, failing=(bad,))
    step = execution.received(node.notice(), NOW)
    (head,) = only(HeadSeen, step.observations)
    assert (head.height, head.at, head.hash) == (1, float(made.timestamp), made.hash)
    assert head.is_catching_up is False
    assert head.provenance.method == "eth_subscribe newHeads"
    assert head.provenance.height == 1
    assert not only(BlockSeen, step.observations)
    observed = drive(node, execution, step)
    (block,) = only(BlockSeen, observed)
    assert (block.transactions, block.failed, block.interval) == (2, 1, 12.0)
    assert (block.hash, block.parent, block.proposer) == (made.hash, made.parent, None)
    seen = {told.hash: told for told in only(TransactionSeen, observed)}
    assert seen[good].status == "SUCCESS"
    assert seen[bad].status == "FAILED"
    assert seen[good].value == "1000000000000000000"
    assert (seen[good].gas_used, seen[good].fee) == (21000, "42000")


def test_a_head_without_transactions_and_one_with_them_say_the_same_block(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash())
    (without,) = only(BlockSeen, heard_head(node, execution, drive))
    node.tells_transactions = True
    node.mine(fresh_hash())
    (with_them,) = only(BlockSeen, heard_head(node, execution, drive))
    assert without.transactions == with_them.transactions == 1


def test_an_empty_block_whose_head_says_so_needs_no_further_question(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    node.tells_transactions = True
    node.mine()
    step = execution.received(node.notice(), NOW)
    (block,) = only(BlockSeen, step.observations)
    assert (block.transactions, block.failed) == (0, 0)
    assert not step.requests


def test_blocks_of_the_same_second_are_no_time_apart(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash(), after=0)
    (block,) = only(BlockSeen, heard_head(node, execution, drive))
    assert block.interval == 0.0


def test_a_node_without_receipts_by_block_is_asked_for_them_one_by_one(node, execution, drive, fresh_hash):
    node.lacks = {"eth_getBlockReceipts"}
    drive(node, execution, execution.began(NOW))
    for _ in range(2):
        node.mine(fresh_hash(), failing=(fresh_hash(),))
        (block,) = only(BlockSeen, heard_head(node, execution, drive))
        assert (block.transactions, block.failed) == (2, 1)
    assert node.asked.count("eth_getBlockReceipts") == 1
    assert "eth_getBlockReceipts" in execution.not_told


def test_too_many_receipts_one_by_one_are_not_asked_for_and_failed_is_unknown(node, execution, drive, fresh_hash):
    node.lacks = {"eth_getBlockReceipts"}
    drive(node, execution, execution.began(NOW))
    node.mine(*(fresh_hash() for _ in range(100)))
    observed = heard_head(node, execution, drive)
    (block,) = only(BlockSeen, observed)
    assert (block.transactions, block.failed) == (100, None)
    assert len(only(TransactionSeen, observed)) == 64


def test_methods_that_a_node_does_not_have_are_not_told_and_not_asked_again(node, execution, drive):
    node.lacks = {"admin_peers", "net_peerCount", "txpool_status", "eth_subscribe"}
    observed = drive(node, execution, execution.began(NOW))
    assert not only(PeersRead, observed)
    assert not only(PoolRead, observed)
    assert set(execution.not_told) == {
        "admin_peers",
        "net_peerCount",
        "txpool_status",
        "eth_subscribe newHeads",
        "eth_subscribe newPendingTransactions",
    }
    assert names(execution.polled(NOW)) == [
        "eth_getBlockByNumber latest",
        "eth_syncing",
        "eth_getBlockByNumber finalized",
    ]


def test_a_new_connection_asks_again_for_what_was_not_offered(node, execution, drive):
    node.lacks = {"txpool_status"}
    drive(node, execution, execution.began(NOW))
    node.lacks = set()
    assert only(PoolRead, drive(node, execution, execution.began(NOW)))
    assert not execution.not_told


def test_a_node_without_subscriptions_is_followed_by_polls(node, execution, drive, fresh_hash):
    node.lacks = {"eth_subscribe"}
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash())
    node.mine(fresh_hash())
    observed = drive(node, execution, execution.polled(NOW))
    assert [block.height for block in only(BlockSeen, observed)] == [1, 2]


def test_peers_are_told_by_name_or_by_number(node, execution, drive):
    (peers,) = only(PeersRead, drive(node, execution, execution.began(NOW)))
    assert peers.count == 1
    assert (peers.peers[0].id, peers.peers[0].address, peers.peers[0].version) == ("p1", "10.0.0.9:30303", "Geth/v1")
    node.lacks = {"admin_peers"}
    (peers,) = only(PeersRead, drive(node, execution, execution.began(NOW)))
    assert (peers.count, peers.peers) == (3, ())


def test_a_node_that_is_not_there_yet_says_so_with_its_head(node, execution, drive):
    node.syncing = {"startingBlock": "0x0", "currentBlock": "0x0", "highestBlock": "0x64"}
    heads = only(HeadSeen, drive(node, execution, execution.began(NOW)))
    assert heads[-1].is_catching_up is True
    node.syncing = False
    (head,) = only(HeadSeen, drive(node, execution, execution.polled(NOW)))
    assert head.is_catching_up is False


def test_what_is_final_is_told_once(node, execution, drive):
    for _ in range(9):
        node.mine()
    observed = drive(node, execution, execution.began(NOW))
    assert [final.height for final in only(Finalized, observed)] == [6]
    assert not only(Finalized, drive(node, execution, execution.polled(NOW)))
    node.mine()
    assert [final.height for final in only(Finalized, drive(node, execution, execution.polled(NOW)))] == [7]


def test_a_waiting_transaction_is_told_once_and_then_how_it_ended(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    hash_ = fresh_hash()
    notice = node.notice("newPendingTransactions", hash_)
    observed = [*drive(node, execution, execution.received(notice, NOW))]
    observed += execution.received(notice, NOW).observations
    node.mine(hash_)
    observed += heard_head(node, execution, drive)
    assert [told.status for told in only(TransactionSeen, observed)] == ["PENDING", "SUCCESS"]


def test_a_notice_that_overtakes_the_answer_to_its_subscription_is_not_lost(node, execution):
    (first,) = execution.began(NOW).requests
    step = execution.received(node.answer(first), NOW)
    node.mine()
    assert not execution.received(node.notice(), NOW).observations
    subscribe = next(request for request in step.requests if request.call.params == ("newHeads",))
    assert [head.height for head in only(HeadSeen, execution.received(node.answer(subscribe), NOW).observations)] == [1]


def test_a_reorganization_says_how_deep_and_which_transactions_are_out(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    kept, lost, back = fresh_hash(), fresh_hash(), fresh_hash()
    for sent in ((kept,), (lost,), (back,)):
        node.mine(*sent)
        heard_head(node, execution, drive)
    node.rewind(2)
    node.pool = {back}
    node.mine()
    observed = heard_head(node, execution, drive)
    (reorganized,) = only(Reorganized, observed)
    assert (reorganized.height, reorganized.depth) == (2, 2)
    assert set(reorganized.dropped) == {lost, back}
    statuses = {told.hash: told.status for told in only(TransactionSeen, observed)}
    assert statuses == {lost: "DROPPED", back: "PENDING"}
    node.mine(back)
    settled = only(TransactionSeen, heard_head(node, execution, drive))
    assert [(told.hash, told.status) for told in settled] == [(back, "SUCCESS")]


def test_a_block_taken_back_before_it_was_told_is_never_told(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    node.silent = {"eth_getBlockReceipts"}
    gone = node.mine()
    heard_head(node, execution, drive)
    node.silent = set()
    node.rewind(1)
    stays = node.mine()
    observed = heard_head(node, execution, drive)
    assert [block.hash for block in only(BlockSeen, observed)] == [stays.hash]
    assert gone.hash not in {block.hash for block in only(BlockSeen, execution.lost(NOW).observations)}


def test_a_gap_is_filled_and_said_to_be_history(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    for _ in range(5):
        node.mine(fresh_hash())
    observed = heard_head(node, execution, drive)
    blocks = only(BlockSeen, observed)
    assert [block.height for block in blocks] == [1, 2, 3, 4, 5]
    assert [block.provenance.is_history for block in blocks] == [True] * 4 + [False]
    assert [block.interval for block in blocks] == [12.0] * 5
    assert len(only(TransactionSeen, observed)) == 5
    assert not only(HeightsMissed, observed)


def test_a_connection_that_was_cut_is_caught_up_with_by_the_next(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    execution.lost(NOW)
    for _ in range(3):
        node.mine()
    observed = drive(node, execution, execution.began(NOW))
    assert [block.height for block in only(BlockSeen, observed)] == [1, 2, 3]


def test_a_gap_beyond_the_limit_is_said(node, drive):
    execution = Execution("1", "node1", gap_limit=10)
    drive(node, execution, execution.began(NOW))
    for _ in range(50):
        node.mine()
    observed = heard_head(node, execution, drive)
    (missed,) = only(HeightsMissed, observed)
    assert (missed.first, missed.last) == (1, 39)
    assert missed.reason == "more blocks are missing than are asked for"
    assert [block.height for block in only(BlockSeen, observed)] == list(range(40, 51))


@pytest.mark.parametrize(
    "error",
    [
        {"code": 4444, "message": "pruned history unavailable"},
        {"code": -32000, "message": "header not found"},
        {"code": -32005, "message": "limit exceeded"},
    ],
)
def test_a_gap_that_a_node_cannot_fill_is_said_in_its_own_words(node, execution, drive, error):
    drive(node, execution, execution.began(NOW))
    for _ in range(3):
        node.mine()
    step = execution.received(node.notice(), NOW)
    (request,) = [request for request in step.requests if request.call.params[1:] == (False,)]
    refused = execution.received({"jsonrpc": "2.0", "id": request.id, "error": error}, NOW)
    observed = drive(node, execution, refused)
    (missed,) = only(HeightsMissed, observed)
    assert (missed.first, missed.last, missed.reason) == (1, 2, error["message"])


def test_a_request_without_an_answer_holds_nothing_up(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash())
    step = execution.received(node.notice(), NOW)
    observed = []
    for request in step.requests:
        observed += execution.gave_up(request, NOW).observations
    (block,) = only(BlockSeen, observed)
    assert (block.height, block.transactions, block.failed) == (1, None, None)


def test_a_lost_connection_tells_what_is_known_of_the_blocks_that_wait(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.silent = {"eth_getBlockReceipts"}
    node.mine(fresh_hash())
    assert not only(BlockSeen, heard_head(node, execution, drive))
    (block,) = only(BlockSeen, execution.lost(NOW).observations)
    assert (block.transactions, block.failed) == (1, None)
    assert not execution.lost(NOW).observations


def test_blocks_are_counted_only_where_nobody_wants_their_transactions(node, drive, fresh_hash):
    execution = Execution("1", "node1", follow=False)
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash(), fresh_hash())
    observed = heard_head(node, execution, drive)
    (block,) = only(BlockSeen, observed)
    assert (block.transactions, block.failed) == (2, None)
    assert not only(TransactionSeen, observed)
    assert "eth_getBlockReceipts" not in node.asked


def test_an_answer_that_cannot_be_read_is_a_fault_and_the_block_goes_on_without_it(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash())
    step = execution.received(node.notice(), NOW)
    receipts = next(request for request in step.requests if request.call.method == "eth_getBlockReceipts")
    body = next(request for request in step.requests if request.call.method == "eth_getBlockByHash")
    broken = execution.received({"jsonrpc": "2.0", "id": receipts.id, "result": [{"gasUsed": "many"}]}, NOW)
    assert isinstance(broken.fault, AnswerFault)
    assert "/result/0/gasUsed" in str(broken.fault)
    (block,) = only(BlockSeen, execution.received(node.answer(body), NOW).observations)
    assert (block.transactions, block.failed) == (1, None)


def test_another_block_than_was_asked_for_is_a_fault(node, execution, drive, fresh_hash):
    drive(node, execution, execution.began(NOW))
    node.mine(fresh_hash())
    step = execution.received(node.notice(), NOW)
    body = next(request for request in step.requests if request.call.method == "eth_getBlockByHash")
    wrong = {"jsonrpc": "2.0", "id": body.id, "result": node._block(node.chain[0], is_full=True)}
    assert execution.received(wrong, NOW).fault is not None


def test_an_answer_to_nobody_says_nothing(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    assert execution.received({"jsonrpc": "2.0", "id": 9999, "result": "0x1"}, NOW) == Step()


def test_a_node_behind_a_balancer_that_goes_back_does_not_reorganize_the_chain(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    for _ in range(3):
        node.mine()
        heard_head(node, execution, drive)
    observed = drive(node, execution, execution.received(node.notice(value=node.head(node.chain[1])), NOW))
    assert not only(Reorganized, observed)
    assert not only(BlockSeen, observed)


# The members that the readers look for, so that what is made up goes deep.
MEMBERS = (
    *("id", "result", "error", "code", "message", "method", "params", "subscription", "number", "hash", "parentHash"),
    *("timestamp", "transactions", "gasUsed", "status", "transactionHash", "blockHash", "from", "to", "value"),
    *("pending", "network", "name"),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["0x1", "0x" + "ab" * 32, "0x" + "cd" * 20, "eth_subscription", "newHeads"]),
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


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_a_node_sends_nothing_raises_and_what_is_kept_is_bounded(data):
    execution = Execution("1", "node1", gap_limit=3)
    waiting = list(execution.began(NOW).requests)
    for _ in range(data.draw(st.integers(1, 25))):
        kind = data.draw(st.sampled_from(["answer", "anything", "notice", "give up", "poll"]))
        value = data.draw(json_values | st.just("0x1") | heads)
        if kind == "answer" and waiting:
            request = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            step = execution.received({"id": request.id, "result": value}, NOW)
        elif kind == "give up" and waiting:
            step = execution.gave_up(waiting.pop(0), NOW)
        elif kind == "notice":
            params = {"subscription": "0x1", "result": value}
            step = execution.received({"method": "eth_subscription", "params": params}, NOW)
        elif kind == "poll":
            step = execution.polled(NOW)
        else:
            step = execution.received(value, NOW)
        waiting += step.requests
        assert step.fault is None or isinstance(step.fault, AnswerFault)
        assert len(execution._heads._branch) <= 128
        assert len(execution._heads._line) <= 3
        assert len(execution._inquiries) <= 4 + 3 + 1
    execution.lost(NOW)
    assert not len(execution._inquiries)


heads = st.builds(
    lambda number, hash_, parent, timestamp: {
        "number": hex(number),
        "hash": f"0x{hash_:064x}",
        "parentHash": f"0x{parent:064x}",
        "timestamp": hex(timestamp),
    },
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 12),
    st.integers(0, 3),
)


def test_calls_that_ask_the_same_are_equal_and_are_under_way_once(node, execution, drive):
    assert Call("eth_chainId") == Call("eth_chainId")
    drive(node, execution, execution.began(NOW))
    assert execution.polled(NOW).requests
    assert not execution.polled(NOW).requests


def test_a_subscription_that_is_not_known_says_nothing(node, execution, drive):
    drive(node, execution, execution.began(NOW))
    stranger = {"method": "eth_subscription", "params": {"subscription": "stranger", "result": node.head()}}
    assert execution.received(stranger, NOW) == Step()


def test_a_subscription_without_a_number_is_a_fault(node, execution):
    (first,) = execution.began(NOW).requests
    step = execution.received(node.answer(first), NOW)
    subscribe = next(request for request in step.requests if request.call.params == ("newHeads",))
    assert execution.received({"id": subscribe.id, "result": 5}, NOW).fault is not None
