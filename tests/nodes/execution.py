"""An execution chain of Ethereum for a test to write, and nodes of it: JSON-RPC over HTTP and WebSocket on one port.

Rules of this file: plain values and no clock; a block is where the test puts it, and a reorganization takes back what
the test says. Quantities are hexadecimal on the wire. A head has no transactions, as with geth. Nothing is told to
subscribers but by ``publish``.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from tests.nodes.serving import Answer, Asked, Attended, Node

METHOD_MISSING = (-32601, "the method does not exist/is not available")
INVALID = (-32602, "invalid argument")
ZERO = "0x" + 64 * "0"


def hash_of(*parts: object) -> str:
    """A hash that is the same for the same words."""
    return "0x" + sha256(" ".join(map(str, parts)).encode()).hexdigest()


@dataclass(frozen=True)
class Transaction:
    """A transaction of 21,000 gas; without a ``recipient`` it creates a contract."""

    name: str
    is_ok: bool = True
    value: int = 1
    recipient: str | None = "0x" + 40 * "b"

    @property
    def hash(self) -> str:
        return hash_of("tx", self.name)


@dataclass(frozen=True)
class Block:
    """One block; ``fork`` tells blocks of one number apart."""

    number: int
    at: int
    fork: int
    parent: str
    txs: tuple[Transaction, ...] = ()

    @property
    def hash(self) -> str:
        return hash_of("block", self.number, self.fork, self.parent)


class Chain:
    """The blocks of a chain, from its genesis on; ``interval`` whole seconds lie between two."""

    def __init__(self, chain: int = 1, *, began: int = 1_800_000_000, interval: int = 12) -> None:
        self.chain = chain
        self.interval = interval
        self.blocks = [Block(0, began, 0, ZERO)]
        self.known = {self.blocks[0].hash: self.blocks[0]}
        self.pending: list[Transaction] = []
        self.finalized = 0
        self._forks = itertools.count(1)

    @property
    def tip(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    def grow(self, *txs: Transaction, at: int | None = None, fork: int = 0) -> Block:
        """Add a block with ``txs``, which are pending no more."""
        at = self.tip.at + self.interval if at is None else at
        block = Block(self.tip.number + 1, at, fork, self.tip.hash, txs)
        self.blocks.append(block)
        self.known[block.hash] = block
        self.pending = [tx for tx in self.pending if tx not in txs]
        return block

    def reorganize(self, depth: int, *blocks: Sequence[Transaction]) -> list[Block]:
        """Replace ``depth`` blocks by ``blocks``, by default as many empty ones; returns the old ones."""
        gone = self.blocks[-depth:]
        del self.blocks[-depth:]
        fork = next(self._forks)
        for txs in blocks or [()] * depth:
            self.grow(*txs, fork=fork)
        kept = {tx for block in self.blocks for tx in block.txs}
        self.pending += [tx for block in gone for tx in block.txs if tx not in kept]
        return gone

    def block_of(self, tx_hash: str) -> tuple[Block, int] | None:
        """The block that a transaction is in now, and its place there."""
        for block in self.blocks:
            for index, tx in enumerate(block.txs):
                if tx.hash == tx_hash:
                    return block, index
        return None


class RpcError(Exception):
    """An error object of JSON-RPC."""

    def __init__(self, kind: tuple[int, str], detail: str = "") -> None:
        super().__init__(detail)
        self.members = {"code": kind[0], "message": f"{kind[1]}{detail}"}


class ExecutionNode(Node):
    """A node of ``chain``.

    ``lag`` is how many blocks it is behind, ``backwards`` by how many every second answer about the newest block is
    older, ``missing`` the methods that it does not have, ``earliest`` the lowest block that it has kept.
    """

    def __init__(self, chain: Chain, *, lag: int = 0, backwards: int = 0, missing: Sequence[str] = ()) -> None:
        super().__init__()
        self.chain = chain
        self.lag = lag
        self.backwards = backwards
        self.missing = set(missing)
        self.earliest = 0
        self.peers = 3
        self.syncing: object = False
        self.called: list[tuple[str, Sequence[object]]] = []
        self.subscriptions: dict[str, tuple[Attended, str]] = {}
        self._told = self.head.hash
        self._numbers = itertools.count(1)
        self._turn = 0

    @property
    def head(self) -> Block:
        """Its newest block."""
        return self.chain.blocks[max(0, len(self.chain.blocks) - 1 - self.lag)]

    async def publish(self) -> None:
        """Tell of the heads that have come since the last time; after a reorganization of all that are new."""
        new: list[Block] = []
        block = self.head
        canonical = {one.hash for one in self.chain.blocks}
        told = self.chain.known[self._told]
        while told.hash not in canonical:
            told = self.chain.known[told.parent]
        while block.number > told.number:
            new.append(block)
            block = self.chain.known[block.parent]
        if self.is_awake:
            for block in reversed(new):
                self._told = block.hash
                await self.tell("newHeads", _head(block))

    async def grow(self, *txs: Transaction) -> None:
        """Add a block to the chain and tell of it."""
        self.chain.grow(*txs)
        await self.publish()

    async def pend(self, tx: Transaction) -> None:
        """Take ``tx`` into the pool and tell of it."""
        self.chain.pending.append(tx)
        await self.tell("newPendingTransactions", tx.hash)

    async def tell(self, kind: str, result: object) -> None:
        """Send ``result`` to whoever has subscribed to ``kind``."""
        for number, (link, subscribed) in list(self.subscriptions.items()):
            if subscribed == kind:
                params = {"subscription": number, "result": result}
                await link.send({"jsonrpc": "2.0", "method": "eth_subscription", "params": params})

    async def attend(self, link: Attended) -> None:
        """Serve the WebSocket: subscriptions, and every call that HTTP has."""
        try:
            async for message in link:
                await link.send(self._answer(json.loads(message), link))
        finally:
            self.subscriptions = {number: one for number, one in self.subscriptions.items() if one[0] is not link}

    async def answer(self, asked: Asked) -> Answer:
        """Serve HTTP."""
        given = json.loads(asked.body)
        if isinstance(given, list):
            return Answer([self._answer(one, None) for one in given])
        return Answer(self._answer(given, None))

    def _answer(self, request: Mapping[str, object], link: Attended | None) -> object:
        envelope = {"jsonrpc": "2.0", "id": request["id"]}
        method, params = str(request["method"]), request.get("params") or []
        assert isinstance(params, list)
        self.called.append((method, params))
        try:
            scripted = self.scripted(method, params)
            return {**envelope, "result": scripted.value if scripted else self._call(method, params, link)}
        except RpcError as error:
            return {**envelope, "error": error.members}

    def _call(self, method: str, params: Sequence[object], link: Attended | None) -> object:
        if method in self.missing:
            raise RpcError(METHOD_MISSING)
        if link is not None and method == "eth_subscribe":
            if params[0] not in {"newHeads", "newPendingTransactions"}:
                raise RpcError(INVALID, f": no {params[0]!r} subscription in eth namespace")
            number = hex(next(self._numbers))
            self.subscriptions[number] = link, str(params[0])
            return number
        if link is not None and method == "eth_unsubscribe":
            return self.subscriptions.pop(str(params[0]), None) is not None
        if method not in _METHODS:
            raise RpcError(METHOD_MISSING)
        return _METHODS[method](self, *params)

    def _newest(self) -> Block:
        """The newest block, or an older one when it is this node's turn to lie."""
        self._turn += 1
        return self.chain.blocks[max(0, self.head.number - self.backwards * (self._turn % 2 == 0))]

    def _find(self, named: object) -> Block | None:
        tags = {"earliest": 0, "finalized": self.chain.finalized, "safe": self.chain.finalized}
        if named in {"latest", "pending"}:
            return self._newest()
        text = str(named)
        if len(text) == len(ZERO):
            found = self.chain.known.get(text)
            return found if found is None or found.number <= self.head.number else None
        number = tags[text] if text in tags else int(text, 16)
        return self.chain.blocks[number] if self.earliest <= number <= self.head.number else None

    def _version(self) -> object:
        return "test/v1.0.0"

    def _network(self) -> object:
        return str(self.chain.chain)

    def _chain_id(self) -> object:
        return hex(self.chain.chain)

    def _number(self) -> object:
        return hex(self._newest().number)

    def _syncing(self) -> object:
        return self.syncing

    def _peer_count(self) -> object:
        return hex(self.peers)

    def _pool(self) -> object:
        return {"pending": hex(len(self.chain.pending)), "queued": "0x0"}

    def _block(self, named: object, is_full: object) -> object:
        block = self._find(named)
        return None if block is None else {**_head(block), "transactions": _transactions(block, bool(is_full))}

    def _block_receipts(self, named: object) -> object:
        block = self._find(named)
        return None if block is None else [_receipt(block, index) for index in range(len(block.txs))]

    def _tx_receipt(self, tx_hash: str) -> object:
        found = self.chain.block_of(tx_hash)
        return None if found is None or found[0].number > self.head.number else _receipt(*found)

    def _tx(self, tx_hash: str) -> object:
        found = self.chain.block_of(tx_hash)
        if found is not None:
            return _transaction(*found)
        return next((_pending(tx) for tx in self.chain.pending if tx.hash == tx_hash), None)


