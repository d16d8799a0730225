"""What holds of every policy and every path: no way out of a tenant, no right without a grant, no role takes away."""

from __future__ import annotations

import re

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from domain import PLACELESS_KINDS
from domain.access import (
    ROLES,
    AccessPolicy,
    Anonymous,
    Grant,
    Identity,
    Proof,
    Role,
    Tenant,
    TenantFault,
    Within,
    actions,
)

ROOTS = {"acme": ("acme",), "acme2": ("acme2", "shared/acme2"), "dot": ("shared/a.b",)}
KINDS = ("andon", "alarms", "oee", "sources", "events", "chain", "portal", "never")
KINDS_OF_PLACES = st.sampled_from(["andon", "oee", "sources"])
POLICY_TENANTS = tuple(Tenant(name, places, ("chain/blocks",)) for name, places in ROOTS.items())

# Pieces from which one would build a way out.
SEGMENTS = st.sampled_from(
    ["acme", "acme2", "ACME", "Acme", "shared", "a.b", "axb", "plant1", "line3", "", ".", "..", "...", "*", "%2e%2e",
     "%2F", "acme*", "acme/", "/acme", " acme", "acme ", "acme\x00", "acme\n", "\u0430cme", "\uff41cme", "\\", "..\\",
     "~", "+", "@"]
)  # fmt: skip
ROOT = st.sampled_from([root for roots in ROOTS.values() for root in roots])
PATHS = st.one_of(
    st.tuples(ROOT, st.lists(SEGMENTS, max_size=2)).map(lambda found: "/".join([found[0], *found[1]])),
    st.lists(SEGMENTS, max_size=4).map("/".join),
    st.tuples(ROOT, st.text(max_size=12)).map("".join),
    st.text(max_size=20),
)
# Real paths, of which many are within each other.
PLACES = st.lists(st.sampled_from(["acme", "acme2", "line3"]), min_size=1, max_size=3).map("/".join)
ACTIONS = st.one_of(st.sampled_from(actions()), st.sampled_from(["andon.", "andon", "andon.*", "*", ""]))
ACTION_PATTERNS = st.one_of(
    st.sampled_from(["*", "andon.*", "alarm.*", "andon", "andon.raise", "status.*"]), st.sampled_from(actions())
)
CHANNEL_PATTERNS = st.one_of(
    st.sampled_from(["*", "chain/*", "chain/blocks", "portal/*", "andon*", "*/acme", "andon/acme2/*", "andon/acme*"]),
    st.tuples(st.sampled_from(KINDS), PATHS).map("/".join),
    st.sampled_from([f"{kind}/*" for kind in KINDS]),
)
GRANTS = st.builds(
    Grant,
    st.lists(ACTION_PATTERNS, max_size=4).map(tuple),
    st.lists(CHANNEL_PATTERNS, max_size=4).map(tuple),
    st.sampled_from(Within),
)
PLANT_ROLES = st.dictionaries(
    st.sampled_from(["admin", "operator", "boss", "fitter"]), st.lists(GRANTS, max_size=3), max_size=4
).map(lambda found: {name: Role(name, "", tuple(grants)) for name, grants in found.items()})
NAMES = st.one_of(
    st.sets(st.sampled_from(["admin", "operator", "boss", "fitter", "viewer", "developer", "unknown"]), max_size=5),
    st.sampled_from([frozenset({"admin"}), frozenset({"operator"})]),
)


def identity(roles, tenant, places=()):
    return Identity("u1", "Ann", frozenset(roles), Proof.TOKEN, tenant, tuple(places))


def is_inside(path, roots):
    """Whether a path is inside, said in another way than the code says it: by its names, one after the other."""
    names = path.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9._~:@+-]+", name, re.ASCII) and name not in (".", "..") for name in names):
        return False
    return any(names[: len(root.split("/"))] == root.split("/") for root in roots)


@settings(max_examples=500)
@given(PLANT_ROLES, NAMES, st.sampled_from(sorted(ROOTS)), st.lists(PATHS, max_size=3), ACTIONS, PATHS)
@example({}, {"admin"}, "acme", [], "andon.raise", "acme/..")
@example({}, {"admin"}, "acme", [], "andon.raise", "acme/../acme2")
@example({}, {"admin"}, "acme", [], "andon.raise", "acme2")
@example({}, {"admin"}, "acme", [], "andon.raise", "acme//x")
@example({}, {"admin"}, "acme", [], "andon.raise", "acme/x/")
@example({}, {"admin"}, "acme", [], "andon.raise", "acme/*")
@example({}, {"operator"}, "acme", ["acme2", ""], "andon.resolve", "acme2")
def test_nobody_of_a_tenant_may_do_anything_outside_its_roots(plant, roles, tenant, places, action, path):
    held = AccessPolicy({**ROLES, **plant}, POLICY_TENANTS).rights(identity(roles, tenant, places))
    if held.may(action, path).is_allowed:
        assert is_inside(path.removeprefix("/"), ROOTS[tenant])
    if held.reaches(path):
        assert is_inside(path.removeprefix("/"), ROOTS[tenant])
    if held.may(action, None).is_allowed:
        assert action == "document.read"


