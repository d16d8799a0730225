"""Blocks and their headers, as a subscription, ``block``, ``block_results`` and ``blockchain`` give them.

Rules of this file: a block of another chain is a fault. A header's time is the median of the votes for the block
before, about one interval earlier than its arrival; nothing here is called a latency for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from domain.chain.cosmos.addresses import address_of
from domain.chain.cosmos.events import EVENTS_LIMIT, has_failed, transaction_results
from domain.chain.cosmos.fault import CosmosFault
from domain.chain.cosmos.jails import read_jails, read_set_change
from domain.chain.cosmos.known import Known
from domain.chain.cosmos.member import (
    as_object,
    count,
    height_of,
    inner,
    inner_or_empty,
    moment,
    rows,
    text,
    words,
)
from domain.chain.cosmos.told import Told, check_chain, placed
from domain.chain.observations import BlockSeen, HeadSeen, Observation, Provenance
from domain.json import JsonObject, JsonValue

NOTHING_KNOWN = Known()


class Header(msgspec.Struct, frozen=True):
    """What the header of a block says; ``at`` is its own time, ``proposer`` an address, ``parent`` a hash."""

    height: int
    at: float
    parent: str | None
    proposer: str | None


def header_of(value: JsonObject, origin: Provenance) -> Header:
    """The header that ``value`` is.

    Raises:
        CosmosFault: if it is none, or one of another chain.
    """
    check_chain(origin, text(value, "chain_id"))
    proposer = words(value, "proposer_address")
    return Header(
        height=height_of(value),
        at=moment(value, "time"),
        parent=words(inner_or_empty(value, "last_block_id"), "hash"),
        proposer=None if proposer is None else address_of(proposer),
    )


def read_new_block(value: JsonObject, origin: Provenance, known: Known = NOTHING_KNOWN) -> Told:
    """A ``NewBlock`` event: the head, the block, whom it jailed and how it changes the set.

    Raises:
        CosmosFault: if it is none, or one of another chain.
    """
    seen = _block(value, origin, "NewBlock", known)
    head = HeadSeen(seen.provenance, seen.height, seen.at, seen.hash)
    results = transaction_results(value)
    block = _with_results(seen, results) if len(results) == seen.transactions else seen
    return _with_events((head, block), value, seen.provenance)


def read_new_block_header(value: JsonObject, origin: Provenance) -> Told:
    """A ``NewBlockHeader`` event: the head, and up to 0.37 the block's events as well.

    Raises:
        CosmosFault: if it is none, or one of another chain.
    """
    header = header_of(inner(value, "header"), origin)
    place = placed(origin, "NewBlockHeader", header.height, header.at)
    return _with_events((HeadSeen(place, header.height, header.at),), value, place)


def read_new_block_events(value: JsonObject, origin: Provenance) -> Told:
    """A ``NewBlockEvents`` event (from 0.38): whom the block jailed and who missed it.

    Raises:
        CosmosFault: if it is none.
    """
    return _with_events((), value, placed(origin, "NewBlockEvents", height_of(value)))


def read_block(value: JsonValue, origin: Provenance, known: Known = NOTHING_KNOWN) -> Told:
    """The answer to ``block``: the block alone, for its events are in ``block_results``.

    Raises:
        CosmosFault: if it is none, or one of another chain.
    """
    return Told((_block(as_object(value, "block"), origin, "block", known),))


def read_block_results(value: JsonValue, origin: Provenance, block: BlockSeen | None = None) -> Told:
    """The answer to ``block_results``: whom the block jailed, who missed it, and how it changes the set.

    With ``block``, the block of the same height, its counts of transactions are told too, and its time is that of
    the events.

    Raises:
        CosmosFault: if it is none, or ``block`` is of another height.
    """
    results = as_object(value, "block_results")
    height = height_of(results)
    if block is None:
        return _with_events((), results, placed(origin, "block_results", height))
    if block.height != height:
        raise CosmosFault(f"results of the height {height}, not of {block.height}")
    complete = _with_results(block, transaction_results(results))
    return _with_events((complete,), results, placed(origin, "block_results", height, block.at))


def read_blockchain(value: JsonValue, origin: Provenance, known: Known = NOTHING_KNOWN) -> Told:
    """The answer to ``blockchain``: blocks by their headers, the lowest first.

    Raises:
        CosmosFault: if it is none, or of another chain.
    """
    metas = [as_object(meta, "a block") for meta in rows(as_object(value, "blockchain"), "block_metas")]
    headers = [(header_of(inner(meta, "header"), origin), meta) for meta in metas]
    blocks: list[Observation] = []
    before: Header | None = None
    for header, meta in sorted(headers, key=lambda pair: pair[0].height):
        place = placed(origin, "blockchain", header.height, header.at)
        block = _seen(header, place, known, words(inner_or_empty(meta, "block_id"), "hash"), count(meta, "num_txs"))
        if before is not None and before.height == header.height - 1:
            block = replace(block, interval=max(0.0, header.at - before.at))
        blocks.append(block)
        before = header
    return Told(tuple(blocks))


def _block(value: JsonObject, origin: Provenance, method: str, known: Known) -> BlockSeen:
    block = inner(value, "block")
    header = header_of(inner(block, "header"), origin)
    place = placed(origin, method, header.height, header.at)
    transactions = len(rows(inner_or_empty(block, "data"), "txs", EVENTS_LIMIT))
    seen = _seen(header, place, known, words(inner_or_empty(value, "block_id"), "hash"), transactions)
    signatures = rows(inner_or_empty(block, "last_commit"), "signatures")
    return replace(seen, signed_share=known.signed_share(header.height - 1, signatures))


def _seen(header: Header, place: Provenance, known: Known, hash_: str | None, transactions: int) -> BlockSeen:
    return BlockSeen(
        place,
        header.height,
        header.at,
        hash=hash_,
        parent=header.parent,
        transactions=transactions,
        failed=None if transactions else 0,
        proposer=header.proposer,
        interval=known.interval(header.height, header.at),
    )


def _with_results(block: BlockSeen, results: Sequence[JsonValue]) -> BlockSeen:
    return replace(block, transactions=len(results), failed=sum(1 for result in results if has_failed(result)))


def _with_events(first: tuple[Observation, ...], value: JsonObject, place: Provenance) -> Told:
    jails, changes = read_jails(value, place), read_set_change(value, place)
    return Told((*first, *jails.observations, *changes.observations), jails.faults + changes.faults)
