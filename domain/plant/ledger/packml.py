"""PackML: the 17 states and the transitions between them, and what is said of one that is not in the table.

Rules of this file: a machine is believed. A transition that the table does not have is taken and reported as a fault
of the data; what it was and what it should have been is in the notice.

Source: ISA-TR88.00.02 as published in OPC 30050 (NodeSet 1.01). The arrows to Holding from states other than Execute
are optional in the 2015 edition; the 2022 edition extends the model: both are accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class PackState(StrEnum):
    """The states, in the words of the standard."""

    CLEARING = "Clearing"
    STOPPED = "Stopped"
    STARTING = "Starting"
    IDLE = "Idle"
    SUSPENDED = "Suspended"
    EXECUTE = "Execute"
    STOPPING = "Stopping"
    ABORTING = "Aborting"
    ABORTED = "Aborted"
    HOLDING = "Holding"
    HELD = "Held"
    UNHOLDING = "Unholding"
    SUSPENDING = "Suspending"
    UNSUSPENDING = "Unsuspending"
    RESETTING = "Resetting"
    COMPLETING = "Completing"
    COMPLETE = "Complete"


_S = PackState
_RUNNING = (
    _S.RESETTING,
    _S.IDLE,
    _S.STARTING,
    _S.EXECUTE,
    _S.COMPLETING,
    _S.COMPLETE,
    _S.HOLDING,
    _S.HELD,
    _S.UNHOLDING,
    _S.SUSPENDING,
    _S.SUSPENDED,
    _S.UNSUSPENDING,
)
_CLEARED = (*_RUNNING, _S.STOPPED, _S.STOPPING, _S.CLEARING)
_OWN: Mapping[PackState, tuple[PackState, ...]] = {
    _S.STOPPED: (_S.RESETTING,),
    _S.COMPLETE: (_S.RESETTING,),
    _S.IDLE: (_S.STARTING,),
    _S.RESETTING: (_S.IDLE,),
    _S.STARTING: (_S.EXECUTE, _S.HOLDING),
    _S.EXECUTE: (_S.HOLDING, _S.SUSPENDING, _S.COMPLETING),
    _S.SUSPENDING: (_S.SUSPENDED, _S.HOLDING),
    _S.SUSPENDED: (_S.UNSUSPENDING, _S.HOLDING),
    _S.UNSUSPENDING: (_S.EXECUTE, _S.HOLDING),
    _S.HOLDING: (_S.HELD,),
    _S.HELD: (_S.UNHOLDING,),
    _S.UNHOLDING: (_S.EXECUTE, _S.HOLDING),
    _S.COMPLETING: (_S.COMPLETE,),
    _S.STOPPING: (_S.STOPPED,),
    _S.ABORTING: (_S.ABORTED,),
    _S.ABORTED: (_S.CLEARING,),
    _S.CLEARING: (_S.STOPPED,),
}


def _row(state: PackState) -> frozenset[PackState]:
    stop = (_S.STOPPING,) if state in _RUNNING else ()
    abort = (_S.ABORTING,) if state in _CLEARED else ()
    return frozenset((*_OWN.get(state, ()), *stop, *abort))


TRANSITIONS: Mapping[PackState, frozenset[PackState]] = MappingProxyType({state: _row(state) for state in PackState})


class IllegalTransition(msgspec.Struct, frozen=True):
    """A machine went from ``before`` to ``now``, which the table does not have; ``expected`` is what it has."""

    before: str
    now: str
    expected: tuple[str, ...]


class PackMl:
    """Follows the states of one unit."""

    def __init__(self, state: str | None = None) -> None:
        self.state = None if state is None else pack_state(state)

    def take(self, word: str) -> IllegalTransition | None:
        """The unit says ``word``: None if that may follow, what is wrong if not. It is taken all the same."""
        state, before = pack_state(word), self.state
        self.state = state
        if state is None:
            return IllegalTransition(_said(before), word, tuple(PackState))
        if before is None or state is before or state in TRANSITIONS[before]:
            return None
        return IllegalTransition(before.value, state.value, tuple(sorted(TRANSITIONS[before])))


def pack_state(word: str) -> PackState | None:
    """The state that ``word`` names, None if there is none of this name."""
    return _BY_WORD.get(word.strip().casefold())


_BY_WORD = {state.value.casefold(): state for state in PackState}


def _said(state: PackState | None) -> str:
    return "" if state is None else state.value
