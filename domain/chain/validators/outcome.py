"""What the rules of validators decided: what is to be kept and told, and what is only to be shown.

Rules of this file: data. ``events`` and ``rows`` are written together or not at all. ``told`` is published behind them
and not kept: it follows from what is kept. ``seen`` is for the portal's view alone: it was told before.
"""

from __future__ import annotations

import msgspec

from domain.decision import Decision, Row
from domain.event import Event


class Outcome(msgspec.Struct):
    """What is to be done."""

    events: list[Event] = msgspec.field(default_factory=list)
    rows: list[Row] = msgspec.field(default_factory=list)
    told: list[Event] = msgspec.field(default_factory=list)
    seen: list[Event] = msgspec.field(default_factory=list)

    @property
    def decision(self) -> Decision[None]:
        """What is to be written."""
        return Decision(None, tuple(self.events), tuple(self.rows))
