"""What the floor's clients are told: one table of frames, and of which of our events each is made.

Rules of this file:

* No I/O. A kind is what its clients know by its ``type``: its id, its wrapper, its priority, whom it is delivered to,
  its fields. Everything about a frame that is not its bytes stands here; the documents' page is made from it.
* An event is told by one frame. A client that wants the other names for it, which some client generations listen to,
  asks for them; otherwise every event would come twice.
* The number on the wire is the more urgent of the kind's and of the event's own priority. Escalations and system
  alerts are never NORMAL.

Source of the names, ids, wrappers and deliveries: the floor's contract, section 3.5, and its priorities, section 3.7.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain import JsonObject, JsonValue, Priority
from transport.dialects.floor.fields import Field, counted, fields, found, minutes, moment, number, without, word_of

_CRITICAL, _HIGH, _NORMAL, _LOW = Priority

CHART_ALARM = "quality/"
"""What the keys of alarms begin with that control charts raise."""

_NOT_TOLD = "the event does not tell it"
_NOT_YET = "it has not happened, or the event does not tell it"


class Kind(msgspec.Struct, frozen=True):
    """One type of frame.

    ``id`` is the member that stands beside ``data`` too; ``wrapper`` holds the fields once more; ``topics`` are the
    subscription types that it is delivered to; ``aliases`` the other names of it. ``is_line`` says that what it is
    about is a line, where the model does not know; ``escalates`` that what is urgent of it goes to who follows
    escalations of that priority too.
    """

    type: str
    id: str
    wrapper: str
    priority: Priority
    topics: tuple[str, ...]
    fields: tuple[Field, ...]
    aliases: tuple[str, ...] = ()
    is_line: bool = False
    is_for_everybody: bool = False
    escalates: bool = False


_LINE_WORDS = MappingProxyType(
    {
        "active": "running", "executing": "running", "execute": "running", "running": "running",
        "producing": "running", "ready": "idle", "idle": "idle", "blocked": "idle", "starved": "idle",
        "standby": "idle", "not_executing": "stopped", "stopped": "stopped", "interrupted": "stopped",
        "down": "stopped", "held": "stopped", "feed_hold": "stopped", "fault": "fault", "aborted": "fault",
        "emergency_stop": "fault", "maintenance": "maintenance", "setup": "setup",
    }
)  # fmt: skip
"""The client's word for the state of a line or a machine; another is passed on in lower case as it is."""

_STATUS = word_of(_LINE_WORDS)

