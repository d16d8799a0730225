"""The cosmos source: what it asks and when, how it says it is, and what it does when a desk has no room."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from actors.messages import EventTaken, Observed
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor
from actors.sources.cosmos import CosmosSource
from config import CosmosNode as NodeSettings
from config import CosmosSource as CosmosSettings
from domain.chain.observations import BlockSeen, HeadSeen
from telemetry import counters
from telemetry.metrics import page
from tests.actors.sources.cosmos_rig import NAMES, Maker, begun, grown, linked, now, until, watching
from tests.nodes.comet import CometNode
from tests.nodes.comet_chain import Member


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


class Desk(TrioActor):
    """Takes messages while the gate is open."""

    mailbox_limit = 4

    def __init__(self, taken: list[object], gate: trio.Event) -> None:
        super().__init__()
        self._taken = taken
        self._gate = gate

    async def on_receive(self, message: object) -> None:
        if isinstance(message, EventTaken | Observed):
            await self._gate.wait()
            self._taken.append(message)


@asynccontextmanager
async def narrow(nodes: list[CometNode], gate: trio.Event, taken: list[object], **settings: object):
    """The source before desks with little room."""
    asked = tuple(
        NodeSettings(rpc=node.url, rest=node.url, name=name) for node, name in zip(nodes, NAMES, strict=False)
    )
    known = CosmosSettings(**{"chain": "test-1", "nodes": asked, "poll": 5.0, **settings})
    desks = [ChildSpec(name, Desk, (taken, gate)) for name in ("portal", "validators")]
    specs = [
        ChildSpec("desks", Supervisor, (desks,)),
        ChildSpec("hub", CosmosSource, ("hub", known), {"clock": now, "chance": random.Random(3)}),
    ]
    async with ActorSystem.open() as system:
        yield system.start(Supervisor, "gateway", specs)
        gate.set()


async def test_a_node_is_asked_for_its_status_before_anything_else(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        await begun(rig, Maker(chain, node))
        methods = [method for method, _ in node.called]
        paths = [asked.path for asked in node.requests if asked.path.startswith("/cosmos")]
    assert methods[0] == "status"
    assert set(methods) >= {"net_info", "consensus_state", "unconfirmed_txs", "health", "validators", "subscribe"}
    # Who is jailed before who is in the set.
    assert [path.rpartition("/")[2] for path in paths[:3]] == ["params", "validators", "signing_infos"]


async def test_each_link_has_its_queries_and_none_has_more_than_five(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        await linked(node)
        links = {id(one.link): [] for one in node.subscriptions}
        for one in node.subscriptions:
            links[id(one.link)].append(one.query)
        told = (await rig.node())["links"]
    assert sorted(len(queries) for queries in links.values()) == [3, 4]
    critical = next(queries for queries in links.values() if len(queries) == 3)
    assert critical[0] == "tm.event='NewBlockEvents' AND slash.jailed EXISTS"
    assert [set(one["subscriptions"].values()) for one in told] == [{"open"}, {"open"}]


async def test_the_records_are_read_by_turns_and_what_is_the_nodes_own_of_each(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path, poll=2.0) as rig:
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        await maker.make(20)
    records = [
        sum(asked.path.endswith("staking/v1beta1/validators") for asked in each.requests) for each in (node, other)
    ]
    peers = [sum(method == "net_info" for method, _ in each.called) for each in (node, other)]
    assert abs(records[0] - records[1]) <= 2
    assert 8 <= sum(records) <= 16
    assert min(peers) >= 8


async def test_a_second_look_is_asked_of_another_node_than_the_one_that_told(tmp_path, clock):
    chain = grown()
    async with (
        CometNode(chain) as node,
        CometNode(chain) as other,
        watching([node, other], tmp_path, poll=3600.0) as rig,
    ):
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        chain.jail("bob")
        await other.publish()
        seen = len(node.called), len(node.requests)
        told = len(other.requests)
        await until(rig.jailings)
        await node.publish()
        await until(lambda: rig.events("validator.confirmed"))
        await trio.sleep(1)
        methods = [method for method, _ in node.called[seen[0] :]]
        paths = [asked.path for asked in node.requests[seen[1] :]]
    assert "block_results" in methods
    assert "/cosmos/staking/v1beta1/validators" in paths
    assert not [asked for asked in other.requests[told:] if asked.path.startswith("/cosmos")]
    (confirmed,) = rig.events("validator.confirmed")
    assert set(confirmed.data["confirmedBy"]) == {"one", "two"}


async def test_a_desk_without_room_stops_the_reading_and_loses_nothing(clock):
    chain, gate, taken = grown(), trio.Event(), []
    async with CometNode(chain) as node, narrow([node], gate, taken):
        maker = Maker(chain, node)
        await linked(node)
        await maker.make(12)
        assert not taken
        gate.set()
        await until(lambda: len(_heights(taken)) == 12)
        assert _heights(taken) == list(range(6, 18))


def _heights(taken: list[object]) -> list[int]:
    """The blocks that the portal's desk was told as events."""
    told = [message.event.data for message in list(taken) if isinstance(message, EventTaken)]
    return [data["blockHeight"] for data in told if "blockTime" in data]


