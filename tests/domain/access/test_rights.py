"""Rights: what one identity may do and see, and the words of every answer."""

from __future__ import annotations

import pytest

from domain.access import (
    NO_RIGHTS,
    OPEN_RIGHTS,
    ROLES,
    AccessPolicy,
    Anonymous,
    Grant,
    Identity,
    Proof,
    Role,
    Tenant,
    Within,
    actions,
)

ACME = Tenant("acme", ("acme",), ("chain/*",))
RIVAL = Tenant("rival", ("rival",))
FITTER = Role(
    "fitter", "Mends at the own line", (Grant(("andon.*",), ("andon/*", "chain/*", "oee/acme/plant1/*"), Within.OWN),)
)


def rights(*roles, tenant="acme", places=("acme/plant1/line3",), policy=None, **more):
    policy = policy or AccessPolicy({**ROLES, "fitter": FITTER}, (ACME, RIVAL))
    return policy.rights(Identity("u1", "Ann", frozenset(roles), Proof.LOCAL, tenant, places, **more))


@pytest.mark.parametrize(
    ("held", "action", "path", "is_allowed", "why"),
    [
        (
            rights("operator"), "andon.raise", "acme/plant1/line4", True,
            "role operator may do andon.raise everywhere in tenant acme",
        ),
        (
            rights("operator"), "andon.acknowledge", "acme/plant1/line3/a", True,
            (
                "role operator may do andon.acknowledge at its own places, "
                "and acme/plant1/line3/a is within acme/plant1/line3"
            ),
        ),
        (
            rights("operator"), "andon.acknowledge", "acme/plant1/line4", False,
            (
                "role operator may do andon.acknowledge at its own places only, which are acme/plant1/line3, "
                "and acme/plant1/line4 is not one of them"
            ),
        ),
        (
            rights("operator", places=()), "andon.acknowledge", "acme/plant1/line3", False,
            "role operator may do andon.acknowledge at its own places only, and the identity has none",
        ),
        (rights("operator"), "andon.raise", "rival/plant1", False, "rival/plant1 is not of tenant acme"),
        (rights("admin"), "status.read", None, False, "the gateway as a whole is not of tenant acme"),
        (
            rights("admin", tenant="*"), "status.read", None, True,
            "role admin may do status.read everywhere in all tenants",
        ),
        (
            rights("admin", policy=AccessPolicy()), "status.read", None, True,
            "role admin may do status.read everywhere in the gateway",
        ),
        (rights("viewer"), "alarm.shelve", "acme/x", False, "role viewer may not do alarm.shelve"),
        (rights("viewer", "user"), "alarm.reset", "acme/x", False, "none of the roles user, viewer may do alarm.reset"),
        (rights(), "andon.raise", "acme/x", False, "an identity without a role may not do andon.raise"),
        (
            rights("offline_access", "boss"), "andon.raise", "acme/x", False,
            "an identity without a role (unknown here: boss, offline_access) may not do andon.raise",
        ),
        (
            rights("viewer", "boss"), "andon.raise", "acme/x", False,
            "role viewer (unknown here: boss) may not do andon.raise",
        ),
        (
            rights("admin", tenant=""), "andon.raise", "acme/x", False,
            "this gateway has tenants, and the identity names none",
        ),
        (
            rights("admin", tenant="acm"), "andon.raise", "acme/x", False,
            "this gateway has tenants, and the identity names tenant acm, which is not known here",
        ),
        (NO_RIGHTS, "document.read", None, False, "nobody said who they are"),
        (OPEN_RIGHTS, "user.manage", None, True, "role admin may do user.manage everywhere in the gateway"),
    ],
)  # fmt: skip
def test_a_verdict_says_why(held, action, path, is_allowed, why):
    verdict = held.may(action, path)
    assert (verdict.is_allowed, verdict.why) == (is_allowed, why)


