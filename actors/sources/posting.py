"""One posted request on its way: which of its events are still to be answered for.

Rules of this file: plain state. The answer is given once, when nothing is outstanding and everything was handed over; a
second word on an event changes nothing.
"""

from __future__ import annotations

from typing import Protocol

from actors.messages import EventsTaken, Refusal

Name = tuple[str, str]


class Reply(Protocol):
    """Where the answer goes."""

    def set(self, value: object) -> None:
        """Answer with ``value``."""


class Posting:
    """What became of the events of one request so far."""

    __slots__ = ("_outstanding", "_reply", "accepted", "duplicates", "overloaded", "refused", "unkept")

    def __init__(self) -> None:
        self._outstanding: set[Name] = set()
        self._reply: Reply | None = None
        self.accepted = 0
        self.duplicates = 0
        self.overloaded = 0
        self.unkept = 0
        self.refused: list[Refusal] = []

    @property
    def is_open(self) -> bool:
        """Whether some event is still to be answered for."""
        return bool(self._outstanding)

    def waits_for(self, name: Name) -> bool:
        """Whether the event ``name`` is to be answered for."""
        return name in self._outstanding

    def wait_for(self, name: Name) -> None:
        """The event ``name`` is to be answered for when the disk has it."""
        self._outstanding.add(name)

    def settle(self, name: Name, *, is_kept: bool) -> bool:
        """The gateway answers for the event ``name``; whether that was new."""
        if name not in self._outstanding:
            return False
        self._outstanding.discard(name)
        if is_kept:
            self.accepted += 1
        else:
            self.unkept += 1
        self._answer_if_done()
        return True

    def reply_to(self, reply: Reply) -> None:
        """Everything was handed over; answer there when nothing is outstanding."""
        self._reply = reply
        self._answer_if_done()

    def taken(self) -> EventsTaken:
        """The answer."""
        return EventsTaken(self.accepted, self.duplicates, self.overloaded, tuple(self.refused), self.unkept)

    def _answer_if_done(self) -> None:
        reply = self._reply
        if reply is not None and not self._outstanding:
            self._reply = None
            reply.set(self.taken())
