"""The floor's desk: what machines, stations and any other publisher say.

Rules of this file: an event is told once. A machine's log can be read again after a restart, and then the same
observations make the same events; what was told already is not told twice. What could not be kept may come again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from actors.desks.dispatch import Dispatch, Settled
from actors.messages import EventTaken
from actors.runtime import TrioActor
from config import JournalSettings
from domain import Duplicates, Event, JsonValue

REMEMBERED = 100_000


class FloorDesk(TrioActor):
    """Publishes what sources of the floor took in; ``present`` returns the settings of the journal in force."""

    mailbox_limit = 50_000

    def __init__(self, present: Callable[[], JournalSettings] = JournalSettings) -> None:
        super().__init__()
        self._dispatch = Dispatch(self.life.environment, present)
        self._duplicates = Duplicates(REMEMBERED)

    def on_receive(self, message: object) -> None:
        """Publish an event that is new."""
        if type(message) is not EventTaken:
            return
        event, settled = message.event, message.settled
        if self._duplicates.is_new(event):
            self._dispatch.send(event, partial(self._settle, event, settled))
        elif settled is not None:
            self._dispatch.answer_for(event, settled)

    def describe(self) -> Mapping[str, JsonValue]:
        """How many events are remembered, and how many came again."""
        return {"remembered": len(self._duplicates), "duplicates": self._duplicates.count}

    def _settle(self, event: Event, settled: Settled | None, is_kept: bool) -> None:  # noqa: FBT001 - see EventTaken
        if not is_kept:
            self._duplicates.forget(event)
        if settled is not None:
            settled(is_kept)
