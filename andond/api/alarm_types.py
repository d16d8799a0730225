"""What the REST of alarms takes and answers, in the names of OPC 10000-9 where it has one.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

from andond.api.floor_types import ActBody
from andond.api.problem_types import Anything


class Shelving(msgspec.Struct, kw_only=True):
    """Who shelved an alarm, until when, and why."""

    by: str
    at: str
    until: str
    one_shot: bool
    reason: str
    authorised_by: str | None


class Removal(msgspec.Struct, kw_only=True):
    """Who took an alarm out of service, with which permit, and why."""

    by: str
    at: str
    permit: str
    reason: str


class Rationale(msgspec.Struct, kw_only=True):
    """What the alarm list says of an alarm; `missing` is what it should say and does not."""

    cause: str | None
    consequence: str | None
    action: str | None
    time_to_respond: float | None
    missing: list[str]


class Alarm(msgspec.Struct, kw_only=True):
    """An alarm (ISA-18.2): its `state`, and the `letter` of that in the standard's diagram; times in seconds."""

    id: str
    equipment: str
    key: str
    code: str | None
    text: str
    level: str | None
    state: str
    letter: str
    since: str
    position: str
    class_: str = msgspec.field(name="class")
    priority: str
    severity: int
    rationalised: bool
    retain: bool
    quality: str
    active_state: bool
    acked_state: bool | None
    latched_state: bool
    silence_state: bool
    audible_enabled: bool
    suppressed_state: bool
    suppressed_by: list[str]
    out_of_service_state: bool
    shelving_state: str
    suppressed_or_shelved: bool
    max_time_shelved: float
    shelving: Shelving | None
    removal: Removal | None
    occurrences: int
    re_alarm_repeat_count: int
    occurred_at: str | None
    returned_at: str | None
    unacknowledged_since: str | None
    acknowledged_at: str | None
    acknowledged_by: str | None
    source_time: str | None
    reason: str | None
    comment: str | None
    shelving_remaining: float | None = None
    age: float | None = None
    stale: bool | None = None
    first_in_group_flag: bool | None = None
    rationale: Rationale | None = None


class AlarmName(ActBody, kw_only=True):
    """Which alarm: its id, or what it is of; with the reason."""

    alarm: str | None = None
    equipment: str | None = None
    key_: str | None = msgspec.field(name="data_item", default=None)
    code: str | None = None
    reason: str | None = None


class Shelve(ActBody, kw_only=True):
    """For how long an alarm is shelved, in seconds, or until it returns to normal at the latest; and why."""

    reason: str
    duration: float | None = None
    one_shot: bool | None = None
    authorised_by: str | None = None


class WithReason(ActBody, kw_only=True):
    """Why."""

    reason: str | None = None


class Remove(ActBody, kw_only=True):
    """With which permit an alarm is taken out of service, and why."""

    permit: str
    reason: str


class Flood(msgspec.Struct, kw_only=True):
    """A flood: more than ten alarms in ten minutes at a position; `duration` in seconds."""

    began: str
    ended: str | None
    duration: float | None
    alarms: int
    peak: int
    first_out: str | None
    first_out_at: str | None
    position: str | None = None
    method: str | None = None


class Counts(msgspec.Struct, kw_only=True):
    """How many alarms there are of each kind, now and at most; null is what is counted of all alarms alone."""

    known: int
    refused: int | None
    by_state: dict[str, int]
    standing: int
    standing_peak: int | None
    shelved_peak: int | None
    suppressed_peak: int | None
    out_of_service_peak: int | None
    stale: int
    unacknowledged: int
    unrationalised: int


class Summary(msgspec.Struct, kw_only=True):
    """The alarm summary: counts, the operator's list, the floods that go on."""

    at: str
    counts: Counts
    alarms: list[Alarm]
    floods: list[Flood]


class BoardLine(msgspec.Struct, kw_only=True):
    """A line of the board: one alarm, or several that are shown as one."""

    first_in_group_flag: bool
    count: int
    unacknowledged: int
    audible: bool
    equipment: str | None
    key: str | None
    priority: str
    top: Alarm
    alarms: list[str]


class Board(msgspec.Struct, kw_only=True):
    """What an operator sees: at most ten lines while there is a flood."""

    position: str
    flood: Flood | None
    alarms: int
    lines: list[BoardLine]


class Named(msgspec.Struct, kw_only=True):
    """An alarm and a number of it."""

    id: str
    count: int
    equipment: str | None = None
    key: str | None = None
    code: str | None = None


class Rates(msgspec.Struct, kw_only=True):
    """How the alarm system of a position does, in the names of OPC UA's AlarmMetricsType; times in seconds."""

    since: str
    alarm_count: float
    start_time: str
    maximum_active_state: float
    maximum_un_ack: float
    current_alarm_rate: float
    maximum_alarm_rate: float
    maximum_re_alarm_count: float
    average_alarm_rate: float
    alarm_flood: float
    last_10_minutes: int
    last_hour: int
    last_day: int
    floods: int
    flood_method: str
    flood_alarms: int
    flood_ratio: float
    chattering: list[Named]
    fleeting: int
    bad_actors: list[Named]
    bad_actors_ratio: float | None
    priority_ratio: dict[str, float | None]
    priority_ratio_target: dict[str, float]
    time_to_acknowledge: list[dict[str, Anything]]


class AlarmList(msgspec.Struct, kw_only=True):
    """The rationalised alarm list as it is in force, and what it lacks."""

    entries: int
    doubled: list[Anything]
    incomplete: int
    unrationalised: int
    rows: list[dict[str, Anything]] = msgspec.field(name="list")
