"""The source of kind ethereum in front of beacon nodes of the tests' own: real sockets, virtual time."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from domain import Priority
from domain.chain.observations import HeadSeen, NodeHeard
from telemetry import counters
from tests.actors.sources.ethereum_rig import node, reading
from tests.nodes.beacon import BeaconNode
from tests.nodes.beacon_chain import Chain
from tests.nodes.execution import Chain as ExecutionChain
from tests.nodes.execution import ExecutionNode
from tests.nodes.serving import Answer, Asked, Silent

BEGAN = 1_800_000_000
STATUS = "validator.status"


@pytest.fixture
def clock() -> trio.testing.MockClock:
    # Loopback has what was sent at once, but for the moment in which the kernel hands it over.
    return trio.testing.MockClock(autojump_threshold=0.002)


@pytest.fixture
def chain() -> Chain:
    """A chain whose newest block is of now, at slot 17, in the second slot of its third epoch."""
    made = Chain(began=BEGAN - 17 * 12)
    for _ in range(17):
        made.grow()
    made.finalize(0)
    return made


def heads(rig, chain_name: str = "1/beacon") -> list[int]:
    return [said.height for said in rig.observed(HeadSeen) if said.provenance.chain == chain_name]


async def listening(rig, *nodes: BeaconNode) -> None:
    """Wait until the events of ``nodes`` are heard, and their validators were read."""
    await rig.until(lambda: all(each.listeners for each in nodes) and len(rig.events(STATUS)) >= 2)


async def pass_slot(rig, *nodes: BeaconNode) -> int:
    """Let a slot go by with a block in it; its number."""
    await trio.sleep(nodes[0].chain.slot_time)
    nodes[0].chain.grow()
    for each in nodes:
        await each.publish()
    slot = nodes[0].chain.tip.slot
    await rig.until(lambda: slot in heads(rig))
    return slot


async def slash(rig, index: int, *nodes: BeaconNode) -> None:
    """Let a slot go by with a block in it that slashes a validator."""
    await trio.sleep(nodes[0].chain.slot_time)
    nodes[0].chain.slash(index)
    for each in nodes:
        await each.publish()


async def test_a_slashing_is_jailed_with_the_exact_status_beside_it(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        assert await rig.statuses() == {"0": "ACTIVE", "1": "ACTIVE"}
        await pass_slot(rig, server)
        began = trio.current_time()
        await slash(rig, 1, server)
        await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
        assert trio.current_time() - began < chain.slot_time + 1
        (jailed,) = [event for event in rig.events(STATUS) if event.data["news"] and event.data["status"] == "JAILED"]
        assert jailed.priority is Priority.CRITICAL
        assert jailed.data["validator"] == chain.validators[1].pubkey
        assert (jailed.data["operator"], jailed.data["spec"]) == ("1", "active_slashed")
        assert (jailed.data["reason"], jailed.data["since"], jailed.data["final"]) == ("slashed", 19, False)
        assert (jailed.data["chain"], jailed.data["height"]) == ("1/beacon", 19)
        assert jailed.data["source"] == server.url.removeprefix("http://")
        assert await rig.statuses() == {"0": "ACTIVE", "1": "JAILED"}


async def test_one_word_of_one_node_does_not_confirm_itself(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN, poll=600) as rig:
        await listening(rig, server)
        await slash(rig, 0, server)
        await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
        (jailed,) = [event for event in rig.events(STATUS) if event.data["status"] == "JAILED"]
        assert not jailed.data["confirmed"]
        assert [each["kind"] for each in jailed.data["evidence"]] == ["read_jailed"]
        assert not rig.events("validator.confirmed")
        slot = await pass_slot(rig, server)
        await rig.until(lambda: rig.events("validator.confirmed"))
        (confirmed,) = rig.events("validator.confirmed")
        assert (confirmed.data["height"], confirmed.data["since"]) == (slot, slot - 1)


async def test_a_second_node_confirms_a_slashing_at_once(clock, chain, tmp_path):
    async with (
        BeaconNode(chain) as one,
        BeaconNode(chain) as two,
        reading(tmp_path, node(beacon=one), node(beacon=two), began=BEGAN, poll=600) as rig,
    ):
        await listening(rig, one, two)
        await slash(rig, 0, one, two)
        await rig.until(lambda: rig.events("validator.confirmed"))
        (confirmed,) = rig.events("validator.confirmed")
        assert (confirmed.data["height"], len(confirmed.data["confirmedBy"])) == (chain.tip.slot, 2)


async def test_a_slashing_is_provisional_until_its_block_is_final(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        await slash(rig, 0, server)
        await rig.until(lambda: (rig.events(STATUS)[-1].data["status"], rig.events(STATUS)[-1].data["final"]) == (
            "JAILED", False
        ))  # fmt: skip
        for _ in range(8):
            await pass_slot(rig, server)
        await server.finalize(3)
        await rig.until(lambda: any(event.data["final"] for event in rig.events("validator.confirmed")))
        (final,) = [event for event in rig.events("validator.confirmed") if event.data["final"]]
        assert (final.data["status"], final.data["height"]) == ("JAILED", 24)
        assert not rig.events("validator.retracted")


async def test_a_slashing_is_taken_back_with_its_block(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        await pass_slot(rig, server)
        await slash(rig, 0, server)
        await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
        await pass_slot(rig, server)
        await trio.sleep(chain.slot_time)
        chain.reorganize(2)
        chain.grow()
        await server.publish()
        await rig.until(lambda: rig.events("validator.retracted"))
        (reorganized,) = rig.events("chain.reorganized")
        assert (reorganized.data["first"], reorganized.data["depth"]) == (19, 2)
        (retracted,) = rig.events("validator.retracted")
        assert (retracted.data["retracted"], retracted.data["status"]) == ("JAILED", "ACTIVE")
        assert await rig.statuses() == {"0": "ACTIVE", "1": "ACTIVE"}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 7, None])
async def test_events_are_heard_however_they_are_cut(clock, chain, tmp_path, newline, size):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN, poll=600) as rig:
        server.newline, server.piece_size = newline, size
        await listening(rig, server)
        await server.keep_alive()
        await pass_slot(rig, server)
        chain.skip(2)
        await trio.sleep(24)
        await server.keep_alive()
        await pass_slot(rig, server)
        # Only the stream can have told them: nobody looked meanwhile.
        methods = {said.height: said.provenance.method for said in rig.observed(HeadSeen)}
        assert [slot for slot, method in methods.items() if method == "events head"] == [18, 21]
        await rig.until(lambda: rig.heights() == [17, 18, 21])
        assert rig.taken("chain.block")[-1]["blockTime"] == 36_000
        assert not rig.events("chain.missed")
        assert server.connected <= 12


async def test_a_node_that_knows_fewer_topics_is_asked_for_fewer(clock, chain, tmp_path):
    before = counters.chain_streams_lost["mainnet"]
    async with BeaconNode(chain) as server:
        server.topics -= {"proposer_slashing", "attester_slashing"}
        async with reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
            await listening(rig, server)
            assert server.listeners == 1
            await pass_slot(rig, server)
    assert counters.chain_streams_lost["mainnet"] - before == 1


async def test_a_stream_that_does_not_begin_is_given_up_and_asked_for_in_another_way(clock, chain, tmp_path):
    async with BeaconNode(chain) as server:
        server.takes_joined = True
        answer = server._events

        def only_joined(asked: Asked) -> Answer:
            if "," not in asked.query["topics"][0]:
                raise Silent
            return answer(asked)

        server.answers["/eth/v1/events"] = only_joined
        async with reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
            while not server.listeners:
                await trio.sleep(12)
                chain.grow()
            await listening(rig, server)
            await pass_slot(rig, server)


async def test_a_validator_that_stopped_is_active_and_its_missed_epochs_and_uptime_are_told(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        await pass_slot(rig, server)
        chain.idle = {1}
        for _ in range(23):
            await pass_slot(rig, server)
        figures = [event.data for event in rig.shown() if event.data["operator"] == "1"][-1]
        assert (figures["status"], figures["spec"]) == ("ACTIVE", "active_ongoing")
        assert figures["missedBlocks"] == 3
        assert figures["uptime"] == 25.0
        others = [event.data for event in rig.shown() if event.data["operator"] == "0"][-1]
        assert (others["missedBlocks"], others["uptime"]) == (0, 100.0)
        assert not rig.events("validator.risk")


async def test_a_hung_node_makes_validators_unknown_and_not_inactive(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        for _ in range(3):
            await pass_slot(rig, server)
        server.hang()
        began = trio.current_time()
        await rig.until(lambda: rig.events("chain.stale"))
        assert trio.current_time() - began <= 5 * chain.slot_time
        assert await rig.statuses() == {"0": "UNKNOWN", "1": "UNKNOWN"}
        assert not [event for event in rig.events(STATUS) if event.data["status"] == "INACTIVE"]
        await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
        server.wake()
        await rig.until(lambda: rig.events("chain.fresh"))
        assert await rig.statuses() == {"0": "ACTIVE", "1": "ACTIVE"}


async def test_a_stream_that_ends_is_opened_again_and_nothing_is_missing(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await listening(rig, server)
        await pass_slot(rig, server)
        before = counters.chain_streams_lost["mainnet"]
        server.end_streams()
        for _ in range(3):
            chain.grow()
        chain.slash(1)
        await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
        await rig.until(lambda: rig.heights() == [17, 18, 19, 20, 21, 22])
        await rig.until(lambda: server.listeners == 1)
        assert counters.chain_streams_lost["mainnet"] - before == 1


async def test_two_nodes_stand_by_a_slashing_and_it_is_told_once(clock, chain, tmp_path):
    async with (
        BeaconNode(chain) as one,
        BeaconNode(chain) as two,
        reading(tmp_path, node(beacon=one), node(beacon=two), began=BEGAN) as rig,
    ):
        await listening(rig, one, two)
        await pass_slot(rig, one, two)
        await slash(rig, 0, one, two)
        await rig.until(lambda: any(
            event.data["status"] == "JAILED" and len(event.data["confirmedBy"]) == 2 for event in rig.shown()
        ))  # fmt: skip
        await pass_slot(rig, one, two)
        told = [event for event in rig.events(STATUS) if event.priority is Priority.CRITICAL]
        assert [event.data["status"] for event in told] == ["JAILED"]


async def test_a_stream_that_begins_with_its_first_event_is_waited_for(clock, chain, tmp_path):
    async with BeaconNode(chain) as server:
        server.opens_late = True
        async with reading(tmp_path, node(beacon=server), began=BEGAN, poll=600) as rig:
            await rig.until(lambda: server.listeners)
            for _ in range(3):
                await pass_slot(rig, server)
            assert len([asked for asked in server.requests if asked.path == "/eth/v1/events"]) == 1


async def test_a_stream_that_brings_nothing_while_there_is_nothing_is_asked_for_in_the_same_way(clock, chain, tmp_path):
    async with BeaconNode(chain) as server:
        server.opens_late = True
        async with reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
            ways = lambda: [asked.query for asked in server.requests if asked.path == "/eth/v1/events"]  # noqa: E731
            await rig.until(lambda: len(ways()) > 4)
            assert [way for way in ways() if way != ways()[0]] == []


async def test_slots_that_stay_empty_between_two_looks_make_no_healthy_node_silent(clock, tmp_path):
    quick = Chain(began=BEGAN - 34, slot_time=2)
    for _ in range(17):
        quick.grow()
    async with BeaconNode(quick) as server, reading(tmp_path, node(beacon=server), began=BEGAN, poll=10.0) as rig:
        await listening(rig, server)
        for _ in range(5):
            await pass_slot(rig, server)
        quick.skip(7)
        await trio.sleep(14)
        await pass_slot(rig, server)
        assert not rig.events("chain.node.quarantined", "chain.stale")


async def test_slots_that_stay_empty_after_a_restart_make_no_healthy_node_silent(clock, tmp_path):
    quick = Chain(began=BEGAN - 34, slot_time=2)
    for _ in range(17):
        quick.grow()
    async with BeaconNode(quick) as server:
        async with reading(tmp_path, node(beacon=server), began=BEGAN, poll=10.0) as rig:
            await listening(rig, server)
            for _ in range(5):
                await pass_slot(rig, server)
        async with reading(tmp_path, node(beacon=server), began=BEGAN + 10, poll=10.0) as rig:
            await rig.until(lambda: server.listeners)
            await trio.sleep(12)
            assert not rig.events("chain.node.quarantined", "chain.stale")


async def test_one_node_that_lags_and_one_that_goes_back_take_nothing_back(clock, chain, tmp_path):
    async with (
        BeaconNode(chain) as one,
        BeaconNode(chain, backwards=2) as two,
        BeaconNode(chain, lag=2) as three,
        reading(tmp_path, node(beacon=one), node(beacon=two), node(beacon=three), began=BEGAN) as rig,
    ):
        await listening(rig, one, two, three)
        await pass_slot(rig, one, two, three)
        await slash(rig, 0, one, two, three)
        await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
        for _ in range(6):
            await pass_slot(rig, one, two, three)
        news = [event.data["status"] for event in rig.events(STATUS) if event.data["news"]]
        assert news.count("JAILED") == 1
        assert not rig.events("validator.retracted")
        assert await rig.statuses() == {"0": "JAILED", "1": "ACTIVE"}


async def test_a_chain_whose_two_layers_stand_still_is_one_alert_though_its_beacon_node_says_it_catches_up(
    clock, tmp_path
):
    slots, blocks = Chain(began=BEGAN - 17 * 12), ExecutionChain(began=BEGAN - 12)
    for _ in range(17):
        slots.grow()
    blocks.grow()
    async with (
        BeaconNode(slots) as beacon,
        ExecutionNode(blocks) as execution,
        reading(tmp_path, node(execution, beacon), began=BEGAN) as rig,
    ):
        await rig.until(lambda: beacon.listeners and len(execution.subscriptions) == 2)
        for _ in range(5):
            blocks.grow()
            await execution.publish()
            await pass_slot(rig, beacon)
        beacon.is_syncing = True
        await trio.sleep(1200)
        states = ("chain.halted", "chain.resumed", "chain.stale", "chain.node.quarantined")
        (halted,) = rig.events(*states)
        assert (halted.type, halted.data["chain"].partition("/")[0]) == ("chain.halted", "1")


async def test_the_consensus_and_the_makers_of_blocks_come_from_the_beacon_chain(clock, tmp_path):
    chain, blocks = Chain(began=BEGAN - 17 * 12), ExecutionChain(began=BEGAN - 12)
    for _ in range(17):
        chain.grow()
    chain.finalize(0)
    blocks.grow()
    async with (
        BeaconNode(chain) as beacon,
        ExecutionNode(blocks) as execution,
        reading(tmp_path, node(execution, beacon), began=BEGAN, watched=(0, 1, 2, 3)) as rig,
    ):
        await rig.until(lambda: beacon.listeners and len(execution.subscriptions) == 2)
        await trio.sleep(12)
        chain.grow()
        await beacon.publish()
        await rig.until(lambda: 18 in [data["term"] for data in rig.taken("chain.consensus")])
        blocks.grow()
        await execution.publish()
        await rig.until(lambda: 2 in rig.heights())
        consensus = rig.taken("chain.consensus")[-1]
        assert (consensus["term"], consensus["epoch"], consensus["round"], consensus["state"]) == (18, 2, 0, "head")
        assert consensus["leader"] == chain.validators[2].pubkey
        assert (consensus["performanceScore"], consensus["activeValidators"]) == (None, None)
        assert consensus["reasons"].keys() >= {"performanceScore", "activeValidators"}
        # Slots are no heights of blocks: the execution layer tells those.
        assert rig.heights() == [1, 2]
        assert rig.taken("chain.block")[-1]["producer"] == chain.validators[2].pubkey


async def test_peers_come_and_go(clock, chain, tmp_path):
    async with BeaconNode(chain) as server:
        server.peers = ["16Uiu2HAmA", "16Uiu2HAmB"]
        async with reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
            await rig.until(lambda: len(rig.taken("chain.peer")) == 2)
            server.peers = ["16Uiu2HAmB"]
            await rig.until(lambda: len(rig.taken("chain.peer")) == 3)
            told = [(data["peerId"], data["connected"]) for data in rig.taken("chain.peer")]
            assert told == [("16Uiu2HAmA", True), ("16Uiu2HAmB", True), ("16Uiu2HAmA", False)]
            assert rig.taken("chain.peer")[0]["latency"] is None
            assert rig.taken("chain.peer")[0]["reasons"]["latency"]


async def test_a_node_of_another_chain_is_said_and_tells_nothing(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN, chain="5") as rig:
        await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
        assert "of the chain 1, not of 5" in (await rig.node("beacon"))["lastFailure"]
        assert not server.listeners
        assert not rig.heights()


async def test_what_a_node_refuses_or_says_wrong_costs_itself(clock, chain, tmp_path):
    async with BeaconNode(chain, missing=["node/peers", "validator/", "beacon/rewards"]) as server:
        server.answers["/eth/v1/node/syncing"] = {"data": "soon"}
        server.answers["/eth/v1/node/peer_count"] = Answer(b"<html>", 502)
        async with reading(tmp_path, node(beacon=server), began=BEGAN, watched=(0, 1, 99)) as rig:
            await listening(rig, server)
            for nonsense in (b"event: head\ndata: {\n\n", b"event: head\ndata: 3\n\n", b"\xff\xfe\n\n", b"data\n\n"):
                await server.say(nonsense)
            await pass_slot(rig, server)
            await slash(rig, 0, server)
            await rig.until(lambda: any(event.data["status"] == "JAILED" for event in rig.events(STATUS)))
            said = await rig.node("beacon")
            assert said["connected"]
            assert said["failures"] >= 4
            assert {"peers", "proposers"} <= set(said["notTold"])
            assert (await rig.describe())["unknownValidators"] == ["99"]


async def test_health_is_asked_for_with_each_look(clock, chain, tmp_path):
    async with BeaconNode(chain) as server, reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
        await rig.until(lambda: any(said.round_trip is not None for said in rig.observed(NodeHeard)))
        assert (await rig.node("beacon"))["roundTripMs"] is not None
        server.health = 503
        await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
        (fault, *_) = [said.fault for said in rig.observed(NodeHeard) if said.fault]
        assert fault == "is not initialized or has issues"
        assert (await rig.node("beacon"))["connected"]


@pytest.mark.parametrize("status", [401, 404])
async def test_a_node_that_lets_nobody_in_is_not_connected_and_says_why(clock, chain, tmp_path, status):
    async with BeaconNode(chain) as server:
        for path in ("/eth/v1/config/spec", "/eth/v1/beacon/genesis"):
            server.answers[path] = Answer({"message": "who are you?"}, status)
        async with reading(tmp_path, node(beacon=server), began=BEGAN) as rig:
            await rig.until(lambda: any(said.fault for said in rig.observed(NodeHeard)))
            said = await rig.node("beacon")
            server.answers.clear()
            await rig.until(lambda: rig.observed(HeadSeen))
            heard = await rig.node("beacon")
    assert not said["connected"]
    assert f"refused with HTTP {status}: who are you?" in said["reason"]
    assert (heard["connected"], heard["reason"]) == (True, None)
