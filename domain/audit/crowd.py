"""What anybody can cause in mass, counted together, so that nobody can fill a disk with it.

Rules of this file: no clock. The first of a kind is written as it comes; those that follow within ``PERIOD`` are
counted, and written as one when it is over. A kind is an address, what was done, and the word for why. Of more than
``LIMIT`` kinds at a time the rest are counted together, whatever their address, by what was wanted.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from domain.audit.entry import Entry, Target, Who

PERIOD = 60.0
LIMIT = 60

OTHERS = "(others)"
"""In place of an address: many."""

_Kind = tuple[str, str, str]


class _Run(msgspec.Struct):
    """Entries of one kind since the first was written, ``began``."""

    began: float
    newest: Entry
    first_at: float | None = None
    count: int = 0


class Crowd:
    """Counts together; never holds more than twice ``LIMIT`` kinds and one."""

    def __init__(self) -> None:
        self._runs: dict[_Kind, _Run] = {}

    def __len__(self) -> int:
        return sum(run.count for run in self._runs.values())

    def take(self, entry: Entry) -> Entry | None:
        """``entry`` if it is to be written now, None if it is counted."""
        if not entry.together:
            return entry
        kind = (entry.whence.address, entry.what, entry.together)
        if kind not in self._runs and len(self._runs) >= LIMIT:
            # What was wanted may be a word of the client's own: of those too there is an end.
            entry = _anybodys(entry, entry.what if len(self._runs) < 2 * LIMIT else OTHERS)
            kind = (OTHERS, entry.what, "")
        run = self._runs.get(kind)
        if run is None:
            self._runs[kind] = _Run(entry.at, entry)
            return entry
        run.newest = entry if run.newest.who == entry.who else replace(entry, who=Who(name=OTHERS))
        run.count += 1
        if run.first_at is None:
            run.first_at = entry.at
        return None

    def due(self, at: float) -> list[Entry]:
        """What was counted of those kinds whose time is over ``at`` (Unix seconds)."""
        # A clock that was set back ends it too, or it would wait for as long as that.
        return self._end([kind for kind, run in self._runs.items() if not run.began <= at < run.began + PERIOD])

    def flush(self) -> list[Entry]:
        """What was counted of all kinds."""
        return self._end(list(self._runs))

    def _end(self, kinds: list[_Kind]) -> list[Entry]:
        runs = [self._runs.pop(kind) for kind in kinds]
        return [replace(run.newest, count=run.count, since=run.first_at) for run in runs if run.count]


def _anybodys(entry: Entry, what: str) -> Entry:
    return replace(
        entry,
        what=what,
        who=Who(name=OTHERS),
        whence=replace(entry.whence, address=OTHERS, session=""),
        target=Target(),
        why=f"more than {LIMIT} kinds within {PERIOD:g} seconds",
    )
