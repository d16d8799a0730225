"""What the jobs' desk is told, and what it tells.

Rules of this file: frozen classes; counts that say they are all take the place of whatever was told of their place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import msgspec

from domain import Event, Priority
from domain.plant.jobs import Count, JobsNow, Run


class CountTaken(msgspec.Struct, frozen=True):
    """A source counted, or a reading came that a configured counter shows."""

    event: Event
    priority: ClassVar[Priority] = Priority.HIGH


class ReadJobs(msgspec.Struct, frozen=True):
    """Answer what ``read`` makes of jobs, counts, changeovers and quality now."""

    read: Callable[[JobsNow], object]
    priority: ClassVar[Priority] = Priority.HIGH


class Look(msgspec.Struct, frozen=True):
    """It is time to see what is due."""

    priority: ClassVar[Priority] = Priority.HIGH


class CountsTold(msgspec.Struct, frozen=True):
    """What was counted at ``equipment``: a count whose id was told before takes the place of that one.

    ``is_all``: these are all counts of the place, what is old by the minute.
    """

    equipment: str
    counts: tuple[Count, ...]
    is_all: bool = False
    priority: ClassVar[Priority] = Priority.HIGH


class RunsTold(msgspec.Struct, frozen=True):
    """What ``equipment`` worked on, oldest first; the last one may go on."""

    equipment: str
    runs: tuple[Run, ...]
    priority: ClassVar[Priority] = Priority.HIGH
