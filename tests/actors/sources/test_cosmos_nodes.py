"""Nodes that lag, lie, hang, halt, refuse and flood: what is told of them, and what is not told of the validators."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from config import CosmosNode as NodeSettings
from telemetry import counters
from tests.actors.sources.cosmos_rig import Maker, begun, change, grown, linked, now, until, watching
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Chain, Member
from tests.nodes.serving import Answer

BOB = Member("bob").address


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


# -- V7: nodes that do not agree --------------------------------------------------------------------------------------


async def test_a_node_that_lags_and_one_that_lies_backwards_make_no_state_flap(tmp_path, clock):
    chain = grown(12)
    async with (
        CometNode(chain, lag=3) as lagging,
        CometNode(chain, backwards=4) as lying,
        watching([lagging, lying], tmp_path) as rig,
    ):
        maker = Maker(chain, lagging, lying)
        await begun(rig, maker)
        await maker.make(10)
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        await maker.make(30)
        assert {name: rig.news(name) for name in ("ann", "cid", "dan")} == {
            name: [("ACTIVE", None)] for name in ("ann", "cid", "dan")
        }
    assert rig.news("bob") == [("ACTIVE", None), ("JAILED", "downtime")]
    assert not rig.events("validator.retracted", "chain.halted", "chain.stale")


async def test_each_block_and_transaction_is_told_once_and_names_who_confirms_it(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        for number in range(5):
            await maker.make(txs=[f"tx {number}".encode()], failed=[0] if number == 3 else [])
        await until(lambda: len(rig.events("chain.transaction")) == 5)
        await trio.sleep(3)
    blocks, txs = rig.events("chain.block"), rig.events("chain.transaction")
    assert [one.data["blockHeight"] for one in blocks] == list(range(6, chain.tip + 1))
    assert len({one.data["txHash"] for one in txs}) == len(txs) == 5
    assert [one.data["status"] for one in txs] == ["SUCCESS"] * 3 + ["FAILED", "SUCCESS"]
    assert all(one.data["source"] in one.data["confirmedBy"] for one in blocks)
    assert {name for one in blocks for name in one.data["confirmedBy"]} <= {"one", "two"}


async def test_a_node_of_another_chain_is_refused_and_said(tmp_path, clock):
    chain, foreign = grown(), Chain("other-1", began=now() - 5)
    for _ in range(50):
        foreign.grow()
    async with (
        CometNode(foreign) as stranger,
        CometNode(chain) as node,
        watching([node, stranger], tmp_path) as rig,
    ):
        maker = Maker(chain, node)
        await begun(rig, maker)
        await maker.make(3)
        told = await rig.node(1)
    assert told["state"] == "lost"
    assert told["reason"] == "it is a node of the chain other-1, not of test-1"
    assert {method for method, _ in stranger.called} == {"status"}
    assert stranger.subscriptions == []
    assert {one.data["source"] for one in rig.events("chain.block")} == {"one"}


# -- V8, V9: silence and standstill -----------------------------------------------------------------------------------


async def test_a_hung_node_makes_validators_unknown_and_never_inactive(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        await maker.make(10)
        node.hang()
        hung_at = trio.current_time()
        await until(lambda: rig.events("chain.stale"))
        silence = trio.current_time() - hung_at
        await until(lambda: rig.status("ann") == "UNKNOWN")
        await trio.sleep(60)
        node.wake()
        await maker.make(5)
        await until(lambda: rig.events("chain.fresh"))
        await until(lambda: rig.status("ann") == "ACTIVE")
    # Four block times of a second, or one and a half times its usual pause, and a look each half a second.
    assert silence < 10
    assert {one.data["status"] for one in rig.events("validator.status")} == {"ACTIVE", "UNKNOWN"}
    assert len(rig.events("chain.stale")) == len(rig.events("chain.fresh")) == 1
    assert not rig.events("chain.halted")


async def test_a_hung_node_beside_one_that_answers_makes_nothing_stale(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        await maker.make(5)
        node.hang()
        await maker.make(20)
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        await maker.make(3)
        told = [(await rig.node(place))["state"] for place in (0, 1)]
        node.wake()
    assert told == ["lost", "ready"]
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert [one.data["node"] for one in rig.events("chain.node.quarantined")] == ["one"]
    assert not rig.events("chain.stale")


async def test_a_halted_chain_gives_one_alert_and_says_nothing_of_its_validators(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        await maker.make(10)
        losses = counters.source_losses["hub"]
        for round_ in range(60):
            await trio.sleep(2)
            node.round_ = other.round_ = (chain.tip + 1, round_ // 10, 3)
            for each in (node, other):
                await each.tell_round(chain.tip + 1, round_ // 10, "RoundStepPropose")
        # The links are as they were: a chain that stands still is no silence of its nodes.
        assert counters.source_losses["hub"] == losses
        assert len(node.links) == len(other.links) == 2
        told = [
            one.type for one in rig.events("chain.halted", "chain.resumed", "chain.stale", "chain.node.quarantined")
        ]
        assert told == ["chain.halted"]
        assert {status for status, _ in rig.news()} == {"ACTIVE"}
        await maker.make(3)
        await until(lambda: rig.events("chain.resumed"))
    assert len(rig.events("chain.halted")) == 1


# -- V15: subscriptions -----------------------------------------------------------------------------------------------


async def test_a_refused_subscription_is_counted_and_asked_for_again(tmp_path, clock):
    chain = grown()
    refused, lost = counters.chain_streams_lost["hub"], counters.source_losses["hub"]
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        # What a node of five queries does with the sixth this one does with the third.
        node.queries = 2
        maker = Maker(chain, node)
        await until(lambda: counters.chain_streams_lost["hub"] >= refused + 4)
        await until(lambda: counters.source_losses["hub"] >= lost + 4)
        assert "max_subscriptions_per_client 2 reached" in str((await rig.node())["links"])
        node.queries = 5
        await begun(rig, maker)
        await until(lambda: len(rig.events("chain.block")) == chain.tip - 5)


async def test_a_cancelled_subscription_is_counted_and_what_it_missed_is_read_again(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        lost = counters.chain_streams_lost["hub"]
        await node.cancel("tm.event='NewBlock'")
        chain.jail("bob")
        node._told = chain.tip
        await until(lambda: counters.chain_streams_lost["hub"] == lost + 1)
        await linked(node)
        await until(rig.jailings)
        await maker.make(5)
        await until(lambda: len(rig.events("chain.block")) == chain.tip - 5)
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]


async def test_a_link_that_is_silent_while_its_node_goes_on_is_made_anew(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        await maker.make(8)
        before = node.connected
        # It answers and keeps its links, and tells nothing any more.
        node.subscriptions.clear()
        losses = counters.source_losses["hub"]
        while counters.source_losses["hub"] < losses + 2:
            await maker.make()
        reasons = (await rig.node())["links"]
        await linked(node)
        await maker.make(3)
        await until(lambda: len(rig.events("chain.block")) >= chain.tip - 5)
        assert "nothing heard for" in str([link["reason"] for link in reasons])
    assert node.connected > before


# -- V16, and other things that are too much --------------------------------------------------------------------------


async def test_a_block_of_five_mebibytes_is_told_like_any_other(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        losses = counters.source_losses["hub"]
        await maker.make(txs=[bytes(4 * 1024 * 1024)])
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        await maker.make(2)
        await until(lambda: rig.events("chain.transaction"))
        await until(lambda: len(rig.events("chain.block")) == chain.tip - 5)
    assert counters.source_losses["hub"] == losses
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]


HTML, BROKEN = Answer(b"<html>", 502), Answer(b"{" * 100)
PANIC = Answer({"code": 2, "message": "panic", "details": []}, 500)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("/", HTML),
        ("/", BROKEN),
        ("/", PANIC),
        ("status", Answer(None)),
        ("status", Answer([])),
        ("status", Answer({"node_info": {}})),
        ("net_info", Answer({"n_peers": "many", "peers": "none"})),
        ("consensus_state", Answer({"round_state": {"height/round/step": "1/2"}})),
        ("validators", Answer({"block_height": "7", "validators": [], "total": "4"})),
        ("block_results", Answer(None)),
        ("/cosmos/staking/v1beta1/validators", HTML),
        ("/cosmos/staking/v1beta1/validators", BROKEN),
        ("/cosmos/staking/v1beta1/validators", PANIC),
        ("/cosmos/slashing/v1beta1/signing_infos", PANIC),
        ("/cosmos/slashing/v1beta1/params", Answer({"params": {}})),
        ("/websocket", HTML),
    ],
)
async def test_one_bad_answer_costs_itself_and_the_other_node_goes_on(tmp_path, clock, asked, answer):
    chain = grown()
    async with CometNode(chain) as bad, CometNode(chain) as good, watching([bad, good], tmp_path) as rig:
        bad.answers[asked] = answer
        maker = Maker(chain, good)
        await until(lambda: rig.status("ann") == "ACTIVE")
        await until(lambda: len(good.subscriptions) == 7)
        await maker.make(2)
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        await maker.make(2)
        assert (await rig.node(1))["state"] == "ready"
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]


async def test_a_node_without_a_websocket_is_read_by_polls(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        node.answers["/websocket"] = Answer(b"", 403)
        maker = Maker(chain, node)
        await until(lambda: rig.status("bob") == "ACTIVE")
        await maker.make(5)
        chain.jail("bob")
        await maker.make(30)
        await until(rig.jailings)
        heights = [one.data["blockHeight"] for one in rig.events("chain.block")]
    assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert heights == list(range(heights[0], heights[-1] + 1))
    assert len(heights) > 15


async def test_a_chain_without_records_of_its_own_is_read_by_its_blocks_and_its_set(tmp_path, clock):
    chain = grown()
    absent = Answer({"code": 12, "message": "Not Implemented", "details": []}, 501)
    async with CometNode(chain) as node:
        node.answers["/cosmos/staking/v1beta1/validators"] = absent
        async with watching([node], tmp_path) as rig:
            maker = Maker(chain, node)
            await begun(rig, maker)
            chain.jail("bob")
            await maker.tell()
            await until(rig.jailings)
            await maker.make(3)
            assert rig.jailings() == [(BOB, "JAILED", "downtime")]
    assert rig.status("bob") == "JAILED"


async def test_a_node_without_rest_is_enough(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        nodes = (NodeSettings(rpc=node.url, name="one"),)
        async with watching([node], tmp_path, asked=nodes) as rig:
            maker = Maker(chain, node)
            await begun(rig, maker)
            change(chain, "bob", is_jailed=True)
            chain.jail("cid")
            await maker.tell()
            await until(rig.jailings)
            await maker.make(3)
    assert [address for address, *_ in rig.jailings()] == [Member("cid").address]
    assert {asked.path for asked in node.requests} == {"/"}


async def test_nodes_of_a_chain_that_stands_still_are_asked_whether_they_live_and_are_not_silent(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path, poll=60.0) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        # In small steps: time must not leap while an answer is on its way.
        until_then = trio.current_time() + 25
        await until(lambda: trio.current_time() > until_then)
        told = [event.type for event in rig.events("chain.halted", "chain.stale", "chain.node.quarantined")]
        asked = [method for method, _ in node.called if method == "health"]
        await maker.make(2)
        await until(lambda: rig.events("chain.resumed"))
    assert told == ["chain.halted"]
    assert 8 < len(asked) < 30
