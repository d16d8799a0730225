"""What a node says of itself: where it stands, whom it knows, and what its consensus is doing.

Rules of this file: ``n_peers`` is a string, a height too. ``catching_up: false`` is a node's own word and proves
nothing; it is told and not believed.
"""

from __future__ import annotations

import re

import msgspec

from domain.chain.cosmos.addresses import address_of
from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.cosmos.member import (
    as_count,
    as_object,
    count,
    flag,
    height_of,
    inner,
    inner_or_empty,
    moment,
    rows,
    text,
    words,
)
from domain.chain.cosmos.told import Told, placed
from domain.chain.observations import HeadSeen, Peer, PeersRead, Provenance, RoundSeen
from domain.json import JsonObject, JsonValue

# The numbers of the steps of a round, as consensus_state writes them, from 1 on.
STEPS = (
    "RoundStepNewHeight",
    "RoundStepNewRound",
    "RoundStepPropose",
    "RoundStepPrevote",
    "RoundStepPrevoteWait",
    "RoundStepPrecommit",
    "RoundStepPrecommitWait",
    "RoundStepCommit",
)
_PLACE = re.compile(r"\d+/\d+/\d+", re.ASCII)


class NodeStatus(msgspec.Struct, frozen=True):
    """What a node answers to ``status``; ``earliest`` is the lowest height that it still has."""

    chain: str
    head: HeadSeen
    version: str | None
    id: str | None
    moniker: str | None
    earliest: int


def read_status(value: JsonValue, origin: Provenance) -> NodeStatus:
    """The answer to ``status``. Whether it is the right chain is for who asked to say: this tells its name.

    Raises:
        CosmosFault: if it is none.
    """
    answer = as_object(value, "status")
    node, sync = inner(answer, "node_info"), inner(answer, "sync_info")
    height, at = height_of(sync, "latest_block_height"), moment(sync, "latest_block_time")
    place = placed(origin, "status", height, at)
    return NodeStatus(
        chain=text(node, "network"),
        head=HeadSeen(place, height, at, words(sync, "latest_block_hash"), flag(sync, "catching_up")),
        version=words(node, "version"),
        id=words(node, "id"),
        moniker=words(node, "moniker"),
        earliest=count(sync, "earliest_block_height"),
    )


def read_net_info(value: JsonValue, origin: Provenance) -> Told:
    """The answer to ``net_info``: this node's peers, a local view.

    Raises:
        CosmosFault: if it is none.
    """
    answer = as_object(value, "net_info")
    peers: list[Peer] = []
    faults: list[CosmosFault] = []
    for row in rows(answer, "peers"):
        try:
            peers.append(_peer(as_object(row, "a peer")))
        except CosmosFault as fault:
            faults.append(CosmosFault(f"peers: {fault}"))
    counted = count(answer, "n_peers") if "n_peers" in answer else len(peers)
    return Told((PeersRead(placed(origin, "net_info"), counted, tuple(peers)),), tuple(faults))


def read_consensus_state(value: JsonValue, origin: Provenance) -> Told:
    """The answer to ``consensus_state``: height, round and step, and who proposes.

    Raises:
        CosmosFault: if it is none.
    """
    state = inner(as_object(value, "consensus_state"), "round_state")
    written = text(state, "height/round/step")
    if _PLACE.fullmatch(written) is None:
        raise CosmosFault(f"height/round/step must be three numbers, not {excerpt(written)}")
    height, round_, step = (as_count(part, "height/round/step") for part in written.split("/"))
    return Told((_round(state, placed(origin, "consensus_state", height), height, round_, _step_name(step)),))


def read_round(value: JsonObject, origin: Provenance, method: str) -> Told:
    """A ``NewRound`` event, which names the proposer, or one of a ``RoundState``, which does not.

    Raises:
        CosmosFault: if it is neither.
    """
    height = height_of(value)
    place = placed(origin, method, height)
    return Told((_round(value, place, height, count(value, "round"), words(value, "step")),))


def _round(value: JsonObject, place: Provenance, height: int, round_: int, step: str | None) -> RoundSeen:
    proposer = words(inner_or_empty(value, "proposer"), "address")
    return RoundSeen(place, height, round_, step, None if proposer is None else address_of(proposer))


def _step_name(step: int) -> str | None:
    return STEPS[step - 1] if 1 <= step <= len(STEPS) else None


def _peer(row: JsonObject) -> Peer:
    node = inner(row, "node_info")
    return Peer(
        id=text(node, "id"),
        address=words(row, "remote_ip"),
        version=words(node, "version"),
        moniker=words(node, "moniker"),
    )
