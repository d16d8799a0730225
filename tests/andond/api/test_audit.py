"""``GET /api/v1/audit``: who may read all of it, who only what is of a tenant, who nothing."""

from __future__ import annotations

import json

import pytest

from actors import Auditor, AuditTrail
from actors.recorder.disk import at_once
from actors.runtime import ActorSystem, ChildSpec, Supervisor
from andond.api.audit import AuditResource
from domain.access import EVERY_TENANT, OPEN_RIGHTS, AccessPolicy, Grant, Identity, Proof, Role, Tenant
from domain.audit import Entry, Outcome, Target, Who
from transport import ClientAddress, Request

AT = 1_800_000_000.0
TENANTS = [Tenant("acme", ("acme",)), Tenant("other", ("other",))]
POLICY = AccessPolicy({"auditor": Role("auditor", "", (Grant(("audit.read",), ()),))}, TENANTS)


def rights(tenant, role="auditor"):
    return POLICY.rights(Identity("u1", "anna", frozenset({role}), Proof.TOKEN, tenant))


ENTRIES = [
    Entry(AT, "andon.raise", Outcome.DONE, Who("a", "a", "acme"), target=Target("acme/l1"), after={"at": "acme/l1"}),
    Entry(AT + 1, "andon.raise", Outcome.DONE, Who("b", "b", "other"), target=Target("other/l1")),
    Entry(AT + 2, "andon.close", Outcome.DONE, Who("c", "c", "*"), target=Target("acme/l2")),
    Entry(AT + 3, "login", Outcome.DONE, Who("a", "a", "acme")),
    Entry(AT + 4, "settings.reload", Outcome.DONE),
    Entry(
        AT + 5,
        "job.start",
        Outcome.REFUSED,
        Who("d", "d", "acme"),
        target=Target("other/l1", "c7"),
        before={"at": "other/l1"},
        after={"at": "other/l1"},
    ),
    Entry(AT + 6, "event.publish", Outcome.REFUSED, Who("d", "d", "acme"), target=Target("/other/l1", "e1")),
    Entry(AT + 7, "job.start", Outcome.DONE, Who("e", "e", ""), target=Target("other/l1")),
]


@pytest.fixture
async def ask(tmp_path):
    async with ActorSystem.open() as system:
        specs = [ChildSpec("auditor", Auditor, (tmp_path,), {"run": at_once})]
        root = system.start(Supervisor, "gateway", [ChildSpec("audit", Supervisor, (specs,))])
        await system.settled(root)
        trail = AuditTrail(system.environment)
        for entry in ENTRIES:
            trail.note(entry)
        resource = AuditResource(system.environment)

        async def get(asker, /, *, items=False, **query):
            sent = {name: [value] for name, value in query.items()}
            request = Request(
                "GET", "/api/v1/audit", sent, {}, b"", ClientAddress("10.0.0.7"), False, "/api/v1/audit", rights=asker
            )
            answer = await resource.get(request)
            body = json.loads(answer.body)
            if items:
                return body["items"]
            return answer.status, [entry["number"] for entry in body["items"]] if answer.status == 200 else body

        yield get


@pytest.mark.parametrize(
    ("who", "found"),
    [
        (OPEN_RIGHTS, [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (rights(EVERY_TENANT), [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        (rights("acme"), [8, 7, 5, 4, 2]),
        (rights("other"), [9, 3]),
    ],
)
async def test_who_may_reads_what_is_of_its_tenant(ask, who, found):
    assert await ask(who) == (200, found)


async def test_what_a_person_of_the_tenant_did_elsewhere_is_not_told_of_that_place(ask):
    whole = await ask(OPEN_RIGHTS, items=True)
    (entry,) = [each for each in whole if each["who"]["subject"] == "d" and each["what"] == "job.start"]
    assert (entry["target"], entry["before"]) == ({"id": "c7", "path": "other/l1"}, {"at": "other/l1"})
    for entry in [each for each in await ask(rights("acme"), items=True) if each["who"]["subject"] == "d"]:
        assert entry["target"] == {"id": "", "path": ""}
        assert "other/l1" not in json.dumps(entry)
    (entry,) = [each for each in await ask(rights("acme"), items=True) if each["target"]["path"] == "acme/l1"]
    assert entry["after"] == {"at": "acme/l1"}


async def test_who_of_another_tenant_was_refused_here_is_told_to_the_gateway_s_own_people_alone(ask):
    refused = [each for each in await ask(OPEN_RIGHTS, items=True) if each["who"]["subject"] == "d"]
    assert {each["target"]["path"].strip("/") for each in refused} == {"other/l1"}
    told = await ask(rights("other"), items=True)
    assert {each["who"]["tenant"] for each in told} == {"other", ""}


@pytest.mark.parametrize("who", [rights(""), rights("nowhere"), rights("acme", "stranger")])
async def test_who_may_not_is_told_why(ask, who):
    status, body = await ask(who)
    assert (status, body["error"]) == (403, "FORBIDDEN")


async def test_less_can_be_asked_for(ask):
    assert await ask(OPEN_RIGHTS, what="andon.*") == (200, [4, 3, 2])
    assert await ask(OPEN_RIGHTS, who="a", limit="1") == (200, [5])
    assert await ask(OPEN_RIGHTS, before="3") == (200, [2, 1])
    assert await ask(OPEN_RIGHTS, since="2027-01-15T08:00:03Z", until="2027-01-15T08:00:04Z") == (200, [5])


@pytest.mark.parametrize("query", [{"since": "yesterday"}, {"until": "x"}, {"limit": "0"}, {"before": "-1"}])
async def test_what_is_not_understood_is_said(ask, query):
    status, body = await ask(OPEN_RIGHTS, **query)
    assert status == 422
    assert body["details"]["faults"][0]["pointer"] == f"/query/{next(iter(query))}"


async def test_where_nobody_keeps_it_that_is_said():
    async with ActorSystem.open() as system:
        resource = AuditResource(system.environment)
        request = Request(
            "GET", "/api/v1/audit", {}, {}, b"", ClientAddress("10.0.0.7"), False, "/api/v1/audit", rights=OPEN_RIGHTS
        )
        assert (await resource.get(request)).status == 503
