"""A chain of 40 validators with one node, told on standard input what happens in it.

    python -m tests.bench.chain

Rules of this file: it says its port as one line of JSON. ``wait`` is answered when somebody listens to its blocks;
``jail`` jails one validator more for downtime, tells of the block, and is answered with the moment right before that
(CLOCK_MONOTONIC microseconds), which is before the daemon could know of it.
"""

from __future__ import annotations

import json
import sys
import time

import trio

from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Chain, Member

NAME = "bench-1"
MEMBERS = 40
BLOCK_TIME, SHORTEST = 1.0, 0.01
POLL = 0.05


async def main() -> None:
    """Serve until standard input ends."""
    names = [f"validator{number}" for number in range(MEMBERS)]
    chain = Chain(NAME, [Member(name) for name in names], began=time.time() - 1.0, interval=SHORTEST)
    async with CometNode(chain) as node, trio.open_nursery() as nursery:
        await node.grow()
        _say({"port": int(node.url.rpartition(":")[2])})
        nursery.start_soon(_grow, node)
        await _obey(node, names)
        nursery.cancel_scope.cancel()


async def _grow(node: CometNode) -> None:
    while True:
        await node.grow(at=max(time.time(), node.chain.blocks[node.chain.tip].at))
        await trio.sleep(BLOCK_TIME)


async def _obey(node: CometNode, names: list[str]) -> None:
    lines = trio.wrap_file(sys.stdin)
    async for line in lines:
        match line.split():
            case ["wait"]:
                while not any("NewBlock" in one.query for one in node.subscriptions):  # noqa: ASYNC110 - it tells nobody
                    await trio.sleep(POLL)
                _say({"ready": 1})
            case ["jail"]:
                began = time.monotonic_ns() // 1000
                node.chain.jail(names.pop())
                await node.publish()
                _say({"at": began})


def _say(answer: dict[str, object]) -> None:
    print(json.dumps(answer), flush=True)  # noqa: T201 - what the harness listens to


if __name__ == "__main__":
    trio.run(main)
