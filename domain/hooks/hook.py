"""What the author of a hook writes: event types, rules, notification channels, sources.

Rules of this file: it is the whole of the interface, and ``andond.hooks`` is where an author imports it from. What a
hook gives the gateway is data; what it is asked is a plain function, called in a thread of its own, that may block but
not for long. Nothing here knows trio, an actor or the disk, so that a hook is tested without the gateway.

* The world may fail: a channel that cannot deliver raises ``NotDelivered`` or an ``OSError``, a source that cannot read
  an ``OSError``, and both are asked again.
* Code may not: whatever else is raised puts the part of the hook that raised it into quarantine, and so does a call
  that takes too long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import msgspec

from domain.event import Event
from domain.hooks.event_type import EventType
from domain.json import JsonObject, JsonValue

Options = Mapping[str, str | int | float | bool]
"""What the operator wrote in the table ``options`` of a source or of a channel."""

_NOTHING: JsonObject = MappingProxyType({})


class Draft(msgspec.Struct, frozen=True):
    """An event as a hook words it; the gateway adds the time of receipt, the priority and what is left empty.

    ``source`` is a URI reference, by default the equipment of the source's table, or of the event that a rule was
    given. An event with an ``id`` that came before from the same source is a repeat. ``time`` is RFC 3339.
    """

    type: str
    data: JsonValue = None
    source: str = ""
    subject: str | None = None
    id: str = ""
    time: str | None = None
    quality: str = "good"

    def members(self, id_: str, source: str) -> dict[str, JsonValue]:
        """The event in the JSON event format of CloudEvents 1.0; ``id_`` and ``source`` where it has none."""
        members: dict[str, JsonValue] = {
            "specversion": "1.0",
            "id": self.id or id_,
            "source": self.source or source,
            "type": self.type,
            "quality": self.quality,
            "data": self.data,
        }
        optional = {"subject": self.subject, "time": self.time}
        return members | {name: value for name, value in optional.items() if value is not None}


class Intent(msgspec.Struct, frozen=True):
    """What a rule wants done, in the words of the acts of a person: ``andon.raise`` and what it takes.

    The same ``key`` is the same act, done once however often it is wanted; without one it is the event's id.
    """

    type: str
    arguments: JsonObject = _NOTHING
    key: str = ""


class RuleHook(Protocol):
    """Looks at events and decides what follows; it may keep state, which ends with the process."""

    @property
    def types(self) -> Sequence[str]:
        """Types of events that it wants to see, or their first words: ``equipment.reading``, ``andon.call``."""
        ...

    def take(self, event: Event) -> Iterable[Draft | Intent]:
        """Say what follows from ``event``; nothing in most cases."""
        ...


class Notice(msgspec.Struct, frozen=True):
    """What a notification channel is to tell ``to``, at ``addresses`` where it needs some.

    ``id`` is the same when it is told again because nobody knows whether it arrived; then it is ``repeated``.
    ``importance`` is the word of its escalation chain, ``details`` what a program is told: the call, its place, its
    level.
    """

    id: str
    to: str
    subject: str
    text: str
    importance: str
    addresses: Sequence[str] = ()
    repeated: bool = False
    details: JsonObject = _NOTHING


class NotDelivered(Exception):
    """A notice did not arrive; the message says why, and the next step of its escalation begins at once."""


class ChannelHook(Protocol):
    """Brings notices to people."""

    def send(self, notice: Notice) -> str:
        """Deliver ``notice`` and return the receipt: what the other side said to it.

        Raises:
            NotDelivered: if it did not take it; an ``OSError`` says the same.
        """
        ...


class SourceTable(msgspec.Struct, frozen=True):
    """The table of a source as the operator wrote it: ``[sources.NAME]``."""

    name: str
    equipment: str
    cadence: float
    options: Options = MappingProxyType({})


class SourceHook(Protocol):
    """Reads something of the plant, once every cadence of its table."""

    def read(self) -> Iterable[Draft]:
        """What there is now, or since the last time.

        Raises:
            OSError: if it cannot be reached; it is asked again at the next turn.
        """
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


class Hook(msgspec.Struct, frozen=True):
    """All that a package adds; the entry point of the group ``andond.hooks`` is one, or a function that returns one.

    Rules go by their names. ``channels`` and ``sources`` make one of them for each table of the configuration.
    """

    types: Sequence[EventType] = ()
    rules: Mapping[str, RuleHook] = MappingProxyType({})
    channels: Mapping[str, Callable[[Options], ChannelHook]] = MappingProxyType({})
    sources: Mapping[str, Callable[[SourceTable], SourceHook]] = MappingProxyType({})
