"""How far a validator is from being jailed for downtime.

Rules of this file: arithmetic. A chain jails at the first block at which a validator has missed more than the chain
allows of its window, and not before the validator has been there for a whole window. Source: Cosmos SDK, x/slashing,
HandleValidatorSignature: ``height > start_height + window`` and ``missed > window - min_signed``, where the share to
sign is rounded half to even.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

REARM = 0.05
"""How far a share must fall under its threshold before the threshold is told again."""


class Countdown(msgspec.Struct, frozen=True):
    """``blocks`` in a row that a validator can still miss with the last of them jailing it, and ``seconds`` until then.

    ``allowed`` misses of the window do not jail. Seconds are None while the chain's block time is not known.
    """

    blocks: int
    seconds: float | None
    allowed: int
    missed: int

    @property
    def share(self) -> float:
        """The part of the misses that lead to jail which are there already, 0 to 1."""
        return min(1.0, self.missed / (self.allowed + 1))

    def is_within(self, seconds: float, *, again: bool) -> bool:
        """Whether jail is at most ``seconds`` away; ``again``: as it was told, which ends at twice that."""
        return self.seconds is not None and seconds > 0 and self.seconds <= (2 if again else 1) * seconds


def allowed_misses(window: int, least_signed: float) -> int:
    """How many blocks of the ``window`` may be missed."""
    # The share is a decimal on the chain: 0.05 must not become 0.05000000000000000277.
    return window - round(window * Fraction(repr(least_signed)))


def countdown(
    allowed: int, window: int, missed: int, height: int, start_height: int | None, block_time: float | None
) -> Countdown:
    """The way to jail of a validator that has ``missed`` blocks up to ``height`` and misses every block from now on."""
    young = 0 if start_height is None else start_height + window + 1 - height
    blocks = max(0, young, allowed - missed + 1)
    return Countdown(blocks, None if block_time is None else blocks * block_time, allowed, missed)


def level_of(share: float, thresholds: Sequence[float], level: int) -> int:
    """How many ``thresholds`` are reached by ``share``, which were ``level`` before."""
    reached = sum(share >= threshold for threshold in thresholds)
    if reached >= level:
        return reached
    return min(level, sum(share + REARM >= threshold for threshold in thresholds))
