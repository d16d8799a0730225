"""What follows from one thing that a node of the execution layer said.

Rules of this file: a ``Turn`` is filled while it is worked out, a ``Step`` is what is handed to the source.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.chain.ethereum.calls import Request
from domain.chain.ethereum.reading import AnswerFault
from domain.chain.observations import Observation


@dataclass(frozen=True, slots=True)
class Step:
    """What a message of a node meant, and what to ask next; ``fault`` says what could not be read."""

    observations: tuple[Observation, ...] = ()
    requests: tuple[Request, ...] = ()
    fault: AnswerFault | None = None


@dataclass(slots=True)
class Turn:
    """A step while it is made. ``method`` is how the node said what is handled, at ``at``."""

    at: float
    method: str
    observations: list[Observation] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
