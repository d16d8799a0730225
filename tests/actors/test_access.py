"""The policy of access from the settings, and that its actions are the acts of the desks."""

from __future__ import annotations

import pytest

from actors import access_faults, access_policy_of
from actors.acts import _DESKS
from actors.desks import AlarmDesk, CallDesk, JobDesk, ProductionDesk
from config import AccessSettings, AnonymousSettings, RoleSettings, Settings, TenantSettings
from domain.access import ROLES, Identity, Proof, TenantFault, actions

OF_THE_GATEWAY = {
    "event.publish", "document.read", "status.read", "metrics.read", "audit.read", "user.manage", "token.revoke",
}  # fmt: skip


def rights(settings, *roles, tenant="", places=("acme/l3",)):
    return access_policy_of(settings).rights(Identity("u1", "Ann", frozenset(roles), Proof.LOCAL, tenant, places))


def may(held, path="acme/l3"):
    return {action for action in actions() if held.may(action, path).is_allowed}


@pytest.mark.parametrize("desk", [CallDesk, AlarmDesk, JobDesk, ProductionDesk])
def test_every_act_of_a_desk_is_an_action_that_can_be_granted(desk):
    # What a desk can do depends on nothing that it is given.
    acts = set(desk.__new__(desk).acts())
    assert acts
    assert acts <= set(actions())


def test_every_action_of_the_floor_is_an_act_of_a_desk():
    desks = (CallDesk, AlarmDesk, JobDesk, ProductionDesk)
    acts = {act for desk in desks for act in desk.__new__(desk).acts()}
    assert set(actions()) == acts | OF_THE_GATEWAY
    assert {action.partition(".")[0] for action in acts} <= set(_DESKS)


def test_without_a_word_the_roles_are_those_built_in():
    policy = access_policy_of(AccessSettings())
    assert dict(policy.roles) == dict(ROLES)
    assert len(policy.tenants) == 0


def test_a_role_of_the_settings_takes_the_place_of_the_one_that_is_built_in():
    settings = AccessSettings(roles={"Operator": RoleSettings(does=("andon.raise",), own_does=("andon.close",))})
    assert may(rights(settings, "operator")) == {"andon.raise", "andon.close"}
    assert may(rights(settings, "operator"), "acme/l4") == {"andon.raise"}
    assert not rights(settings, "operator").sees("andon/acme/l3")
    assert may(rights(settings, "viewer")) == {"document.read"}


def test_a_role_that_is_like_another_has_more_than_it():
    settings = AccessSettings(roles={"operator": RoleSettings(like=("OPERATOR", "user"), own_does=("alarm.shelve",))})
    before, after = rights(AccessSettings(), "operator"), rights(settings, "operator")
    assert may(after) == may(before) | {"alarm.shelve"}
    assert may(after, "acme/l4") == may(before, "acme/l4")
    assert after.sees("chain/blocks")
    assert not before.sees("chain/blocks")


def test_a_role_that_sees_its_own_places_alone_sees_no_more():
    held = rights(AccessSettings(roles={"guest": RoleSettings(own_sees=("andon/*", "oee/*"))}), "guest")
    assert held.sees("andon/acme/l3/st4")
    assert not held.sees("andon/acme/l4")
    assert not held.sees("alarms/acme/l3")
    assert held.sees_any("oee")


def test_an_empty_role_gives_nothing():
    held = rights(AccessSettings(roles={"admin": RoleSettings(title="nothing")}), "admin")
    assert may(held) == set()
    assert not held.sees_any("andon")


def test_tenants_of_the_settings_are_apart():
    settings = AccessSettings(
        tenants={
            "acme": TenantSettings(places=("acme",), channels=("chain/*",)),
            "bolt": TenantSettings(places=("bolt",)),
        }
    )
    acme, bolt = (rights(settings, "admin", tenant=name) for name in ("acme", "bolt"))
    assert (acme.sees("andon/acme/x"), acme.sees("andon/bolt/x"), acme.sees("chain/blocks")) == (True, False, True)
    assert (bolt.sees("andon/acme/x"), bolt.sees("andon/bolt/x"), bolt.sees("chain/blocks")) == (False, True, False)


def test_clients_that_say_no_name_are_let_in_only_where_that_is_set():
    said = AnonymousSettings(channels=("portal/*",))
    assert not access_policy_of(AccessSettings(anonymous=said)).anonymous.sees("portal/tps")
    said = AnonymousSettings(enabled=True, channels=("portal/*",))
    nobody = access_policy_of(AccessSettings(anonymous=said)).anonymous
    assert nobody.sees("portal/tps")
    assert not nobody.sees("chain/blocks")


def test_what_has_a_fault_makes_no_policy_by_mistake():
    settings = AccessSettings(tenants={"a": TenantSettings(places=("acme",)), "b": TenantSettings(places=("acme/x",))})
    assert [broken.keys for broken in access_faults(Settings(access=settings))] == [("access.tenants.b",)]
    with pytest.raises(TenantFault, match="not apart"):
        access_policy_of(settings)


def test_what_is_built_in_has_no_fault():
    assert list(access_faults(Settings())) == []
