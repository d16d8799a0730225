"""Transactions: who sent what to whom, and what became of it.

Rules of this file:

* A transaction is named by its hash: SHA-256 of its bytes, in upper-case hexadecimal.
* ``code`` is absent when it is 0, and 0 is success; ``gas_used`` is absent when it is 0.
* The fee is taken by a transfer like any other, the first of them. It goes to the account of the module that collects
  fees, whose address is the same 20 bytes on every chain, and is no transfer of the sender's.
* Of several transfers the first is told, and how many there were.

Source: CometBFT ``abci.TxResult``; Cosmos SDK ``x/bank`` and ``x/auth`` (events), ``types/address`` (module
accounts).
"""

from __future__ import annotations

import re
from hashlib import sha256

from domain.chain.cosmos.bech32 import CHECKSUM_SIZE, encode
from domain.chain.cosmos.events import Group, events_in, groups, has_failed
from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.cosmos.jails import read_transaction_jails
from domain.chain.cosmos.member import (
    as_object,
    count,
    from_base64,
    height_of,
    inner,
    inner_or_empty,
    printable,
    rows,
    text,
)
from domain.chain.cosmos.told import Told, placed
from domain.chain.observations import PoolRead, Provenance, TransactionSeen
from domain.json import JsonObject, JsonValue

# More than any chain takes; a message is bounded before it comes here.
TRANSACTION_LIMIT = 2**27
POOL_LIMIT = 10_000

_HASH = re.compile(r"[0-9A-Fa-f]{64}", re.ASCII)
# The signs of an address between its prefix and its checksum say the same on every chain.
_FEE_COLLECTOR = encode("any", sha256(b"fee_collector").digest()[:20]).removeprefix("any1")[:-CHECKSUM_SIZE]


class _Moves:
    """What the events of one transaction say of money."""

    def __init__(self) -> None:
        self.first: Group | None = None
        self.transfers = 0
        self.senders: dict[str, str] = {}
        self.fee = ""

    def take(self, kind: JsonValue, group: Group) -> None:
        """Read one group of attributes of an event of ``kind``."""
        if kind == "transfer" and "recipient" in group and not _is_fee(group["recipient"]):
            self.transfers += 1
            self.first = self.first or group
        elif kind == "message" and group.get("sender"):
            self.senders.setdefault("message", group["sender"])
        elif kind == "tx":
            self.fee = self.fee or group.get("fee", "")
            if group.get("fee_payer"):
                self.senders.setdefault("tx", group["fee_payer"])

    @property
    def sender(self) -> str | None:
        """Who sent the first transfer, else who signed, else who paid the fee."""
        named = (self.first or {}).get("sender") or self.senders.get("message") or self.senders.get("tx")
        return printable(named) if named else None

    def of_first(self, name: str) -> str | None:
        """What the first transfer says under ``name``."""
        return printable((self.first or {}).get(name, ""))


def read_transaction(value: JsonObject, origin: Provenance, flat: JsonObject) -> Told:
    """A ``Tx`` event; ``flat`` are the flattened events beside it, which name the hash where the bytes are absent.

    Raises:
        CosmosFault: if it is none.
    """
    taken = inner(value, "TxResult")
    place = placed(origin, "Tx", height_of(taken))
    result = inner_or_empty(taken, "result")
    moves, faults = _moves_of(result)
    seen = TransactionSeen(
        place,
        hash=_hash_of(taken, flat),
        status="FAILED" if has_failed(result) else "SUCCESS",
        sender=moves.sender,
        recipient=moves.of_first("recipient"),
        value=moves.of_first("amount"),
        gas_used=count(result, "gas_used"),
        fee=printable(moves.fee),
        transfers=moves.transfers,
    )
    jails = read_transaction_jails(result, place)
    return Told((seen, *jails.observations), faults + jails.faults)


def read_unconfirmed(value: JsonValue, origin: Provenance) -> Told:
    """The answer to ``unconfirmed_txs``: how many transactions wait in the node's pool, and those that it shows.

    Raises:
        CosmosFault: if it is none.
    """
    place = placed(origin, "unconfirmed_txs")
    waiting: list[TransactionSeen] = []
    faults: list[CosmosFault] = []
    answer = as_object(value, "unconfirmed_txs")
    # Only some are shown: ``total`` is how many wait, ``n_txs`` how many are here.
    pool = PoolRead(place, count(answer, "total" if "total" in answer else "n_txs"))
    for row in rows(answer, "txs", POOL_LIMIT):
        try:
            waiting.append(TransactionSeen(place, hash_of(text({"tx": row}, "tx", TRANSACTION_LIMIT)), "PENDING"))
        except CosmosFault as fault:
            faults.append(fault)
    return Told((pool, *waiting), tuple(faults))


def hash_of(transaction: str) -> str:
    """The hash of a ``transaction`` (base64).

    Raises:
        CosmosFault: if it is no base64.
    """
    return sha256(from_base64(transaction, "tx")).hexdigest().upper()


def _hash_of(taken: JsonObject, flat: JsonObject) -> str:
    if taken.get("tx"):
        return hash_of(text(taken, "tx", TRANSACTION_LIMIT))
    named = rows(flat, "tx.hash")
    written = named[0] if named else None
    if not isinstance(written, str) or _HASH.fullmatch(written) is None:
        raise CosmosFault(f"a transaction without its bytes, whose hash is {excerpt(written)}")
    return written.upper()


def _moves_of(result: JsonObject) -> tuple[_Moves, tuple[CosmosFault, ...]]:
    moves = _Moves()
    faults: list[CosmosFault] = []
    for event in events_in(result):
        kind = event.get("type")
        if kind not in ("transfer", "message", "tx"):
            continue
        try:
            for group in groups(event):
                moves.take(kind, group)
        except CosmosFault as fault:
            faults.append(CosmosFault(f"{kind}: {fault}"))
    return moves, tuple(faults)


def _is_fee(recipient: str) -> bool:
    return recipient[:-CHECKSUM_SIZE].endswith("1" + _FEE_COLLECTOR)
