"""The settings of the portal's history and alerts: ``[portal.history]`` and ``[portal.alerts]``.

Rules of this file: the limits of alerts are the operator's, there is no right one; the defaults are those of the
runbook that the portal's people have. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from config.meta import means
from config.rules import positive

DAY = 86_400
YEAR = 366 * DAY


class HistorySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How long the chain's history is kept, in `storage.path`; minutes also tell the peak of the last 24 hours."""

    minutes: Annotated[
        float, means("How long each minute is kept", unit="seconds", within=(DAY, YEAR), reload=True)
    ] = 31.0 * DAY
    hours: Annotated[
        float, means("How long each hour is kept", unit="seconds", within=(DAY, 100 * YEAR), reload=True)
    ] = 400.0 * DAY
    days: Annotated[
        float, means("How long each day is kept", unit="seconds", within=(DAY, 100 * YEAR), reload=True)
    ] = 3_660.0 * DAY


class AlertSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When the portal's four alerts are raised; they reach the alarms' desk from `/andond/portal`.

    They watch a gateway that hears a chain, or is told to: one that is not has none of them.
    """

    enabled: Annotated[bool, means("Whether there are alerts at all", reload=True)] = True
    down_after: Annotated[
        float,
        means("How long the chain's service may be down", unit="seconds", within=(0, DAY), reload=True),
    ] = 30.0
    low_tps: Annotated[
        int | None,
        means(
            "Average throughput that is too low; none: `portal.target_tps`, and if that is none there is no such alert",
            unit="transactions/s",
            reload=True,
            rule=positive,
        ),
    ] = None
    low_tps_after: Annotated[
        float, means("How long throughput may be so low", unit="seconds", within=(0, DAY), reload=True)
    ] = 300.0
    stream_errors: Annotated[
        int, means("Errors of streams within a minute that may be", unit="errors", within=(0, 1_000_000), reload=True)
    ] = 10
    latency: Annotated[
        float,
        means(
            "What one answer or delivery in a hundred may take, over a minute",
            unit="seconds",
            within=(0.001, 3600),
            reload=True,
        ),
    ] = 0.1
    latency_after: Annotated[
        float, means("How long it may take longer", unit="seconds", within=(0, DAY), reload=True)
    ] = 60.0
    clear_after: Annotated[
        float, means("How long all must be well until an alert is over", unit="seconds", within=(0, DAY), reload=True)
    ] = 60.0


CHAIN_KINDS = frozenset({"cosmos", "ethereum"})
"""The kinds of sources that are nodes of a chain."""


def required_chains(sources: Mapping[str, msgspec.Struct]) -> frozenset[str]:
    """The names of those ``sources`` that are nodes of a chain and count for /readyz."""
    return frozenset(
        name
        for name, source in sources.items()
        if source.__struct_config__.tag in CHAIN_KINDS and getattr(source, "required", False)
    )
