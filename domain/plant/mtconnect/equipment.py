"""What a machine does, out of what its control says of itself.

Rules of this file: one table from MTConnect's ``Execution`` to the state; the control's own word is kept beside it.
What is not known is ``unknown``, which is neither running nor stopped: a link that is down must not look like a stop.

* A device that says it is not available has no state, whatever its paths said last.
* A device in emergency stop does not execute, whatever its paths say.
* A control with several paths executes if one of them does; else the path that is held speaks for it.
* What is said of one moment is settled together, so that what it passes through on the way is no state. What follows
  holds from the newest stamp of what it follows from: a greeting says old things after newer ones. Of several states
  of one moment, told apart because they came apart, ``sequence`` says which one was said later.

Source of the words: MTConnect standard part 3 (``Execution``, ``EmergencyStop``, ``Availability``); of the states: OPC
40001-1 (Machinery), ``MachineryItemState``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from domain.plant.mtconnect.observation import UNAVAILABLE, Observation, Role

PATH_LIMIT = 64
TRIGGERED = "TRIGGERED"


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


class Status(msgspec.Struct, frozen=True):
    """What equipment does, and the words it follows from.

    ``since`` is the source's clock, ``stamp`` how it wrote that, "" if it did not.
    """

    state: State
    execution: str | None = None
    emergency_stop: str | None = None
    availability: str | None = None
    since: float | None = None
    stamp: str = ""
    sequence: int = 0

    @property
    def is_available(self) -> bool:
        """Whether the device does not say that it is not."""
        return self.availability != UNAVAILABLE

    @property
    def is_emergency(self) -> bool:
        """Whether the device is in emergency stop."""
        return self.emergency_stop == TRIGGERED

    def differs(self, other: Status) -> bool:
        """Whether this is another state, another word of the control for it, or another reason."""
        return (self.state, self.execution, self.is_available, self.is_emergency) != (
            other.state,
            other.execution,
            other.is_available,
            other.is_emergency,
        )


class StateChanged(msgspec.Struct, frozen=True):
    """Equipment does something else now."""

    now: Status
    before: Status
    mode: str | None


class Equipment:
    """The state of one machine; give it what its control says, in order.

    ``newest`` is, of what was noted, that with the newest stamp.
    """

    def __init__(self) -> None:
        self.status = Status(State.UNKNOWN)
        self._paths: dict[str, str] = {}
        self._availability: str | None = None
        self._mode: str | None = None
        self._emergency_stop: str | None = None
        self.newest: Observation | None = None
        self._moment: tuple[int, float] | None = None

    def take(self, observation: Observation, at: float, era: int = 0) -> StateChanged | None:
        """What changes by ``observation``, which holds from ``at`` in the ``era`` of the source's clock."""
        self.note(observation, at, era)
        return self.settle()

    def note(self, observation: Observation, at: float, era: int = 0) -> None:
        """Take in one of several observations of one moment; ``settle`` says what they change."""
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
        # Stamps of another era are no earlier and no later than those of this one.
        if self._moment is None or self._moment[0] != era or self._moment[1] <= at:
            self._moment, self.newest = (era, at), observation

    def settle(self) -> StateChanged | None:
        """What has changed by all that was noted."""
        state, execution = self._derive()
        before, since = self.status, None if self._moment is None else self._moment[1]
        stamp = "" if self.newest is None or self.newest.at is None else self.newest.stamp
        now = Status(state, execution, self._emergency_stop, self._availability, since, stamp)
        if not now.differs(before):
            return None
        self.status = replace(now, sequence=before.sequence + 1) if since == before.since else now
        return StateChanged(self.status, before, self._mode)

    def _derive(self) -> tuple[State, str | None]:
        """The state, and the word of the path that speaks for the machine."""
        state, execution = self._speaker()
        if self._availability == UNAVAILABLE:
            return State.UNKNOWN, execution
        if self._emergency_stop == TRIGGERED and state in (State.EXECUTING, State.HELD):
            return State.NOT_EXECUTING, execution
        return state, execution

    def _speaker(self) -> tuple[State, str | None]:
        for wanted in _PRECEDENCE:
            for word in self._paths.values():
                if EXECUTION.get(word, State.UNKNOWN) is wanted:
                    return wanted, word
        return State.UNKNOWN, None
