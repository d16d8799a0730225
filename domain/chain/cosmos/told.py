"""What one message or answer of a node tells.

Rules of this file: plain values. A row that cannot be read costs itself and is a fault beside what could be read, so
that one bad row hides no jailing.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.observations import Observation, Provenance


class Told(msgspec.Struct, frozen=True):
    """``observations`` in the order of the chain; ``faults`` says what else was there and could not be read."""

    observations: tuple[Observation, ...] = ()
    faults: tuple[CosmosFault, ...] = ()


def placed(origin: Provenance, method: str, height: int | None = None, at: float | None = None) -> Provenance:
    """``origin`` with what the node said of itself: where on the chain the fact stands."""
    # The node's word goes before what was asked for; where it says nothing the question stands.
    return replace(
        origin,
        method=method,
        height=origin.height if height is None else height,
        at=origin.at if at is None else at,
    )


def check_chain(origin: Provenance, chain: str) -> None:
    """Make sure that a node speaks of the chain that it was asked about.

    Raises:
        CosmosFault: if it speaks of another.
    """
    if chain != origin.chain:
        raise CosmosFault(f"of the chain {excerpt(chain)}, not of {origin.chain}")
