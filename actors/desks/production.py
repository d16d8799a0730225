"""The production's desk: what machines do becomes time, stops and figures, and persons say why.

Rules of this file: the rules decide (``domain.plant.ledger``); the desk keeps time, commits and tells. What was counted
is the jobs' desk's; this one asks for all of it when a life begins and hears of what is new. A figure is told when what
it is made of has changed, at most once in the interval of the settings, and never taken in again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import ClassVar

import msgspec
import trio

from actors.acts import Act
from actors.beats import beat
from actors.desks.asking import until_answered
from actors.desks.deciding import Concern, DecidingDesk, Method
from actors.desks.job_rules import ideal_cycle
from actors.desks.job_words import CountsTold, ReadJobs, RunsTold
from actors.messages import Publish, StateRead
from actors.places import JOBS_DESK, Address
from actors.ranks import Ranks
from actors.runtime import MailboxFull
from config import FloorSettings
from domain import Decision, Event, JsonObject, JsonValue, Priority, Refused, parse_rfc3339
from domain.plant.jobs import Count, JobsNow, Run
from domain.plant.ledger import (
    DEEDS,
    KINDS,
    OEE_UPDATED,
    STATE_CHANGED,
    Bucket,
    Deed,
    Kind,
    Ledgers,
    LedgersNow,
    Reason,
    Reasons,
    StateMap,
    Terms,
    no_downtime,
    no_unit,
    telling_event,
    us_of,
)
from domain.plant.site import Site
from telemetry import events

LOOK = 1.0
"""Seconds between two looks at what time has done: a stop is noticed at most so much after it is long enough."""

JOBS_PATIENCE = 5.0
JOBS_INTERVAL = 2.0
LINKS = {
    "source.silent": Kind.LOST,
    "source.lost": Kind.LOST,
    "source.returned": Kind.RETURNED,
    "source.connected": Kind.RETURNED,
}
CONNECTIONS = frozenset({"source.lost", "source.connected"})
"""Those of ``LINKS`` that a source tells of which keeps a connection."""

HEARD = frozenset({STATE_CHANGED, *LINKS})
"""The types of events that are this desk's business."""


class StateTaken(msgspec.Struct, frozen=True):
    """A source said what a machine does, or that it hears nothing of it."""

    event: Event
    priority: ClassVar[Priority] = Priority.HIGH