@pytest.mark.parametrize(
    ("held", "channel", "is_allowed", "why"),
    [
        (rights("viewer"), "andon/acme/line3", True, "role viewer sees andon/acme/line3 everywhere in tenant acme"),
        (rights("viewer"), "andon/rival/plant1", False, "andon/rival/plant1 is not of tenant acme"),
        (rights("viewer"), "chain/blocks", False, "role viewer does not see chain/blocks"),
        (rights("viewer", "quality"), "chain/blocks", False, "none of the roles quality, viewer sees chain/blocks"),
        (rights("user"), "chain/blocks", True, "role user sees chain/blocks everywhere in tenant acme"),
        (rights("user", tenant="rival"), "chain/blocks", False, "chain/blocks is not of tenant rival"),
        (
            rights("fitter"), "andon/acme/plant1/line3/st1", True,
            "role fitter may see andon at its own places, and acme/plant1/line3/st1 is within acme/plant1/line3",
        ),
        (
            rights("fitter"), "andon/acme/plant1/line4", False,
            (
                "role fitter may see andon at its own places only, which are acme/plant1/line3, "
                "and acme/plant1/line4 is not one of them"
            ),
        ),
        (
            rights("fitter"), "chain/blocks", False,
            "role fitter sees chain/blocks of its own places only, and it has no place",
        ),
        (
            rights("viewer", tenant=""), "andon/acme/x", False,
            "this gateway has tenants, and the identity names none",
        ),
    ],
)  # fmt: skip
def test_a_look_at_a_channel_says_what_is_seen_and_why(held, channel, is_allowed, why):
    verdict = held.look(channel)
    assert (verdict.is_allowed, verdict.why) == (is_allowed, why)
    assert held.sees(channel) is is_allowed


def test_a_long_list_of_roles_that_nobody_knows_makes_no_long_answer():
    why = rights(*(f"role{number:03}" for number in range(500))).may("andon.raise", "acme/x").why
    assert why == (
        "an identity without a role (unknown here: role000, role001, role002, role003, role004 and 495 more) "
        "may not do andon.raise"
    )


def test_what_is_own_is_what_is_also_of_the_tenant():
    held = rights("operator", places=("rival/plant1/line3", "acme/plant1/line3"))
    assert held.may("andon.resolve", "acme/plant1/line3").is_allowed
    assert not held.may("andon.resolve", "rival/plant1/line3").is_allowed


def test_a_place_above_the_roots_of_a_tenant_is_own_only_within_them():
    policy = AccessPolicy(tenants=[Tenant("one", ("acme/plant1",)), Tenant("two", ("acme/plant2",))])
    held = rights("operator", tenant="one", places=("acme",), policy=policy)
    assert held.may("andon.resolve", "acme/plant1/line9").is_allowed
    assert not held.may("andon.resolve", "acme/plant2/line9").is_allowed
    assert not held.may("andon.resolve", "acme").is_allowed


@pytest.mark.parametrize("place", ["", "/", "*", "acme/*", "..", ".", "//", "acme/plant1/line3/"])
def test_a_place_that_is_no_path_is_no_place_of_ones_own(place):
    for policy in (AccessPolicy(), None):
        held = rights("operator", places=(place,), policy=policy)
        assert not held.may("andon.resolve", "acme/plant1/line3").is_allowed
        assert not held.may("andon.resolve", "").is_allowed
        assert not held.may("andon.resolve", None).is_allowed


def test_paths_are_as_events_and_as_channels_have_them():
    held = rights("operator", places=("/acme/plant1/line3",))
    assert held.may("andon.resolve", "/acme/plant1/line3/st4").is_allowed
    assert held.sees_at("andon", "/acme/plant1/line3/st4")
    assert held.sees_at("andon", "acme/plant1/line3/st4")


def test_of_another_tenants_place_it_is_not_even_said_that_it_is_there():
    held = rights("operator")
    assert held.reaches("acme/plant1/line4")
    assert not held.reaches("rival/plant1")
    assert rights("operator", tenant="*").reaches("rival/plant1")
    assert not rights("operator", tenant="").reaches("acme")


@pytest.mark.parametrize(
    ("held", "kinds"),
    [
        (rights("viewer"), {"andon", "oee", "events"}),
        (rights("user"), {"chain"}),
        (rights("user", tenant="rival"), set()),
        (rights("fitter"), {"andon", "oee"}),
        (rights("fitter", places=()), set()),
        (rights("fitter", places=("rival/plant1",)), set()),
        (rights("fitter", places=("acme/plant2",)), {"andon"}),
        (rights("viewer", tenant=""), set()),
        (OPEN_RIGHTS, {"andon", "oee", "events", "chain", "portal"}),
        (NO_RIGHTS, set()),
    ],
)
def test_a_tree_can_be_followed_where_any_of_its_channels_could_be_seen(held, kinds):
    assert {kind for kind in ("andon", "oee", "events", "chain", "portal") if held.sees_any(kind)} == kinds