@settings(max_examples=500)
@given(PLANT_ROLES, NAMES, st.sampled_from(sorted(ROOTS)), st.lists(PATHS, max_size=3), st.sampled_from(KINDS), PATHS)
@example({}, {"admin"}, "acme", [], "andon", "acme/..")
@example({}, {"admin"}, "acme", [], "andon", "acme/./x")
@example({}, {"admin"}, "acme", [], "andon", "acme2")
@example({}, {"admin"}, "acme", [], "andon", "/acme")
@example({"boss": Role("boss", "", (Grant((), ("*",), Within.OWN),))}, {"boss"}, "acme", ["acme2"], "andon", "acme2")
def test_nobody_of_a_tenant_sees_anything_outside_its_roots(plant, roles, tenant, places, kind, path):
    held = AccessPolicy({**ROLES, **plant}, POLICY_TENANTS).rights(identity(roles, tenant, places))
    for channel in (f"{kind}/{path}", path):
        if held.sees(channel):
            kind_, _, rest = channel.partition("/")
            assert channel == "chain/blocks" or (is_inside(rest, ROOTS[tenant]) and kind_ not in PLACELESS_KINDS)
            assert held.look(channel).is_allowed
            assert held.sees_any(kind_)
    if held.sees_at(kind, path):
        assert f"{kind}/{path}" == "chain/blocks" or is_inside(path.removeprefix("/"), ROOTS[tenant])


@settings(max_examples=300)
@given(
    PLANT_ROLES, NAMES, st.sampled_from(["", "*", "acme", "acme2", "gone"]), st.booleans(),
    st.lists(PATHS, max_size=3), ACTIONS, st.one_of(st.none(), PATHS), CHANNEL_PATTERNS,
)  # fmt: skip
def test_what_no_role_is_granted_nobody_may(plant, roles, tenant, has_tenants, places, action, path, channel):  # noqa: PLR0913, PLR0917 - each is drawn
    table = {**ROLES, **plant}
    held = AccessPolicy(table, POLICY_TENANTS if has_tenants else ()).rights(identity(roles, tenant, places))
    grants = [grant for name in roles if name in table for grant in table[name].grants]

    def named(patterns, name):
        return any(pattern == name or (pattern[-1:] == "*" and name.startswith(pattern[:-1])) for pattern in patterns)

    if not any(named(grant.does, action) for grant in grants):
        assert not held.may(action, path).is_allowed
    if not any(named(grant.sees, channel) for grant in grants):
        assert not held.sees(channel)
    assert held.sees(channel) == held.look(channel).is_allowed
    assert held.sees_everything is False or held.sees(channel)


@given(NAMES, NAMES, st.sampled_from(["", "*", "acme"]), st.lists(PATHS, max_size=3), ACTIONS, PATHS, CHANNEL_PATTERNS)
def test_more_roles_never_take_away(some, more, tenant, places, action, path, channel):
    policy = AccessPolicy(tenants=POLICY_TENANTS)
    few, many = (policy.rights(identity(roles, tenant, places)) for roles in (some, some | more))
    for where in (path, None, *places):
        assert few.may(action, where).is_allowed <= many.may(action, where).is_allowed
    assert few.sees(channel) <= many.sees(channel)
    kind = channel.partition("/")[0]
    assert few.sees_any(kind) <= many.sees_any(kind)
    assert few.sees_everything <= many.sees_everything


@given(st.text(max_size=12), ACTIONS, st.one_of(st.none(), PATHS), CHANNEL_PATTERNS)
def test_a_role_that_nobody_knows_gives_nothing(name, action, path, channel):
    assume(name.strip().casefold() not in ROLES)
    held = AccessPolicy().rights(identity({name}, "", ("acme",)))
    assert not held.may(action, path).is_allowed
    assert not held.sees(channel)
    assert not held.sees_any(channel.partition("/")[0])


