"""What a floor session asks of who knows: a snapshot of the floor, and that an act be done.

Rules of this file: data only. The dialect says what it wants in these words; whoever holds the desks answers. A
snapshot's rows are as the desks write them; the dialect gives them the clients' names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from domain import JsonObject
from transport.dialects.deeds import Deed, Done

__all__ = ["SECTIONS", "SECTION_WORDS", "Deed", "Done", "Row", "Seen", "Snapshot", "sections_of"]

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "line": "line_status_update",
        "equipment": "equipment_status_update",
        "production": "production_update",
        "oee": "oee_update",
        "andon": "andon_event",
        "downtime": "downtime_event",
        "job": "job_update",
        "escalation": "escalation_event",
        "fault": "equipment_fault_occurred",
        "quality": "quality_check_completed",
        "changeover": "changeover_started",
    }
)
"""The sections of a snapshot, and the type of the frame whose fields the rows of each have."""

_WORDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "lines": ("line",), "line_status": ("line",), "production_line": ("line",), "production_lines": ("line",),
        "andon_events": ("andon",), "andon_event": ("andon",), "calls": ("andon",), "jobs": ("job",),
        "job_assignments": ("job",), "escalations": ("escalation",), "faults": ("fault",), "alarms": ("fault",),
        "equipment_status": ("equipment",), "downtime_events": ("downtime",), "quality_checks": ("quality",),
        "changeovers": ("changeover",), "oee_data": ("oee",), "production_data": ("production",),
        "dashboard": tuple(SECTIONS), "all": tuple(SECTIONS), "snapshot": tuple(SECTIONS),
    }
)  # fmt: skip


class Snapshot(msgspec.Struct, frozen=True):
    """How the floor is now: ``sections`` of it, at the place that ``place`` names; None: everywhere."""

    sections: tuple[str, ...]
    place: str | None = None


class Row(msgspec.Struct, frozen=True):
    """One row of a snapshot: ``members`` as its desk writes them, and the ``path`` of where it is."""

    path: str
    members: JsonObject


class Seen(msgspec.Struct, frozen=True):
    """The answer to ``Snapshot``: the rows of each section; ``reasons`` says of each that is not there why."""

    rows: Mapping[str, Sequence[Row]]
    reasons: Mapping[str, str]


def sections_of(word: str) -> tuple[str, ...] | None:
    """The sections that a client means by ``word``; None if none."""
    return (word,) if word in SECTIONS else _WORDS.get(word)


SECTION_WORDS = (*SECTIONS, *_WORDS)
"""All words for sections."""
