"""The node of a CometBFT chain that tests start: it says what real ones do, and breaks as they do."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
import trio
import trio.testing

from domain.chain.cosmos import address_of, read_block_results, read_message
from domain.chain.observations import JailSeen, Provenance, SetChanged
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Chain, Event, Member
from transport import Closed, Fetcher, Refused, Unfetched, WebSocketLink, connect

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = SHARED / "data" / "validators" / "tendermint-rs"
needs_recorded = pytest.mark.skipif(
    not RECORDED.is_dir(), reason=f"no recorded answers in {RECORDED}; ANDOND_SHARED says where they are"
)


async def _subscribe(link: WebSocketLink, number: int, query: str) -> dict:
    params = {"query": query}
    await link.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": "subscribe", "params": params}))
    return json.loads(await anext(link))


async def _told(link: WebSocketLink) -> dict:
    return json.loads(await anext(link))


def _grown(blocks: int = 5, **members: object) -> Chain:
    chain = Chain(**members)
    for _ in range(blocks):
        chain.grow()
    return chain


def _origin(chain: Chain) -> Provenance:
    return Provenance(chain.chain, "node", "test", chain.began)


# -- what it says -----------------------------------------------------------------------------------------------------


async def test_it_answers_by_post_by_get_and_over_the_link():
    async with CometNode(_grown()) as node, Fetcher(node.url) as fetcher, connect(f"{node.link}/websocket") as link:
        posted = await fetcher.call("block", {"height": "3"})
        got = await fetcher.get("/block", {"height": "3"})
        await link.send(json.dumps({"jsonrpc": "2.0", "id": 9, "method": "block", "params": {"height": "3"}}))
        linked = await _told(link)
    assert posted["block"]["header"]["height"] == "3"
    assert got == {"jsonrpc": "2.0", "id": -1, "result": posted}
    assert linked == {"jsonrpc": "2.0", "id": 9, "result": posted}


async def test_a_subscriber_is_told_of_blocks_in_the_order_of_a_real_node():
    chain = _grown()
    async with CometNode(chain) as node, connect(f"{node.link}/websocket") as link:
        for number, kind in enumerate(("NewBlock", "NewBlockHeader", "NewBlockEvents", "Tx", "ValidatorSetUpdates")):
            assert await _subscribe(link, number, f"tm.event='{kind}'") == {
                "jsonrpc": "2.0",
                "id": number,
                "result": {},
            }
        await node.grow(txs=[b"one", b"two"], failed=[1], updates=[("ann", 0)])
        told = [await _told(link) for _ in range(6)]
    kinds = [one["result"]["data"]["type"].removeprefix("tendermint/event/") for one in told]
    assert kinds == ["NewBlock", "NewBlockEvents", "NewBlockHeader", "Tx", "Tx", "ValidatorSetUpdates"]
    assert [one["id"] for one in told] == [0, 2, 1, 3, 3, 4]
    first = told[3]["result"]
    assert first["events"]["tx.hash"] == [sha256(b"one").hexdigest().upper()]
    assert b64decode(first["data"]["value"]["TxResult"]["tx"]) == b"one"
    assert "code" not in first["data"]["value"]["TxResult"]["result"]
    assert told[4]["result"]["data"]["value"]["TxResult"]["result"]["code"] == 5


async def test_a_query_is_about_attributes_too():
    chain = _grown()
    async with CometNode(chain) as node, connect(f"{node.link}/websocket") as link:
        await _subscribe(link, 1, "tm.event='NewBlockEvents' AND slash.jailed EXISTS")
        await node.grow(events=[Event("slash", (("reason", "planted"),))])
        chain.jail("bob")
        await node.publish()
        told = (await _told(link))["result"]
    assert told["data"]["value"]["height"] == "7"
    assert told["events"]["slash.jailed"] == [Member("bob").consensus]


@pytest.mark.parametrize("release", ["0.34.29", "0.37.5", "0.38.25"])
@pytest.mark.parametrize(("reason", "read"), [("missing_signature", "downtime"), ("double_sign", "double_sign")])
async def test_a_jailing_is_announced_twice_in_the_shape_of_the_release(release, reason, read):
    chain = _grown(release=release)
    async with CometNode(chain) as node, Fetcher(node.url) as fetcher, connect(f"{node.link}/websocket") as link:
        await _subscribe(link, 1, "tm.event='NewBlock'")
        chain.jail("cid", reason)
        await node.publish()
        told = read_message((await _told(link))["result"], _origin(chain)).observations
        results = read_block_results(await fetcher.call("block_results", {"height": "6"}), _origin(chain)).observations
        rows = await fetcher.get("/cosmos/slashing/v1beta1/signing_infos")
    address = Member("cid").address
    for observations in (told, results):
        jailed = [one for one in observations if isinstance(one, JailSeen)]
        assert [(one.address, one.reason) for one in jailed] == [(address, read)]
        assert [one.powers for one in observations if isinstance(one, SetChanged)] == [((address, 0),)]
    row = next(one for one in rows["info"] if address_of(one["address"]) == address)
    assert row["tombstoned"] is (reason == "double_sign")
    assert row["jailed_until"] > "2027"


async def test_who_leaves_the_set_validates_two_blocks_more():
    chain = _grown()
    chain.drop("dan")
    async with CometNode(chain) as node, Fetcher(node.url) as fetcher:

        async def count(**params: str) -> str:
            return (await fetcher.call("validators", params))["total"]

        assert [await count(), await count(height="6"), await count(height="7")] == ["4", "4", "4"]
        chain.grow()
        assert await count() == "3"
        assert (await fetcher.call("validators", {"page": "2", "per_page": "2"}))["count"] == "1"


async def test_rest_comes_in_pages_and_says_its_height():
    members = [Member(f"validator {number}", is_jailed=number == 3) for number in range(7)]
    chain = _grown(members=members)
    key, names = None, []
    async with CometNode(chain, lag=2) as node, Fetcher(node.url) as fetcher:
        while True:
            query = {"pagination.limit": "3", **({"pagination.key": key} if key else {})}
            page = await fetcher.fetch("/cosmos/staking/v1beta1/validators", query)
            names += [(row["description"]["moniker"], row["status"]) for row in page.value["validators"]]
            assert page.headers["grpc-metadata-x-cosmos-block-height"] == "3"
            key = page.value["pagination"]["next_key"]
            if key is None:
                break
        with pytest.raises(Refused, match="Not Implemented"):
            await fetcher.get("/cosmos/gov/v1/proposals")
    assert [name for name, _ in names] == [member.name for member in members]
    assert names[3][1] == "BOND_STATUS_UNBONDING"


async def test_a_block_of_five_mebibytes_is_told_and_answered():
    chain = _grown()
    async with CometNode(chain) as node, Fetcher(node.url) as fetcher, connect(f"{node.link}/websocket") as link:
        await _subscribe(link, 1, "tm.event='NewBlock'")
        async with trio.open_nursery() as nursery:
            chain.grow(txs=[bytes(4 * 1024 * 1024)])
            nursery.start_soon(node.publish)
            told = await anext(link)
        assert len(told) > 5 * 1024 * 1024
        block = await fetcher.call("block")
    assert json.loads(told)["result"]["data"]["value"]["block"] == block["block"]


# -- how it breaks ----------------------------------------------------------------------------------------------------


async def test_a_connection_may_have_five_queries_and_the_sixth_is_refused():
    async with CometNode(_grown()) as node, connect(node.link) as link, connect(node.link) as other:
        for number in range(5):
            assert "result" in await _subscribe(link, number, f"tm.event='{number}'")
        refused = await _subscribe(link, 5, "tm.event='Tx'")
        assert refused["id"] == 5
        assert refused["error"]["data"] == "max_subscriptions_per_client 5 reached"
        assert "result" in await _subscribe(other, 6, "tm.event='Tx'")
        assert node.refused == 1


async def test_a_query_that_is_none_or_twice_the_same_is_refused():
    async with CometNode(_grown()) as node, connect(node.link) as link:
        assert "error" in await _subscribe(link, 1, "malformed")
        assert "result" in await _subscribe(link, 2, "tm.event='Tx'")
        assert (await _subscribe(link, 3, "tm.event='Tx'"))["error"]["data"] == "already subscribed"


async def test_a_subscription_can_be_cancelled():
    async with CometNode(_grown()) as node, connect(node.link) as link:
        await _subscribe(link, 1, "tm.event='NewBlock'")
        await _subscribe(link, 2, "tm.event='NewRound'")
        await node.cancel("tm.event='NewBlock'")
        told = await _told(link)
        assert told["id"] == 1
        assert told["error"]["data"] == "subscription was canceled (reason: client is not pulling messages fast enough)"
        await node.grow()
        await node.tell_round(7, 1, "RoundStepNewRound")
        assert (await _told(link))["id"] == 2


async def test_a_node_lags_or_lies_backwards_in_all_that_it_answers():
    chain = _grown(10)

    async def heads(node: CometNode) -> list[tuple[str, str]]:
        found = []
        async with Fetcher(node.url) as fetcher:
            for _ in range(3):
                status = await fetcher.call("status")
                rest = await fetcher.fetch("/cosmos/slashing/v1beta1/params")
                height = rest.headers["grpc-metadata-x-cosmos-block-height"]
                found.append((status["sync_info"]["latest_block_height"], height))
        return found

    async with CometNode(chain, lag=3) as lagging, CometNode(chain, backwards=4) as lying:
        assert await heads(lagging) == [("7", "7")] * 3
        assert await heads(lying) == [("10", "6")] * 3


async def test_a_node_that_lags_tells_of_blocks_late():
    chain = _grown()
    async with CometNode(chain, lag=2) as node, connect(node.link) as link:
        await _subscribe(link, 1, "tm.event='NewBlockHeader'")
        for _ in range(4):
            await node.grow()
        told = [(await _told(link))["result"]["data"]["value"]["header"]["height"] for _ in range(2)]
    assert told == ["6", "7"]


async def test_what_was_pruned_and_what_is_yet_to_come_is_an_error_with_words():
    async with CometNode(_grown(10), earliest=5) as node, Fetcher(node.url) as fetcher:
        with pytest.raises(Refused, match="height 4 is not available, lowest height is 5"):
            await fetcher.call("block_results", {"height": "4"})
        with pytest.raises(Refused, match="must be less than or equal to the current blockchain height 10"):
            await fetcher.call("block", {"height": "11"})
        with pytest.raises(Refused, match="Method not found"):
            await fetcher.call("dump")
        found = await fetcher.call("blockchain", {"minHeight": "1", "maxHeight": "7"})
    assert [meta["header"]["height"] for meta in found["block_metas"]] == ["7", "6", "5"]


async def test_a_hung_node_takes_connections_and_says_nothing(autojump_clock):
    chain = _grown()
    async with CometNode(chain) as node, connect(node.link) as link, Fetcher(node.url, deadline=3) as fetcher:
        await _subscribe(link, 1, "tm.event='NewBlockHeader'")
        node.hang()
        await node.grow()
        with pytest.raises(Unfetched, match="no answer within 3 s"):
            await fetcher.call("status")
        assert link.statistics().waiting == 0
        node.wake()
        await node.publish()
        assert (await _told(link))["result"]["data"]["value"]["header"]["height"] == "6"


async def test_a_node_that_leaves_cuts_its_links_and_comes_back_at_its_place():
    async with CometNode(_grown()) as node, Fetcher(node.url) as fetcher:
        async with connect(node.link) as link:
            node.leave()
            with pytest.raises(Closed):
                await anext(link)
        with pytest.raises(Unfetched, match="refused"):
            await fetcher.call("status")
        await node.come_back()
        assert (await fetcher.call("status"))["node_info"]["network"] == "test-1"
        await trio.testing.wait_all_tasks_blocked()
        assert node.subscriptions == []


async def test_a_test_has_the_last_word():
    async with CometNode(_grown()) as node, Fetcher(node.url) as fetcher:
        node.answers["block_results"] = lambda params: {"asked": params}
        assert await fetcher.call("block_results", {"height": "1"}) == {"asked": {"height": "1"}}


# -- beside real nodes ------------------------------------------------------------------------------------------------


def _places(value: object, where: str = "") -> set[str]:
    """The places of the members of ``value``; those of all items of a list together."""
    if isinstance(value, dict):
        return {where}.union(*(_places(inner, f"{where}/{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return {where}.union(*(_places(inner, f"{where}/-") for inner in value))
    return {where}


@needs_recorded
@pytest.mark.parametrize("release", ["0.34", "0.37", "0.38"])
@pytest.mark.parametrize(
    ("method", "params", "file"),
    [
        ("status", {}, "status"),
        ("block", {"height": "2"}, "block_at_height_10"),
        ("block_results", {"height": "2"}, "block_results_at_height_10"),
        ("blockchain", {"minHeight": "2", "maxHeight": "3"}, "blockchain_from_1_to_10"),
        ("commit", {"height": "2"}, "commit_at_height_10"),
        ("net_info", {}, "net_info"),
    ],
)
async def test_it_says_nothing_that_real_nodes_do_not(release, method, params, file):
    recorded = json.loads((RECORDED / f"kvstore_v{release.replace('.', '_')}" / f"{file}.json").read_text())
    async with CometNode(_grown(release=f"{release}.1")) as node, Fetcher(node.url) as fetcher:
        said = await fetcher.call(method, params)
    assert _places(said) - _places(recorded["result"]) == set()


@needs_recorded
@pytest.mark.parametrize("release", ["0.34", "0.37", "0.38"])
async def test_it_tells_nothing_that_real_nodes_do_not(release):
    recorded = json.loads(
        (RECORDED / f"kvstore_v{release.replace('.', '_')}" / "subscribe_newblock_1.json").read_text()
    )
    async with CometNode(_grown(release=f"{release}.1")) as node, connect(node.link) as link:
        await _subscribe(link, 1, "tm.event='NewBlock'")
        await node.grow()
        said = await _told(link)
    assert _places(said) - _places(recorded) - {"/result/data/value/result_finalize_block/events"} <= {
        "/result/data/value/block_id", "/result/data/value/block_id/hash", "/result/data/value/block_id/parts",
        "/result/data/value/block_id/parts/hash", "/result/data/value/block_id/parts/total",
    }  # fmt: skip
