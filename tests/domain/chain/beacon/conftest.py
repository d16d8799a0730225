"""A small beacon node without a socket: slots, validators and the answers of the Beacon API, written by a test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from domain import JsonValue
from domain.chain.beacon import Beacon, Query, Step
from domain.chain.observations import Observation

GENESIS, SLOT_TIME, EPOCH = 1_700_000_000, 12, 8
FAR = str(2**64 - 1)


def key(index: int) -> str:
    return f"0x{index:096x}"


@dataclass
class Made:
    slot: int
    root: str
    parent: str
    proposer: int


class Node:
    """One node. ``lacks`` are names of queries that it has no route for, ``failing`` those it answers with 500."""

    def __init__(self) -> None:
        self._last = 0
        self.chain = [Made(0, self._root(), "0x" + "00" * 32, 0)]
        self.blocks = {self.chain[0].root: self.chain[0]}
        self.statuses = dict.fromkeys(range(4), "active_ongoing")
        self.lacks: set[str] = set()
        self.failing: set[str] = set()
        self.is_optimistic = False
        self.is_syncing = False
        self.finalized = 0
        self.live: dict[int, bool] = {}
        self.refuses_repeated = False
        self.refuses_joined = False
        self.ignores_ids = False
        self.asked: list[Query] = []
        self.chain_id = "1"

    def _root(self) -> str:
        self._last += 1
        return f"0x{self._last:064x}"

    def make(self, skip: int = 0) -> Made:
        tip = self.chain[-1]
        slot = tip.slot + 1 + skip
        made = Made(slot, self._root(), tip.root, slot % 4)
        self.chain.append(made)
        self.blocks[made.root] = made
        return made

    def rewind(self, depth: int) -> None:
        del self.chain[len(self.chain) - depth :]

    def head_event(self) -> JsonValue:
        tip = self.chain[-1]
        return {"slot": str(tip.slot), "block": tip.root, "execution_optimistic": self.is_optimistic}

    def answer(self, query: Query) -> tuple[int, JsonValue]:
        self.asked.append(query)
        if query.name in self.lacks:
            return 404, {"message": f"Route GET:{query.path} not found", "error": "Not Found", "statusCode": 404}
        if query.name in self.failing:
            return 500, {"code": 500, "message": "Internal server error"}
        if query.name == "header" and query.about not in self.blocks:
            return 404, {"code": 404, "message": "Block not found"}
        is_refused = self.refuses_repeated if len(query.query) > 1 else self.refuses_joined
        if query.name == "validators" and is_refused:
            return 400, {"code": 400, "message": "Invalid validator ID"}
        return 200, self._body(query)

    def _body(self, query: Query) -> JsonValue:
        optimistic = {"execution_optimistic": self.is_optimistic}
        spec = {"SECONDS_PER_SLOT": str(SLOT_TIME), "SLOTS_PER_EPOCH": str(EPOCH), "DEPOSIT_CHAIN_ID": self.chain_id}
        sync = {"head_slot": str(self.chain[-1].slot), "sync_distance": "0", "is_syncing": self.is_syncing}
        checkpoint = {"epoch": str(self.finalized), "root": self.chain[0].root}
        peer = {"peer_id": "p1", "last_seen_p2p_address": "/ip4/10.0.0.9/tcp/9000", "state": "connected"}
        says: dict[str, JsonValue] = {
            "spec": {"data": spec},
            "genesis": {"data": {"genesis_time": str(GENESIS)}},
            "version": {"data": {"version": "Small/v1"}},
            "syncing": {"data": {**sync, "is_optimistic": self.is_optimistic}},
            "finality": {"data": {"current_justified": checkpoint, "finalized": checkpoint}, **optimistic},
            "peer_count": {"data": {"connected": "7", "disconnected": "1"}},
            "peers": {"data": [peer], "meta": {"count": 1}},
        }
        if query.name in ("head", "header"):
            return {**self._header(self.blocks.get(query.about, self.chain[-1])), **optimistic}
        return says[query.name] if query.name in says else self._of_validators(query)

    def _of_validators(self, query: Query) -> JsonValue:
        if query.name == "validators":
            ids = {id_ for _, value in query.query for id_ in value.split(",")}
            chosen = [one for one in self.statuses if self.ignores_ids or {str(one), key(one)} & ids]
            return {"data": [self._validator(one) for one in chosen], "execution_optimistic": self.is_optimistic}
        epoch = int(query.about)
        if query.name == "proposers":
            slots = range(epoch * EPOCH, (epoch + 1) * EPOCH)
            duties = [{"slot": str(slot), "validator_index": str(slot % 4), "pubkey": key(slot % 4)} for slot in slots]
            return {"data": duties}
        if query.name == "liveness":
            return {"data": [{"index": one, "is_live": self.live.get(int(one), True)} for one in query.body or ()]}
        rewards = [
            {"validator_index": one, "target": "5" if self.live.get(int(one), True) else "-5"}
            for one in query.body or ()
        ]
        return {"data": {"ideal_rewards": [], "total_rewards": rewards}}

    def _header(self, made: Made) -> dict[str, JsonValue]:
        message = {"slot": str(made.slot), "proposer_index": str(made.proposer), "parent_root": made.parent}
        return {"data": {"root": made.root, "canonical": True, "header": {"message": message}}}

    def _validator(self, index: int) -> JsonValue:
        status = self.statuses[index]
        described = {"pubkey": key(index), "effective_balance": "32000000000", "slashed": status.endswith("_slashed")}
        return {"index": str(index), "balance": "32000000001", "status": status, "validator": described}


def drive(node: Node, beacon: Beacon, step: Step, at: float = 1_800_000_000.0) -> list[Observation]:
    """Answer the queries of ``step``, and those that follow, until none is left: all that was observed."""
    observed = list(step.observations)
    assert step.fault is None
    waiting = deque(step.queries)
    while waiting:
        query = waiting.popleft()
        followed = beacon.answered(query, *node.answer(query), at)
        assert followed.fault is None
        observed += followed.observations
        waiting += followed.queries
    return observed


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture(name="drive")
def drive_fixture() -> Callable[[Node, Beacon, Step], list[Observation]]:
    return drive


@pytest.fixture(name="key")
def key_fixture() -> Callable[[int], str]:
    return key
