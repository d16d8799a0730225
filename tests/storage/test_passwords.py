from __future__ import annotations

import sys

import pytest
from argon2 import PasswordHasher, extract_parameters

from storage import (
    PasswordsMissing,
    can_hash_passwords,
    hash_of_nobody,
    hashed_password,
    password_is_outdated,
    password_matches,
    passwords,
)

PASSWORD = "correct horse battery"  # noqa: S105


@pytest.fixture(scope="module")
def kept():
    return hashed_password(PASSWORD)


def test_a_password_is_kept_as_argon2id_by_parameters_for_a_small_box(kept):
    parameters = extract_parameters(kept)
    assert kept.startswith("$argon2id$v=19$")
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (32 * 1024, 3, 1)
    assert PASSWORD not in kept


def test_only_the_password_itself_matches(kept):
    assert password_matches(kept, PASSWORD)
    assert not password_matches(kept, PASSWORD + " ")
    assert not password_matches(kept, "")
    assert not password_matches(kept, "\ud800")


def test_the_same_password_is_kept_otherwise_each_time(kept):
    assert hashed_password(PASSWORD) != kept


def test_how_a_keyboard_puts_letters_together_makes_no_difference():
    assert password_matches(hashed_password("Zoë's fahrrad steht"), "Zoe\u0308's fahrrad steht")


@pytest.mark.parametrize("nothing", ["", "x", "$argon2id$v=19$m=1", "$2b$12$abcdefghijklmnopqrstuv", "\x00"])
def test_nothing_matches_what_is_no_hash(nothing):
    assert not password_matches(nothing, PASSWORD)


def test_no_password_is_that_of_nobody_who_is_hashed_as_everybody():
    assert hash_of_nobody() is hash_of_nobody()
    assert not password_is_outdated(hash_of_nobody())
    assert not password_matches(hash_of_nobody(), PASSWORD)


def test_a_hash_by_weaker_parameters_is_outdated_and_still_good(kept):
    old = PasswordHasher(1, 8 * 1024, 1).hash(PASSWORD)
    assert password_matches(old, PASSWORD)
    assert password_is_outdated(old)
    assert not password_is_outdated(kept)


def test_without_the_library_it_is_said_what_mends_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "argon2", None)
    passwords._hasher.cache_clear()
    assert not can_hash_passwords()
    with pytest.raises(PasswordsMissing, match=r"pip install 'andond\[auth\]'"):
        hashed_password(PASSWORD)
    monkeypatch.undo()
    passwords._hasher.cache_clear()
    assert can_hash_passwords()
