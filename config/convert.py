"""From what was given to what a setting holds, or to a fault.

Rules of this file: nothing raises because of what the operator wrote; every wrong value becomes one fault.
"""

from __future__ import annotations

import json
import re
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeGuard

import msgspec

from config.faults import Fault, one_of, shown
from config.layers import Given
from config.secrets import Secret, read_secret
from config.settings import Setting, table

FILE_SUFFIX = "_file"


def convert_table(
    prefix: str,
    rows: Mapping[str, Setting],
    given: Mapping[str, Given],
    faults: list[Fault],
    *,
    is_part: bool = False,
) -> dict[str, object]:
    """Return the values of one section or source by key; what is wrong or unknown becomes a fault.

    A setting of tables comes with what is right in them, so that what is wrong in one hides nothing in another; where a
    table lacks what it must have, the setting is left out. ``is_part``: of such a setting.
    """
    values: dict[str, object] = {}
    lost: list[str] = []
    for key, entry in _with_secrets(prefix, rows, given, faults, is_part=is_part).items():
        path = f"{prefix}.{key}"
        if key not in rows:
            faults.append(Fault(path, entry.origin, one_of(rows, key)))
            continue
        try:
            values[key] = _setting(path, rows[key], entry, faults)
        except _WrongError as wrong:
            hidden = Secret("") if rows[key].is_secret else entry.value
            faults.append(Fault(path, entry.origin, str(wrong), shown(hidden)))
        except _LostError:
            lost.append(key)
    if lost and is_part:
        raise _LostError
    return values


def nested_in(row: Setting) -> type[msgspec.Struct] | None:
    """What the tables in a setting are: in a list, by name, or the one that it is; None if it has none."""
    return next((kind for kind in (row.kind, *typing.get_args(row.kind)) if _is_struct(kind)), None)


def is_table(row: Setting) -> bool:
    """Whether a setting is one table."""
    return _is_struct(row.kind)


def _is_struct(kind: object) -> TypeGuard[type[msgspec.Struct]]:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _setting(path: str, row: Setting, entry: Given, faults: list[Fault]) -> object:
    nested = nested_in(row)
    return _value(row, entry) if nested is None else _tables(path, row, table(nested), entry, faults)


def _tables(path: str, row: Setting, rows: Mapping[str, Setting], entry: Given, faults: list[Fault]) -> object:
    """Return the table or tables in a setting; in a list the faults of each name its number, counted from 1."""
    value = _parsed(str(entry.value), describe(row, path)) if entry.is_text else entry.value
    parts = _parts(path, row, value)
    if parts is None:
        raise _WrongError(describe(row, path))
    before, made = len(faults), list[dict[str, object]]()
    for place, part in parts:
        with suppress(_LostError):
            made.append(_table(place, rows, part, entry.origin, faults))
    if len(made) < len(parts):
        raise _LostError
    expected = row.rule(made) if row.rule and len(faults) == before else None
    if expected:
        raise _WrongError(expected)
    if is_table(row):
        return made[0]
    return dict(zip(value, made, strict=True)) if isinstance(value, dict) else made


def _parts(path: str, row: Setting, value: object) -> list[tuple[str, dict[str, object]]] | None:
    """The tables in ``value``, each with its key; None if it does not have the form of the setting."""
    found: list[tuple[str, object]]
    if is_table(row):
        found = [(path, value)]
    elif isinstance(value, list) and typing.get_origin(row.kind) is tuple:
        found = [(f"{path}[{number}]", each) for number, each in enumerate(value, 1)]
    elif isinstance(value, dict) and typing.get_origin(row.kind) is Mapping:
        found = [(f"{path}.{name}", each) for name, each in value.items()]
    else:
        return None
    tables = [(place, part) for place, part in found if isinstance(part, dict)]
    return tables if len(tables) == len(found) else None


def _table(
    path: str, rows: Mapping[str, Setting], content: Mapping[str, object], origin: str, faults: list[Fault]
) -> dict[str, object]:
    """Return the values of one table within a setting."""
    given = {key: Given(value, origin) for key, value in content.items()}
    missing = [name for name, row in rows.items() if row.is_required and name not in content]
    try:
        values = convert_table(path, rows, given, faults, is_part=True)
    finally:
        faults += [Fault(f"{path}.{name}", origin, describe(rows[name], f"{path}.{name}")) for name in missing]
    if any(row.is_required and name not in values for name, row in rows.items()):
        raise _LostError
    return values


class _WrongError(Exception):
    """A value is wrong; the text says what was expected."""


class _LostError(Exception):
    """A table cannot be made of what is right in it; its faults are told."""


def _with_secrets(
    prefix: str, rows: Mapping[str, Setting], given: Mapping[str, Given], faults: list[Fault], *, is_part: bool
) -> dict[str, Given]:
    entries = dict(given)
    for name in [name for name, row in rows.items() if row.is_secret]:
        if is_part and name in entries:
            # A fault of a list shows the list as it is written.
            faults.append(Fault(f"{prefix}.{name}", entries.pop(name).origin, f"{name}{FILE_SUFFIX}, a file with it"))
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
    if isinstance(value, date | time) and row.kind is str:
        # TOML has moments of its own; here they are texts.
        value = _as_text(value)
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


def _as_text(value: date | time) -> str:
    if isinstance(value, datetime | time):
        return value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")
    return value.isoformat()


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


def describe(row: Setting, path: str = "") -> str:
    """Return in words what a setting takes: its type, its limits, its unit; ``path`` is the key of one with tables."""
    if nested_in(row) is not None:
        return _table_words(row, _NUMBER.sub("", path))
    words = _kind_words(row.kind)
    least, most = row.meta.ge, row.meta.le
    if least is not None and most is not None:
        words += f" from {least} to {most}"
    return f"{words} ({row.unit})" if row.unit else words


_NUMBER = re.compile(r"\[\d+\]")


def _table_words(row: Setting, path: str) -> str:
    if is_table(row):
        return f"a table, [{path}]"
    if typing.get_origin(row.kind) is tuple:
        return f"a list of tables, [[{path}]]"
    return f"tables by name, [{path}.NAME]"


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
    if origin is tuple and typing.get_origin(arguments[0]) is typing.Literal:
        return f"a list of {', '.join(typing.get_args(arguments[0]))}"
    return 'a list of text such as ["a", "b"]' if origin is tuple else 'a table of text such as { a = "b" }'


def _first_real(arguments: Iterable[object]) -> object:
    return next(argument for argument in arguments if argument is not type(None))
