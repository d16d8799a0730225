"""What a beacon node's word for its health means.

Rules of this file: ``/eth/v1/node/health`` answers with a status and nothing else. The time it takes is the node's
round trip, and that is the source's to measure.

Source: Ethereum Beacon APIs, ``getHealth``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_OK = 200
_FAULTS: Mapping[int, str] = MappingProxyType(
    {
        206: "is catching up, or its execution node is offline",
        404: "does not say how it is",
        503: "is not initialized or has issues",
    }
)


def health_fault(status: int) -> str | None:
    """What is wrong with a node that answers ``status``; None if nothing is."""
    return None if status == _OK else _FAULTS.get(status, f"answered HTTP status {status}")
