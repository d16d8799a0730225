"""The source of kind ethereum in front of a real execution node, in real time: anvil, where it is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from config import ChainRuleSettings, EthereumNode
from domain.chain.observations import NodeHeard
from tests.actors.sources.ethereum_rig import Rig, reading
from tests.nodes.anvil import Anvil, needs_anvil, running

pytestmark = needs_anvil

CHAIN = "31337"
LIMIT = 30.0
# Blocks of one second: what takes minutes on a chain with slow ones takes seconds here.
RULES = ChainRuleSettings(stale_after=2, halted_after=3, silence=4)


@asynccontextmanager
async def following(path: Path, interval: int | None = None, *, is_http: bool = False) -> AsyncIterator[tuple]:
    """A source that reads an anvil which makes a block every ``interval`` seconds, or one for each transaction."""
    async with running(interval) as anvil:
        address = anvil.url if is_http else anvil.link
        nodes = EthereumNode(execution=address, name="anvil")
        settings = {"chain": CHAIN, "poll": 0.5, "deadline": 1.0, "watched": ()}
        async with reading(path, nodes, rules=RULES, limit=LIMIT, **settings) as rig:
            yield anvil, rig


async def subscribed(anvil: Anvil, rig: Rig) -> None:
    """Make blocks until one has come by itself."""
    while not any(data["method"] == "eth_subscribe newHeads" for data in rig.taken("chain.block")):
        await mined(anvil, rig)


async def mined(anvil: Anvil, rig: Rig) -> None:
    """Make a block and wait until it was told."""
    await anvil.mine()
    height = await anvil.height()
    await rig.until(lambda: height in rig.heights())


async def paced(rig: Rig, blocks: int = 3) -> None:
    """Wait until the time that a block takes is known."""
    await rig.until(lambda: len(rig.heights()) > blocks)


async def test_new_heads_and_pending_transactions_arrive(tmp_path):
    async with following(tmp_path) as (anvil, rig):
        await subscribed(anvil, rig)
        sent = await anvil.send(7)
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 2)
        pending, done = rig.taken("chain.transaction")
        assert (pending["txHash"], pending["status"], pending["gasUsed"]) == (sent, "PENDING", None)
        assert (done["txHash"], done["status"], done["value"], done["gasUsed"]) == (sent, "SUCCESS", "7", 21_000)
        assert done["blockHeight"] == await anvil.height()
        block = rig.taken("chain.block")[-1]
        assert (block["blockHeight"], block["transactions"], block["failed"]) == (await anvil.height(), 1, 0)
        node = await rig.node()
        assert node["version"].startswith("anvil")
        assert "net_peerCount" in node["notTold"]


async def test_a_failing_transaction_is_failed(tmp_path):
    async with following(tmp_path) as (anvil, rig):
        await subscribed(anvil, rig)
        sent = await anvil.send(data="0xfe")
        await rig.until(lambda: any(data["status"] == "FAILED" for data in rig.taken("chain.transaction")))
        failed = rig.taken("chain.transaction")[-1]
        assert (failed["txHash"], failed["exactStatus"], failed["to"]) == (sent, "FAILED", None)
        assert rig.taken("chain.block")[-1]["failed"] == 1


async def test_it_can_be_asked_by_http_alone(tmp_path):
    async with following(tmp_path, is_http=True) as (anvil, rig):
        await rig.until(lambda: 0 in rig.heights())
        sent = await anvil.send()
        await rig.until(lambda: rig.taken("chain.transaction"))
        (told,) = rig.taken("chain.transaction")
        assert (told["txHash"], told["status"]) == (sent, "SUCCESS")


async def test_a_reorganization_takes_back_what_was_told(tmp_path):
    async with following(tmp_path) as (anvil, rig):
        await subscribed(anvil, rig)
        for _ in range(4):
            await anvil.mine()
        sent = await anvil.send()
        # The node has said that it took the transaction; its block comes a moment later.
        await rig.until(lambda: len(rig.taken("chain.transaction")) == 2)
        height = await anvil.height()
        await rig.until(lambda: height in rig.heights())
        old = {data["hash"] for data in rig.taken("chain.block")[-3:]}
        await anvil.reorganize(3)
        await rig.until(lambda: rig.events("chain.reorganized"))
        (told,) = rig.events("chain.reorganized")
        assert (told.data["first"], told.data["depth"]) == (height - 2, 3)
        await rig.until(
            lambda: rig.heights()[-3:] == [height - 2, height - 1, height] and rig.heights().count(height) == 2
        )
        assert not old & {data["hash"] for data in rig.taken("chain.block")[-3:]}
        # What was in the last of them is in no block now, and the node has it back in its pool or knows it no more.
        await rig.until(lambda: len(rig.taken("chain.transaction")) > 2)
        after = rig.taken("chain.transaction")[2]
        assert after["txHash"] == sent
        assert (after["exactStatus"] in {"PENDING", "DROPPED"}, after["takenBack"]) == (True, True)


async def test_a_chain_that_stands_still_gives_one_alert(tmp_path):
    async with following(tmp_path, 1) as (anvil, rig):
        await paced(rig)
        await anvil.halt()
        await rig.until(lambda: rig.events("chain.halted"))
        height = await anvil.height()
        await anvil.go_on()
        await rig.until(lambda: rig.events("chain.resumed"))
        (halted,) = rig.events("chain.halted")
        assert halted.data["headHeight"] == height
        assert not rig.events("chain.stale")


async def test_a_stopped_node_is_stale_and_makes_nothing_else_wrong(tmp_path):
    async with following(tmp_path, 1) as (anvil, rig):
        await paced(rig)
        anvil.hang()
        await rig.until(lambda: rig.events("chain.stale"))
        await rig.until(lambda: rig.events("chain.node.quarantined"))
        (quarantined,) = rig.events("chain.node.quarantined")
        assert quarantined.data["reason"] == "silent"
        assert not rig.events("chain.halted")
        anvil.wake()
        await rig.until(lambda: rig.events("chain.fresh"))
        last = rig.heights()[-1]
        await rig.until(lambda: rig.heights()[-1] > last)
        assert rig.heights() == sorted(set(rig.heights()))


async def test_a_killed_node_is_lost_and_tried_again(tmp_path):
    async with following(tmp_path) as (anvil, rig):
        await subscribed(anvil, rig)
        await anvil.kill()
        await rig.until(lambda: sum(said.fault is not None for said in rig.observed(NodeHeard)) >= 2)
        node = await rig.node()
        assert not node["connected"]
        assert "cannot connect" in node["reason"]


async def test_a_node_that_comes_back_is_read_again(tmp_path):
    async with running() as first:
        port = first.url.rpartition(":")[2]
        settings = {"chain": CHAIN, "poll": 0.5, "deadline": 1.0, "watched": ()}
        nodes = EthereumNode(execution=first.link, name="anvil")
        async with reading(tmp_path, nodes, rules=RULES, limit=LIMIT, **settings) as rig:
            await subscribed(first, rig)
            await first.kill()
            await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
            async with running(port=int(port)) as second:
                before = len(rig.heights())
                await rig.until(lambda: len(rig.heights()) > before)
                await second.mine()
                await rig.until(lambda: rig.heights()[-1] == 1)
                assert (await rig.node())["connected"]
