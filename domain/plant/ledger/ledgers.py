"""The time of a whole plant: every unit's ledger and downtime, and the status of its lines.

Rules of this file:

* It decides: what it is told becomes events and rows, both or neither. ``now`` is ours, in microseconds.
* A late or corrected word re-derives what follows from it and leaves an event that says what was said before.
* Only persons' acts change explanations; each is an event with who did it.
* A line's status is that of its units: it runs if one of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec
from msgspec.structs import replace

from domain.decision import Decision, Grounds, Refused, Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.plant.ledger import telling
from domain.plant.ledger.accounting import Books
from domain.plant.ledger.downtime import Downtime
from domain.plant.ledger.instants import DAY_US, SECOND_US
from domain.plant.ledger.keeping import DOWNTIME, SEEN, UNIT, downtime_of
from domain.plant.ledger.kpi import COVERAGE_LIMIT
from domain.plant.ledger.ledger import Kind
from domain.plant.ledger.mapping import StateMap
from domain.plant.ledger.output import Output
from domain.plant.ledger.reasons import Reasons
from domain.plant.ledger.saying import Saying
from domain.plant.ledger.status import UNKNOWN_STATUS, status_word
from domain.plant.ledger.unit import Changed, Outcome, Unit, units_of
from domain.plant.site import Site, is_within

UNIT_LIMIT = 4_096
SEEN_US = 5 * SECOND_US
"""How much of the time before the gateway ended may be unknown: so often it is kept that it was there."""
_STATUS = ("running", "setup", "maintenance", "fault", "stopped", "idle", "unknown")


class Terms(msgspec.Struct, frozen=True):
    """How time is accounted for: mapping, reasons, limits in microseconds.

    ``outputs`` says of a line which place below it counts what it makes.
    """

    states: StateMap
    reasons: Reasons
    minor: int = 120 * SECOND_US
    keep: int = 35 * DAY_US
    coverage_limit: float = COVERAGE_LIMIT
    plus_one: bool = False
    outputs: Mapping[str, str] = msgspec.field(default_factory=dict)


def no_unit(name: str) -> Refused:
    """What is said where nothing was ever heard of ``name``, or it does not concern who asks."""
    return Refused(Grounds.NOT_FOUND, "nothing was heard of this equipment", {"equipment": name})


def no_downtime(id_: str) -> Refused:
    """What is said where there is no downtime ``id_``, or none that concerns who asks."""
    return Refused(Grounds.NOT_FOUND, "there is no such downtime", {"id": id_})


class Ledgers:
    """All units of a plant; ``output`` is what they make."""

    def __init__(self, terms: Terms, site: Site | None = None) -> None:
        self.terms = terms
        self.site = site or Site()
        self.units: dict[str, Unit] = {}
        self.output = Output()
        self.statuses: dict[str, str] = {}
        self.refused = 0
        self._links: set[str] = set()
        self._seen: int | None = None

    def configure(self, terms: Terms, site: Site) -> None:
        """Other settings hold from now on; what was said before was said by the old ones."""
        self.terms, self.site = terms, site
        for unit in self.units.values():
            unit.states, unit.minor = terms.states, terms.minor

    def restore(self, kept: Mapping[str, Iterable[tuple[str, JsonObject]]]) -> int:
        """Begin with what was kept; how many rows are none of ours."""
        units, blocks, faults = dict(kept.get(UNIT, ())), units_of(kept), 0
        downtimes: dict[str, list[Downtime]] = {}
        for id_, value in kept.get(DOWNTIME, ()):
            found = downtime_of(id_, value)
            faults += found is None
            if found is not None:
                downtimes.setdefault(found.unit, []).append(found)
        for path in {**units, **blocks}:
            self._unit(path).restore(units.get(path), blocks.get(path, ()), downtimes.get(path, ()))
        seen = dict(kept.get(SEEN, ())).get("", {}).get("at")
        self._seen = seen if isinstance(seen, int) else None
        self._links = {path for path, unit in self.units.items() if unit.is_linked}
        self.statuses = {line: self._status(line) for line in {self._line(path) for path in self.units}}
        return faults

    def resume(self, now: int) -> Decision[None]:
        """The gateway is there again: what was since it was last seen is not known."""
        told: list[Event] = []
        rows: list[Row] = []
        for unit in self.units.values():
            # What no row says was seen is what the ledger says was.
            outcome = unit.return_from(self._seen or 0, now)
            decision = self._settled(unit, list(self._told(unit, outcome, now)), outcome.rows, now)
            told += decision.events
            rows += decision.rows
        return Decision(None, tuple(told), (*rows, *self._see(now)))

    # -- what is told -----------------------------------------------------------------------------------------

    def take_state(self, event: Event, now: int) -> Decision[None]:
        """``event`` says what a unit does."""
        path = self.site.equipment.path_of(event.source)
        if path not in self.units and len(self.units) >= UNIT_LIMIT:
            self.refused += 1
            return Decision(None)
        unit = self._unit(path)
        outcome = unit.take_state(event, now)
        told = list(self._told(unit, outcome, now, event.id))
        if outcome.is_quarantined and outcome.is_new:
            data: JsonObject = {"stamp": event.time, "event": event.id, "countedAt": now / SECOND_US}
            told.append(telling.event(telling.QUARANTINED, path, f"{event.id}-quarantined", data, now))
        return self._settled(unit, told, outcome.rows, now)

    def take_link(self, place: str, kind: Kind, at: int, now: int, *, is_link: bool = False) -> Decision[None]:
        """``place``, and what is below it, was lost or returned ``at``: nothing was seen of it.

        ``is_link``: there is a connection to it, so it is gone until that is made again.
        """
        path = self.site.equipment.path_of(place)
        if is_link and len(self._links) < UNIT_LIMIT:
            self._links.add(path)
        told: list[Event] = []
        rows: list[Row] = []
        for unit in [each for each in self.units.values() if is_within(each.path, path)]:
            outcome, linked = unit.take_link(kind, at), unit.link() if is_link else []
            decision = self._settled(unit, list(self._told(unit, outcome, now)), [*linked, *outcome.rows], now)
            told += decision.events
            rows += decision.rows
        return Decision(None, tuple(told), tuple(rows))

    def settle(self, now: int) -> Decision[None]:
        """See what time has done: stops that are long enough by now, what is too old."""
        told: list[Event] = []
        rows: list[Row] = []
        for unit in self.units.values():
            decision = self._settled(unit, [], unit.forget(unit.present(now) - self.terms.keep), now)
            told += decision.events
            rows += decision.rows
        self.output.forget(now - self.terms.keep)
        is_due = self._seen is None or abs(now - self._seen) >= SEEN_US
        return Decision(None, tuple(told), (*rows, *(self._see(now) if is_due else ())))

    # -- what persons do --------------------------------------------------------------------------------------

    def changed(self, before: Downtime, after: Downtime, type_: str, by: str, now: int) -> Decision[JsonValue]:
        """Somebody explained, cut or joined a downtime."""
        unit = self.units[before.unit]
        after = replace(after, told=after.told + 1)
        document = self.document(after, now)
        data = {**document, "by": by}
        told = telling.event(type_, unit.path, f"{after.id}-{after.told}", data, now)
        return Decision(document, (told,), (unit.put(after),))

    def correct(self, path: str, at: int, saying: Saying, by: str, now: int) -> Decision[JsonValue]:
        """Somebody says what a unit did from ``at`` on.

        Raises:
            Refused: if there is no such unit, or the ledger does not reach back so far.
        """
        unit = self.unit(path)
        outcome = unit.correct(at, saying)
        if outcome.is_too_late:
            raise Refused(Grounds.CONFLICT, "the ledger does not reach back so far")
        decision = self._settled(unit, list(self._told(unit, outcome, now, by=by)), outcome.rows, now)
        return Decision({"equipment": unit.path, "state": saying.word}, decision.events, decision.rows)

    # -- what is asked ----------------------------------------------------------------------------------------

    def unit(self, name: str) -> Unit:
        """The unit that ``name`` (a path or a code) means.

        Raises:
            Refused: if nothing was ever heard of it.
        """
        unit = self.units.get(self.site.equipment.path_of(name))
        if unit is None:
            raise no_unit(name)
        return unit

    def seen(self, sees: Callable[[str], bool], site: Site) -> Ledgers:
        """The units at places that ``sees``, what they make and how their lines are by them alone, for reading.

        ``site`` is what of the site is seen.
        """
        part = Ledgers(self.terms, site)
        part.units = {path: unit for path, unit in self.units.items() if sees(path)}
        part.output = self.output.seen(sees)
        for line in dict.fromkeys(map(part._line, part.units)):
            is_whole = all(path in part.units for path in self.units if is_within(path, line))
            known = self.statuses.get(line) if is_whole else None
            part.statuses[line] = part._status(line) if known is None else known
        return part

    def downtime(self, id_: str) -> Downtime:
        """The downtime called ``id_``.

        Raises:
            Refused: if there is none.
        """
        for unit in self.units.values():
            if id_ in unit.downtimes:
                return unit.downtimes[id_]
        raise no_downtime(id_)

    def books(self, unit: Unit) -> Books:
        """What the time of ``unit`` is accounted for by."""
        calendar = self.site.calendar_of(unit.path)
        return Books(unit.ledger, calendar, self.terms.reasons, self.terms.minor, tuple(unit.downtimes.values()))

    def document(self, downtime: Downtime, now: int) -> JsonObject:
        """``downtime`` as it is told."""
        present = self.units[downtime.unit].present(now)
        return telling.downtime_document(downtime, self.terms.reasons, self.site.equipment, present)

    def status_of(self, unit: Unit, now: int | None = None) -> str:
        """What a unit does ``now``, by default since its newest word, in the words of the floor dashboard."""
        newest = unit.ledger.newest
        if newest is None:
            return UNKNOWN_STATUS
        held = unit.ledger.at(newest.at if now is None else unit.present(now))
        return status_word(held.bucket, held.word)

    def unmapped(self) -> list[Saying]:
        """The words that time stands in some ledger of, and that no row says the meaning of."""
        return list(dict.fromkeys(saying for unit in self.units.values() for saying in unit.unmapped()))

    # -- within -----------------------------------------------------------------------------------------------

    def _unit(self, path: str) -> Unit:
        if path not in self.units:
            unit = self.units[path] = Unit(path, self.terms.states, self.terms.minor)
            unit.is_linked = any(is_within(path, place) for place in self._links)
        return self.units[path]

    def _see(self, now: int) -> list[Row]:
        self._seen = now
        return [Row(SEEN, "", {"at": now})] if self.units else []

    def _told(self, unit: Unit, outcome: Outcome, now: int, cause: str = "", by: str | None = None) -> Iterable[Event]:
        for one in outcome.rewritten:
            late = unit.present(now) - one.entry.at
            data = {**telling.rewritten_document(one, late), "by": by}
            at, revision, kind, said, word, _ = one.entry
            id_ = f"{unit.path}-rewritten-{at}-{revision}-{kind.value}-{said}-{word}"
            yield telling.event(telling.OEE_REWRITTEN, unit.path, id_, data, now)
        if outcome.illegal is not None:
            members = telling.illegal_document(outcome.illegal)
            yield telling.event(telling.ILLEGAL, unit.path, f"{cause}-illegal", members, now)

    def _settled(self, unit: Unit, told: list[Event], rows: Iterable[Row], now: int) -> Decision[None]:
        rows = list(rows)
        for changed in unit.settle(now):
            told.append(self._downtime_event(changed, now))
            rows.append(self._downtime_row(unit, changed))
        line = self._line(unit.path)
        status = self._status(line, now)
        before = self.statuses.get(line)
        if status != before:
            self.statuses[line] = status
            told.append(self._line_event(line, before, status, now))
        return Decision(None, tuple(told), tuple(rows))

    def _downtime_event(self, changed: Changed, now: int) -> Event:
        before, after = changed.before, changed.after
        told = after or before
        if told is None:
            raise ValueError("a downtime that neither was nor is")
        number = (0 if before is None else before.told) + 1
        type_ = telling.STARTED if before is None and after is not None and after.is_open else telling.ENDED
        at = told.begin if type_ == telling.STARTED else told.end
        data = {**self.document(told, now), "is_withdrawn": after is None}
        return telling.event(type_, told.unit, f"{told.id}-{number}", data, now, at)

    def _downtime_row(self, unit: Unit, changed: Changed) -> Row:
        if changed.after is not None:
            told = 0 if changed.before is None else changed.before.told
            return unit.put(replace(changed.after, told=told + 1))
        return Row(DOWNTIME, "" if changed.before is None else changed.before.id, None)

    def _line(self, path: str) -> str:
        line = self.site.equipment.line_of(path)
        return path if line is None else line.path

    def _status(self, line: str, now: int | None = None) -> str:
        found = {self.status_of(unit, now) for unit in self.units.values() if is_within(unit.path, line)}
        return next((word for word in _STATUS if word in found), "unknown")

    def _line_event(self, line: str, before: str | None, status: str, now: int) -> Event:
        units: dict[str, JsonValue] = {
            unit.path: self.status_of(unit, now) for unit in self.units.values() if is_within(unit.path, line)
        }
        code = self.site.equipment.code_of(line)
        data: JsonObject = {"line_id": code, "status": status, "previous": before, "units": units}
        return telling.event(telling.LINE_STATUS, line, f"{line}-{now}-{status}", data, now)