_PRODUCTION = (
    *fields("current_job=job", "what was counted belongs to no job"),
    *fields("units_produced=made.produced=made.good=produced=good", "what was counted belongs to no job", number),
    *fields("target_units=quantity", "the job has no quantity", number),
    *fields("progress", "it needs the quantity of a job, and good pieces of it", number),
    *fields("efficiency", "it is a figure of time, which oee_update tells", number),
    *fields("speed throughput", "no source tells it", number),
    *fields("status", "a count does not tell the state of the line", _STATUS),
)
_LINE_STATUS = (
    *fields("status=state.word=state=bucket=to", _NOT_TOLD, _STATUS),
    *fields("old_status=previous.state=previous=from", "it is the first state that is known", _STATUS),
    *fields("new_status=state.word=state=bucket=to=status", _NOT_TOLD, _STATUS),
    *fields("speed", "no source tells the speed of the line", number),
)
_JOB = (
    *fields("id=id=job=job_id=job.id", _NOT_TOLD),
    *fields("job_id=id=job=job.id", _NOT_TOLD),
    *fields("user_id=assigned_to=assignedTo", "the job is assigned to nobody"),
    *fields("schedule_id=schedule", "job orders here belong to no schedule"),
    *fields("status=status=job.status=state", _NOT_TOLD),
    *fields("progress=progress_percent=job.progress", "it needs a quantity, and counts", number),
    *fields("assigned_at=stored_at=storedAt accepted_at started_at completed_at=ended_at=endedAt", _NOT_YET, moment),
)
_OEE = (
    *fields("oee=oee=kpis.oee=index", "a denominator is zero, or an input is not known", number),
    *fields("availability=kpis.availability", "no planned busy time", number),
    *fields("performance=effectiveness=kpis.effectiveness", "no production time, or no ideal cycle time", number),
    *fields("quality=qualityRatio=quality_ratio=kpis.qualityRatio", "nothing was counted", number),
    *fields("coverage", "nothing is known of the time before", number),
    *fields("calculation_time=until=to=at=end", _NOT_TOLD, moment),
    *fields("planned_production_time=pbt=elements.pbt=plannedBusyTime", _NOT_TOLD, number),
    *fields("actual_production_time=apt=elements.apt=actualProductionTime", _NOT_TOLD, number),
    *fields("ideal_cycle_time=pri=idealCycleTime", "no ideal cycle time is configured", number),
    *fields("actual_cycle_time", "nothing was counted", number),
    *fields("good_parts=gq=elements.gq=counts.good", "nothing was counted", number),
    *fields("total_parts=pq=elements.pq=counts.total", "nothing was counted", number),
)
_ANDON = (
    *fields("id=id=call=call.id", _NOT_TOLD),
    *fields("event_type=word=event_type=type", _NOT_TOLD),
    *fields("priority", _NOT_TOLD),
    *fields("description=text=description", "the caller gave none"),
    *fields("status screen_status", _NOT_TOLD),
    *fields("reported_by=raised_by=by", _NOT_TOLD),
    *fields("reported_at=raised_at=at", _NOT_TOLD, moment),
    *fields("acknowledged_by resolved_by", _NOT_YET),
    *fields("acknowledged_at arrived_at resolved_at", _NOT_YET, moment),
    *fields("resolution_notes", "nobody has written any"),
    *fields("escalation_level=level", _NOT_TOLD, number),
    *fields("assigned_to", "it is assigned to nobody"),
)
_ESCALATION = (
    *fields("id=call", _NOT_TOLD),
    *fields("escalation_id=call", _NOT_TOLD),
    *fields("event_id=call", _NOT_TOLD),
    *fields("escalation_level=level", _NOT_TOLD, number),
    *fields("level", _NOT_TOLD, number),
    *fields("status=state", _NOT_TOLD, word_of({"unacknowledged": "active", "exhausted": "active"})),
    *fields("priority=call_priority=priority", _NOT_TOLD),
    *fields("assigned_to=assigned_to=target=targets", "the step names nobody"),
)
# An event that says that a call has reached a level says so, whatever state the call is in.
_TRIGGERED = (
    *fields("status=level", _NOT_TOLD, lambda _: "escalated"),
    *(field for field in _ESCALATION if field.name != "status"),
)
_EQUIPMENT = (
    *fields("status=status=state.word=state", _NOT_TOLD, _STATUS),
    *fields("temperature pressure vibration", "a source tells it as a reading, not with the state", number),
    *fields("maintenance_due", "no source tells it"),
    *fields("equipment_type=type", "neither the event nor the site's model tells it"),
)
_FAULT = (
    *fields("fault_code=code=key", _NOT_TOLD),
    # By the alarm list: low, medium, high or critical. The number of OPC UA's severity says the same in other words.
    *fields("severity=priority=severity", _NOT_TOLD),
    *fields("description=text=message", "the source gave no text"),
    *fields("occurred_at=occurred_at=since=raised_at", _NOT_TOLD, moment),
    *fields("level", _NOT_TOLD),
    *fields("equipment_type=type", "neither the event nor the site's model tells it"),
)
_QUALITY_ALERT = (
    *fields("parameter=characteristic=parameter=name=key", _NOT_TOLD, without(CHART_ALARM)),
    *fields("value", "the rule looks at several values, the chart has them", number),
    *fields("threshold=limit", "the rule is no limit", number),
    *fields("severity=priority=severity", _NOT_TOLD),
    *fields("inspection_id=check=inspection", "it was no inspection that found it"),
    *fields("defect_count=defects", "no defects were counted", number),
    *fields("message=title=text=rule", _NOT_TOLD),
)
_QUALITY_CHECK = (
    *fields("id=id=check", _NOT_TOLD),
    *fields("inspection_id=id=check", _NOT_TOLD),
    *fields("result=result=verdict=status", _NOT_TOLD),
    *fields("defect_count=defects", "no defects were counted", counted("count")),
    *fields("sample_size=inspected", "nothing was inspected, something was measured", number),
    *fields("checked_by=by", _NOT_TOLD),
)
_DOWNTIME = (
    *fields("id=id=stop=downtime=stop.id", _NOT_TOLD),
    *fields("start_time=begin=began=start=started_at=from=since", _NOT_TOLD, moment),
    *fields("end_time=end=ended=ended_at=until=to", "it has not ended", moment),
    *fields("duration_seconds=duration=lasted=seconds", "it has not ended", number),
    *fields("reason_code=reason.code=code=reason", "nobody has assigned a reason"),
    *fields("reason_description=reason.description=reason.text=reasonText", "nobody has assigned a reason"),
    *fields("category=reason.category=category", "nobody has assigned a reason"),
    *fields("subcategory=reason.subcategory=reason.detail=level2", "the reason has no second level"),
    *fields("downtime_type=kind", "nobody has assigned a reason"),
    *fields("reported_by=by", "it was found by the time ledger"),
    *fields("confirmed_by=assigned_by=assignedBy", "nobody has confirmed it"),
    *fields("confirmed_at=assigned_at=assignedAt", "nobody has confirmed it", moment),
    *fields("notes=comment", "nobody has written any"),
)
_CHANGEOVER = (
    *fields("id=id=changeover", _NOT_TOLD),
    *fields("status=state=phase", _NOT_TOLD),
    *fields("estimated_duration_minutes=target", "no target is configured for it", minutes),
    *fields("from_product=from to_product=to", _NOT_TOLD),
)
_SYSTEM = (
    *fields("alert_type=kind=word", _NOT_TOLD),
    *fields("severity=level", "the event's priority says it"),
    *fields("message=text=reason=fault=detail", "the event's type says it"),
)
_METRICS = (
    *fields("name=key=name", _NOT_TOLD),
    *fields("value", "the source says that it is not available"),
    *fields("unit=units", "the source tells none"),
)

