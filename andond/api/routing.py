"""Every HTTP path in one table."""

from __future__ import annotations

from collections.abc import Callable

from actors.places import PORTAL_DESK, RECORDER, SERIES, SOURCES, Address
from actors.runtime import Environment
from andond.api import (
    asyncapi,
    events,
    floor,
    floor_doors,
    health,
    health_words,
    openapi,
    page,
    portal,
    portal_analytics,
    portal_record,
)
from andond.api.health import Health
from andond.api.portal_data import DeskData
from domain.plant.site import Site
from transport import Routes
from transport.dialects.floor import Roster


def build_routes(
    environment: Environment, condition: Health, roster: Roster | None = None, site: Callable[[], Site] = Site
) -> Routes:
    """All resources, in one table; ``roster`` knows who is at the floor's doors, ``site`` is the one in force."""
    routes = Routes()
    health.register(routes, condition)
    health_words.register(routes, condition)
    events.register(routes, Address(environment, SOURCES), Address(environment, RECORDER))
    data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
    portal.register(routes, data)
    portal_analytics.register(routes, data)
    portal_record.register(routes, Address(environment, SOURCES), Address(environment, RECORDER))
    asyncapi.register(routes)
    openapi.register(routes)
    floor.register(routes, environment, site)
    floor_doors.register(routes, Roster() if roster is None else roster)
    page.register(routes)
    return routes
