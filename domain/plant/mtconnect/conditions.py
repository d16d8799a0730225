"""Which alarms are active, out of what a machine's conditions say.

Rules of this file:

* An alarm is a condition's key with a code. It is raised by the first WARNING or FAULT since it was last cleared,
  changed by another level, cleared by NORMAL with its code, by NORMAL without a code (that clears all codes of the
  key), or by UNAVAILABLE, which clears them too: what cannot be seen is not claimed.
* A clearance without a code speaks for the alarms raised before it, not for one that carries a later stamp.
* Memory is bounded: past ``capacity`` active alarms a further one is counted in ``refused`` and not told.

Source of the rules: MTConnect standard part 3, "Condition": several WARNING and FAULT with their native codes are
active at a time; NORMAL without a native code returns the whole data item to normal.
"""

from __future__ import annotations

from enum import Enum

import msgspec
from msgspec.structs import replace

from domain.plant.mtconnect.observation import UNAVAILABLE, Observation
from domain.plant.mtconnect.repeats import Order

CAPACITY = 4096
NORMAL = "NORMAL"


class Change(Enum):
    """What happened to an alarm, in the words of the wire."""

    RAISED = "raised"
    CHANGED = "changed"
    CLEARED = "cleared"


class Alarm(msgspec.Struct, frozen=True):
    """An active alarm; ``since`` is the source's clock. ``order`` says what came before it."""

    key: str
    code: str
    level: str
    severity: str
    qualifier: str
    text: str
    since: float
    order: Order


class AlarmChange(msgspec.Struct, frozen=True):
    """One step in the life of an alarm. ``before`` is its level until now, None when it is raised."""

    change: Change
    alarm: Alarm
    before: str | None
    reason: str = ""


class Conditions:
    """The active alarms of one machine; give it its conditions, in order."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._active: dict[str, dict[str, Alarm]] = {}
        self._count = 0
        self.refused = 0

    def __len__(self) -> int:
        return self._count

    def active(self) -> list[Alarm]:
        """The active alarms, key by key, oldest first."""
        return [alarm for alarms in self._active.values() for alarm in alarms.values()]

    def take(self, observation: Observation, at: float, era: int = 0) -> list[AlarmChange]:
        """What changes by ``observation``, which holds from ``at`` in the ``era`` of the source's clock."""
        order = (era, at)
        if observation.value == UNAVAILABLE:
            return self._clear_key(observation.key, order, "unavailable")
        if observation.value != NORMAL:
            return self._raise(observation, order)
        if observation.code:
            return self._clear_code(observation.key, observation.code)
        return self._clear_key(observation.key, order, "normal")

    def _raise(self, observation: Observation, order: Order) -> list[AlarmChange]:
        alarms = self._active.setdefault(observation.key, {})
        known = alarms.get(observation.code)
        if known is None:
            return self._first(alarms, observation, order)
        alarm = replace(
            known,
            level=observation.value,
            severity=observation.severity,
            qualifier=observation.qualifier,
            text=observation.text,
            order=order,
        )
        alarms[observation.code] = alarm
        if known.level == alarm.level:
            return []
        return [AlarmChange(Change.CHANGED, alarm, known.level)]

    def _first(self, alarms: dict[str, Alarm], observation: Observation, order: Order) -> list[AlarmChange]:
        if self._count >= self._capacity:
            self.refused += 1
            return []
        alarm = Alarm(
            key=observation.key,
            code=observation.code,
            level=observation.value,
            severity=observation.severity,
            qualifier=observation.qualifier,
            text=observation.text,
            since=order[1],
            order=order,
        )
        alarms[observation.code] = alarm
        self._count += 1
        return [AlarmChange(Change.RAISED, alarm, None)]

    def _clear_code(self, key: str, code: str) -> list[AlarmChange]:
        alarm = self._active.get(key, {}).pop(code, None)
        if alarm is None:
            return []
        self._count -= 1
        return [AlarmChange(Change.CLEARED, alarm, alarm.level, "normal")]

    def _clear_key(self, key: str, order: Order, reason: str) -> list[AlarmChange]:
        alarms = self._active.get(key, {})
        over = [alarm for alarm in alarms.values() if alarm.order <= order]
        for alarm in over:
            del alarms[alarm.code]
        self._count -= len(over)
        return [AlarmChange(Change.CLEARED, alarm, alarm.level, reason) for alarm in over]