def test_sight_of_a_placeless_channel_inside_a_tenants_own_list_alone():
    policy = AccessPolicy(tenants=[Tenant("acme", ("acme",), ("chain/blocks", "sources/gateway"))])
    held = rights("admin", policy=policy)
    assert held.sees("chain/blocks")
    assert held.sees("sources/gateway")
    assert not held.sees("chain/transactions")
    assert not held.sees("sources/other")


@pytest.mark.parametrize("channel", ["andon/acme", "andon/acme/plant1", "andon/acme/a.b:c@d+e~f"])
def test_channels_of_the_tenant_are_seen(channel):
    assert rights("viewer").sees(channel)


@pytest.mark.parametrize(
    "channel",
    [
        "andon/acme2", "andon/ACME", "andon/acm", "andon/acme/../rival", "andon/acme/..", "andon/acme/./x",
        "andon/acme/", "andon/acme//x", "andon//acme", "andon/", "andon", "", "andon/*", "andon/acme/*", "andon/rival",
        "ANDON/acme", "andon/acme/x\n", "andon/acme/%2e%2e", "andon/acmé", "portal/acme", "chain/acme", "never/acme",
    ],
)  # fmt: skip
def test_what_only_looks_like_the_tenants_is_not_seen(channel):
    held = rights("viewer")
    assert not held.sees(channel)
    # Asked again it is answered from what is remembered.
    assert not held.sees(channel)


def test_everybody_of_one_line_has_equal_rights_whoever_they_are():
    policy = AccessPolicy(tenants=(ACME, RIVAL))
    ann = policy.rights(
        Identity("1", "Ann", frozenset({"operator"}), Proof.LOCAL, "acme", ("acme/l3",), expires_at=1.0, session="a")
    )
    bob = policy.rights(
        Identity("2", "Bob", frozenset({"Operator"}), Proof.TOKEN, "acme", ("/acme/l3", "acme/l3/st1"), expires_at=2.0)
    )
    assert ann == bob
    assert hash(ann) == hash(bob)
    assert {ann: 1}[bob] == 1
    assert (ann.identity.name, bob.identity.name) == ("Ann", "Bob")
    assert (ann.expires_at, bob.expires_at) == (1.0, 2.0)


@pytest.mark.parametrize(
    "other",
    [
        rights("viewer"),
        rights("operator", places=("acme/plant1/line4",)),
        rights("operator", tenant="*"),
        rights("operator", tenant="rival", places=("rival/plant1/line3",)),
        rights("operator", "quality"),
        NO_RIGHTS,
        OPEN_RIGHTS,
    ],
)
def test_rights_that_allow_something_else_differ(other):
    assert rights("operator") != other


def test_who_sees_the_same_can_share_frames_though_they_may_not_do_the_same():
    assert rights("operator").sight == rights("viewer").sight == rights("quality").sight
    assert hash(rights("operator").sight) == hash(rights("viewer").sight)
    assert rights("operator") != rights("viewer")
    assert rights("engineer").sight != rights("user").sight


def test_whoever_sees_the_same_by_one_policy_shares_what_is_remembered_of_it():
    policy = AccessPolicy(tenants=(ACME, RIVAL))
    assert rights("operator", policy=policy).sight is rights("viewer", policy=policy).sight
    assert rights("operator", policy=policy).sight is not rights("viewer", tenant="rival", policy=policy).sight


def test_what_is_remembered_of_one_is_not_told_of_another():
    policy = AccessPolicy(tenants=(ACME, RIVAL))
    ann = policy.rights(
        Identity("1", "Ann", frozenset({"operator"}), Proof.LOCAL, "acme", ("acme/l3",), expires_at=1.0)
    )
    bob = policy.rights(Identity("2", "Bob", frozenset({"operator"}), Proof.TOKEN, "acme", ("acme/l3",)))
    assert (ann.identity.name, ann.expires_at, bob.identity.name, bob.expires_at) == ("Ann", 1.0, "Bob", None)
    assert ann == bob
    others = [
        Identity("3", "Eve", frozenset({"operator"}), Proof.TOKEN, "rival", ("acme/l3",)),
        Identity("4", "Eve", frozenset({"operator"}), Proof.TOKEN, "acme", ("acme/l4",)),
        Identity("5", "Eve", frozenset({"viewer"}), Proof.TOKEN, "acme", ("acme/l3",)),
    ]
    assert [policy.rights(each).may("andon.resolve", "acme/l3").is_allowed for each in others] == [False] * 3
    assert ann.may("andon.resolve", "acme/l3").is_allowed


