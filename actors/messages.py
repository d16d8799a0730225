"""What actors say to each other.

Rules of this file: frozen classes; imperative for a command, past participle for a fact. A message that carries
an event has the event's priority, so that it overtakes in every mailbox on its way, and the event's
conflation key, so that a newer reading takes the place of one that still waits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from domain import Event, Fault, JsonValue, Priority, conflation_key
from transport import Encoder, FrameStream


class _Carrier:
    """A message that carries an event."""

    __slots__ = ("event", "key", "priority")

    def __init__(self, event: Event) -> None:
        self.event = event
        self.priority: Priority = event.priority
        self.key: Hashable = conflation_key(event)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.event.type} {self.event.id})"


class EventTaken(_Carrier):
    """A source took an event in; a desk decides what it means."""

    __slots__ = ()


class Publish(_Carrier):
    """A desk wants ``event`` told to everyone who follows its channel."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Follow:
    """Send ``outlet`` what is published on ``channel`` (or on every channel below ``kind/*``) from now on.

    ``latest`` says how many of the newest publications come first.
    """

    channel: str
    outlet: FrameStream
    encode: Encoder
    latest: int = 0
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Unfollow:
    """Send ``outlet`` nothing more from ``channel``; from no channel at all when it is None."""

    channel: str | None
    outlet: FrameStream
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Received:
    """A client sent a message."""

    message: str | bytes
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class TakeEvents:
    """Take the events that a publisher posted, each a decoded object; answered with ``EventsTaken``."""

    members: Sequence[JsonValue]
    priority: ClassVar[Priority] = Priority.HIGH


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the event at ``index`` of a batch was not taken; ``id`` where it has one that can be shown."""

    index: int
    id: str | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class EventsTaken:
    """What became of posted events: how many were taken, were known already, were turned away as too many."""

    accepted: int
    duplicates: int
    overloaded: int
    refused: tuple[Refusal, ...]
