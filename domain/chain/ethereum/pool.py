"""The transactions that are not settled: those that wait, and those that a reorganization took out of their blocks.

Rules of this file:

* A transaction is told as PENDING once while it waits, however often a node repeats it.
* One that was in a block taken back is neither settled nor lost: the node is asked for it. Known and in no block it
  is PENDING again, unknown it is DROPPED.
* Memory is bounded: ``POOL_LIMIT`` hashes, the oldest forgotten first; so one that waits very long may be told twice.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.chain.ethereum.blocks import Transfer
from domain.chain.ethereum.calls import Call, transaction
from domain.chain.observations import Provenance, TransactionSeen

POOL_LIMIT = 20_000
"""Hashes of waiting transactions that are kept."""

ORPHANS_LIMIT = 256
"""Transactions of blocks taken back that a node is asked about."""


class Pool:
    """The unsettled transactions of one node."""

    def __init__(self, limit: int = POOL_LIMIT) -> None:
        self._limit = limit
        self._waiting: dict[str, None] = {}
        self._orphans: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def heard(self, transfer: Transfer, provenance: Provenance) -> list[TransactionSeen]:
        """The node has a transaction that waits."""
        if transfer.hash in self._waiting or transfer.block is not None:
            return []
        self._waiting[transfer.hash] = None
        while len(self._waiting) > self._limit:
            del self._waiting[next(iter(self._waiting))]
        return [_seen(transfer, provenance)]

    def settled(self, hashes: Iterable[str]) -> None:
        """The transactions ``hashes`` are in a block."""
        for hash_ in hashes:
            self._waiting.pop(hash_, None)
            self._orphans.pop(hash_, None)

    def orphaned(self, hashes: Iterable[str]) -> list[Call]:
        """The blocks that held the transactions ``hashes`` were taken back: what to ask."""
        for hash_ in hashes:
            if len(self._orphans) < ORPHANS_LIMIT:
                self._orphans[hash_] = None
        return [transaction(hash_) for hash_ in self._orphans]

    def told(self, hash_: str, transfer: Transfer | None, provenance: Provenance) -> list[TransactionSeen]:
        """The node was asked for an orphan, and knows it as ``transfer``, or not at all."""
        if hash_ not in self._orphans:
            return []
        del self._orphans[hash_]
        if transfer is None:
            self._waiting.pop(hash_, None)
            return [TransactionSeen(provenance, hash_, "DROPPED")]
        self._waiting.pop(hash_, None)
        return self.heard(transfer, provenance) if transfer.hash == hash_ else []

    def forget(self, hash_: str) -> None:
        """The node could not be asked for an orphan."""
        self._orphans.pop(hash_, None)


def _seen(transfer: Transfer, provenance: Provenance) -> TransactionSeen:
    return TransactionSeen(
        provenance,
        transfer.hash,
        "PENDING",
        transfer.sender,
        transfer.recipient,
        None if transfer.value is None else str(transfer.value),
    )
