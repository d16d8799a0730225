"""Tenants, and the small rules below them: patterns, places, realms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import Tenant, TenantFault, Tenants, fits, tenant_faults
from domain.access.grants import fewest, fits_any, meet
from domain.access.places import common, is_path, path_of, place_of, topmost

PATTERNS = (
    st.lists(st.sampled_from("ab/"), max_size=4).map("".join).flatmap(lambda text: st.sampled_from([text, f"{text}*"]))
)
TEXTS = st.lists(st.sampled_from("ab/"), max_size=6).map("".join)


@pytest.mark.parametrize(
    ("pattern", "name", "is_fit"),
    [
        ("andon.raise", "andon.raise", True),
        ("andon.raise", "andon.raised", False),
        ("andon.*", "andon.raise", True),
        ("andon.*", "andonx.raise", False),
        ("*", "anything", True),
        ("*", "", True),
        ("a*c", "abc", False),
        ("a*c", "a*c", True),
        ("", "", True),
        ("", "x", False),
        ("Andon.*", "andon.raise", False),
    ],
)
def test_a_pattern_is_a_name_or_the_beginning_of_names(pattern, name, is_fit):
    assert fits(pattern, name) is is_fit


@given(PATTERNS, PATTERNS, TEXTS)
def test_two_patterns_meet_where_a_name_could_be_both(one, other, name):
    assert meet(one, other) == meet(other, one)
    if fits(one, name) and fits(other, name):
        assert meet(one, other)
    if meet(one, other):
        longer = max(one, other, key=lambda pattern: len(pattern.rstrip("*"))).rstrip("*")
        assert fits(one, longer)
        assert fits(other, longer)


@given(st.lists(PATTERNS, max_size=5), st.lists(PATTERNS, max_size=2), TEXTS)
def test_the_fewest_patterns_say_the_same(patterns, besides, name):
    few = fewest(patterns, besides)
    assert set(few) <= set(patterns)
    assert fits_any([*few, *besides], name) == fits_any([*patterns, *besides], name)


@pytest.mark.parametrize("text", ["acme", "acme/plant1", "a.b/c:d@e+f~g/-h", "...", "x" * 256])
def test_a_path_is_names_with_slashes_between(text):
    assert is_path(text)
    assert path_of(f"/{text}") == path_of(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "/", "//acme", "acme/", "acme//x", ".", "..", "acme/..", "../acme", "acme/./x", "a b", "a*", "ä", "x" * 257],
)
def test_what_is_no_path_is_within_nothing(text):
    assert not is_path(text)
    assert place_of(text, ["acme", "", "x", text]) is None
    assert topmost([text]) == ()


def test_places_are_told_by_those_that_are_on_top():
    assert topmost(["/acme/l1", "acme/l1/st4", "bolt", "acme/l10", ""]) == ("acme/l1", "acme/l10", "bolt")


@pytest.mark.parametrize(
    ("places", "roots", "both"),
    [
        (["acme/l1"], ["acme"], ("acme/l1",)),
        (["acme"], ["acme/l1", "acme/l2", "bolt"], ("acme/l1", "acme/l2")),
        (["acme2"], ["acme"], ()),
        (["acme", "acme/l1"], ["acme"], ("acme",)),
        ([], ["acme"], ()),
        (["acme"], [], ()),
        ([""], ["acme"], ()),
    ],
)
def test_what_two_lists_of_places_have_in_common(places, roots, both):
    assert common(places, roots) == both
    assert common(roots, places) == both


# --- tenants


@pytest.mark.parametrize(
    ("tenants", "faults"),
    [
        ([Tenant("a", ("acme",)), Tenant("b", ("acme2",))], []),
        ([Tenant("a", (), ("chain/*",)), Tenant("b", ("acme",), ("chain/*",))], []),
        ([Tenant("a", ("acme",), ("sources/gateway",)), Tenant("b", ("bolt",))], []),
        ([Tenant("a", ("acme", "acme/l1"))], []),
        ([Tenant("a", ("acme",)), Tenant("b", ("acme",))], ["b"]),
        ([Tenant("a", ("acme",)), Tenant("b", ("/acme/l1",))], ["b"]),
        ([Tenant("a", ("acme/l1",)), Tenant("b", ("acme",))], ["b"]),
        ([Tenant("a", ("acme",)), Tenant("a", ("bolt",))], ["a"]),
        ([Tenant("a", ("acme",), ("andon/bolt/*",)), Tenant("b", ("bolt",))], ["a"]),
        ([Tenant("a", ("acme",), ("andon/bolt",)), Tenant("b", ("bolt",))], ["a"]),
        ([Tenant("a", ("acme",), ("andon/*",)), Tenant("b", ("bolt",))], ["a"]),
        ([Tenant("a", ("acme",), ("andon/bolt/l1",)), Tenant("b", ("bolt/l2",))], []),
        ([Tenant("a", ("acme",), ("*",)), Tenant("b", ("bolt",))], ["a"]),
        ([Tenant("a", ())], ["a"]),
        ([Tenant("a", ("..",))], ["a"]),
        ([Tenant("*", ("acme",))], ["*"]),
        ([Tenant("", ("acme",))], [""]),
    ],
)
def test_tenants_are_apart(tenants, faults):
    assert [fault.tenant for fault in tenant_faults(tenants)] == faults
    if faults:
        with pytest.raises(TenantFault):
            Tenants(tenants)
    else:
        assert list(Tenants(tenants)) == [tenant.name for tenant in tenants]


def test_a_realm_is_what_is_of_a_tenant():
    tenants = Tenants([Tenant("a", ("acme",), ("chain/*", "sources/gateway")), Tenant("b", ("bolt",))])
    realm = tenants.realm("a")
    assert (realm.has("acme/l1"), realm.has("/acme"), realm.has("bolt"), realm.has(None)) == (True, True, False, False)
    assert (realm.shows("chain/blocks"), realm.shows("portal/tps"), realm.shows("sources/gateway")) == (
        True,
        False,
        True,
    )
    assert not realm.has_everything
    assert realm.words == "tenant a"


def test_there_is_one_realm_of_everything_for_who_is_of_all_tenants_and_where_there_are_none():
    for realm in (Tenants().realm(""), Tenants().realm("a"), Tenants([Tenant("a", ("acme",))]).realm("*")):
        assert realm.has_everything
        assert realm.has(None)
        assert realm.has("anywhere")
        assert realm.lack == ""


@pytest.mark.parametrize("name", ["", "A", "a ", "b", "*a", "a*"])
def test_who_names_no_tenant_that_is_there_has_nothing(name):
    realm = Tenants([Tenant("a", ("acme",))]).realm(name)
    assert realm.lack
    assert not realm.has("acme")
    assert not realm.has(None)
    assert not realm.shows("andon/acme")
