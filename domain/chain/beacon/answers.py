"""The answers of a beacon node, read one by one; and what its refusals mean.

Rules of this file:

* A node that lacks an endpoint has told nothing (``not_offered``), which is no fault of anybody. It answers 404 like
  one that lacks a block or a state, so the words decide: who misses a thing names it, who misses a route does not.
* ``execution_optimistic`` says that nobody has checked the payloads yet: such an answer is not final, whatever it says.

Source: Ethereum Beacon APIs. The 404 of a route: measured on Lodestar 1.5.1, and the wording of other nodes.
"""

from __future__ import annotations

import re
from collections.abc import Container

import msgspec

from domain.chain.beacon.reading import is_true, pubkey, told, uint
from domain.chain.ethereum import Head, Refused, digest, flag, items, members, words
from domain.chain.observations import Peer
from domain.json import JsonValue

PEERS_LIMIT = 1000
"""Peers of one node that are kept."""

OK = 200
SYNCING = 206
BAD_REQUEST = 400
_NOT_FOUND, _NO_METHOD, _TOO_OFTEN, _NOT_IMPLEMENTED = 404, 405, 429, 501

_ROUTE = re.compile(r"\b(route|endpoint|url|path|page|method)\b", re.IGNORECASE)
_THING = re.compile(r"\b(state|block|header|root|slot|epoch|validator|beacon)\b", re.IGNORECASE)


class Header(msgspec.Struct, frozen=True):
    """A block's header; ``proposer`` is the index of who made it."""

    slot: int
    root: str
    parent: str
    proposer: str
    is_optimistic: bool

    def head(self, at: float) -> Head:
        """Its place in the chain, if its slot began at ``at``."""
        return Head(self.slot, self.root, self.parent, at, producer=self.proposer)


class Finality(msgspec.Struct, frozen=True):
    """The epochs that are justified and final, as the head's state has them."""

    justified: int
    finalized: int
    is_optimistic: bool


class Sync(msgspec.Struct, frozen=True):
    """How far a node is: the slot of its head, and what keeps it from being trusted."""

    head_slot: int
    distance: int
    is_syncing: bool
    is_optimistic: bool
    is_execution_offline: bool

    @property
    def is_catching_up(self) -> bool:
        """Whether the node itself says that it is not there yet."""
        return self.is_syncing or self.is_optimistic or self.is_execution_offline


def read_refusal(status: int, body: JsonValue) -> Refused:
    """What an answer with another ``status`` than 200 means; ``body`` is None if it was no JSON."""
    reason = words(body.get("message")) if isinstance(body, dict) else words(body)
    said = reason or f"HTTP status {status}"
    if status == _NOT_FOUND:
        lacks_route = reason is None or _ROUTE.search(reason) or not _THING.search(reason)
        return Refused("not_offered" if lacks_route else "absent", said, status)
    if status in (_NO_METHOD, _NOT_IMPLEMENTED):
        return Refused("not_offered", said, status)
    if status == _TOO_OFTEN:
        return Refused("limited", said, status)
    return Refused("failed", said, status)


def read_header(value: JsonValue) -> Header:
    """The answer of ``/eth/v1/beacon/headers/{block}``.

    Raises:
        AnswerFault: if it is none.
    """
    answer = members(value, "the answer")
    data = told(answer, "", "data")
    message = told(data, "/data", "header", "message")
    return Header(
        uint(message.get("slot"), "/data/header/message/slot"),
        digest(data.get("root"), "/data/root"),
        digest(message.get("parent_root"), "/data/header/message/parent_root"),
        str(uint(message.get("proposer_index"), "/data/header/message/proposer_index")),
        is_true(answer.get("execution_optimistic")),
    )


def read_finality(value: JsonValue) -> Finality:
    """The answer of ``states/{state}/finality_checkpoints``.

    Raises:
        AnswerFault: if it is none.
    """
    answer = members(value, "the answer")
    data = told(answer, "", "data")
    return Finality(
        uint(told(data, "/data", "current_justified").get("epoch"), "/data/current_justified/epoch"),
        uint(told(data, "/data", "finalized").get("epoch"), "/data/finalized/epoch"),
        is_true(answer.get("execution_optimistic")),
    )


