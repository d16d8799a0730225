"""One work unit while it runs: its ledger, its clock, its downtime, kept as rows.

Rules of this file:

* No clock: ``now`` is ours, in microseconds. What events say is put where its source's clock says, see ``sanity``.
* What an event says was before is believed where the ledger knows otherwise: so a state that was told while nobody
  could write it is there all the same.
* Of events with one stamp the one with the greater ``sequence`` was said later. Where another word has that place
  already (a publisher without sequences, another life of the gateway), the one that came later was. The same word at
  the same place is the same entry, so what comes twice counts once.
* What was while the gateway itself was not there nobody knows. It is known again with the link, or from our return
  where a unit has none; and an MTConnect stamp from before says since when a state holds, so it held all the while.
* Stops follow the ledger: ``settle`` compares what it says with what is on record. One that is shorter than the limit
  is minor, and on no record.
* Rows are small: entries are kept in blocks of ten minutes, a downtime in a row of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile

import msgspec
from msgspec.structs import replace

from domain.decision import Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.plant.ledger.bucket import Bucket
from domain.plant.ledger.downtime import Downtime, Piece, begun, followed
from domain.plant.ledger.instants import SECOND_US, parse_us, us_of
from domain.plant.ledger.keeping import BLOCK, BLOCK_US, DOWNTIME, UNIT, downtime_row, entries_of, entry_values
from domain.plant.ledger.ledger import AWAY, Entry, Kind, Ledger, NotKept, Rewritten, is_away
from domain.plant.ledger.mapping import MTCONNECT, PACKML, StateMap
from domain.plant.ledger.packml import IllegalTransition, PackMl
from domain.plant.ledger.sanity import UnitClock
from domain.plant.ledger.saying import Previous, Saying, previous_of, saying_of, sayings_of, sequence_of
from domain.plant.ledger.stops import Stop, stops_in

DOWNTIME_LIMIT = 5_000
UNMAPPED_LIMIT = 64
_MILLISECOND = 1_000


class Outcome(msgspec.Struct):
    """What came of an event: what it rewrote, what was wrong with it, the rows to be kept."""

    is_new: bool = False
    rewritten: list[Rewritten] = msgspec.field(default_factory=list)
    illegal: IllegalTransition | None = None
    is_quarantined: bool = False
    is_too_late: bool = False
    rows: list[Row] = msgspec.field(default_factory=list)


class Changed(msgspec.Struct, frozen=True):
    """A downtime as it was and as it is; None: it was not, or is not any more."""

    before: Downtime | None
    after: Downtime | None


class Unit:
    """The work unit at ``path``; stops shorter than ``minor`` microseconds are minor."""

    def __init__(self, path: str, states: StateMap, minor: int) -> None:
        self.path = path
        self.states = states
        self.minor = minor
        self.ledger = Ledger()
        self.clock = UnitClock()
        self.downtimes: dict[str, Downtime] = {}
        self.greeting_until = 0
        self.is_linked = False
        self._away: int | None = None
        self._unmapped: dict[str, Saying] = {}
        self._kept: JsonValue = None
        self._packml = PackMl()
        self._unsettled: int | None = None

    # -- what is told -----------------------------------------------------------------------------------------

    def take_state(self, event: Event, now: int) -> Outcome:
        """``event`` says what the unit does."""
        outcome = Outcome()
        saying = saying_of(event.data)
        if saying is None:
            return outcome
        received, previous = us_of(event.recorded), previous_of(event.data)
        placed = self.clock.place(
            _source_us(event),
            received,
            is_good=event.quality == "good",
            is_greeting=previous is None or now < self.greeting_until,
        )
        outcome.is_quarantined = placed.is_quarantined
        if previous is not None and not placed.is_quarantined:
            self._heal(previous, placed.at, outcome)
        entry = self._placed(self._entry(placed.at, saying), 0 if placed.is_quarantined else sequence_of(event.data))
        self._enter(entry, outcome)
        if saying.model == MTCONNECT and not placed.is_quarantined:
            self._bridge(entry, outcome)
        if saying.model == PACKML and outcome.is_new:
            outcome.illegal = self._packml.take(saying.state)
        return self._finished(outcome)

    def take_link(self, kind: Kind, at: int) -> Outcome:
        """The link to the unit was lost, or returned, ``at`` (microseconds of ours)."""
        outcome = Outcome()
        if kind is Kind.RETURNED:
            self.greeting_until = at + 10 * SECOND_US
        self._enter(Entry(self.clock.present(at), 0, kind, 0, "", Bucket.UNKNOWN), outcome)
        return self._finished(outcome)

    def link(self) -> list[Row]:
        """The unit is at the end of a link, whose loss and return are told."""
        if self.is_linked:
            return []
        self.is_linked = True
        return [self.row()]

    def return_from(self, seen: int, now: int) -> Outcome:
        """The gateway was not there from ``seen`` until ``now`` (microseconds of ours)."""
        outcome, newest = Outcome(), self.ledger.newest
        if newest is None:
            return outcome
        # What was taken in after that was still seen.
        self._away = at = max(self.clock.present(min(seen, now)), newest.at + 1)
        held = self.ledger.at(newest.at)
        if held.kind is Kind.LOST:
            self._away = held.at if is_away(held) else None
            return outcome
        self._enter(Entry(at, 0, Kind.LOST, 0, AWAY, Bucket.UNKNOWN), outcome)
        if not self.is_linked:
            self._enter(Entry(max(self.clock.present(now), at), 0, Kind.RETURNED, 0, "", Bucket.UNKNOWN), outcome)
        return self._finished(outcome)

    def correct(self, at: int, saying: Saying) -> Outcome:
        """Somebody says what the unit did from ``at`` on, whatever the machine said of that moment."""
        outcome = Outcome()
        revision = max((entry.revision for entry in self._entries_at(at)), default=0) + 1
        self._enter(self._entry(at, saying)._replace(revision=revision), outcome)
        return self._finished(outcome)

    def present(self, now: int) -> int:
        """What the unit's time is."""
        return self.clock.present(now)

    def unmapped(self) -> list[Saying]:
        """What is in the ledger as unknown because no row says what it means."""
        strange = {word: saying for word, saying in self._unmapped.items() if not self.states.knows(*saying)}
        there = {entry.word for entry in self.ledger.entries if entry.bucket is Bucket.UNKNOWN} if strange else ()
        return [saying for word, saying in strange.items() if word in there]

    # -- stops ------------------------------------------------------------------------------------------------

    def settle(self, now: int) -> list[Changed]:
        """See which stops there are by now; those that changed since it was last asked."""
        present, begin = self.present(now), self.ledger.begin
        if begin is None:
            return []
        changed = [each.begin for each in self.downtimes.values() if each.is_open]
        if self._unsettled is not None:
            changed.append(self._unsettled)
        newest = self.ledger.newest
        first = min([present, *changed]) if newest is None else min([present, newest.at, *changed])
        self._unsettled = None
        first = max(min(first - 1, present), begin)
        stops = [stop for stop in stops_in(self.ledger, first, present + 1, present) if stop.length >= self.minor]
        reach = min([first, *(stop.begin for stop in stops)])
        known = [each for each in self.downtimes.values() if each.end > reach or each.is_open]
        return list(self._matched(stops, sorted(known, key=lambda each: each.begin)))

    def put(self, downtime: Downtime) -> Row:
        """Keep ``downtime`` as it is now; the row for it."""
        self.downtimes[downtime.id] = downtime
        return Row(DOWNTIME, downtime.id, downtime_row(downtime))

    # -- what is kept -----------------------------------------------------------------------------------------

    def forget(self, before: int) -> list[Row]:
        """Drop what lies before ``before`` (microseconds of the unit)."""
        gone = self.ledger.forget(before)
        if gone:
            self._unmapped = {saying.word: saying for saying in self.unmapped()}
        rows = self._rows_gone(gone)
        over = [each for each in self.downtimes.values() if not each.is_open and each.end < before]
        surplus = len(self.downtimes) - DOWNTIME_LIMIT
        closed = sorted((each for each in self.downtimes.values() if not each.is_open), key=lambda each: each.end)
        for each in {one.id: one for one in (*over, *closed[: max(surplus, 0)])}.values():
            del self.downtimes[each.id]
            rows.append(Row(DOWNTIME, each.id, None))
        return rows

    def restore(self, unit: JsonObject | None, blocks: Iterable[JsonObject], downtimes: Iterable[Downtime]) -> None:
        """Begin with what was kept."""
        entries = [entry for block in blocks for entry in entries_of(block)]
        oldest, offset = (unit.get(name) if unit is not None else None for name in ("oldest", "offset"))
        self.ledger.restore(entries, oldest if isinstance(oldest, int) else None)
        newest = self.ledger.newest
        at = None if newest is None else newest.at
        self.clock = UnitClock(offset=offset if isinstance(offset, int) else 0, newest=at)
        self.downtimes = {each.id: each for each in downtimes}
        self.is_linked = unit is not None and unit.get("linked") is True
        self._unmapped = {saying.word: saying for saying in sayings_of(None if unit is None else unit.get("unmapped"))}
        self._kept = unit
        word = unit.get("packml") if unit is not None else None
        self._packml = PackMl(word if isinstance(word, str) else None)
        self._unsettled = self.ledger.begin

    def row(self) -> Row:
        """What is kept of the unit beside its entries and downtimes."""
        state = self._packml.state
        kept: JsonObject = {
            "offset": self.clock.offset,
            "oldest": self.ledger.oldest,
            "packml": None if state is None else state.value,
            "linked": self.is_linked,
            "unmapped": [list(saying) for saying in self._unmapped.values()],
        }
        return Row(UNIT, self.path, kept)

    # -- within -----------------------------------------------------------------------------------------------

    def _entry(self, at: int, saying: Saying) -> Entry:
        if len(self._unmapped) < UNMAPPED_LIMIT and not self.states.knows(*saying):
            self._unmapped[saying.word] = saying
        return Entry(at, 0, Kind.STATE, 0, saying.word, self.states.bucket(*saying))

    def _finished(self, outcome: Outcome) -> Outcome:
        row = self.row()
        if outcome.is_new and row.value != self._kept:
            self._kept = row.value
            outcome.rows.append(row)
        return outcome

    def _placed(self, entry: Entry, sequence: int) -> Entry:
        """``entry`` at its place among the words of its moment."""
        there = [
            each for each in self._entries_at(entry.at) if (each.kind, each.revision) == (Kind.STATE, entry.revision)
        ]
        if all(each.said != sequence or each.word == entry.word for each in there):
            return next((each for each in there if each.said == sequence), entry._replace(said=sequence))
        known = next((each for each in there if each.word == entry.word), None)
        return known or entry._replace(said=max(each.said for each in there) + 1)

    def _entries_at(self, at: int) -> Iterator[Entry]:
        return takewhile(lambda each: each.at == at, self.ledger.entries_from(at))

    def _bridge(self, entry: Entry, outcome: Outcome) -> None:
        """``entry`` says since when a state holds: if that was before the gateway went, it held while it was away."""
        away = self._away
        if away is None or entry.at >= away:
            self._away = None
            return
        states = (each for each in self.ledger.entries_before(away) if each.kind is Kind.STATE)
        # What was entered at such a time before is between, and says the same.
        between = takewhile(lambda each: each.at > entry.at, states)
        if all(each.word == entry.word for each in (self.ledger.at(entry.at), *between)):
            self._enter(self._placed(entry._replace(at=away), 0), outcome)

    def _heal(self, previous: Previous, at: int, outcome: Outcome) -> None:
        saying, since, sequence = previous
        held, entry = self.ledger.at(at - 1), self._placed(self._entry(since, saying), sequence)
        # The event says it to the millisecond; what the ledger has is finer.
        if since >= at or held.word == entry.word or abs(held.at - since) <= _MILLISECOND or not len(self.ledger):
            return
        if held.kind is Kind.STATE or held.at < since:
            self._enter(entry, outcome)

    def _enter(self, entry: Entry, outcome: Outcome) -> None:
        if entry in self.ledger:
            return
        try:
            rewritten = self.ledger.take(entry)
        except NotKept:
            outcome.is_too_late = True
            return
        outcome.is_new = True
        if rewritten is not None:
            outcome.rewritten.append(rewritten)
        self._unsettled = entry.at if self._unsettled is None else min(entry.at, self._unsettled)
        outcome.rows += self._rows_gone(self.ledger.gone)
        self.ledger.gone = []
        outcome.rows.append(self._block(entry.at // BLOCK_US))

    def _rows_gone(self, gone: Iterable[Entry]) -> list[Row]:
        blocks = dict.fromkeys(entry.at // BLOCK_US for entry in gone)
        return [*(self._block(block) for block in blocks), *([self.row()] * bool(blocks))]

    def _block(self, number: int) -> Row:
        entries: list[JsonValue] = []
        for entry in self.ledger.entries_from(number * BLOCK_US):
            if entry.at >= (number + 1) * BLOCK_US:
                break
            entries.append(entry_values(entry))
        return Row(BLOCK, f"{self.path}@{number}", {"entries": entries} if entries else None)

    def _matched(self, stops: Iterable[Stop], known: list[Downtime]) -> Iterator[Changed]:
        left = {each.id: each for each in known}
        told = [piece for each in known for piece in each.pieces]
        for stop in stops:
            heirs = [
                each for each in left.values() if each.begin < stop.end and stop.begin < max(each.end, each.begin + 1)
            ]
            for heir in heirs:
                del left[heir.id]
            yield from self._stop_changed(stop, heirs, told)
        for each in left.values():
            del self.downtimes[each.id]
            yield Changed(each, None)

    def _stop_changed(self, stop: Stop, heirs: list[Downtime], told: list[Piece]) -> Iterator[Changed]:
        pieces = [piece for heir in heirs for piece in heir.pieces]
        if not heirs:
            # A stop that a late word cuts in two: both keep what was said of them.
            after = begun(self.path, stop, told)
            self.downtimes[after.id] = after
            yield Changed(None, after)
            return
        before = heirs[0]
        after = followed(replace(before, pieces=tuple(pieces)), stop)
        self.downtimes[after.id] = after
        for absorbed in heirs[1:]:
            del self.downtimes[absorbed.id]
            yield Changed(absorbed, None)
        if (after.begin, after.is_open) != (before.begin, before.is_open) or (
            not after.is_open and after.end != before.end
        ):
            yield Changed(before, after)


def _source_us(event: Event) -> int | None:
    try:
        return None if event.time is None else parse_us(event.time)
    except ValueError:
        return None


def units_of(kept: Mapping[str, Iterable[tuple[str, JsonObject]]]) -> dict[str, list[JsonObject]]:
    """The kept blocks by the path of their unit."""
    blocks: dict[str, list[JsonObject]] = {}
    for key, value in kept.get(BLOCK, ()):
        blocks.setdefault(key.rpartition("@")[0], []).append(value)
    return blocks
