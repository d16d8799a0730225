"""anvil does what tests of sources need of it; what is asserted here was measured before anything was built on it."""

from __future__ import annotations

import json

import pytest
import trio

from tests.nodes.anvil import Anvil, needs_anvil, running
from transport import Closed, LinkLimits, Unfetched, WebSocketLink, connect

pytestmark = needs_anvil


async def _subscribe(link: WebSocketLink, kind: str) -> None:
    await link.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": [kind]}))
    assert json.loads(await anext(link))["result"].startswith("0x")


async def _head(link: WebSocketLink) -> int:
    return int(json.loads(await anext(link))["params"]["result"]["number"], 16)


async def _hash(node: Anvil, number: int) -> str:
    block = await node.call("eth_getBlockByNumber", hex(number), False)
    return str(block["hash"])


async def test_heads_and_pending_transactions_come_over_the_link():
    async with running() as node, connect(node.link) as heads, connect(node.link) as pending:
        await _subscribe(heads, "newHeads")
        await _subscribe(pending, "newPendingTransactions")
        sent = await node.send()
        assert json.loads(await anext(pending))["params"]["result"] == sent
        assert await _head(heads) == 1
        assert (await node.receipt(sent))["status"] == "0x1"


async def test_a_transaction_can_fail():
    async with running() as node:
        failed = await node.send(data="0xfe")
        assert (await node.receipt(failed))["status"] == "0x0"


async def test_a_reorganization_takes_blocks_back():
    async with running() as node, connect(node.link) as link:
        await node.mine(5)
        old = await _hash(node, 5)
        await _subscribe(link, "newHeads")
        await node.reorganize(3)
        assert await node.height() == 5
        assert await _hash(node, 5) != old
        assert [await _head(link) for _ in range(3)] == [3, 4, 5]


async def test_a_halted_chain_is_healthy_and_goes_on():
    async with running(1) as node, connect(node.link) as link:
        await _subscribe(link, "newHeads")
        await _head(link)
        await node.halt()
        height = await node.height()
        assert await node.height() == height
        await node.go_on()
        while await _head(link) <= height:
            pass


async def test_a_stopped_process_keeps_its_connections_and_says_nothing():
    limits = LinkLimits(ping_interval=0.05, patience=0.2)
    async with running() as node, connect(node.link, limits=limits) as link:
        node.hang()
        with pytest.raises(Closed) as caught:
            await anext(link)
        assert caught.value.ending == "silent"
        with pytest.raises(Unfetched, match="no link within"):
            async with connect(node.link, limits=LinkLimits(deadline=0.2)):
                pytest.fail("it is stopped")
        node.wake()
        assert await node.height() == 0


async def test_a_killed_process_cuts_the_link():
    async with running() as node, connect(node.link) as link:
        await node.kill()
        with pytest.raises(Closed) as caught:
            await anext(link)
        assert caught.value.ending == "cut"
        with pytest.raises(Unfetched) as unfetched:
            await node.height()
    assert unfetched.value.trouble in {"unreachable", "cut"}


async def test_it_ends_with_whoever_started_it():
    with trio.CancelScope() as scope:
        async with running() as node:
            process = node._process
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert process.returncode is not None
