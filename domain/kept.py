"""Reading again what was kept: a value of the kind that it must be, or ``Unreadable``.

Rules of this file: nothing is guessed; what is not there or of another kind is a fault of its row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from domain.json import JsonObject, JsonValue

Word = TypeVar("Word", bound=StrEnum)


class Unreadable(ValueError):
    """What was kept cannot be read."""


def integer(value: JsonValue, name: str) -> int:
    """The whole number ``name`` of ``value``.

    Raises:
        Unreadable: if it is none.
    """
    found = _member(value, name)
    if not isinstance(found, int) or isinstance(found, bool):
        raise Unreadable(name)
    return found


def number(value: JsonValue, name: str) -> float:
    """The number ``name`` of ``value``.

    Raises:
        Unreadable: if it is none.
    """
    found = _member(value, name)
    if not isinstance(found, int | float) or isinstance(found, bool):
        raise Unreadable(name)
    return float(found)


def text(value: JsonValue, name: str) -> str:
    """The text ``name`` of ``value``.

    Raises:
        Unreadable: if it is none.
    """
    found = _member(value, name)
    if not isinstance(found, str):
        raise Unreadable(name)
    return found


def word(value: JsonValue, name: str, words: type[Word]) -> Word:
    """The word ``name`` of ``value``, one of ``words``.

    Raises:
        Unreadable: if it is none.
    """
    try:
        return words(text(value, name))
    except ValueError:
        raise Unreadable(name) from None


def table(value: JsonValue, name: str) -> JsonObject:
    """The object ``name`` of ``value``.

    Raises:
        Unreadable: if it is none.
    """
    found = _member(value, name)
    if not isinstance(found, Mapping):
        raise Unreadable(name)
    return found


def several(value: JsonValue, name: str) -> Sequence[JsonValue]:
    """The list ``name`` of ``value``.

    Raises:
        Unreadable: if it is none.
    """
    found = _member(value, name)
    if isinstance(found, str) or not isinstance(found, Sequence):
        raise Unreadable(name)
    return found


def texts(value: JsonValue, name: str) -> Sequence[str]:
    """The list ``name`` of ``value``, which holds nothing but text.

    Raises:
        Unreadable: if it is none.
    """
    found = [each for each in several(value, name) if isinstance(each, str)]
    if len(found) != len(several(value, name)):
        raise Unreadable(name)
    return found


def flag(value: JsonValue, name: str) -> bool:
    """Whether ``name`` of ``value`` is so.

    Raises:
        Unreadable: if it does not say.
    """
    found = _member(value, name)
    if not isinstance(found, bool):
        raise Unreadable(name)
    return found


def maybe_integer(value: JsonValue, name: str) -> int | None:
    """The whole number ``name`` of ``value``; None if it was not known.

    Raises:
        Unreadable: if it is anything else.
    """
    return None if _maybe(value, name) is None else integer(value, name)


def maybe_number(value: JsonValue, name: str) -> float | None:
    """The number ``name`` of ``value``; None if it was not known.

    Raises:
        Unreadable: if it is anything else.
    """
    return None if _maybe(value, name) is None else number(value, name)


def maybe_text(value: JsonValue, name: str) -> str | None:
    """The text ``name`` of ``value``; None if it was not known.

    Raises:
        Unreadable: if it is anything else.
    """
    return None if _maybe(value, name) is None else text(value, name)


def _member(value: JsonValue, name: str) -> JsonValue:
    found = _maybe(value, name)
    if found is None:
        raise Unreadable(name)
    return found


def _maybe(value: JsonValue, name: str) -> JsonValue:
    if not isinstance(value, Mapping):
        raise Unreadable(name)
    return value.get(name)