def read_syncing(value: JsonValue) -> Sync:
    """The answer of ``/eth/v1/node/syncing``; older nodes say nothing of their execution node.

    Raises:
        AnswerFault: if it is none.
    """
    data = told(value, "the answer", "data")
    return Sync(
        uint(data.get("head_slot"), "/data/head_slot"),
        uint(data.get("sync_distance"), "/data/sync_distance"),
        flag(data.get("is_syncing"), "/data/is_syncing"),
        is_true(data.get("is_optimistic")),
        is_true(data.get("el_offline")),
    )


def read_peer_count(value: JsonValue) -> int:
    """How many peers are connected: the answer of ``/eth/v1/node/peer_count``.

    Raises:
        AnswerFault: if it does not say so.
    """
    return uint(told(value, "the answer", "data").get("connected"), "/data/connected")


def read_peers(value: JsonValue) -> tuple[int, tuple[Peer, ...]]:
    """How many peers are connected, and who: the answer of ``/eth/v1/node/peers``.

    Raises:
        AnswerFault: if it is no list of peers.
    """
    peers: list[Peer] = []
    count = 0
    for index, item in enumerate(items(members(value, "the answer").get("data"), "/data")):
        peer = members(item, f"/data/{index}")
        id_, state = words(peer.get("peer_id")), peer.get("state")
        if state not in (None, "connected"):
            continue
        count += 1
        if id_ is not None and len(peers) < PEERS_LIMIT:
            peers.append(Peer(id_, words(peer.get("last_seen_p2p_address")), words(peer.get("agent"))))
    return count, tuple(peers)


def read_version(value: JsonValue) -> str | None:
    """What a node calls itself: the answer of ``/eth/v1/node/version``.

    Raises:
        AnswerFault: if it is none.
    """
    return words(told(value, "the answer", "data").get("version"))


def read_proposers(value: JsonValue, epoch_size: int) -> dict[int, tuple[str, str]]:
    """Who makes the block of each slot, index and public key; at most ``epoch_size`` slots.

    Raises:
        AnswerFault: if it is no answer of ``/eth/v1/validator/duties/proposer/{epoch}``.
    """
    duties: dict[int, tuple[str, str]] = {}
    listed = items(members(value, "the answer").get("data"), "/data")
    for index, item in enumerate(listed[:epoch_size]):
        duty = members(item, f"/data/{index}")
        slot = uint(duty.get("slot"), f"/data/{index}/slot")
        number = str(uint(duty.get("validator_index"), f"/data/{index}/validator_index"))
        duties[slot] = (number, pubkey(duty.get("pubkey"), f"/data/{index}/pubkey"))
    return duties


def read_liveness(value: JsonValue, asked: Container[str]) -> dict[str, bool]:
    """Whether each of the validators ``asked`` was seen at work: the answer of ``/eth/v1/validator/liveness/{epoch}``.

    Raises:
        AnswerFault: if it is none.
    """
    seen = {}
    for index, item in enumerate(items(members(value, "the answer").get("data"), "/data")):
        entry = members(item, f"/data/{index}")
        number = str(uint(entry.get("index"), f"/data/{index}/index"))
        if number in asked:
            seen[number] = flag(entry.get("is_live"), f"/data/{index}/is_live")
    return seen


def read_rewards(value: JsonValue, asked: Container[str]) -> dict[str, bool]:
    """Whether each of the validators ``asked`` was rewarded for its target, so had attested in time.

    Raises:
        AnswerFault: if it is no answer of ``/eth/v1/beacon/rewards/attestations/{epoch}``.
    """
    seen = {}
    listed = items(told(value, "the answer", "data").get("total_rewards"), "/data/total_rewards")
    for index, item in enumerate(listed):
        where = f"/data/total_rewards/{index}"
        entry = members(item, where)
        number = str(uint(entry.get("validator_index"), f"{where}/validator_index"))
        if number in asked:
            target = entry.get("target")
            # A fine is negative, and written so; nobody is given nothing for a vote that counted.
            is_fine = target.startswith("-") if isinstance(target, str) else isinstance(target, int) and target < 0
            seen[number] = not is_fine and uint(target, f"{where}/target") > 0
    return seen
