"""One alarm: what is known of it, and what one trigger makes of it.

Rules of this file: an alarm is a value; a step returns another. Where it goes is the table's to say (``states``), what
goes with it is said here. Moments are Unix seconds on our clock, because delays and shelvings are measured by it; what
the source's clock said is kept beside, as it wrote it. The names of OPC 10000-9 hold on the wire (``documents``).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2s

import msgspec
from msgspec.structs import replace

from domain.plant.alarms.classes import Terms
from domain.plant.alarms.states import Fact, State, Trigger, next_state

RECENT = 600.0
RECENT_LIMIT = 32
ID_SIZE = 8
IDS_REMEMBERED = 16_384

BY_HAND = "by hand"
"""What suppresses an alarm that a person suppressed."""


class Shelving(msgspec.Struct, frozen=True):
    """Who shelved an alarm ``at``, ``until`` when at the latest, why, and who agreed to it beside."""

    by: str
    at: float
    until: float
    is_one_shot: bool
    reason: str
    authorised_by: str | None = None


class Removal(msgspec.Struct, frozen=True):
    """Who took an alarm out of service ``at``, with which permit, and why."""

    by: str
    at: float
    permit: str
    reason: str


class Signal(msgspec.Struct, frozen=True):
    """What a source says of a condition, received ``at``; ``time`` is the source's clock (RFC 3339).

    ``level`` and ``text`` are the source's words, ``cause`` is the id of the event that said it, ``recorded`` when our
    source took it in, ``since`` the source's word for when the occurrence that it speaks of began.
    """

    equipment: str
    key: str
    code: str
    is_true: bool
    at: float
    level: str = ""
    text: str = ""
    time: str | None = None
    quality: str = "good"
    reason: str = ""
    cause: str = ""
    recorded: float = 0.0
    since: str = ""


class Alarm(msgspec.Struct, frozen=True):
    """What is known of one alarm.

    ``condition`` is what the source says; ``active`` follows it after the delays, ``delay_until`` is when. ``recent``
    are the moments of the last ten minutes at which it became active on the operator's list. ``born`` (microseconds)
    and ``number`` make the names of its transitions, so that no two are ever the same.
    """

    equipment: str
    key: str
    code: str
    born: int
    state: State = State.NORMAL
    since: float = 0.0
    number: int = 0
    condition: bool = False
    active: bool = False
    latched: bool = False
    silenced: bool = False
    suppressed_by: tuple[str, ...] = ()
    shelving: Shelving | None = None
    removal: Removal | None = None
    level: str = ""
    text: str = ""
    time: str | None = None
    heard: float = 0.0
    said_since: str = ""
    quality: str = "good"
    reason: str = ""
    occurrences: int = 0
    occurred_at: float | None = None
    returned_at: float | None = None
    unacknowledged_since: float | None = None
    acknowledged_at: float | None = None
    acknowledged_by: str | None = None
    re_alarms: int = 0
    delay_until: float | None = None
    re_alarm_at: float | None = None
    comment: str | None = None
    recent: tuple[float, ...] = ()

    @property
    def id(self) -> str:
        """The name by which it is spoken to: the same alarm of the same equipment has it again."""
        return alarm_id(self.equipment, self.key, self.code)

    @property
    def name(self) -> str:
        """What it is called in a report: ``key|code``."""
        return f"{self.key}|{self.code}"

    @property
    def is_plain(self) -> bool:
        """Whether nothing is going on with it: it may be forgotten."""
        return (
            self.state is State.NORMAL
            and not (self.condition or self.active or self.latched or self.suppressed_by)
            and self.delay_until is None
        )

    @property
    def deadline(self) -> tuple[float, Trigger] | None:
        """What happens next if nothing else does, and when."""
        due: list[tuple[float, Trigger]] = []
        if self.delay_until is not None:
            due.append((self.delay_until, Trigger.OCCUR if self.condition else Trigger.RETURN))
        if self.shelving is not None:
            due.append((self.shelving.until, Trigger.EXPIRE))
        if self.re_alarm_at is not None:
            due.append((self.re_alarm_at, Trigger.REALARM))
        return min(due, key=lambda each: each[0], default=None)

    def facts(self, terms: Terms) -> frozenset[Fact]:
        """What decides about the next state."""
        said = {
            Fact.ACTIVE: self.active,
            Fact.LATCHED: self.latched,
            Fact.SUPPRESSED: bool(self.suppressed_by),
            Fact.ONE_SHOT: self.shelving is not None and self.shelving.is_one_shot,
        }
        return terms.facts.union(fact for fact, holds in said.items() if holds)


@lru_cache(IDS_REMEMBERED)
def alarm_id(equipment: str, key: str, code: str) -> str:
    """The id of the alarm ``key`` with ``code`` of ``equipment``: 16 characters that fit into any address."""
    return blake2s(f"{equipment}\x1f{key}\x1f{code}".encode(errors="replace"), digest_size=ID_SIZE).hexdigest()


class Change(msgspec.Struct, frozen=True):
    """One step: ``trigger`` led from ``before`` to what ``alarm`` is now, ``at``."""

    trigger: Trigger
    before: Alarm
    alarm: Alarm
    at: float

    @property
    def is_activation(self) -> bool:
        """Whether it came onto the operator's list as a new occurrence."""
        return self.trigger is Trigger.OCCUR and self.alarm.state.is_annunciated

    @property
    def is_transition(self) -> bool:
        """Whether it is to be told: the state is another, or the operator is called once more."""
        told = (Trigger.OCCUR, Trigger.RETURN, Trigger.REALARM)
        hidden = self.alarm.state in (State.SHELVED, State.SUPPRESSED, State.OUT_OF_SERVICE)
        return self.alarm.state is not self.before.state or (self.trigger in told and not hidden)


