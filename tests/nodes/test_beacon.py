"""The node of a beacon chain that tests start: it says what real ones do, and breaks as they do."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.nodes.beacon import BeaconNode
from tests.nodes.beacon_chain import Chain, Validator
from transport import Fetcher, Refused, Unfetched

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = SHARED / "data" / "validators" / "recorded-lodestar" / "rest"
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded answers in {RECORDED}; ANDOND_SHARED says where they are"
)
EVENTS = "/eth/v1/events"


def _grown(blocks: int = 20) -> Chain:
    chain = Chain()
    for _ in range(blocks):
        chain.grow()
    return chain


async def _read(pieces: AsyncIterator[bytes], size: int) -> bytes:
    read = b""
    while len(read) < size:
        read += await anext(pieces)
    return read


def _event(topic: str, value: object, newline: str = "\n") -> bytes:
    return newline.join((f"event: {topic}", f"data: {json.dumps(value)}", "", "")).encode()


async def test_a_listener_is_told_of_its_topics_alone():
    chain = _grown()
    async with BeaconNode(chain) as node, Fetcher(node.url) as fetcher:
        async with fetcher.stream(EVENTS, {"topics": ["block", "finalized_checkpoint"]}, silence=5) as pieces:
            await node.grow()
            await node.finalize(1)
            await node.tell("head", {})
            assert node.listeners == 1
            node.end_streams()
            told = b"".join([piece async for piece in pieces])
        root = chain.blocks[8].root
    final = {"block": root, "state": root, "epoch": "1", "execution_optimistic": False}
    block = {"slot": "21", "block": chain.tip.root, "execution_optimistic": False}
    assert told == _event("block", block) + _event("finalized_checkpoint", final)


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 7, None])
async def test_events_come_in_any_pieces_with_any_line_ends_and_comments_between(newline, size):
    async with BeaconNode(_grown()) as node, Fetcher(node.url) as fetcher:
        node.newline, node.piece_size = newline, size
        async with fetcher.stream(EVENTS, [("topics", "head")], silence=5) as pieces:
            await node.keep_alive()
            await node.tell("head", {"slot": "1"})
            expected = f": {newline}".encode() + _event("head", {"slot": "1"}, newline)
            assert await _read(pieces, len(expected)) == expected


async def test_topics_that_are_joined_are_never_answered_unless_the_node_takes_them(autojump_clock):
    async with BeaconNode(_grown()) as node, Fetcher(node.url, deadline=3) as fetcher:
        with pytest.raises(Unfetched, match="no answer within 5 s"):
            async with fetcher.stream(EVENTS, {"topics": "head,block"}, silence=5):
                pytest.fail("it hangs")
        node.takes_joined = True
        async with fetcher.stream(EVENTS, {"topics": "head,block"}, silence=5) as pieces:
            await node.tell("head", {})
            assert await anext(pieces) == _event("head", {})


async def test_a_topic_that_it_does_not_know_is_refused():
    async with BeaconNode(_grown()) as node, Fetcher(node.url) as fetcher:
        node.topics.discard("proposer_slashing")
        with pytest.raises(Refused, match="code 400: Invalid topic: proposer_slashing"):
            async with fetcher.stream(EVENTS, {"topics": ["head", "proposer_slashing"]}, silence=5):
                pytest.fail("it does not know it")


async def test_a_slashing_is_accused_first_and_then_in_the_state():
    chain = _grown()
    path = "/eth/v1/beacon/states/head/validators"

    async def status(fetcher: Fetcher) -> list[tuple[str, str, bool]]:
        rows = (await fetcher.get(path, {"id": ["2", Validator(1).pubkey]}))["data"]
        return [(row["index"], row["status"], row["validator"]["slashed"]) for row in rows]

    async with BeaconNode(chain) as node, Fetcher(node.url) as fetcher:
        async with fetcher.stream(EVENTS, {"topics": ["proposer_slashing"]}, silence=5) as pieces:
            await node.accuse(2)
            assert b'"proposer_index": "2"' in await anext(pieces)
        assert await status(fetcher) == [("1", "active_ongoing", False), ("2", "active_ongoing", False)]
        chain.slash(2)
        assert await status(fetcher) == [("1", "active_ongoing", False), ("2", "active_slashed", True)]
        chain.reorganize(1)
        assert await status(fetcher) == [("1", "active_ongoing", False), ("2", "active_ongoing", False)]


async def test_a_reorganization_is_told_before_the_blocks_that_came_of_it():
    chain = _grown()
    async with BeaconNode(chain) as node, Fetcher(node.url) as fetcher:
        async with fetcher.stream(EVENTS, {"topics": ["chain_reorg", "block"]}, silence=5) as pieces:
            old = chain.reorganize(3)[-1]
            await node.publish()
            told = [json.loads((await anext(pieces)).split(b"data: ")[1]) for _ in range(4)]
        assert (await fetcher.get(f"/eth/v1/beacon/headers/{old.root}"))["data"]["canonical"] is False
    assert told[0]["depth"] == "3"
    assert told[0]["old_head_block"] == old.root
    assert [one["slot"] for one in told[1:]] == ["18", "19", "20"]


async def test_a_slot_may_be_empty():
    chain = _grown(3)
    chain.skip(2)
    async with BeaconNode(chain) as node, Fetcher(node.url) as fetcher:
        assert (await fetcher.get("/eth/v1/node/syncing"))["data"]["sync_distance"] == "2"
        with pytest.raises(Refused, match="code 404: Block not found"):
            await fetcher.get("/eth/v1/beacon/headers/4")
        await node.grow()
        assert (await fetcher.get("/eth/v1/beacon/headers/head"))["data"]["header"]["message"]["slot"] == "6"


async def test_a_node_lags_or_lies_backwards():
    chain = _grown(10)

    async def slots(node: BeaconNode) -> list[str]:
        async with Fetcher(node.url) as fetcher:
            heads = [await fetcher.get("/eth/v1/beacon/headers/head") for _ in range(4)]
            return [head["data"]["header"]["message"]["slot"] for head in heads]

    async with BeaconNode(chain, lag=3) as lagging, BeaconNode(chain, backwards=4) as lying:
        assert await slots(lagging) == ["7"] * 4
        assert await slots(lying) == ["10", "6", "10", "6"]


async def test_a_node_that_lags_tells_of_the_blocks_that_it_has_and_of_each_once():
    chain = _grown(10)
    told: list[str] = []
    async with (
        BeaconNode(chain, lag=3) as node,
        Fetcher(node.url) as fetcher,
        fetcher.stream(EVENTS, [("topics", "block")], silence=5) as pieces,
    ):
        await node.publish()
        for _ in range(2):
            await node.grow()
        node.lag = 4
        await node.publish()
        node.lag = 1
        await node.grow()
        node.end_streams()
        async for piece in pieces:
            told += [json.loads(line.removeprefix("data: "))["slot"] for line in piece.decode().split("\n")[1::3]]
    assert told == ["8", "9", "10", "11", "12"]


async def test_health_is_a_status_and_nothing_else():
    async with BeaconNode(_grown()) as node, Fetcher(node.url) as fetcher:
        assert (await fetcher.fetch("/eth/v1/node/health")).status == 200
        node.is_syncing = True
        assert (await fetcher.fetch("/eth/v1/node/health")).status == 206
        node.health = 503
        with pytest.raises(Refused, match="HTTP 503"):
            await fetcher.fetch("/eth/v1/node/health")


async def test_who_is_idle_is_found_by_posting_indices():
    chain = _grown()
    chain.idle.add(1)
    async with BeaconNode(chain, missing=["beacon/rewards"]) as node, Fetcher(node.url) as fetcher:
        liveness = await fetcher.post("/eth/v1/validator/liveness/1", ["0", "1"])
        assert liveness["data"] == [{"index": "0", "is_live": True}, {"index": "1", "is_live": False}]
        with pytest.raises(Refused, match="Route POST:/eth/v1/beacon/rewards/attestations/1 not found"):
            await fetcher.post("/eth/v1/beacon/rewards/attestations/1", ["0"])


async def test_a_listener_that_leaves_is_forgotten():
    async with BeaconNode(_grown()) as node, Fetcher(node.url) as fetcher:
        async with fetcher.stream(EVENTS, {"topics": "head"}, silence=5):
            assert node.listeners == 1
        while node.listeners:
            await trio.lowlevel.checkpoint()
        await node.grow()


@needs_recorded
@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/eth/v1/node/syncing", "node_syncing"),
        ("/eth/v1/node/version", "node_version"),
        ("/eth/v1/node/peer_count", "node_peer_count"),
        ("/eth/v1/beacon/genesis", "beacon_genesis"),
        ("/eth/v1/beacon/headers/head", "beacon_headers_head"),
        ("/eth/v1/beacon/states/head/validators", "beacon_states_head_validators"),
        ("/eth/v1/beacon/states/head/finality_checkpoints", "beacon_states_head_finality_checkpoints"),
        ("/eth/v1/validator/duties/proposer/1", "duties_proposer"),
    ],
)
async def test_it_says_nothing_that_real_nodes_do_not(path, file):
    def places(value: object, where: str = "") -> set[str]:
        if isinstance(value, dict):
            return {where}.union(*(places(inner, f"{where}/{name}") for name, inner in value.items()))
        return {where}.union(*(places(inner, f"{where}/-") for inner in value)) if isinstance(value, list) else {where}

    async with BeaconNode(_grown()) as node, Fetcher(node.url) as fetcher:
        said = await fetcher.get(path)
    # What newer versions than the recorded one say as well, by the specification.
    newer = {"/finalized", "/execution_optimistic", "/data/el_offline", "/dependent_root"}
    assert places(said) - places(json.loads((RECORDED / f"{file}.json").read_text())) - newer == set()
