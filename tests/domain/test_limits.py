from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain import Allotment, Allotments, Excess, Holder, Metered, Rate, Throttle, address_key
from domain.limits import Bucket

AT = 1_000.0
TEN = Rate(10.0, 20.0)


def throttle(counts=None, rates=None, own=None, remembered=1024, holder=Holder.ADDRESS):
    """Limits of ``holder``, and those of a connection of its ``own``."""
    of = {holder: Allotment(counts or {}, rates or {}), Holder.CONNECTION: Allotment({}, own or {})}
    return Throttle(Allotments(of, remembered))


# -- buckets ----------------------------------------------------------------------------------------------------------


def test_a_new_bucket_is_full():
    bucket = Bucket()
    assert bucket.wait(TEN, 20, AT) == 0.0
    assert bucket.take(TEN, 20, AT) == 0.0
    assert bucket.wait(TEN, 1, AT) == pytest.approx(0.1)


def test_it_fills_at_its_rate_and_not_beyond_its_burst():
    bucket = Bucket()
    bucket.take(TEN, 20, AT)
    assert bucket.wait(TEN, 10, AT + 1) == 0.0
    assert bucket.wait(TEN, 20, AT + 1000) == 0.0
    bucket.take(TEN, 20, AT + 1000)
    assert bucket.wait(TEN, 1, AT + 1000) > 0.0


def test_what_is_taken_in_any_case_is_a_debt_with_a_time():
    assert Bucket().take(TEN, 50, AT) == pytest.approx(3.0)


def test_what_costs_more_than_a_burst_waits_for_a_full_bucket_and_not_for_ever():
    bucket = Bucket()
    assert bucket.wait(TEN, 1000, AT) == 0.0
    bucket.take(TEN, 20, AT)
    assert bucket.wait(TEN, 1000, AT) == pytest.approx(2.0)


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing():
    bucket = Bucket()
    bucket.take(TEN, 15, AT)
    assert bucket.wait(TEN, 5, AT - 3600) == 0.0
    assert bucket.wait(TEN, 6, AT - 3600) == pytest.approx(0.1)
    assert bucket.wait(TEN, 6, AT - 3599) == 0.0


@settings(max_examples=300)
@given(st.lists(st.tuples(st.floats(0, 5), st.floats(0.1, 30)), max_size=60))
def test_over_any_time_no_more_is_given_than_a_burst_and_the_rate(steps):
    bucket, at, given_out = Bucket(), AT, 0.0
    for passed, cost in steps:
        at += passed
        if cost <= TEN.burst and not bucket.wait(TEN, cost, at):
            bucket.take(TEN, cost, at)
            given_out += cost
        assert given_out <= TEN.burst + (at - AT) * TEN.per_second + 1e-6


# -- rates that are shared --------------------------------------------------------------------------------------------


def test_connections_of_one_address_share_its_rate_and_others_notice_nothing():
    limits = throttle(rates={Metered.COMMANDS: TEN})
    one, two, other = limits.allow("10.0.0.7"), limits.allow("10.0.0.7"), limits.allow("10.0.0.8")
    assert [allowance.command(10, AT) for allowance in (one, two)] == [None, None]
    assert two.command(1, AT) == Excess(Holder.ADDRESS, Metered.COMMANDS, 10.0, pytest.approx(0.1))
    assert other.command(10, AT) is None


def test_an_address_without_limits_is_not_even_remembered():
    limits = throttle(rates={Metered.COMMANDS: TEN})
    free = limits.allow("")
    assert all(free.command(100, AT) is None for _ in range(100))
    assert limits.size == 0


def test_who_is_stopped_by_the_users_limit_costs_its_address_nothing():
    limits = Throttle(
        Allotments(
            {
                Holder.ADDRESS: Allotment({}, {Metered.COMMANDS: TEN}),
                Holder.USER: Allotment({}, {Metered.COMMANDS: Rate(1, 1)}),
            }
        )
    )
    hasty, calm = limits.allow("a"), limits.allow("a")
    hasty.identify("ada", "")
    assert hasty.command(1, AT) is None
    for _ in range(100):
        assert hasty.command(1, AT).holder is Holder.USER
    assert calm.command(19, AT) is None


def test_a_request_of_a_user_counts_for_the_user_wherever_it_comes_from():
    limits = throttle(rates={Metered.COMMANDS: Rate(1, 2)}, holder=Holder.USER)
    one, two = limits.allow("a"), limits.allow("b")
    assert [one.request("ada", "", AT), two.request("ada", "", AT)] == [None, None]
    assert one.request("ada", "", AT).words == "this user may have 1 commands a second; slow down"
    assert one.request("bob", "", AT) is None


def test_bytes_are_paid_by_waiting_for_whichever_limit_is_slower():
    limits = throttle(rates={Metered.BYTES: Rate(100, 100)}, own={Metered.BYTES: Rate(10, 100)})
    allowance = limits.allow("a")
    assert allowance.read(100, AT) == 0.0
    assert allowance.read(50, AT) == pytest.approx(5.0)
    assert limits.allow("a").read(50, AT) == pytest.approx(1.0)


def test_other_limits_hold_from_the_moment_that_they_are_put_in_force():
    limits = throttle(rates={Metered.COMMANDS: TEN})
    allowance = limits.allow("a")
    assert allowance.command(20, AT) is None
    limits.limits = Allotments({Holder.ADDRESS: Allotment({}, {Metered.COMMANDS: Rate(1000, 2000)})})
    assert allowance.command(20, AT + 0.1) is None


# -- what a connection has of its own ---------------------------------------------------------------------------------


