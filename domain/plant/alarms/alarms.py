"""All alarms of a site: what sources say, what persons do and what the time does becomes decisions.

Rules of this file: whatever changes an alarm comes through here, and leaves as events and rows that belong together. An
act says who it is by; a refusal names the state. What the time does is asked for with ``due`` and late is not lost: a
step that was due while nobody asked is taken once.

* An alarm with which nothing is going on may be forgotten when room is needed; one with which something is stays. No
  place fills more than its share, see ``domain.plant.shares``. What there is no room for is counted in ``refused``.
* After a restart an alarm that was active is believed until its source is connected again and has had ``REFRESH``
  seconds to say what is active now (OPC 10000-9: ConditionRefresh after each reconnect).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from msgspec.structs import replace

from domain.decision import Decision, Row
from domain.event import Event
from domain.json import JsonObject
from domain.plant.alarms.alarm import BY_HAND, Alarm, Change, Signal, alarm_id, step
from domain.plant.alarms.board import Shown
from domain.plant.alarms.classes import Rulebook, Terms
from domain.plant.alarms.documents import Document, document, flood_event, transition_event
from domain.plant.alarms.hearing import SIGNALS, expire, hear, shifted, signal_of
from domain.plant.alarms.order import Order
from domain.plant.alarms.performance import Counts, Performance
from domain.plant.alarms.rates import SECOND, Activation, FloodChange
from domain.plant.alarms.rows import ALARM, alarm_of, flood_of, flood_row, row_of
from domain.plant.alarms.states import Trigger
from domain.plant.shares import Shares

CAPACITY = 10_000
POSITIONS = 64
OTHER_POSITION = "other"
FORGOTTEN_AT_ONCE = 100
REFRESH = 30.0
STATE_CHANGED = "equipment.state.changed"
CONNECTED = "source.connected"
HEARD = SIGNALS | {STATE_CHANGED, CONNECTED}
"""The types of events that concern alarms."""

Occurred = tuple[str, ...]
"""The ids of alarms that came onto the operator's list and raise an Andon call by their class."""


