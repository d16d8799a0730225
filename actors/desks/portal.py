"""The portal's desk: what chain nodes, validators and the host say, and what the portal's clients are told of it.

Rules of this file: the view decides what is known; the desk keeps time. Each periodic value is published at its
interval, from what was received, null with a reason where nothing was.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import trio

from actors.desks.around import Around
from actors.desks.dispatch import Dispatch
from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.runtime import TrioActor
from config import JournalSettings, PortalSettings
from domain import Event, JsonValue, Priority, rfc3339
from domain.chain import INTERVALS, LIVE, ChainView, Document, Now, Surroundings, history_row, metrics

HOST_METRICS = "host.metrics"
METRICS = "portal.metrics"


@dataclass(frozen=True, slots=True)
class Tick:
    """It is time for the periodic event of ``type``."""

    type: str
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class ReadPortal:
    """Answer what ``read`` makes of the present view and its surroundings."""

    read: Callable[[Now, Surroundings], object]
    priority: ClassVar[Priority] = Priority.HIGH


class PortalDesk(TrioActor):
    """Keeps a ``ChainView`` and publishes from it; ``present`` returns the settings of the journal in force."""

    mailbox_limit = 50_000
    has_tasks = True

    def __init__(
        self,
        settings: PortalSettings,
        clock: Callable[[], float] = time.time,
        present: Callable[[], JournalSettings] = JournalSettings,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._ranks = ranks or Ranks("portal")
        self._dispatch = Dispatch(self.life.environment, present)
        self._clock = clock
        self._started = clock()
        self._view = ChainView(settings.window, settings.stale_after, settings.target_tps)
        self._around = Around(settings.stale_after, self._started)
        self._ids = itertools.count(1)

    async def setup(self) -> None:
        """Begin to keep time."""
        for type_, interval in INTERVALS.items():
            self.start_task(self._tick, type_, interval)

    def on_receive(self, message: object) -> object:
        """Learn from an event and publish it; publish what is due; answer what is asked."""
        match message:
            case EventTaken(event=event, settled=settled):
                self._learn(event)
                self._dispatch.send(event, settled)
            case Tick(type=type_):
                self._dispatch.tell(self._ranks.rank(self._periodic(type_)))
            case ReadPortal(read=read):
                at = self._clock()
                return read(Now(self._view, at), self._around.present(at))
        return None

    def describe(self) -> Mapping[str, JsonValue]:
        """When the desk last heard of each kind of event, and how many it refused."""
        heard: dict[str, JsonValue] = {type_: rfc3339(at) for type_, at in self._view.heard.items()}
        return {"heard": heard, "refused": self._view.refused}

    async def _tick(self, type_: str, interval: float) -> None:
        due = trio.current_time()
        while True:
            self.actor_ref.tell(Tick(type_))
            due = max(due + interval, trio.current_time())
            await trio.sleep_until(due)

    def _learn(self, event: Event) -> None:
        at = self._clock()
        if event.type == HOST_METRICS and isinstance(event.data, Mapping):
            self._around.take(event.data, at)
        else:
            self._view.take(event, at)

    def _periodic(self, type_: str) -> Event:
        at = self._clock()
        now = Now(self._view, at)
        if type_ == METRICS:
            around = self._around.present(at)
            self._view.note(history_row(now, around))
            return self._event(type_, metrics(now, around), at)
        return self._event(type_, LIVE[type_](now), at)

    def _event(self, type_: str, data: Document, at: float) -> Event:
        return Event(
            id=f"{self._started:.3f}-{next(self._ids)}",
            source="/andond/portal",
            type=type_,
            data=data,
            recorded=at,
            priority=Priority.NORMAL,
            time=rfc3339(at),
        )