_ESCALATIONS = ("escalation", "line")
_JOB_TOPICS = ("job", "line")
_JOB_ALIASES = ("job_assignment_updated", "production_schedule_updated")
_LIVE = ("dashboard_data_updated", "real_time_metrics_updated")

PRODUCTION_UPDATE = Kind(
    "production_update", "line_id", "production_data", _HIGH, ("production", "line"), _PRODUCTION,
    ("production_line_updated", "production_metrics_updated", *_LIVE),
)  # fmt: skip
LINE_STATUS_UPDATE = Kind(
    "line_status_update", "line_id", "status_data", _HIGH, ("line",), _LINE_STATUS,
    ("production_line_updated", "factory_status"), is_line=True,
)  # fmt: skip
JOB_ASSIGNED = Kind("job_assigned", "job_id", "job", _NORMAL, _JOB_TOPICS, _JOB, ("job_update", *_JOB_ALIASES))
JOB_STARTED = Kind("job_started", "job_id", "job", _NORMAL, _JOB_TOPICS, _JOB, ("job_update", *_JOB_ALIASES))
JOB_COMPLETED = Kind("job_completed", "job_id", "job", _NORMAL, _JOB_TOPICS, _JOB, ("job_update", *_JOB_ALIASES))
JOB_CANCELLED = Kind("job_cancelled", "job_id", "job", _NORMAL, _JOB_TOPICS, _JOB, ("job_update", *_JOB_ALIASES))
JOB_UPDATE = Kind("job_update", "job_id", "job", _NORMAL, _JOB_TOPICS, _JOB, _JOB_ALIASES)
OEE_UPDATE = Kind("oee_update", "line_id", "oee_data", _HIGH, ("oee", "line"), _OEE, ("oee_data_updated", *_LIVE))
OEE_COMPLETED = Kind(
    "oee_calculation_completed", "line_id", "calculation_result", _NORMAL, ("oee", "line"), _OEE, ("oee_data_updated",)
)
ANDON_EVENT = Kind(
    "andon_event", "line_id", "andon_event", _CRITICAL, ("andon", "line", "equipment"), _ANDON,
    ("andon_alert", "andon_update"), escalates=True,
)  # fmt: skip
ESCALATION_TRIGGERED = Kind(
    "andon_escalation_triggered", "escalation_id", "escalation", _CRITICAL, _ESCALATIONS, _TRIGGERED
)
ESCALATION_EVENT = Kind("escalation_event", "escalation_id", "escalation", _HIGH, _ESCALATIONS, _ESCALATION)
ESCALATION_UPDATE = Kind("escalation_update", "escalation_id", "escalation", _CRITICAL, _ESCALATIONS, _ESCALATION)
ESCALATION_STATUS = Kind("escalation_status_update", "escalation_id", "escalation", _HIGH, _ESCALATIONS, _ESCALATION)
ESCALATION_REMINDER = Kind("escalation_reminder", "escalation_id", "reminder", _HIGH, _ESCALATIONS, _ESCALATION)
EQUIPMENT_STATUS = Kind(
    "equipment_status_update", "equipment_code", "status_data", _NORMAL, ("equipment",), _EQUIPMENT,
    ("equipment_status_updated", "equipment_status_change", "equipment_update", *_LIVE),
)  # fmt: skip
FAULT_OCCURRED = Kind(
    "equipment_fault_occurred",
    "equipment_code",
    "fault",
    _NORMAL,
    ("equipment", "line"),
    _FAULT,
    ("plc_fault",),
    escalates=True,
)
FAULT_RESOLVED = Kind(
    "equipment_fault_resolved", "equipment_code", "fault", _NORMAL, ("equipment", "line"), _FAULT, (), escalates=True
)
QUALITY_ALERT = Kind(
    "quality_alert", "line_id", "quality_alert", _NORMAL, ("quality", "line"), _QUALITY_ALERT,
    ("quality_alert_triggered", "quality_issue", "quality_update"), escalates=True,
)  # fmt: skip
QUALITY_CHECK = Kind(
    "quality_check_completed", "line_id", "quality_check", _NORMAL, ("quality", "line"), _QUALITY_CHECK,
    ("quality_inspection_completed", "quality_update"),
)  # fmt: skip
DOWNTIME_EVENT = Kind("downtime_event", "line_id", "downtime", _HIGH, ("downtime", "line", "equipment"), _DOWNTIME)
DOWNTIME_STATISTICS = Kind(
    "downtime_statistics_update", "line_id", "statistics", _NORMAL, ("downtime",),
    fields("total_events total_downtime_seconds total_downtime_minutes avg_duration_seconds", _NOT_TOLD, number),
)  # fmt: skip
CHANGEOVER_STARTED = Kind(
    "changeover_started", "line_id", "changeover", _NORMAL, ("changeover", "line"), _CHANGEOVER,
    ("changeover_event", "changeover_update"),
)  # fmt: skip
CHANGEOVER_COMPLETED = Kind(
    "changeover_completed", "line_id", "changeover", _NORMAL, ("changeover", "line"), _CHANGEOVER,
    ("changeover_event", "changeover_update"),
)  # fmt: skip
SYSTEM_ALERT = Kind("system_alert", "line_id", "alert", _CRITICAL, (), _SYSTEM, (), is_for_everybody=True)
PLC_METRICS = Kind("plc_metrics_update", "equipment_code", "metrics", _LOW, ("equipment",), _METRICS)
PLC_CONNECTION = Kind("plc_connection_status", "equipment_code", "status_data", _HIGH, ("equipment",), _SYSTEM, ())