class Alarms:
    """The alarms that are known, by their ids; ``at`` is when counting begins (Unix seconds)."""

    is_whole = True
    """Whether these are all alarms that there are."""

    def __init__(
        self,
        rulebook: Rulebook,
        at: float,
        capacity: int = CAPACITY,
        shift_of: Callable[[str, float], str] = lambda _equipment, _at: "",
    ) -> None:
        self.rulebook = rulebook
        self.refused = 0
        self._counts = Counts()
        self._performance: dict[str, Performance] = {}
        self.began = at
        self._capacity = capacity
        self._shares = Shares(capacity)
        self._shift_of = shift_of
        self._alarms: dict[str, Alarm] = {}
        self._order = Order(lambda alarm: Shown(alarm, self.terms(alarm).rationale.priority).urgency)
        self._forgotten: list[Row] = []
        self._terms: dict[str, Terms] = {}
        self._deadlines: dict[str, float] = {}
        self._states: dict[str, str] = {}
        self._unconfirmed: dict[str, set[str]] = {}
        self._refreshes: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._alarms)

    def __iter__(self) -> Iterator[Alarm]:
        return iter(tuple(self._alarms.values()))

    @property
    def counts(self) -> Counts:
        """How many there are in each state."""
        return self._counts

    @property
    def performance(self) -> dict[str, Performance]:
        """What is counted, by operating position."""
        return self._performance

    def ordered(self) -> list[Alarm]:
        """All of them, the most urgent first."""
        return [self._alarms[id_] for id_ in self._order.of(self)]

    def get(self, id_: str) -> Alarm | None:
        """The alarm ``id_``, None if it is not known."""
        return self._alarms.get(id_)

    def terms(self, alarm: Alarm) -> Terms:
        """What holds for ``alarm``."""
        known = self._terms.get(alarm.id)
        if known is None:
            known = self._terms[alarm.id] = self.rulebook.terms(alarm.equipment, alarm.key, alarm.code)
        return known

    def position(self, equipment: str) -> str:
        """The operating position that sees ``equipment``; those beyond the first 64 are one."""
        position = self.rulebook.position(equipment)
        is_room = position in self.performance or len(self.performance) < POSITIONS
        return position if is_room else OTHER_POSITION

    def document(self, alarm: Alarm) -> Document:
        """What is said of ``alarm``."""
        return document(alarm, self.terms(alarm), self.position(alarm.equipment))

    # -- over a restart ----------------------------------------------------------------------------------

    def restore(self, kind: str, rows: Iterable[tuple[str, JsonObject]], at: float) -> int:
        """Take up what was kept; returns how many rows could not be read."""
        rows = tuple(rows)
        if kind == ALARM:
            read = [alarm for alarm in (alarm_of(value) for _, value in rows) if alarm is not None]
            for alarm in read:
                self._keep(alarm)
                if alarm.condition:
                    self._unconfirmed.setdefault(alarm.equipment, set()).add(alarm.id)
            self._restore_rates(read, at)
            return len(rows) - len(read)
        unread = 0
        for position, value in rows:
            flood = flood_of(value)
            unread += flood is None
            self.of_position(position, at).window.flood = flood
        return unread

    def _restore_rates(self, alarms: Iterable[Alarm], at: float) -> None:
        by_position: dict[str, list[Activation]] = {}
        for alarm in alarms:
            held = by_position.setdefault(self.position(alarm.equipment), [])
            held += [Activation(round(each * SECOND), alarm.id) for each in alarm.recent]
        for position, held in by_position.items():
            performance = self.of_position(position, at)
            performance.restore(sorted(held, key=lambda each: each.at), performance.window.flood)

    # -- what sources say --------------------------------------------------------------------------------

    def take(self, event: Event, at: float) -> Decision[Occurred]:
        """What follows from ``event``, received ``at``."""
        if event.type == STATE_CHANGED and isinstance(event.data, Mapping):
            return self._take_state(event.source.strip("/"), str(event.data.get("state") or ""), at)
        if event.type == CONNECTED:
            equipment = event.source.strip("/")
            if self._unconfirmed.get(equipment):
                self._refreshes[equipment] = at + REFRESH
            return Decision(())
        signal = signal_of(event, at)
        return Decision(()) if signal is None else self.hear(signal)

    def hear(self, signal: Signal) -> Decision[Occurred]:
        """What follows from ``signal``."""
        id_ = alarm_id(signal.equipment, signal.key, signal.code)
        self._unconfirmed.get(signal.equipment, set()).discard(id_)
        alarm = self._alarms.get(id_)
        before = alarm
        if alarm is None:
            if not signal.is_true or not self._make_room(signal.equipment):
                return Decision(())
            alarm = self._new(signal.equipment, signal.key, signal.code, signal.at)
        terms = self.terms(alarm)
        changes: list[Change] = []
        if before is None and alarm.suppressed_by:
            changes.append(step(alarm, Trigger.SUPPRESS, terms, signal.at))
            alarm = changes[-1].alarm
        heard, change = hear(alarm, signal, terms)
        if change is not None:
            changes.append(change)
        if heard == before:
            return Decision(())
        self._keep(heard)
        told: Document = {"cause": signal.cause or None, "time": signal.time}
        return self._decide(heard, changes, told, signal.at)

    def _take_state(self, equipment: str, state: str, at: float) -> Decision[Occurred]:
        if not self.rulebook.suppressions:
            return Decision(())
        self._states[equipment] = state
        decisions = [
            self._suppress_by_design(alarm, at)
            for alarm in tuple(self._alarms.values())
            if alarm.equipment == equipment
        ]
        return merged(decisions)

    def _suppress_by_design(self, alarm: Alarm, at: float) -> Decision[Occurred]:
        if alarm.equipment not in self._states:
            # Nobody has said yet what state it is in: what was found holds.
            return Decision(())
        designed = self.rulebook.suppressing(alarm.equipment, alarm.key, alarm.code, self._states)
        by_hand = tuple(each for each in alarm.suppressed_by if each == BY_HAND)
        by = (*designed, *by_hand)
        return self.suppress(alarm, by, at, {"cause": None})

    def suppress(
        self, alarm: Alarm, by: tuple[str, ...], at: float, told: Document, who: str | None = None
    ) -> Decision[Occurred]:
        """Have ``alarm`` suppressed by these and by nothing else."""
        if by == alarm.suppressed_by:
            return Decision(())
        changed = replace(alarm, suppressed_by=by)
        changes = []
        if bool(by) is not bool(alarm.suppressed_by):
            trigger = Trigger.SUPPRESS if by else Trigger.UNSUPPRESS
            changes.append(step(changed, trigger, self.terms(alarm), at, who))
        elif who is not None:
            # It was suppressed by something else, or still is: the state stays, and who did what is told.
            trigger = Trigger.SUPPRESS if len(by) > len(alarm.suppressed_by) else Trigger.UNSUPPRESS
            changes.append(Change(trigger, alarm, replace(changed, number=alarm.number + 1), at))
        changed = changes[-1].alarm if changes else changed
        self._keep(changed)
        return self._decide(changed, changes, told, at, is_act=who is not None)

    # -- what the time does --------------------------------------------------------------------------------

    @property
    def next_due(self) -> float | None:
        """When something is due next (Unix seconds), None if nothing is."""
        moments = [*self._deadlines.values(), *self._refreshes.values()]
        for performance in self.performance.values():
            ends = performance.window.changes_at
            if ends is not None:
                moments.append(ends / SECOND)
        return min(moments, default=None)

    def due(self, at: float) -> Decision[Occurred]:
        """What follows from its being ``at``."""
        decisions = [self._expire(id_, at) for id_, deadline in tuple(self._deadlines.items()) if deadline <= at]
        decisions += [self._refresh(place, at) for place, due in tuple(self._refreshes.items()) if due <= at]
        told = [(position, each.advance(at)) for position, each in self.performance.items()]
        decisions += [self._flooded(position, changes, at) for position, changes in told if changes]
        return merged(decisions)

    def _expire(self, id_: str, at: float) -> Decision[Occurred]:
        alarm = self._alarms[id_]
        changes = []
        while True:
            alarm, change = expire(alarm, self.terms(alarm), at)
            if change is None:
                break
            changes.append(change)
        self._keep(alarm)
        return self._decide(alarm, changes, {"cause": None}, at)

    def _refresh(self, equipment: str, at: float) -> Decision[Occurred]:
        del self._refreshes[equipment]
        gone = [self._alarms[id_] for id_ in self._unconfirmed.pop(equipment, ()) if id_ in self._alarms]
        return merged(
            self.hear(
                Signal(
                    equipment=alarm.equipment,
                    key=alarm.key,
                    code=alarm.code,
                    is_true=False,
                    at=at,
                    quality="uncertain",
                    reason="not said any more after the restart",
                )
            )
            for alarm in gone
        )

    def shift(self, delta: float) -> Decision[Occurred]:
        """Our clock was set by ``delta`` seconds: what is still to come stays as far away as it was."""
        before = tuple(self._alarms.values())
        for alarm in before:
            self._keep(shifted(alarm, delta))
        for performance in self.performance.values():
            performance.shift(delta)
        self._refreshes = {place: due + delta for place, due in self._refreshes.items()}
        rows = [row_of(self._alarms[alarm.id]) for alarm in before if self._alarms[alarm.id] != alarm]
        return Decision((), (), tuple(rows))

    def renew(self, rulebook: Rulebook, at: float) -> Decision[Occurred]:
        """From now on another ``rulebook`` holds; delays and shelvings that run keep their end."""
        self.rulebook = rulebook
        self._terms.clear()
        self._order.reset()
        return merged([self._suppress_by_design(alarm, at) for alarm in tuple(self._alarms.values())])

    # -- what becomes of it --------------------------------------------------------------------------------

    def done(self, change: Change, told: Document) -> Decision[JsonObject]:
        """A person did that: what is to be written, and the document of the alarm as the answer."""
        self._keep(change.alarm)
        decided = self._decide(change.alarm, [change], told, change.at, is_act=True)
        return Decision(self.document(change.alarm), decided.events, decided.rows)

    def stepped(self, alarm: Alarm, trigger: Trigger, at: float, by: str) -> Change:
        """What ``trigger`` would make of ``alarm``.

        Raises:
            Impossible: if the table has no such pair.
        """
        return step(alarm, trigger, self.terms(alarm), at, by)

    def find(self, equipment: str, key: str, code: str, at: float) -> Alarm | None:
        """The alarm of that name, known or not; None if there is no room for it."""
        known = self._alarms.get(alarm_id(equipment, key, code))
        if known is None and self._make_room(equipment):
            known = self._new(equipment, key, code, at)
        return known

    def _decide(
        self, alarm: Alarm, changes: Iterable[Change], told: Document, at: float, *, is_act: bool = False
    ) -> Decision[Occurred]:
        events: list[Event] = []
        rows = [*self._forgotten, row_of(alarm)]
        self._forgotten.clear()
        occurred: list[str] = []
        position = self.position(alarm.equipment)
        for change in changes:
            terms = self.terms(change.alarm)
            if change.is_transition or is_act:
                described = document(change.alarm, terms, position)
                events.append(transition_event(change, described, terms.rationale.record(), told))
            if change.is_activation and terms.of_class.call:
                occurred.append(change.alarm.id)
            performance = self.of_position(position, at)
            shift = self._shift_of(alarm.equipment, at) if change.trigger is Trigger.ACKNOWLEDGE else ""
            told_of_floods = performance.note(change, terms.rationale.priority, shift)
            if change.is_activation:
                flooded = self._flooded(position, told_of_floods, at)
                events += flooded.events
                rows += flooded.rows
        return Decision(tuple(occurred), tuple(events), tuple(rows))

    def _flooded(self, position: str, told: Iterable[FloodChange], at: float) -> Decision[Occurred]:
        events = tuple(flood_event(position, change, at) for change in told)
        flood = self.performance[position].window.flood
        # A flood that goes on has grown by one.
        return Decision((), events, (flood_row(position, flood),) if events or flood is not None else ())

    def of_position(self, position: str, at: float) -> Performance:
        """What is counted at ``position``; for one that is new it begins ``at``."""
        return self.performance.setdefault(position, Performance(at))

    def _new(self, equipment: str, key: str, code: str, at: float) -> Alarm:
        suppressed_by = self.rulebook.suppressing(equipment, key, code, self._states)
        return Alarm(equipment, key, code, born=round(at * SECOND), since=at, suppressed_by=suppressed_by)

    def _keep(self, alarm: Alarm) -> None:
        id_ = alarm.id
        before = self._alarms.get(id_)
        if before is None:
            self._shares.add(alarm.equipment)
        self._alarms[id_] = alarm
        self._order.put(alarm)
        self.counts.move(None if before is None else (before.state, before.active), (alarm.state, alarm.active))
        deadline = alarm.deadline
        if deadline is None:
            self._deadlines.pop(id_, None)
        else:
            self._deadlines[id_] = deadline[0]

    def _make_room(self, equipment: str) -> bool:
        """Whether there is room for one more alarm of ``equipment``, after some were forgotten if need be."""
        part = self._shares.full(equipment)
        if part is not None:
            self._forget(alarm for alarm in self._alarms.values() if alarm.is_plain and part.has(alarm.equipment))
        if len(self._alarms) >= self._capacity:
            self._forget(alarm for alarm in self._alarms.values() if alarm.is_plain)
        if len(self._alarms) < self._capacity and self._shares.full(equipment) is None:
            return True
        self.refused += 1
        return False

    def _forget(self, alarms: Iterable[Alarm]) -> None:
        for alarm in tuple(islice(alarms, FORGOTTEN_AT_ONCE)):
            self.counts.move((alarm.state, alarm.active), None)
            self._shares.remove(alarm.equipment)
            self._order.drop(alarm.id)
            del self._alarms[alarm.id]
            self._forgotten.append(Row(ALARM, alarm.id, None))
            self._terms.pop(alarm.id, None)


def merged(decisions: Iterable[Decision[Occurred]]) -> Decision[Occurred]:
    """Several decisions as one: all of it is written together."""
    decided = tuple(decisions)
    return Decision(
        tuple(id_ for each in decided for id_ in each.answer),
        tuple(event for each in decided for event in each.events),
        tuple(row for each in decided for row in each.rows),
    )
