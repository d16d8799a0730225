"""What a path needs: every route has a need, and nobody is answered without it."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from andond.api.needs import KNOWN, NEEDS, PUBLIC, Need, need_of
from andond.api.routing import build_routes
from domain.access import NO_RIGHTS, OPEN_RIGHTS, AccessPolicy, Identity, Proof, Tenant

ROUTES = list(build_routes(MagicMock(), MagicMock()))


def rights_of(*roles):
    return AccessPolicy().rights(Identity("u1", "lee", frozenset(roles), Proof.TOKEN))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.pattern}")
def test_every_route_has_a_need(route):
    assert need_of(route.method, route.pattern) is not None


def test_every_need_is_of_a_route():
    used = [need_of(route.method, route.pattern) for route in ROUTES]
    assert [key for key, need in NEEDS.items() if not any(need is each for each in used)] == []


def test_what_is_public_is_listed_here_and_nothing_of_a_plant_or_chain_is():
    found = sorted(
        {f"{route.method} {route.pattern}" for route in ROUTES if need_of(route.method, route.pattern) is PUBLIC}
    )
    logins = ("GET /auth/", "POST /auth/", "GET /api/v1/auth/", "POST /api/v1/auth/", "GET /api/v1", "POST /api/v1")
    others = [each for each in found if not each.startswith(("GET /page/", *logins)) and "/login/" not in each]
    assert others == ["GET /", "GET /health", "GET /healthz", "GET /livez", "GET /readyz"]
    assert [each for each in found if each.startswith(logins) and "/auth/" not in each and "/login/" not in each] == []


@pytest.mark.parametrize(
    ("method", "pattern", "need"),
    [
        ("GET", "/api/v1/andon/calls/{id}", Need(("andon",))),
        ("GET", "/api/v1/andon/escalations", Need(("escalations",))),
        ("GET", "/api/v1/oee/lines/{name}", Need(("oee",))),
        ("POST", "/api/v1/andon/calls/{id}/acknowledge", KNOWN),
        ("GET", "/statusz", Need(action="status.read", has_parts=True)),
        ("GET", "/", PUBLIC),
        ("GET", "/pages", None),
        ("PATCH", "/api/v1/andon/calls", None),
        ("GET", "/statuszz", None),
    ],
)
def test_the_longest_beginning_says_what_is_needed(method, pattern, need):
    assert need_of(method, pattern) == need


@pytest.mark.parametrize(
    ("need", "roles", "is_allowed"),
    [
        (Need(("andon",)), ("viewer",), True),
        (Need(("andon",)), ("user",), False),
        (Need(("chain", "portal")), ("user",), True),
        (Need(action="metrics.read"), ("operator",), False),
        (Need(action="metrics.read"), ("monitor",), True),
        (KNOWN, ("viewer",), True),
        (KNOWN, ("nonsense",), True),
        (Need(("andon",)), ("nonsense",), False),
    ],
)
def test_a_need_is_judged_by_roles(need, roles, is_allowed):
    verdict = need.judge(rights_of(*roles))
    assert verdict.is_allowed is is_allowed
    assert verdict.why


@pytest.mark.parametrize("need", [PUBLIC, KNOWN, Need(("andon",)), Need(action="status.read")])
def test_nobody_gets_what_is_public_and_who_is_open_gets_everything(need):
    assert need.judge(NO_RIGHTS).is_allowed is need.is_public
    assert need.judge(OPEN_RIGHTS).is_allowed


@pytest.mark.parametrize(("tenant", "words"), [("", "names none"), ("stray", "names tenant stray, which is not known")])
@pytest.mark.parametrize("need", sorted({need for need in NEEDS.values() if not need.is_public}, key=repr), ids=repr)
def test_who_is_of_no_tenant_where_there_are_some_is_told_so_whatever_is_asked(need, tenant, words):
    policy = AccessPolicy(tenants=[Tenant("acme", ("acme",))])
    verdict = need.judge(policy.rights(Identity("u1", "lee", frozenset({"admin"}), Proof.TOKEN, tenant)))
    assert not verdict.is_allowed
    assert f"this gateway has tenants, and the identity {words}" in verdict.why
    assert need.judge(policy.rights(Identity("u1", "lee", frozenset({"admin"}), Proof.TOKEN, "*"))).is_allowed
