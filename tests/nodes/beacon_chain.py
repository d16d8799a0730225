"""A beacon chain of Ethereum for a test to write: its validators, its slots, and the blocks that are in them.

Rules of this file: plain values, no I/O and no clock. A slot may be empty. What a block changes of its validators is
kept with it, so a node that is behind says what was so then. Every number is a string on the wire.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

GWEI = 32_000_000_000
FAR = str(2**64 - 1)
NOTHING = "0x" + 64 * "0"


def root_of(*parts: object) -> str:
    """A root that is the same for the same words."""
    return "0x" + sha256(" ".join(map(str, parts)).encode()).hexdigest()


@dataclass(frozen=True)
class Validator:
    """A validator at its place of the registry."""

    index: int
    status: str = "active_ongoing"
    balance: int = GWEI
    is_slashed: bool = False

    @property
    def pubkey(self) -> str:
        return root_of("key", self.index) + sha256(f"more of {self.index}".encode()).hexdigest()[:32]

    def record(self) -> dict[str, object]:
        """As a node lists it."""
        return {
            "index": str(self.index),
            "balance": str(self.balance),
            "status": self.status,
            "validator": {
                "pubkey": self.pubkey,
                "withdrawal_credentials": root_of("credentials", self.index),
                "effective_balance": str(self.balance // 1_000_000_000 * 1_000_000_000),
                "slashed": self.is_slashed,
                "activation_eligibility_epoch": "0",
                "activation_epoch": "0",
                "exit_epoch": FAR,
                "withdrawable_epoch": FAR,
            },
        }


@dataclass(frozen=True)
class Block:
    """A block in its slot, and the validators as it leaves them."""

    slot: int
    parent: str
    fork: int
    proposer: int
    validators: tuple[Validator, ...] = field(repr=False, default=())

    @property
    def root(self) -> str:
        return root_of("block", self.slot, self.fork, self.parent)

    def message(self) -> dict[str, object]:
        """Its header as it is signed."""
        return {
            "slot": str(self.slot),
            "proposer_index": str(self.proposer),
            "parent_root": self.parent,
            "state_root": root_of("state", self.root),
            "body_root": root_of("body", self.root),
        }


class Chain:
    """The blocks of a beacon chain, from genesis on."""

    def __init__(
        self, validators: int = 4, *, epoch_size: int = 8, slot_time: int = 12, began: int = 1_800_000_000
    ) -> None:
        self.epoch_size = epoch_size
        self.slot_time = slot_time
        self.began = began
        self.validators = [Validator(index) for index in range(validators)]
        self.blocks = [Block(0, NOTHING, 0, 0, tuple(self.validators))]
        self.known = {self.blocks[0].root: self.blocks[0]}
        self.slot = 0
        self.justified = 0
        self.finalized = 0
        self.idle: set[int] = set()
        self._forks = itertools.count(1)

    @property
    def tip(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    @property
    def epoch(self) -> int:
        """The epoch of the newest slot."""
        return self.slot // self.epoch_size

    def at(self, slot: int) -> int:
        """When ``slot`` begins, in Unix seconds."""
        return self.began + slot * self.slot_time

    def grow(self, fork: int = 0) -> Block:
        """Add a block in the next slot."""
        self.slot += 1
        return self._add(self.slot, fork)

    def skip(self, slots: int = 1) -> None:
        """Let ``slots`` go by without a block."""
        self.slot += slots

    def change(self, index: int, **members: object) -> Validator:
        """Change what the next block leaves of a validator."""
        changed = self.validators[index] = replace(self.validators[index], **members)
        return changed

    def slash(self, index: int) -> Block:
        """Add a block that slashes a validator."""
        self.change(index, status="active_slashed", is_slashed=True, balance=self.validators[index].balance - 10**9)
        return self.grow()

    def reorganize(self, depth: int) -> list[Block]:
        """Replace ``depth`` blocks by others in the same slots, which change nothing; returns the old ones."""
        gone = self.blocks[-depth:]
        del self.blocks[-depth:]
        self.validators = list(self.tip.validators)
        fork = next(self._forks)
        for block in gone:
            self._add(block.slot, fork)
        return gone

    def finalize(self, epoch: int) -> None:
        """Make ``epoch`` final, and the one after it justified."""
        self.finalized, self.justified = epoch, epoch + 1

    def first_of(self, epoch: int) -> Block:
        """The last block up to the first slot of ``epoch``: its checkpoint."""
        return [block for block in self.blocks if block.slot <= epoch * self.epoch_size][-1]

    def duties(self, epoch: int) -> Sequence[tuple[int, Validator]]:
        """Who makes the block of each slot of ``epoch``."""
        slots = range(epoch * self.epoch_size, (epoch + 1) * self.epoch_size)
        return [(slot, self.validators[slot % len(self.validators)]) for slot in slots]

    def _add(self, slot: int, fork: int) -> Block:
        proposer = slot % len(self.validators)
        block = Block(slot, self.tip.root, fork, proposer, tuple(self.validators))
        self.blocks.append(block)
        self.known[block.root] = block
        return block