_METHODS = {
    "web3_clientVersion": ExecutionNode._version,
    "net_version": ExecutionNode._network,
    "eth_chainId": ExecutionNode._chain_id,
    "eth_blockNumber": ExecutionNode._number,
    "eth_syncing": ExecutionNode._syncing,
    "net_peerCount": ExecutionNode._peer_count,
    "txpool_status": ExecutionNode._pool,
    "eth_getBlockByNumber": ExecutionNode._block,
    "eth_getBlockReceipts": ExecutionNode._block_receipts,
    "eth_getTransactionReceipt": ExecutionNode._tx_receipt,
    "eth_getTransactionByHash": ExecutionNode._tx,
    "eth_getBlockByHash": ExecutionNode._block,
}


def _head(block: Block) -> dict[str, object]:
    return {
        "number": hex(block.number),
        "hash": block.hash,
        "parentHash": block.parent,
        "timestamp": hex(block.at),
        "miner": "0x" + 40 * "0",
        "gasUsed": hex(21_000 * len(block.txs)),
        "gasLimit": hex(30_000_000),
    }


def _pending(tx: Transaction) -> dict[str, object]:
    place = {"blockHash": None, "blockNumber": None, "transactionIndex": None}
    return {
        "hash": tx.hash,
        "from": "0x" + 40 * "a",
        "to": tx.recipient,
        "value": hex(tx.value),
        "gas": "0x5208",
        **place,
    }


def _transaction(block: Block, index: int) -> dict[str, object]:
    place = {"blockHash": block.hash, "blockNumber": hex(block.number), "transactionIndex": hex(index)}
    return {**_pending(block.txs[index]), **place}


def _transactions(block: Block, is_full: bool) -> list[object]:  # noqa: FBT001 - as the protocol has it
    return [_transaction(block, index) if is_full else tx.hash for index, tx in enumerate(block.txs)]


def _receipt(block: Block, index: int) -> dict[str, object]:
    tx = block.txs[index]
    return {
        "transactionHash": tx.hash,
        "transactionIndex": hex(index),
        "blockHash": block.hash,
        "blockNumber": hex(block.number),
        "from": "0x" + 40 * "a",
        "to": tx.recipient,
        "contractAddress": None if tx.recipient else "0x" + 40 * "c",
        "status": "0x1" if tx.is_ok else "0x0",
        "gasUsed": "0x5208",
        "cumulativeGasUsed": hex(21_000 * (index + 1)),
        "effectiveGasPrice": "0x3b9aca00",
    }
