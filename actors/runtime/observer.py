"""Who is told what happens to actors.

Rules of this file: the runtime says what happened, here, and nothing about how it is written down. All methods
are called on the trio thread, are plain functions, and must not raise.
"""

from __future__ import annotations

import logging
from typing import Protocol

from domain import Priority

logger = logging.getLogger("pykka")


class Observer(Protocol):
    """What the runtime reports; actors are named by their path."""

    def actor_failed(self, actor: str, error: BaseException | None, message: str | None) -> None:
        """A life ended in ``error`` (None: a permanent actor stopped) while it handled ``message``."""

    def actor_restarted(self, actor: str, restarts: int, delay: float) -> None:
        """The next life began, ``delay`` seconds after the end of the last one."""

    def actor_quarantined(self, actor: str, message: str, error: BaseException) -> None:
        """``message`` ended a life and is not handed out again."""

    def actor_buried(self, actor: str, left: int) -> None:
        """An actor ended for good, and ``left`` messages were waiting."""

    def actor_abandoned(self, actor: str, age: float) -> None:
        """A thread did not end in time: it has been at one message for ``age`` seconds and is left to itself."""

    def message_dead_lettered(self, actor: str, message: str, reason: str, count: int) -> None:
        """``count`` messages of one class were never handled."""

    def messages_dropped(self, actor: str, priority: Priority, dropped: int, conflated: int, refused: int) -> None:
        """A mailbox overflowed: what it lost since the last report."""

    def supervisor_escalated(self, supervisor: str, child: str, restarts: int, period: float) -> None:
        """More than the allowed ``restarts`` within ``period`` seconds, the last one of ``child``."""


class LoggingObserver:
    """Writes to pykka's logger: what an actor system does if nobody else listens."""

    def actor_failed(self, actor: str, error: BaseException | None, message: str | None) -> None:
        """Log with the traceback."""
        logger.error("%s failed while handling %s", actor, message or "no message", exc_info=error)

    def actor_restarted(self, actor: str, restarts: int, delay: float) -> None:
        """Log as information."""
        logger.info("%s restarted for the %d. time after %.3f s", actor, restarts, delay)

    def actor_quarantined(self, actor: str, message: str, error: BaseException) -> None:
        """Log as an error: somebody has to look at the message."""
        logger.error("%s: %s is quarantined after %r", actor, message, error)

    def actor_buried(self, actor: str, left: int) -> None:
        """Log for debugging."""
        logger.debug("%s ended with %d messages waiting", actor, left)

    def actor_abandoned(self, actor: str, age: float) -> None:
        """Log as an error: a thread runs on that nobody looks after."""
        logger.error("%s abandoned after %.3f s at one message", actor, age)

    def message_dead_lettered(self, actor: str, message: str, reason: str, count: int) -> None:
        """Log as a warning."""
        logger.warning("%s: %d %s undelivered: %s", actor, count, message, reason)

    def messages_dropped(self, actor: str, priority: Priority, dropped: int, conflated: int, refused: int) -> None:
        """Log losses as a warning, conflation for debugging."""
        level = logging.WARNING if dropped or refused else logging.DEBUG
        counts = (actor, priority.wire, dropped, conflated, refused)
        logger.log(level, "%s: %s mailbox: %d dropped, %d conflated, %d refused", *counts)

    def supervisor_escalated(self, supervisor: str, child: str, restarts: int, period: float) -> None:
        """Log as an error."""
        logger.error("%s gives up: %d restarts within %s s, the last one of %s", supervisor, restarts, period, child)
