"""What follows from one thing that a beacon node said.

Rules of this file: a ``Turn`` is filled while it is worked out, a ``Step`` is what is handed to the source.
"""

from __future__ import annotations

import msgspec

from domain.chain.beacon.queries import Query
from domain.chain.ethereum import AnswerFault
from domain.chain.observations import Observation


class Step(msgspec.Struct, frozen=True):
    """What an answer or event meant, and what to ask next; ``fault`` says what could not be read."""

    observations: tuple[Observation, ...] = ()
    queries: tuple[Query, ...] = ()
    fault: AnswerFault | None = None


class Turn(msgspec.Struct):
    """A step while it is made. ``method`` is how the node said what is handled, at ``at``."""

    at: float
    method: str
    observations: list[Observation] = msgspec.field(default_factory=list)
    queries: list[Query] = msgspec.field(default_factory=list)

    def step(self, fault: AnswerFault | None = None) -> Step:
        """What became of it."""
        return Step(tuple(self.observations), tuple(self.queries), fault)
