"""From what was given to what a setting holds, or to a fault.

Rules of this file: nothing raises because of what the operator wrote; every wrong value becomes one fault.
"""

from __future__ import annotations

import json
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from config.faults import Fault, one_of, shown
from config.layers import Given
from config.policy import RuleSettings
from config.secrets import Secret, read_secret
from config.settings import Setting, table

FILE_SUFFIX = "_file"


def convert_table(
    prefix: str, rows: Mapping[str, Setting], given: Mapping[str, Given], faults: list[Fault]
) -> dict[str, object]:
    """Return the values of one section or source by key; what is wrong or unknown becomes a fault."""
    values: dict[str, object] = {}
    for key, entry in _with_secrets(prefix, rows, given, faults).items():
        path = f"{prefix}.{key}"
        if key not in rows:
            faults.append(Fault(path, entry.origin, one_of(rows, key)))
            continue
        try:
            values[key] = _tables(path, rows[key], entry, faults) if is_list(rows[key]) else _value(rows[key], entry)
        except _WrongError as wrong:
            hidden = Secret("") if rows[key].is_secret else entry.value
            faults.append(Fault(path, entry.origin, str(wrong), shown(hidden)))
    return values


def is_list(row: Setting) -> bool:
    """Whether a setting is a list of tables: the rules of the policy."""
    return row.kind == tuple[RuleSettings, ...]


def _tables(path: str, row: Setting, entry: Given, faults: list[Fault]) -> list[dict[str, object]]:
    """Return the tables of a list; the faults of each name its number, counted from 1."""
    value = _parsed(str(entry.value), describe(row)) if entry.is_text else entry.value
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _WrongError(describe(row))
    before = len(faults)
    rows = table(RuleSettings)
    tables = []
    for number, item in enumerate(value, 1):
        prefix = f"{path}[{number}]"
        given = {key: Given(each, entry.origin) for key, each in item.items()}
        tables.append(convert_table(prefix, rows, given, faults))
        missing = [name for name, each in rows.items() if each.is_required and name not in item]
        faults += [Fault(f"{prefix}.{name}", entry.origin, describe(rows[name])) for name in missing]
    expected = row.rule(tables) if row.rule and len(faults) == before else None
    if expected:
        raise _WrongError(expected)
    # Nothing is in force that has a fault, and what follows needs valid values.
    return tables if len(faults) == before else []


class _WrongError(Exception):
    """A value is wrong; the text says what was expected."""


def _with_secrets(
    prefix: str, rows: Mapping[str, Setting], given: Mapping[str, Given], faults: list[Fault]
) -> dict[str, Given]:
    entries = dict(given)
    for name in [name for name, row in rows.items() if row.is_secret]:
        entry = entries.pop(name + FILE_SUFFIX, None)
        if entry is None:
            continue
        path = f"{prefix}.{name}{FILE_SUFFIX}"
        if name in entries:
            faults.append(Fault(path, entry.origin, f"this or {name} ({entries.pop(name).origin}), not both"))
            continue
        try:
            entries[name] = Given(read_secret(Path(str(entry.value))), entry.origin)
        except OSError as error:
            faults.append(Fault(path, entry.origin, "a file that can be read", error.strerror or str(error)))
        except UnicodeDecodeError:
            faults.append(Fault(path, entry.origin, "a file of text in UTF-8"))
        except ValueError as error:
            faults.append(Fault(path, entry.origin, str(error)))
    return entries


def _value(row: Setting, entry: Given) -> object:
    value = entry.value
    if row.is_secret:
        value = Secret(value) if isinstance(value, str) else value
        if not isinstance(value, Secret):
            raise _WrongError("text")
        return value
    if entry.is_text and _is_container(row.kind):
        value = _parsed(str(value), describe(row))
    try:
        value = msgspec.convert(value, row.hint, strict=not entry.is_text)
    except msgspec.ValidationError:
        words = typing.get_args(row.kind) if typing.get_origin(row.kind) is typing.Literal else ()
        raise _WrongError(one_of(words, str(value)) if words else describe(row)) from None
    expected = row.rule(value) if row.rule else None
    if expected:
        raise _WrongError(expected)
    return value


def _is_container(kind: object) -> bool:
    return typing.get_origin(kind) in (tuple, Mapping)


def _parsed(text: str, expected: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        pass
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        raise _WrongError(expected) from None
    return parsed


def describe(row: Setting) -> str:
    """Return in words what a setting takes: its type, its limits, its unit."""
    words = _kind_words(row.kind)
    least, most = row.meta.ge, row.meta.le
    if least is not None and most is not None:
        words += f" from {least} to {most}"
    return f"{words} ({row.unit})" if row.unit else words


_WORDS: dict[object, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Secret: "text",
}


def _kind_words(kind: object) -> str:
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return f"one of {', '.join(arguments)}"
    if origin in (types.UnionType, typing.Union):
        return _kind_words(_first_real(arguments))
    if kind == tuple[RuleSettings, ...]:
        return "a list of tables, [[policy.rules]]"
    return 'a list of text such as ["a", "b"]' if origin is tuple else 'a table of text such as { a = "b" }'


def _first_real(arguments: Iterable[object]) -> object:
    return next(argument for argument in arguments if argument is not type(None))
