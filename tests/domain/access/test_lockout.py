from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.access import ADDRESS_PATIENCE, LOGIN_PACE, USER_PATIENCE, Lockout, Patience, network_of

AT = 1_800_000_000.0
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"


def fail(lockout: Lockout, count: int, user: str = "anna", host: str = ELSEWHERE, at: float = AT) -> None:
    for _ in range(count):
        assert lockout.attempt(user, host, at) == 0


def test_the_first_failures_cost_nothing_and_each_further_one_doubles_the_delay():
    lockout, at = Lockout(), AT
    fail(lockout, USER_PATIENCE.free)
    delays = []
    for _ in range(5):
        delay = lockout.attempt("anna", ELSEWHERE, at)
        delays.append(round(delay))
        at += delay
        assert lockout.attempt("anna", ELSEWHERE, at) == 0
    assert delays == [1, 2, 4, 8, 16]


def test_a_delay_has_an_end_and_is_never_longer_than_the_longest():
    lockout, at, longest = Lockout(), AT, 0.0
    for _ in range(200):
        delay = lockout.attempt("anna", ELSEWHERE, at)
        longest = max(longest, delay)
        at += delay
    assert 256 <= longest <= USER_PATIENCE.longest
    assert lockout.attempt("anna", ELSEWHERE, at + USER_PATIENCE.longest) == 0


def test_guessing_all_day_long_gets_few_guesses():
    lockout, at, guesses = Lockout(), AT, 0
    while at < AT + 86_400:
        delay = lockout.attempt("anna", ELSEWHERE, at)
        guesses += delay == 0
        at += delay
    assert guesses < 200


def test_asking_too_early_makes_nothing_worse():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free)
    assert {lockout.attempt("anna", ELSEWHERE, AT) for _ in range(50)} == {USER_PATIENCE.first}


def test_failures_fade():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free)
    assert lockout.attempt("anna", ELSEWHERE, AT + 5 * USER_PATIENCE.forgives) == 0
    assert lockout.attempt("anna", ELSEWHERE, AT + 5 * USER_PATIENCE.forgives) == 0


@pytest.mark.parametrize("name", ["anna", "nobody-at-all"])
def test_a_name_is_counted_whether_there_is_such_a_user_or_not(name):
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free, name)
    assert lockout.attempt(name, ELSEWHERE, AT) == USER_PATIENCE.first


def test_one_name_s_failures_are_not_another_s():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free)
    assert lockout.attempt("bert", HOME, AT) == 0


def test_an_address_that_tries_many_names_waits_too():
    lockout = Lockout()
    for number in range(ADDRESS_PATIENCE.free):
        assert lockout.attempt(f"user{number}", ELSEWHERE, AT) == 0
    assert lockout.attempt("one-more", ELSEWHERE, AT) == ADDRESS_PATIENCE.first
    assert lockout.attempt("one-more", HOME, AT) == 0


def test_an_account_of_one_s_own_does_not_forgive_an_address_its_guesses():
    lockout, at = Lockout(), AT
    for number in range(ADDRESS_PATIENCE.free - 1):
        fail(lockout, 1, f"user{number}")
        fail(lockout, 1, "mine")
        lockout.succeeded("mine", ELSEWHERE, at)
    fail(lockout, 1, "last")
    assert lockout.attempt("one-more", ELSEWHERE, at) > 0


def test_who_has_logged_in_from_an_address_is_not_kept_out_of_it_by_strangers():
    lockout = Lockout()
    assert lockout.attempt("anna", HOME, AT) == 0
    lockout.succeeded("anna", HOME, AT)
    fail(lockout, USER_PATIENCE.free)
    assert lockout.attempt("anna", ELSEWHERE, AT) > 0
    assert lockout.attempt("anna", HOME, AT) == 0