def test_a_flood_is_said_once_the_burst_is_used_up():
    limits = throttle(own={Metered.FRAMES: TEN, Metered.MESSAGES: Rate(1, 2)})
    allowance = limits.allow()
    assert [allowance.frames(10, AT) for _ in range(2)] == [None, None]
    assert allowance.frames(1, AT).kind is Metered.FRAMES
    assert limits.allow().frames(20, AT) is None, "another connection has its own"
    assert [allowance.message(AT), allowance.message(AT)] == [None, None]
    assert allowance.message(AT).kind is Metered.MESSAGES


# -- counts -----------------------------------------------------------------------------------------------------------


def test_a_user_has_as_many_connections_as_it_may_and_gives_them_back():
    limits = throttle(counts={Metered.CONNECTIONS: 2}, holder=Holder.USER)
    held = [limits.allow() for _ in range(3)]
    assert [each.identify("ada", "") for each in held[:2]] == [None, None]
    assert held[2].identify("ada", "").words == "this user has 2 connections, all that one may have; end some first"
    assert held[2].identify("bob", "") is None
    held[0].end()
    assert limits.allow().identify("ada", "") is None


def test_who_shows_a_new_token_of_the_same_user_counts_once():
    limits = throttle(counts={Metered.CONNECTIONS: 1}, holder=Holder.USER)
    allowance = limits.allow()
    assert [allowance.identify("ada", "acme") for _ in range(3)] == [None, None, None]


def test_who_may_not_become_another_stays_who_it_was():
    limits = throttle(counts={Metered.CONNECTIONS: 1}, holder=Holder.USER)
    ada, bob = limits.allow(), limits.allow()
    assert (ada.identify("ada", ""), bob.identify("bob", "")) == (None, None)
    assert bob.identify("ada", "").kind is Metered.CONNECTIONS
    assert limits.allow().identify("bob", "").kind is Metered.CONNECTIONS, "bob's place is still held"
    bob.end()
    assert limits.allow().identify("bob", "") is None


def test_subscriptions_of_one_address_add_up_and_one_channel_counts_once():
    limits = throttle(counts={Metered.SUBSCRIPTIONS: 2})
    one, two = limits.allow("a"), limits.allow("a")
    assert [one.follow("x"), one.follow("x"), two.follow("x")] == [None, None, None]
    assert two.follow("y").kind is Metered.SUBSCRIPTIONS
    assert two.room().kind is Metered.SUBSCRIPTIONS
    one.leave("x")
    one.leave("never")
    assert two.follow("y") is None


def test_subscriptions_go_with_the_user_that_the_connection_becomes():
    limits = throttle(counts={Metered.SUBSCRIPTIONS: 2}, holder=Holder.USER)
    one, two = limits.allow(), limits.allow()
    one.identify("ada", "")
    one.follow("x")
    one.follow("y")
    two.identify("ada", "")
    assert two.follow("z").holder is Holder.USER
    one.identify("bob", "")
    assert two.follow("z") is None


# -- memory -----------------------------------------------------------------------------------------------------------


def test_fifty_thousand_addresses_take_no_more_memory_than_those_that_are_remembered():
    limits = throttle(rates={Metered.HANDSHAKES: TEN}, remembered=1000)
    tracemalloc.start()
    for number in range(2000):
        limits.allow(f"a{number}").handshake(AT)
    few = tracemalloc.get_traced_memory()[0]
    for number in range(50_000):
        limits.allow(f"b{number}").handshake(AT)
    many = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert limits.size == 1000
    assert many < few * 1.2


def test_a_busy_address_is_not_forgotten_among_many_quiet_ones():
    limits = throttle(rates={Metered.HANDSHAKES: Rate(0.001, 10)}, remembered=1000)
    busy = limits.allow("busy")
    for _ in range(10):
        assert busy.handshake(AT) is None
    for number in range(10_000):
        limits.allow(f"a{number}").handshake(AT)
        if number % 500 == 0:
            assert busy.handshake(AT) is not None


class Counting(RuleBasedStateMachine):
    """Whatever connections do, nothing is held once all of them are over, and no limit is passed meanwhile."""

    LIMIT = 3

    def __init__(self):
        super().__init__()
        counts = {Metered.CONNECTIONS: self.LIMIT, Metered.SUBSCRIPTIONS: self.LIMIT}
        self.limits = throttle(counts=counts, holder=Holder.USER)
        self.open = [self.limits.allow("a") for _ in range(6)]
        self.users = [""] * 6
        self.followed = [set() for _ in range(6)]

    @rule(index=st.integers(0, 5), user=st.sampled_from(["", "ada", "bob"]))
    def identify(self, index, user):
        if self.open[index].identify(user, "") is None:
            self.users[index] = user

    @rule(index=st.integers(0, 5), channel=st.sampled_from("xyz"))
    def follow(self, index, channel):
        if self.open[index].follow(channel) is None:
            self.followed[index].add(channel)

    @rule(index=st.integers(0, 5), channel=st.sampled_from("xyz"))
    def leave(self, index, channel):
        self.open[index].leave(channel)
        self.followed[index].discard(channel)

    @rule(index=st.integers(0, 5))
    def end(self, index):
        self.open[index].end()
        self.open[index] = self.limits.allow("a")
        self.users[index] = ""
        self.followed[index] = set()

    @invariant()
    def no_limit_is_passed(self):
        for user in ("ada", "bob"):
            mine = [index for index in range(6) if self.users[index] == user]
            assert len(mine) <= self.LIMIT
            assert sum(len(self.followed[index]) for index in mine) <= self.LIMIT

    def teardown(self):
        for each in self.open:
            each.end()
        assert self.limits.size == 0


TestCounting = Counting.TestCase


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("local", "local"),
        ("not:an:address", "not:an:address"),
    ],
)
def test_an_address_is_an_ipv4_address_or_an_ipv6_network(host, key):
    assert address_key(host) == key
