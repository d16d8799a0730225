"""Which job each place worked on when: what pieces that nobody named a job for belong to.

Rules of this file: moments are microseconds, runs are half open and do not overlap. A place without a run of its own
works on what the place above it works on: the job of a line is the job of its stations. Memory is bounded: of each
place the newest runs are known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec
from msgspec.structs import replace

from domain.json import JsonObject, JsonValue
from domain.plant.jobs.quantities import is_whole

RUNS = 500


class Run(msgspec.Struct, frozen=True):
    """``job`` was worked on from ``begin`` until ``end``, None while it still is."""

    job: str
    product: str | None
    begin: int
    end: int | None = None


class Runs:
    """The runs of all places by their ISA-95 path."""

    def __init__(self, limit: int = RUNS) -> None:
        self._limit = limit
        self._runs: dict[str, list[Run]] = {}

    def begin(self, equipment: str, job: str, product: str | None, at: int) -> None:
        """``equipment`` works on ``job`` from ``at`` on; what it worked on before is over by then."""
        self.end(equipment, at)
        runs = self._runs.setdefault(equipment, [])
        # Who reports late must not take away what was another job's already.
        begin = at if not runs or runs[-1].end is None else max(at, runs[-1].end)
        runs.append(Run(job, product, begin))
        del runs[: -self._limit]

    def end(self, equipment: str, at: int) -> None:
        """``equipment`` works on nothing from ``at`` on."""
        runs = self._runs.get(equipment)
        if runs and runs[-1].end is None:
            runs[-1] = replace(runs[-1], end=max(at, runs[-1].begin))

    def seen(self, sees: Callable[[str], bool]) -> Runs:
        """The runs of places that ``sees``, for reading."""
        part = Runs(self._limit)
        part._runs = {place: runs for place, runs in self._runs.items() if sees(place)}
        return part

    def at(self, equipment: str, at: int) -> Run | None:
        """What ``equipment``, or else the nearest place above it, worked on at ``at``."""
        for path in _upwards(equipment):
            for run in reversed(self._runs.get(path, ())):
                if run.begin <= at and (run.end is None or at < run.end):
                    return run
        return None

    def of(self, equipment: str) -> tuple[Run, ...]:
        """The runs of ``equipment`` itself, oldest first."""
        return tuple(self._runs.get(equipment, ()))

    def before(self, equipment: str, at: int, product: str) -> Run | None:
        """The last run of ``equipment`` itself that began before ``at`` and made another product than ``product``."""
        runs = reversed(self._runs.get(equipment, ()))
        return next((run for run in runs if run.begin < at and run.product != product), None)

    def to_row(self, equipment: str) -> dict[str, JsonValue]:
        """The runs of ``equipment`` as they are kept."""
        runs: list[JsonValue] = [[run.job, run.product, run.begin, run.end] for run in self.of(equipment)]
        return {"runs": runs}

    def recall(self, equipment: str, row: JsonObject) -> None:
        """Know again what was kept."""
        runs = row.get("runs")
        self._runs[equipment] = list(_runs(runs)) if isinstance(runs, list | tuple) else []


def _runs(rows: Iterable[JsonValue]) -> Iterator[Run]:
    for row in rows:
        match row:
            case [str(job), product, begin, end] if is_whole(begin):
                name = product if isinstance(product, str) else None
                yield Run(job, name, begin, end if is_whole(end) else None)


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
