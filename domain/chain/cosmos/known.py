"""What earlier answers told that a block alone does not: when the block before it was, and who had how much power.

Rules of this file: bounded; the newest heights and sets are kept. Nothing is guessed: without the block before there
is no interval, without the set that signed no share. A change of the set that block H announces is in force from
H + 2 on.

The share of power that signed: the power of the validators whose signature is for the block, over that of the whole
set. A signature for nil counts as none, as it does in CometBFT.

Source of the delay of a change: CometBFT ``spec/abci/abci++_methods.md`` ("ValidatorUpdates").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from domain.chain.cosmos.addresses import address_of
from domain.chain.cosmos.fault import CosmosFault
from domain.chain.observations import BlockSeen, HeadSeen, Observation, SetChanged, ValidatorsRead
from domain.chain.validators.pace import Pace
from domain.json import JsonValue

ACTIVE_SET = "validators"
"""The method by which the active set is read."""

HEIGHTS_KEPT = 64
SETS_KEPT = 8
IN_FORCE_AFTER = 2
SIGNED = (2, "2", "BLOCK_ID_FLAG_COMMIT")

Powers = Mapping[str, int]
_Kept = TypeVar("_Kept")


class Known:
    """What is known of one chain beside the message at hand."""

    def __init__(self) -> None:
        self._times: dict[int, float] = {}
        self._sets: dict[int, Powers] = {}
        self._changes: dict[int, Powers] = {}
        self._pace = Pace()

    def learn(self, observations: Iterable[Observation]) -> None:
        """Remember the times of blocks, the active set and its changes."""
        for observation in observations:
            if isinstance(observation, BlockSeen | HeadSeen):
                _keep(self._times, observation.height, observation.at, HEIGHTS_KEPT)
                self._pace.note(observation.height, observation.at)
            elif isinstance(observation, SetChanged) and observation.provenance.height is not None:
                in_force = observation.provenance.height + IN_FORCE_AFTER
                _keep(self._changes, in_force, dict(observation.powers), HEIGHTS_KEPT)
            elif isinstance(observation, ValidatorsRead):
                self._learn_set(observation)

    @property
    def block_time(self) -> float | None:
        """The mean seconds between two blocks; None while fewer than two were seen."""
        return self._pace.block_time

    def interval(self, height: int, at: float) -> float | None:
        """Seconds from the block before ``height`` to ``at``; None if that one was not seen."""
        before = self._times.get(height - 1)
        return None if before is None else max(0.0, at - before)

    def signed_share(self, height: int, signatures: Sequence[JsonValue]) -> float | None:
        """The share of power (0 to 1) behind the ``signatures`` for the block at ``height``; None if not known."""
        powers = self._set_at(height)
        # There is one place for each validator of the set, signed or not: another number is another set.
        if not powers or len(signatures) != len(powers):
            return None
        signers = {_signer(signature) for signature in signatures} - {None}
        if not powers.keys() >= signers:
            return None
        return sum(powers[signer] for signer in signers if signer is not None) / sum(powers.values())

    def _learn_set(self, read: ValidatorsRead) -> None:
        if read.provenance.method == ACTIVE_SET and read.is_complete and read.provenance.height is not None:
            powers = {row.address: row.power for row in read.rows if row.power is not None}
            # Read after a block, the set is that of the next.
            _keep(self._sets, read.provenance.height + 1, powers, SETS_KEPT)

    def _set_at(self, height: int) -> Powers:
        known = [since for since in self._sets if since <= height]
        if not known:
            return {}
        powers = dict(self._sets[max(known)])
        for in_force in sorted(self._changes):
            if max(known) < in_force <= height:
                powers |= self._changes[in_force]
        return {address: power for address, power in powers.items() if power > 0}


def _keep(kept: dict[int, _Kept], height: int, value: _Kept, limit: int) -> None:
    kept[height] = value
    if len(kept) > limit:
        del kept[min(kept)]


def _signer(signature: JsonValue) -> str | None:
    """Who signed for the block; None for who did not, or for nil."""
    if not isinstance(signature, Mapping) or signature.get("block_id_flag") not in SIGNED:
        return None
    written = signature.get("validator_address")
    try:
        return address_of(written) if isinstance(written, str) else None
    except CosmosFault:
        # Somebody signed whom nobody knows: no member of any set has an empty name.
        return ""
