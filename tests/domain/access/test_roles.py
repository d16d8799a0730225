"""Who may do and see what without a word in the configuration: every cell, written out.

A change of the data is a change of these tables too. Each is a row for what is done or seen and a column for each role.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import CHANNEL_KINDS, PLACELESS_KINDS
from domain.access import ROLES, AccessPolicy, Identity, Proof, Tenant, actions
from domain.access.reference import roles_page
from domain.names import _FIXED
from domain.plant.ledger import DEEDS

ROOT = Path(__file__).parents[3]

OWN, OTHER, FOREIGN, NOWHERE = "acme/plant1/line3/st4", "acme/plant1/line4/st1", "rival/plant1/line3/st4", None
SCOPES = {"own line": OWN, "another line": OTHER, "another tenant": FOREIGN, "no place": NOWHERE}
TENANTS = (
    Tenant("acme", ("acme",), ("chain/*", "portal/*", "panels/*", "host/*")),
    Tenant("rival", ("rival",)),
)

# A: everywhere; a: everywhere, and of no place whoever asks; o: at the own line; .: never
COLUMNS = """
                    admin
                    | production_manager
                    | | shift_manager
                    | | | engineer
                    | | | | operator
                    | | | | | maintenance
                    | | | | | | quality
                    | | | | | | | viewer
                    | | | | | | | | user
                    | | | | | | | | | validator
                    | | | | | | | | | | developer
                    | | | | | | | | | | | publisher
                    | | | | | | | | | | | | monitor