async def test_a_flood_of_transactions_does_not_delay_what_is_critical(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        maker = Maker(chain, node)
        await begun(rig, maker)
        chain.grow(at=now(), txs=[f"tx {number}".encode() for number in range(2000)])
        chain.jail("bob")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(maker.tell)
            await until(rig.jailings)
            await until(lambda: len(rig.events("chain.transaction")) == 2000)
    types = [one.event.type for one in rig.told]
    heads = [one for one in rig.told if one.event.type == "validator.status" and one.event.data["status"] == "JAILED"]
    assert heads[0].critical is not None
    assert types.count("chain.transaction") == 2000


async def test_it_says_how_each_node_is_and_counts_what_goes_wrong_by_node(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as gone, watching([node, gone], tmp_path) as rig:
        maker = Maker(chain, node, gone)
        await begun(rig, maker)
        before = counters.chain_node_failures["hub\ttwo\tstatus"]
        gone.leave()
        await maker.make(12)
        told = await rig.describe()
        document = page.render()[0].decode()
    assert told["state"] == "fresh"
    assert told["chain"] == "test-1"
    assert [(one["node"], one["state"]) for one in told["nodes"]] == [("one", "ready"), ("two", "lost")]
    assert told["nodes"][0]["height"] == chain.tip
    assert told["nodes"][0]["version"] == "0.38.25"
    assert "refused" in told["nodes"][1]["reason"]
    assert counters.chain_node_failures["hub\ttwo\tstatus"] > before
    assert 'andond_chain_node_failures_total{asked="status",node="two",source="hub"}' in document


async def test_a_source_that_reaches_nobody_is_lost_and_goes_on_when_somebody_is_there(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node:
        node.leave()
        async with watching([node], tmp_path) as rig:
            await trio.sleep(60)
            assert (await rig.describe())["state"] == "lost"
            assert rig.freshness.count == 0
            await node.come_back()
            await begun(rig, Maker(chain, node))
            assert (await rig.describe())["state"] == "fresh"


async def test_what_a_node_says_of_the_network_reaches_both_desks(clock):
    chain, gate, taken = grown(), trio.Event(), []
    gate.set()
    async with CometNode(chain) as node, narrow([node], gate, taken):
        maker = Maker(chain, node)
        await linked(node)
        await maker.make(2)
        await trio.sleep(1)
    observed = [one for message in taken if isinstance(message, Observed) for one in message.observations]
    heads = [one for one in observed if isinstance(one, HeadSeen) and one.height == chain.tip]
    blocks = [one for one in observed if isinstance(one, BlockSeen) and one.height == chain.tip]
    # Each desk is told by both links.
    assert len(heads) >= 4
    assert len(blocks) == 2


async def test_a_watched_validator_that_no_record_names_is_shown_and_said_once(tmp_path, clock, capsys):
    chain = grown()
    watched = (Member("bob").operator, "cosmosvaloper1" + "q" * 38, Member("ann").address)
    async with CometNode(chain) as node, watching([node], tmp_path, watched=watched) as rig:
        assert (await rig.describe())["unknownValidators"] == []
        await until(lambda: rig.status("bob") == "ACTIVE")
        assert (await rig.describe())["unknownValidators"] == [watched[1]]
        await trio.sleep(30)
    assert capsys.readouterr().err.count(f"validator.unknown source=hub validator={watched[1]}") == 1


async def test_a_chain_that_has_no_block_yet_has_no_head_and_its_pace_is_that_of_its_blocks(tmp_path, clock):
    chain = grown(0)
    chain.began = -62_135_596_800.0
    async with CometNode(chain, earliest=0) as node, watching([node], tmp_path) as rig:
        await linked(node)
        await trio.sleep(5)
        described = await rig.node()
        assert (described["state"], described["height"]) == ("ready", 0)
        assert (await rig.describe("gateway/desks/validators"))["chains"][0]["headHeight"] is None
        maker = Maker(chain, node)
        await maker.make(8)
        await until(lambda: rig.events("chain.block"))
        assert (await rig.chain())["blockTimeMs"] == 1000
