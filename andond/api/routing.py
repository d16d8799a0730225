"""Every HTTP path in one table."""

from __future__ import annotations

from collections.abc import Callable

from actors import AuditTrail
from actors.places import PORTAL_DESK, RECORDER, SERIES, SOURCES, Address
from actors.runtime import Environment
from andond.api import (
    asyncapi,
    audit,
    events,
    floor,
    floor_doors,
    floor_login,
    health,
    health_words,
    openapi,
    page,
    portal,
    portal_analytics,
    portal_login,
    portal_record,
    sign_in,
)
from andond.api.health import Health
from andond.api.portal_data import DeskData
from andond.api.sign_in import PageAccess, nobody
from domain.plant.site import Site
from transport import RouteGuard, Routes, let_in_everybody
from transport.dialects.floor import Roster


def build_routes(
    environment: Environment,
    condition: Health,
    roster: Roster | None = None,
    site: Callable[[], Site] = Site,
    guard: RouteGuard = let_in_everybody,
    signing_in: PageAccess | None = None,
) -> Routes:
    """All resources, in one table; ``roster`` knows who is at the floor's doors, ``site`` is the one in force.

    ``guard`` decides who may ask, ``signing_in`` is what the page's sign-in leans on.
    """
    routes = Routes(guard)
    health.register(routes, condition)
    health_words.register(routes, condition)
    trail = AuditTrail(environment)
    events.register(routes, Address(environment, SOURCES), Address(environment, RECORDER), trail)
    data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
    portal.register(routes, data)
    portal_analytics.register(routes, data)
    portal_record.register(routes, Address(environment, SOURCES), Address(environment, RECORDER), trail)
    portal_login.register(routes, environment)
    floor_login.register(routes, environment, None if signing_in is None else signing_in.identities)
    audit.register(routes, environment)
    asyncapi.register(routes)
    openapi.register(routes)
    floor.register(routes, environment, site)
    floor_doors.register(routes, Roster() if roster is None else roster)
    page.register(routes)
    sign_in.register(routes, nobody() if signing_in is None else signing_in, environment)
    return routes
