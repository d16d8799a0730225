"""Calls the code of one part of a hook, and puts the part into quarantine when it fails.

Rules of this file: no call of a hook is made but through here. What the gateway's own code raises is not a hook's
failure. The traceback goes to the log; the event and the status document carry the reason in a line.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from actors.hooks.thread import HookThread, Overdue
from actors.messages import EventTaken
from actors.ranks import Ranks
from actors.routing import Desks
from actors.runtime import ActorDead, Environment, MailboxFull
from domain import Event
from domain.hooks import Part
from telemetry import events

T = TypeVar("T")


class InQuarantine(Exception):
    """The part is in quarantine and is not called; the message says why."""


class Guard:
    """The way to ``part``; a call of it takes at most ``timeout`` seconds. ``passes`` are the world's failures."""

    def __init__(
        self,
        environment: Environment,
        part: Part,
        timeout: float,
        ranks: Ranks,
        *,
        passes: tuple[type[Exception], ...] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.part = part
        self._thread = HookThread(f"hook {part.path}", timeout)
        self._desks = Desks.at_their_places(environment)
        self._ranks = ranks
        self._passes = passes
        self._clock = clock

    async def call(self, function: Callable[[], T]) -> T:
        """What ``function``, which is code of the hook, returns.

        Raises:
            InQuarantine: if it failed, now or before.
            Exception: one of ``passes``, if it raised that.
        """
        if self.part.is_quarantined:
            raise InQuarantine(self.part.reason or "")
        self.part.calls += 1
        try:
            return await self._thread.call(function)
        except self._passes:
            raise
        except Exception as error:
            self.fail(error)
            raise InQuarantine(self.part.reason or "") from error

    def fail(self, error: BaseException) -> None:
        """Put the part into quarantine for ``error``."""
        reason = str(error) if isinstance(error, Overdue | HookFault) else f"{type(error).__name__}: {error}"
        event = self.part.quarantine(reason, self._clock())
        if event is None:
            return
        events.hook_quarantined(hook=self.part.hook, part=self.part.path, error=error)
        self._thread.close()
        self.tell(event)

    def tell(self, event: Event) -> None:
        """Have ``event`` taken by its desk; where there is none, or no room, the status document has it."""
        with suppress(ActorDead, MailboxFull):
            self._desks.of(event).tell(EventTaken(self._ranks.rank(event)))

    def close(self) -> None:
        """Let the thread end."""
        self._thread.close()


class HookFault(Exception):
    """What a hook gave is not what it may give; the message says what."""
