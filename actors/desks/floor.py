"""The floor's desk: what machines, stations and any other publisher say.

Rules of this file: an event is told once. A machine's log can be read again after a restart, and then the same
observations make the same events; what was told already is not told twice.
"""

from __future__ import annotations

from collections.abc import Mapping

from actors.messages import EventTaken, Publish
from actors.places import CHANNELS, Address
from actors.runtime import TrioActor
from domain import Duplicates, JsonValue

REMEMBERED = 100_000


class FloorDesk(TrioActor):
    """Publishes what sources of the floor took in."""

    mailbox_limit = 50_000

    def __init__(self) -> None:
        super().__init__()
        self._channels = Address(self.life.environment, CHANNELS)
        self._duplicates = Duplicates(REMEMBERED)

    def on_receive(self, message: object) -> None:
        """Publish an event that is new."""
        if type(message) is EventTaken and self._duplicates.is_new(message.event):
            self._channels.tell(Publish(message.event))

    def describe(self) -> Mapping[str, JsonValue]:
        """How many events are remembered, and how many came again."""
        return {"remembered": len(self._duplicates), "duplicates": self._duplicates.count}