def test_a_familiar_address_is_held_off_as_well_when_it_guesses():
    lockout = Lockout()
    assert lockout.attempt("anna", HOME, AT) == 0
    lockout.succeeded("anna", HOME, AT)
    fail(lockout, USER_PATIENCE.free, host=HOME)
    assert lockout.attempt("anna", HOME, AT) > 0


def test_a_success_forgives_the_user_s_failures():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free - 1)
    fail(lockout, 1)
    lockout.succeeded("anna", ELSEWHERE, AT)
    fail(lockout, USER_PATIENCE.free)


def test_many_attempts_at_once_are_no_way_around_it():
    lockout = Lockout()
    let = [lockout.attempt("anna", ELSEWHERE, AT) for _ in range(50)]
    assert let.count(0) == USER_PATIENCE.free


def test_an_attempt_that_was_not_looked_at_is_as_if_it_had_not_been():
    lockout = Lockout()
    for _ in range(3 * ADDRESS_PATIENCE.free):
        assert lockout.attempt("anna", ELSEWHERE, AT) == 0
        lockout.undone("anna", ELSEWHERE, AT)


def test_a_user_can_be_forgiven_by_hand():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free)
    lockout.forgive("anna")
    assert lockout.attempt("anna", ELSEWHERE, AT) == 0


def test_what_is_kept_is_bounded_and_the_worst_guesser_is_not_forgotten_for_it():
    lockout = Lockout(address=Patience(10**9, 1, 1, 1), kept=100)
    fail(lockout, USER_PATIENCE.free)
    for number in range(1000):
        lockout.attempt(f"made-up-{number}", f"2001:db8:{number:x}::1", AT)
    assert len(lockout) <= 200
    assert lockout.attempt("anna", HOME, AT) == USER_PATIENCE.first


def test_a_clock_that_goes_back_holds_nobody_off_for_longer_than_the_longest_and_forgives_nobody():
    lockout = Lockout()
    fail(lockout, USER_PATIENCE.free + 0)
    assert lockout.attempt("anna", ELSEWHERE, AT - 1) > 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("local", "local", True),
    ],
)
def test_an_ipv6_address_counts_by_the_bits_that_its_owner_cannot_choose(one, other, same):
    assert (network_of(one) == network_of(other)) is same


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([HOME, ELSEWHERE]), st.floats(0, 3600)), max_size=80))
def test_nobody_waits_longer_than_the_longest_whatever_happened(attempts):
    lockout, at = Lockout(), AT
    for user, host, pause in attempts:
        at += pause
        assert 0 <= lockout.attempt(user, host, at) <= USER_PATIENCE.longest


def test_good_logins_of_one_name_have_a_pace_wherever_they_come_from():
    lockout, done = Lockout(), 0
    for tenth in range(1200):
        host, at = f"192.0.2.{tenth % 4}", AT + tenth / 10
        if lockout.attempt("anna", host, at) == 0:
            lockout.succeeded("anna", host, at)
            done += 1
    assert LOGIN_PACE.free + 50 <= done <= LOGIN_PACE.free + 62
    assert lockout.attempt("bert", HOME, AT + 120) == 0


def test_who_logged_in_too_often_waits_a_moment_and_a_new_password_ends_that_too():
    lockout = Lockout()
    for _ in range(LOGIN_PACE.free):
        assert lockout.attempt("anna", HOME, AT) == 0
        lockout.succeeded("anna", HOME, AT)
    assert lockout.attempt("anna", HOME, AT) == LOGIN_PACE.longest
    lockout.forgive("anna")
    assert lockout.attempt("anna", HOME, AT) == 0


def test_who_has_logged_in_from_an_address_is_familiar_there_for_a_month():
    lockout = Lockout()
    lockout.succeeded("anna", HOME, AT)
    assert lockout.is_familiar("anna", HOME, AT + 29 * 86_400)
    assert not lockout.is_familiar("anna", HOME, AT + 31 * 86_400)
    assert not lockout.is_familiar("anna", ELSEWHERE, AT)
    assert not lockout.is_familiar("bert", HOME, AT)
