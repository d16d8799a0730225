"""The source of what is posted: CloudEvents from any publisher.

Rules of this file: an event is parsed, checked against what its type promises, told apart from a repeat, and
handed to its desk. A refusal names the event and every fault. What found no room is said to the publisher,
who has it still. What the gateway tells of itself it does not let itself be told.

A request is answered when the disk has every urgent event of it, and meanwhile others are taken. An event that comes
again before that is asked for again: the journal knows it, and nobody is told it is kept who was not before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from trio.lowlevel import checkpoint

from actors.checking import NO_TYPES, checked
from actors.messages import EventsTaken, EventTaken, Refusal, TakeEvents
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from actors.sources.posting import Posting
from actors.sources.source import Freshness
from config import HttpSource as HttpSourceSettings
from domain import Duplicates, Event, EventFault, JsonValue, Priority
from domain.hooks import EventType
from telemetry import counters, events

ID_SHOWN = 128
SLICE = 64
UNSETTLED_LIMIT = 100_000


class HttpSource(TrioActor):
    """Takes what publishers posted; ``name`` is the table of its settings, ``types`` are those that hooks add."""

    def __init__(
        self,
        name: str,
        settings: HttpSourceSettings,
        clock: Callable[[], float] = time.time,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
        types: Mapping[str, EventType] = NO_TYPES,
    ) -> None:
        super().__init__()
        self._name = name
        self._types = types
        self._desks = Desks.at_their_places(self.life.environment)
        self._clock = clock
        self._duplicates = Duplicates(settings.duplicates)
        self._unsettled: set[tuple[str, str]] = set()
        self._freshness = freshness or Freshness.of(name, settings)
        self._ranks = ranks or Ranks(name)

    async def on_receive(self, message: object) -> object:
        """Take posted events, answer what became of them."""
        if type(message) is TakeEvents:
            return await self._take(message.members)
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """How fresh the source is, and what it remembers."""
        known = {"remembered": len(self._duplicates), "duplicates": self._duplicates.count}
        return {**self._freshness.describe(self._clock()), **known}

    async def _take(self, members: Sequence[JsonValue]) -> EventsTaken | None:
        """Take posted events; the answer, or None if it is given when the disk has those that must be kept."""
        at = self._clock()
        posting = Posting()
        for index, member in enumerate(members):
            if index % SLICE == SLICE - 1:
                # A thousand events at a stretch would hold everybody up for twenty milliseconds.
                await checkpoint()
            try:
                event = checked(member, at, self._ranks.policy, self._types)
            except EventFault as fault:
                posting.refused.append(self._refuse(index, member, fault))
            else:
                self._hand_over(event, posting)
        if len(members) > len(posting.refused) + posting.overloaded:
            self._freshness.note(at)
        counters.events_refused.add("duplicate", posting.duplicates)
        counters.events_refused.add("overloaded", posting.overloaded)
        if not posting.is_open:
            return posting.taken()
        reply = self.defer_reply()
        if reply is not None:
            posting.reply_to(reply)
        return None

    def _hand_over(self, event: Event, posting: Posting) -> None:
        """Give ``event`` to its desk, unless it was there before and has been answered for."""
        name = (event.source, event.id)
        if not self._duplicates.is_new(event) and (name not in self._unsettled or posting.waits_for(name)):
            posting.duplicates += 1
            return
        event = self._ranks.admit(event)
        is_urgent = event.priority <= Priority.HIGH
        if not self._tell(event, partial(self._settle, event, posting) if is_urgent else None):
            # The publisher has it still.
            self._duplicates.forget(event)
            posting.overloaded += 1
        elif is_urgent:
            self._unsettled.add(name)
            posting.wait_for(name)
        else:
            posting.accepted += 1
            counters.events_accepted += 1

    def _tell(self, event: Event, settled: Callable[[bool], None] | None) -> bool:
        if len(self._unsettled) >= UNSETTLED_LIMIT:
            return False
        try:
            self._desks.of(event).tell(EventTaken(event, settled))
        except (MailboxFull, ActorDead):
            return False
        return True

    def _settle(self, event: Event, posting: Posting, is_kept: bool) -> None:  # noqa: FBT001 - see EventTaken
        name = (event.source, event.id)
        if not posting.settle(name, is_kept=is_kept):
            return
        self._unsettled.discard(name)
        if is_kept:
            counters.events_accepted += 1
        else:
            self._duplicates.forget(event)
            counters.events_refused.add("unkept")

    def _refuse(self, index: int, member: JsonValue, fault: EventFault) -> Refusal:
        name = member.get("id") if isinstance(member, Mapping) else None
        shown = name[:ID_SHOWN] if isinstance(name, str) else None
        events.event_refused(source=self._name, event=shown or "", reason="invalid", detail=str(fault)[:500])
        return Refusal(index, shown, tuple(fault.faults))
