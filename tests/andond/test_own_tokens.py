from __future__ import annotations

import pytest

from andond.own_tokens import own_tokens, roles_known
from config import AccessSettings, OwnTokenSettings, RoleSettings, Secret
from domain.access import Family, SessionTerms, TokenKind, TokenRefused, User, Why, ended, identity_of
from storage import Users
from storage.users import NAME
from transport import TokenVerifier, mint

AT = 1_800_000_000.0
OWN = OwnTokenSettings()


def made(directory, own: OwnTokenSettings = OWN, access: AccessSettings | None = None):
    known = roles_known(lambda: access or AccessSettings())
    verifier = TokenVerifier(known=known)
    return own_tokens(directory, own, verifier, known)


def issued(tokens, role: str = "viewer", kind: TokenKind = TokenKind.ACCESS) -> str:
    identity = identity_of(User("u1", "anna", (role,)), Family("f1", "u1", AT, AT), AT, SessionTerms())
    return tokens.issuer.issue(identity, kind, AT)


def is_taken(tokens, token: str) -> bool:
    try:
        tokens.verifier.verify(token, AT)
    except TokenRefused:
        return False
    return True


def test_tokens_are_good_after_a_restart_with_the_same_directory_and_with_no_other(tmp_path):
    token = issued(made(tmp_path / "a"))
    assert is_taken(made(tmp_path / "a"), token)
    assert not is_taken(made(tmp_path / "b"), token)


def test_a_configured_secret_signs_in_place_of_a_made_one(tmp_path):
    own = OwnTokenSettings(secret=Secret("a secret of at least thirty-two bytes"))
    assert is_taken(made(tmp_path / "b", own), issued(made(tmp_path / "a", own)))
    assert not (tmp_path / "a" / NAME).exists()


def test_without_a_directory_a_key_lives_as_long_as_the_process():
    tokens = made(None)
    assert is_taken(tokens, issued(tokens))
    assert not is_taken(made(None), issued(tokens))


def test_a_file_that_cannot_be_read_lets_nobody_in_who_logged_in_before(tmp_path):
    token = issued(made(tmp_path))
    (tmp_path / NAME).write_bytes(b"nonsense" * 1000)
    assert not is_taken(made(tmp_path), token)


@pytest.mark.parametrize("kind", TokenKind)
def test_a_role_of_the_configuration_is_known_in_both_kinds_of_token(kind):
    access = AccessSettings(roles={"Painter": RoleSettings(does=("andon.raise",))})
    tokens = made(None, access=access)
    token = issued(tokens, "painter", kind)
    read = tokens.verifier.verify if kind is TokenKind.ACCESS else tokens.issuer.renewing
    assert read(token, AT).roles == {"painter"}


def test_what_is_taken_back_is_not_taken():
    tokens = made(None)
    token = issued(tokens)
    tokens.revocations.revoke(ended(Family("f1", "u1", AT, AT), Why.LOGOUT, AT).row, AT)
    assert not is_taken(tokens, token)


def test_on_a_box_without_the_libraries_no_token_is_taken_and_none_raises_anything_else(tmp_path, monkeypatch):
    token = issued(made(tmp_path))
    monkeypatch.setattr(mint, "has_libraries", lambda: False)
    assert not is_taken(made(tmp_path), token)


def test_what_was_installed_while_it_ran_is_enough_for_tokens_to_be_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(mint, "has_libraries", lambda: False)
    tokens = made(tmp_path)
    forged = issued(made(tmp_path / "other"))
    assert not is_taken(tokens, forged)
    monkeypatch.undo()
    assert is_taken(tokens, issued(tokens))
    assert not is_taken(tokens, forged)


def test_what_was_taken_back_is_not_taken_after_a_restart_before_anybody_looks(tmp_path):
    token = issued(made(tmp_path))
    users = Users.open(tmp_path)
    users.withdraw(ended(Family("f1", "u1", AT, AT), Why.LOGOUT, AT))
    users.close()
    assert not is_taken(made(tmp_path), token)
