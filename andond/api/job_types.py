"""What the REST of jobs, counts, changeovers and quality takes and answers.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec

from andond.api.floor_types import ActBody
from andond.api.problem_types import Anything

_CHANGEOVER = {
    "before": "from",
    "after": "to",
    "started_at": "startedAt",
    "started_by": "startedBy",
    "first_good_at": "firstGoodAt",
    "ended_at": "endedAt",
    "ended_by": "endedBy",
}


class Pieces(msgspec.Struct, kw_only=True):
    """Pieces of each kind; null where nobody told."""

    produced: int | None
    good: int | None
    scrap: int | None
    rework: int | None


class Job(msgspec.Struct, kw_only=True, rename="camel"):
    """A job order: `state` in the words of OPC UA Job Control, `status` in those of the dashboard.

    `made` are pieces that were counted, `madeReason` why not all is known; `progress` in percent, `runningTime` in
    seconds, `possible` the methods that can be called now.
    """

    id: str
    equipment: str
    state: str
    status: str | None
    step: int
    product: str | None
    quantity: int | None
    description: str | None
    work_master: str | None
    importance: int | None
    assigned_to: str | None
    planned_start: str | None
    planned_end: str | None
    parameters: dict[str, Anything]
    waits_for: str | None
    stored_at: str | None
    stored_by: str | None
    accepted_at: str | None
    accepted_by: str | None
    started_at: str | None
    ended_at: str | None
    running_time: float
    reason: str | None
    made: Pieces
    made_reason: str | None
    progress: float | None
    possible: list[str]


class NewJob(ActBody, kw_only=True, rename="camel"):
    """A job order to be stored."""

    equipment: str
    id: str | None = None
    product: str | None = None
    quantity: int | None = None
    description: str | None = None
    work_master: str | None = None
    importance: int | None = None
    assigned_to: str | None = None
    planned_start: str | None = None
    planned_end: str | None = None
    parameters: dict[str, Anything] | None = None
    waits_for: str | None = None


class JobChange(ActBody, kw_only=True, rename="camel"):
    """What is to be different, before it begins."""

    equipment: str | None = None
    product: str | None = None
    quantity: int | None = None
    description: str | None = None
    work_master: str | None = None
    importance: int | None = None
    assigned_to: str | None = None
    planned_start: str | None = None
    planned_end: str | None = None
    parameters: dict[str, Anything] | None = None


class JobStep(ActBody, kw_only=True):
    """Why a step is done."""

    reason: str | None = None


class JobReport(ActBody, kw_only=True):
    """What the executing system says of a job order."""

    what: str
    reason: str | None = None


class JobAssignment(msgspec.Struct, kw_only=True):
    """A job in the words of the dashboard's clients."""

    id: str
    job_id: str
    line_id: str | None
    equipment_code: str
    user_id: str | None
    status: str | None
    title: str | None
    description: str | None
    priority: int | None
    product: str | None
    target_quantity: int | None
    actual_quantity: int | None
    good_quantity: int | None
    progress: float | None
    scheduled_start: str | None
    scheduled_end: str | None
    accepted_at: str | None
    started_at: str | None
    completed_at: str | None
    created_at: str | None
    notes: str | None


class Count(ActBody, kw_only=True):
    """Pieces that a person counted; `corrects` names a count that was wrong."""

    equipment: str
    produced: int | None = None
    good: int | None = None
    scrap: int | None = None
    rework: int | None = None
    job: str | None = None
    product: str | None = None
    corrects: str | None = None


class Counted(Pieces, kw_only=True):
    """A count that was taken."""

    id: str
    equipment: str
    job: str | None
    product: str | None


class Part(Pieces, kw_only=True):
    """What was made of one product for one job."""

    job: str | None
    product: str | None


class Production(Pieces, kw_only=True):
    """What a place made in a span of time; `shift` where it was asked for by that."""

    equipment: str
    begin: str
    end: str
    reason: str | None
    parts: list[Part]
    shift: str | None = None


class Stage(msgspec.Struct, kw_only=True, rename="camel"):
    """A phase of a changeover; `length` in seconds."""

    phase: str
    started_at: str | None
    ended_at: str | None
    length: float


