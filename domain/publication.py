"""An event at its place on a channel.

Rules of this file: no I/O. The offset is dense within an epoch; the epoch changes whenever the
channel's history is not provably the same as before.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.event import Event


@dataclass(frozen=True, slots=True)
class Publication:
    """One item of a channel. Offsets start at 1 and never skip within an epoch; ``at`` is Unix seconds."""

    channel: str
    epoch: str
    offset: int
    at: float
    event: Event

    @property
    def position(self) -> str:
        """The place on the channel as the wire writes it: ``epoch:offset``."""
        return f"{self.epoch}:{self.offset}"
