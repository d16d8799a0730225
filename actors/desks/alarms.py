"""The alarms' desk: what sources say of conditions becomes alarm states, and persons and the time do their part.

Rules of this file: the rules decide (``domain.plant.alarms``); the desk keeps time, commits and tells. An alarm that by
its class raises an Andon call asks the calls' desk for it when the disk has the alarm, and again after a restart; the
calls' desk takes each occurrence once. The wall clock may be set at any time: what is still to come stays as far away
as it was (``domain.plant.escalation.clocks``), and after a restart of the machine what is due by the wall clock is due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from actors.acts import Act
from actors.beats import beat
from actors.desks.alarm_calls import call_for
from actors.desks.alarm_levels import GAUGES, Levels, number, whole
from actors.desks.alarm_rules import rulebook_of
from actors.desks.deciding import Answer, Concern, DecidingDesk, Method, named_place
from actors.messages import StateRead
from actors.notifier import read_clocks
from actors.places import CALLS_DESK, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, MailboxFull
from config import AlarmSettings
from domain import Decision, Event, JsonValue, Priority
from domain.plant.alarms import ACTS, KINDS, Alarms, AlarmsNow, Clocks, Occurred, State, Wish, act, no_alarm
from domain.plant.escalation import Reading
from domain.plant.site import Site
from telemetry import counters, events, gauges

LOOK = 0.25
"""Seconds between two looks at what is due: a delay or a shelving ends at most so much late."""

CLOCK = "alarm.clock"


NOWHERE = Site()
"""An alarm names its equipment by its path: there are no aliases here."""


class SignalTaken(msgspec.Struct, frozen=True):
    """A source said something that may concern alarms; one priority for all, so that none overtakes another."""

    event: Event
    priority: ClassVar[Priority] = Priority.HIGH


class ReadAlarms(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of the alarms now; None before what was kept is read."""

    read: Callable[[AlarmsNow], object]
    priority: ClassVar[Priority] = Priority.HIGH


class Look(msgspec.Struct, frozen=True):
    """It is time to see what is due."""

    priority: ClassVar[Priority] = Priority.HIGH


class AlarmDesk(DecidingDesk):
    """Keeps ``Alarms`` by the settings that ``present`` returns; ``shift_of`` says who is at work where and when.

    ``clock`` is the wall clock, ``readings`` reads it together with the one that nobody sets.
    """

    name = "alarms"
    kinds = (*KINDS, CLOCK)

    def __init__(
        self,
        present: Callable[[], AlarmSettings] = AlarmSettings,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
        shift_of: Callable[[str, float], str] = lambda _equipment, _at: "",
        readings: Callable[[], Reading] | None = None,
    ) -> None:
        super().__init__(clock, ranks)
        self._present = present
        self._in_force = present()
        self._readings = readings or partial(read_clocks, clock)
        self._clocks = Clocks()
        self._alarms = Alarms(rulebook_of(self._in_force), clock(), shift_of=shift_of)
        self._calls = Address(self.life.environment, CALLS_DESK)
        self._levels = Levels(lambda: AlarmsNow(self._alarms, self.clock()))

    def restore(self, kept: Mapping[str, StateRead]) -> None:
        """Take up the alarms, the floods and the clock."""
        for kind in KINDS:
            unread = self._alarms.restore(kind, kept[kind], self.clock())
            if unread:
                events.state_unreadable(kind=kind, count=unread)
        self._clocks = Clocks(dict(kept[CLOCK]).get("clock"))

    def begin(self) -> None:
        """Begin to keep time; ask once more for calls that may not have been asked for."""
        self._check_clock()
        self._levels.feed()
        self._raise_calls([alarm.id for alarm in self._alarms if alarm.state is State.UNACKNOWLEDGED and alarm.active])
        self.start_task(self._keep_looking)

    async def close(self) -> None:
        """Tell no more how the alarms are."""
        for name in GAUGES:
            gauges.forget(name)

    def acts(self) -> Mapping[str, Method]:
        """What a person can do with an alarm."""
        return dict.fromkeys(ACTS, self._do)

    def concerns(self, act: Act) -> Iterable[Concern]:
        """The alarm, by its id or by its equipment and key."""
        id_ = act.arguments.get("alarm") or act.arguments.get("id")
        if not isinstance(id_, str):
            yield from named_place(act, NOWHERE)
        elif (alarm := self._alarms.get(id_)) is None:
            yield Concern(None, no_alarm(id_))
        else:
            look = partial(AlarmsNow.alarm, id_=id_)
            yield Concern(alarm.equipment, no_alarm(id_), id_, lambda: look(AlarmsNow(self._alarms, self.clock())))

    def take(self, message: object) -> object:
        """Hear a source, see what is due, answer what is asked."""
        match message:
            case SignalTaken(event=event):
                self._check_clock()
                refused = self._alarms.refused
                self._decided(self._alarms.take(event, self.clock()))
                if self._alarms.refused > refused:
                    events.alarm_refused(alarm=event.subject or event.id, source=event.source)
            case Look():
                self._look()
            case ReadAlarms(read=read):
                return read(AlarmsNow(self._alarms, self.clock()))
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How many alarms are known, and in which states."""
        return AlarmsNow(self._alarms, self.clock()).counts()

    def _do(self, wanted: Act) -> Decision[Answer]:
        self._check_clock()
        wish = Wish(wanted.by, self.clock(), wanted.arguments, wanted.at, wanted.station)
        return act(self._alarms, wanted.type, wish)

    def _look(self) -> None:
        self._check_clock()
        settings = self._present()
        if settings is not self._in_force:
            self._in_force = settings
            self._decided(self._alarms.renew(rulebook_of(settings), self.clock()))
        due = self._alarms.next_due
        if due is not None and due <= self.clock():
            self._decided(self._alarms.due(self.clock()))

    def _check_clock(self) -> None:
        step = self._clocks.step(self._readings())
        if step:
            self._decided(self._alarms.shift(step))
        rows = tuple(replace(row, kind=CLOCK, key="clock") for row in self._clocks.changed())
        if rows:
            self.commit(Decision(None, rows=rows))

    def _decided(self, decision: Decision[Occurred]) -> None:
        if not decision.events and not decision.rows:
            return
        for event in decision.events:
            _count(event)
        # With a disk that fails too: the call is raised all the same, and kept or not by its own desk.
        settled = (lambda _: self._raise_calls(decision.answer)) if decision.answer else None
        self.commit(Decision(None, decision.events, decision.rows), settled=settled)

    def _raise_calls(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            alarm = self._alarms.get(id_)
            if alarm is None:
                continue
            terms = self._alarms.terms(alarm)
            if not terms.of_class.call:
                continue
            try:
                self._calls.tell(call_for(alarm, terms, self.clock()))
            except (ActorDead, MailboxFull):
                events.message_dead_lettered(actor=self._calls.path, message="RaiseCall", reason="refused")

    async def _keep_looking(self) -> None:
        while True:
            self.actor_ref.tell(Look())
            await beat(LOOK)


def _count(event: Event) -> None:
    data = event.data
    if not isinstance(data, Mapping):
        return
    match event.type:
        case "alarm.flood.began":
            events.flood_began(
                position=str(data["position"]), count=whole(data["alarms"]), first=str(data["first_out"])
            )
        case "alarm.flood.ended":
            events.flood_ended(
                position=str(data["position"]),
                count=whole(data["alarms"]),
                peak=whole(data["peak"]),
                duration=number(data["duration"]),
            )
        case _ if data.get("trigger") == "occur" and data.get("retain"):
            counters.alarm_activations.add(str(data["priority"]))
