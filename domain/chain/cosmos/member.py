"""The members of a node's JSON, each taken as what it must be.

Rules of this file: a member that is not what it must be is a ``CosmosFault`` that names it. Go writes 64-bit numbers
as strings and nil lists as null, and leaves out what is zero: all of that is understood here and nowhere else.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence

from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339

ROWS_LIMIT = 50_000
"""Most rows of one message or answer that are made into anything."""
TEXT_LIMIT = 256
WHOLE_LIMIT = 2**63 - 1

_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)


def as_object(value: JsonValue, what: str) -> JsonObject:
    """``value``, which must be an object.

    Raises:
        CosmosFault: if it is none; ``what`` names it.
    """
    if not isinstance(value, Mapping):
        raise CosmosFault(f"{what} must be an object, not {excerpt(value)}")
    return value


def inner(value: JsonObject, *names: str) -> JsonObject:
    """The object that one finds by going down ``names``.

    Raises:
        CosmosFault: if there is none.
    """
    for name in names:
        value = as_object(value.get(name), name)
    return value


def inner_or_empty(value: JsonObject, name: str) -> JsonObject:
    """The object ``name``, empty where it is absent or null.

    Raises:
        CosmosFault: if it is something else.
    """
    found = value.get(name)
    return {} if found is None else as_object(found, name)


def rows(value: JsonObject, name: str, limit: int = ROWS_LIMIT) -> Sequence[JsonValue]:
    """The list ``name``, empty where it is absent or null.

    Raises:
        CosmosFault: if it is something else, or longer than ``limit``.
    """
    found = value.get(name)
    if found is None:
        return ()
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise CosmosFault(f"{name} must be a list, not {excerpt(found)}")
    if len(found) > limit:
        raise CosmosFault(f"{name} has {len(found)} rows, more than {limit}")
    return found


def text(value: JsonObject, name: str, limit: int = TEXT_LIMIT) -> str:
    """The string ``name``, of 1 to ``limit`` characters.

    Raises:
        CosmosFault: if it is something else.
    """
    found = value.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= limit:
        raise CosmosFault(f"{name} must be a string of 1 to {limit} characters, not {excerpt(found)}")
    return found


def words(value: JsonObject, name: str) -> str | None:
    """What ``name`` says to people: printable and cut to ``TEXT_LIMIT`` characters; None where it says nothing."""
    found = value.get(name)
    return printable(found) if isinstance(found, str) else None


def printable(found: str) -> str | None:
    """``found`` without what cannot be printed, cut to ``TEXT_LIMIT`` characters; None where nothing is left."""
    return "".join(sign if sign.isprintable() else " " for sign in found[:TEXT_LIMIT]).strip() or None


def count(value: JsonObject, name: str) -> int:
    """The whole number ``name``, 0 where it is absent or null; never below 0.

    Raises:
        CosmosFault: if it is something else.
    """
    found = value.get(name)
    return 0 if found is None else as_count(found, name)


def height_of(value: JsonObject, name: str = "height") -> int:
    """The height ``name``.

    Raises:
        CosmosFault: if it is absent, no whole number, or below 0.
    """
    return as_count(value.get(name), name)


def as_count(found: JsonValue, name: str) -> int:
    """``found`` as a whole number of at least 0, be it written as a number or as a string.

    Raises:
        CosmosFault: if it is none, or beyond 64 bits.
    """
    if isinstance(found, str) and _WHOLE.fullmatch(found):
        found = int(found)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= WHOLE_LIMIT:
        raise CosmosFault(f"{name} must be a whole number from 0 to 2^63-1, not {excerpt(found)}")
    return found


def ratio(value: JsonObject, name: str) -> float:
    """The share ``name``, a decimal string from 0 to 1.

    Raises:
        CosmosFault: if it is something else.
    """
    share = _decimal(text(value, name), name)
    if not 0 <= share <= 1:
        raise CosmosFault(f"{name} must be from 0 to 1, not {share:g}")
    return share


def seconds(value: JsonObject, name: str) -> float:
    """The duration ``name`` in seconds, written as protobuf does: ``600s``.

    Raises:
        CosmosFault: if it is something else.
    """
    written = text(value, name)
    if not written.endswith("s"):
        raise CosmosFault(f"{name} must be a duration such as 600s, not {excerpt(written)}")
    return _decimal(written[:-1], name)


def _decimal(written: str, name: str) -> float:
    if re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,30})?", written, re.ASCII) is None:
        raise CosmosFault(f"{name} must be a decimal number, not {excerpt(written)}")
    return float(written)


def moment(value: JsonObject, name: str) -> float:
    """The moment ``name`` (RFC 3339) in Unix seconds.

    Raises:
        CosmosFault: if it is none.
    """
    written = text(value, name)
    try:
        return parse_rfc3339(written)
    except ValueError as error:
        raise CosmosFault(f"{name}: {error}") from None


def flag(value: JsonObject, name: str) -> bool:
    """Whether ``name`` is so; what is absent is not so.

    Raises:
        CosmosFault: if it is neither true nor false.
    """
    found = value.get(name, False)
    if not isinstance(found, bool):
        raise CosmosFault(f"{name} must be true or false, not {excerpt(found)}")
    return found


def from_base64(written: str, name: str) -> bytes:
    """The bytes that ``written`` (base64 with padding) stands for.

    Raises:
        CosmosFault: if it is no base64.
    """
    try:
        return b64decode(written, validate=True)
    except ValueError:
        raise CosmosFault(f"{name} must be base64, not {excerpt(written)}") from None
