"""One client's session as a state machine: what a dialect decides when a client speaks.

Rules of this file: no I/O, no clock, no actor. A session is told what happened and answers with the
steps to take; ``actors.connection`` takes them. So every dialect can be tested and fuzzed by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from domain import Publication
from transport.frames import Frame

# The payload of the text message that tells a publication in one dialect; None where it has no word for it.
# One function object for all sessions of a dialect: a channel encodes once for each function.
Encoder: TypeAlias = Callable[[Publication], bytes | None]


@dataclass(frozen=True, slots=True)
class Send:
    """Send ``frame`` to this client."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Follow ``channel`` (or the tree ``kind/*``), encoded by ``encode``, beginning with its ``latest`` newest."""

    channel: str
    encode: Encoder
    latest: int = 0


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Follow ``channel`` no more."""

    channel: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection with ``code`` and ``reason`` (RFC 6455, section 7.4)."""

    code: int
    reason: str


Step: TypeAlias = Send | Subscribe | Unsubscribe | Close


class Session(Protocol):
    """What every dialect implements."""

    def opened(self, at: float) -> list[Step]:
        """The steps to take when the connection has opened, at ``at`` (Unix seconds)."""

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """The steps to take when the client said ``message``."""
