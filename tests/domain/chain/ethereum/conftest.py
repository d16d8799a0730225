"""A small execution node without a socket: blocks, transactions and the answers of JSON-RPC, written by a test."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from domain import JsonValue
from domain.chain.ethereum import Execution, Request, Step
from domain.chain.observations import Observation

GENESIS_TIME = 1_700_000_000
ALICE, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
_numbers = count(1)


def fresh_hash() -> str:
    return f"0x{next(_numbers):064x}"


@dataclass
class MadeBlock:
    number: int
    hash: str
    parent: str
    timestamp: int
    sent: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)


class Node:
    """One node. ``lacks`` are methods it does not have, ``silent`` ones it never answers."""

    def __init__(self) -> None:
        genesis = MadeBlock(0, fresh_hash(), "0x" + "00" * 32, GENESIS_TIME)
        self.chain = [genesis]
        self.blocks = {genesis.hash: genesis}
        self.pool: set[str] = set()
        self.lacks: set[str] = set()
        self.silent: set[str] = set()
        self.chain_id = 1
        self.syncing: JsonValue = False
        self.tells_transactions = False
        self.asked: list[str] = []

    def mine(self, *transactions: str, failing: tuple[str, ...] = (), after: int = 12) -> MadeBlock:
        tip = self.chain[-1]
        sent = [*transactions, *failing]
        made = MadeBlock(tip.number + 1, fresh_hash(), tip.hash, tip.timestamp + after, sent, set(failing))
        self.chain.append(made)
        self.blocks[made.hash] = made
        self.pool -= set(sent)
        return made

    def rewind(self, depth: int) -> None:
        del self.chain[len(self.chain) - depth :]

    def head(self, made: MadeBlock | None = None) -> dict[str, JsonValue]:
        made = made or self.chain[-1]
        head: dict[str, JsonValue] = {
            "number": hex(made.number),
            "hash": made.hash,
            "parentHash": made.parent,
            "timestamp": hex(made.timestamp),
            "miner": "0x" + "00" * 20,
        }
        return head | ({"transactions": list(made.sent)} if self.tells_transactions else {})

    def notice(self, what: str = "newHeads", value: JsonValue = None) -> JsonValue:
        result = self.head() if value is None else value
        return {"jsonrpc": "2.0", "method": "eth_subscription", "params": {"subscription": what, "result": result}}

    def answer(self, request: Request) -> JsonValue | None:
        """The message that answers ``request``; None if none ever comes."""
        message = request.message()
        method, params = str(message["method"]), message["params"]
        assert isinstance(params, list)
        self.asked.append(request.call.name)
        if self.silent & {method, request.call.name}:
            return None
        head = {"jsonrpc": "2.0", "id": message["id"]}
        if self.lacks & {method, request.call.name}:
            return head | {"error": {"code": -32601, "message": f"the method {method} does not exist"}}
        return head | {"result": self._result(method, params)}

    def _result(self, method: str, params: list[JsonValue]) -> JsonValue:
        first = str(params[0]) if params else ""
        made = self.blocks.get(first)
        says: dict[str, JsonValue] = {
            "eth_chainId": hex(self.chain_id),
            "web3_clientVersion": "Small/v1",
            "eth_syncing": self.syncing,
            "net_peerCount": "0x3",
            "admin_peers": [{"id": "p1", "name": "Geth/v1", "network": {"remoteAddress": "10.0.0.9:30303"}}],
            "txpool_status": {"pending": hex(len(self.pool)), "queued": "0x0"},
            "eth_subscribe": first,
        }
        if method == "eth_getBlockByNumber":
            return self.head(self.chain[-1] if first == "latest" else self.chain[max(len(self.chain) - 4, 0)])
        if method == "eth_getBlockByHash":
            return None if made is None else self._block(made, is_full=bool(params[1]))
        if method == "eth_getBlockReceipts":
            return None if made is None else [self._receipt(made, hash_) for hash_ in made.sent]
        return says[method] if method in says else self._of_transaction(method, first)

    def _of_transaction(self, method: str, hash_: str) -> JsonValue:
        made = next((made for made in self.chain if hash_ in made.sent), None)
        if method == "eth_getTransactionReceipt":
            return None if made is None else self._receipt(made, hash_)
        if made is None and hash_ not in self.pool:
            return None
        return self._transaction(hash_) | {"blockHash": None if made is None else made.hash}

    def _block(self, made: MadeBlock, *, is_full: bool) -> JsonValue:
        listed: list[JsonValue] = [self._transaction(hash_) if is_full else hash_ for hash_ in made.sent]
        return self.head(made) | {"transactions": listed}

    def _transaction(self, hash_: str) -> dict[str, JsonValue]:
        return {"hash": hash_, "from": ALICE, "to": BOB, "value": hex(10**18)}

    def _receipt(self, made: MadeBlock, hash_: str) -> JsonValue:
        return {
            "transactionHash": hash_,
            "blockHash": made.hash,
            "from": ALICE,
            "to": BOB,
            "status": "0x0" if hash_ in made.failing else "0x1",
            "gasUsed": "0x5208",
            "effectiveGasPrice": "0x2",
        }


def drive(node: Node, execution: Execution, step: Step, at: float = 1_800_000_000.0) -> list[Observation]:
    """Answer the requests of ``step``, and those that follow, until none is left: all that was observed."""
    observed = list(step.observations)
    assert step.fault is None
    waiting = deque(step.requests)
    while waiting:
        request = waiting.popleft()
        message = node.answer(request)
        if message is None:
            continue
        followed = execution.received(message, at)
        assert followed.fault is None
        observed += followed.observations
        waiting += followed.requests
    return observed


Drive = Callable[[Node, Execution, Step], list[Observation]]


@pytest.fixture
def node() -> Node:
    return Node()


@pytest.fixture(name="drive")
def drive_fixture() -> Drive:
    return drive


@pytest.fixture(name="fresh_hash")
def fresh_hash_fixture() -> Callable[[], str]:
    return fresh_hash
