"""An event at its place on a channel.

Rules of this file: no I/O. The offset is dense within an epoch; the epoch changes whenever the
channel's history is not provably the same as before.
"""

from __future__ import annotations

import msgspec

from domain.event import Event
from domain.position import Position


class Publication(msgspec.Struct, frozen=True):
    """One item of a channel. Offsets start at 1 and never skip within an epoch; ``at`` is Unix seconds.

    ``critical`` is its place in the gateway's log of critical events, if it is one. What is read back from the journal
    has no place on its channel any more: its offset is 0.
    """

    channel: str
    epoch: str
    offset: int
    at: float
    event: Event
    critical: Position | None = None

    @property
    def position(self) -> str:
        """The place on the channel as the wire writes it: ``epoch:offset``."""
        return f"{self.epoch}:{self.offset}"
