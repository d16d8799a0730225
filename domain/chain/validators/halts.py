"""Which layers of one chain were told to stand still: a chain that halts is one alert, however many layers it has.

Rules of this file: a layer goes by the chain's name and what comes after a slash (``1`` and ``1/beacon``). One that had
no block since another layer was told to stand still stands still for the same reason. When that one goes on, the others
have their time anew. Times are Unix seconds.
"""

from __future__ import annotations

from math import inf


def chain_of(layer: str) -> str:
    """The chain that ``layer`` is a layer of."""
    return layer.partition("/")[0]


class Halts:
    """The halts of one chain's layers that were told and are not over."""

    def __init__(self) -> None:
        self._told: dict[str, float] = {}
        self.ended = -inf
        """When the last of them was over."""

    def told_at(self, layer: str) -> float | None:
        """When it was told that ``layer`` stands still; None if it was not."""
        return self._told.get(layer)

    def tell(self, layer: str, at: float) -> None:
        """It was told at ``at``."""
        self._told[layer] = at

    def covers(self, made: float | None) -> bool:
        """Whether a layer whose newest block is of the moment ``made`` stands still for a reason that was told."""
        return any(made is None or made <= at for at in self._told.values())

    def end(self, layer: str, at: float) -> bool:
        """``layer`` goes on: whether it was told that it stood still."""
        was_told = self._told.pop(layer, None) is not None
        if was_told:
            self.ended = max(self.ended, at)
        return was_told
