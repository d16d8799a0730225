"""What a node says of itself, and what it leaves unsaid."""

import pytest

from domain.chain.cosmos import CosmosFault, read_consensus_state, read_net_info, read_status
from domain.chain.cosmos.nodes import read_round
from domain.chain.observations import HeadSeen, Peer


def status(**sync: object) -> dict[str, object]:
    return {
        "node_info": {"network": "testhub-1", "version": "0.38.12", "id": "ab12", "moniker": "one", "channels": "40"},
        "sync_info": {
            "latest_block_height": "165",
            "latest_block_hash": "AB" * 32,
            "latest_block_time": "2023-11-14T22:13:20Z",
            "earliest_block_height": "101",
            "catching_up": False,
            **sync,
        },
    }


def test_a_node_tells_its_chain_its_release_and_its_head(origin):
    told = read_status(status(), origin)
    assert (told.chain, told.version, told.id, told.moniker, told.earliest) == (
        "testhub-1",
        "0.38.12",
        "ab12",
        "one",
        101,
    )
    assert told.head == HeadSeen(told.head.provenance, 165, 1_700_000_000.0, "AB" * 32, is_catching_up=False)
    assert (told.head.provenance.method, told.head.provenance.height) == ("status", 165)


def test_a_node_of_another_chain_says_so_and_is_for_others_to_refuse(origin_on):
    assert read_status(status(), origin_on("otherhub-1")).chain == "testhub-1"


def test_a_node_that_begins_is_at_no_height(origin):
    told = read_status(status(latest_block_height="0", catching_up=True, earliest_block_height=None), origin)
    assert (told.head.height, told.head.is_catching_up, told.earliest) == (0, True, 0)


@pytest.mark.parametrize("wrong", [{"latest_block_height": None}, {"latest_block_time": ""}, {"catching_up": "no"}])
def test_a_status_that_makes_no_sense_is_a_fault(origin, wrong):
    with pytest.raises(CosmosFault):
        read_status(status(**wrong), origin)


def peer(name: str, **more: object) -> dict[str, object]:
    return {
        "node_info": {"id": name, "moniker": "a peer", "version": "0.38.9"},
        "is_outbound": True,
        "remote_ip": "10.0.0.7",
        **more,
    }


@pytest.mark.parametrize("counted", ["1", 1])
def test_peers_are_known_by_their_id(origin, counted):
    (read,) = read_net_info({"n_peers": counted, "peers": [peer("ab12")]}, origin).observations
    assert read.count == 1
    assert read.peers == (Peer("ab12", "10.0.0.7", "0.38.9", "a peer"),)


def test_peers_that_are_only_counted_are_counted(origin):
    (read,) = read_net_info({"n_peers": "12", "peers": None}, origin).observations
    assert (read.count, read.peers) == (12, ())
    (uncounted,) = read_net_info({"peers": [peer("ab12")]}, origin).observations
    assert uncounted.count == 1


def test_a_peer_without_an_id_is_a_fault_beside_the_others(origin):
    told = read_net_info({"n_peers": "3", "peers": [peer(""), None, peer("ab12")]}, origin)
    assert [one.id for one in told.observations[0].peers] == ["ab12"]
    assert len(told.faults) == 2


@pytest.mark.parametrize(
    ("step", "name"), [("1", "RoundStepNewHeight"), ("4", "RoundStepPrevote"), ("8", "RoundStepCommit"), ("9", None)]
)
def test_the_state_of_consensus_is_three_numbers_and_a_proposer(origin, step, name):
    state = {"round_state": {"height/round/step": f"163/2/{step}", "proposer": {"address": "AA" * 20, "index": 0}}}
    (seen,) = read_consensus_state(state, origin).observations
    assert (seen.height, seen.round, seen.step, seen.proposer) == (163, 2, name, "AA" * 20)
    assert seen.provenance.height == 163


@pytest.mark.parametrize("written", ["", "163/0", "163/0/1/2", "163/-1/1", "a/b/c", None, 163, "\u0661/0/1"])
def test_a_state_of_anything_else_is_a_fault(origin, written):
    with pytest.raises(CosmosFault):
        read_consensus_state({"round_state": {"height/round/step": written}}, origin)


def test_a_new_round_names_the_proposer_and_a_step_does_not(origin):
    value = {"height": "7", "round": 1, "step": "RoundStepNewRound", "proposer": {"address": "aa" * 20, "index": 3}}
    (seen,) = read_round(value, origin, "NewRound").observations
    assert (seen.height, seen.round, seen.step, seen.proposer) == (7, 1, "RoundStepNewRound", "AA" * 20)
    (step,) = read_round({"height": "7", "round": 0, "step": "RoundStepPropose"}, origin, "NewRoundStep").observations
    assert (step.round, step.proposer, step.provenance.method) == (0, None, "NewRoundStep")
