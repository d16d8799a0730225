"""Who a token says that its bearer is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.access import (
    ROLES,
    ClaimRules,
    Identity,
    Proof,
    TokenFault,
    TokenKind,
    TokenRefused,
    bearer_of,
    check_claims,
    claims_of,
    issuer_of,
    own_rules,
)
from domain.access.claims import PLACES_LIMIT, claim_at

AT = 1_795_240_800.0
RULES = ClaimRules(issuer="https://id.example", audience=frozenset({"andond"}), leeway=30.0)
GOOD = {
    "iss": "https://id.example",
    "aud": ["andond", "account"],
    "sub": "7f3c",
    "exp": AT + 300,
    "iat": AT - 10,
    "nbf": AT - 10,
    "jti": "j1",
    "sid": "s1",
    "typ": "Bearer",
    "preferred_username": "anna",
    "realm_access": {"roles": ["offline_access", "Operator"]},
    "tenant": "acme",
    "places": ["acme/plant1/line3"],
    "department": "press shop",
    "shift": "early",
}


def without(*names: str) -> dict[str, object]:
    return {name: value for name, value in GOOD.items() if name not in names}


def fault_of(claims, rules=RULES, at=AT, **more) -> TokenFault | None:
    try:
        bearer_of(claims, rules, at, **more)
    except TokenRefused as refused:
        return refused.reason
    return None


def test_a_good_token_says_all_that_there_is_to_know():
    assert bearer_of(GOOD, RULES, AT, known=ROLES) == Identity(
        subject="7f3c",
        name="anna",
        roles=frozenset({"operator"}),
        proof=Proof.TOKEN,
        tenant="acme",
        places=("acme/plant1/line3",),
        expires_at=AT + 330,
        token_id="j1",  # noqa: S106 - a name
        session="s1",
        department="press shop",
        shift="early",
        issued_at=AT - 10,
    )


REFUSED = {
    "another issuer": ({"iss": "https://evil.example"}, TokenFault.ISSUER),
    "an issuer in another case": ({"iss": "https://ID.example"}, TokenFault.ISSUER),
    "an issuer with a slash more": ({"iss": "https://id.example/"}, TokenFault.ISSUER),
    "an issuer that is a list": ({"iss": ["https://id.example"]}, TokenFault.ISSUER),
    "no issuer": ({"iss": None}, TokenFault.ISSUER),
    "another audience": ({"aud": "account"}, TokenFault.AUDIENCE),
    "no audience": ({"aud": None}, TokenFault.AUDIENCE),
    "an audience that begins as ours": ({"aud": "andond.evil"}, TokenFault.AUDIENCE),
    "an audience that is an object": ({"aud": {"andond": True}}, TokenFault.AUDIENCE),
    "expired, leeway and all": ({"exp": AT - 30}, TokenFault.EXPIRED),
    "no end": ({"exp": None}, TokenFault.MALFORMED),
    "an end that is a text": ({"exp": "9999999999"}, TokenFault.MALFORMED),
    "an end that is true": ({"exp": True}, TokenFault.MALFORMED),
    "an end that no date has": ({"exp": 1e300}, TokenFault.MALFORMED),
    "an end that no number has": ({"exp": 10**400}, TokenFault.MALFORMED),
    "an end below zero": ({"exp": -1}, TokenFault.MALFORMED),
    "not yet valid": ({"nbf": AT + 31}, TokenFault.NOT_YET_VALID),
    "a beginning that is a text": ({"nbf": "0"}, TokenFault.MALFORMED),
    "issued later": ({"iat": AT + 31}, TokenFault.NOT_YET_VALID),
    "a refresh token": ({"typ": "Refresh"}, TokenFault.NOT_ACCESS),
    "an offline token": ({"typ": "Offline"}, TokenFault.NOT_ACCESS),
    "an ID token of Keycloak": ({"typ": "ID"}, TokenFault.NOT_ACCESS),
    "an ID token of anybody": ({"at_hash": "x"}, TokenFault.NOT_ACCESS),
    "a logout token": ({"typ": "Logout"}, TokenFault.NOT_ACCESS),
    "a kind that nobody knows": ({"token_use": "magic"}, TokenFault.NOT_ACCESS),
    "a kind that is no text": ({"type": 1}, TokenFault.NOT_ACCESS),
    "two kinds": ({"type": "refresh", "typ": "Bearer"}, TokenFault.NOT_ACCESS),
    "no subject": ({"sub": None}, TokenFault.NO_SUBJECT),
    "an empty subject": ({"sub": " "}, TokenFault.NO_SUBJECT),
    "a subject with a line's end": ({"sub": "anna\nadmin"}, TokenFault.NO_SUBJECT),
    "a subject that is a list": ({"sub": ["anna"]}, TokenFault.NO_SUBJECT),
    "a subject without an end": ({"sub": "a" * 257}, TokenFault.NO_SUBJECT),
    "a user who is one no more": ({"is_active": False}, TokenFault.REVOKED),
    "a user who is active by a text": ({"is_active": "true"}, TokenFault.REVOKED),
    "a suspended user": ({"status": "SUSPENDED"}, TokenFault.REVOKED),
    "no role": ({"realm_access": None}, TokenFault.NO_ROLE),
    "an unknown role": ({"realm_access": {"roles": ["root"]}}, TokenFault.NO_ROLE),
    "roles that are no list": ({"realm_access": {"roles": {"admin": True}}}, TokenFault.NO_ROLE),
    "every tenant": ({"tenant": "*"}, TokenFault.ISSUER),
    "two tenants": ({"tenant": ["acme", "globex"]}, TokenFault.ISSUER),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_to_be_taken_is_refused_for_what_it_is(why):
    change, fault = REFUSED[why]
    claims = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    assert fault_of(GOOD, known=ROLES) is None
    assert fault_of(claims, known=ROLES) is fault


def test_times_count_to_the_second_with_their_leeway():
    assert fault_of({**GOOD, "exp": AT}, at=AT + 29.9) is None
    assert fault_of({**GOOD, "exp": AT}, at=AT + 30) is TokenFault.EXPIRED
    assert fault_of({**GOOD, "exp": AT}, replace(RULES, leeway=0), at=AT) is TokenFault.EXPIRED
    assert fault_of({**GOOD, "nbf": AT + 30}) is None
    assert bearer_of({**GOOD, "exp": AT}, RULES, AT + 29).expires_at == AT + 30


def test_an_issuer_that_is_not_named_takes_no_token_that_names_one():
    nameless = ClaimRules()
    bare = without("iss", "aud")
    assert fault_of(bare, nameless) is None
    assert fault_of({**bare, "iss": "https://id.example"}, nameless) is TokenFault.ISSUER
    assert fault_of({**bare, "aud": "somebody"}, nameless) is TokenFault.AUDIENCE
    assert issuer_of(bare) == ""


@pytest.mark.parametrize(
    ("header", "claims", "is_taken"),
    [
        ("JWT", {}, False),
        ("", {}, False),
        ("at+jwt", {}, True),
        ("application/at+jwt", {}, True),
        ("JWT", {"type": "access"}, True),
        ("JWT", {"token_use": "access"}, True),
        ("JWT", {"typ": "Bearer"}, True),
        ("at+jwt", {"type": "refresh"}, False),
        ("logout+jwt", {"typ": "Bearer"}, False),
        ("dpop+jwt", {"typ": "Bearer"}, False),
    ],
)
def test_where_a_type_is_required_the_token_must_say_that_it_opens_doors(header, claims, is_taken):
    rules = replace(RULES, requires_type=True)
    fault = fault_of({**without("typ"), **claims}, rules, type_=header)
    assert fault is (None if is_taken else TokenFault.NOT_ACCESS)


@pytest.mark.parametrize("header", ["refresh+jwt", "logout+jwt", "secevent+jwt"])
def test_a_header_that_names_another_kind_of_token_is_refused_in_any_case(header):
    assert fault_of(without("typ"), type_=header) is TokenFault.NOT_ACCESS


def test_a_refresh_token_is_taken_as_that_and_as_nothing_else():
    assert fault_of({**GOOD, "typ": "Refresh"}, kind=TokenKind.REFRESH) is None
    assert fault_of(GOOD, kind=TokenKind.REFRESH) is TokenFault.NOT_ACCESS
    assert fault_of(without("typ"), kind=TokenKind.REFRESH) is TokenFault.NOT_ACCESS


ROLE_CLAIMS = {
    "Keycloak's realm": ({"realm_access": {"roles": ["viewer", "uma_authorization"]}}, {"viewer"}),
    "Keycloak's client": ({"resource_access": {"andond": {"roles": ["engineer"]}}}, {"engineer"}),
    "another client": ({"resource_access": {"other": {"roles": ["admin"]}}}, set()),
    "a list": ({"roles": ["QUALITY", "viewer", 7, None]}, {"quality", "viewer"}),
    "one word": ({"role": "Shift_Manager"}, {"shift_manager"}),
    "the portal's": ({"role": "ADMIN"}, {"admin"}),
    "all of them": ({"role": "viewer", "roles": ["operator"], "realm_access": {"roles": ["quality"]}},
                    {"viewer", "operator", "quality"}),
    "too many": ({"roles": [f"r{number}" for number in range(500)] + ["admin"]}, set()),
}  # fmt: skip


@pytest.mark.parametrize("where", ROLE_CLAIMS)
def test_roles_are_found_where_issuers_put_them(where):
    change, roles = ROLE_CLAIMS[where]
    claims = {**without("realm_access"), **change}
    if roles:
        assert bearer_of(claims, RULES, AT, known=ROLES).roles == roles
    else:
        assert fault_of(claims, known=ROLES) is TokenFault.NO_ROLE


def test_scopes_are_roles_where_the_rules_say_so():
    rules = replace(RULES, roles=("scope",))
    assert bearer_of({**GOOD, "scope": "openid operator viewer"}, rules, AT, known=ROLES).roles == {
        "operator",
        "viewer",
    }


def test_a_role_that_the_map_does_not_name_counts_for_nothing():
    rules = replace(RULES, roles=("groups",), role_map={"/plant/Leads": "shift_manager"})
    claims = {**GOOD, "groups": ["/plant/leads", "admin"]}
    assert bearer_of(claims, rules, AT, known=ROLES).roles == {"shift_manager"}
    assert fault_of({**GOOD, "groups": ["admin"]}, rules, known=ROLES) is TokenFault.NO_ROLE


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a", {"b.c": {"d": 1}, "b": {"c": {"d": 2, "e": 3}}}),
        ("a.b.c.d", 1),
        ("a.b.c.e", None),
        ("a.x", None),
        ("https://acme.example/roles", ["admin"]),
        ("", None),
        ("list.0", None),
    ],
)
def test_a_way_to_a_claim_finds_names_with_dots_in_them(path, found):
    claims = {
        "a": {"b.c": {"d": 1}, "b": {"c": {"d": 2, "e": 3}}},
        "https://acme.example/roles": ["admin"],
        "list": [1],
    }
    assert claim_at(claims, path) == found


TENANTS = [
    # the rules, what the token says, its tenant or None where it is refused
    ({}, {"tenant": "acme"}, "acme"),
    ({}, {"tenant": ["acme"]}, "acme"),
    ({}, {"tenant": "*"}, None),
    ({"tenants": frozenset({"acme"})}, {"tenant": "acme"}, "acme"),
    ({"tenants": frozenset({"acme"})}, {"tenant": "globex"}, None),
    ({"tenants": frozenset({"acme"})}, {"tenant": "*"}, None),
    ({"tenants": frozenset({"*"})}, {"tenant": "*"}, "*"),
    ({"tenants": frozenset({"*"})}, {"tenant": "globex"}, "globex"),
    ({"tenant": "acme"}, {"tenant": "globex"}, "acme"),
    ({"tenant": "acme"}, {"tenant": "*"}, "acme"),
    ({"tenant_claim": "org.name"}, {"tenant": "globex", "org": {"name": "acme"}}, "acme"),
    ({"tenant_claim": ""}, {"tenant": "acme"}, ""),
    ({}, {"tenant": 7}, ""),
]


@pytest.mark.parametrize(("rules", "claims", "tenant"), TENANTS)
def test_an_issuer_speaks_for_no_tenant_that_it_may_not_speak_for(rules, claims, tenant):
    rules = replace(RULES, **rules)
    if tenant is None:
        assert fault_of({**GOOD, **claims}, rules) is TokenFault.ISSUER
    else:
        assert bearer_of({**GOOD, **claims}, rules, AT).tenant == tenant


def test_a_place_that_is_no_path_is_nobodys_own():
    said = ["acme/line3", "acme/../globex", "acme//x", "*", "", "acme/line3", 7, "/acme/line4"]
    assert bearer_of({**GOOD, "places": said}, RULES, AT).places == ("acme/line3", "acme/line4")
    many = [f"acme/line{number}" for number in range(200)]
    assert len(bearer_of({**GOOD, "places": many}, RULES, AT).places) == PLACES_LIMIT


def test_a_name_that_cannot_be_printed_is_no_name():
    claims = {**GOOD, "preferred_username": "anna\x1b[31m", "username": "an\u202ena", "email": "anna@acme.example"}
    assert bearer_of(claims, RULES, AT).name == "anna@acme.example"
    assert bearer_of(without("preferred_username"), RULES, AT).name == "7f3c"


def test_the_predecessors_tokens_say_who_their_users_are():
    rules = ClaimRules()
    floor = {"user_id": 17, "exp": AT + 1800, "iat": AT, "type": "access", "role": "operator",
             "department": "press shop", "shift": "late", "is_active": True}  # fmt: skip
    found = bearer_of(floor, rules, AT, known=ROLES)
    assert (found.subject, found.roles, found.shift) == ("17", {"operator"}, "late")
    portal = {"sub": "0b1e", "username": "vera", "email": "v@acme.example", "role": "VALIDATOR", "status": "ACTIVE",
              "iat": AT, "exp": AT + 86_400}  # fmt: skip
    found = bearer_of(portal, rules, AT, known=ROLES)
    assert (found.subject, found.name, found.roles) == ("0b1e", "vera", {"validator"})


def test_an_id_token_is_checked_for_the_client_that_asked_for_it():
    claims = {**GOOD, "typ": "ID", "aud": "page"}
    check_claims(claims, RULES, AT, frozenset({"page"}))
    with pytest.raises(TokenRefused) as caught:
        check_claims(claims, RULES, AT)
    assert caught.value.reason is TokenFault.AUDIENCE


names = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
identities = st.builds(
    Identity,
    subject=names,
    name=names,
    roles=st.frozensets(st.sampled_from(sorted(ROLES)), min_size=1),
    proof=st.just(Proof.LOCAL),
    tenant=names | st.sampled_from(["", "*"]),
    places=st.lists(st.sampled_from(["acme/line1", "acme/line2", "globex"]), unique=True).map(tuple),
    expires_at=st.integers(1, 10**6).map(lambda seconds: AT + seconds),
    token_id=names,
    session=names,
    department=names | st.just(""),
    shift=names | st.just(""),
)


@given(identities, st.floats(0, 1, exclude_max=True))
def test_a_token_of_our_own_says_what_was_written_into_it(identity, fraction):
    at = AT + fraction
    claims = claims_of(identity, TokenKind.ACCESS, at, issuer="andond", audience="andond")
    found = bearer_of(claims, own_rules("andond", "andond"), at, type_="JWT", known=ROLES)
    assert found.issued_at == pytest.approx(at, abs=0.0011)
    assert found.issued_at <= at
    assert replace(found, issued_at=None) == identity
    assert claims["role"] in identity.roles
    assert fault_of(claims, own_rules("andond", "andond"), at, kind=TokenKind.REFRESH) is TokenFault.NOT_ACCESS


def test_the_mightiest_role_is_shown_to_clients_that_show_one():
    identity = Identity("1", "a", frozenset({"viewer", "welder", "operator"}), Proof.LOCAL, expires_at=AT + 1)
    claims = claims_of(identity, TokenKind.ACCESS, AT, issuer="andond", audience="andond")
    assert (claims["role"], claims["roles"]) == ("operator", ["operator", "viewer", "welder"])
    with pytest.raises(ValueError, match="ends"):
        claims_of(replace(identity, expires_at=None), TokenKind.ACCESS, AT, issuer="andond", audience="andond")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.dictionaries(st.sampled_from([*GOOD, "user_id", "role", "roles", "status", "is_active"]), values))
def test_whatever_claims_hold_is_taken_or_refused_for_a_reason(change):
    claims = {**GOOD, **change}
    for rules in (RULES, ClaimRules()):
        try:
            found = bearer_of(claims, rules, AT)
        except TokenRefused as refused:
            assert refused.message.isascii()  # noqa: PT017 - a token may as well be taken
            continue
        assert found.subject.isprintable()
        assert found.roles
        assert found.tenant != "*"


def test_no_message_can_end_the_header_that_it_stands_in():
    messages = [TokenRefused(fault).message for fault in TokenFault]
    assert len(set(messages)) == len(TokenFault)
    assert not [each for each in messages if not each.isascii() or '"' in each or "\\" in each or not each]
