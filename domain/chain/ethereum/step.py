"""What follows from one thing that a node of the execution layer said.

Rules of this file: a ``Turn`` is filled while it is worked out, a ``Step`` is what is handed to the source.
"""

from __future__ import annotations

import msgspec

from domain.chain.ethereum.calls import Request
from domain.chain.ethereum.reading import AnswerFault
from domain.chain.observations import Observation


class Step(msgspec.Struct, frozen=True):
    """What a message of a node meant, and what to ask next; ``fault`` says what could not be read."""

    observations: tuple[Observation, ...] = ()
    requests: tuple[Request, ...] = ()
    fault: AnswerFault | None = None


class Turn(msgspec.Struct):
    """A step while it is made. ``method`` is how the node said what is handled, at ``at``."""

    at: float
    method: str
    observations: list[Observation] = msgspec.field(default_factory=list)
    requests: list[Request] = msgspec.field(default_factory=list)
