"""Slots, epochs and time.

Rules of this file: pure arithmetic on what the chain itself says of its clock. A slot may stay without a block; then
the next block's parent is more than one slot back.

Source: consensus specifications, ``compute_epoch_at_slot``, ``compute_start_slot_at_epoch``, ``compute_time_at_slot``.
"""

from __future__ import annotations

from math import floor

import msgspec

from domain.chain.beacon.reading import told, uint
from domain.chain.ethereum import COUNT_LIMIT, MOMENT_LIMIT, AnswerFault
from domain.json import JsonValue

_MILLISECONDS = 1000
_SLOT_LIMIT = 3_600_000  # milliseconds
_EPOCH_LIMIT = 65_536  # slots


class Spec(msgspec.Struct, frozen=True):
    """What the chain says of itself: ``slot_time`` in seconds, ``epoch_size`` in slots, ``chain_id`` if it has one."""

    slot_time: float
    epoch_size: int
    chain_id: int | None = None


class Timing(msgspec.Struct, frozen=True):
    """The clock of a beacon chain that began at ``genesis`` (Unix seconds)."""

    genesis: float
    slot_time: float
    epoch_size: int

    def start(self, slot: int) -> float:
        """When ``slot`` begins, in Unix seconds.

        Raises:
            AnswerFault: if that is after the year 9999.
        """
        at = self.genesis + slot * self.slot_time
        if at > MOMENT_LIMIT:
            raise AnswerFault("/slot", "must be a slot before the year 10000")
        return at

    def slot(self, at: float) -> int:
        """The slot that the moment ``at`` is in; 0 before genesis."""
        return max(floor((at - self.genesis) / self.slot_time), 0)

    def epoch(self, slot: int) -> int:
        """The epoch that ``slot`` is in."""
        return slot // self.epoch_size

    def first_slot(self, epoch: int) -> int:
        """The slot that ``epoch`` begins with."""
        return epoch * self.epoch_size

    def last_slot(self, epoch: int) -> int:
        """The slot that ``epoch`` ends with."""
        return self.first_slot(epoch + 1) - 1


def skipped(parent: int, slot: int) -> int:
    """How many slots between a block at ``slot`` and its parent's stayed without a block."""
    return max(slot - parent - 1, 0)


def read_spec(value: JsonValue) -> Spec:
    """The answer of ``/eth/v1/config/spec``.

    Raises:
        AnswerFault: if it does not say how long a slot and an epoch are.
    """
    said = told(value, "the answer", "data")
    # Newer nodes say it in milliseconds, and some in both.
    if said.get("SECONDS_PER_SLOT") is not None:
        slot_time = uint(said["SECONDS_PER_SLOT"], "/data/SECONDS_PER_SLOT") * _MILLISECONDS
    else:
        slot_time = uint(said.get("SLOT_DURATION_MS"), "/data/SLOT_DURATION_MS")
    if not 0 < slot_time <= _SLOT_LIMIT:
        raise AnswerFault("/data/SECONDS_PER_SLOT", "must be above 0 and at most an hour")
    epoch_size = uint(said.get("SLOTS_PER_EPOCH"), "/data/SLOTS_PER_EPOCH", _EPOCH_LIMIT)
    if not epoch_size:
        raise AnswerFault("/data/SLOTS_PER_EPOCH", "must be above 0")
    chain_id = said.get("DEPOSIT_CHAIN_ID")
    return Spec(
        slot_time / _MILLISECONDS,
        epoch_size,
        None if chain_id is None else uint(chain_id, "/data/DEPOSIT_CHAIN_ID", COUNT_LIMIT),
    )


def read_genesis(value: JsonValue) -> float:
    """When the chain began, in Unix seconds: the answer of ``/eth/v1/beacon/genesis``.

    Raises:
        AnswerFault: if it does not say so.
    """
    return float(uint(told(value, "the answer", "data").get("genesis_time"), "/data/genesis_time", MOMENT_LIMIT))
