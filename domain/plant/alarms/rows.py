"""How an alarm, and a flood that goes on, are kept over a restart.

Rules of this file: a row says everything, so that nothing has to be remembered beside. One that cannot be read is
``None``: its source will say it again, and then it is not shelved (OPC 10000-9, 5.8.17).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.decision import Row
from domain.json import JsonObject, JsonValue
from domain.plant.alarms.alarm import Alarm
from domain.plant.alarms.rates import Flood

ALARM = "alarm"
FLOOD = "alarm.flood"
KINDS = (ALARM, FLOOD)


def row_of(alarm: Alarm) -> Row:
    """``alarm`` as a row."""
    return Row(ALARM, alarm.id, _object(msgspec.to_builtins(alarm)))


def alarm_of(value: JsonObject) -> Alarm | None:
    """The alarm that was kept as ``value``."""
    try:
        return msgspec.convert(value, Alarm)
    except msgspec.ValidationError:
        return None


def flood_row(position: str, flood: Flood | None) -> Row:
    """The flood at ``position``, or that there is none, as a row."""
    return Row(FLOOD, position, None if flood is None else _object(msgspec.to_builtins(flood)))


def flood_of(value: JsonObject) -> Flood | None:
    """The flood that was kept as ``value``."""
    try:
        return msgspec.convert(value, Flood)
    except msgspec.ValidationError:
        return None


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, Mapping) else {}
