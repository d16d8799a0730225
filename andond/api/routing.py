"""Every HTTP path in one table."""

from __future__ import annotations

from actors.places import PORTAL_DESK, RECORDER, SOURCES, Address
from actors.runtime import Environment
from andond.api import asyncapi, events, health, page, portal
from andond.api.health import Health
from andond.api.portal_data import DeskData
from transport import Routes


def build_routes(environment: Environment, condition: Health) -> Routes:
    """All resources, in one table."""
    routes = Routes()
    health.register(routes, condition)
    events.register(routes, Address(environment, SOURCES), Address(environment, RECORDER))
    portal.register(routes, DeskData(Address(environment, PORTAL_DESK)))
    asyncapi.register(routes)
    page.register(routes)
    return routes
