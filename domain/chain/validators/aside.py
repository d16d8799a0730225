"""Chains that nobody names any more: what was known of them is put aside, and forgotten after a while.

Rules of this file: what is aside is neither looked at nor told of; it is as it was kept. Who takes a chain out of the
settings by mistake, or for a day, is not told again of everybody who is in jail there. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from domain.chain.validators.telling import moment
from domain.decision import Row
from domain.json import JsonObject
from domain.kept import Unreadable, maybe_number, text

KEPT_FOR = 30 * 86_400.0
"""Seconds behind its newest block for which a chain is kept aside."""

CHAIN, VALIDATOR = "chain.watch", "chain.validator"

_Rows = Iterable[tuple[str, JsonObject]]


class Kept(msgspec.Struct, frozen=True):
    """A chain as it was kept: the row of the ``chain``, and those of its validators by address."""

    chain: JsonObject | None
    validators: Mapping[str, JsonObject]


class Aside:
    """The chains that are aside, by name."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._kept

    def put(self, name: str, kept: Kept) -> None:
        """Put what was kept of the chain ``name`` aside."""
        self._kept[name] = kept

    def take(self, name: str) -> Kept | None:
        """What was kept of the chain ``name``, which is aside no more; None if it is not."""
        return self._kept.pop(name, None)

    def forget(self, at: float) -> list[Row]:
        """Forget the chains whose newest block is too old at ``at``; what is to be deleted for that."""
        old = [name for name, kept in self._kept.items() if at - (_head_at(kept) or 0.0) > KEPT_FOR]
        return [row for name in old for row in _deleted(name, self._kept.pop(name))]

    def document(self) -> list[JsonObject]:
        """Each chain: its newest block, and of how many validators something is kept."""
        return [
            {"chain": name, "headAt": moment(_head_at(kept)), "validators": len(kept.validators)}
            for name, kept in self._kept.items()
        ]


def sorted_out(chains: _Rows, validators: _Rows) -> tuple[dict[str, Kept], int]:
    """Rows of ``chains`` and ``validators`` by the name of the chain; how many name none."""
    found: dict[str, tuple[JsonObject | None, dict[str, JsonObject]]] = {name: (row, {}) for name, row in chains}
    lost = 0
    for _, row in validators:
        try:
            name, address = text(row, "chain"), text(row, "address")
        except Unreadable:
            lost += 1
        else:
            found.setdefault(name, (None, {}))[1][address] = row
    return {name: Kept(*both) for name, both in found.items()}, lost


def _head_at(kept: Kept) -> float | None:
    try:
        return None if kept.chain is None else maybe_number(kept.chain, "head_at")
    except Unreadable:
        return None


def _deleted(name: str, kept: Kept) -> list[Row]:
    rows = [Row(VALIDATOR, f"{name} {address}", None) for address in kept.validators]
    return rows if kept.chain is None else [*rows, Row(CHAIN, name, None)]