class Step(msgspec.Struct, kw_only=True, rename="camel"):
    """A step of a changeover, `internal` or `external`; `length` in seconds."""

    name: str
    kind: str
    started_at: str | None
    ended_at: str | None
    length: float


class Changeover(msgspec.Struct, kw_only=True, rename=_CHANGEOVER):
    """A changeover: from the last good piece of one product to the first of the next; times in seconds."""

    id: str
    equipment: str
    job: str | None
    before: str | None
    after: str
    phase: str
    started_at: str | None
    started_by: str
    first_good_at: str | None
    ended_at: str | None
    ended_by: str | None
    length: float
    target: float | None
    overrun: float | None
    internal: float
    external: float
    phases: list[Stage]
    steps: list[Step]


class NewChangeover(ActBody, kw_only=True, rename={"before": "from", "after": "to"}):
    """A changeover that begins; what is made next is named, or the job for which it is."""

    equipment: str
    before: str | None = None
    after: str | None = None
    job: str | None = None


class ChangeoverPhase(ActBody, kw_only=True):
    """The phase that a changeover comes to, or a step of it that begins or ends."""

    phase: str | None = None
    step: str | None = None
    kind: str | None = None
    begin: str | None = None
    end: str | None = None


class ChangeoverEnd(ActBody, kw_only=True):
    """A changeover is over, or was none."""

    cancelled: bool | None = None


class DefectCount(msgspec.Struct, kw_only=True):
    """How often a defect was found."""

    code: str
    description: str | None
    count: int


class Quality(msgspec.Struct, kw_only=True, rename="camel"):
    """First pass yield (0 to 1, null with a reason) and the defects of a span of time, most frequent first."""

    checks: int
    inspected: int
    passed: int
    first_pass_yield: float | None
    reason: str | None
    defects: list[DefectCount]


class Defect(msgspec.Struct, kw_only=True):
    """A defect and how many pieces have it."""

    code: str
    count: int = 1


class Check(ActBody, kw_only=True):
    """A check: values of a characteristic, or inspected pieces, or both."""

    equipment: str | None = None
    characteristic: str | None = None
    values: list[float] | None = None
    inspected: int | None = None
    passed: int | None = None
    result: str | None = None
    defects: list[Defect] | None = None
    product: str | None = None
    job: str | None = None
    again: bool | None = None


class Inspection(msgspec.Struct, kw_only=True):
    """An inspection: pieces that were looked at, null where something was measured alone."""

    id: str
    at: str
    equipment: str
    equipment_code: str
    product: str | None
    job: str | None
    inspected: int | None
    passed: int | None
    result: str | None
    again: bool
    defects: list[Defect]


class Checked(msgspec.Struct, kw_only=True):
    """A check that was taken; what follows `result` is there where a characteristic was measured.

    `violations` are the rules of the chart that it breaks.
    """

    id: str
    at: str
    equipment: str
    product: str | None
    job: str | None
    inspected: int | None
    passed: int | None
    again: bool
    defects: list[Defect]
    characteristic: str | None
    values: list[float]
    result: str | None
    mean: float | None = None
    range: float | None = None
    distance: float | None = None
    baseline: dict[str, Anything] | None = None
    violations: list[dict[str, Anything]] | None = None
    active: list[str] | None = None


class NewDefect(ActBody, kw_only=True):
    """A defect that somebody found."""

    equipment: str
    code: str
    count: int | None = None
    product: str | None = None
    job: str | None = None


class DefectCode(msgspec.Struct, kw_only=True):
    """A known defect."""

    code: str
    description: str


class Chart(msgspec.Struct, kw_only=True, rename="camel"):
    """A control chart: its limits, its points, and the rules that are broken now."""

    characteristic: str
    equipment: str
    product: str | None
    unit: str | None
    lower_specification: float | None
    upper_specification: float | None
    size: int
    baseline: dict[str, Anything]
    rules: list[str]
    points: list[dict[str, Anything]]
    active: list[dict[str, Anything]]
