"""How an event leaves a desk: what is urgent by way of the recorder, the rest at once.

Rules of this file: NORMAL and LOW never wait for the disk; the recorder gets a copy of those that are kept. What the
recorder has no room for is published all the same, and nobody is told that it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from actors.messages import Keep, Publish, Record
from actors.places import CHANNELS, RECORDER, Address
from actors.runtime import ActorDead, Environment, MailboxFull
from config import JournalSettings
from domain import Event, Priority
from storage import keep_of
from telemetry import counters

Settled = Callable[[bool], None]


class Dispatch:
    """The way out of a desk; ``present`` returns the settings of the journal in force."""

    def __init__(self, environment: Environment, present: Callable[[], JournalSettings]) -> None:
        self._channels = Address(environment, CHANNELS)
        self._recorder = Address(environment, RECORDER)
        self._present = present
        self._in_force: JournalSettings | None = None
        self._kept: frozenset[Priority] = frozenset()

    def send(self, event: Event, settled: Settled | None = None) -> None:
        """Have ``event`` published, and kept before that if it is urgent; ``settled`` as in ``EventTaken``."""
        if event.priority <= Priority.HIGH:
            self._record(event, settled)
            return
        self._channels.tell(Publish(event))
        if self._is_kept(event.priority):
            self._keep(event)
        if settled is not None:
            settled(True)

    def tell(self, event: Event) -> None:
        """As ``send``, without a copy for the journal: ``event`` was made from what is kept."""
        if event.priority <= Priority.HIGH:
            self._record(event, None)
        else:
            self._channels.tell(Publish(event))

    def answer_for(self, event: Event, settled: Settled) -> None:
        """Answer for an ``event`` that was sent before: whether it is kept only the recorder knows."""
        if event.priority <= Priority.HIGH:
            self._record(event, settled)
        else:
            settled(True)

    def _record(self, event: Event, settled: Settled | None) -> None:
        try:
            self._recorder.tell(Record(event, settled, trio.current_time()))
        except (ActorDead, MailboxFull):
            counters.journal_unkept[event.priority] += 1
            self._channels.tell(Publish(event))
            if settled is not None:
                settled(False)

    def _keep(self, event: Event) -> None:
        try:
            self._recorder.tell(Keep(event))
        except ActorDead:
            counters.journal_shed[event.priority] += 1

    def _is_kept(self, priority: Priority) -> bool:
        settings = self._present()
        if settings is not self._in_force:
            self._in_force = settings
            self._kept = frozenset(each for each, keep in keep_of(settings).items() if keep.age > 0)
        return priority in self._kept
