"""The settings of time and stops, ``[floor.oee]`` and ``[floor.downtime]``: how they are counted, and what they mean.

Rules of this file: a site may replace any row of the mapping and any reason, and add others; what is not replaced holds
as it is built in (docs/reference). Limits are the site's policy: there is no right one.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from config.meta import means

_DAY = 86_400

Bucket = Literal["production", "setup", "delay", "down", "preventive", "corrective", "unknown"]
Model = Literal["mtconnect", "packml", "machinery", "plain"]
Category = Literal["planned", "unplanned", "changeover", "maintenance"]


class StateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What time in a state counts as: one row of the mapping."""

    model: Annotated[Model, means("Whose word it is", reload=True)]
    state: Annotated[str, means("The state, in the machine's own word", reload=True)]
    bucket: Annotated[Bucket, means("What its time counts as", reload=True)]
    mode: Annotated[str, means("With this mode only; empty: with any", reload=True)] = ""


class OeeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The time ledger and the figures after ISO 22400-2."""

    interval: Annotated[
        float, means("Time between two tellings of what changed", unit="seconds", within=(1, 3600), reload=True)
    ] = 5.0
    coverage: Annotated[
        float,
        means("Share of planned time seen below which a figure is a range", unit="ratio", within=(0, 1), reload=True),
    ] = 0.95
    ready: Annotated[
        Literal["down", "delay"],
        means("What a machine counts as that is ready and does not execute; the OPC annexes disagree", reload=True),
    ] = "down"
    failures_plus_one: Annotated[
        bool, means("Divide MTBF, MTTF and MTTR by one more than the failures", reload=True)
    ] = False
    keep: Annotated[
        float, means("How long the ledger is kept", unit="seconds", within=(2 * _DAY, 400 * _DAY), reload=True)
    ] = 35 * _DAY
    states: Annotated[tuple[StateSettings, ...], means("Rows of the mapping that are the site's own", reload=True)] = ()


class ReasonSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Why a machine stood still."""

    code: Annotated[str, means("What it is called", reload=True)]
    group: Annotated[str, means("The first level, such as mechanical", reload=True)]
    description: Annotated[str, means("What people read", reload=True)] = ""
    category: Annotated[Category, means("Planned or not", reload=True)] = "unplanned"
    failure: Annotated[bool, means("Counts as a failure, for MTBF", reload=True)] = False
    bucket: Annotated[
        Bucket | None, means("What its time counts as; none: as the machine's state says", reload=True)
    ] = None


class DowntimeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Stops, and why they are."""

    minor: Annotated[
        float,
        means(
            "A shorter stop is a minor one: it is lost performance and needs no reason",
            unit="seconds",
            within=(0, 3600),
            reload=True,
        ),
    ] = 120.0
    reasons: Annotated[tuple[ReasonSettings, ...], means("Reasons that are the site's own", reload=True)] = ()
