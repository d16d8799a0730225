"""From the settings of alarms to the rulebook of the domain.

Rules of this file: the settings are valid; nothing is decided here. Who is at work is the site's to know.
"""

from __future__ import annotations

from collections.abc import Callable

from config import AlarmClassSettings, AlarmEntrySettings, AlarmSettings
from domain.plant.alarms import AlarmClass, AlarmList, AlarmPriority, Entry, Rulebook, Suppression
from domain.plant.site import Site


def rulebook_of(settings: AlarmSettings) -> Rulebook:
    """What ``settings`` say of the plant's alarms."""
    return Rulebook(
        entries=AlarmList(map(_entry, settings.list)),
        classes=map(_class, settings.classes),
        suppressions=[
            Suppression(each.name, each.equipment, frozenset(each.states), each.key, each.code)
            for each in settings.suppressions
        ],
        positions=settings.positions,
    )


def at_work(site: Callable[[], Site]) -> Callable[[str, float], str]:
    """Which shift is at work at a place at a moment (Unix seconds), by the ``site`` in force; empty if none is."""

    def shift_of(equipment: str, at: float) -> str:
        shift = site().calendar_of(equipment).shift_at(at)
        return "" if shift is None else shift.name

    return shift_of


def _entry(settings: AlarmEntrySettings) -> Entry:
    return Entry(
        key=settings.key,
        code=settings.code,
        equipment=settings.equipment,
        priority=None if settings.priority is None else AlarmPriority(settings.priority),
        class_name=settings.alarm_class,
        text=settings.text,
        cause=settings.cause,
        consequence=settings.consequence,
        action=settings.action,
        time_to_respond=settings.time_to_respond,
    )


def _class(settings: AlarmClassSettings) -> AlarmClass:
    return AlarmClass(
        name=settings.name,
        on_delay=settings.on_delay,
        off_delay=settings.off_delay,
        is_annunciated=settings.annunciated,
        is_auto_acknowledged=settings.auto_acknowledge,
        acknowledge_on_return=settings.acknowledge_on_return,
        is_latching=settings.latching,
        re_alarm_time=settings.re_alarm_time,
        max_time_shelved=settings.max_time_shelved,
        reauthorise_above=settings.reauthorise_above,
        is_audible=settings.audible,
        call=settings.call,
    )
