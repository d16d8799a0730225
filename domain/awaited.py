"""Events of which somebody waits for a client's receipt, and who gave one.

Rules of this file: no I/O, no clock; what is awaited is little, and looked at when something is handed to a client or
a client says something. A receipt counts from a client that was handed the event, and was meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from domain.position import Position
from domain.receipts import Handed, Kind


class _Event(msgspec.Struct):
    kind: Kind
    clients: frozenset[str]
    found: Callable[[str], None]
    handed: dict[str, tuple[str, Position]] = msgspec.field(default_factory=dict)


class Awaited:
    """What is waited for, by the events' ids."""

    def __init__(self) -> None:
        self._events: dict[str, _Event] = {}

    def __len__(self) -> int:
        return len(self._events)

    def wait_for(self, id_: str, kind: Kind, clients: Iterable[str], found: Callable[[str], None]) -> None:
        """Call ``found`` with the name of the first client that says it has the event ``id_``, once.

        ``clients`` are those that count, by their words for themselves; none: all.
        """
        self._events[id_] = _Event(kind, frozenset(clients), found)

    def forget(self, id_: str) -> None:
        """Wait no more."""
        self._events.pop(id_, None)

    def was_handed(self, id_: str) -> bool:
        """Whether some client that counts was handed the event."""
        event = self._events.get(id_)
        return event is not None and bool(event.handed)

    def hand(self, connection: str, client: str, events: Iterable[Handed]) -> None:
        """These were handed to ``client``."""
        if not self._events:
            return
        for handed in events:
            event = self._events.get(handed.id)
            if event is not None and (not event.clients or client in event.clients):
                event.handed[connection] = client, handed.position

    def receive(self, connection: str, position: Position) -> None:
        """The client has received everything up to ``position``."""
        for id_, event in list(self._events.items()):
            client, place = event.handed.get(connection, ("", None))
            if place is None or event.kind is not Kind.RECEIVED:
                continue
            if place.epoch == position.epoch and place.offset <= position.offset:
                self._find(id_, event, client)

    def show(self, connection: str, ids: Iterable[str]) -> None:
        """The client has shown these to a person, so it has received them too."""
        for id_ in ids:
            event = self._events.get(id_)
            if event is not None and connection in event.handed:
                self._find(id_, event, event.handed[connection][0])

    def leave(self, connection: str) -> None:
        """The client is gone, and will say nothing more."""
        for event in self._events.values():
            event.handed.pop(connection, None)

    def _find(self, id_: str, event: _Event, client: str) -> None:
        del self._events[id_]
        event.found(client)
