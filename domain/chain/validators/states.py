"""The states of a validator, and what each kind of evidence makes of them: one table.

Rules of this file:

* Only what says "jailed" makes a validator jailed; who left the set is inactive, whatever else is not known.
* Tombstoned is for ever: nothing in the table leads out of it. Only evidence that is taken back does.
* Evidence that does not say whether a validator is jailed does not end a jailing, but for being in the set again:
  nobody who is jailed is in it.

Whether evidence is new enough to be heard at all is not decided here, see ``judging``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from domain.chain.observations import Reason, ValidatorRow


class Status(StrEnum):
    """What a validator is."""

    UNKNOWN = "UNKNOWN"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    JAILED = "JAILED"
    TOMBSTONED = "TOMBSTONED"


class Kind(StrEnum):
    """What is said of a validator: by a block's events, by a change of the set, or by a node's records."""

    BLOCK_JAILED = "block_jailed"
    BLOCK_TOMBSTONED = "block_tombstoned"
    SET_LEFT = "set_left"
    SET_JOINED = "set_joined"
    READ_TOMBSTONED = "read_tombstoned"
    READ_JAILED = "read_jailed"
    READ_BONDED = "read_bonded"
    READ_UNBONDED = "read_unbonded"
    READ_FREE = "read_free"
    """Not jailed; whether it is in the set is not said."""
    READ_IN_SET = "read_in_set"
    """In the set; whether it is jailed is not said."""
    READ_ABSENT = "read_absent"
    """Not in the set, or not in the records at all; whether it is jailed is not said."""


JAILING = frozenset({Status.JAILED, Status.TOMBSTONED})
BLOCKS = frozenset({Kind.BLOCK_JAILED, Kind.BLOCK_TOMBSTONED})
SETS = frozenset({Kind.SET_LEFT, Kind.SET_JOINED})

_OUTSIDE: Mapping[Kind, Status] = MappingProxyType(
    {
        Kind.BLOCK_JAILED: Status.JAILED,
        Kind.BLOCK_TOMBSTONED: Status.TOMBSTONED,
        Kind.SET_LEFT: Status.INACTIVE,
        Kind.SET_JOINED: Status.ACTIVE,
        Kind.READ_TOMBSTONED: Status.TOMBSTONED,
        Kind.READ_JAILED: Status.JAILED,
        Kind.READ_BONDED: Status.ACTIVE,
        Kind.READ_UNBONDED: Status.INACTIVE,
        Kind.READ_IN_SET: Status.ACTIVE,
        Kind.READ_ABSENT: Status.INACTIVE,
    }
)

TRANSITIONS: Mapping[Status, Mapping[Kind, Status]] = MappingProxyType(
    {
        Status.UNKNOWN: {**_OUTSIDE, Kind.READ_FREE: Status.UNKNOWN},
        Status.ACTIVE: {**_OUTSIDE, Kind.READ_FREE: Status.ACTIVE},
        Status.INACTIVE: {**_OUTSIDE, Kind.READ_FREE: Status.INACTIVE},
        Status.JAILED: {
            Kind.BLOCK_JAILED: Status.JAILED,
            Kind.BLOCK_TOMBSTONED: Status.TOMBSTONED,
            Kind.SET_LEFT: Status.JAILED,
            Kind.SET_JOINED: Status.ACTIVE,
            Kind.READ_TOMBSTONED: Status.TOMBSTONED,
            Kind.READ_JAILED: Status.JAILED,
            Kind.READ_BONDED: Status.ACTIVE,
            Kind.READ_UNBONDED: Status.INACTIVE,
            Kind.READ_FREE: Status.INACTIVE,
            Kind.READ_IN_SET: Status.ACTIVE,
            Kind.READ_ABSENT: Status.JAILED,
        },
        Status.TOMBSTONED: dict.fromkeys(Kind, Status.TOMBSTONED),
    }
)
"""What a validator is after evidence, by what it was."""

FREES: Mapping[Kind, Status] = MappingProxyType(
    {
        Kind.READ_BONDED: Status.ACTIVE,
        Kind.READ_IN_SET: Status.ACTIVE,
        Kind.READ_UNBONDED: Status.INACTIVE,
        Kind.READ_FREE: Status.INACTIVE,
    }
)
"""What says that a validator is not jailed, and what it is if that is believed."""


def kind_of(row: ValidatorRow) -> Kind | None:
    """What a node's record says of the state of a validator; None: nothing."""
    if row.is_tombstoned:
        return Kind.READ_TOMBSTONED
    if row.is_jailed:
        return Kind.READ_JAILED
    if row.bond is None:
        return None if row.is_jailed is None else Kind.READ_FREE
    if row.is_jailed is None:
        return Kind.READ_IN_SET if row.bond == "bonded" else Kind.READ_ABSENT
    return Kind.READ_BONDED if row.bond == "bonded" else Kind.READ_UNBONDED


def reason_of(row: ValidatorRow, at: float, *, has_left: bool) -> Reason:
    """Why a validator is jailed by a record alone, read at ``at``; ``has_left``: a block without a jailing removed it.

    A term that is still to be served is set for downtime alone: a double sign tombstones, and who falls under the
    delegation of its own is jailed without a term (Cosmos SDK, x/slashing and x/staking).
    """
    if row.reason is not None:
        return row.reason
    if row.is_tombstoned:
        return "double_sign"
    if row.jailed_until is not None and row.jailed_until > at:
        return "downtime"
    return "self_delegation" if has_left else "unknown"
