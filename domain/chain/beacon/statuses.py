"""What the states of a validator on a beacon chain mean.

Rules of this file: one table. A validator that was slashed is jailed in the words of this house, whatever became of it
since; the exact word of the specification stays beside it. Slashed is for good, but it is not called tombstoned: the
portal knows jailed, and ``status`` says the rest. Two validators that are not slashed and do not sign are not jailed.

Source: Beacon APIs, ``ValidatorStatus``; the table of validators in the reference of this project.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType

from domain.chain.beacon.reading import is_true, pubkey, told, uint
from domain.chain.ethereum import COUNT_LIMIT, AnswerFault, items, members, words
from domain.chain.observations import Bond, ValidatorRow
from domain.json import JsonValue

BONDS: Mapping[str, Bond] = MappingProxyType(
    {
        "pending_initialized": "unbonded",
        "pending_queued": "unbonded",
        "active_ongoing": "bonded",
        "active_exiting": "bonded",
        "active_slashed": "bonded",
        "exited_unslashed": "unbonding",
        "exited_slashed": "unbonding",
        "withdrawal_possible": "unbonding",
        "withdrawal_done": "unbonded",
    }
)
"""What each status says of the stake: at work, on its way out, or not at work."""

SLASHED = frozenset({"active_slashed", "exited_slashed"})
"""The statuses that say by themselves that a validator was slashed."""


def read_validators(value: JsonValue, watched: AbstractSet[str]) -> tuple[tuple[str, ValidatorRow], ...]:
    """The rows of the validators ``watched`` (indices and public keys), each with its index.

    A node that does not filter may list a million others: those are passed over unread.

    Raises:
        AnswerFault: if the answer of ``states/{state}/validators`` is not what it should be.
    """
    rows = []
    for index, item in enumerate(items(members(value, "the answer").get("data"), "/data")):
        where = f"/data/{index}"
        entry = members(item, where)
        described = told(entry, where, "validator")
        if _names(entry.get("index"), described.get("pubkey")) & watched:
            rows.append((str(uint(entry.get("index"), f"{where}/index")), _row(entry, where)))
    return tuple(rows)


def _names(index: JsonValue, key: JsonValue) -> frozenset[str]:
    """What a validator may be watched by."""
    return frozenset(name.lower() if isinstance(name, str) else str(name) for name in (index, key) if _is_name(name))


def _is_name(value: JsonValue) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and 0 <= value <= COUNT_LIMIT)


def _row(entry: Mapping[str, JsonValue], where: str) -> ValidatorRow:
    described = told(entry, where, "validator")
    status = words(entry.get("status"))
    if status is None:
        raise AnswerFault(f"{where}/status", "must be the status of a validator")
    is_slashed = is_true(described.get("slashed")) or status in SLASHED
    key = pubkey(described.get("pubkey"), f"{where}/validator/pubkey")
    return ValidatorRow(
        key,
        operator=str(uint(entry.get("index"), f"{where}/index")),
        status=status,
        bond=BONDS.get(status),
        is_jailed=is_slashed,
        is_tombstoned=False,
        power=uint(described.get("effective_balance"), f"{where}/validator/effective_balance"),
        reason="slashed" if is_slashed else None,
        key=key,
    )
