"""The two signals of a block in which a validator is jailed: its events, and its change of the validator set.

Rules of this file: on chains of CometBFT both say the same in the same block; where one is missing somebody did not
tell all, and that is a conflict. The second may come a moment after the first. Who was not in the set cannot leave it,
and is not missed there.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.chain.validators.evidence import SET_DELAY, Evidence
from domain.chain.validators.states import BLOCKS, Kind, Status
from domain.chain.validators.validator import Validator

HEIGHTS = 256
"""Blocks whose signals are remembered."""

SETTLE = 2.0
"""Seconds that the second signal may come behind the first."""


class Signals:
    """What the newest blocks said of the set, by height."""

    def __init__(self) -> None:
        self._left: dict[int, frozenset[str]] = {}
        self._blocks: dict[int, None] = {}

    def note_set(self, height: int, left: Iterable[str]) -> None:
        """The block of ``height`` changes the set: ``left`` are no more in it."""
        self._left[height] = self._left.get(height, frozenset()) | frozenset(left)
        if len(self._left) > HEIGHTS:
            del self._left[min(self._left)]

    def note_block(self, height: int) -> None:
        """The block of ``height`` was seen."""
        self._blocks[height] = None
        if len(self._blocks) > HEIGHTS:
            del self._blocks[min(self._blocks)]

    def forget(self, height: int) -> None:
        """The blocks from ``height`` on are no more."""
        for each in [each for each in self._left if each >= height]:
            del self._left[each]
        for each in [each for each in self._blocks if each >= height]:
            del self._blocks[each]

    def fault_of(self, validator: Validator, head: int, at: float) -> str | None:
        """Why the signals that jailed ``validator`` do not agree; empty if they do, None while that is not known."""
        standing = validator.standing
        block = next((each for each in standing.evidence if each.kind in BLOCKS), None)
        if block is None or not standing.is_jailing:
            return ""
        if validator.before.status is not Status.ACTIVE:
            return ""
        if any(each.kind is Kind.SET_LEFT and each.height == block.height for each in standing.evidence):
            return ""
        left = self._left.get(block.height)
        if left is not None:
            return "" if validator.address in left else _says(block, "its change of the validator set does not have it")
        if head < block.height + SET_DELAY or at - block.observed <= SETTLE:
            return None
        return _says(block, "no change of the validator set was seen")

    def unsaid(self, validator: Validator) -> str | None:
        """Why a jailing that a record tells must have been in a block's events, which did not say so."""
        standing, before = validator.standing, validator.before
        left = next((each for each in before.evidence if each.kind is Kind.SET_LEFT), None)
        if left is None or before.status is not Status.INACTIVE or left.height not in self._blocks:
            return None
        if standing.reason not in ("downtime", "double_sign"):
            return None
        return f"block {left.height} took it out of the set and its events do not say that it was jailed"


def _says(block: Evidence, but: str) -> str:
    return f"the events of block {block.height} say that it was jailed, and {but}"
