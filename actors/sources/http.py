"""The source of what is posted: CloudEvents from any publisher.

Rules of this file: an event is parsed, checked against what its type promises, told apart from a repeat, and
handed to its desk. A refusal names the event and every fault. What found no room is said to the publisher,
who has it still. What the gateway tells of itself it does not let itself be told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from trio.lowlevel import checkpoint

from actors.desks.routing import Desks
from actors.messages import EventsTaken, EventTaken, Refusal, TakeEvents
from actors.runtime import ActorDead, MailboxFull, TrioActor
from actors.sources.source import Freshness
from config import HttpSource as HttpSourceSettings
from domain import Duplicates, Event, EventFault, Fault, JsonValue, parse_event
from domain.chain import faults_of
from telemetry import counters, events

ID_SHOWN = 128
SLICE = 64
OWN_KINDS = ("host", "portal")
OWN_TYPES = ("host.", "portal.", "source.")


class HttpSource(TrioActor):
    """Takes what publishers posted; ``name`` is the table of its settings."""

    def __init__(self, name: str, settings: HttpSourceSettings, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._name = name
        self._desks = Desks.at_their_places(self.life.environment)
        self._clock = clock
        self._duplicates = Duplicates(settings.duplicates)
        self._freshness = Freshness(name, "http", settings.equipment, settings.cadence, settings.required)

    async def on_receive(self, message: object) -> object:
        """Take posted events, answer what became of them."""
        if type(message) is TakeEvents:
            return await self._take(message.members)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How fresh the source is, and what it remembers."""
        known = {"remembered": len(self._duplicates), "duplicates": self._duplicates.count}
        return {**self._freshness.describe(self._clock()), **known}

    async def _take(self, members: Sequence[JsonValue]) -> EventsTaken:
        at = self._clock()
        accepted = duplicates = overloaded = 0
        refused = []
        for index, member in enumerate(members):
            if index % SLICE == SLICE - 1:
                # A thousand events at a stretch would hold everybody up for twenty milliseconds.
                await checkpoint()
            try:
                event = _checked(member, at)
            except EventFault as fault:
                refused.append(self._refuse(index, member, fault))
                continue
            if not self._duplicates.is_new(event):
                duplicates += 1
            elif self._hand_over(event):
                accepted += 1
            else:
                overloaded += 1
        if accepted or duplicates:
            self._freshness.note(at)
        counters.events_accepted += accepted
        counters.events_refused.add("duplicate", duplicates)
        counters.events_refused.add("overloaded", overloaded)
        return EventsTaken(accepted, duplicates, overloaded, tuple(refused))

    def _hand_over(self, event: Event) -> bool:
        """Give ``event`` to its desk; False when the desk is behind, and then the event may come again."""
        try:
            self._desks.of(event).tell(EventTaken(event))
        except (MailboxFull, ActorDead):
            self._duplicates.forget(event)
            return False
        return True

    def _refuse(self, index: int, member: JsonValue, fault: EventFault) -> Refusal:
        name = member.get("id") if isinstance(member, Mapping) else None
        shown = name[:ID_SHOWN] if isinstance(name, str) else None
        events.event_refused(source=self._name, event=shown or "", reason="invalid", detail=str(fault)[:500])
        return Refusal(index, shown, tuple(fault.faults))


def _checked(member: JsonValue, at: float) -> Event:
    """The event that ``member`` describes.

    Raises:
        EventFault: if it is none, breaks what its type promises, or says what only the gateway itself can know.
    """
    event = parse_event(member, at)
    if event.type.startswith(OWN_TYPES):
        raise EventFault([Fault("/type", "is the gateway's own word about itself; choose another")])
    if faults := faults_of(event):
        raise EventFault(list(faults))
    return event
