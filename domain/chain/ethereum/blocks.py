"""Blocks, transactions and receipts as nodes of the execution layer write them.

Rules of this file:

* ``transactions`` of a head is no part of its specification: anvil and hardhat put hashes there, geth and ganache
  nothing. What is not there is None, never zero.
* A timestamp is whole seconds, and chains of developers repeat it.
* ``miner`` is the fee's recipient and nobody's name, so a block has no producer here.
* ``status`` of a receipt says how the transaction ended; receipts from before Byzantium have ``root`` instead, which
  does not say it.

Source: Ethereum execution APIs, schemas of block, transaction and receipt; EIP-658.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from domain.chain.ethereum.reading import (
    MOMENT_LIMIT,
    WORD_LIMIT,
    AnswerFault,
    address,
    digest,
    items,
    members,
    quantity,
)
from domain.json import JsonObject, JsonValue

Outcome = Literal["SUCCESS", "FAILED"]

# So that a fee, price times gas, is a number of 256 bits.
_PRICE_LIMIT = 2**128


class Head(msgspec.Struct, frozen=True):
    """A block's place in the chain. ``number`` is its height (slot on a beacon chain), ``at`` Unix seconds.

    ``transactions`` are the hashes of its transactions, None if they were not told; ``producer`` who made it.
    """

    number: int
    hash: str
    parent: str
    at: float
    transactions: tuple[str, ...] | None = None
    producer: str | None = None


class Transfer(msgspec.Struct, frozen=True):
    """A transaction as it was sent. ``value`` in wei; ``block`` is the hash of the block it is in, None if in none."""

    hash: str
    sender: str | None = None
    recipient: str | None = None
    value: int | None = None
    block: str | None = None


class Receipt(msgspec.Struct, frozen=True):
    """How a transaction in the block ``block`` ended: ``fee`` in wei, ``gas_used`` in gas."""

    hash: str
    block: str
    outcome: Outcome | None
    gas_used: int
    sender: str | None = None
    recipient: str | None = None
    fee: int | None = None


class Block(msgspec.Struct, frozen=True):
    """A block with its transactions, of which only the hashes may be told."""

    head: Head
    transfers: tuple[Transfer, ...]


def read_head(value: JsonValue, where: str = "/result") -> Head:
    """A head or block.

    Raises:
        AnswerFault: if it is none, or one that is still being made.
    """
    told = members(value, where)
    listed = told.get("transactions")
    hashes = None if listed is None else tuple(transfer.hash for transfer in _transfers(listed, where))
    return Head(
        quantity(told.get("number"), f"{where}/number"),
        digest(told.get("hash"), f"{where}/hash"),
        digest(told.get("parentHash"), f"{where}/parentHash"),
        float(quantity(told.get("timestamp"), f"{where}/timestamp", MOMENT_LIMIT)),
        hashes,
    )


def read_block(value: JsonValue, where: str = "/result") -> Block | None:
    """A block with its transactions; None if the node has no such block.

    Raises:
        AnswerFault: if it is no block.
    """
    if value is None:
        return None
    head = read_head(value, where)
    return Block(head, _transfers(members(value, where).get("transactions"), where))


def read_transfer(value: JsonValue, where: str = "/result") -> Transfer | None:
    """A transaction, or the hash of one; None if the node knows no such transaction.

    Raises:
        AnswerFault: if it is neither.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return Transfer(digest(value, where))
    told = members(value, where)
    block = told.get("blockHash")
    return Transfer(
        digest(told.get("hash"), f"{where}/hash"),
        _account(told, "from", where),
        _account(told, "to", where),
        None if told.get("value") is None else quantity(told["value"], f"{where}/value", WORD_LIMIT),
        None if block is None else digest(block, f"{where}/blockHash"),
    )


def read_receipts(value: JsonValue, where: str = "/result") -> tuple[Receipt, ...] | None:
    """The receipts of a block; None if the node has no such block.

    Raises:
        AnswerFault: if they are none.
    """
    if value is None:
        return None
    return tuple(_receipt(members(item, where), f"{where}/{index}") for index, item in enumerate(items(value, where)))


def read_receipt(value: JsonValue, where: str = "/result") -> Receipt | None:
    """A transaction's receipt; None if it is in no block.

    Raises:
        AnswerFault: if it is none.
    """
    return None if value is None else _receipt(members(value, where), where)


def _receipt(told: JsonObject, where: str) -> Receipt:
    gas_used = quantity(told.get("gasUsed"), f"{where}/gasUsed")
    price = told.get("effectiveGasPrice")
    return Receipt(
        digest(told.get("transactionHash"), f"{where}/transactionHash"),
        digest(told.get("blockHash"), f"{where}/blockHash"),
        _outcome(told, where),
        gas_used,
        _account(told, "from", where),
        _account(told, "to", where),
        None if price is None else gas_used * quantity(price, f"{where}/effectiveGasPrice", _PRICE_LIMIT),
    )


def _outcome(told: JsonObject, where: str) -> Outcome | None:
    if told.get("status") is None:
        return None
    return "SUCCESS" if quantity(told["status"], f"{where}/status", 1) else "FAILED"


def _account(told: JsonObject, name: str, where: str) -> str | None:
    value = told.get(name)
    # A contract is made by a transaction to nobody; ganache writes it as an empty string.
    return None if value is None or value == "" else address(value, f"{where}/{name}")


def _transfers(listed: JsonValue, where: str) -> tuple[Transfer, ...]:
    transfers = []
    for index, item in enumerate(items(listed, f"{where}/transactions")):
        transfer = read_transfer(item, f"{where}/transactions/{index}")
        if transfer is None:
            raise AnswerFault(f"{where}/transactions/{index}", "must be a transaction or its hash")
        transfers.append(transfer)
    return tuple(transfers)
