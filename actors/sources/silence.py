"""Who notices that a source says nothing: one actor for all of them, and the roll that it looks at.

Rules of this file:

* A source is watched from outside. Whether it is slow, stuck, dead or restarted for ever makes no difference: what
  counts is whether its line on the roll has changed.
* The roll is made with the tree, so what a source has said, and what was told of it, outlives each life of the source,
  of the supervisor of the sources and of the one who looks.
* What cannot be told, because the desk is full or away, is told at a later look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping

import trio

from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, MailboxFull, TrioActor
from actors.sources.source import Freshness
from config import SourceSettings
from domain import JsonValue, beat_after, rfc3339
from domain.silence import Notice, Promise, Watch, Word
from telemetry import events

LOOK = 0.25
"""Seconds between two looks: a silence is seen at most two of them late."""

STALL = 1.0
"""A look that comes so many seconds late was not late because of the sources."""


class Roll:
    """The freshness of each source by its name, and what was told of it."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[SourceSettings, Freshness]] = {}
        self.watch = Watch()

    def freshness(self, name: str, settings: SourceSettings) -> Freshness:
        """The line of ``name``; a new one if its settings are others than before. For who starts the source."""
        line = self._lines.get(name)
        if line is None or line[0] != settings:
            line = self._lines[name] = (settings, Freshness.of(name, settings))
        return line[1]

    def keep(self, names: Collection[str]) -> None:
        """Strike off everybody else."""
        for name in self._lines.keys() - set(names):
            del self._lines[name]

    def look(self, present: Mapping[str, SourceSettings], at: float) -> None:
        """See who has spoken among those there should be, ``at`` on a clock that does not jump."""
        self.watch.keep([_promise(name, settings) for name, settings in present.items()], at)
        for name in present:
            if name in self._lines:
                self.watch.look(name, self._lines[name][1].count, at)

    def last(self, name: str) -> float | None:
        """When ``name`` has last spoken, in Unix seconds; None if it never has."""
        return self._lines[name][1].last if name in self._lines else None


class Vigil(TrioActor):
    """Looks at ``roll``, four times a second, for the sources that ``present`` returns."""

    has_tasks = True

    def __init__(
        self,
        present: Callable[[], Mapping[str, SourceSettings]],
        roll: Roll,
        clock: Callable[[], float] = time.time,
        ranks: Ranks | None = None,
    ) -> None:
        super().__init__()
        self._present = present
        self._ranks = ranks or Ranks("vigil")
        self._roll = roll
        self._clock = clock
        self._desks = Desks.at_their_places(self.life.environment)

    async def setup(self) -> None:
        """Begin to look."""
        self.start_task(self._look_for_ever)

    def describe(self) -> Mapping[str, JsonValue]:
        """Which sources are silent, and since when."""
        began = self._clock() - trio.current_time()
        return {"silent": {name: rfc3339(began + since) for name, since in self._roll.watch.silent.items()}}

    async def _look_for_ever(self) -> None:
        due = trio.current_time()
        while True:
            now = trio.current_time()
            if now - due > STALL:
                self._roll.watch.excuse(now - due)
            self._look(now)
            due = beat_after(now, LOOK)
            await trio.sleep_until(due)

    def _look(self, at: float) -> None:
        self._roll.look(self._present(), at)
        for notice in self._roll.watch.due(at):
            if not self._is_told(notice, at):
                return
            self._roll.watch.told(notice)
            if notice.word is Word.SILENT:
                events.source_silent(source=notice.promise.name, silence=notice.silence)
            else:
                events.source_returned(source=notice.promise.name, silence=notice.silence)

    def _is_told(self, notice: Notice, at: float) -> bool:
        event = notice.event(self._clock(), at, self._roll.last(notice.promise.name))
        try:
            self._desks.of(event).tell(EventTaken(self._ranks.rank(event)))
        except (MailboxFull, ActorDead):
            return False
        return True


def _promise(name: str, settings: SourceSettings) -> Promise:
    kind = str(settings.__struct_config__.tag)
    return Promise(name, kind, settings.equipment, settings.cadence, settings.required)
