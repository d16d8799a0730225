"""The escalations of all calls: what each word on a call makes of its chain, and what is to be sent because of it.

Rules of this file: no I/O, no clock; moments are Unix seconds and are given. Whoever calls has the rows and events of
the decision kept, then sends the notifications of its answer, and says ``sent`` or ``failed`` of each.

* The chain is the one that fits when the call is raised, frozen until the call is stopped.
* The intent to send is in the row before anything is sent, the result after it. What has no result when a life begins
  is sent again, marked as repeated (``resume``).
* Nothing happens by itself: at ``next_due`` somebody says ``due``. What is overdue is done once, however late it is.
* A word on a call that is not known, or that changes nothing, is no fault: words come twice and late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from domain.decision import Decision, Grounds, Refused, Row
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.plant.escalation import clocks, kept
from domain.plant.escalation.chain import Chain
from domain.plant.escalation.clocks import Clocks, Reading
from domain.plant.escalation.course import Attempt, Course, Phase, Trigger
from domain.plant.escalation.duty import CalendarOf
from domain.plant.escalation.memory import RATE, ROTA, Rates, Rotas
from domain.plant.escalation.notification import CallFacts, Notification
from domain.plant.escalation.rulebook import Rulebook
from domain.plant.escalation.walk import Ask, Walk, World
from domain.plant.escalation.words import write_chain

KINDS = (kept.KIND, RATE, ROTA, clocks.KIND)
"""The kinds of rows that escalations keep."""

RETENTION = 30 * 86_400.0
"""Seconds for which a stopped escalation is remembered, so that one that is reopened goes on counting."""

Rows = Iterable[tuple[str, JsonObject]]


class Outgoing(msgspec.Struct, frozen=True):
    """What is to be sent once the decision is kept, and what chains want done to their calls."""

    notifications: tuple[Notification, ...] = ()
    asks: tuple[Ask, ...] = ()


class Escalations:
    """Every call's escalation, by the rules that ``present`` returns; ``calendar_of`` gives the calendar of a place."""

    def __init__(self, present: Callable[[], Rulebook], calendar_of: CalendarOf) -> None:
        self._present = present
        self._calendar_of = calendar_of
        self._courses: dict[str, Course] = {}
        self._rates = Rates()
        self._rotas = Rotas()
        self._clocks = Clocks()
        self._dropped: list[str] = []

    def restore(self, rows: Mapping[str, Rows]) -> list[str]:
        """Begin with what was kept: of each of ``KINDS`` the rows by their keys; returns the keys that say nothing."""
        unreadable = []
        for key, value in rows.get(kept.KIND, ()):
            try:
                self._courses[key] = kept.course_of(value)
            except ValueError:
                unreadable.append(key)
        self._rates = Rates(dict(rows.get(RATE, ())))
        self._rotas = Rotas(dict(rows.get(ROTA, ())))
        self._clocks = Clocks(dict(rows.get(clocks.KIND, ())).get(clocks.KEY))
        return unreadable

    # --- words on a call

    def raised(self, facts: CallFacts, at: float) -> Decision[Outgoing]:
        """A call was raised: its chain begins."""
        if facts.id in self._courses:
            return Decision(Outgoing())
        if self._present().asks_for_rates:
            self._rates.add(facts.path, at)
        return self._start(facts, at, run=0, events=0, by=facts.raised_by)

    def acknowledged(self, call: str, by: str, at: float) -> Decision[Outgoing]:
        """Somebody has taken the call over: from now on the clock to resolve runs."""
        return self._taken_over(call, Trigger.ACKNOWLEDGED, by, at)

    def arrived(self, call: str, by: str, at: float) -> Decision[Outgoing]:
        """Somebody is there; if nobody had acknowledged, they have now."""
        return self._taken_over(call, Trigger.ARRIVED, by, at)

    def resolved(self, call: str, by: str, at: float) -> Decision[Outgoing]:
        """The call is resolved: nobody is told any more."""
        return self._stop(call, Trigger.RESOLVED, by, at)

    def cancelled(self, call: str, by: str, at: float) -> Decision[Outgoing]:
        """The call is cancelled: nobody is told any more."""
        return self._stop(call, Trigger.CANCELLED, by, at)

    def reopened(self, facts: CallFacts, by: str, at: float) -> Decision[Outgoing]:
        """The call is open again: a chain begins from its beginning, the one that fits now."""
        course = self._courses.get(facts.id)
        if course is None:
            # Forgotten by now: a run that was never there tells its events from those before.
            return self._start(facts, at, run=int(at), events=0, by=by)
        if course.next_phase(Trigger.REOPENED) is None:
            return Decision(Outgoing())
        return self._start(facts, at, run=course.run, events=course.events, by=by)

    def changed(self, facts: CallFacts) -> Decision[Outgoing]:
        """The call says something else now, its priority or its text; its chain stays the one it began with."""
        course = self._courses.get(facts.id)
        if course is None or course.facts == facts:
            return Decision(Outgoing())
        course.facts = facts
        return Decision(Outgoing(), rows=(kept.row_of(course),))

    def page(self, call: str, target: str, by: str, at: float) -> Decision[Outgoing]:
        """Tell ``target`` of the call beside its chain: it is theirs now.

        Raises:
            Refused: if nothing is escalated about the call.
        """
        course = self._live(call)
        walk = self._walk(course, at, by)
        walk.page(target, self._present().channels)
        return self._decided(course, walk)

    def escalate(self, call: str, by: str, at: float) -> Decision[Outgoing]:
        """Somebody wants the next level now.

        Raises:
            Refused: if nothing is escalated about the call.
        """
        course = self._live(call)
        walk = self._walk(course, at, by)
        if course.wait_until is not None:
            walk.go_on("asked")
        else:
            phase = course.next_phase(Trigger.ESCALATED) or course.phase
            # Of the second program without the wait that it begins with.
            course.begin(phase, at, place=int(phase is Phase.ACKNOWLEDGED))
            course.cause = "asked"
            walk.go()
        return self._decided(course, walk)

    def closed(self, call: str) -> Decision[Outgoing]:
        """The call will never be opened again: forget it."""
        course = self._courses.get(call)
        if course is None or course.phase is not Phase.STOPPED:
            return Decision(Outgoing())
        del self._courses[call]
        return Decision(Outgoing(), rows=(Row(kept.KIND, call, None),))

    # --- words on a notification

    def sent(self, notification: str, receipt: str, at: float) -> Decision[Outgoing]:
        """There is a receipt; ``receipt`` says what it was."""
        course, attempt = self._attempt(notification)
        if course is None or attempt is None:
            return Decision(Outgoing())
        walk = self._walk(course, at)
        walk.sent(attempt, receipt)
        return self._decided(course, walk)

    def failed(self, notification: str, reason: str, at: float) -> Decision[Outgoing]:
        """There will be no receipt: the next channel now, or else the next level."""
        course, attempt = self._attempt(notification)
        if course is None or attempt is None:
            return Decision(Outgoing())
        walk = self._walk(course, at)
        walk.failed(attempt, reason)
        return self._decided(course, walk)

    # --- words on the time

    def next_due(self) -> float | None:
        """When ``due`` is to be said next; None: not before something else happens."""
        moments = [course.due for course in self._courses.values()]
        moments += [course.stopped_at + RETENTION for course in self._courses.values() if course.stopped_at is not None]
        return min((moment for moment in moments if moment is not None), default=None)

    def due(self, at: float) -> Decision[Outgoing]:
        """It is ``at``: do what is due, once."""
        decisions = [self._due(course, at) for course in list(self._courses.values())]
        return _joined(decision for decision in decisions if decision is not None)

    def resume(self, at: float) -> Decision[Outgoing]:
        """A life begins: send again what has no result, marked, and forget what nobody needs any more."""
        return _joined(self._resume(course, at) for course in list(self._courses.values()))

    def read_clocks(self, reading: Reading) -> Decision[Outgoing]:
        """If the wall clock was set, what is waited for comes when it would have come without that."""
        step = self._clocks.step(reading)
        rows: list[Row] = []
        if step:
            for course in self._courses.values():
                if course.due is not None:
                    course.shift(step)
                    rows.append(kept.row_of(course))
        return Decision(Outgoing(), rows=(*self._clocks.changed(), *rows))

    # --- what there is to see

    def seen(self, sees: Callable[[str], bool]) -> Escalations:
        """The escalations of calls at places that ``sees``, for reading, and the chains for calls there."""
        part = Escalations(lambda: self._present().seen(sees), self._calendar_of)
        part._courses = {call: course for call, course in self._courses.items() if sees(course.facts.path)}
        return part

    def view(self, call: str) -> JsonObject | None:
        """How far a call's escalation is, and its chain as it was frozen; None if there is none."""
        course = self._courses.get(call)
        return None if course is None else _view(course)

    def views(self) -> list[JsonObject]:
        """Those that are not stopped, in the order in which their calls were raised."""
        return [_view(course) for course in self._courses.values() if course.phase is not Phase.STOPPED]

    def chains(self) -> list[JsonObject]:
        """The chains in force, the first one that fits first; those that are built in last."""
        present = self._present()
        return [write_chain(chain) for chain in (*present.chains, *present.built_in)]

    def chain(self, call: str) -> Chain | None:
        """The chain of a call's escalation as it was frozen; None if there is none."""
        course = self._courses.get(call)
        return None if course is None else course.chain

    def level(self, call: str) -> int:
        """The level that the call has reached; 0 if nobody was told."""
        course = self._courses.get(call)
        return 0 if course is None else course.level

    # --- how it is done

    def _start(self, facts: CallFacts, at: float, *, run: int, events: int, by: str) -> Decision[Outgoing]:
        course = Course(facts, self._present().chain_for(facts), run, at, events=events)
        course.begin(Phase.UNACKNOWLEDGED, at)
        # Behind the others, so that the order is the one in which they began.
        self._courses.pop(facts.id, None)
        self._courses[facts.id] = course
        walk = self._walk(course, at, by)
        walk.started(write_chain(course.chain))
        walk.go()
        return self._decided(course, walk)

    def _taken_over(self, call: str, trigger: Trigger, by: str, at: float) -> Decision[Outgoing]:
        course = self._courses.get(call)
        phase = None if course is None else course.next_phase(trigger)
        if course is None or phase is None:
            return Decision(Outgoing())
        course.begin(phase, at)
        course.acknowledged_at, course.acknowledged_by, course.cause = at, by, "unresolved"
        walk = self._walk(course, at, by)
        walk.stopped(trigger.value)
        walk.go()
        return self._decided(course, walk)

    def _stop(self, call: str, trigger: Trigger, by: str, at: float) -> Decision[Outgoing]:
        course = self._courses.get(call)
        phase = None if course is None else course.next_phase(trigger)
        if course is None or phase is None:
            return Decision(Outgoing())
        course.phase, course.wait_until, course.stopped_at = phase, None, at
        walk = self._walk(course, at, by)
        walk.stopped(trigger.value)
        return self._decided(course, walk)

    def _due(self, course: Course, at: float) -> Decision[Outgoing] | None:
        if course.stopped_at is not None and at >= course.stopped_at + RETENTION:
            del self._courses[course.facts.id]
            return Decision(Outgoing(), rows=(Row(kept.KIND, course.facts.id, None),))
        if course.due is None or course.due > at:
            return None
        walk = self._walk(course, at)
        for attempt in [each for each in course.open_attempts if not each.is_orphan and each.expires <= at]:
            walk.failed(attempt, f"no receipt within {attempt.expires - attempt.begun:.0f} s")
        if course.is_running and course.wait_until is not None and course.wait_until <= at:
            walk.go_on("waited")
        return self._decided(course, walk)

    def _resume(self, course: Course, at: float) -> Decision[Outgoing]:
        orphans = [attempt for attempt in course.open_attempts if attempt.is_orphan]
        if not orphans:
            return Decision(Outgoing())
        walk = self._walk(course, at)
        for attempt in orphans:
            if attempt.run == course.run and course.phase is not Phase.STOPPED:
                walk.again(attempt)
            else:
                walk.failed(attempt, "interrupted, and not needed any more: whether it was sent is not known")
        return self._decided(course, walk)

    def _live(self, call: str) -> Course:
        course = self._courses.get(call)
        if course is None:
            raise Refused(Grounds.NOT_FOUND, f"there is no escalation of a call {call}", {"call": call})
        if course.next_phase(Trigger.ESCALATED) is None:
            details: dict[str, JsonValue] = {"call": call, "state": course.phase.value}
            raise Refused(Grounds.CONFLICT, f"the escalation of call {call} is {course.phase}", details)
        return course

    def _attempt(self, notification: str) -> tuple[Course | None, Attempt | None]:
        for course in self._courses.values():
            for attempt in course.open_attempts:
                if attempt.notification == notification:
                    return course, attempt
        return None, None

    def _walk(self, course: Course, at: float, by: str = "") -> Walk:
        book = self._present()
        return Walk(course, World(book.directory, self._calendar_of, self._rates, self._rotas, book.patience), at, by)

    def _decided(self, course: Course, walk: Walk) -> Decision[Outgoing]:
        rows = (kept.row_of(course), *self._rates.changed(), *self._rotas.changed())
        return Decision(Outgoing(tuple(walk.notifications), tuple(walk.asks)), tuple(walk.events), rows)


