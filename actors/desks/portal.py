"""The portal's desk: what chain nodes, validators and the host say, and what the portal's clients are told of it.

Rules of this file: the view decides what is known; the desk keeps time. Each periodic value is published at its
interval, from what was received, null with a reason where nothing was. Each second it looks for the history and for the
alerts; what was before this life, the keeper of the history and the alarms' desk know.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import ClassVar

import msgspec
import trio

from actors.beats import beat
from actors.desks.alarms import ReadAlarms
from actors.desks.around import Around
from actors.desks.asking import until_answered
from actors.desks.dispatch import Dispatch
from actors.desks.portal_alerts import PortalAlerts, least_tps, raised_of
from actors.desks.portal_history import Earlier, PortalHistory
from actors.messages import EventTaken, Observed, StatusesTold
from actors.places import ALARMS_DESK, FLOOR_DESK, Address
from actors.ranks import Ranks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from config import JournalSettings, PortalSettings
from domain import Event, JsonValue, Priority, rfc3339
from domain.chain import STREAMS, ChainView, Document, Known, Now, Stream, Surroundings, history_row
from domain.chain.alerts import Change
from domain.plant.alarms import CLEARED, RAISED
from telemetry import gauges

HOST_METRICS = "host.metrics"
METRICS = "portal.metrics"
SOURCE = "/andond/portal"

RECALL_INTERVAL = 1.0
RECALL_PATIENCE = 2.0
OWED_LIMIT = 100
GAUGES = ("chain_tps", "chain_tps_target", "chain_silence", "portal_alerts")


class Tick(msgspec.Struct, frozen=True):
    """It is time for the periodic event of ``type``."""

    type: str
    priority: ClassVar[Priority] = Priority.HIGH


class ReadPortal(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of the present view and its surroundings."""

    read: Callable[[Now, Surroundings], object]
    priority: ClassVar[Priority] = Priority.HIGH


class HistoryRecalled(msgspec.Struct, frozen=True):
    """The keeper of the history knows what was before this life."""

    earlier: Earlier
    priority: ClassVar[Priority] = Priority.HIGH


class AlertsRecalled(msgspec.Struct, frozen=True):
    """The alarms' desk believes that these alerts are raised, each since a moment."""

    raised: Mapping[str, float]
    priority: ClassVar[Priority] = Priority.HIGH


class PortalInForce(msgspec.Struct, frozen=True):
    """The portal's ``settings`` in force, and the names of the ``required`` sources that are nodes of a chain."""

    settings: Callable[[], PortalSettings]
    required: Callable[[], frozenset[str]] = frozenset


