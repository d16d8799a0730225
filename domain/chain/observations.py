"""What the nodes of a chain said, in words that do not depend on the kind of the chain.

Rules of this file: plain facts, each with where it comes from. A reader makes them from a node's bytes, the rules
decide what they mean. Times are Unix seconds. A validator is named by its consensus address: upper-case hexadecimal of
20 bytes on chains of CometBFT, its public key (``0x`` and 96 hexadecimal digits) on a beacon chain. Heights are blocks,
on a beacon chain slots. What a node did not say is None.
"""

from __future__ import annotations

from typing import Literal

import msgspec

Reason = Literal["downtime", "double_sign", "self_delegation", "slashed", "unknown"]
Bond = Literal["bonded", "unbonding", "unbonded"]


class Provenance(msgspec.Struct, frozen=True):
    """Where a fact comes from: the node, the method that it was read by, and when.

    ``source`` is the name of the node in the configuration, ``method`` what was asked or subscribed, ``height`` the
    height that the fact is about, ``observed`` the time of its receipt, ``at`` the chain's own time of that height.
    ``is_history`` says that it was read to fill a gap or was sent again.
    """

    chain: str
    source: str
    method: str
    observed: float
    height: int | None = None
    at: float | None = None
    is_history: bool = False


class HeadSeen(msgspec.Struct, frozen=True):
    """A node's newest block; ``is_catching_up`` is its own word for not being there yet."""

    provenance: Provenance
    height: int
    at: float
    hash: str | None = None
    is_catching_up: bool | None = None


class BlockSeen(msgspec.Struct, frozen=True):
    """A block: its ``transactions``, ``failed`` among them; ``proposer`` is an address, ``interval`` in seconds."""

    provenance: Provenance
    height: int
    at: float
    hash: str | None = None
    parent: str | None = None
    transactions: int | None = None
    failed: int | None = None
    proposer: str | None = None
    interval: float | None = None
    signed_share: float | None = None
    """The share of voting power that signed the block before, 0 to 1."""


class JailSeen(msgspec.Struct, frozen=True):
    """A block's events say that the validator at ``address`` was jailed in it."""

    provenance: Provenance
    address: str
    reason: Reason
    power: int | None = None


class SetChanged(msgspec.Struct, frozen=True):
    """A block changes the validator set: the new power of each address, 0 for one that leaves it."""

    provenance: Provenance
    powers: tuple[tuple[str, int], ...]


class BlocksMissed(msgspec.Struct, frozen=True):
    """A validator has missed ``missed`` blocks of its window, up to and with the height of the provenance.

    ``window`` is how many count, where the chain has no rules that say it: epochs on a beacon chain.
    """

    provenance: Provenance
    address: str
    missed: int
    window: int | None = None


class SlashingRules(msgspec.Struct, frozen=True):
    """The chain's own rules for downtime: window in blocks, share to sign, seconds in jail."""

    provenance: Provenance
    window: int
    least_signed: float
    jail_time: float


class ValidatorRow(msgspec.Struct, frozen=True):
    """One validator as a node's records have it.

    ``operator`` and ``moniker`` name it for people, ``status`` is the chain's own word for its state, ``bond`` what
    that means, ``power`` its voting power (Gwei of effective balance on a beacon chain), ``jailed_until`` Unix seconds.
    ``reason`` is why it is jailed, where the record itself says so. ``key`` is its public key as the chain writes it,
    ``stake`` what is bonded to it, in the chain's smallest unit.
    """

    address: str
    operator: str | None = None
    moniker: str | None = None
    status: str | None = None
    bond: Bond | None = None
    is_jailed: bool | None = None
    is_tombstoned: bool | None = None
    power: int | None = None
    jailed_until: float | None = None
    missed: int | None = None
    start_height: int | None = None
    reason: Reason | None = None
    key: str | None = None
    stake: int | None = None


class ValidatorsRead(msgspec.Struct, frozen=True):
    """The records of validators, read at the height of the provenance; ``is_complete`` if it is all of them."""

    provenance: Provenance
    rows: tuple[ValidatorRow, ...]
    is_complete: bool


class RoundSeen(msgspec.Struct, frozen=True):
    """Where the consensus on ``height`` stands: a round above 0 means that a proposer failed."""

    provenance: Provenance
    height: int
    round: int
    step: str | None = None
    proposer: str | None = None


class Peer(msgspec.Struct, frozen=True):
    """One peer of a node."""

    id: str
    address: str | None = None
    version: str | None = None
    moniker: str | None = None
    is_connected: bool = True


class PeersRead(msgspec.Struct, frozen=True):
    """The peers of one node: its local view. ``peers`` is empty where only their number is told."""

    provenance: Provenance
    count: int
    peers: tuple[Peer, ...] = ()


class TransactionSeen(msgspec.Struct, frozen=True):
    """A transaction. ``value`` in the smallest unit as the chain writes it; ``fee`` likewise; ``gas_used`` in gas.

    DROPPED says that it was in a block that was taken back and that the node knows it no more.
    """

    provenance: Provenance
    hash: str
    status: Literal["PENDING", "SUCCESS", "FAILED", "DROPPED"]
    sender: str | None = None
    recipient: str | None = None
    value: str | None = None
    gas_used: int | None = None
    fee: str | None = None
    transfers: int | None = None


class PoolRead(msgspec.Struct, frozen=True):
    """How many transactions wait at one node for a block: ``pending``."""

    provenance: Provenance
    pending: int


class Reorganized(msgspec.Struct, frozen=True):
    """The chain took back the ``depth`` newest blocks: what was said of heights from ``height`` on is so no more."""

    provenance: Provenance
    height: int
    depth: int
    dropped: tuple[str, ...] = ()
    """Hashes of the transactions that were in the blocks taken back and are in no block now."""


class Finalized(msgspec.Struct, frozen=True):
    """Nothing up to ``height`` can be taken back any more."""

    provenance: Provenance
    height: int


class HeightsMissed(msgspec.Struct, frozen=True):
    """Nobody could be asked about the heights from ``first`` to ``last``; ``reason`` says why."""

    provenance: Provenance
    first: int
    last: int
    reason: str


class NodeHeard(msgspec.Struct, frozen=True):
    """A node answered within ``round_trip`` seconds, or did not: then ``fault`` says what happened."""

    provenance: Provenance
    round_trip: float | None
    fault: str | None = None


Observation = (
    HeadSeen
    | BlockSeen
    | JailSeen
    | SetChanged
    | BlocksMissed
    | SlashingRules
    | ValidatorsRead
    | RoundSeen
    | PeersRead
    | TransactionSeen
    | PoolRead
    | Reorganized
    | Finalized
    | HeightsMissed
    | NodeHeard
)
