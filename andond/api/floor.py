"""All of the floor's REST in the table of routes.

Rules of this file: one line a resource.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from actors.runtime import Environment
from andond.api import (
    floor_alarms,
    floor_andon_events,
    floor_call_reports,
    floor_calls,
    floor_changeovers,
    floor_counts,
    floor_dashboard,
    floor_dashboard_oee,
    floor_downtime,
    floor_elsewhere,
    floor_equipment,
    floor_jobs,
    floor_oee,
    floor_oee_summaries,
    floor_planning,
    floor_quality,
    floor_site,
    floor_statuses,
    floor_upkeep,
)
from andond.api.floor_desks import Floor, FloorRoutes
from domain.plant.site import Site
from transport import Routes

RESOURCES = (
    floor_site,
    floor_equipment,
    floor_calls,
    floor_alarms,
    floor_oee,
    floor_downtime,
    floor_jobs,
    floor_counts,
    floor_changeovers,
    floor_quality,
    floor_andon_events,
    floor_statuses,
    floor_dashboard,
    floor_dashboard_oee,
    floor_oee_summaries,
    floor_planning,
    floor_call_reports,
    floor_upkeep,
    floor_elsewhere,
)


def register(
    routes: Routes, environment: Environment, site: Callable[[], Site], clock: Callable[[], float] = time.time
) -> None:
    """Add the floor's resources to ``routes``; ``site`` is the one in force."""
    floor = Floor(environment, site, clock)
    table = FloorRoutes(routes)
    for resource in RESOURCES:
        resource.register(table, floor)
