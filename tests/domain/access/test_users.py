from __future__ import annotations

import pytest

from domain.access import Family, Proof, SessionTerms, User, email_fault, folded, identity_of, name_fault, weakness

AT = 1_800_000_000.0


@pytest.mark.parametrize("name", ["anna", "Zoë", "a.b-c_d+e", "x" * 64, "7of9", "Ян"])
def test_what_may_be_a_name(name):
    assert name_fault(name) == ""


@pytest.mark.parametrize("name", ["", "a b", "a@b", "-a", ".a", "x" * 65, "a\n", "a\x00", "a/b", 'a"b'])
def test_what_may_not_be_a_name(name):
    assert name_fault(name) != ""


@pytest.mark.parametrize(("email", "is_good"), [("", True), ("a@b.example", True), ("a", False), ("a b@c", False)])
def test_an_address_is_one_or_there_is_none(email, is_good):
    assert (email_fault(email) == "") is is_good


@pytest.mark.parametrize(("one", "other"), [("Anna", "ANNA"), ("Zoë", "Zoe\u0308"), (" anna ", "anna"), ("ﬁn", "FIN")])
def test_names_are_compared_without_case_and_without_how_letters_are_made(one, other):
    assert folded(one) == folded(other)


@pytest.mark.parametrize(
    "password",
    ["correct horse battery", "Tr0ub4dor&3xyz", "kaffee im regen", "日本語のパスワードです長い", "nvKXe2-3_qLw8pRz1sT"],
)
def test_what_is_strong_enough(password):
    assert weakness(password, "anna") == ""


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "aaaaaaaaaaaaaaaa",
        "abababababab",
        "password1234",
        "Password2026!",
        "123456789012",
        "qwertyuiop12",
        "annaannaanna",
        "AnnaSmith2026",
        "admin-admin-1",
        "x" * 1025,
    ],
)
def test_what_is_guessed_first_is_too_weak(password):
    assert weakness(password, "anna", "anna.smith@example.com".replace("anna.", "")) != ""


def test_the_shortest_can_be_made_longer():
    assert weakness("correct horse", "anna", shortest=20) == "a password has at least 20 characters"


def test_what_is_said_of_a_weak_password_holds_nothing_of_it():
    assert "hunter2" not in weakness("hunter2", "anna")


def test_who_acts_is_who_the_user_is_and_for_as_long_as_a_token_lives():
    user = User("u1", "anna", ("Operator", "quality"), tenant="acme", places=("acme/p1",), department="d", shift="s")
    identity = identity_of(user, Family("f1", "u1", AT, AT), AT, SessionTerms())
    assert (identity.subject, identity.name, identity.proof) == ("u1", "anna", Proof.LOCAL)
    assert identity.issuer == "andond"
    assert identity.roles == {"operator", "quality"}
    assert (identity.tenant, identity.places, identity.department, identity.shift) == ("acme", ("acme/p1",), "d", "s")
    assert (identity.expires_at, identity.token_id, identity.session) == (AT + 1800, "f1.1", "f1")


def test_no_access_token_outlives_its_login():
    identity = identity_of(User("u1", "anna", ()), Family("f1", "u1", AT, AT), AT + 7 * 86_400 - 60, SessionTerms())
    assert identity.expires_at == AT + 7 * 86_400
