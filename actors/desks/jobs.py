"""The jobs' desk: job orders, what is counted for them, changeovers and quality.

Rules of this file: the rules decide (``domain.plant.jobs``, ``domain.plant.quality``); the desk keeps time, commits and
tells. What was counted and what each place works on is told to the production's desk, all of it when a life begins;
what breaks a rule of a control chart is told to the alarms' desk, again when a life begins, since it takes each once.
An act that says it was done later than now was done now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from uuid import uuid4

from actors.acts import Act
from actors.beats import beat
from actors.desks.alarms import SignalTaken
from actors.desks.deciding import Concern, DecidingDesk, Method, named_place
from actors.desks.job_rules import count_of, counters_of, path_of, quality_of, reading_of, target_of
from actors.desks.job_words import CountsTold, CountTaken, Look, ReadJobs, RunsTold
from actors.messages import StateRead
from actors.places import ALARMS_DESK, PRODUCTION_DESK, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, MailboxFull
from config import FloorSettings
from domain import Arguments, Decision, Event, JsonObject, JsonValue, Refused, parse_rfc3339
from domain.plant import Word
from domain.plant.jobs import (
    COUNTED,
    DUPLICATE,
    KINDS,
    UNCHANGED,
    Count,
    Done,
    JobsNow,
    Trigger,
    Workshop,
    no_changeover,
    no_job,
)
from domain.plant.quality import KINDS as QUALITY_KINDS
from domain.plant.quality import Characteristic, Said, no_characteristic
from domain.plant.site import Site
from telemetry import events

LOOK = 1.0
FOLD = 60.0
READING = "equipment.reading"
_SECOND_US = 1_000_000
_MOVES = {
    "job.accept": Trigger.START,
    "job.revoke": Trigger.REVOKE_START,
    "job.start": Trigger.BEGIN,
    "job.pause": Trigger.PAUSE,
    "job.resume": Trigger.RESUME,
    "job.stop": Trigger.STOP,
    "job.complete": Trigger.STOP,
    "job.abort": Trigger.ABORT,
    "job.cancel": Trigger.ABORT,
    "job.withdraw": Trigger.CANCEL,
    "job.clear": Trigger.CLEAR,
}
"""What the acts that only move a job order do: ``cancel`` is the dashboard's word, its job is there as cancelled."""


