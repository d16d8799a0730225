"""What recorded logs say, line by line, whichever of the two forms they have: adapter lines (SHDR) or event rows (CSV).

Rules of this file:

* Nothing that is in a log raises. What cannot be read is counted by its kind, with an example, and left out.
* An event row is ``ts,key,value,code,text`` by the names of its header, in any order; the first three must be there.
* A row without a value says that the value is missing: UNAVAILABLE. One whose moment cannot be read has no place in
  time and is left out.
* Text is compared without its white space: logs were seen whose snapshots lose it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from andond.recording import Recorded
from domain.plant.ledger import parse_us
from domain.plant.mtconnect import UNAVAILABLE, Grammar, Observation, Reader, Role, Roles

LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", UNAVAILABLE})
NEEDED = ("ts", "key", "value")
EXAMPLE_SIZE = 80
STAMP = 1
"""The field of a line whose fault is counted with the moments."""

Row = tuple[int, int, str, str, str, str, str, int]
"""Moment, rank, key, value, code, bare text, role, number. In this order, so that rows sort by what they say."""

PLAIN = 2
"""Bars in a line with one value."""

VALUE_LIMIT = 100_000
MULTILINE = b"--multiline--"

_LEVELS = frozenset(level.encode() for level in LEVELS)
_RAISING = frozenset({"WARNING", "FAULT"})


class Item(NamedTuple):
    """One thing that a log says: a row without its number, the text as it was, and what it is about."""

    at: int
    key: str
    value: str
    code: str = ""
    text: str = ""
    role: Role = Role.VALUE

    def row(self, number: int) -> Row:
        """The item as the row ``number``."""
        # Of one moment a clearance comes before what is raised: an adapter clears a key and says then what is left.
        rank = self.role is Role.CONDITION and self.value in _RAISING
        bare = "".join(self.text.split()) if self.text else ""
        return self.at, int(rank), self.key, self.value, self.code, bare, self.role.value, number

    @property
    def name(self) -> str:
        """What is told of: the key, of a condition with its code."""
        return f"{self.key}|{self.code}" if self.role is Role.CONDITION else self.key


def observed(row: Row) -> Observation:
    """The observation that ``row`` is of."""
    at, _, key, value, code, text, role, _ = row
    return Observation(key, Role(role), value, at / 1_000_000, "", code, text=text)


class Faults(msgspec.Struct):
    """What could not be read: how many of each kind, and the first of them."""

    counts: dict[str, int] = msgspec.field(default_factory=dict)
    examples: dict[str, str] = msgspec.field(default_factory=dict)

    def add(self, kind: str, line: str) -> None:
        """One more of ``kind``."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.examples.setdefault(kind, line.strip()[:EXAMPLE_SIZE])


class Log:
    """Reads the lines of one machine; what it learned of the adapter's keys in one log holds for the next.

    ``execution`` names a data item that says what the machine does, whatever it is called.
    """

    def __init__(self, execution: str | None = None) -> None:
        self.faults = Faults()
        self.lines = 0
        configured = {} if execution is None else {execution: Role.EXECUTION}
        self._reader = Reader(Grammar(configured))
        self._roles = Roles(configured)
        self._values: dict[bytes, str] = {}
        self._known = 0
        self._read: Callable[[bytes], Iterable[Item]] = self._adapter_line

    def items(self, lines: Iterable[Recorded]) -> Iterator[tuple[Item, bool]]:
        """What ``lines`` say; True with the first of each log."""
        opens = False
        for line in lines:
            self.lines += 1
            if line.opens_log:
                opens = True
                self._begin(line.raw)
            for item in self._read(line.raw):
                yield item, opens
                opens = False

    def _begin(self, raw: bytes) -> None:
        self._reader.reset()
        header = raw.decode("utf-8-sig", "replace").strip().casefold().split(",")
        columns = {name.strip().strip('"'): index for index, name in enumerate(header)}
        is_table = all(name in columns for name in NEEDED)
        self._read = _Table(self, columns) if is_table else self._adapter_line

    def _adapter_line(self, raw: bytes) -> Iterable[Item]:
        item = self._plain_value(raw) if raw.count(b"|") == PLAIN else None
        return self._any_adapter_line(raw) if item is None else (item,)

    def _plain_value(self, raw: bytes) -> Item | None:
        """What a line of the commonest form says, if its key is known to be a plain value; most lines are of it."""
        stamp, key, value = raw.split(b"|")
        name = self._values.get(key)
        if (
            name is None
            or value.rstrip().upper() in _LEVELS
            or b":" in value
            or b'"' in value
            or not value.endswith(b"\n")
        ):
            return None
        try:
            return Item(parse_us(stamp.decode("ascii")), name, value.strip().decode("utf-8", "replace"))
        except ValueError:
            return None

    def _any_adapter_line(self, raw: bytes) -> Iterator[Item]:
        if MULTILINE in raw:
            # What is in a document may look like a line.
            self._values, self._known = {}, VALUE_LIMIT
        for line in self._reader.feed(raw):
            if line.fault is not None and line.fault.field != STAMP:
                self.faults.add("lines that are not as the protocol has them", line.fault.excerpt)
            for seen in line.observations:
                if seen.role is Role.VALUE and self._known < VALUE_LIMIT:
                    self._known += 1
                    self._values.setdefault(seen.key.encode(), seen.key)
                item = self.item(seen.stamp, seen.key, seen.value, seen.code, seen.text, seen.role)
                if item is not None:
                    yield item

    def item(self, stamp: str, key: str, value: str, code: str, text: str, role: Role | None) -> Item | None:
        """What one thing that was told is; None, and counted, if its moment cannot be read."""
        try:
            at = parse_us(stamp)
        except ValueError:
            self.faults.add("moments that cannot be read", f"{stamp}|{key}|{value}")
            return None
        folded = value.upper()
        if role is None or role is Role.VALUE:
            # Before a key was a condition once, an adapter line does not say that it is one.
            role = self._roles.of(key) or (Role.CONDITION if folded in LEVELS else Role.VALUE)
        if role is Role.CONDITION or role is Role.EXECUTION:
            return Item(at, key, folded or UNAVAILABLE, code, text, role)
        return Item(at, key, value, code, text, role)


class _Table:
    """Reads the rows of one table; ``columns`` are the places of the columns by name."""

    def __init__(self, log: Log, columns: dict[str, int]) -> None:
        self._log = log
        self._at, self._key, self._value = (columns[name] for name in NEEDED)
        self._code, self._text = columns.get("code"), columns.get("text")
        self._is_header = True

    def __call__(self, raw: bytes) -> Iterator[Item]:
        if self._is_header:
            self._is_header = False
            return
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        if not line:
            return
        fields = _fields(line)
        if fields is None or len(fields) <= max(self._at, self._key, self._value) or not fields[self._key].strip():
            self._log.faults.add("rows without a moment, a key and a value", line)
            return
        item = self._log.item(
            fields[self._at].strip(),
            fields[self._key].strip(),
            fields[self._value].strip(),
            self._optional(fields, self._code).strip(),
            self._optional(fields, self._text),
            None,
        )
        if item is not None:
            yield item

    @staticmethod
    def _optional(fields: list[str], index: int | None) -> str:
        return fields[index] if index is not None and index < len(fields) else ""


def _fields(line: str) -> list[str] | None:
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line]))
    except csv.Error:
        return None