class ReadProduction(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of ledger, stops and figures now."""

    read: Callable[[LedgersNow], object]
    priority: ClassVar[Priority] = Priority.HIGH


class Look(msgspec.Struct, frozen=True):
    """It is time to see what time has done."""

    priority: ClassVar[Priority] = Priority.HIGH


class JobsTold(msgspec.Struct, frozen=True):
    """All that was counted, and what each place worked on."""

    counts: tuple[tuple[str, tuple[Count, ...]], ...]
    runs: tuple[tuple[str, tuple[Run, ...]], ...]
    priority: ClassVar[Priority] = Priority.HIGH


class Presence:
    """Whether this daemon keeps time already: made with the tree, it outlives each life of the desk."""

    def __init__(self) -> None:
        self.has_begun = False


class ProductionDesk(DecidingDesk):
    """Keeps ``Ledgers`` by the settings that ``present`` returns, at the ``site``."""

    name = "production"
    kinds = KINDS

    def __init__(
        self,
        present: Callable[[], FloorSettings] = FloorSettings,
        site: Callable[[], Site] = Site,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
        presence: Presence | None = None,
    ) -> None:
        super().__init__(clock, ranks)
        self._presence = presence or Presence()
        self._present = present
        self._site = site
        self._in_force = (present(), site())
        self._ledgers = Ledgers(terms_of(self._in_force[0]), self._in_force[1])
        self._jobs = Address(self.life.environment, JOBS_DESK)
        self._told: dict[str, JsonValue] = {}
        self._told_at = float("-inf")

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Take up what was kept."""
        faults = self._ledgers.restore(kept)
        if faults:
            events.state_unreadable(kind="downtime", count=faults)

    def begin(self) -> None:
        """Begin to keep time, and to hear what is made; what was while the daemon was away is not known."""
        if not self._presence.has_begun:
            self._presence.has_begun = True
            self.commit(self._ledgers.resume(us_of(self.clock())))
        self.start_task(self._keep_looking)
        self.start_task(self._ask_for_jobs)

    def acts(self) -> Mapping[str, Method]:
        """What a person can do with stops and with the ledger."""
        return {type_: partial(self._perform_deed, type_) for type_ in DEEDS}

    def concerns(self, act: Act) -> Iterable[Concern]:
        """The unit whose past is corrected, or that of the stop."""
        if act.type == "equipment.correct":
            name = act.arguments.get("equipment")
            if isinstance(name, str):
                yield Concern(self._ledgers.site.equipment.path_of(name).strip("/"), no_unit(name))
            return
        id_ = act.arguments.get("id")
        if isinstance(id_, str):
            try:
                unit = self._ledgers.downtime(id_).unit
            except Refused as unknown:
                yield Concern(None, unknown)
            else:
                yield Concern(unit, no_downtime(id_), id_, lambda: self._now().downtime(id_))

    def take(self, message: object) -> object:
        """Hear what machines do and what was made, see what is due, answer what is asked."""
        self._configure()
        match message:
            case StateTaken(event=event):
                self._hear(event)
            case Look():
                self._look()
            case CountsTold(equipment=equipment, counts=counts, is_all=is_all):
                self._ledgers.output.take(equipment, counts, is_all=is_all)
            case RunsTold(equipment=equipment, runs=runs):
                self._ledgers.output.take_runs(equipment, runs)
            case JobsTold(counts=counts, runs=runs):
                self._take_all(counts, runs)
            case ReadProduction(read=read):
                return read(self._now())
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many units there are, their entries, open stops, and what was put off or turned away."""
        units = self._ledgers.units.values()
        unmapped: list[JsonValue] = [" ".join(filter(None, each)) for each in self._ledgers.unmapped()]
        return {
            "units": len(units),
            "entries": sum(len(unit.ledger) for unit in units),
            "openDowntimes": sum(each.is_open for unit in units for each in unit.downtimes.values()),
            "quarantined": sum(unit.clock.quarantined for unit in units),
            "refusedUnits": self._ledgers.refused,
            "unmapped": unmapped,
        }

    # -- what is heard ----------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        now = us_of(self.clock())
        if event.type == STATE_CHANGED:
            self.commit(self._ledgers.take_state(event, now))
        elif event.type in LINKS:
            kind = LINKS[event.type]
            at, is_link = _link_us(event, kind, now), event.type in CONNECTIONS
            self.commit(self._ledgers.take_link(_place_of(event), kind, at, now, is_link=is_link))

    def _take_all(
        self, counts: tuple[tuple[str, tuple[Count, ...]], ...], runs: tuple[tuple[str, tuple[Run, ...]], ...]
    ) -> None:
        for equipment, counted in counts:
            self._ledgers.output.take(equipment, counted, is_all=True)
        for equipment, worked in runs:
            self._ledgers.output.take_runs(equipment, worked)

    def _perform_deed(self, type_: str, act: Act) -> Decision[JsonValue | Refused]:
        decision = DEEDS[type_](self._ledgers, Deed(act.arguments, act.by, us_of(self.clock())))
        return Decision(decision.answer, decision.events, decision.rows)

    # -- time -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        now = us_of(self.clock())
        self.commit(self._ledgers.settle(now))
        at = trio.current_time()
        if at - self._told_at >= self._in_force[0].oee.interval:
            self._told_at = at
            self._tell_figures(now)

    def _tell_figures(self, now: int) -> None:
        read = self._now()
        for path in dict.fromkeys((*self._ledgers.units, *self._ledgers.statuses)):
            figures = read.oee(path)
            essence = essence_of(figures)
            if essence != self._told.get(path):
                self._told[path] = essence
                event = telling_event(OEE_UPDATED, path, f"{path}-oee-{now}", figures, now)
                # A figure follows from what is kept: it is told, and not kept itself.
                self._channels.tell(Publish(event if self._ranks is None else self._ranks.rank(event)))

    def _now(self) -> LedgersNow:
        return LedgersNow(self._ledgers, self._cycle, us_of(self.clock()))

    def _cycle(self, product: str, equipment: str) -> int | None:
        seconds = ideal_cycle(self._in_force[0].products.get(product), equipment)
        return None if seconds is None else us_of(seconds)

    def _configure(self) -> None:
        present = (self._present(), self._site())
        if present[0] is not self._in_force[0] or present[1] is not self._in_force[1]:
            self._in_force = present
            self._ledgers.configure(terms_of(present[0]), present[1])

    async def _keep_looking(self) -> None:
        while True:
            with suppress(MailboxFull):
                self.actor_ref.tell(Look())
            await beat(LOOK)

    async def _ask_for_jobs(self) -> None:
        """Ask until it is answered what was counted so far: the jobs' desk may begin later than this one."""
        told = await until_answered(self._jobs, ReadJobs(_all_of), JobsTold, JOBS_PATIENCE, JOBS_INTERVAL)
        self.actor_ref.tell(told)


class StatesInForce:
    """What machines' words mean by the settings that ``present`` returns; worked out once for each."""

    def __init__(self, present: Callable[[], FloorSettings]) -> None:
        self._present = present
        self._in_force = present()
        self._states = states_of(self._in_force)

    def __call__(self) -> StateMap:
        """The table in force."""
        settings = self._present()
        if settings is not self._in_force:
            self._in_force, self._states = settings, states_of(settings)
        return self._states


def states_of(settings: FloorSettings) -> StateMap:
    """What a machine's words mean by ``settings``."""
    rows = [(row.model, row.state, row.mode, Bucket(row.bucket)) for row in settings.oee.states]
    return StateMap(rows, Bucket(settings.oee.ready))


def terms_of(settings: FloorSettings) -> Terms:
    """How time is accounted for by ``settings``."""
    oee, downtime = settings.oee, settings.downtime
    reasons = [
        Reason(
            row.code,
            row.group,
            row.category,
            row.description or row.code,
            row.failure,
            None if row.bucket is None else Bucket(row.bucket),
        )
        for row in downtime.reasons
    ]
    return Terms(
        states_of(settings),
        Reasons(reasons),
        us_of(downtime.minor),
        us_of(oee.keep),
        oee.coverage,
        oee.failures_plus_one,
        settings.jobs.outputs,
    )


def essence_of(figures: JsonObject) -> JsonValue:
    """What makes ``figures`` worth telling again: not that time has passed in which nothing was planned."""
    elements = figures.get("elements")
    counted = {
        name: value
        for name, value in (elements if isinstance(elements, Mapping) else {}).items()
        if name not in ("calendar", "unseen")
    }
    return [figures.get("status"), figures.get("flags"), counted]


def _all_of(now: JobsNow) -> JobsTold:
    runs = now.workshop.production.runs
    counts = tuple(now.counts())
    places = dict.fromkeys((*(equipment for equipment, _ in counts), *(job.equipment for job in now.workshop.jobs)))
    return JobsTold(counts, tuple((place, runs.of(place)) for place in places))


def _place_of(event: Event) -> str:
    place = event.data.get("equipment") if isinstance(event.data, Mapping) else None
    return place if isinstance(place, str) and place else event.source


def _link_us(event: Event, kind: Kind, now: int) -> int:
    """When the link was lost: a silence began with the last word, not when it was noticed."""
    since = event.data.get("since") if isinstance(event.data, Mapping) else None
    if kind is Kind.LOST and event.type == "source.silent" and isinstance(since, str):
        with suppress(ValueError):
            return min(us_of(parse_rfc3339(since)), now)
    return now
