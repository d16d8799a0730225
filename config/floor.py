"""What the floor's rules are told: one table for each of them, ``[floor.NAME]``.

Rules of this file: each table is a struct in a file of its own, and has a row here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from config.alarms import AlarmSettings
from config.calls import CallRuleSettings, CallSettings
from config.doors import DoorSettings
from config.escalation import EscalationSettings
from config.meta import means
from config.production import DowntimeSettings, OeeSettings
from config.products import ChangeoverSettings, CounterSettings, JobSettings, ProductSettings, QualitySettings
from config.rules import rule_list


class FloorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How calls, alarms, escalation, OEE and jobs are dealt with; the place and its shifts are in `[site]`."""

    calls: Annotated[CallSettings, means("Andon calls", reload=True)] = CallSettings()
    rules: Annotated[tuple[CallRuleSettings, ...], means("Events that raise a call", reload=True, rule=rule_list)] = ()
    alarms: Annotated[AlarmSettings, means("The alarm list, classes, suppression and positions", reload=True)] = (
        AlarmSettings()
    )
    escalation: Annotated[EscalationSettings, means("Who is told of a call when nobody answers", reload=True)] = (
        EscalationSettings()
    )
    doors: Annotated[DoorSettings, means("The WebSocket doors of the floor's dashboards", reload=True)] = DoorSettings()
    products: Annotated[Mapping[str, ProductSettings], means("What is made", reload=True)] = msgspec.field(
        default_factory=dict
    )
    counters: Annotated[Mapping[str, CounterSettings], means("The counters of machines", reload=True)] = msgspec.field(
        default_factory=dict
    )
    jobs: Annotated[JobSettings, means("Jobs and what is made for them", reload=True)] = JobSettings()
    changeovers: Annotated[ChangeoverSettings, means("Changeovers and their targets", reload=True)] = (
        ChangeoverSettings()
    )
    quality: Annotated[QualitySettings, means("Checks, defects and control charts")] = QualitySettings()
    oee: Annotated[OeeSettings, means("The time ledger and its figures", reload=True)] = OeeSettings()
    downtime: Annotated[DowntimeSettings, means("Stops and their reasons", reload=True)] = DowntimeSettings()
