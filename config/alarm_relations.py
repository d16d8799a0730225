"""What the settings of alarms owe each other.

Rules of this file: as in ``relations``.
"""

from __future__ import annotations

from collections.abc import Iterator

from config.alarms import DEFAULT_CLASS
from config.relation import Broken
from config.settings import Settings


def _known_classes(settings: Settings) -> Iterator[Broken]:
    alarms = settings.floor.alarms
    known = {DEFAULT_CLASS, *(each.name for each in alarms.classes)}
    for number, entry in enumerate(alarms.list, 1):
        if entry.alarm_class not in known:
            key = f"floor.alarms.list[{number}].alarm_class"
            yield Broken((key,), f"a class that [[floor.alarms.classes]] has: {', '.join(sorted(known))}")


def _shelving_limits(settings: Settings) -> Iterator[Broken]:
    for number, each in enumerate(settings.floor.alarms.classes, 1):
        if each.reauthorise_above > each.max_time_shelved:
            key = f"floor.alarms.classes[{number}]"
            keys = (f"{key}.reauthorise_above", f"{key}.max_time_shelved")
            yield Broken(keys, f"at most max_time_shelved, which is {each.max_time_shelved} (seconds)")


ALARM_RELATIONS = (_known_classes, _shelving_limits)
