"""Kept state: what a desk knows, one row a thing.

Rules of this file: rows are written within a transaction of the journal, beside the events that tell of them, so that
after a crash there are both or neither. A row of which the disk has made something else is left out when rows are read,
and counted. Of a journal that is put aside the rows that can still be read are taken along: events can be looked up in
the old file, an open call must not be closed by a bad sector.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from domain import JsonObject, JsonValue, Row
from storage.database import FAULTS, Database
from storage.records import plain

_PUT = "INSERT OR REPLACE INTO state (kind, key, value) VALUES (?, ?, ?)"
_DELETE = "DELETE FROM state WHERE kind = ? AND key = ?"
_READ = "SELECT key, CAST(value AS BLOB) AS value FROM state WHERE kind = ? ORDER BY key"
_READ_ALL = "SELECT kind, key, CAST(value AS BLOB) FROM state"

_encode = msgspec.json.Encoder(enc_hook=plain).encode
_decode = msgspec.json.Decoder().decode


class KeptState(msgspec.Struct, frozen=True):
    """The rows of one kind by their keys, in the order of these; ``unreadable`` is how many were left out."""

    values: tuple[tuple[str, JsonObject], ...]
    unreadable: int = 0


class Written:
    """Rows as they are written: of each thing the newest."""

    __slots__ = ("_gone", "_put")

    def __init__(self, rows: Sequence[Row]) -> None:
        """Encode ``rows``, the older before the newer.

        Raises:
            TypeError, ValueError: if a value is no JSON.
        """
        newest = {(row.kind, row.key): row for row in rows}
        self._gone = [name for name, row in newest.items() if row.value is None]
        self._put = [(*name, _encode(row.value).decode()) for name, row in newest.items() if row.value is not None]

    def write(self, database: Database) -> None:
        """Write them, within a transaction."""
        database.write(_DELETE, self._gone)
        database.write(_PUT, self._put)


def read(database: Database, kind: str) -> KeptState:
    """Every row of ``kind``.

    Raises:
        StorageError: if the file cannot be read.
    """
    values, unreadable = [], 0
    for row in database.rows("read state", _READ, (kind,)):
        value = _value(row["value"])
        if value is None:
            unreadable += 1
        else:
            values.append((str(row["key"]), value))
    return KeptState(tuple(values), unreadable)


def salvage(file: Path) -> list[Row]:
    """What can still be read of the rows in the damaged database ``file``."""
    rows = []
    # Whatever is wrong with the file: what came before it was read.
    name = f"file:{quote(str(file.absolute()))}?mode=ro"
    with suppress(*FAULTS), closing(sqlite3.connect(name, uri=True)) as connection:
        connection.text_factory = _text
        for kind, key, raw in connection.execute(_READ_ALL):
            value = _value(raw)
            if value is not None:
                rows.append(Row(str(kind), str(key), value))
    return rows


def _value(raw: object) -> JsonObject | None:
    try:
        value: JsonValue = _decode(raw if isinstance(raw, bytes) else str(raw))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value if isinstance(value, Mapping) else None


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
