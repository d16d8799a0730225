"""What a beacon node's JSON must look like, member by member.

Rules of this file: integers of 64 bits are written as decimal strings, and some nodes write them as integers; both are
read. Epochs that never come are ``FAR_FUTURE``. What does not fit is an ``AnswerFault``.

Source: Ethereum Beacon APIs, "Uint64", "Root" and "Pubkey"; consensus specifications, ``FAR_FUTURE_EPOCH``.
"""

from __future__ import annotations

import re

from domain.chain.ethereum import COUNT_LIMIT, AnswerFault, members
from domain.json import JsonObject, JsonValue

FAR_FUTURE = 2**64 - 1
"""The epoch that says "never"."""

_DIGITS = re.compile(r"[0-9]{1,20}")
_PUBKEY = re.compile(r"0x[0-9a-fA-F]{96}")


def uint(value: JsonValue, where: str, limit: int = COUNT_LIMIT) -> int:
    """``value`` as a whole number from 0 to ``limit``.

    Raises:
        AnswerFault: if it is none.
    """
    number: int | None = None
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        number = int(value)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not 0 <= number <= limit:
        raise AnswerFault(where, f"must be a whole number from 0 to {limit}, written as a string")
    return number


def pubkey(value: JsonValue, where: str) -> str:
    """``value`` as a validator's public key of 48 bytes, in lower case.

    Raises:
        AnswerFault: if it is none.
    """
    if isinstance(value, str) and _PUBKEY.fullmatch(value):
        return value.lower()
    raise AnswerFault(where, "must be a public key: 0x and 96 hexadecimal digits")


def told(value: JsonValue, where: str, *names: str) -> JsonObject:
    """The object that is under ``names`` in ``value``, each in the one before.

    Raises:
        AnswerFault: if one of them is no object.
    """
    found = members(value, where)
    for name in names:
        where = f"{where}/{name}"
        found = members(found.get(name), where)
    return found


def is_true(value: JsonValue) -> bool:
    """Whether a node says true; what older nodes leave out is not true."""
    return value is True
