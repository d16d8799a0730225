"""The floor's desk: what machines, stations and any other publisher say.

Rules of this file: an event is told once. A machine's log can be read again after a restart, and then the same
observations make the same events; what was told already is not told twice. What could not be kept may come again.
What concerns another desk is passed on to it, behind the event's own way to the recorder and the channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from actors.desks.alarms import SignalTaken
from actors.desks.dispatch import Dispatch, Settled
from actors.desks.job_rules import Readings, reading_of
from actors.desks.job_words import CountTaken
from actors.desks.production import HEARD as TIMED
from actors.desks.production import StateTaken
from actors.messages import EventTaken
from actors.places import ALARMS_DESK, JOBS_DESK, PRODUCTION_DESK, Address
from actors.runtime import ActorDead, MailboxFull, TrioActor
from config import JournalSettings
from domain import Duplicates, Event, JsonValue
from domain.plant.alarms import HEARD
from domain.plant.jobs import COUNTED
from telemetry import events

REMEMBERED = 100_000
READING = "equipment.reading"


class FloorDesk(TrioActor):
    """Publishes what sources of the floor took in; ``present`` returns the settings of the journal in force.

    ``counters`` returns the readings that are counters: what counts pieces is not told by the type of an event.
    """

    mailbox_limit = 50_000

    def __init__(
        self, present: Callable[[], JournalSettings] = JournalSettings, counters: Callable[[], Readings] = frozenset
    ) -> None:
        super().__init__()
        self._dispatch = Dispatch(self.life.environment, present)
        self._duplicates = Duplicates(REMEMBERED)
        self._alarms = Address(self.life.environment, ALARMS_DESK)
        self._production = Address(self.life.environment, PRODUCTION_DESK)
        self._jobs = Address(self.life.environment, JOBS_DESK)
        self._counters = counters

    def on_receive(self, message: object) -> None:
        """Publish an event that is new."""
        if type(message) is not EventTaken:
            return
        event, settled = message.event, message.settled
        if self._duplicates.is_new(event):
            self._dispatch.send(event, partial(self._settle, event, settled))
            self._pass_on(event)
        elif settled is not None:
            self._dispatch.answer_for(event, settled)

    def describe(self) -> Mapping[str, JsonValue]:
        """How many events are remembered, and how many came again."""
        return {"remembered": len(self._duplicates), "duplicates": self._duplicates.count}

    def _pass_on(self, event: Event) -> None:
        """Have the desk know whose business it is; the event itself is on its way already."""
        if event.type in TIMED:
            try:
                self._production.tell(StateTaken(event))
            except (ActorDead, MailboxFull):
                events.state_lost(equipment=event.source)
        if event.type in HEARD:
            try:
                self._alarms.tell(SignalTaken(event))
            except (ActorDead, MailboxFull):
                events.signal_lost(alarm=event.subject or "", source=event.source)

        if event.type == COUNTED or (event.type == READING and self._is_counter(event)):
            try:
                self._jobs.tell(CountTaken(event))
            except (ActorDead, MailboxFull):
                events.count_refused(equipment=event.source, id=event.id, reason="the jobs' desk has no room")

    def _is_counter(self, event: Event) -> bool:
        counters = self._counters()
        return bool(counters) and reading_of(event) in counters

    def _settle(self, event: Event, settled: Settled | None, is_kept: bool) -> None:  # noqa: FBT001 - see EventTaken
        if not is_kept:
            self._duplicates.forget(event)
        if settled is not None:
            settled(is_kept)
