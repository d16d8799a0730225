"""Which desk an event goes to.

Rules of this file: one table. Chain and host events go to the portal's desk, because what the portal's
clients see is made from them; everything else is of the floor.
"""

from __future__ import annotations

import msgspec

from actors.places import FLOOR_DESK, PORTAL_DESK, Address, Receiver
from actors.runtime import Environment
from domain import Event

_PORTAL = ("chain", "validator", "host")


class Desks(msgspec.Struct, frozen=True):
    """The two desks, as a source speaks to them."""

    floor: Receiver
    portal: Receiver

    @classmethod
    def at_their_places(cls, environment: Environment) -> Desks:
        """The desks of the running tree."""
        return cls(Address(environment, FLOOR_DESK), Address(environment, PORTAL_DESK))

    def of(self, event: Event) -> Receiver:
        """The desk that decides what ``event`` means."""
        return self.portal if event.type.partition(".")[0] in _PORTAL else self.floor
