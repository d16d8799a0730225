from __future__ import annotations

from actors import Front
from actors.runtime import ActorDead, ActorSystem
from andond.api import build_routes
from andond.api.health import Condition, Health


def no_tree():
    raise ActorDead("no tree yet")


async def test_every_resource_has_its_paths_in_the_one_table():
    async with ActorSystem.open() as system:
        routes = build_routes(system.environment, Health(no_tree, Front(), Condition(0.0, dict)))
    table = {(route.method, route.pattern) for route in routes}
    assert len(table) == len(routes)
    assert {
        ("GET", "/"),
        ("GET", "/livez"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/statusz"),
        ("GET", "/metrics"),
        ("POST", "/api/v1/events"),
        ("GET", "/openapi.json"),
        ("POST", "/api/v1/andon/calls"),
        ("GET", "/api/v1/site"),
        ("GET", "/api/v11/websocket/stats"),
    } <= table
    roots = ("/api/", "/page/", "/ws/", "/q/", "/auth/")
    others = {pattern for _, pattern in table if not pattern.startswith(roots) and pattern.count("/") > 1}
    assert others == {"/health/detailed"}
