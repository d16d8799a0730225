"""The states of a session of the native protocol, and which command is taken in which.

Rules of this file: it is a table. What a command does is the session's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from transport.dialects import native_frames as wire


class State(Enum):
    """Where a session is in its life."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    CLOSED = "closed"


TRANSITIONS: Mapping[State, Mapping[str, State]] = MappingProxyType(
    {
        State.CONNECTING: {"connect": State.CONNECTED},
        State.CONNECTED: {word: State.CONNECTED for word in wire.COMMANDS if word != "connect"},
        State.CLOSED: {},
    }
)
"""The commands that each state takes, and the state that follows. Faults lead to CLOSED from everywhere."""

OUT_OF_TURN: Mapping[State, str] = MappingProxyType(
    {
        State.CONNECTING: "the first command is connect",
        State.CONNECTED: "the session is connected already",
    }
)
"""What is said of a command that its state does not take."""