class Telling(msgspec.Struct, frozen=True):
    """A kind that an event is told as, with the names that only this event has beside those of the kind.

    ``given`` and ``unless`` are what must, and must not, hold of the event's data for that: each word is a member that
    it has, or ``member=value``; a value that ends in ``*`` is the beginning of one.
    """

    kind: Kind
    also: tuple[str, ...] = ()
    given: str = ""
    unless: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name of it, its type first."""
        return (self.kind.type, *self.kind.aliases, *self.also)


_OF_CHART = f"key={CHART_ALARM}*"
_OCCURRED = Telling(FAULT_OCCURRED, given="state=unacknowledged", unless=_OF_CHART)
_RESOLVED = Telling(FAULT_RESOLVED, unless=_OF_CHART)
_ALERTED = Telling(QUALITY_ALERT, given=f"state=unacknowledged {_OF_CHART}")
# What was hidden from the operator comes into sight again, or is over by now.
_UNHIDDEN = (_OCCURRED, Telling(FAULT_RESOLVED, given="state=normal", unless=_OF_CHART), _ALERTED)
_SYSTEM_TOLD = (Telling(SYSTEM_ALERT),)

TOLD: Mapping[str, tuple[Telling, ...]] = MappingProxyType(
    {
        "andon.call": (Telling(ANDON_EVENT, ("andon_event_updated",)),),
        "andon.call.raised": (Telling(ANDON_EVENT, ("andon_event_created",)),),
        "andon.call.resolved": (Telling(ANDON_EVENT, ("andon_event_resolved", "andon_resolved")),),
        "andon.call.escalated": (Telling(ANDON_EVENT, ("andon_event_updated",)), Telling(ESCALATION_TRIGGERED)),
        "escalation": (Telling(ESCALATION_EVENT),),
        "escalation.advanced": (
            Telling(ESCALATION_REMINDER, given="step.repeat"),
            Telling(ESCALATION_UPDATE, unless="step.repeat"),
        ),
        "escalation.stopped": (Telling(ESCALATION_STATUS),),
        "escalation.ended": (Telling(ESCALATION_STATUS),),
        "line.status": (Telling(LINE_STATUS_UPDATE),),
        "equipment.state": (Telling(EQUIPMENT_STATUS),),
        "equipment.reading": (Telling(PLC_METRICS),),
        # As the alarms' desk decides: what a source says of a condition is told by what follows from it.
        "alarm.state.unacknowledged": (
            Telling(FAULT_OCCURRED, unless=_OF_CHART),
            Telling(QUALITY_ALERT, given=_OF_CHART),
        ),
        "alarm.state.returned": (_RESOLVED,),
        "alarm.state.normal": (_RESOLVED,),
        "alarm.state.reset": (_RESOLVED,),
        "alarm.state.unshelved": _UNHIDDEN,
        "alarm.state.unsuppressed": _UNHIDDEN,
        "alarm.state.restored": _UNHIDDEN,
        "alarm.flood": _SYSTEM_TOLD,
        "oee.updated": (Telling(OEE_UPDATE),),
        "oee.calculated": (Telling(OEE_COMPLETED),),
        "downtime": (Telling(DOWNTIME_EVENT),),
        "downtime.ended": (Telling(DOWNTIME_EVENT, ("downtime_resolved",)),),
        "downtime.statistics": (Telling(DOWNTIME_STATISTICS),),
        "production.updated": (Telling(PRODUCTION_UPDATE),),
        "quality.checked": (Telling(QUALITY_CHECK),),
        "quality.defect.found": (Telling(QUALITY_CHECK, ("quality_defect_reported",)),),
        # What breaks a rule of our own charts has a window of samples, and is an alarm: that tells it.
        "quality.violated": (Telling(QUALITY_ALERT, unless="window"),),
        "changeover.started": (Telling(CHANGEOVER_STARTED),),
        "changeover.ended": (Telling(CHANGEOVER_COMPLETED),),
        "changeover.cancelled": (Telling(CHANGEOVER_COMPLETED),),
        "job": (Telling(JOB_UPDATE),),
        "job.created": (Telling(JOB_ASSIGNED),),
        "job.started": (Telling(JOB_STARTED),),
        "job.completed": (Telling(JOB_COMPLETED),),
        "job.cancelled": (Telling(JOB_CANCELLED),),
        "source": (*_SYSTEM_TOLD, Telling(PLC_CONNECTION)),
        "journal": _SYSTEM_TOLD,
        "hook": _SYSTEM_TOLD,
    }
)
"""What each of our events is told as: by its type, or by the nearest type above it that stands here."""

# These say something about what the types above them tell, and are not that.
_UNTOLD = frozenset(
    {"equipment.reading.late", "equipment.state.illegal", "equipment.state.quarantined", "escalation.step.sent"}
)


def tellings(type_: str, data: JsonValue = None) -> tuple[Telling, ...]:
    """What an event of ``type_`` is told as; nothing if the floor's clients have no word for it."""
    if type_ in _UNTOLD:
        return ()
    members: JsonObject = data if isinstance(data, Mapping) else {}
    while type_:
        if type_ in TOLD:
            return tuple(each for each in TOLD[type_] if _holds(each, members))
        type_ = type_.rpartition(".")[0]
    return ()


def _holds(telling: Telling, members: JsonObject) -> bool:
    return all(_is(members, each) for each in telling.given.split()) and not any(
        _is(members, each) for each in telling.unless.split()
    )


def _is(members: JsonObject, wanted: str) -> bool:
    name, _, value = wanted.partition("=")
    has = found(members, name)
    if not value or not isinstance(has, str):
        return has is not None and not value
    return has.startswith(value[:-1]) if value.endswith("*") else has == value


NOT_OURS = frozenset({"oee.calculated", "downtime.statistics"})
"""Types that nothing in the gateway publishes; a hook, or whoever posts events, can."""

KINDS: Mapping[str, Kind] = MappingProxyType({each.kind.type: each.kind for told in TOLD.values() for each in told})
"""Every kind that an event is told as, by its type."""

ALIASES: frozenset[str] = frozenset(name for told in TOLD.values() for each in told for name in each.names[1:])
"""Every other name."""
