"""What a session says when its client wants something done at the plant, and what it is answered.

Rules of this file: data only, the same for every dialect. Whoever holds the desks answers; a refusal comes as a
``domain.Refused``.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Deed:
    """``by`` wants the act ``type`` done, once with this ``key``; ``at`` in Unix seconds."""

    type: str
    key: str | None
    by: str
    at: float
    arguments: JsonObject
    station: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The answer to ``Deed``; ``is_kept`` is False while the disk does not take it."""

    answer: JsonValue
    is_kept: bool
