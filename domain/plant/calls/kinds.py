"""Types and priorities of calls: ours, and what the floor dashboard's words for them mean.

Rules of this file: data. A word of the dashboard stands for one of our types and is kept beside it, so that its clients
read what they wrote. Nothing is guessed from a text (defect P13 of the system before this one).

Source of the colours: IEC 60073 (red emergency, amber abnormal, blue mandatory action, green normal, white neutral).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec


class CallPriority(StrEnum):
    """How soon somebody must come. It is a call's, not an event's: every event of a call is critical on the wire."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Colour(StrEnum):
    """What a lamp for it shows."""

    RED = "red"
    AMBER = "amber"
    BLUE = "blue"
    WHITE = "white"


class CallKind(msgspec.Struct, frozen=True):
    """A type of call, as it is raised by ``word``; ``type`` is ours. ``stops_line``: the line stands because of it."""

    word: str
    type: str
    title: str
    colour: Colour
    priority: CallPriority = CallPriority.MEDIUM
    stops_line: bool = False


_OWN = (
    CallKind("safety", "safety", "Safety", Colour.RED, CallPriority.CRITICAL),
    CallKind("quality", "quality", "Quality", Colour.AMBER),
    CallKind("maintenance", "maintenance", "Maintenance", Colour.AMBER),
    CallKind("material", "material", "Material", Colour.BLUE),
    CallKind("supervisor", "supervisor", "Supervisor", Colour.BLUE),
    CallKind("changeover", "changeover", "Changeover help", Colour.WHITE, CallPriority.LOW),
    CallKind("it", "it", "IT", Colour.WHITE),
)
_DASHBOARD = (
    CallKind("stop", "maintenance", "Line stop", Colour.RED, CallPriority.HIGH, stops_line=True),
    CallKind("fault", "maintenance", "Fault", Colour.AMBER),
    CallKind("critical_fault", "maintenance", "Critical fault", Colour.RED, CallPriority.CRITICAL),
    CallKind("safety_alert", "safety", "Safety alert", Colour.RED, CallPriority.CRITICAL),
    CallKind("warning", "supervisor", "Warning", Colour.AMBER),
    CallKind("info", "supervisor", "Information", Colour.WHITE, CallPriority.LOW),
)

TYPES = tuple(kind.word for kind in _OWN)
"""Our types."""

KINDS: Mapping[str, CallKind] = MappingProxyType({kind.word: kind for kind in (*_OWN, *_DASHBOARD)})
"""Every word by which a call can be raised."""
