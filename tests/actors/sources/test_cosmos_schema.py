"""V13 and V14: everything that is told of a chain says where it comes from, and of what is null, why."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from domain import parse_rfc3339
from domain.chain import BLOCK, CONSENSUS, CONTRACT, PEER, TRANSACTION, event_members, faults_of
from tests.actors.sources.cosmos_rig import Maker, begun, change, grown, now, until, watching
from tests.nodes.comet import CometNode

PROVENANCE = {"source", "height", "method", "observedAt", "ageMs", "confirmedBy"}


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.01)


async def test_every_message_has_its_provenance_and_every_null_its_reason(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, CometNode(chain) as other, watching([node, other], tmp_path) as rig:
        node.peers = ["erin", "fred"]
        node.pool = [b"waiting"]
        maker = Maker(chain, node, other)
        await begun(rig, maker)
        for step in ("RoundStepNewRound", "RoundStepPropose", "RoundStepPrevote"):
            await node.tell_round(chain.tip + 1, 0, step)
        await maker.make(txs=[b"one", b"two"], failed=[1])
        chain.jail("bob")
        await maker.tell()
        await until(rig.jailings)
        node.peers = ["erin"]
        await maker.make(12)
        other.hang()
        await maker.make(10)
        node.leave()
        await until(lambda: rig.events("chain.stale"))
        change(chain, "bob", until=now() - 1)
        other.wake()
    told = [one.event for one in rig.told if one.event.type.startswith(("chain.", "validator."))]
    kinds = {event.type for event in told}
    assert kinds >= {BLOCK, TRANSACTION, CONSENSUS, PEER, "validator.status", "validator.confirmed"}
    assert kinds >= {"chain.node.quarantined", "chain.stale"}
    for event in told:
        assert event.data.keys() >= PROVENANCE, event
        assert event.data["source"] in {"one", "two"}, event
        assert event.data["method"], event
        assert event.data["ageMs"] >= 0
        assert set(event.data["confirmedBy"]) <= {"one", "two"}
        assert parse_rfc3339(event.data["observedAt"]) <= event.recorded + 0.001
    for event in told:
        assert not faults_of(event), event
        members = event_members(event)
        if members is not None:
            assert members.keys() >= set(CONTRACT[event.type])
            null = {name for name, value in members.items() if value is None}
            assert null == set(members.get("reasons", {})), event


async def test_what_the_portal_is_told_is_what_the_chain_did(tmp_path, clock):
    chain = grown()
    async with CometNode(chain) as node, watching([node], tmp_path) as rig:
        node.peers = ["erin", "fred"]
        node.pool = [b"waiting"]
        maker = Maker(chain, node)
        await begun(rig, maker)
        await node.tell_round(chain.tip + 1, 1, "RoundStepNewRound")
        await node.tell_round(chain.tip + 1, 1, "RoundStepPrevote")
        await maker.make(txs=[b"waiting", b"two"], failed=[1], absent=["dan"])
        node.pool, node.peers = [], ["erin"]
        height = chain.tip
        await maker.make(10)
    block = next(one for one in rig.events(BLOCK) if one.data["blockHeight"] == height).data
    assert (block["transactions"], block["blockTime"]) == (2, pytest.approx(1000, abs=600))
    assert block["producer"] == chain.blocks[height].proposer
    assert block["producerName"] in chain.members
    assert block["signedShare"] == 0.75
    statuses = [(one.data["txHash"][:4], one.data["status"]) for one in rig.events(TRANSACTION)]
    first, second = dict.fromkeys(name for name, _ in statuses)
    assert statuses == [(first, "PENDING"), (first, "SUCCESS"), (second, "FAILED")]
    rounds = [one.data for one in rig.events(CONSENSUS) if one.data["round"] == 1]
    assert [one["state"] for one in rounds] == ["RoundStepNewRound", "RoundStepPrevote"]
    assert rounds[0]["leader"] == rounds[1]["leader"] is not None
    assert rounds[1]["epoch"] is None
    assert rounds[1]["reasons"]["epoch"] == "the chain has no epochs"
    peers = [(one.data["moniker"], one.data["connected"]) for one in rig.events(PEER)]
    assert peers == [("erin", True), ("fred", True), ("fred", False)]
