"""The life of a job order: its states, what moves it, and one table of what leads where.

Rules of this file: the table is the law. A pair that is not in it is impossible, and is refused as a conflict. States
and methods have the names of the standard; what the executing system itself reports has no method there, so those
triggers have names of ours.

Source: OPC 10031-4 (OPC UA for ISA-95, part 4, job control) 2.0.0, clause 6.2.1 (methods and states), 6.2.3 to 6.2.5
(sub-states), and its NodeSet. ``InitialState`` and ``EndState`` are drawn in figure 5 of clause 6.2.1.1: a job order
that is not there yet, or not any more. A job order that waits for something cannot be started (same clause).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType


class State(StrEnum):
    """Where a job order is: its state and, behind the dot, its sub-state."""

    INITIAL = "InitialState"
    NOT_ALLOWED_WAITING = "NotAllowedToStart.Waiting"
    NOT_ALLOWED_READY = "NotAllowedToStart.Ready"
    NOT_ALLOWED_LOADED = "NotAllowedToStart.Loaded"
    ALLOWED_WAITING = "AllowedToStart.Waiting"
    ALLOWED_READY = "AllowedToStart.Ready"
    ALLOWED_LOADED = "AllowedToStart.Loaded"
    RUNNING = "Running"
    HELD = "Interrupted.Held"
    """Stopped by a constraint: something is missing or broken."""
    SUSPENDED = "Interrupted.Suspended"
    """Stopped by a decision."""
    COMPLETED = "Ended.Completed"
    CLOSED = "Ended.Closed"
    ABORTED = "Aborted"
    END = "EndState"

    @property
    def top(self) -> str:
        """The state without its sub-state."""
        return self.value.partition(".")[0]

    @property
    def is_over(self) -> bool:
        """Whether nothing more is made for it."""
        return self in _OVER


_OVER = frozenset({State.COMPLETED, State.CLOSED, State.ABORTED, State.END})


class Trigger(StrEnum):
    """What moves a job order: the methods of the standard, then what the executing system reports."""

    STORE = "Store"
    STORE_AND_START = "StoreAndStart"
    START = "Start"
    """Gives leave to start; the execution begins with ``BEGIN``."""
    REVOKE_START = "RevokeStart"
    PAUSE = "Pause"
    RESUME = "Resume"
    STOP = "Stop"
    ABORT = "Abort"
    UPDATE = "Update"
    CLEAR = "Clear"
    CANCEL = "Cancel"
    BECOME_READY = "become_ready"
    BECOME_UNREADY = "become_unready"
    LOAD = "load"
    UNLOAD = "unload"
    BEGIN = "begin"
    FINISH = "finish"
    HOLD = "hold"
    CLOSE = "close"

    @property
    def is_method(self) -> bool:
        """Whether it is a method of the standard."""
        return self.value[0].isupper()


METHODS = tuple(trigger for trigger in Trigger if trigger.is_method)
REPORTS = tuple(trigger for trigger in Trigger if not trigger.is_method)

_WAITING, _READY, _LOADED = State.NOT_ALLOWED_WAITING, State.NOT_ALLOWED_READY, State.NOT_ALLOWED_LOADED
_MAY_WAITING, _MAY_READY, _MAY_LOADED = State.ALLOWED_WAITING, State.ALLOWED_READY, State.ALLOWED_LOADED

TRANSITIONS: Mapping[tuple[State, Trigger], State] = MappingProxyType(
    {
        (State.INITIAL, Trigger.STORE): _WAITING,
        (State.INITIAL, Trigger.STORE_AND_START): _MAY_WAITING,
        # Leave to start, given and taken back: the preparation stands as it was.
        (_WAITING, Trigger.START): _MAY_WAITING,
        (_READY, Trigger.START): _MAY_READY,
        (_LOADED, Trigger.START): _MAY_LOADED,
        (_MAY_WAITING, Trigger.REVOKE_START): _WAITING,
        (_MAY_READY, Trigger.REVOKE_START): _READY,
        (_MAY_LOADED, Trigger.REVOKE_START): _LOADED,
        # Before the start a job order may be changed, and withdrawn.
        **{(state, Trigger.UPDATE): state for state in (_WAITING, _READY, _LOADED)},
        **{(state, Trigger.UPDATE): state for state in (_MAY_WAITING, _MAY_READY, _MAY_LOADED)},
        **{(state, Trigger.CANCEL): State.END for state in (_WAITING, _READY, _LOADED)},
        **{(state, Trigger.CANCEL): State.END for state in (_MAY_WAITING, _MAY_READY, _MAY_LOADED)},
        # The preparation: the same steps with and without leave to start.
        (_WAITING, Trigger.BECOME_READY): _READY,
        (_READY, Trigger.BECOME_UNREADY): _WAITING,
        (_LOADED, Trigger.BECOME_UNREADY): _WAITING,
        (_READY, Trigger.LOAD): _LOADED,
        (_LOADED, Trigger.UNLOAD): _READY,
        (_MAY_WAITING, Trigger.BECOME_READY): _MAY_READY,
        (_MAY_READY, Trigger.BECOME_UNREADY): _MAY_WAITING,
        (_MAY_LOADED, Trigger.BECOME_UNREADY): _MAY_WAITING,
        (_MAY_READY, Trigger.LOAD): _MAY_LOADED,
        (_MAY_LOADED, Trigger.UNLOAD): _MAY_READY,
        # The execution.
        (_MAY_READY, Trigger.BEGIN): State.RUNNING,
        (_MAY_LOADED, Trigger.BEGIN): State.RUNNING,
        (State.RUNNING, Trigger.PAUSE): State.SUSPENDED,
        (State.RUNNING, Trigger.HOLD): State.HELD,
        (State.HELD, Trigger.PAUSE): State.SUSPENDED,
        (State.SUSPENDED, Trigger.HOLD): State.HELD,
        (State.HELD, Trigger.RESUME): State.RUNNING,
        (State.SUSPENDED, Trigger.RESUME): State.RUNNING,
        (State.RUNNING, Trigger.FINISH): State.COMPLETED,
        **{(state, Trigger.STOP): State.COMPLETED for state in (State.RUNNING, State.HELD, State.SUSPENDED)},
        (State.COMPLETED, Trigger.CLOSE): State.CLOSED,
        **{(state, Trigger.ABORT): State.ABORTED for state in (_WAITING, _READY, _LOADED)},
        **{(state, Trigger.ABORT): State.ABORTED for state in (_MAY_WAITING, _MAY_READY, _MAY_LOADED)},
        **{(state, Trigger.ABORT): State.ABORTED for state in (State.RUNNING, State.HELD, State.SUSPENDED)},
        **{(state, Trigger.CLEAR): State.END for state in (State.COMPLETED, State.CLOSED, State.ABORTED)},
    }
)


def triggers_of(state: State) -> tuple[Trigger, ...]:
    """What is possible in ``state``, in the order of the triggers."""
    return tuple(trigger for trigger in Trigger if (state, trigger) in TRANSITIONS)


class Status(Enum):
    """What the floor dashboard calls the state of a job; its clients know no other words."""

    ASSIGNED = "assigned"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


_STATUS_OF_TOP = {
    "NotAllowedToStart": Status.ASSIGNED,
    "AllowedToStart": Status.ACCEPTED,
    "Running": Status.IN_PROGRESS,
    "Interrupted": Status.PAUSED,
    "Ended": Status.COMPLETED,
    "Aborted": Status.CANCELLED,
}

STATE_OF_STATUS: Mapping[Status, State] = MappingProxyType(
    {
        Status.ASSIGNED: State.NOT_ALLOWED_READY,
        Status.ACCEPTED: State.ALLOWED_READY,
        Status.IN_PROGRESS: State.RUNNING,
        Status.PAUSED: State.SUSPENDED,
        Status.COMPLETED: State.COMPLETED,
        Status.CANCELLED: State.ABORTED,
    }
)
"""The state that a job of that status is taken to be in when nothing more is known of it."""


def status_of(state: State) -> Status:
    """The dashboard's word for ``state``.

    Raises:
        KeyError: if there is no job order in that state: it is not stored yet, or not any more.
    """
    return _STATUS_OF_TOP[state.top]
