"""The buckets of the time ledger: what a moment of a work unit is counted as.

Rules of this file: every moment is in exactly one bucket. Unknown is a bucket of its own, neither run nor stop.

Source of the names: ISO 22400-2:2014, clause 5 (time elements), as OPC 40501-1 annex C uses them.
"""

from __future__ import annotations

from enum import StrEnum


class Bucket(StrEnum):
    """What time is spent on, in the words of the wire."""

    PRODUCTION = "production"
    """APT, actual production time: the unit executes."""
    SETUP = "setup"
    """AUST, actual unit setup time."""
    DELAY = "delay"
    """ADET, actual unit delay time: interrupted within an order."""
    DOWN = "down"
    """ADOT, actual unit down time: it could be used and is not."""
    PREVENTIVE = "preventive"
    """APMT, actual preventive maintenance time."""
    CORRECTIVE = "corrective"
    """ACMT, actual corrective maintenance time (the time to repair)."""
    UNKNOWN = "unknown"
    """Nobody knows: the link is down, the control says nothing. Not of ISO 22400."""


STOPPED = frozenset({Bucket.DELAY, Bucket.DOWN, Bucket.CORRECTIVE})
"""What a stop consists of."""
