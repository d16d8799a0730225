"""The events of a beacon node: what each topic tells.

Rules of this file:

* ``head`` and its successor ``head_v2`` tell the same thing; topics that nobody here needs are None.
* ``chain_reorg`` says that it happened; its ``depth`` is no measure. Nodes write 0 where they do not know, null, and
  (Caplin) a number below zero wrapped to 2^64 - 2. The depth is found by the parents' hashes.
* A slashing that is gossiped is in no block yet: it names who is accused, and the state says when it is done.

Source: Ethereum Beacon APIs, "Eventstream", and beacon-APIs pull request 127 for the depth.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from domain.chain.beacon.reading import is_true, told, uint
from domain.chain.ethereum import digest, items, members
from domain.json import JsonObject, JsonValue


class HeadEvent(msgspec.Struct, frozen=True):
    """The node has a new head: the block ``root`` at ``slot``."""

    slot: int
    root: str
    is_optimistic: bool


class FinalizedEvent(msgspec.Struct, frozen=True):
    """The checkpoint of ``epoch`` is final."""

    epoch: int
    is_optimistic: bool


class ReorgEvent(msgspec.Struct, frozen=True):
    """The node left one branch for another, whose head is ``root`` at ``slot``."""

    slot: int
    root: str


class AccusedEvent(msgspec.Struct, frozen=True):
    """Validators whose state is about to change, by index: slashed, or leaving."""

    indices: tuple[str, ...]


BeaconEvent = HeadEvent | FinalizedEvent | ReorgEvent | AccusedEvent


def read_event(name: str, value: JsonValue, is_watched: Callable[[str], bool]) -> BeaconEvent | None:
    """What an event tells; of those accused only the watched ones (by index). None for what tells nothing here.

    Raises:
        AnswerFault: if it is not what its topic promises.
    """
    if name in ("head", "head_v2"):
        return _head(members(value, "the event"))
    if name == "finalized_checkpoint":
        event = members(value, "the event")
        return FinalizedEvent(uint(event.get("epoch"), "/epoch"), is_true(event.get("execution_optimistic")))
    if name == "chain_reorg":
        event = members(value, "the event")
        return ReorgEvent(uint(event.get("slot"), "/slot"), digest(event.get("new_head_block"), "/new_head_block"))
    accused = _accused(name, value)
    return None if accused is None else AccusedEvent(tuple(index for index in accused if is_watched(index)))


def _head(event: JsonObject) -> HeadEvent:
    # Newer topics carry their version outside and what they say inside.
    said = members(event["data"], "/data") if "data" in event else event
    return HeadEvent(
        uint(said.get("slot"), "/slot"),
        digest(said.get("block"), "/block"),
        is_true(said.get("execution_optimistic")),
    )


def _accused(name: str, value: JsonValue) -> tuple[str, ...] | None:
    if name == "proposer_slashing":
        message = told(value, "the event", "signed_header_1", "message")
        return (str(uint(message.get("proposer_index"), "/signed_header_1/message/proposer_index")),)
    if name == "voluntary_exit":
        message = told(value, "the event", "message")
        return (str(uint(message.get("validator_index"), "/message/validator_index")),)
    if name == "attester_slashing":
        both = _attesting(value, "attestation_1") & _attesting(value, "attestation_2")
        return tuple(str(index) for index in sorted(both))
    return None


def _attesting(value: JsonValue, name: str) -> set[int]:
    indices = told(value, "the event", name).get("attesting_indices")
    where = f"/{name}/attesting_indices"
    return {uint(index, f"{where}/{place}") for place, index in enumerate(items(indices, where))}
