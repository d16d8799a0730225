"""The source of kind ethereum in front of execution nodes of the tests' own: real sockets, virtual time."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import trio
import trio.testing

from config import EthereumNode
from domain.chain.observations import HeadSeen, NodeHeard
from telemetry import counters
from tests.actors.sources.ethereum_rig import node, reading
from tests.nodes.execution import Chain, ExecutionNode, RpcError, Transaction
from tests.nodes.serving import Answer

BEGAN = 1_800_000_000


@pytest.fixture
def clock() -> trio.testing.MockClock:
    # Loopback has what was sent at once, but for the moment in which the kernel hands it over.
    return trio.testing.MockClock(autojump_threshold=0.002)


@pytest.fixture
def chain() -> Chain:
    """A chain whose newest block is of now."""
    made = Chain(began=BEGAN - 36)
    for _ in range(3):
        made.grow()
    return made


def counted(tally) -> int:
    """How much was counted of the source."""
    return tally["mainnet"]


async def pass_block(rig, *nodes: ExecutionNode, txs: tuple[Transaction, ...] = ()) -> int:
    """Let a block's time go by, and have it told by ``nodes``; its number."""
    await trio.sleep(nodes[0].chain.interval)
    nodes[0].chain.grow(*txs)
    for each in nodes:
        await each.publish()
    number = nodes[0].chain.tip.number
    await rig.until(lambda: number in rig.heights())
    return number


async def listening(rig, *nodes: ExecutionNode) -> None:
    """Wait until each of ``nodes`` has its two subscriptions."""
    await rig.until(lambda: all(len(each.subscriptions) == 2 for each in nodes))


async def test_blocks_and_transactions_come_as_events_with_where_they_come_from(clock, chain, tmp_path):
    paid, broken = Transaction("paid", value=5), Transaction("broken", is_ok=False, recipient=None)
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN) as rig:
        await rig.until(lambda: rig.heights() == [3])
        await listening(rig, server)
        await server.pend(paid)
        await rig.until(lambda: rig.taken("chain.transaction"))
        await pass_block(rig, server, txs=(paid, broken))
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 3)
        place = server.link.removeprefix("ws://")
        block = rig.taken("chain.block")[-1]
        assert block["blockHeight"] == 4
        assert block["blockTime"] == 12_000
        assert (block["transactions"], block["failed"], block["producer"]) == (2, 1, None)
        assert "maker" in block["reasons"]["producer"]
        assert (block["chain"], block["source"], block["height"], block["confirmedBy"]) == ("1", place, 4, [place])
        assert block["method"] == "eth_subscribe newHeads"
        assert block["ageMs"] >= 0
        assert datetime.fromisoformat(block["observedAt"]) == datetime.fromtimestamp(BEGAN + 12, UTC)
        pending, first, second = rig.taken("chain.transaction")
        assert (pending["txHash"], pending["status"], pending["blockHeight"]) == (paid.hash, "PENDING", None)
        assert pending["reasons"]["gasUsed"]
        assert (first["txHash"], first["status"], first["value"], first["blockHeight"]) == (
            paid.hash,
            "SUCCESS",
            "5",
            4,
        )
        assert first["fee"] == 21_000 * 10**9
        assert first["gasUsed"] == 21_000
        assert (second["txHash"], second["status"], second["to"]) == (broken.hash, "FAILED", None)


async def test_a_pause_between_two_looks_makes_no_healthy_node_silent(clock, tmp_path):
    quick = Chain(began=BEGAN - 4, interval=2)
    for _ in range(2):
        quick.grow()
    async with ExecutionNode(quick) as server, reading(tmp_path, node(server), began=BEGAN, poll=10.0) as rig:
        await listening(rig, server)
        for _ in range(5):
            await pass_block(rig, server)
        await trio.sleep(14)
        quick.grow(at=quick.tip.at + 16)
        await pass_block(rig, server)
        assert not rig.events("chain.node.quarantined", "chain.stale")


async def test_what_two_nodes_tell_is_told_once(clock, chain, tmp_path):
    paid = Transaction("paid")
    async with (
        ExecutionNode(chain) as one,
        ExecutionNode(chain) as two,
        reading(tmp_path, node(one), node(two), began=BEGAN) as rig,
    ):
        await listening(rig, one, two)
        for each in (one, two):
            await each.tell("newPendingTransactions", paid.hash)
        await pass_block(rig, one, two, txs=(paid,))
        await pass_block(rig, one, two)
        await rig.until(lambda: {said.provenance.source for said in rig.observed(HeadSeen) if said.height == 5} == {
            one.link.removeprefix("ws://"), two.link.removeprefix("ws://")
        })  # fmt: skip
        assert rig.heights() == [3, 4, 5]
        assert [data["status"] for data in rig.taken("chain.transaction")] == ["PENDING", "SUCCESS"]


