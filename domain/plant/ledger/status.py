"""What a machine does, in the words of the floor dashboard: running, setup, maintenance, fault, stopped, idle, unknown.

Rules of this file: the word follows from the bucket that a state is counted in and, where that is downtime, from the
state's own word. It is the same wherever a status is told.
"""

from __future__ import annotations

from domain.plant.ledger.bucket import Bucket
from domain.plant.ledger.mapping import StateMap
from domain.plant.ledger.saying import Saying

FAULT_WORDS = frozenset({"EMERGENCY_STOP", "ABORTED", "ABORTING", "HELD", "FAULT", "OUTOFSERVICE"})
UNKNOWN_STATUS = "unknown"

_FAULTS = frozenset(word.replace("_", "") for word in FAULT_WORDS)
_WORDS = {
    Bucket.PRODUCTION: "running",
    Bucket.SETUP: "setup",
    Bucket.DELAY: "stopped",
    Bucket.PREVENTIVE: "maintenance",
    Bucket.CORRECTIVE: "fault",
    Bucket.UNKNOWN: UNKNOWN_STATUS,
}
_IDLE = frozenset({"ready", "idle", "program_completed"})


def status_word(bucket: Bucket, word: str) -> str:
    """What a machine does whose state, called ``word``, is counted in ``bucket``."""
    if bucket in (Bucket.DOWN, Bucket.DELAY) and word.replace("_", "").upper() in _FAULTS:
        return "fault"
    if bucket is Bucket.DOWN:
        return "idle" if word.casefold() in _IDLE else "stopped"
    return _WORDS[bucket]


def status_said(saying: Saying, states: StateMap) -> str:
    """What a machine does that says ``saying``, by the table of the site."""
    return status_word(states.bucket(*saying), saying.word)
