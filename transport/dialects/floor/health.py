"""How well a connection does, as a number from 0 to 1: from what was counted, and nothing else.

Rules of this file: no I/O. Who listens in silence does well, and so does who follows much. Nobody is sent away over a
score; what is dead is found by the WebSocket's own pings.

    score = 0.6 * (1 - errors / max(20, messages)) + 0.4 * (1 - left out / offered)

``errors`` are messages that were refused, ``left out`` the events that waited too long or were too many for the link.
The names and their limits are the contract's, section 3.11; its own formula counted idle time and subscriptions.
"""

from __future__ import annotations

import msgspec

# One mistake among the first words is no bad connection.
LEAST_MESSAGES = 20

STABILITY_WEIGHT = 0.6
DELIVERY_WEIGHT = 0.4

_NAMES = ((0.9, "excellent"), (0.8, "good"), (0.6, "fair"), (0.3, "poor"))

WARNING = 0.6
CRITICAL = 0.3


class Traffic(msgspec.Struct, frozen=True):
    """What went over a link so far: events ``offered`` to it, and how many of them were ``left_out``."""

    offered: int = 0
    left_out: int = 0


def score(messages: int, errors: int, traffic: Traffic) -> float:
    """The score of a connection that sent ``messages``, of which ``errors`` were refused."""
    stability = max(0.0, 1 - errors / max(LEAST_MESSAGES, messages))
    delivery = max(0.0, 1 - traffic.left_out / max(1, traffic.offered))
    return round(STABILITY_WEIGHT * stability + DELIVERY_WEIGHT * delivery, 4)


def name_of(value: float) -> str:
    """The word for a score."""
    return next((name for least, name in _NAMES if value >= least), "critical")


def alert_of(before: float, now: float) -> str | None:
    """What is to be told when the score falls from ``before`` to ``now``; None if it is nothing new."""
    if now < CRITICAL <= before:
        return "connection_critical"
    return "connection_warning" if now < WARNING <= before else None
