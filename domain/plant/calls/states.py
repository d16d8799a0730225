"""The life of an Andon call: its states, what moves it, and one table of what leads where.

Rules of this file: the table is the law. A pair that is not in it is impossible, and is refused as a conflict.

* Who arrives, or resolves, has acknowledged: nobody has to press twice. What was left out is not made up: an interval
  that has no end has no value.
* The level of escalation, who it is assigned to, its priority and what it is linked to are attributes. They change
  while the call is open and leave its state alone: a call can be acknowledged and at level 2.
* What is resolved can be opened again; what is closed or cancelled is over for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a call is."""

    RAISED = "raised"
    NOTIFIED = "notified"
    """Somebody was told, and there is a receipt for it."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody is on the way."""
    IN_PROGRESS = "in_progress"
    """Somebody is there."""
    RESOLVED = "resolved"
    CLOSED = "closed"
    """The solution was verified."""
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether somebody has yet to do something about it."""
        return self in OPEN

    @property
    def is_over(self) -> bool:
        """Whether nothing leads out of it."""
        return self in (State.CLOSED, State.CANCELLED)


class Trigger(StrEnum):
    """What moves a call."""

    NOTIFY = "notify"
    ACKNOWLEDGE = "acknowledge"
    ARRIVE = "arrive"
    RESOLVE = "resolve"
    CLOSE = "close"
    CANCEL = "cancel"
    REOPEN = "reopen"
    REASSIGN = "reassign"
    ESCALATE = "escalate"
    CHANGE = "change"
    """It gets another priority."""
    LINK = "link"
    """It is known to be of one incident with a stop, an alarm or a job."""


OPEN = frozenset({State.RAISED, State.NOTIFIED, State.ACKNOWLEDGED, State.IN_PROGRESS})

_ATTRIBUTES = (Trigger.REASSIGN, Trigger.ESCALATE, Trigger.CHANGE)

TRANSITIONS: Mapping[tuple[State, Trigger], State] = MappingProxyType(
    {
        (State.RAISED, Trigger.NOTIFY): State.NOTIFIED,
        (State.RAISED, Trigger.ACKNOWLEDGE): State.ACKNOWLEDGED,
        (State.RAISED, Trigger.ARRIVE): State.IN_PROGRESS,
        (State.RAISED, Trigger.RESOLVE): State.RESOLVED,
        (State.RAISED, Trigger.CANCEL): State.CANCELLED,
        (State.NOTIFIED, Trigger.ACKNOWLEDGE): State.ACKNOWLEDGED,
        (State.NOTIFIED, Trigger.ARRIVE): State.IN_PROGRESS,
        (State.NOTIFIED, Trigger.RESOLVE): State.RESOLVED,
        (State.NOTIFIED, Trigger.CANCEL): State.CANCELLED,
        (State.ACKNOWLEDGED, Trigger.ARRIVE): State.IN_PROGRESS,
        (State.ACKNOWLEDGED, Trigger.RESOLVE): State.RESOLVED,
        (State.ACKNOWLEDGED, Trigger.CANCEL): State.CANCELLED,
        (State.IN_PROGRESS, Trigger.RESOLVE): State.RESOLVED,
        (State.IN_PROGRESS, Trigger.CANCEL): State.CANCELLED,
        (State.RESOLVED, Trigger.CLOSE): State.CLOSED,
        (State.RESOLVED, Trigger.REOPEN): State.RAISED,
        (State.RESOLVED, Trigger.LINK): State.RESOLVED,
        **{(state, trigger): state for state in sorted(OPEN) for trigger in (*_ATTRIBUTES, Trigger.LINK)},
    }
)


def triggers_of(state: State) -> tuple[Trigger, ...]:
    """What is possible in ``state``, in the order of the triggers."""
    return tuple(trigger for trigger in Trigger if (state, trigger) in TRANSITIONS)


class Status(StrEnum):
    """What the floor dashboard calls the state of a call: its service and its screens have different words for some."""

    OPEN = "open"
    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


_SERVICE = {
    State.RAISED: Status.OPEN,
    State.NOTIFIED: Status.OPEN,
    State.ACKNOWLEDGED: Status.ACKNOWLEDGED,
    State.IN_PROGRESS: Status.ACKNOWLEDGED,
    State.RESOLVED: Status.RESOLVED,
    State.CLOSED: Status.RESOLVED,
    # It has no word of its own for it; to whoever asks what is open it is over.
    State.CANCELLED: Status.RESOLVED,
}
_SCREENS = _SERVICE | {
    State.RAISED: Status.ACTIVE,
    State.NOTIFIED: Status.ACTIVE,
    State.IN_PROGRESS: Status.IN_PROGRESS,
}


def service_status(state: State) -> Status:
    """The word of the dashboard's service for ``state``; never "escalated", which would hide who acknowledged."""
    return _SERVICE[state]


def screen_status(state: State) -> Status:
    """The word of the dashboard's screens and tests for ``state``."""
    return _SCREENS[state]


def states_of(word: str) -> frozenset[State]:
    """The states that ``word`` asks for: one of ours, or the dashboard's; none if nobody has such a word.

    "escalated" asks for open calls, of which those count that have a level.
    """
    if word == Status.ESCALATED:
        return OPEN
    own = {state for state in State if state == word}
    return frozenset(own | {state for state in State if word in (_SERVICE[state], _SCREENS[state])})
