"""What the REST of Andon calls and their escalation takes and answers.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

from andond.api.floor_types import ActBody
from andond.api.problem_types import Anything


class Done(msgspec.Struct, kw_only=True):
    """Who did a step, when by the clock of their device, when we received it, and which of both counts."""

    by: str
    at: str
    received: str
    moment: str
    station: str | None
    comment: str | None


class Timer(msgspec.Struct, kw_only=True):
    """How long a part of a call took, or takes; `target` in seconds."""

    since: str | None
    until: str | None
    seconds: float | None
    target: float | None
    running: bool
    late: bool


class Contest(msgspec.Struct, kw_only=True):
    """An act that came too late: another one was there before."""

    trigger: str
    beaten_by: int
    by: str
    at: str
    received: str
    station: str | None
    comment: str | None


class Call(msgspec.Struct, kw_only=True):
    """An Andon call: its `state`, `status` in the words of the dashboard's service, `screen_status` in its screens'.

    `modelled` is false where the site does not describe the place, null where it describes none at all.

    `possible` are the triggers that its state takes, `timers` raise to delivered and so on.
    """

    id: str
    call: str
    path: str
    modelled: bool | None
    type: str
    word: str
    title: str
    colour: str
    priority: str
    text: str
    stops_line: bool
    state: str
    status: str
    screen_status: str
    level: int
    step: int
    assigned_to: str | None
    incident: str | None
    links: dict[str, str]
    raised_by: str
    raised_at: str
    acknowledged_by: str | None
    acknowledged_at: str | None
    arrived_by: str | None
    arrived_at: str | None
    resolved_by: str | None
    resolved_at: str | None
    raised: Done | None
    delivered: Done | None
    acknowledged: Done | None
    arrived: Done | None
    resolved: Done | None
    closed: Done | None
    cancelled: Done | None
    acknowledge_by: str | None
    resolve_by: str | None
    timers: dict[str, Timer]
    possible: list[str]
    contests: list[Contest]
    history: list[dict[str, Anything]] | None = None
    escalation: dict[str, Anything] | None = None


class NewCall(ActBody, kw_only=True):
    """A call to be raised at a place, which is named by its path or an alias."""

    equipment: str
    type: str
    priority: str | None = None
    text: str | None = None
    stops_line: bool | None = None
    assigned_to: str | None = None
    incident: str | None = None


class Reassign(ActBody, kw_only=True):
    """Who is to come instead."""

    to: str


class Change(ActBody, kw_only=True):
    """The priority that a call gets."""

    priority: str


class CallKind(msgspec.Struct, kw_only=True):
    """A type of call."""

    word: str
    type: str
    title: str
    colour: str
    priority: str
    stops_line: bool


class Interval(msgspec.Struct, kw_only=True):
    """Times in seconds; `within_target` 0 to 1, null where nothing has a target."""

    count: int
    mean: float | None
    median: float | None
    longest: float | None
    within_target: float | None


class CallStatistics(msgspec.Struct, kw_only=True):
    """Figures of the calls that were raised in a span of time."""

    begin: str
    end: str
    total: int
    open: int
    by_state: dict[str, int]
    by_type: dict[str, int]
    by_priority: dict[str, int]
    by_place: dict[str, int]
    escalated: int
    reopened: int
    cancelled: int
    stopped_line: int
    intervals: dict[str, Interval]


class AndonEvent(msgspec.Struct, kw_only=True):
    """A call in the words of the dashboard's clients."""

    id: str
    line_id: str | None
    equipment_code: str
    modelled: bool | None
    event_type: str
    priority: str
    description: str
    status: str
    screen_status: str
    reported_by: str
    reported_at: str
    acknowledged_by: str | None
    acknowledged_at: str | None
    resolved_by: str | None
    resolved_at: str | None
    resolution_notes: str | None
    escalation_level: int
    assigned_to: str | None
    created_at: str
    updated_at: str
    state: str


class NewAndonEvent(msgspec.Struct, kw_only=True):
    """A call in the words of the dashboard's clients; the equipment, or else the line."""

    event_type: str
    equipment_code: str | None = None
    line_id: str | None = None
    priority: str | None = None
    description: str | None = None
    reported_by: str | None = None


class AndonNotes(msgspec.Struct, kw_only=True):
    """What is said with an act, in the words of the dashboard's clients."""

    notes: str | None = None
    resolution_notes: str | None = None
    escalation_reason: str | None = None
    acknowledged_by: str | None = None
    resolved_by: str | None = None


class EscalationTree(msgspec.Struct, kw_only=True):
    """The chains of escalation in force; the first one that fits a call is taken."""

    chains: list[dict[str, Anything]]