def _joined(decisions: Iterable[Decision[Outgoing]]) -> Decision[Outgoing]:
    """Several decisions as one."""
    notifications: list[Notification] = []
    asks: list[Ask] = []
    events: list[Event] = []
    rows: list[Row] = []
    for decision in decisions:
        notifications += decision.answer.notifications
        asks += decision.answer.asks
        events += decision.events
        rows += decision.rows
    return Decision(Outgoing(tuple(notifications), tuple(asks)), tuple(events), tuple(rows))


def _view(course: Course) -> dict[str, JsonValue]:
    return {
        **course.members(),
        "steps": write_chain(course.chain),
        "reached": course.reached,
        "due": None if course.due is None else rfc3339(course.due),
        "next_step": None if course.wait_until is None or not course.is_running else rfc3339(course.wait_until),
        "acknowledged_at": None if course.acknowledged_at is None else rfc3339(course.acknowledged_at),
        "acknowledged_by": course.acknowledged_by or None,
        "resolve_by": _resolve_by(course),
        "waiting_for": _waiting_for(course.open_attempts),
    }


def _resolve_by(course: Course) -> str | None:
    if course.acknowledged_at is None:
        return None
    return rfc3339(course.acknowledged_at + course.chain.resolve)


def _waiting_for(attempts: Sequence[Attempt]) -> list[JsonValue]:
    return [{"notification": each.notification, "target": each.target, "channel": each.channel} for each in attempts]
