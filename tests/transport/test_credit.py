"""How much may be in flight, for a client that returns credit by itself and for one that answers Pings."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from transport.credit import FIRST_WINDOW, LEAST_WINDOW, PATIENCE, GivenCredit, PingedCredit

LIMIT = 32 * 1024


class Link:
    """A client behind a link of ``rate`` bytes a second that is ``delay`` seconds long; always more to send."""

    def __init__(self, rate: float, delay: float, limit: int = LIMIT, size: int = 250) -> None:
        self.rate = rate
        self.delay = delay
        self.size = size
        self.credit = PingedCredit(limit)
        self.now = 0.0
        self.sent = 0
        self._left = 0
        self._starved = False
        self._drained_at = 0.0
        self._pongs: list[tuple[float, int, bytes]] = []
        self._numbers = count()

    def run(self, seconds: float) -> Iterator[float]:
        """How long a critical frame would have waited behind each frame that goes."""
        end = self.now + seconds
        while self.now < end:
            if not self._starved:
                self._send()
                yield self._drained_at - self.now
                continue
            # Otherwise nothing is left that could wake it.
            assert self._pongs, "starved, and no Ping is out"
            self.now, _, token = heapq.heappop(self._pongs)
            self._left = self.credit.returned(token, self.now, self._left)
            self._starved = self._left <= 0

    def _send(self) -> None:
        self._left -= self.size
        self.sent += self.size
        self._drained_at = max(self._drained_at, self.now) + self.size / self.rate
        if self._left < 0:
            token = self.credit.spend(self._left, self.now)
            self._left = self.credit.left
            self._starved = self._left <= 0
            heapq.heappush(self._pongs, (self._drained_at + self.delay, next(self._numbers), token))


def exchange(credit: PingedCredit, left: int, size: int, at: float, delay: float) -> int:
    """Spend ``size`` bytes at ``at`` and have their Pong back after ``delay``."""
    token = credit.spend(left - size, at)
    return credit.returned(token, at + delay, credit.left)


# -- clients that answer Pings -----------------------------------------------------------------------------------


def test_the_first_frame_asks_at_once():
    credit = PingedCredit(LIMIT)
    assert credit.left == 0
    assert credit.room(credit.left) == FIRST_WINDOW


def test_the_window_begins_no_larger_than_its_limit():
    assert PingedCredit(4096).window == 4096


def test_the_first_pong_tells_the_delay_of_the_link_and_grows_nothing():
    credit = PingedCredit(LIMIT)
    exchange(credit, 0, 250, 0.0, 0.001)
    assert credit.window == FIRST_WINDOW


def test_the_window_grows_to_its_limit_while_pongs_come_quickly():
    link = Link(rate=100e6, delay=0.001)
    windows = [link.credit.window for _ in link.run(0.1)]
    assert windows == sorted(windows)
    assert windows[-1] == LIMIT


def test_a_long_link_does_not_count_as_a_slow_client():
    link = Link(rate=100e6, delay=0.3)
    for _ in link.run(10.0):
        pass
    assert link.credit.window == LIMIT


@pytest.mark.parametrize("delay", [0.001, 0.1])
@pytest.mark.parametrize("rate", [16 * 1024, 64 * 1024, 128 * 1024])
def test_a_slow_client_has_in_flight_what_it_drains_in_patience_and_is_kept_busy(rate, delay):
    link = Link(rate, delay)
    for _ in link.run(5.0):
        pass
    before = link.sent
    # For a long time, and never empty: the queue must not become the measure of the link.
    worst = max(link.run(600.0))
    assert worst < 1.5 * PATIENCE
    assert (link.sent - before) / 600.0 > 0.7 * rate


def test_a_very_slow_client_has_little_more_than_the_least_window_in_flight():
    link = Link(rate=1024.0, delay=0.05)
    for _ in link.run(60.0):
        pass
    assert max(link.run(600.0)) < 1.7 * LEAST_WINDOW / 1024.0


def test_no_client_begins_with_more_than_the_first_window_in_flight():
    assert max(Link(rate=1024.0, delay=0.05).run(60.0)) < (FIRST_WINDOW + 2 * 250) / 1024.0


def test_the_window_follows_a_client_that_becomes_slow_and_quick_again():
    link = Link(rate=100e6, delay=0.001)
    for rate, least, most in ((100e6, LIMIT, LIMIT), (32 * 1024.0, LEAST_WINDOW, 6000), (100e6, LIMIT, LIMIT)):
        link.rate = rate
        for _ in link.run(5.0):
            pass
        assert least <= link.credit.window <= most


def test_a_link_that_has_become_long_is_not_taken_for_a_slow_client_for_ever():
    link = Link(rate=100e6, delay=0.005)
    for _ in link.run(5.0):
        pass
    link.delay = 0.4
    for _ in link.run(120.0):
        pass
    assert link.credit.window == LIMIT


def test_a_pause_of_the_client_is_forgotten_when_it_is_over():
    link = Link(rate=100e6, delay=0.005)
    for _ in link.run(5.0):
        pass
    link.delay = 3.0
    for _ in link.run(3.0):
        pass
    link.delay = 0.005
    for _ in link.run(6.0):
        pass
    assert link.credit.window == LIMIT


@pytest.mark.parametrize("token", [b"", b"\0" * 4, b"\xff" * 4, b"\0\0\0\x09", b"\0" * 100 + b"\x07", b"x"])
def test_a_pong_that_nobody_asked_for_returns_nothing(token):
    credit = PingedCredit(LIMIT)
    credit.spend(-5000, 0.0)
    left, room = credit.left, credit.room(credit.left)
    assert credit.returned(token, 1.0, left) == left
    assert credit.room(left) == room


def test_a_pong_that_comes_twice_returns_once():
    credit = PingedCredit(LIMIT)
    token = credit.spend(-5000, 0.0)
    left = credit.returned(token, 0.01, credit.left)
    room = credit.room(left)
    assert credit.returned(token, 0.02, left) == left
    assert credit.room(left) == room


def test_a_pong_returns_all_that_went_before_its_ping_and_an_older_one_nothing_more():
    credit = PingedCredit(LIMIT)
    first = credit.spend(-2000, 0.0)
    second = credit.spend(credit.left - 2000, 0.0)
    assert credit.room(credit.left) == FIRST_WINDOW - 4000
    left = credit.returned(second, 0.01, credit.left)
    assert credit.room(left) == credit.window
    assert credit.returned(first, 0.02, left) == left
    assert credit.room(left) == credit.window


def test_a_pong_returns_nothing_that_went_behind_its_ping():
    credit = PingedCredit(FIRST_WINDOW)
    token = credit.spend(-2000, 0.0)
    left = credit.returned(token, 0.01, credit.left - 300)
    assert credit.room(left) == FIRST_WINDOW - 300


def test_the_newest_ping_that_is_out_can_be_asked_again():
    credit = PingedCredit(LIMIT)
    assert credit.asked is None
    first = credit.spend(-2000, 0.0)
    second = credit.spend(credit.left - 2000, 0.0)
    assert credit.asked == second
    credit.returned(first, 0.1, credit.left)
    assert credit.asked == second
    credit.returned(second, 0.1, credit.left)
    assert credit.asked is None


@pytest.mark.parametrize("is_marked", [False, True])
def test_what_does_not_go_after_all_costs_nothing(is_marked):
    credit = PingedCredit(LIMIT)
    left = exchange(credit, 0, 250, 0.0, 0.001)
    room = credit.room(left)
    left -= 3000
    token = None
    if is_marked:
        token = credit.spend(left, 1.0)
        left = credit.left
    left = credit.unspend(left, 2000, is_marked=is_marked)
    assert credit.room(left) == room - 1000
    if token is not None:
        left = credit.returned(token, 1.001, left)
        assert credit.room(left) == credit.window


class CreditAgainstFlight(RuleBasedStateMachine):
    """What the credit lets go, in any order of frames and Pongs, against a list of what is really in flight."""

    @initialize(limit=st.sampled_from([1024, 4096, 5000, LIMIT]))
    def begin(self, limit):
        self.credit = PingedCredit(limit)
        self.limit = limit
        self.left = 0
        self.now = 0.0
        self.is_starved = False
        # Sizes of frames, and tokens of Pings between them, in the order they went.
        self.flight: list[int | bytes] = []
        self.answered: list[bytes] = []
        self.largest = 0

    @precondition(lambda self: not self.is_starved)
    @rule(size=st.integers(1, 6000))
    def send(self, size):
        self.largest = max(self.largest, size)
        self.left -= size
        self.flight.append(size)
        if self.left < 0:
            self.flight.append(self.credit.spend(self.left, self.now))
            self.left = self.credit.left
            self.is_starved = self.left <= 0

    @precondition(lambda self: not self.is_starved)
    @rule(size=st.integers(1, 6000), gone=st.floats(0, 1))
    def send_a_batch_that_the_socket_takes_a_part_of(self, size, gone):
        if self.credit.room(self.left) < size:
            return
        kept = int(size * gone)
        self.left -= size
        token = None
        if self.left < 0:
            token = self.credit.spend(self.left, self.now)
            self.left = self.credit.left
        self.left = self.credit.unspend(self.left, size - kept, is_marked=token is not None)
        self.flight += [kept] if token is None else [kept, token]
        self.is_starved = token is not None and self.left <= 0

    @rule(seconds=st.sampled_from([0.001, 0.04, 0.3, 5.0]))
    def wait(self, seconds):
        self.now += seconds

    @rule(index=st.integers(0, 3))
    def answer(self, index):
        """The client answers one Ping, perhaps skipping some."""
        tokens = [each for each in self.flight if isinstance(each, bytes)]
        if not tokens:
            return
        token = tokens[index % len(tokens)]
        del self.flight[: self.flight.index(token) + 1]
        self.answered.append(token)
        self.left = self.credit.returned(token, self.now, self.left)
        self.is_starved = self.is_starved and self.left <= 0

    @precondition(lambda self: self.answered)
    @rule(index=st.integers(0))
    def answer_again(self, index):
        left = self.left
        self.left = self.credit.returned(self.answered[index % len(self.answered)], self.now, self.left)
        assert self.left == left

    @property
    def in_flight(self):
        return sum(each for each in self.flight if isinstance(each, int))

    @invariant()
    def never_more_is_in_flight_than_the_limit_and_one_frame(self):
        assert self.in_flight <= self.limit + self.largest

    @invariant()
    def what_is_in_flight_is_known_to_the_byte(self):
        assert self.credit.room(self.left) == self.credit.window - self.in_flight

    @invariant()
    def a_ping_is_out_whenever_nothing_may_go(self):
        if self.is_starved:
            assert self.credit.asked in self.flight

    @invariant()
    def the_window_keeps_within_its_bounds(self):
        assert min(LEAST_WINDOW, self.limit) <= self.credit.window <= self.limit


TestCreditAgainstFlight = CreditAgainstFlight.TestCase


# -- clients that return credit by themselves --------------------------------------------------------------------


def test_a_client_that_returns_credit_has_all_that_it_allows_at_once_and_is_not_asked():
    credit = GivenCredit(5000)
    assert credit.left == credit.room(5000) == 5000
    assert credit.spend(-200, 0.0) is None
    assert credit.left == -200


def test_what_went_beyond_the_credit_is_paid_back_first():
    credit = GivenCredit(5000)
    assert credit.grant(-200, 150) == -50
    assert credit.grant(-50, 150) == 100


@given(st.integers(-5000, 5000), st.integers(1, 10**6))
def test_a_client_never_has_more_credit_than_it_has_allowed(left, size):
    assert GivenCredit(5000).grant(left, size) <= 5000


def test_the_pongs_of_a_client_that_returns_credit_return_none():
    assert GivenCredit(5000).returned(b"\0\0\0\1", 0.0, 17) == 17


@pytest.mark.parametrize("is_marked", [False, True])
def test_what_does_not_go_after_all_is_still_the_clients_credit(is_marked):
    assert GivenCredit(5000).unspend(-100, 300, is_marked=is_marked) == 200
