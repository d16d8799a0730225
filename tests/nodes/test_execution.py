"""The execution node that tests start: it says what real ones do, and breaks as they do."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.nodes.anvil import needs_anvil, running
from tests.nodes.execution import Chain, ExecutionNode, Transaction
from transport import Fetcher, Refused, WebSocketLink, connect

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = SHARED / "data" / "validators" / "execution-apis"
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded answers in {RECORDED}; ANDOND_SHARED says where they are"
)


async def _subscribe(link: WebSocketLink, kind: str) -> str:
    await link.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": [kind]}))
    return json.loads(await anext(link))["result"]


async def _told(link: WebSocketLink) -> object:
    return json.loads(await anext(link))["params"]["result"]


def _grown(blocks: int = 5) -> Chain:
    chain = Chain()
    for number in range(blocks):
        chain.grow(Transaction(f"tx {number}"))
    return chain


async def test_a_subscriber_is_told_of_heads_and_pending_transactions():
    chain, tx = _grown(), Transaction("mine")
    async with ExecutionNode(chain) as node, connect(node.link) as heads, connect(node.link) as pending:
        assert await _subscribe(heads, "newHeads") != await _subscribe(pending, "newPendingTransactions")
        await node.pend(tx)
        await node.grow(tx)
        assert await _told(pending) == tx.hash
        head = await _told(heads)
    assert (head["number"], head["parentHash"]) == ("0x6", chain.blocks[5].hash)
    assert "transactions" not in head
    assert chain.pending == []


async def test_blocks_receipts_and_transactions_are_found_by_their_names():
    chain = _grown()
    failed = Transaction("failed", is_ok=False, recipient=None)
    block = chain.grow(Transaction("ok"), failed)
    async with ExecutionNode(chain) as node, Fetcher(node.url) as fetcher:
        by_hash = await fetcher.call("eth_getBlockByHash", [block.hash, False])
        full = await fetcher.call("eth_getBlockByNumber", ["latest", True])
        receipts = await fetcher.call("eth_getBlockReceipts", [block.hash])
        receipt = await fetcher.call("eth_getTransactionReceipt", [failed.hash])
        assert await fetcher.call("eth_getTransactionByHash", ["0x" + 64 * "f"]) is None
        assert await fetcher.call("eth_getBlockByNumber", ["0x63", False]) is None
        assert await fetcher.call("eth_chainId") == "0x1"
    assert by_hash["transactions"] == [one["hash"] for one in full["transactions"]]
    assert receipts[1] == receipt
    assert (receipt["status"], receipt["to"], receipt["transactionIndex"]) == ("0x0", None, "0x1")


async def test_a_reorganization_gives_other_blocks_and_brings_transactions_back_to_the_pool():
    chain = _grown()
    kept, lost = Transaction("tx 4"), Transaction("tx 3")
    async with ExecutionNode(chain) as node, Fetcher(node.url) as fetcher, connect(node.link) as link:
        await _subscribe(link, "newHeads")
        gone = chain.reorganize(2, [kept], [])
        await node.publish()
        told = [await _told(link) for _ in range(2)]
        old = await fetcher.call("eth_getBlockByHash", [gone[0].hash, False])
        assert await fetcher.call("eth_getTransactionReceipt", [lost.hash]) is None
        assert (await fetcher.call("eth_getTransactionByHash", [lost.hash]))["blockHash"] is None
        assert (await fetcher.call("eth_getTransactionReceipt", [kept.hash]))["blockNumber"] == "0x4"
    assert [head["number"] for head in told] == ["0x4", "0x5"]
    assert told[0]["parentHash"] == old["parentHash"] == chain.blocks[3].hash
    assert told[0]["hash"] != old["hash"]


async def test_a_node_lags_or_lies_backwards():
    chain = _grown(10)

    async def heights(node: ExecutionNode) -> list[int]:
        async with Fetcher(node.url) as fetcher:
            return [int(await fetcher.call("eth_blockNumber"), 16) for _ in range(4)]

    async with ExecutionNode(chain, lag=3) as lagging, ExecutionNode(chain, backwards=4) as lying:
        assert await heights(lagging) == [7, 7, 7, 7]
        assert await heights(lying) == [10, 6, 10, 6]


async def test_a_node_that_lags_tells_of_the_blocks_that_it_has_and_of_each_once():
    chain = _grown(10)
    async with ExecutionNode(chain, lag=3) as node, connect(node.link) as link:
        await _subscribe(link, "newHeads")
        await node.publish()
        for _ in range(2):
            await node.grow()
        node.lag = 4
        await node.publish()
        node.lag = 1
        await node.grow()
        told = [await _told(link) for _ in range(5)]
    assert [int(head["number"], 16) for head in told] == [8, 9, 10, 11, 12]


async def test_what_a_node_does_not_have_is_said_in_its_words():
    async with ExecutionNode(_grown(), missing=["net_peerCount"]) as node, Fetcher(node.url) as fetcher:
        for method in ("net_peerCount", "admin_peers"):
            with pytest.raises(Refused, match="does not exist") as caught:
                await fetcher.call(method)
            assert caught.value.code == -32601
        node.answers["net_peerCount"] = "0x0"
        assert await fetcher.call("net_peerCount") == "0x0"


@needs_recorded
@pytest.mark.parametrize(
    ("method", "params", "file"),
    [
        ("eth_getBlockByNumber", ["0x5", True], "eth_getBlockByNumber/get-block-london-fork"),
        ("eth_getTransactionReceipt", [Transaction("tx 4").hash], "eth_getTransactionReceipt/get-access-list"),
        ("eth_getTransactionByHash", [Transaction("tx 4").hash], "eth_getTransactionByHash/get-legacy-tx"),
    ],
)
async def test_it_says_nothing_that_real_nodes_do_not(method, params, file):
    lines = (RECORDED / f"{file}.io").read_text().splitlines()
    recorded = json.loads(next(line for line in lines if line.startswith("<<")).removeprefix("<<"))["result"]
    async with ExecutionNode(_grown()) as node, Fetcher(node.url) as fetcher:
        said = await fetcher.call(method, params)
    assert set(said) - set(recorded) == set()


@needs_anvil
async def test_its_heads_have_nothing_that_those_of_a_real_node_have_not():
    async with running() as real, ExecutionNode(_grown()) as node:
        found = []
        for one in (real, node):
            async with connect(one.link) as link:
                await _subscribe(link, "newHeads")
                await (real.mine() if one is real else node.grow())
                found.append(set(await _told(link)))
    assert found[1] - found[0] == set()