class JobDesk(DecidingDesk):
    """Keeps a ``Workshop`` and its ``Quality`` by the settings that ``present`` returns, at the ``site``."""

    name = "jobs"
    kinds = (*KINDS, *QUALITY_KINDS)

    def __init__(
        self,
        present: Callable[[], FloorSettings] = FloorSettings,
        site: Callable[[], Site] = Site,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
        new_id: Callable[[], str] = lambda: str(uuid4()),
    ) -> None:
        super().__init__(clock, ranks)
        self._present = present
        self._site = site
        self._new_id = new_id
        self._in_force = present()
        self._counters = counters_of(self._in_force)
        self._workshop = Workshop(has_ramp=self._in_force.changeovers.ramp)
        self._quality = quality_of(self._in_force)
        self._production = Address(self.life.environment, PRODUCTION_DESK)
        self._alarms = Address(self.life.environment, ALARMS_DESK)
        self._folded = float("-inf")
        self._apply(self._in_force)

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Take up what was kept."""
        for kind, faults in (("job", self._workshop.recall(kept)), ("quality", self._quality.recall(kept))):
            if faults:
                events.state_unreadable(kind=kind, count=faults)

    def begin(self) -> None:
        """Tell everything to who counts on it, and begin to keep time."""
        for equipment, counts in self._now().counts():
            self._tell(CountsTold(equipment, counts, is_all=True))
        self._tell_runs({order.equipment for order in self._workshop.jobs})
        self._tell_alarms(self._quality.alarms(self.clock()))
        self.start_task(self._keep_looking)

    def acts(self) -> Mapping[str, Method]:
        """What a person can do with jobs, counts, changeovers and quality."""
        return {
            "job.store": lambda act: self._done(self._workshop.store(act.arguments, self._word(act), self._new_id())),
            "job.update": self._update,
            "job.report": lambda act: self._done(self._workshop.report(act.arguments, self._word(act))),
            **dict.fromkeys(_MOVES, self._move),
            "production.count": self._count,
            "changeover.start": lambda act: self._done(
                self._workshop.begin_changeover(act.arguments, self._word(act), self._new_id())
            ),
            "changeover.phase": lambda act: self._done(self._workshop.change_phase(act.arguments, self._word(act))),
            "changeover.end": lambda act: self._done(self._workshop.end_changeover(act.arguments, self._word(act))),
            "quality.check": self._check,
            "quality.defect": self._check,
        }

    def concerns(self, act: Act) -> Iterable[Concern]:
        """The job, the changeover, what is checked, and the place that is named."""
        self._configure()
        yield from named_place(act, self._site())
        id_, job = act.arguments.get("id"), act.arguments.get("job")
        if isinstance(id_, str) and act.type in ("changeover.phase", "changeover.end"):
            yield self._concern_of_changeover(id_)
        elif isinstance(id_, str) and act.type.startswith("job.") and act.type != "job.store":
            yield self._concern_of_job(id_)
        if isinstance(job, str):
            concern = self._concern_of_job(job)
            # A count or a check may name any job, also one that is not known here.
            if act.type == "changeover.start" or (concern.path is not None and act.rights.reaches(concern.path)):
                yield concern
        known = self._characteristics(act).get(str(act.arguments.get("characteristic")))
        if known is not None:
            yield Concern(known.equipment, no_characteristic(known.nature.name))

    def _concern_of_changeover(self, id_: str) -> Concern:
        try:
            found = self._workshop.changeovers.get(id_)
        except Refused as unknown:
            return Concern(None, unknown)
        return Concern(found.equipment, no_changeover(id_), id_, lambda: self._changeover(id_))

    def _concern_of_job(self, id_: str) -> Concern:
        order = self._workshop.jobs.find(id_)
        if order is None:
            return Concern(None, no_job(id_))
        return Concern(order.equipment, no_job(id_), id_, lambda: self._now().job(id_))

    def _characteristics(self, act: Act) -> Mapping[str, Characteristic]:
        """What can be checked by who acts: what is another's is not there for them."""
        known = self._quality.characteristics
        return {name: one for name, one in known.items() if act.rights.reaches(one.equipment)}

    def take(self, message: object) -> object:
        """Hear a count, see what is due, answer what is asked."""
        self._configure()
        match message:
            case CountTaken(event=event):
                self._hear(event)
            case Look():
                self._look()
            case ReadJobs(read=read):
                return read(self._now())
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many jobs there are, and what became of counts."""
        production = self._workshop.production
        return {"jobs": len(self._workshop.jobs), "late": production.late, "repeated": production.repeated}

    # -- acts ---------------------------------------------------------------------------------------------------

    def _move(self, act: Act) -> Decision[JsonValue]:
        given = Arguments(act.arguments)
        id_, reason = given.text("id"), given.optional_text("reason")
        given.check()
        return self._done(self._workshop.move(id_, _MOVES[act.type], self._word(act), reason))

    def _update(self, act: Act) -> Decision[JsonValue]:
        given = Arguments(act.arguments)
        id_ = given.text("id")
        given.check()
        return self._workshop.jobs.update(id_, act.arguments, self._word(act))

    def _count(self, act: Act) -> Decision[JsonValue]:
        equipment = self._place(act.arguments)
        id_ = act.key or self._new_id()
        return self._done(self._workshop.count(id_, equipment, act.arguments, self._word(act), is_act=True))

    def _check(self, act: Act) -> Decision[JsonValue]:
        word = self._word(act)
        given = Arguments(act.arguments)
        name, characteristics = given.optional_text("characteristic"), self._characteristics(act)
        known = characteristics.get(name or "")
        if name is not None and known is None:
            there = ", ".join(sorted(characteristics)) or "the configuration has none"
            given.fault("characteristic", f"there is no characteristic {name}; those there are: {there}")
            given.check()
        equipment = known.equipment if known is not None else self._place(act.arguments)
        run = self._workshop.production.runs.at(equipment, round(word.at * _SECOND_US))
        product, job = (None, None) if run is None else (run.product, run.job)
        take = self._quality.check if act.type == "quality.check" else self._quality.defect
        said: Said = take(self._new_id(), {**act.arguments, "equipment": equipment}, word, product, job)
        self._tell_alarms(said.alarms)
        return said.decision

    def _place(self, arguments: JsonObject) -> str:
        given = Arguments(arguments)
        name = given.text("equipment")
        path = path_of(self._site(), name) if name else None
        if name and path is None:
            given.fault("equipment", "is no equipment of this site")
        given.check()
        return path or name

    def _word(self, act: Act) -> Word:
        self._configure()
        now = self.clock()
        comment = act.arguments.get("comment")
        return Word(
            by=act.by,
            at=min(act.at, now),
            received=now,
            station=act.station,
            comment=comment if isinstance(comment, str) else None,
        )

    # -- what is told -------------------------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        now = self.clock()
        at = now if event.time is None else min(parse_rfc3339(event.time), now)
        equipment = self._site().equipment.path_of(event.source)
        members = event.data if isinstance(event.data, Mapping) else {}
        if event.quality == "bad":
            events.count_refused(equipment=equipment, id=event.id, reason="its quality is bad")
            return
        if event.type == READING:
            named = self._counters.get(reading_of(event))
            if named is None or members.get("value") is None:
                return
            members = count_of(*named, members)
        elif event.type != COUNTED:
            return
        if path_of(self._site(), event.source) is None:
            events.count_refused(equipment=equipment, id=event.id, reason="it is no equipment of this site")
            return
        word = Word(event.subject or event.source, at, now)
        try:
            done = self._workshop.count(event.id, equipment, members, word)
        except Refused as refused:
            if refused.details.get("reason") not in (DUPLICATE, UNCHANGED):
                events.count_refused(equipment=equipment, id=event.id, reason=str(refused))
            return
        self.commit(self._done(done))

    def _changeover(self, id_: str) -> JsonValue:
        return self._workshop.changeovers.get(id_).to_members(self._now().at)

    def _done(self, done: Done) -> Decision[JsonValue]:
        """Tell the production's desk what it is to know; the decision, to be committed."""
        told: dict[str, list[Count]] = {}
        for equipment, count in done.counts:
            told.setdefault(equipment, []).append(count)
        for equipment, counts in told.items():
            self._tell(CountsTold(equipment, tuple(counts)))
        self._tell_runs(done.turned)
        return done.decision

    def _tell_runs(self, places: Iterable[str]) -> None:
        for place in places:
            runs = self._workshop.production.runs.of(place)
            if runs:
                self._tell(RunsTold(place, runs))

    def _tell(self, message: object) -> None:
        # Who was away asks for all of it when it is back.
        with suppress(ActorDead, MailboxFull):
            self._production.tell(message)

    def _tell_alarms(self, alarms: Iterable[Event]) -> None:
        for alarm in alarms:
            try:
                self._alarms.tell(SignalTaken(alarm))
            except (ActorDead, MailboxFull):
                events.signal_lost(alarm=alarm.subject or "", source=alarm.source)

    # -- time ---------------------------------------------------------------------------------------------------

    def _now(self) -> JobsNow:
        return JobsNow(self._workshop, self._quality, self._site(), self.clock())

    def _configure(self) -> None:
        settings = self._present()
        if settings is not self._in_force:
            self._apply(settings)

    def _apply(self, settings: FloorSettings) -> None:
        self._in_force = settings
        self._counters = counters_of(settings)
        self._workshop.change(
            lambda name: path_of(self._site(), name), target_of(settings.changeovers), settings.jobs.outputs
        )

    def _look(self) -> None:
        now = self.clock()
        overdue = self._workshop.changeovers.overdue(now, now)
        if overdue.events:
            self.commit(overdue)
        if not self._folded <= now < self._folded + FOLD:
            self._folded = now
            jobs = self._in_force.jobs
            horizon, keep = round((now - jobs.late) * _SECOND_US), round((now - jobs.kept) * _SECOND_US)
            rows = self._workshop.production.fold(horizon, keep)
            if rows:
                self.commit(Decision(None, rows=rows))

    async def _keep_looking(self) -> None:
        while True:
            with suppress(MailboxFull):
                self.actor_ref.tell(Look())
            await beat(LOOK)
