"""What a node's JSON must look like, member by member; the one error of those who read it.

Rules of this file: a value is what the interface's specification says, or ``AnswerFault`` names the place and what
belongs there. Nothing is guessed, and nothing that a node wrote is repeated at length. Hashes and addresses come out
in lower case, so that two nodes' spellings are one.

Source: Ethereum execution APIs, "Quantities" and "Unformatted data". Tolerated beyond it, since nodes do it: leading
zeros, and a JSON integer where a quantity belongs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from domain.json import JsonObject, JsonValue

COUNT_LIMIT = 2**63 - 1
"""What a height or a count may be at most."""

WORD_LIMIT = 2**256 - 1
"""What an amount of the smallest unit may be at most."""

MOMENT_LIMIT = 253_402_300_799
"""The last second of the year 9999: no later moment can be written down."""

TEXT_LIMIT = 256
"""Characters that are kept of what a node says in its own words."""

_QUANTITY = re.compile(r"0x([0-9a-fA-F]{1,64})")
_DIGEST = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class AnswerFault(ValueError):
    """What a node sent is not what its interface promises: ``where`` in it, and what it ``must_be`` there."""

    def __init__(self, where: str, must_be: str) -> None:
        super().__init__(f"{where} {must_be}")
        self.where = where
        self.must_be = must_be


def members(value: JsonValue, where: str) -> JsonObject:
    """``value`` as an object.

    Raises:
        AnswerFault: if it is none.
    """
    if isinstance(value, Mapping):
        return value
    raise AnswerFault(where, "must be an object")


def items(value: JsonValue, where: str) -> Sequence[JsonValue]:
    """``value`` as an array.

    Raises:
        AnswerFault: if it is none.
    """
    if isinstance(value, Sequence) and not isinstance(value, str):
        return value
    raise AnswerFault(where, "must be an array")


def quantity(value: JsonValue, where: str, limit: int = COUNT_LIMIT) -> int:
    """``value`` as a whole number from 0 to ``limit``.

    Raises:
        AnswerFault: if it is none.
    """
    number: int | None = None
    if isinstance(value, str) and (match := _QUANTITY.fullmatch(value)) is not None:
        number = int(match[1], 16)
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None or not 0 <= number <= limit:
        raise AnswerFault(where, f"must be a quantity: 0x and hexadecimal digits, at most {limit:#x}")
    return number


def digest(value: JsonValue, where: str) -> str:
    """``value`` as a hash or root of 32 bytes, in lower case.

    Raises:
        AnswerFault: if it is none.
    """
    if isinstance(value, str) and _DIGEST.fullmatch(value):
        return value.lower()
    raise AnswerFault(where, "must be a hash: 0x and 64 hexadecimal digits")


def address(value: JsonValue, where: str) -> str:
    """``value`` as an account's address of 20 bytes, in lower case.

    Raises:
        AnswerFault: if it is none.
    """
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        return value.lower()
    raise AnswerFault(where, "must be an address: 0x and 40 hexadecimal digits")


def flag(value: JsonValue, where: str) -> bool:
    """``value`` as true or false.

    Raises:
        AnswerFault: if it is neither.
    """
    if isinstance(value, bool):
        return value
    raise AnswerFault(where, "must be true or false")


def words(value: JsonValue) -> str | None:
    """What a node says in its own words, cut to ``TEXT_LIMIT`` and to what can be printed; None if it says nothing."""
    if not isinstance(value, str):
        return None
    kept = value[:TEXT_LIMIT]
    return "".join(sign if sign.isprintable() else " " for sign in kept).strip() or None
