"""A source that a hook adds: asked once every cadence, in a thread of its own.

Rules of this file: a source that cannot read says so with an ``OSError`` and is asked again at the next turn; whatever
else it raises, or a turn that takes too long, puts it into quarantine. A table that names no installed hook is a source
that is missing: it is never fresh, and the others go on.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial

import trio

from actors.checking import NO_TYPES, checked
from actors.hooks.guard import Guard, HookFault, InQuarantine
from actors.hooks.installed import Installed
from actors.hooks.making import made
from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from actors.sources.source import Freshness
from config import HookSource as HookSourceSettings
from domain import EventFault, JsonObject, JsonValue
from domain.hooks import EventType, Intent, SourceHook, SourceTable
from telemetry import events


class HookedSource(TrioActor):
    """Asks the source that ``settings`` name; ``name`` is the table of its settings, ``installed`` are the hooks."""

    has_tasks = True

    def __init__(
        self,
        name: str,
        settings: HookSourceSettings,
        clock: Callable[[], float] = time.time,
        freshness: Freshness | None = None,
        ranks: Ranks | None = None,
        installed: Installed | None = None,
    ) -> None:
        super().__init__()
        self._name = name
        self._settings = settings
        self._clock = clock
        self._freshness = freshness or Freshness.of(name, settings)
        self._ranks = ranks or Ranks(name)
        self._desks = Desks.at_their_places(self.life.environment)
        self._began = clock()
        self._turns = itertools.count(1)
        self._lost: str | None = None
        self._hook: SourceHook | None = None
        self._types: Mapping[str, EventType] = NO_TYPES
        self._guard: Guard | None = None
        found = None if installed is None else installed.source(settings.hook, name)
        if installed is not None and found is not None:
            part, self._make = found
            self._types = installed.types
            timeout = installed.settings.timeout
            self._guard = Guard(self.life.environment, part, timeout, self._ranks, passes=(OSError,), clock=clock)

    async def setup(self) -> None:
        """Begin to ask."""
        if self._guard is None:
            kind = str(self._settings.__struct_config__.tag)
            events.source_lost(source=self._name, kind=kind, reason=f"no hook {self._settings.hook} is installed")
            return
        self.start_task(self._ask_for_ever, self._guard)

    async def close(self) -> None:
        """Let the source go, as far as it can still be asked."""
        guard, hook = self._guard, self._hook
        if guard is None:
            return
        if hook is not None:
            with suppress(InQuarantine, OSError):
                await guard.call(hook.close)
        guard.close()

    def describe(self) -> Mapping[str, JsonValue]:
        """How fresh the source is, or why it is not there."""
        at = self._clock()
        known: dict[str, JsonValue] = {"hook": self._settings.hook}
        if self._guard is None:
            return {**self._freshness.describe(at, "missing"), **known, "reason": "no such hook is installed"}
        part = self._guard.part
        if part.is_quarantined:
            return {**self._freshness.describe(at, "quarantined"), **known, "reason": part.reason}
        return {**self._freshness.describe(at), **known, "reason": self._lost}

    async def _ask_for_ever(self, guard: Guard) -> None:
        due = trio.current_time()
        with suppress(InQuarantine):
            while True:
                await self._ask(guard)
                # After a suspended night one reading is due, not thousands.
                due = max(due + self._settings.cadence, trio.current_time())
                await trio.sleep_until(due)

    async def _ask(self, guard: Guard) -> None:
        id_ = f"{self._name}-{self._began:.3f}-{next(self._turns)}"
        source = f"/{self._settings.equipment}"
        try:
            if self._hook is None:
                table = SourceTable(
                    self._name, self._settings.equipment, self._settings.cadence, dict(self._settings.options)
                )
                self._hook = await guard.call(partial(self._make, table))
            wanted = await guard.call(partial(_read, self._hook, id_, source))
        except OSError as error:
            self._lose(str(error) or type(error).__name__)
            return
        self._regain()
        at = self._clock()
        self._freshness.note(at)
        for each in wanted:
            self._take(guard, each, at)

    def _take(self, guard: Guard, members: JsonObject, at: float) -> None:
        try:
            event = checked(members, at, self._ranks.policy, self._types)
        except EventFault as fault:
            guard.fail(HookFault(f"worded what is no event: {fault}"))
            raise InQuarantine(str(fault)) from None
        guard.part.made += 1
        try:
            self._desks.of(event).tell(EventTaken(self._ranks.admit(event)))
        except (MailboxFull, ActorDead):
            guard.part.missed += 1

    def _lose(self, reason: str) -> None:
        if self._lost is None:
            kind = str(self._settings.__struct_config__.tag)
            events.source_lost(source=self._name, kind=kind, reason=reason, delay=self._settings.cadence)
        self._lost = reason

    def _regain(self) -> None:
        if self._lost is not None:
            events.source_connected(source=self._name, kind=str(self._settings.__struct_config__.tag))
        self._lost = None


def _read(hook: SourceHook, id_: str, source: str) -> Iterable[JsonObject]:
    wanted = made(hook.read() or (), id_, source)
    events_of_it = [each for each in wanted if not isinstance(each, Intent)]
    if len(events_of_it) != len(wanted):
        raise HookFault("gave an Intent: a source words events")
    return events_of_it