async def test_a_node_that_is_asked_by_http_tells_with_each_look(clock, chain, tmp_path):
    paid = Transaction("paid")
    async with (
        ExecutionNode(chain) as server,
        reading(tmp_path, node(server, is_http=True), began=BEGAN, poll=4) as rig,
    ):
        await rig.until(lambda: rig.heights() == [3])
        await pass_block(rig, server, txs=(paid,))
        await pass_block(rig, server)
        assert rig.heights() == [3, 4, 5]
        assert [data["status"] for data in rig.taken("chain.transaction")] == ["SUCCESS"]
        said = await rig.node()
        assert said["connected"]
        assert said["failures"] == 0
        assert said["roundTripMs"] is not None
        assert not any(method == "eth_subscribe" for method, _ in server.called)


async def test_a_reorganization_is_told_and_what_was_in_it_is_told_anew(clock, chain, tmp_path):
    kept, lost = Transaction("kept"), Transaction("lost")
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN) as rig:
        await listening(rig, server)
        await pass_block(rig, server, txs=(kept,))
        await pass_block(rig, server, txs=(lost,))
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 2)
        old = [data["hash"] for data in rig.taken("chain.block")][-2:]
        chain.reorganize(2, (), (), (kept,))
        chain.pending.clear()
        await server.publish()
        await rig.until(lambda: rig.events("chain.reorganized") and 6 in rig.heights())
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 4)
        (told,) = rig.events("chain.reorganized")
        assert (told.data["first"], told.data["depth"], told.data["height"]) == (4, 2, 4)
        assert rig.heights() == [3, 4, 5, 4, 5, 6]
        assert not set(old) & {data["hash"] for data in rig.taken("chain.block")[-3:]}
        after = {data["txHash"]: data for data in rig.taken("chain.transaction")[2:]}
        assert (after[kept.hash]["status"], after[kept.hash]["blockHeight"]) == ("SUCCESS", 6)
        # Who knows three states is told that it came to nothing, and beside it what exactly became of it.
        assert (after[lost.hash]["status"], after[lost.hash]["exactStatus"]) == ("FAILED", "DROPPED")


async def test_a_node_that_is_behind_undoes_nothing_of_a_reorganization(clock, chain, tmp_path):
    paid = Transaction("paid")
    async with (
        ExecutionNode(chain) as one,
        ExecutionNode(chain) as two,
        reading(tmp_path, node(one), node(two), began=BEGAN) as rig,
    ):
        await listening(rig, one, two)
        await pass_block(rig, one, two, txs=(paid,))
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 1)
        chain.reorganize(1, (), (paid,))
        await one.publish()
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 2)
        await two.publish()
        await pass_block(rig, one, two)
        assert rig.heights() == [3, 4, 4, 5, 6]
        assert [(data["status"], data["blockHeight"]) for data in rig.taken("chain.transaction")][:1] == [
            ("SUCCESS", 4)
        ]
        assert rig.taken("chain.transaction")[-1]["blockHeight"] == 5


async def test_a_hung_node_makes_the_chain_stale_and_comes_back_by_itself(clock, chain, tmp_path):
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN) as rig:
        await listening(rig, server)
        for _ in range(4):
            await pass_block(rig, server)
        server.hang()
        began, losses = trio.current_time(), counted(counters.source_losses)
        await rig.until(lambda: rig.events("chain.stale"))
        assert trio.current_time() - began <= 5 * chain.interval
        assert not rig.events("chain.halted")
        await rig.until(lambda: counted(counters.source_losses) > losses)
        said = await rig.node()
        assert not said["connected"]
        assert said["reason"]
        server.wake()
        await rig.until(lambda: rig.events("chain.fresh"))
        assert (await rig.node())["connected"]


async def test_a_chain_that_stands_still_is_told_once_and_goes_on(clock, chain, tmp_path):
    async with (
        ExecutionNode(chain) as one,
        ExecutionNode(chain) as two,
        reading(tmp_path, node(one), node(two), began=BEGAN) as rig,
    ):
        await listening(rig, one, two)
        for _ in range(4):
            await pass_block(rig, one, two)
        await rig.until(lambda: rig.events("chain.halted"))
        await trio.sleep(600)
        assert len(rig.events("chain.halted")) == 1
        assert not rig.events("chain.stale")
        await pass_block(rig, one, two)
        await rig.until(lambda: rig.events("chain.resumed"))
        assert len(rig.events("chain.halted")) == 1


async def test_a_node_of_another_chain_is_said_and_the_others_are_read(clock, chain, tmp_path):
    other = Chain(5, began=BEGAN - 12)
    async with (
        ExecutionNode(other) as stranger,
        ExecutionNode(chain) as server,
        reading(tmp_path, node(stranger), node(server), began=BEGAN) as rig,
    ):
        await rig.until(lambda: 3 in rig.heights())
        await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
        refused, read = (await rig.describe())["nodes"]
        assert "of the chain 5, not of 1" in refused["lastFailure"]
        assert (refused["connected"], read["connected"]) == (False, True)
        assert "of the chain 5, not of 1" in refused["reason"]
        # That it lives is no word on our chain.
        assert all(said.fault for said in rig.observed(NodeHeard) if said.provenance.source != read["node"])
        assert read["lastFailure"] is None
        assert {data["source"] for data in rig.taken("chain.block")} == {server.link.removeprefix("ws://")}
        assert {method for method, _ in stranger.called} == {"eth_chainId"}


