"""The Andon call that an alarm raises by its class.

Rules of this file: the call carries what is on record of its alarm, and the alarm's id, so that both are one incident.
The key is the occurrence's: however often it is asked for, it is one call.
"""

from __future__ import annotations

from actors.acts import Act
from domain import JsonValue
from domain.access import OPEN_RIGHTS
from domain.audit import Whence
from domain.plant.alarms import Alarm, Terms

BY = "alarms"
WHENCE = Whence(door="alarms")


def call_for(alarm: Alarm, terms: Terms, at: float) -> Act:
    """What asks for the call of the present occurrence of ``alarm``, ``at`` (Unix seconds)."""
    rationale = terms.rationale
    entry = rationale.entry
    text = (entry.text if entry else "") or alarm.text or alarm.name
    arguments: dict[str, JsonValue] = {
        "equipment": alarm.equipment,
        "type": terms.of_class.call,
        "priority": rationale.priority.value,
        "text": text,
        "comment": entry.action if entry and entry.action else None,
        "alarm": alarm.id,
    }
    key = f"alarm-{alarm.id}-{alarm.born:x}-{alarm.occurrences}"
    return Act("andon.raise", key, BY, alarm.occurred_at or at, arguments, rights=OPEN_RIGHTS, whence=WHENCE)
