"""What a node of the execution layer is asked: JSON-RPC calls as values.

Rules of this file: a call is a method and its params, and two that ask the same are equal. A request is a call with
the number that its answer will carry. Nothing here is sent.

Source: Ethereum execution APIs; geth's "Real-time events" for ``eth_subscribe``; JSON-RPC 2.0 for the message.
"""

from __future__ import annotations

import msgspec

from domain.json import JsonObject

_WORDED = ("eth_subscribe", "eth_getBlockByNumber")


class Call(msgspec.Struct, frozen=True):
    """A method and its positional params."""

    method: str
    params: tuple[str | bool, ...] = ()

    @property
    def name(self) -> str:
        """The method, with what is meant where that is a word: ``eth_subscribe newHeads``."""
        return f"{self.method} {self.params[0]}" if self.method in _WORDED else self.method


class Request(msgspec.Struct, frozen=True):
    """A call on its way: its answer carries ``id``."""

    id: int
    call: Call

    def message(self) -> JsonObject:
        """The JSON-RPC 2.0 message that asks it."""
        return {"jsonrpc": "2.0", "id": self.id, "method": self.call.method, "params": list(self.call.params)}


CHAIN_ID = Call("eth_chainId")
VERSION = Call("web3_clientVersion")
SYNCING = Call("eth_syncing")
LATEST = Call("eth_getBlockByNumber", ("latest", False))
FINALIZED = Call("eth_getBlockByNumber", ("finalized", False))
PEER_COUNT = Call("net_peerCount")
PEERS = Call("admin_peers")
POOL_STATUS = Call("txpool_status")
NEW_HEADS = Call("eth_subscribe", ("newHeads",))
NEW_PENDING = Call("eth_subscribe", ("newPendingTransactions",))


def block(hash_: str, *, is_full: bool) -> Call:
    """The block ``hash_``, with its transactions if ``is_full``, else with their hashes."""
    return Call("eth_getBlockByHash", (hash_, is_full))


def block_receipts(hash_: str) -> Call:
    """The receipts of all transactions of the block ``hash_``."""
    return Call("eth_getBlockReceipts", (hash_,))


def receipt(hash_: str) -> Call:
    """The receipt of the transaction ``hash_``."""
    return Call("eth_getTransactionReceipt", (hash_,))


def transaction(hash_: str) -> Call:
    """The transaction ``hash_``, wherever it is."""
    return Call("eth_getTransactionByHash", (hash_,))
