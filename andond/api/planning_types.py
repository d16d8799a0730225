"""What the paths answer that the dashboard's clients know and others of ours make up: schedules, rules, reports.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

from andond.api.alarm_types import Alarm
from andond.api.call_types import CallStatistics
from andond.api.problem_types import Anything
from andond.api.production_types import DowntimeStatistics, OeeResponse
from andond.api.site_types import Shift


class Schedule(msgspec.Struct, kw_only=True):
    """A job order that has a planned time, in the words of the dashboard's clients."""

    id: str
    job_id: str
    line_id: str | None
    equipment_code: str
    product_type_id: str | None
    target_quantity: int | None
    actual_quantity: int | None
    scheduled_start: str | None
    scheduled_end: str | None
    priority: int | None
    status: str | None
    created_at: str | None
    notes: str | None


class LineMade(msgspec.Struct, kw_only=True):
    """What a line made; null with a reason where nothing was counted."""

    line_id: str
    path: str
    units_produced: int | None
    good_parts: int | None
    scrap_parts: int | None
    rework_parts: int | None
    reason: str | None


class ProductionStatistics(msgspec.Struct, kw_only=True):
    """What the lines made in a span of time, and how many jobs there are now; a sum is of what was counted."""

    line_id: str | None
    begin: str
    end: str
    units_produced: int | None
    good_parts: int | None
    scrap_parts: int | None
    rework_parts: int | None
    total_jobs: int
    active_jobs: int
    completed_jobs: int
    lines: list[LineMade]
    reasons: dict[str, str]


class OeeDashboard(msgspec.Struct, kw_only=True):
    """The OEE of each line in its shift, and of the whole plant in its day; null while nothing was heard of it."""

    calculation_time: str
    overall: OeeResponse | None
    lines: list[OeeResponse]
    reasons: dict[str, str]


class OeeAnalytics(msgspec.Struct, kw_only=True):
    """A place in a span of time: its figures, its shifts, and what was lost."""

    line_id: str | None
    equipment_code: str
    begin: str
    end: str
    figures: OeeResponse
    trends: list[OeeResponse]
    downtime: DowntimeStatistics | None
    reasons: dict[str, str]


class OeeAlert(msgspec.Struct, kw_only=True):
    """A figure of the shift that cannot be right as it is: `details` say what to look at."""

    line_id: str | None
    equipment_code: str
    calculation_time: str
    alert_type: str
    details: dict[str, Anything]


class OeeTarget(msgspec.Struct, kw_only=True):
    """What a line is to reach: null, with the reason."""

    line_id: str
    equipment_code: str
    target_oee: float | None
    target_availability: float | None
    target_performance: float | None
    target_quality: float | None
    reasons: dict[str, str]


class EscalationRule(msgspec.Struct, kw_only=True):
    """A chain of escalation; empty `priorities`, `event_types` or `paths` are all."""

    id: str
    name: str
    priorities: list[str]
    event_types: list[str]
    paths: list[str]
    acknowledgment_timeout_minutes: float | None
    resolution_timeout_minutes: float | None
    unacknowledged: list[dict[str, Anything]]
    unresolved: list[dict[str, Anything]]


class ShiftReport(msgspec.Struct, kw_only=True):
    """The calls that were raised in a shift."""

    shift: Shift
    figures: CallStatistics


class AndonReport(msgspec.Struct, kw_only=True):
    """The calls that were raised in a span of time, in all and shift by shift."""

    total: CallStatistics
    shifts: list[ShiftReport]
    reason: str | None


class FoundDefect(msgspec.Struct, kw_only=True):
    """A defect of an inspection."""

    id: str
    at: str
    equipment: str
    equipment_code: str
    line_id: str | None
    product: str | None
    job: str | None
    code: str
    description: str | None
    count: int


class Upkeep(msgspec.Struct, kw_only=True):
    """Whether a unit stands for maintenance; what is due is null with a reason."""

    equipment: str
    equipment_code: str
    line_id: str | None
    status: str | None
    since: str | None
    is_in_maintenance: bool
    maintenance_due: str | None
    reasons: dict[str, str]


class Diagnosis(msgspec.Struct, kw_only=True):
    """What a unit does, and its alarms that are on the operator's list."""

    equipment: str
    equipment_code: str
    line_id: str | None
    status: str | None
    since: str | None
    faults: list[Alarm]
    reason: str | None


class Component(msgspec.Struct, kw_only=True):
    """A part of the gateway: `healthy` or `unhealthy`, and what it says of itself."""

    status: str
    details: dict[str, Anything]


class GatewayHealth(msgspec.Struct, kw_only=True):
    """Whether the gateway may get traffic; `not_ready` says why it may not."""

    status: str
    service: str
    version: str
    timestamp: str
    not_ready: list[str]
    components: dict[str, Component] | None = None
