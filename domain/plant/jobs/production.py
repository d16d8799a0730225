"""What the whole floor makes: the counts of each place, and which job they belong to.

Rules of this file:

* Pieces that name no job belong to the job that the place, or the place above it, worked on at their own moment.
* A job's pieces are those counted where it is made. If that is a line with several places that count, one of them must
  be said to be its output (``outputs``): pieces that pass five stations are not five pieces. Until it is said nobody
  knows.
* What is kept: each telling while it is recent, by its id; then whole minutes, an hour a row; then only a job's sum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec
from msgspec.structs import replace

from domain.decision import Refused, Row
from domain.json import JsonObject, JsonValue
from domain.plant.jobs.counters import Mark
from domain.plant.jobs.counts import MINUTE_US, Count, Counts, Made, Shown, Taken, Tally
from domain.plant.jobs.quantities import Kind, Quantities, is_whole, quantities_of
from domain.plant.jobs.runs import Runs
from domain.plant.jobs.tellings import of_row, to_row

COUNT, HOUR, PAST, FOLD, RUN = "production.count", "production.hour", "production.past", "production.fold", "job.runs"
KINDS = (COUNT, HOUR, PAST, FOLD, RUN)
HOUR_US = 60 * MINUTE_US
SEPARATOR = "|"

Kept = Mapping[str, Iterable[tuple[str, JsonObject]]]


class Counted(msgspec.Struct, frozen=True):
    """What came of a telling: the counts that are new or have new numbers, why nothing if nothing, what to keep."""

    counts: tuple[Count, ...]
    refused: str | None
    rows: tuple[Row, ...]


class Production:
    """The counts of all places; ``outputs`` says of a line which place below it counts what it makes."""

    def __init__(self, runs: Runs, outputs: Mapping[str, str] | None = None) -> None:
        self.runs = runs
        self.outputs = outputs or {}
        self._places: dict[str, Counts] = {}
        self._number = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def seen(self, sees: Callable[[str], bool]) -> Production:
        """What was counted at places that ``sees``, for reading."""
        part = Production(self.runs.seen(sees), self.outputs)
        part._places = {place: counts for place, counts in self._places.items() if sees(place)}
        return part

    @property
    def late(self) -> int:
        """Counts that came too late to be counted."""
        return sum(place.late for place in self._places.values())

    @property
    def repeated(self) -> int:
        """Counts that came again."""
        return sum(place.repeated for place in self._places.values())

    def take(self, equipment: str, telling: Made | Shown) -> Counted:
        """Count what was told of ``equipment``."""
        telling = self._attributed(equipment, telling)
        place = self._places.setdefault(equipment, Counts())
        taken: Taken = place.take(telling)
        if taken.refused is not None:
            return Counted((), taken.refused, ())
        self._number += 1
        row = Row(COUNT, f"{equipment}{SEPARATOR}{telling.id}", to_row(telling, self._number))
        return Counted(taken.counts, None, (row,))

    def totals(self, equipment: str, begin: int, end: int) -> list[Tally]:
        """What ``equipment`` made in [``begin``, ``end``), microseconds; what a line made its output counted."""
        place = self._place_of(equipment)
        return [] if place is None else self._places[place].totals(begin, end)

    def made_for(self, job: str, equipment: str) -> tuple[Quantities, str | None]:
        """What was made for ``job``, which is made at ``equipment``; why that is not known, if it is not."""
        if equipment in self._places and self._places[equipment].counted_for(job):
            return self._places[equipment].of_job(job), None
        output = self.outputs.get(equipment)
        if output is not None:
            return (self._places[output].of_job(job) if output in self._places else Quantities()), None
        places = [place for place in self._below(equipment) if self._places[place].counted_for(job)]
        if len(places) == 1:
            return self._places[places[0]].of_job(job), None
        if not places:
            return Quantities(), "nothing was counted yet"
        return Quantities(), f"counted at {', '.join(places)}: say which one is the output of {equipment}"

    def first_good(self, equipment: str, product: str, since: int) -> int | None:
        """When ``equipment``, or its output, counted the first good piece of ``product`` from ``since`` on."""
        place = self._place_of(equipment)
        return None if place is None else self._places[place].first_good(product, since)

    def last_good(self, equipment: str, product: str, until: int) -> int | None:
        """When ``equipment``, or its output, counted the last good piece of ``product`` up to ``until``."""
        place = self._place_of(equipment)
        return None if place is None else self._places[place].last_good(product, until)

    def counts(self, equipment: str) -> tuple[Count, ...]:
        """Everything that was counted at ``equipment``; what is old by the minute."""
        place = self._places.get(equipment)
        return () if place is None else tuple(place.all())

    def begin_run(self, equipment: str, job: str, product: str | None, at: int) -> Row:
        """``equipment`` works on ``job`` from ``at`` on."""
        self.runs.begin(equipment, job, product, at)
        return Row(RUN, equipment, self.runs.to_row(equipment))

    def end_run(self, equipment: str, at: int) -> Row:
        """``equipment`` works on nothing from ``at`` on."""
        self.runs.end(equipment, at)
        return Row(RUN, equipment, self.runs.to_row(equipment))

    def forget_job(self, job: str) -> tuple[Row, ...]:
        """A job order is no more."""
        for place in self._places.values():
            place.forget_job(job)
        return tuple(Row(PAST, f"{path}{SEPARATOR}{job}", None) for path in self._places)

    # -- what is kept -------------------------------------------------------------------------------------------

    def fold(self, horizon: int, keep: int) -> tuple[Row, ...]:
        """Keep minutes of what is before ``horizon``, and only sums of what is before ``keep``."""
        rows: list[Row] = []
        for path, place in self._places.items():
            folded = place.fold(horizon)
            rows += [Row(COUNT, f"{path}{SEPARATOR}{id_}", None) for id_ in folded.ids]
            gone, jobs = place.forget(keep - keep % HOUR_US)
            hours = {minute - minute % HOUR_US for minute in (*folded.minutes, *gone)}
            rows += [_hour_row(path, place, hour) for hour in sorted(hours)]
            rows += [Row(PAST, f"{path}{SEPARATOR}{job}", place.past_of(job).to_members()) for job in sorted(jobs)]
            if folded.ids or gone:
                rows.append(Row(FOLD, path, _fold_row(place)))
        return tuple(rows)

    def recall(self, kept: Kept) -> int:
        """Know again what was kept; how many rows are none of ours."""
        faults = 0
        for path, row in kept.get(FOLD, ()):
            _recall_fold(self._places.setdefault(path, Counts()), row)
        for key, row in kept.get(HOUR, ()):
            path, _, hour = key.rpartition(SEPARATOR)
            _recall_hour(self._places.setdefault(path, Counts()), int(hour), row)
        for key, row in kept.get(PAST, ()):
            path, _, job = key.partition(SEPARATOR)
            self._places.setdefault(path, Counts()).recall_past(job, quantities_of(row))
        for path, row in kept.get(RUN, ()):
            self.runs.recall(path, row)
        for key, row in sorted(kept.get(COUNT, ()), key=lambda item: _number_of(item[1])):
            path, _, id_ = key.partition(SEPARATOR)
            self._number = max(self._number, _number_of(row))
            try:
                self._places.setdefault(path, Counts()).take(of_row(id_, row))
            except Refused:
                faults += 1
        return faults

    # -- within -------------------------------------------------------------------------------------------------

    def _attributed(self, equipment: str, telling: Made | Shown) -> Made | Shown:
        if telling.job is not None and telling.product is not None:
            return telling
        run = self.runs.at(equipment, telling.at)
        if run is None or telling.job not in (None, run.job):
            return telling
        return replace(telling, job=run.job, product=telling.product or run.product)

    def _place_of(self, equipment: str) -> str | None:
        """Where the pieces of ``equipment`` are counted."""
        if equipment in self._places:
            return equipment
        output = self.outputs.get(equipment)
        if output is not None:
            return output if output in self._places else None
        places = list(self._below(equipment))
        return places[0] if len(places) == 1 else None

    def _below(self, equipment: str) -> Iterable[str]:
        return (path for path in self._places if path.startswith(f"{equipment}/"))


def _number_of(row: JsonObject) -> int:
    number = row.get("n")
    return number if is_whole(number) else 0


def _hour_row(path: str, place: Counts, hour: int) -> Row:
    minutes: list[JsonValue] = [
        [minute, job, product, *pieces.values()]
        for minute in range(hour, hour + HOUR_US, MINUTE_US)
        for (job, product), pieces in place.minute(minute).items()
    ]
    return Row(HOUR, f"{path}{SEPARATOR}{hour}", {"minutes": minutes} if minutes else None)


def _recall_hour(place: Counts, hour: int, row: JsonObject) -> None:
    minutes: dict[int, dict[tuple[str | None, str | None], Quantities]] = {}
    told = row.get("minutes")
    for each in told if isinstance(told, list | tuple) else ():
        match each:
            case [minute, job, product, *values] if is_whole(minute) and hour <= minute < hour + HOUR_US:
                pieces = quantities_of(dict(zip((kind.value for kind in Kind), values, strict=False)))
                key = (job if isinstance(job, str) else None, product if isinstance(product, str) else None)
                minutes.setdefault(minute, {})[key] = pieces
    for minute, sums in minutes.items():
        place.recall_minute(minute, sums)


def _fold_row(place: Counts) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {kind.value: at for kind, at in place.told_since.items()}
    counters: list[JsonValue] = [
        [name, kind.value, mark.at, mark.value, mark.id] for name, kind, mark in place.baselines()
    ]
    return {"to": place.folded_to, "told": told, "counters": counters}


def _recall_fold(place: Counts, row: JsonObject) -> None:
    told, to, counters = row.get("told"), row.get("to"), row.get("counters")
    since = {Kind(kind): at for kind, at in told.items() if is_whole(at)} if isinstance(told, Mapping) else {}
    place.recall_told(since, to if is_whole(to) else 0)
    for each in counters if isinstance(counters, list | tuple) else ():
        match each:
            case [str(name), str(kind), at, value, str(id_)] if is_whole(at) and is_whole(value):
                place.recall_baseline(name, Kind(kind), Mark(at, value, id_))
