"""The real daemon in front of an Ethereum chain: a configuration that names the nodes is all it needs."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from domain import JsonValue
from tests.nodes.beacon import BeaconNode
from tests.nodes.beacon_chain import Chain as BeaconChain
from tests.nodes.execution import Chain, ExecutionNode, Transaction
from tests.process.conftest import Daemon
from transport import Fetcher, WebSocketLink, connect

LIMIT = 30.0
CONFIG = """
[storage]
path = "{path}"

[sources.mainnet]
kind = "ethereum"
chain = "1"
watched = [0, 1]
poll = 1.0
nodes = [{{ execution = "{execution}", beacon = "{beacon}" }}]
"""


@asynccontextmanager
async def running(directory: Path, config: str) -> AsyncIterator[Daemon]:
    daemon = await trio.to_thread.run_sync(partial(Daemon, directory, config=config))
    try:
        yield daemon
    finally:
        with trio.CancelScope(shield=True):
            await trio.to_thread.run_sync(daemon.stop)


async def told(link: WebSocketLink, fits: Callable[[Mapping[str, JsonValue]], object]) -> Mapping[str, JsonValue]:
    """The first message that ``fits``."""
    with trio.fail_after(LIMIT):
        async for message in link:
            value = json.loads(message)
            if fits(value):
                return value
    raise AssertionError("the link ended")


async def until(condition: Callable[[], object]) -> None:
    with trio.fail_after(LIMIT):
        # What happens in another process cries no news.
        while not condition():  # noqa: ASYNC110
            await trio.sleep(0.05)


async def test_a_slashing_and_transactions_reach_the_portals_clients(tmp_path):
    now = int(time.time())
    slots, chain = BeaconChain(began=now - 34, slot_time=2), Chain(began=now - 2, interval=2)
    for _ in range(17):
        slots.grow()
    chain.grow()
    paid = Transaction("paid", value=5)
    async with BeaconNode(slots) as beacon, ExecutionNode(chain) as execution:
        config = CONFIG.format(path=tmp_path, execution=execution.link, beacon=beacon.url)
        async with running(tmp_path, config) as daemon, Fetcher(daemon.url) as fetcher:
            address = f"ws://127.0.0.1:{daemon.port}"
            async with connect(f"{address}/ws/validators") as validators, connect(f"{address}/ws/transactions") as txs:
                await until(lambda: beacon.listeners and any("/validators" in one.path for one in beacon.requests))
                await until(lambda: len(execution.subscriptions) == 2)
                slots.slash(1)
                await beacon.publish()
                jailed = await told(validators, lambda frame: frame["status"] == "JAILED")
                assert (jailed["validator"], jailed["spec"]) == (slots.validators[1].pubkey, "active_slashed")
                assert (jailed["reason"], jailed["provenance"]["chain"]) == ("slashed", "1/beacon")
                await execution.pend(paid)
                pending = await told(txs, lambda frame: frame["txHash"] == paid.hash)
                assert (pending["status"], pending["gasUsed"]) == ("PENDING", None)
                assert pending["reasons"]["gasUsed"]
                chain.grow(paid)
                await execution.publish()
                settled = await told(txs, lambda frame: frame["txHash"] == paid.hash)
                assert (settled["status"], settled["value"], settled["blockHeight"]) == ("SUCCESS", "5", 2)
                assert settled["provenance"]["source"] == execution.link.removeprefix("ws://")
            status = json.dumps(await fetcher.get("/statusz"))
            for name in (execution.link, beacon.url):
                assert name in status
