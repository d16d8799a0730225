"""Nodes of an Ethereum chain behind a lock: the headers of both layers, over WebSocket and HTTP."""

from __future__ import annotations

import msgspec
import pytest
import trio
import trio.testing

from config.secrets import Secret
from tests.actors.sources.ethereum_rig import node, reading
from tests.nodes.beacon import BeaconNode
from tests.nodes.beacon_chain import Chain
from tests.nodes.execution import Chain as ExecutionChain
from tests.nodes.execution import ExecutionNode

BEGAN = 1_800_000_000
KEY = "s3cr3t-of-the-node"


@pytest.fixture
def clock() -> trio.testing.MockClock:
    # Loopback has what was sent at once, but for the moment in which the kernel hands it over.
    return trio.testing.MockClock(autojump_threshold=0.002)


@pytest.mark.parametrize("is_http", [False, True])
async def test_the_headers_go_with_every_request_of_both_layers_and_are_not_shown(clock, tmp_path, capsys, is_http):
    blocks, slots = ExecutionChain(began=BEGAN - 36), Chain(began=BEGAN - 17 * 12)
    for _ in range(3):
        blocks.grow()
    async with ExecutionNode(blocks) as execution, BeaconNode(slots) as beacon:
        place = msgspec.structs.replace(node(execution, beacon, is_http=is_http), headers=Secret(f"X-Api-Key: {KEY}"))
        async with reading(tmp_path, place, began=BEGAN) as rig:
            await rig.until(lambda: rig.heights() == [3])
            await rig.until(lambda: beacon.requests)
            links = [link.headers.get("x-api-key") for link in execution.links]
            described = await rig.describe()
        asked = [*execution.requests, *beacon.requests]
        assert {each.headers.get("x-api-key") for each in asked} == {KEY}
        assert links == ([] if is_http else [KEY])
    told = capsys.readouterr()
    assert KEY not in told.out + told.err + str(described)
