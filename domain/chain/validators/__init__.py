"""The validators of chains: what they are, what says so, and how far each is from jail."""

from domain.chain.validators.chains import KINDS, Chains, Named
from domain.chain.validators.countdown import Countdown, allowed_misses, countdown
from domain.chain.validators.now import ValidatorsNow
from domain.chain.validators.outcome import Outcome
from domain.chain.validators.states import TRANSITIONS, Kind, Status
from domain.chain.validators.telling import (
    CONFIRMED,
    CONFLICT,
    FRESH,
    HALTED,
    HISTORY,
    MISSED,
    NODE_QUARANTINED,
    NODE_RELEASED,
    REORGANIZED,
    RESUMED,
    RETRACTED,
    RISK,
    STALE,
)
from domain.chain.validators.terms import Terms

__all__ = [
    "CONFIRMED",
    "CONFLICT",
    "FRESH",
    "HALTED",
    "HISTORY",
    "KINDS",
    "MISSED",
    "NODE_QUARANTINED",
    "NODE_RELEASED",
    "REORGANIZED",
    "RESUMED",
    "RETRACTED",
    "RISK",
    "STALE",
    "TRANSITIONS",
    "Chains",
    "Countdown",
    "Kind",
    "Named",
    "Outcome",
    "Status",
    "Terms",
    "ValidatorsNow",
    "allowed_misses",
    "countdown",
]
