"""What can go wrong between actors.

Rules of this file: an error says who is to blame and carries what the one who catches it needs to decide.
"""

from __future__ import annotations

import pykka

from domain import Priority

# pykka raises it itself, from tell() and into the futures of ask(), so it is not ours to derive from.
ActorDead = pykka.ActorDeadError


class MailboxFull(Exception):
    """The receiver is behind: the sender must slow down, or give the message up."""

    def __init__(self, priority: Priority, capacity: int) -> None:
        super().__init__(f"{capacity} {priority.name} messages are waiting already")
        self.priority = priority
        self.capacity = capacity


class AskTimeout(pykka.Timeout):
    """No answer within ``timeout`` seconds; the message may still be handled."""

    def __init__(self, asked: str, timeout: float | None) -> None:
        super().__init__(f"{asked}: no answer within {timeout} s")
        self.asked = asked
        self.timeout = timeout


class TooManyRestarts(Exception):
    """A supervisor gives up; its own supervisor decides, and at the top the actor system ends with it."""

    def __init__(self, supervisor: str, child: str, restarts: int, period: float) -> None:
        super().__init__(f"{supervisor}: {restarts} restarts within {period} s, the last one of {child}")
        self.supervisor = supervisor
        self.child = child


class ChildExists(ValueError):
    """Two children of one supervisor cannot have the same id."""


class NoSuchChild(KeyError):
    """The supervisor has no child of that id."""
