"""A call as the floor dashboard's clients know it: their names, flat.

Rules of this file: their names and words only; what they have no word for is beside it under ours. ``line`` and
``code`` are the codes of the line and the equipment, which the equipment model knows.
"""

from __future__ import annotations

from domain.json import JsonValue
from domain.moment import rfc3339
from domain.plant.calls.call import Call, Step
from domain.plant.calls.states import Trigger, screen_status, service_status


def dashboard_members(call: Call, line: str | None, code: str) -> dict[str, JsonValue]:
    """The members of its ``andon_event``; ``status`` is the service's word, ``screen_status`` that of its screens."""
    acknowledged, resolved = call.acknowledged, call.first(Trigger.RESOLVE)
    return {
        "id": call.id,
        "line_id": line,
        "equipment_code": code,
        "modelled": call.is_modelled,
        "event_type": call.word,
        "priority": call.priority,
        "description": call.text,
        "status": service_status(call.state).value,
        "screen_status": screen_status(call.state).value,
        "reported_by": call.raised.said.by,
        "reported_at": rfc3339(call.raised.moment),
        "acknowledged_by": _by(acknowledged),
        "acknowledged_at": _at(acknowledged),
        "resolved_by": _by(resolved),
        "resolved_at": _at(resolved),
        "resolution_notes": None if resolved is None else resolved.said.comment,
        "escalation_level": call.level,
        "assigned_to": call.assigned_to,
        "created_at": rfc3339(call.raised.said.received),
        "updated_at": rfc3339(call.last.said.received),
        "state": call.state.value,
    }


def _by(step: Step | None) -> str | None:
    return None if step is None else step.said.by


def _at(step: Step | None) -> str | None:
    return None if step is None else rfc3339(step.moment)
