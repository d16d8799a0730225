"""The records of validators: the active set, the staking module's, and what slashing keeps of each.

Rules of this file:

* Three lists, one page at a time. Each says only some of a validator: the active set its power, staking who it is and
  whether it is jailed, slashing what it missed and until when it is jailed.
* A validator's key in all of them is its consensus address; chains without a staking module have nothing else.
* ``jailed`` and not ``jailed_until`` says that a validator is jailed: the latter stays when it is released, is 1970
  for one that never was, and the year 9999 for one that never will be released.
* ``validators`` without a height answers for the height after the newest, and names it.

Source: CometBFT ``rpc/openapi`` (``validators``); Cosmos SDK ``proto/cosmos/staking/v1beta1`` and
``proto/cosmos/slashing/v1beta1``.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from domain.chain.cosmos.addresses import address_of, address_of_nested_key, address_of_update
from domain.chain.cosmos.fault import CosmosFault, NodeRefused, excerpt
from domain.chain.cosmos.member import (
    as_object,
    count,
    flag,
    height_of,
    inner,
    inner_or_empty,
    moment,
    ratio,
    rows,
    seconds,
    text,
    words,
)
from domain.chain.cosmos.told import Told, placed
from domain.chain.fields import DIGITS_LIMIT
from domain.chain.observations import Bond, Provenance, SlashingRules, ValidatorRow, ValidatorsRead
from domain.json import JsonObject, JsonValue

_BONDS: dict[str, Bond] = {
    "BOND_STATUS_BONDED": "bonded",
    "BOND_STATUS_UNBONDING": "unbonding",
    "BOND_STATUS_UNBONDED": "unbonded",
}
KEY_LIMIT = 1024


class Page(msgspec.Struct, frozen=True):
    """One page of records. ``next`` is where the next begins, None after the last; ``height`` that of the records.

    ``total`` is how many rows all pages have together, None where the node does not say it.
    """

    rows: tuple[ValidatorRow, ...]
    next: str | None
    faults: tuple[CosmosFault, ...] = ()
    height: int | None = None
    total: int | None = None


def read_active_set(value: JsonValue, page: int, size: int) -> Page:
    """The answer to ``validators`` for ``page`` (from 1 on) of ``size`` rows.

    Raises:
        CosmosFault: if it is none, or an empty page before the last.
    """
    answer = as_object(value, "validators")
    found, faults = _read_rows(answer, "validators", _member_of_set)
    total = count(answer, "total")
    if not found and not faults and (page - 1) * size < total:
        raise CosmosFault(f"page {page} is empty, although there are {total} validators")
    following = str(page + 1) if page * size < total else None
    return Page(found, following, faults, height_of(answer, "block_height"), total)


def read_staking(value: JsonValue) -> Page:
    """The answer of the staking module to ``validators``.

    Raises:
        NodeRefused: if the node says that it cannot answer.
        CosmosFault: if it is no such answer.
    """
    answer = _answer(value, "validators")
    found, faults = _read_rows(answer, "validators", _staking_row)
    return Page(found, _next_key(answer), faults)


def read_signing_infos(value: JsonValue) -> Page:
    """The answer of the slashing module to ``signing_infos``.

    Raises:
        NodeRefused: if the node says that it cannot answer.
        CosmosFault: if it is no such answer.
    """
    answer = _answer(value, "info")
    found, faults = _read_rows(answer, "info", _signing_row)
    return Page(found, _next_key(answer), faults)


def read_slashing_rules(value: JsonValue, origin: Provenance) -> Told:
    """The answer of the slashing module to ``params``.

    Raises:
        NodeRefused: if the node says that it cannot answer.
        CosmosFault: if it is no such answer.
    """
    rules = inner(_answer(value, "params"), "params")
    return Told(
        (
            SlashingRules(
                placed(origin, "slashing/params"),
                window=height_of(rules, "signed_blocks_window"),
                least_signed=ratio(rules, "min_signed_per_window"),
                jail_time=seconds(rules, "downtime_jail_duration"),
            ),
        )
    )


def with_signing_infos(staking: ValidatorsRead, signing: ValidatorsRead) -> tuple[ValidatorsRead, ...]:
    """What both lists say of each validator in one record, so that a jailing is told with its reason and its term.

    Both were read of one node, ``signing`` after ``staking``; who stands in ``signing`` alone comes in a list of its
    own.
    """
    infos = {row.address: row for row in signing.rows}
    rows = [_joined(row, infos.pop(row.address, None)) for row in staking.rows]
    both = replace(staking, rows=tuple(rows))
    return (both, replace(signing, rows=tuple(infos.values()))) if infos else (both,)


def _joined(row: ValidatorRow, info: ValidatorRow | None) -> ValidatorRow:
    if info is None:
        return row
    return replace(
        row,
        is_tombstoned=info.is_tombstoned,
        jailed_until=info.jailed_until,
        missed=info.missed,
        start_height=info.start_height,
    )


def _answer(value: JsonValue, name: str) -> JsonObject:
    """An answer that must have ``name``; what has a code and a message instead is the node's refusal."""
    answer = as_object(value, name)
    if name not in answer:
        if "code" in answer:
            raise NodeRefused(words(answer, "message") or "no reason given", _code(answer))
        raise CosmosFault(f"{name} is missing")
    return answer


def _code(answer: JsonObject) -> int | None:
    code = answer.get("code")
    return code if isinstance(code, int) else None


def _read_rows(
    answer: JsonObject, name: str, read: Callable[[JsonObject], ValidatorRow]
) -> tuple[tuple[ValidatorRow, ...], tuple[CosmosFault, ...]]:
    found: list[ValidatorRow] = []
    faults: list[CosmosFault] = []
    for row in rows(answer, name):
        try:
            found.append(read(as_object(row, name)))
        except CosmosFault as fault:
            faults.append(CosmosFault(f"{name}: {fault}"))
    return tuple(found), tuple(faults)


def _next_key(answer: JsonObject) -> str | None:
    pagination = inner_or_empty(answer, "pagination")
    return text(pagination, "next_key", KEY_LIMIT) if pagination.get("next_key") else None


def _member_of_set(row: JsonObject) -> ValidatorRow:
    return ValidatorRow(address_of_update(row), bond="bonded", power=count(row, "voting_power"))


def _staking_row(row: JsonObject) -> ValidatorRow:
    status = text(row, "status")
    if status not in _BONDS:
        raise CosmosFault(f"status {excerpt(status)} is not known")
    key = inner(row, "consensus_pubkey")
    tokens = words(row, "tokens") or ""
    return ValidatorRow(
        address=address_of_nested_key(key),
        operator=words(row, "operator_address"),
        moniker=words(inner_or_empty(row, "description"), "moniker"),
        status=status,
        bond=_BONDS[status],
        is_jailed=flag(row, "jailed"),
        key=words(key, "key") or words(key, "value"),
        stake=int(tokens) if tokens.isascii() and tokens.isdigit() and len(tokens) <= DIGITS_LIMIT else None,
    )


def _signing_row(row: JsonObject) -> ValidatorRow:
    until = moment(row, "jailed_until")
    return ValidatorRow(
        address=address_of(text(row, "address")),
        is_tombstoned=flag(row, "tombstoned"),
        # The beginning of Unix time stands for never.
        jailed_until=until if until > 0 else None,
        missed=count(row, "missed_blocks_counter"),
        start_height=count(row, "start_height"),
    )
