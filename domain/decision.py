"""What a rule decided: the answer, the events that tell of it, and the state that changed with them.

Rules of this file: a decision is data. Whoever carries it out writes its events and rows together, or none of them, and
gives the answer after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from domain.event import Event
from domain.json import JsonObject, JsonValue

T_co = TypeVar("T_co", covariant=True)


class Row(msgspec.Struct, frozen=True):
    """One piece of state that is kept: what ``key`` of this ``kind`` is from now on; None if it is no more."""

    kind: str
    key: str
    value: JsonObject | None


class Decision(msgspec.Struct, Generic[T_co], frozen=True):
    """The ``answer`` for who asked, the ``events`` that tell of it in their order, the ``rows`` that changed."""

    answer: T_co
    events: tuple[Event, ...] = ()
    rows: tuple[Row, ...] = ()


class Grounds(StrEnum):
    """Why something is refused; each says who must act."""

    INVALID = "invalid"
    """What was asked is not understood: who asks mends it."""
    NOT_FOUND = "not_found"
    """What it is about does not exist."""
    CONFLICT = "conflict"
    """It does not fit the present state: who asks looks again."""
    NOT_ALLOWED = "not_allowed"
    """Who asks may not do that."""
    UNSUPPORTED = "unsupported"
    """This gateway does not do that."""
    UNAVAILABLE = "unavailable"
    """It cannot be done now: who asks comes again."""


@dataclass(slots=True)
class Refused(Exception):
    """It cannot be done; ``details`` are for programs, the message is for people."""

    grounds: Grounds
    message: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message