def test_rights_that_are_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr("domain.access.policy.REMEMBERED", 10)
    policy = AccessPolicy(tenants=(ACME, RIVAL))
    for number in range(100):
        held = rights("operator", places=(f"acme/l{number}",), policy=policy)
        assert held.may("andon.resolve", f"acme/l{number}").is_allowed
        assert not held.may("andon.resolve", f"acme/l{number + 1}").is_allowed
    assert len(policy._rights) <= 10


def test_who_may_nothing_is_equal_whatever_the_reason():
    assert rights("boss").sight == NO_RIGHTS.sight == rights("admin", tenant="").sight
    assert rights("boss").sight != rights("viewer").sight


def test_sight_of_everything_is_known_as_such():
    assert OPEN_RIGHTS.sees_everything
    assert rights("admin", tenant="*").sees_everything
    assert not rights("admin").sees_everything
    assert not rights("production_manager", tenant="*").sees_everything
    assert OPEN_RIGHTS.sees("whatever it is called")


def test_what_sight_remembers_is_bounded(monkeypatch):
    monkeypatch.setattr("domain.access.sight.REMEMBERED", 10)
    held = rights("viewer")
    assert [held.sees(f"andon/acme/{number}") for number in range(100)] == [True] * 100
    assert [held.sees(f"andon/rival/{number}") for number in range(100)] == [False] * 100
    assert len(held.sight._known) <= 10


def test_rights_have_no_attributes_that_could_be_added():
    with pytest.raises(AttributeError):
        rights("viewer").more = True


# --- clients that do not say who they are


def test_nobody_may_anything_unless_it_is_said():
    assert AccessPolicy().anonymous is NO_RIGHTS
    assert not any(NO_RIGHTS.may(action, None).is_allowed for action in actions())
    assert not NO_RIGHTS.sees("portal/tps")


def test_who_says_no_name_reads_the_channels_of_the_configuration_and_does_nothing():
    nobody = AccessPolicy(anonymous=Anonymous(("portal/*", "chain/blocks"))).anonymous
    assert nobody.sees("portal/tps")
    assert nobody.sees("chain/blocks")
    assert not nobody.sees("chain/peers")
    assert [action for action in actions() if nobody.may(action, None).is_allowed] == ["document.read"]
    assert nobody.identity.proof is Proof.ANONYMOUS


def test_who_says_no_name_is_of_the_tenant_of_the_configuration():
    def nobody(tenant):
        return AccessPolicy(tenants=(ACME, RIVAL), anonymous=Anonymous(("andon/*", "chain/*"), tenant)).anonymous

    assert nobody("acme").sees("andon/acme/x")
    assert not nobody("acme").sees("andon/rival/x")
    assert nobody("*").sees("andon/rival/x")
    assert not nobody("").sees("andon/acme/x")


# --- a plant's own roles


def test_a_role_that_takes_the_place_of_another_takes_all_of_it():
    policy = AccessPolicy({**ROLES, "Operator": Role("operator", "", (Grant(("andon.raise",)),))})
    held = rights("operator", policy=policy)
    assert [action for action in actions() if held.may(action, "acme").is_allowed] == ["andon.raise"]
    assert policy.knows("OPERATOR")
    assert not policy.knows("boss")


def test_reach_and_patterns_say_in_short_what_is_allowed():
    held = rights("operator", "fitter")
    assert held.reach("andon.raise") is Within.TENANT
    assert held.reach("andon.close") is Within.OWN
    assert held.reach("user.manage") is None
    assert held.patterns(Within.OWN) == ("chain/*",)
    assert "andon/*" in held.patterns(Within.TENANT)
    assert rights("admin", tenant="").reach("andon.raise") is None


@pytest.mark.parametrize(
    "held",
    [
        rights("operator"),
        rights("operator", places=()),
        rights("operator", places=("rival/plant1", "acme")),
        rights("viewer"),
        rights("operator", "engineer"),
        rights("admin", tenant="*"),
        rights("operator", tenant="none of these"),
        OPEN_RIGHTS,
        NO_RIGHTS,
    ],
)
def test_the_places_of_an_act_are_where_it_is_allowed(held):
    paths = ("acme", "acme/plant1", "acme/plant1/line3", "acme/plant1/line3/a", "acme/plant1/line33", "rival/plant1/a")
    for action in ("andon.raise", "andon.acknowledge", "alarm.shelve", "user.manage"):
        places = held.places(action)
        for path in paths:
            within = any(place == "*" or f"{path}/".startswith(f"{place}/") for place in places)
            assert within is held.may(action, path).is_allowed, (action, path)