class PortalDesk(TrioActor):
    """Keeps a ``ChainView`` and publishes from it; ``present`` returns the settings of the journal in force.

    ``streams`` is what is published by the clock, by the type of the event that carries it; ``in_force`` what a reload
    may change (by default nothing does).
    """

    mailbox_limit = 50_000
    has_tasks = True

    def __init__(
        self,
        settings: PortalSettings,
        clock: Callable[[], float] = time.time,
        present: Callable[[], JournalSettings] = JournalSettings,
        ranks: Ranks | None = None,
        streams: Mapping[str, Stream] = STREAMS,
        in_force: PortalInForce | None = None,
    ) -> None:
        super().__init__()
        self._streams = streams
        self._in_force = in_force or PortalInForce(lambda: settings)
        self._ranks = ranks or Ranks("portal")
        self._dispatch = Dispatch(self.life.environment, present)
        self._clock = clock
        self._started = clock()
        self._view = ChainView(settings.window, settings.stale_after, settings.target_tps)
        self._around = Around(settings.stale_after, self._started)
        self._ids = itertools.count(1)
        environment = self.life.environment
        self._history = PortalHistory(environment, self._view, self._started)
        self._alerts = PortalAlerts(self._in_force.required)
        self._floor = Address(environment, FLOOR_DESK)
        self._alarms = Address(environment, ALARMS_DESK)
        self._owed: deque[Event] = deque(maxlen=OWED_LIMIT)

    async def setup(self) -> None:
        """Recall what was before, and begin to keep time."""
        earlier = await self._history.recall(self._clock())
        if earlier is None:
            self.start_task(self._recall_history)
        else:
            self._view.recall(earlier.peaks, earlier.height)
        self.start_task(self._recall_alerts)
        self._feed_gauges()
        for type_, stream in self._streams.items():
            self.start_task(self._tick, type_, stream.interval)

    def on_receive(self, message: object) -> object:
        """Learn from an event and publish it; publish what is due; answer what is asked."""
        match message:
            case EventTaken(event=event, settled=settled):
                self._learn(event)
                self._dispatch.send(event, settled)
            case Observed(observations=observations):
                for observation in observations:
                    self._view.watch.take(observation)
            case StatusesTold(events=told):
                for event in told:
                    self._learn(event)
            case Tick(type=type_):
                self._dispatch.tell(self._ranks.rank(self._periodic(type_)))
            case ReadPortal(read=read):
                at = self._clock()
                return read(Now(self._view, at), self._around.present(at))
            case HistoryRecalled(earlier=earlier):
                self._view.recall(earlier.peaks, earlier.height)
            case AlertsRecalled(raised=raised):
                self._alerts.restore(raised)
        return None

    async def close(self) -> None:
        """Hand the history over, the running minute too."""
        for name in GAUGES:
            gauges.forget(name)
        with trio.CancelScope(shield=True):
            await self._history.close(self._clock())

    def describe(self) -> Mapping[str, JsonValue]:
        """When the desk last heard of each kind of event, and how many it refused."""
        heard: dict[str, JsonValue] = {type_: rfc3339(at) for type_, at in self._view.heard.items()}
        return {"heard": heard, "refused": self._view.refused, "alerts": self._alerts.states()}

    async def _tick(self, type_: str, interval: float) -> None:
        while True:
            self.actor_ref.tell(Tick(type_))
            await beat(interval)

    def _learn(self, event: Event) -> None:
        at = self._clock()
        if event.type == HOST_METRICS and isinstance(event.data, Mapping):
            self._around.take(event.data, at)
        else:
            self._view.take(event, at)

    def _periodic(self, type_: str) -> Event:
        at = self._clock()
        now, around = Now(self._view, at), self._around.present(at)
        if type_ == METRICS:
            self._view.note(history_row(now, around))
            self._history.look(now, around)
            self._look_for_alerts(now)
        return self._event(type_, self._streams[type_].document(now, around), at)

    def _event(self, type_: str, data: Document, at: float) -> Event:
        return Event(
            id=f"{self._started:.3f}-{next(self._ids)}",
            source=SOURCE,
            type=type_,
            data=data,
            recorded=at,
            priority=Priority.NORMAL,
            time=rfc3339(at),
        )

    # -- alerts ---------------------------------------------------------------------------------------------

    def _look_for_alerts(self, now: Now) -> None:
        settings = self._in_force.settings()
        changes = self._alerts.look(now, settings.alerts, settings.target_tps)
        self._owed.extend(self._alarm(change) for change in changes)
        while self._owed:
            try:
                self._floor.tell(EventTaken(self._owed[0]))
            except (ActorDead, MailboxFull):
                # Said again with the next look: the order of the two words must not change.
                return
            self._owed.popleft()

    def _alarm(self, change: Change) -> Event:
        type_, data = RAISED if change.is_raised else CLEARED, change.document()
        return Event(
            id=f"{self._started:.3f}-{next(self._ids)}",
            source=SOURCE,
            type=type_,
            data=data,
            recorded=change.at,
            priority=self._ranks.policy.priority_of(type_, data, SOURCE),
            subject=change.rule.key,
            time=rfc3339(change.at),
        )

    def _feed_gauges(self) -> None:
        gauges.feed("chain_tps", lambda: _number(Now(self._view, self._clock()).average_tps))
        gauges.feed("chain_tps_target", self._least_tps)
        gauges.feed("chain_silence", self._silence)
        gauges.feed("portal_alerts", self._alerts.levels)

    def _least_tps(self) -> float | None:
        settings = self._in_force.settings()
        least = least_tps(settings.alerts, settings.target_tps) if settings.alerts.enabled else None
        return None if least is None else float(least)

    def _silence(self) -> float | None:
        observed = self._view.watch.observed
        # Where nodes are asked, what our own desk repeats of validators is no word of the chain.
        heard = max(self._view.heard.values(), default=None) if observed is None else observed
        return None if heard is None else max(0.0, self._clock() - heard)

    # -- what was before ------------------------------------------------------------------------------------

    async def _recall_history(self) -> None:
        earlier = None
        while earlier is None:
            await trio.sleep(RECALL_INTERVAL)
            earlier = await self._history.recall(self._clock())
        self.actor_ref.tell(HistoryRecalled(earlier))

    async def _recall_alerts(self) -> None:
        raised = await until_answered(self._alarms, ReadAlarms(raised_of), dict, RECALL_PATIENCE, RECALL_INTERVAL)
        self.actor_ref.tell(AlertsRecalled(raised))


def _number(value: Known) -> float | None:
    return value if isinstance(value, int | float) else None