async def test_blocks_of_the_time_without_a_link_are_told_when_it_is_back(clock, chain, tmp_path):
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN) as rig:
        await listening(rig, server)
        await pass_block(rig, server)
        server.links[0].cut()
        for _ in range(5):
            chain.grow()
        await rig.until(lambda: 9 in rig.heights())
        assert rig.heights() == [3, 4, 5, 6, 7, 8, 9]
        assert not rig.events("chain.missed")
        await listening(rig, server)


async def test_of_a_gap_that_is_too_long_it_is_said_what_nobody_saw(clock, chain, tmp_path):
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN, gap_limit=3) as rig:
        await listening(rig, server)
        await pass_block(rig, server)
        server.links[0].cut()
        for _ in range(10):
            chain.grow()
        await rig.until(lambda: 14 in rig.heights() and rig.events("chain.missed"))
        (missed,) = rig.events("chain.missed")
        assert missed.data["first"] == 5
        assert missed.data["last"] + 1 == rig.heights()[2]


async def test_a_refused_subscription_is_counted_and_the_link_made_anew(clock, chain, tmp_path):
    def refuse(_: object) -> Answer:
        raise RpcError((-32000, "too many subscriptions"))

    before = counted(counters.chain_streams_lost)
    async with ExecutionNode(chain) as server:
        server.answers["eth_subscribe"] = refuse
        async with reading(tmp_path, node(server), began=BEGAN) as rig:
            await rig.until(lambda: server.connected >= 2)
            del server.answers["eth_subscribe"]
            await listening(rig, server)
    assert counted(counters.chain_streams_lost) > before


async def test_a_node_without_subscriptions_is_looked_at(clock, chain, tmp_path):
    async with (
        ExecutionNode(chain, missing=["eth_subscribe", "net_peerCount", "txpool_status"]) as server,
        reading(tmp_path, node(server), began=BEGAN, poll=4) as rig,
    ):
        await rig.until(lambda: rig.heights() == [3])
        await pass_block(rig, server)
        said = await rig.node()
        assert said["connected"]
        assert {"eth_subscribe newHeads", "net_peerCount", "txpool_status"} <= set(said["notTold"])
        assert server.connected == 1


async def test_a_subscription_that_brings_nothing_is_made_anew(clock, chain, tmp_path):
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN, poll=5) as rig:
        await listening(rig, server)
        server.subscriptions.clear()
        while server.connected < 2:
            await pass_block(rig, server)
        await listening(rig, server)
        heights = rig.heights()
        assert heights == sorted(set(heights))


async def test_answers_that_are_none_cost_themselves(clock, chain, tmp_path):
    before = counted(counters.chain_answers_missed)
    async with ExecutionNode(chain) as server, reading(tmp_path, node(server), began=BEGAN) as rig:
        await listening(rig, server)
        for nonsense in ("no json", "[]", '{"id": true}', '{"method": "eth_subscription", "params": 3}', "7", '"x"'):
            await server.links[0].send(nonsense)
        server.answers["txpool_status"] = "many"
        server.answers["eth_getBlockReceipts"] = [{"status": "0x7"}]
        await pass_block(rig, server, txs=(Transaction("a"),))
        await trio.sleep(30)
        await pass_block(rig, server)
        assert server.connected == 1
        assert rig.taken("chain.block")[-1]["transactions"] == 0
        assert (await rig.node())["failures"] >= 6
    assert counted(counters.chain_answers_missed) - before >= 6


@pytest.mark.parametrize("is_http", [False, True])
async def test_a_node_that_never_answers_is_tried_again_with_growing_pauses(clock, tmp_path, is_http):
    async with ExecutionNode(Chain()) as server:
        server.hang()
        async with reading(tmp_path, node(server, is_http=is_http), began=BEGAN, deadline=2, poll=3) as rig:
            await rig.until(lambda: sum(said.fault is not None for said in rig.observed(NodeHeard)) >= 6)
            assert trio.current_time() > 6 * 2 + 5
            assert (await rig.describe())["state"] == "lost"


async def test_nobody_there_is_a_node_that_is_lost(clock, tmp_path):
    async with ExecutionNode(Chain()) as server:
        address = server.link
    async with reading(tmp_path, EthereumNode(execution=address), began=BEGAN) as rig:
        await rig.until(lambda: len(rig.observed(NodeHeard)) >= 2)
        assert "cannot connect" in rig.observed(NodeHeard)[0].fault
        assert "cannot connect" in (await rig.node())["reason"]


async def test_no_more_than_a_few_requests_are_under_way_at_a_time(clock, chain, tmp_path):
    async with (
        ExecutionNode(chain) as server,
        reading(tmp_path, node(server, is_http=True), began=BEGAN, requests=2, gap_limit=50) as rig,
    ):
        await rig.until(lambda: rig.heights() == [3])
        for _ in range(30):
            chain.grow(Transaction("a"), Transaction("b"))
        await rig.until(lambda: 33 in rig.heights())
        assert rig.heights() == list(range(3, 34))
        assert len(server.lines) <= 2
