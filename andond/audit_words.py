"""Which entries of the audit somebody wants, and what they are in a row of a table.

Rules of this file: an entry is a document as it stands in the file. A cell never begins as a formula does, because a
name that somebody gave itself is opened in a spreadsheet by somebody else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from domain import JsonObject, JsonValue, parse_rfc3339
from domain.access import fits

COLUMNS = (
    "number", "at", "what", "outcome", "name", "subject", "tenant", "proof", "roles", "address", "door", "session",
    "path", "id", "count", "why", "before", "after",
)  # fmt: skip

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Wanted(msgspec.Struct, frozen=True):
    """Entries from ``since`` until ``until`` (Unix seconds), by ``who`` (name or subject), of ``what``; empty: all."""

    since: float | None = None
    until: float | None = None
    who: str = ""
    what: str = ""

    def __call__(self, entry: JsonObject) -> bool:
        """Whether ``entry`` is one of them."""
        at = _moment(entry.get("at"))
        if self.since is not None and (at is None or at < self.since):
            return False
        if self.until is not None and (at is None or at >= self.until):
            return False
        if self.who and self.who not in (member(entry, "who", "name"), member(entry, "who", "subject")):
            return False
        return not self.what or fits(self.what, str(entry.get("what")))


def member(entry: JsonObject, group: str, name: str) -> JsonValue:
    """What stands in the member ``name`` of the member ``group``; None if there is none."""
    found = entry.get(group)
    return found.get(name) if isinstance(found, Mapping) else None


def row(entry: JsonObject) -> list[str]:
    """``entry`` in the order of ``COLUMNS``."""
    groups = {"name": "who", "subject": "who", "tenant": "who", "proof": "who", "roles": "who"}
    groups |= {"address": "from", "door": "from", "session": "from", "path": "target", "id": "target"}
    return [_cell(member(entry, groups[name], name) if name in groups else entry.get(name)) for name in COLUMNS]


def _cell(value: JsonValue) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _moment(text: object) -> float | None:
    try:
        return parse_rfc3339(str(text))
    except ValueError:
        return None
