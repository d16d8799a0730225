"""What can be asked of time, stops and figures: the present view of all units.

Rules of this file: nothing changes by being asked. A place that is no unit is the sum of the units in it: elements are
summed, never ratios, see ``places``. What nobody knows is null with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from domain.decision import Grounds, Refused
from domain.json import JsonObject, JsonValue
from domain.plant.ledger import kpi
from domain.plant.ledger.accounting import Books
from domain.plant.ledger.elements import Elements, Quantity, total
from domain.plant.ledger.figures import NOT_COUNTED, Window, figures
from domain.plant.ledger.instants import SECOND_US, rfc3339_us
from domain.plant.ledger.ledger import Ledger, NotKept
from domain.plant.ledger.ledgers import Ledgers, no_downtime, no_unit
from domain.plant.ledger.output import Cycle
from domain.plant.ledger.places import Counter, together
from domain.plant.ledger.statistics import statistics
from domain.plant.ledger.telling import segments_document
from domain.plant.ledger.unit import Unit
from domain.plant.site import Interval, Site, is_within

SEGMENT_LIMIT = 10_000
SEEN_AS = ("equipment", "oee", "downtime")
"""What is said of a unit, by the kinds of channels that tell it: what it does, its figures, its stops."""

EQUIPMENT, OEE, DOWNTIME = SEEN_AS

Sees = Callable[[str, str], bool]
"""Whether what a kind tells of a path is seen."""


def everything(_kind: str, _path: str) -> bool:
    """Who sees all there is."""
    return True


class LedgersNow(msgspec.Struct, frozen=True):
    """The ``ledgers`` as they are at ``now`` (microseconds); ``cycle`` says how long a piece takes at best.

    ``sees`` tells what is said of which path: what a unit does, its figures and its stops (``SEEN_AS``).
    """

    ledgers: Ledgers
    cycle: Cycle
    now: int
    sees: Sees = everything

    def seen(self, sees: Sees, site: Site) -> LedgersNow:
        """The same without what is not seen: of a unit of which nothing is, nothing was heard.

        ``site`` is what of the site is seen.
        """
        part = self.ledgers.seen(lambda path: any(sees(kind, path) for kind in SEEN_AS), site)
        return LedgersNow(part, self.cycle, self.now, sees)

    def seen_units(self, kind: str) -> list[str]:
        """The paths of the units of which something was heard, and what ``kind`` tells is seen."""
        return [path for path in self.ledgers.units if self.sees(kind, path)]

    # -- windows ----------------------------------------------------------------------------------------------

    def shift(self, place: str) -> Window:
        """The shift that ``place`` works now; the day of the plant where there is none."""
        path, present = self._path(place), self._present(place)
        calendar = self.ledgers.site.calendar_of(path)
        shift = calendar.shift_at(present / SECOND_US)
        return self.day(place) if shift is None else Window("shift", shift.id, shift.begin_us, shift.end_us)

    def day(self, place: str) -> Window:
        """The day of the plant that it is now."""
        day = self.ledgers.site.calendar_of(self._path(place)).day_at(self._present(place) / SECOND_US)
        return Window("day", day.date.isoformat(), day.begin_us, day.end_us)

    def shifts(self, place: str, begin: int, end: int) -> list[Window]:
        """The shifts of which some is in [``begin``, ``end``)."""
        found = self.ledgers.site.calendar_of(self._path(place)).shifts(begin, end)
        return [Window("shift", shift.id, shift.begin_us, shift.end_us) for shift in found]

    def job(self, job: str) -> tuple[str, Window]:
        """Where ``job`` was worked on last, and all of the time that it was there.

        Raises:
            Refused: if nobody said that it was.
        """
        found = self.ledgers.output.runs_of(job)
        if found is None:
            raise Refused(Grounds.NOT_FOUND, "this job was not worked on", {"job": job})
        place, runs = found
        spans = tuple((run.begin, self._present(place) if run.end is None else run.end) for run in runs)
        return place, Window("job", job, spans[0][0], spans[-1][1], spans)

    # -- figures ----------------------------------------------------------------------------------------------

    def oee(self, place: str, window: Window | None = None) -> JsonObject:
        """All figures of ``place`` in ``window``, by default the shift that it works.

        Raises:
            Refused: if nothing was heard of it, or the window lies before what is kept.
        """
        path, chosen = self._path(place), window or self.shift(place)
        units = self._units(place, OEE)
        heard = {unit.path: unit for unit in units}
        unheard = self._unheard(path, heard)
        counter = Counter(self.ledgers.output, self.ledgers.site.equipment, self.ledgers.terms.outputs, self.cycle)
        parts = [self._unseen(each, chosen, self._present(place)) for each in unheard]
        suggestions: list[kpi.Suggestion] = []
        silent: list[str] = []
        for group, members in counter.groups(path, heard).items():
            part, suggested = self._group(counter, group, [heard[each] for each in members], chosen)
            parts.append(part)
            suggestions += suggested
            silent += counter.silent(group, members)
        terms = self.ledgers.terms
        said = figures(total(parts), suggestions, coverage_limit=terms.coverage_limit, plus_one=terms.plus_one)
        line = self.ledgers.site.equipment.line_of(path)
        return {
            "equipment": path,
            "line_id": None if line is None else line.code,
            "equipment_code": self.ledgers.site.equipment.code_of(path),
            "window": chosen.document(),
            "until": rfc3339_us(min(chosen.end, self._present(place))),
            "status": self._status(path, units),
            "units": [*heard],
            "unheard": [*unheard],
            "mapping": terms.states.version,
            **said,
            "reasons": _reasons(said["reasons"], silent),
        }

    def elements(self, unit: Unit, window: Window) -> Elements:
        """The times of ``unit`` in ``window``, as far as it has gone.

        Raises:
            Refused: if some of it is no longer kept.
        """
        try:
            return _within(self.ledgers.books(unit), window, unit.present(self.now))
        except NotKept as gone:
            raise _not_kept(gone) from None

    # -- stops ------------------------------------------------------------------------------------------------

    def downtimes(self, place: str, begin: int, end: int, *, only_open: bool = False) -> list[JsonObject]:
        """The stops of ``place`` of which some is in [``begin``, ``end``), whole, the newest first."""
        found = [
            each
            for unit in self._units(place, DOWNTIME)
            for each in unit.downtimes.values()
            if each.begin < end and (each.is_open or begin < each.end) and (each.is_open or not only_open)
        ]
        found.sort(key=lambda each: (-each.begin, each.id))
        return [self.ledgers.document(each, self.now) for each in found]

    def downtime(self, id_: str) -> JsonObject:
        """One stop.

        Raises:
            Refused: if there is none.
        """
        found = self.ledgers.downtime(id_)
        if not self.sees(DOWNTIME, found.unit):
            raise no_downtime(id_)
        return self.ledgers.document(found, self.now)

    def statistics(self, place: str, begin: int, end: int) -> JsonObject:
        """The downtime of ``place`` in [``begin``, ``end``), in the field names of the floor dashboard."""
        end = min(end, self._present(place))
        days = self.ledgers.site.calendar_of(self._path(place)).days(begin, end)
        found = [each for unit in self._units(place, DOWNTIME) for each in unit.downtimes.values()]

        def busy(path: str) -> list[Interval] | None:
            calendar = self.ledgers.site.calendar_of(path)
            return calendar.busy(begin, end) if calendar.is_known else None

        return statistics(found, begin, end, self.ledgers.terms.reasons, days, busy)

    def reasons(self) -> list[JsonValue]:
        """The reasons there are."""
        return [reason.document() for reason in self.ledgers.terms.reasons.table.values()]

    # -- time -------------------------------------------------------------------------------------------------

    def timeline(self, name: str, begin: int, end: int) -> JsonObject:
        """What a unit did in [``begin``, ``end``), segment by segment, and the sums of it.

        Raises:
            Refused: if nothing was heard of it, some of it is no longer kept, or there is too much of it.
        """
        unit = self.ledgers.unit(name)
        if not self.sees(OEE, unit.path):
            raise no_unit(name)
        end = max(begin, min(end, unit.present(self.now)))
        try:
            segments = tuple(unit.ledger.segments(begin, end))
        except NotKept as gone:
            raise _not_kept(gone) from None
        if len(segments) > SEGMENT_LIMIT:
            raise Refused(Grounds.INVALID, f"more than {SEGMENT_LIMIT} segments: ask for a shorter time")
        sums = unit.ledger.sums(begin, end)
        return {
            "equipment": unit.path,
            "begin": rfc3339_us(begin),
            "end": rfc3339_us(end),
            "seconds": {bucket.value: us / SECOND_US for bucket, us in sums.items()},
            "segments": segments_document(segments),
        }

    def status(self, place: str) -> JsonObject:
        """What ``place`` does, since when, and its open stop."""
        units = self._units(place, EQUIPMENT)
        path = self._path(place)
        newest = [unit.ledger.newest for unit in units]
        since = max((entry.at for entry in newest if entry is not None), default=None)
        status = self._status(path, units) or "unknown"
        told = [unit for unit in units if self.sees(DOWNTIME, unit.path)]
        stops = [each for unit in told for each in unit.downtimes.values() if each.is_open]
        return {
            "equipment": path,
            "equipment_code": self.ledgers.site.equipment.code_of(path),
            "status": status,
            "since": None if since is None else rfc3339_us(since),
            "active_downtime": [self.ledgers.document(each, self.now) for each in stops],
        }

    # -- within -----------------------------------------------------------------------------------------------

    def _path(self, place: str) -> str:
        return self.ledgers.site.equipment.path_of(place)

    def _units(self, place: str, *kinds: str) -> Sequence[Unit]:
        """The units in ``place`` of which one of ``kinds`` is seen, by default any; all of them if it is empty.

        Raises:
            Refused: if nothing was heard of any.
        """
        path = self._path(place) if place else ""
        inside = (unit for unit in self.ledgers.units.values() if is_within(unit.path, path))
        units = [unit for unit in inside if any(self.sees(kind, unit.path) for kind in kinds or SEEN_AS)]
        if not units:
            raise no_unit(place)
        return units

    def _unheard(self, path: str, heard: Iterable[str]) -> list[str]:
        """The work units in ``path`` that are described, and of which nothing was heard, nor of what is around them."""
        described = [unit.path for unit in self.ledgers.site.equipment.work_units(path)]
        return [each for each in described if not any(is_within(one, each) or is_within(each, one) for one in heard)]

    def _unseen(self, path: str, window: Window, present: int) -> Elements:
        terms = self.ledgers.terms
        nothing = Books(Ledger(), self.ledgers.site.calendar_of(path), terms.reasons, terms.minor)
        return _within(nothing, window, present)

    def _status(self, path: str, units: Sequence[Unit]) -> str | None:
        return self.ledgers.status_of(units[0], self.now) if len(units) == 1 else self.ledgers.statuses.get(path)

    def _present(self, place: str) -> int:
        return max(unit.present(self.now) for unit in self._units(place))

    def _group(
        self, counter: Counter, group: str, units: Sequence[Unit], window: Window
    ) -> tuple[Elements, list[kpi.Suggestion]]:
        """The elements of units that work on the same pieces."""
        paths, job = [unit.path for unit in units], window.name if window.kind == "job" else None
        at = counter.counted_at(group, paths)
        spoken = [([unit], unit.path) for unit in units] if at is None else [([*units], at)]
        parts, suggestions = [], []
        for members, counted_at in spoken:
            made = counter.made(counted_at, [unit.path for unit in members], window.begin, window.end, job)
            part = together((self.elements(unit, window) for unit in members), made)
            parts.append(part)
            suggestions += self._suggestions(made, part) if len(members) == 1 else []
        return total(parts), suggestions

    def _suggestions(self, made: Sequence[Quantity], elements: Elements) -> list[kpi.Suggestion]:
        """With one product it is its cycle that is wrong; of several nobody can tell by the sum of them."""
        if len(made) != 1:
            return []
        found = kpi.suggestion(made[0].product, made[0].ideal_cycle, elements)
        return [] if found is None else [found]


def _reasons(reasons: JsonValue, silent: Sequence[str]) -> JsonValue:
    """Why figures are null; where only some units of a line count, which do not, and what helps."""
    if not silent or not isinstance(reasons, Mapping):
        return reasons
    why = f"{', '.join(silent)} does not count: floor.jobs.outputs says which place counts what a line makes"
    return {name: why if reason == NOT_COUNTED else reason for name, reason in reasons.items()}


def _within(books: Books, window: Window, present: int) -> Elements:
    return total(books.elements(begin, end, present) for begin, end in window.intervals)


def _not_kept(gone: NotKept) -> Refused:
    return Refused(Grounds.NOT_FOUND, "the ledger does not reach back so far", {"oldest": rfc3339_us(gone.oldest)})
