"""What a machine does, out of what its control says of itself.

Rules of this file: one table from MTConnect's ``Execution`` to the state; the control's own word is kept beside it.
What is not known is ``unknown``, which is neither running nor stopped: a link that is down must not look like a stop.

* A device that says it is not available has no state, whatever its paths said last.
* A device in emergency stop does not execute, whatever its paths say.
* A control with several paths executes if one of them does; else the path that is held speaks for it.

Source of the words: MTConnect standard part 3 (``Execution``, ``EmergencyStop``, ``Availability``); of the states: OPC
40001-1 (Machinery), ``MachineryItemState``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from domain.plant.observation import UNAVAILABLE, Observation, Role

PATH_LIMIT = 64


class State(Enum):
    """What equipment does, in the words of the wire."""

    EXECUTING = "executing"
    HELD = "held"
    NOT_EXECUTING = "not_executing"
    UNKNOWN = "unknown"


EXECUTION: Mapping[str, State] = MappingProxyType(
    {
        "ACTIVE": State.EXECUTING,
        "READY": State.NOT_EXECUTING,
        "STOPPED": State.NOT_EXECUTING,
        "PROGRAM_COMPLETED": State.NOT_EXECUTING,
        "INTERRUPTED": State.HELD,
        "FEED_HOLD": State.HELD,
        "OPTIONAL_STOP": State.HELD,
        "PROGRAM_OPTIONAL_STOP": State.HELD,
        "PROGRAM_STOPPED": State.HELD,
        "WAIT": State.HELD,
        UNAVAILABLE: State.UNKNOWN,
    }
)
# Of several paths the first of these that one of them is in speaks for the machine.
_PRECEDENCE = tuple(State)


@dataclass(frozen=True, slots=True)
class Status:
    """What equipment does, and the words it follows from; ``since`` is the source's clock."""

    state: State
    execution: str | None = None
    emergency_stop: str | None = None
    since: float | None = None

    def differs(self, other: Status) -> bool:
        """Whether this is another state, or another word of the control for it."""
        return (self.state, self.execution) != (other.state, other.execution)


@dataclass(frozen=True, slots=True)
class StateChanged:
    """Equipment does something else now."""

    now: Status
    before: Status
    mode: str | None
    availability: str | None


class Equipment:
    """The state of one machine; give it what its control says, in order."""

    def __init__(self) -> None:
        self.status = Status(State.UNKNOWN)
        self._paths: dict[str, str] = {}
        self._availability: str | None = None
        self._mode: str | None = None
        self._emergency_stop: str | None = None

    def take(self, observation: Observation, at: float) -> StateChanged | None:
        """What changes by ``observation``, which holds from ``at``."""
        word = observation.value.upper()
        if observation.role is Role.EXECUTION:
            if observation.key in self._paths or len(self._paths) < PATH_LIMIT:
                self._paths[observation.key] = word
        elif observation.role is Role.AVAILABILITY:
            self._availability = word
        elif observation.role is Role.EMERGENCY_STOP:
            self._emergency_stop = word
        elif observation.role is Role.MODE:
            self._mode = word
        return self._settle(at)

    def _settle(self, at: float) -> StateChanged | None:
        state, execution = self._derive()
        now = Status(state, execution, self._emergency_stop, at)
        before = self.status
        if not now.differs(before):
            return None
        self.status = now
        return StateChanged(now, before, self._mode, self._availability)

    def _derive(self) -> tuple[State, str | None]:
        """The state, and the word of the path that speaks for the machine."""
        state, execution = self._speaker()
        if self._availability == UNAVAILABLE:
            return State.UNKNOWN, execution
        if self._emergency_stop == "TRIGGERED" and state in (State.EXECUTING, State.HELD):
            return State.NOT_EXECUTING, execution
        return state, execution

    def _speaker(self) -> tuple[State, str | None]:
        for wanted in _PRECEDENCE:
            for word in self._paths.values():
                if EXECUTION.get(word, State.UNKNOWN) is wanted:
                    return wanted, word
        return State.UNKNOWN, None
