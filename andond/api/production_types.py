"""What the REST of OEE, downtime and the dashboard takes and answers; times in seconds, ratios 0 to 1.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

from andond.api.call_types import AndonEvent
from andond.api.floor_types import ActBody
from andond.api.job_types import JobAssignment
from andond.api.problem_types import Anything


class Window(msgspec.Struct, kw_only=True):
    """What is accounted for: a shift, a day, a job or a range."""

    kind: str
    name: str
    begin: str
    end: str


class Elements(msgspec.Struct, kw_only=True):
    """The elements of ISO 22400-2 in seconds and pieces; null where nobody knows."""

    calendar: float | None
    pbt: float | None
    apt: float | None
    aust: float | None
    adet: float | None
    adot: float | None
    apmt: float | None
    acmt: float | None
    unknown: float | None
    unseen: float | None
    outside: float | None
    minor: float | None
    standard: float | None
    standard_good: float | None
    repair: float | None
    aupt: float | None
    aubt: float | None
    aoet: float | None
    pq: int | None
    gq: int | None
    sq: int | None
    rq: int | None
    minor_stops: int | None
    failures: int | None


class Reach(msgspec.Struct, kw_only=True):
    """From the figure if what is unknown was down to that if it ran."""

    oee: list[float | None]
    availability: list[float | None]


class Figures(msgspec.Struct, kw_only=True):
    """OEE and its figures of a place in a window; what cannot be said is null, and `reasons` says why."""

    equipment: str
    line_id: str | None
    equipment_code: str
    window: Window
    until: str
    status: str | None
    units: list[str]
    unheard: list[str]
    mapping: str
    oee: float | None
    availability: float | None
    effectiveness: float | None
    performance: float | None
    quality: float | None
    nee: float | None
    teep: float | None
    allocation: float | None
    utilization: float | None
    technical: float | None
    setup: float | None
    throughput: float | None
    scrap: float | None
    rework: float | None
    mtbf: float | None
    mttf: float | None
    mttr: float | None
    corrective_maintenance: float | None = msgspec.field(name="correctiveMaintenance")
    coverage: float | None
    is_reach: bool = msgspec.field(name="isReach")
    reach: Reach
    flags: list[dict[str, Anything]]
    reasons: dict[str, str]
    elements: Elements


class OeeResponse(msgspec.Struct, kw_only=True):
    """OEE in the words of the dashboard's clients; null with the reason in `reasons` where nothing is known."""

    id: str
    line_id: str | None
    equipment_code: str
    calculation_time: str
    availability: float | None
    performance: float | None
    quality: float | None
    oee: float | None
    planned_production_time: float | None
    actual_production_time: float | None
    ideal_cycle_time: float | None
    actual_cycle_time: float | None
    good_parts: int | None
    total_parts: int | None
    coverage: float | None
    window: Window | None
    reasons: dict[str, str]


class OeeQuestion(msgspec.Struct, kw_only=True):
    """Which place, from when to when; or the figures (seconds, pieces) themselves, and nothing is looked up."""

    line_id: str | None = None
    equipment_code: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    planned_production_time: float | None = None
    actual_production_time: float | None = None
    ideal_cycle_time: float | None = None
    actual_cycle_time: float | None = None
    good_parts: int | None = None
    total_parts: int | None = None


class Segment(msgspec.Struct, kw_only=True):
    """A stretch of the ledger."""

    begin: str
    end: str
    state: str | None
    bucket: str
    seconds: float


class Timeline(msgspec.Struct, kw_only=True):
    """What a unit did; `seconds` by bucket sum to the span exactly."""

    equipment: str
    begin: str
    end: str
    seconds: dict[str, float]
    segments: list[Segment]


class Piece(msgspec.Struct, kw_only=True):
    """A part of a stop with a reason of its own."""

    begin: str
    end: str
    seconds: float
    reason_code: str
    category: str
    subcategory: str
    comment: str | None
    by: str | None


class Downtime(msgspec.Struct, kw_only=True):
    """A stop, in the words of the dashboard's clients, its pieces and what was done to it."""

    id: str
    equipment: str
    line_id: str | None
    equipment_code: str
    start_time: str
    end_time: str | None
    duration_seconds: float
    is_open: bool
    state: str
    reason_code: str
    reason_description: str
    category: str
    subcategory: str
    is_assigned: bool
    reported_by: str
    confirmed_by: str | None
    confirmed_at: str | None
    notes: str | None
    pieces: list[Piece]
    history: list[dict[str, Anything]]


class Assign(ActBody, kw_only=True):
    """The reason of a stop, or of the piece of it in which `at` lies."""

    reason_code: str
    notes: str | None = None


class Instant(ActBody, kw_only=True):
    """`at` is the instant at which a stop is cut, or joined."""


class Correct(ActBody, kw_only=True):
    """What a unit did from `at` on, in the words of a model."""

    state: str
    model: str | None = None
    mode: str | None = None


class Reason(msgspec.Struct, kw_only=True):
    """A reason of downtime, in two levels."""

    code: str
    description: str
    category: str
    subcategory: str
    is_failure: bool


class Reasons(msgspec.Struct, kw_only=True):
    """The reasons there are."""

    reason_codes: list[Reason]


class DowntimeStatistics(msgspec.Struct, kw_only=True):
    """Downtime in figures: a stop counts with the part of it that lies in the window and in planned time."""

    begin: str
    end: str
    total_events: int
    total_downtime_seconds: float
    total_downtime_minutes: float
    total_downtime_hours: float
    avg_duration_seconds: float | None
    avg_duration_minutes: float | None
    planned_events: int
    unplanned_events: int
    changeover_events: int
    maintenance_events: int
    planned_seconds: float
    unplanned_seconds: float
    changeover_seconds: float
    maintenance_seconds: float
    outside_seconds: float
    top_reasons: list[dict[str, Anything]]
    daily_breakdown: list[dict[str, Anything]]


class EquipmentStatus(msgspec.Struct, kw_only=True):
    """What a place does; `status` is null with a reason where nothing was heard of it."""

    equipment: str
    equipment_code: str
    line_id: str | None
    status: str | None
    since: str | None
    active_downtime: list[Downtime]
    modelled: bool
    reason: str | None


class LineStatus(msgspec.Struct, kw_only=True):
    """A line in the words of the dashboard's clients; null with a reason in `reasons` where nothing is known."""

    line_id: str
    line_code: str
    name: str
    path: str
    status: str | None
    oee: float | None
    availability: float | None
    performance: float | None
    quality: float | None
    coverage: float | None
    current_job: JobAssignment | None
    active_downtime: list[Downtime]
    active_andon_events: list[AndonEvent]
    reasons: dict[str, str]


class ProductionLine(msgspec.Struct, kw_only=True):
    """A line and what stands in it."""

    id: str
    line_code: str
    name: str
    path: str
    status: str | None
    equipment_codes: list[str]
    shifts: list[str]


class Overview(msgspec.Struct, kw_only=True):
    """The plant in numbers; lines of which nothing was heard are `unknown_lines`."""

    at: str
    total_lines: int
    running_lines: int
    stopped_lines: int
    fault_lines: int
    unknown_lines: int
    total_jobs: int
    active_jobs: int
    completed_jobs: int
    total_andon_events: int
    open_andon_events: int
    average_oee: float | None
    total_downtime_minutes: float | None
    reasons: dict[str, str]
