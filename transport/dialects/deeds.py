"""What a session says when its client wants something done at the plant, or shows a token, and what it is answered.

Rules of this file: data only, the same for every dialect. Whoever holds the desks answers; a refusal comes as a
``domain.Refused``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from domain import JsonObject, JsonValue


class Deed(msgspec.Struct, frozen=True):
    """``by`` wants the act ``type`` done, once with this ``key``; ``at`` in Unix seconds."""

    type: str
    key: str | None
    by: str
    at: float
    arguments: JsonObject
    station: str | None = None


@dataclass(frozen=True, slots=True)
class TokenShown:
    """The client showed ``token`` in a message; answered with its ``Rights``, or a ``TokenRefusal``."""

    token: str = field(repr=False)


class TokenRefusal(msgspec.Struct, frozen=True):
    """Why a token does not count: the native protocol's ``error`` and ``close`` code, and words for people."""

    error: int
    close: int
    message: str


NOT_IDENTIFIED = TokenRefusal(101, 4001, "a token is required: in Authorization, or in connect")
"""For a client that showed none, where one is needed."""


class Done(msgspec.Struct, frozen=True):
    """The answer to ``Deed``; ``is_kept`` is False while the disk does not take it."""

    answer: JsonValue
    is_kept: bool