@given(NAMES, st.one_of(st.text(max_size=8), st.sampled_from(["ACME", "acme ", "acme*", "*acme", "**", ""])), PATHS)
def test_a_tenant_that_is_not_there_has_nothing(roles, tenant, path):
    assume(tenant not in ROOTS and tenant != "*")
    held = AccessPolicy(tenants=POLICY_TENANTS).rights(identity(roles, tenant, ("acme",)))
    assert not any(held.may(action, where).is_allowed for action in actions() for where in (path, None, "acme"))
    assert not any(held.sees(f"{kind}/{where}") for kind in KINDS for where in (path, "acme", "blocks"))
    assert not any(held.sees_any(kind) for kind in KINDS)


@settings(max_examples=300)
@given(
    st.tuples(NAMES, NAMES), st.booleans(),
    st.tuples(*[st.tuples(st.sampled_from(["", "*", "acme", "acme2"]), st.lists(PATHS, max_size=2))] * 2),
    PLANT_ROLES, ACTIONS, CHANNEL_PATTERNS,
)  # fmt: skip
@example(({"admin"}, set()), True, (("acme", []), ("acme2", [])), {}, "andon.raise", "andon/acme/x")
@example(({"operator"}, set()), True, (("acme", ["acme/l1"]), ("acme", ["acme"])), {}, "andon.resolve", "andon/acme/x")
def test_equal_rights_allow_the_same(roles, are_alike, two, plant, action, channel):
    policy = AccessPolicy({**ROLES, **plant}, POLICY_TENANTS)
    one, other = (policy.rights(identity(roles[0 if are_alike else number], *each)) for number, each in enumerate(two))
    roots = [root for found in ROOTS.values() for root in found]
    if one == other:
        assert hash(one) == hash(other)
        for where in (None, *roots, *(place for _, places in two for place in places)):
            assert one.may(action, where).is_allowed == other.may(action, where).is_allowed
    if one.sight == other.sight:
        assert hash(one.sight) == hash(other.sight)
        for each in (channel, *(f"andon/{root}" for root in roots)):
            assert one.sees(each) == other.sees(each)
        assert one.sees_any(channel.partition("/")[0]) == other.sees_any(channel.partition("/")[0])


@given(NAMES, st.permutations(["acme/l1", "acme/l2", "acme/l1/st4"]))
def test_the_order_and_the_excess_of_places_make_no_difference(roles, places):
    policy = AccessPolicy(tenants=POLICY_TENANTS)
    assert policy.rights(identity(roles, "acme", places)) == policy.rights(
        identity(roles, "acme", ("acme/l1", "acme/l2"))
    )


@given(st.lists(CHANNEL_PATTERNS, max_size=4), st.sampled_from(sorted(ROOTS)), ACTIONS, st.sampled_from(KINDS), PATHS)
def test_who_says_no_name_sees_nothing_of_another_tenant_and_does_nothing(channels, tenant, action, kind, path):
    nobody = AccessPolicy(tenants=POLICY_TENANTS, anonymous=Anonymous(tuple(channels), tenant)).anonymous
    assert not nobody.may(action, path).is_allowed or action == "document.read"
    if nobody.sees(f"{kind}/{path}"):
        assert f"{kind}/{path}" == "chain/blocks" or is_inside(path, ROOTS[tenant])


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.lists(PLACES, min_size=1, max_size=2),
            st.lists(st.tuples(KINDS_OF_PLACES, PLACES).map("/".join), max_size=1),
        ),
        min_size=2,
        max_size=3,
    ),
    KINDS_OF_PLACES,
    PLACES,
)
@example([(["acme/line3"], []), (["acme"], [])], "andon", "acme")
@example([(["acme"], ["oee/line3"]), (["line3"], [])], "oee", "line3")
@example([(["acme"], ["oee/acme2/*"]), (["acme2/line3"], [])], "oee", "line3")
def test_whatever_tenants_are_taken_no_place_is_seen_by_two(said, kind, path):
    tenants = [Tenant(f"t{number}", tuple(places), tuple(channels)) for number, (places, channels) in enumerate(said)]
    try:
        policy = AccessPolicy(tenants=tenants)
    except TenantFault:
        return
    everybody = [policy.rights(identity({"admin"}, tenant.name)) for tenant in tenants]
    roots = [place for tenant in tenants for place in tenant.places]
    for where in (path, *roots, *(f"{root}/x" for root in roots)):
        owners = [each for each in everybody if each.reaches(where)]
        assert len(owners) <= 1
        if owners:
            assert [each for each in everybody if each.sees(f"{kind}/{where}")] == owners
            assert [each for each in everybody if each.may("andon.raise", where).is_allowed] == owners