def step(alarm: Alarm, trigger: Trigger, terms: Terms, at: float, by: str | None = None) -> Change:
    """What ``trigger`` makes of ``alarm``; ``by`` is who did it.

    Raises:
        Impossible: if the table has no such pair.
    """
    changed = _with(alarm, trigger, terms, at)
    state = next_state(alarm.state, trigger, changed.facts(terms))
    if alarm.state is State.SHELVED and state is not State.SHELVED:
        changed = replace(changed, shelving=None)
    if alarm.state is State.OUT_OF_SERVICE and state is not State.OUT_OF_SERVICE:
        changed = replace(changed, removal=None)
    moved = state is not alarm.state
    changed = replace(changed, state=state, since=at if moved else alarm.since, number=alarm.number + 1)
    changed = _acknowledged(changed, trigger, at, by)
    changed = replace(changed, re_alarm_at=_re_alarm_at(alarm, changed, terms, at, is_new=moved))
    if trigger is Trigger.OCCUR and state.is_annunciated:
        recent = tuple(each for each in alarm.recent if each > at - RECENT)
        changed = replace(changed, recent=(*recent, at)[-RECENT_LIMIT:])
    return Change(trigger, alarm, changed, at)


def _with(alarm: Alarm, trigger: Trigger, terms: Terms, at: float) -> Alarm:
    """What goes with a trigger whatever the state."""
    match trigger:
        case Trigger.OCCUR:
            latched = alarm.latched or Fact.LATCHING in terms.facts
            return replace(
                alarm,
                active=True,
                latched=latched,
                silenced=False,
                delay_until=None,
                occurrences=alarm.occurrences + 1,
                occurred_at=at,
                returned_at=None,
                re_alarms=0,
            )
        case Trigger.RETURN:
            return replace(alarm, active=False, delay_until=None, returned_at=at)
        case Trigger.REALARM:
            return replace(alarm, silenced=False, re_alarms=alarm.re_alarms + 1)
        case Trigger.RESET:
            return replace(alarm, latched=False)
        case Trigger.SILENCE:
            return replace(alarm, silenced=True)
        case _:
            return alarm


def _acknowledged(alarm: Alarm, trigger: Trigger, at: float, by: str | None) -> Alarm:
    """``alarm`` with who has acknowledged it, and since when nobody has."""
    state = alarm.state
    if state.is_acknowledged is False:
        is_new = alarm.unacknowledged_since is None or trigger in (Trigger.OCCUR, Trigger.REALARM)
        since = at if is_new else alarm.unacknowledged_since
        return replace(alarm, unacknowledged_since=since, acknowledged_at=None, acknowledged_by=None)
    alarm = replace(alarm, unacknowledged_since=None)
    is_seen = trigger is Trigger.UNSHELVE and state is State.ACKNOWLEDGED
    if trigger is Trigger.ACKNOWLEDGE or is_seen or (trigger is Trigger.OCCUR and state is State.ACKNOWLEDGED):
        return replace(alarm, acknowledged_at=at, acknowledged_by=by)
    return alarm


def _re_alarm_at(before: Alarm, after: Alarm, terms: Terms, at: float, *, is_new: bool) -> float | None:
    wait = terms.of_class.re_alarm_time
    if wait <= 0 or after.state is not State.ACKNOWLEDGED or not after.active:
        return None
    return at + wait if is_new or after.re_alarms != before.re_alarms else before.re_alarm_at