"""
DOES = """
andon.raise         A A A A A A A . . . . . .
andon.acknowledge   A A A A o A A . . . . . .
andon.arrive        A A A A o A A . . . . . .
andon.resolve       A A A A o A A . . . . . .
andon.close         A A A . . . . . . . . . .
andon.cancel        A A A A A A A . . . . . .
andon.reopen        A A A . . . . . . . . . .
andon.reassign      A A A A . A . . . . . . .
andon.change        A A A A o A A . . . . . .
andon.escalate      A A A A . . . . . . . . .
alarm.acknowledge   A A A A o A . . . . . . .
alarm.silence       A A A A o A . . . . . . .
alarm.shelve        A A A A . A . . . . . . .
alarm.unshelve      A A A A . A . . . . . . .
alarm.suppress      A A . A . . . . . . . . .
alarm.unsuppress    A A . A . . . . . . . . .
alarm.remove        A A . A . A . . . . . . .
alarm.restore       A A . A . A . . . . . . .
alarm.reset         A A . A . A . . . . . . .
job.store           A A . . . . . . . . . . .
job.update          A A A . . . . . . . . . .
job.report          A A A . o . . . . . . . .
job.accept          A A A . o . . . . . . . .
job.revoke          A A A . o . . . . . . . .
job.start           A A A . o . . . . . . . .
job.pause           A A A . o . . . . . . . .
job.resume          A A A . o . . . . . . . .
job.stop            A A A . o . . . . . . . .
job.complete        A A A . o . . . . . . . .
job.abort           A A A . . . . . . . . . .
job.cancel          A A A . . . . . . . . . .
job.withdraw        A A . . . . . . . . . . .
job.clear           A A . . . . . . . . . . .
production.count    A A A . A . . . . . . . .
changeover.start    A A A . o . . . . . . . .
changeover.phase    A A A . o . . . . . . . .
changeover.end      A A A . o . . . . . . . .
quality.check       A A A A o . A . . . . . .
quality.defect      A A A . o . A . . . . . .
downtime.assign     A A A A o A . . . . . . .
downtime.split      A A A A . . . . . . . . .
downtime.merge      A A A A . . . . . . . . .
downtime.undo       A A A A . . . . . . . . .
equipment.correct   A A A A . . . . . . . . .
event.publish       A . . . . . . . . . . o .
document.read       a a a a a a a a a a a . a
status.read         A A A A . . . . . . A . A
metrics.read        A A . A . . . . . . A . A
audit.read          A . . . . . . . . . . . .
user.manage         A . . . . . . . . . . . .
token.revoke        A . . . . . . . . . . . .
"""
SEES = """
equipment           A A A A A A A A . . . . .
readings            A A A A A A A A . . . . .
alarms              A A A A A A A A . . . . .
andon               A A A A A A A A . . . . .
escalations         A A A A A A A A . . . . .
jobs                A A A A A A A A . . . . .
changeover          A A A A A A A A . . . . .
production          A A A A A A A A . . . . .
quality             A A A A A A A A . . . . .
oee                 A A A A A A A A . . . . .
downtime            A A A A A A A A . . . . .
sources             A A A A A A A A . . . . .
events              A A A A A A A A . . . . .
"""
SEES_WITHOUT_PLACE = """
chain/transactions  A . . . . . . . A A A . .
chain/blocks        A . . . . . . . A A A . .
chain/state         A . . . . . . . A A A . .
chain/validators    A . . . . . . . . A . . .
chain/consensus     A . . . . . . . . . . . .
chain/peers         A . . . . . . . . A . . .
host/metrics        A A . A . A . . . . A . .
portal/tps          A . . . . . . . A A A . .
portal/blocks       A . . . . . . . A A A . .
portal/network      A . . . . . . . . A . . .
portal/validators   A . . . . . . . . A . . .
portal/metrics      A . . . . . . . . . A . .
panels/channel      A . . . . . . . A A A . .
panels/analytics    A . . . . . . . A A A . .
panels/realtime     A . . . . . . . A A A . .
panels/dashboard    A . . . . . . . A A A . .
panels/nodes        A . . . . . . . . A . . .
panels/performance  A . . . . . . . . . A . .
"""
NAMES = [line.split()[-1] for line in COLUMNS.strip().splitlines()]

# What a letter means of each scope, by the tenant that the identity names.
BOUND = {
    "A": {"own line", "another line"},
    "a": {"own line", "another line", "no place"},
    "o": {"own line"},
    ".": set(),
}
UNBOUND = {"A": set(SCOPES), "a": set(SCOPES), "o": {"own line"}, ".": set()}
NOTHING = {letter: set() for letter in BOUND}
STANDINGS = {
    "of its tenant": (AccessPolicy(tenants=TENANTS), "acme", BOUND),
    "of all tenants": (AccessPolicy(tenants=TENANTS), "*", UNBOUND),
    "of a tenant that is not there": (AccessPolicy(tenants=TENANTS), "acm", NOTHING),
    "of a tenant in other case": (AccessPolicy(tenants=TENANTS), "ACME", NOTHING),
    "of no tenant": (AccessPolicy(tenants=TENANTS), "", NOTHING),
    "where there are no tenants": (AccessPolicy(), "", UNBOUND),
    "where there are none and it names one": (AccessPolicy(), "acme", UNBOUND),
}


def rows(table):
    return [(name, dict(zip(NAMES, cells, strict=True))) for name, *cells in map(str.split, table.split("\n")[1:-1])]


def rights(standing, role):
    policy, tenant, meaning = STANDINGS[standing]
    return policy.rights(Identity("u1", "Ann", frozenset({role}), Proof.TOKEN, tenant, (OWN[:-4],))), meaning


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("role", NAMES)
def test_every_action_of_a_role_at_every_scope_is_as_written(role, standing):
    held, meaning = rights(standing, role)
    allowed = {
        (action, scope)
        for action, _ in rows(DOES)
        for scope, path in SCOPES.items()
        if held.may(action, path).is_allowed
    }
    assert allowed == {(action, scope) for action, cells in rows(DOES) for scope in meaning[cells[role]]}


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("role", NAMES)
def test_every_kind_of_channel_that_a_role_sees_at_every_scope_is_as_written(role, standing):
    held, meaning = rights(standing, role)
    placed = {scope: path for scope, path in SCOPES.items() if path is not None}
    seen = {(kind, scope) for kind, _ in rows(SEES) for scope, path in placed.items() if held.sees(f"{kind}/{path}")}
    assert seen == {(kind, scope) for kind, cells in rows(SEES) for scope in meaning[cells[role]] if scope in placed}


@pytest.mark.parametrize("standing", STANDINGS)
@pytest.mark.parametrize("role", NAMES)
def test_every_channel_without_a_place_that_a_role_sees_is_as_written(role, standing):
    held, meaning = rights(standing, role)
    seen = {channel for channel, _ in rows(SEES_WITHOUT_PLACE) if held.sees(channel)}
    # The tenant has all kinds of them, so it is as with a place that is within it.
    assert seen == {channel for channel, cells in rows(SEES_WITHOUT_PLACE) if "another line" in meaning[cells[role]]}


@pytest.mark.parametrize("role", NAMES)
def test_a_tenant_that_was_given_no_channels_without_a_place_sees_none(role):
    held = AccessPolicy(tenants=TENANTS).rights(
        Identity("u1", "Ann", frozenset({role}), Proof.TOKEN, "rival", ("rival/plant1/line3",))
    )
    assert [channel for channel, _ in rows(SEES_WITHOUT_PLACE) if held.sees(channel)] == []
    assert not any(held.sees_any(kind) for kind in PLACELESS_KINDS)


def test_the_tables_have_every_role_every_action_and_every_channel():
    assert list(ROLES) == NAMES
    assert [action for action, _ in rows(DOES)] == list(actions())
    assert {kind for kind, _ in rows(SEES)} == CHANNEL_KINDS - PLACELESS_KINDS
    assert {channel for channel, _ in rows(SEES_WITHOUT_PLACE)} == set(_FIXED.values())


def test_every_act_of_a_desk_is_an_action():
    # Those of the other desks are looked at in the tests of the desks, which this package does not know.
    assert set(DEEDS) <= set(actions())


@pytest.mark.parametrize("written", ["ADMIN", "Admin", " admin ", "admin"])
def test_a_role_is_known_in_any_case(written):
    held = AccessPolicy().rights(Identity("u1", "Ann", frozenset({written}), Proof.TOKEN))
    assert held.may("user.manage", None).is_allowed


def test_the_page_of_roles_is_what_the_data_says():
    assert (ROOT / "docs/reference/roles.md").read_text(encoding="utf-8") == roles_page()
