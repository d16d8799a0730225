"""A chain of CometBFT for a test to write: its validators, its blocks, and what happens in them.

Rules of this file: plain values, no I/O and no clock; a block is where the test puts it. Heights, powers and counts are
strings on the wire, what is empty is null, what is zero is absent, as real nodes write it. The shape of the events is
that of ``release``: in Base64 up to 0.34, in two lists up to 0.37, in one from 0.38 on.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from domain import rfc3339
from domain.chain.cosmos import as_bech32

NEVER = "1970-01-01T00:00:00Z"
FOREVER = "9999-12-31T23:59:59Z"
JAIL_TIME = 600.0

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Event:
    """What happened in a block: ``type`` and attributes, in plain words."""

    type: str
    attributes: Attributes = ()


@dataclass(frozen=True)
class Member:
    """A validator. All of its names follow from ``name``; ``until`` is when it may leave jail (Unix seconds)."""

    name: str
    power: int = 10
    is_jailed: bool = False
    is_tombstoned: bool = False
    until: float | None = None
    missed: int = 0
    since: int = 1

    @property
    def key(self) -> bytes:
        return sha256(self.name.encode()).digest()

    @property
    def address(self) -> str:
        return sha256(self.key).digest()[:20].hex().upper()

    @property
    def consensus(self) -> str:
        return as_bech32(self.address, "cosmosvalcons")

    @property
    def operator(self) -> str:
        return as_bech32(sha256(f"operator of {self.name}".encode()).hexdigest()[:40], "cosmosvaloper")

    @property
    def is_bonded(self) -> bool:
        return self.power > 0 and not self.is_jailed


@dataclass(frozen=True)
class Block:
    """One block; ``updates`` is the new power by name, ``absent`` names who did not sign the block before."""

    height: int
    at: float
    proposer: str
    txs: tuple[bytes, ...] = ()
    failed: frozenset[int] = frozenset()
    events: tuple[Event, ...] = ()
    updates: tuple[tuple[str, int], ...] = ()
    absent: frozenset[str] = frozenset()
    members: dict[str, Member] = field(default_factory=dict)


def slash(member: Member, reason: str = "missing_signature") -> tuple[Event, ...]:
    """The events of a jailing: for a double sign the reason stands in one of its own."""
    address, power = ("address", member.consensus), ("power", str(member.power))
    if reason == "double_sign":
        return (
            Event("slash", (address, power, ("reason", reason))),
            Event("slash", (("jailed", member.consensus),)),
        )
    return (Event("slash", (address, power, ("reason", reason), ("jailed", member.consensus))),)


def liveness(member: Member, missed: int, height: int) -> Event:
    """The event of a block that a validator did not sign."""
    return Event("liveness", (("address", member.consensus), ("missed_blocks", str(missed)), ("height", str(height))))


class Chain:
    """The blocks of a chain, from ``first`` on; ``interval`` seconds lie between two unless the test says otherwise."""

    def __init__(
        self,
        chain: str = "test-1",
        members: Sequence[Member] = (Member("ann"), Member("bob"), Member("cid"), Member("dan")),
        *,
        release: str = "0.38.25",
        began: float = 1_800_000_000.0,
        interval: float = 1.0,
        first: int = 1,
    ) -> None:
        self.chain = chain
        self.release = release
        self.interval = interval
        self.first = first
        self.window = 100
        self.least_signed = 0.5
        self.members = {member.name: member for member in members}
        self.blocks: dict[int, Block] = {}
        self.began = began
        self.genesis = dict(self.members)

    @property
    def tip(self) -> int:
        """The height of the newest block; one before the first while there is none."""
        return max(self.blocks, default=self.first - 1)

    def grow(
        self,
        *,
        at: float | None = None,
        txs: Sequence[bytes] = (),
        failed: Sequence[int] = (),
        events: Sequence[Event] = (),
        updates: Sequence[tuple[str, int]] = (),
        absent: Sequence[str] = (),
    ) -> Block:
        """Add a block; who is absent misses one more, and the block says so."""
        height = self.tip + 1
        last = self.blocks.get(height - 1)
        told = list(events)
        for name in absent:
            member = self._change(name, missed=self.members[name].missed + 1)
            told.append(liveness(member, member.missed, height))
        for name, power in updates:
            self._change(name, power=power)
        bonded = sorted(name for name, member in self.members.items() if member.is_bonded) or sorted(self.members)
        block = Block(
            height,
            at if at is not None else (last.at + self.interval if last else self.began),
            self.members[bonded[height % len(bonded)]].address,
            tuple(txs),
            frozenset(failed),
            tuple(told),
            tuple(updates),
            frozenset(absent),
            dict(self.members),
        )
        self.blocks[height] = block
        return block

    def jail(self, name: str, reason: str = "missing_signature", *, says: bool = True) -> Block:
        """Add a block that jails ``name``; without its ``slash`` event unless it ``says`` so."""
        at, member = self._next_at(), self.members[name]
        is_double = reason == "double_sign"
        self._change(name, is_jailed=True, is_tombstoned=is_double, until=at + JAIL_TIME, missed=0)
        return self.grow(at=at, events=slash(member, reason) if says else (), updates=[(name, 0)])

    def drop(self, name: str) -> Block:
        """Add a block with which ``name`` leaves the set, of its own will or outbid."""
        return self.grow(updates=[(name, 0)])

    def release_from_jail(self, name: str, power: int = 10) -> Block:
        """Add a block with which ``name`` is back in the set."""
        self._change(name, is_jailed=False)
        return self.grow(updates=[(name, power)])

    def validators(self, height: int) -> list[Member]:
        """Who validates the block at ``height``: a change of the set works from the next block but one on."""
        blocks = [block for block in self.blocks.values() if block.height <= height - 2]
        powers = {name: member.power for name, member in self.genesis.items()}
        for block in blocks:
            powers.update(block.updates)
        members = [replace(self.members[name], power=power) for name, power in powers.items() if power]
        return sorted(members, key=lambda member: (-member.power, member.address))

    def _next_at(self) -> float:
        last = self.blocks.get(self.tip)
        return last.at + self.interval if last else self.began

    def _change(self, name: str, **members: object) -> Member:
        changed = self.members[name] = replace(self.members[name], **members)
        return changed

    # -- as a node writes it ------------------------------------------------------------------------------------------

    def hash(self, height: int) -> str:
        """The hash of the block at ``height``."""
        return sha256(f"{self.chain} {height}".encode()).hexdigest().upper()

    def block_id(self, height: int) -> dict[str, object]:
        if height < self.first:
            return {"hash": "", "parts": {"total": 0, "hash": ""}}
        return {"hash": self.hash(height), "parts": {"total": 1, "hash": self.hash(-height)}}

    def header(self, height: int) -> dict[str, object]:
        block = self.blocks[height]
        hashes = ("last_commit_hash", "data_hash", "validators_hash", "next_validators_hash", "consensus_hash")
        return {
            "version": {"block": "11", "app": "1"},
            "chain_id": self.chain,
            "height": str(height),
            "time": rfc3339(block.at),
            "last_block_id": self.block_id(height - 1),
            **{name: sha256(f"{name} {height}".encode()).hexdigest().upper() for name in hashes},
            "app_hash": "0000000000000000",
            "last_results_hash": "",
            "evidence_hash": "",
            "proposer_address": block.proposer,
        }

    def commit(self, height: int) -> dict[str, object]:
        """The signatures of the block at ``height``, as the next one carries them."""
        following = self.blocks.get(height + 1)
        absent = following.absent if following else frozenset()
        signatures = [_signature(member, height, is_absent=member.name in absent) for member in self.validators(height)]
        return {
            "height": str(height),
            "round": 0,
            "block_id": self.block_id(height),
            "signatures": signatures if height >= self.first else [],
        }

    def block(self, height: int) -> dict[str, object]:
        block = self.blocks[height]
        return {
            "header": self.header(height),
            "data": {"txs": [b64encode(tx).decode() for tx in block.txs] or None},
            "evidence": {"evidence": []},
            "last_commit": self.commit(height - 1),
        }

    def updates(self, height: int) -> list[dict[str, object]] | None:
        """The changes of the set as a block's results have them: a power of zero is absent."""
        return [
            {
                "pub_key": {"Sum": {"type": "tendermint.crypto.PublicKey_Ed25519", "value": {"ed25519": _key(member)}}},
                **({"power": str(power)} if power else {}),
            }
            for member, power in self._updated(height)
        ] or None

    def update_event(self, height: int) -> list[dict[str, object]]:
        """The changes of the set as ``ValidatorSetUpdates`` has them."""
        return [
            {
                "address": member.address,
                "pub_key": {"type": "tendermint/PubKeyEd25519", "value": _key(member)},
                "voting_power": str(power),
                "proposer_priority": "0",
            }
            for member, power in self._updated(height)
        ]

    def _updated(self, height: int) -> list[tuple[Member, int]]:
        block = self.blocks[height]
        return [(block.members[name], power) for name, power in block.updates]

    def tx_results(self, height: int) -> list[dict[str, object]] | None:
        block = self.blocks[height]
        return [
            {"code": 5, "gas_used": "70000", "log": "out of luck"} if index in block.failed else {"gas_used": "60000"}
            for index in range(len(block.txs))
        ] or None

    def events(self, height: int) -> list[dict[str, object]] | None:
        """The events of the block itself, in the shape of this release."""
        is_old = self.release.startswith(("0.33", "0.34"))
        return [
            {
                "type": event.type,
                "attributes": [_attribute(name, value, is_old=is_old) for name, value in event.attributes],
            }
            for event in self.blocks[height].events
        ] or None

    def results(self, height: int) -> dict[str, object]:
        """The answer to ``block_results``."""
        split = self.release.startswith(("0.33", "0.34", "0.37"))
        events = self.events(height)
        lists = {"begin_block_events": events, "end_block_events": None} if split else {"finalize_block_events": events}
        return {
            "height": str(height),
            "txs_results": self.tx_results(height),
            **lists,
            "validator_updates": self.updates(height),
            "consensus_param_updates": None,
        }


def flattened(kind: str, events: Sequence[Event], **more: str) -> dict[str, list[str]]:
    """The events of a message as one map, which is what queries are about."""
    found: dict[str, list[str]] = {
        "tm.event": [kind],
        **{name.replace("_", "."): [value] for name, value in more.items()},
    }
    for event in events:
        for name, value in event.attributes:
            found.setdefault(f"{event.type}.{name}", []).append(value)
    return found


def _key(member: Member) -> str:
    return b64encode(member.key).decode()


def _attribute(name: str, value: str, *, is_old: bool) -> dict[str, object]:
    if is_old:
        name, value = b64encode(name.encode()).decode(), b64encode(value.encode()).decode()
    return {"key": name, "value": value, "index": True}


def _signature(member: Member, height: int, *, is_absent: bool) -> dict[str, object]:
    if is_absent:
        return {"block_id_flag": 1, "validator_address": "", "timestamp": "0001-01-01T00:00:00Z", "signature": None}
    signature = b64encode(sha256(f"{member.name} {height}".encode()).digest() * 2).decode()
    return {
        "block_id_flag": 2,
        "validator_address": member.address,
        "timestamp": rfc3339(1_800_000_000.0 + height),
        "signature": signature,
    }
