from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from transport import ClientAddress
from transport.admission import Admission, AdmissionLimits, AdmissionStatistics, Entry, connection_refusal

FAR = ClientAddress("10.0.0.7", 1)
NEAR = ClientAddress("127.0.0.1", 1)


def make(connections=2, per_address=1, *, exempt_loopback=True, reserve=1):
    return Admission(AdmissionLimits(connections, per_address, exempt_loopback, reserve))


def test_connections_are_served_up_to_the_limit():
    admission = make(connections=2)
    assert [admission.enter() for _ in range(2)] == [Entry.SERVED] * 2


def test_past_the_limit_a_reserve_is_told_why_and_past_that_nobody_is_heard():
    admission = make(connections=1, reserve=2)
    assert [admission.enter() for _ in range(4)] == [Entry.SERVED, Entry.REFUSED, Entry.REFUSED, Entry.TURNED_AWAY]


def test_a_place_that_is_given_back_is_free():
    admission = make(connections=1, reserve=1)
    for entry in (Entry.SERVED, Entry.REFUSED):
        assert admission.enter() is entry
    admission.leave(Entry.SERVED)
    assert admission.enter() is Entry.SERVED
    admission.leave(Entry.REFUSED)
    assert admission.enter() is Entry.REFUSED


def test_a_demoted_connection_frees_its_place():
    admission = make(connections=1)
    admission.enter()
    assert admission.demote() is Entry.REFUSED
    assert admission.enter() is Entry.SERVED


def test_an_address_has_its_own_limit_with_a_time_to_come_back():
    admission = make(per_address=1)
    assert admission.claim(FAR) is None
    refusal = admission.claim(FAR)
    assert refusal is not None
    assert (refusal.status, refusal.retry_after, refusal.members) == (429, 10, {"limit": 1})
    assert admission.claim(ClientAddress("10.0.0.8")) is None


def test_ports_of_one_address_count_together():
    admission = make(per_address=1)
    admission.claim(FAR)
    assert admission.claim(ClientAddress(FAR.host, 2)) is not None


def test_a_released_address_may_come_again():
    admission = make(per_address=1)
    admission.claim(FAR)
    admission.release(FAR)
    assert admission.claim(FAR) is None


def test_loopback_without_a_proxy_is_exempt():
    admission = make(per_address=1)
    assert [admission.claim(NEAR) for _ in range(5)] == [None] * 5


def test_what_an_exempt_client_gives_back_is_not_another_s():
    admission = make(per_address=1)
    proxied = ClientAddress("127.0.0.1", 0, proxied=True)
    admission.claim(NEAR)
    admission.claim(proxied)
    admission.release(NEAR)
    assert admission.claim(proxied) is not None


def test_loopback_is_counted_when_the_setting_says_so():
    admission = make(per_address=1, exempt_loopback=False)
    assert admission.claim(NEAR) is None
    assert admission.claim(NEAR) is not None


def test_loopback_behind_a_proxy_is_counted():
    admission = make(per_address=1)
    proxied = ClientAddress("127.0.0.1", 0, proxied=True)
    assert admission.claim(proxied) is None
    assert admission.claim(proxied) is not None


def test_new_limits_hold_for_those_who_come_after():
    admission = make(connections=1, per_address=1)
    admission.enter()
    admission.claim(FAR)
    admission.limits = AdmissionLimits(2, 2)
    assert admission.enter() is Entry.SERVED
    assert admission.claim(FAR) is None


def test_who_finds_every_place_taken_is_told_when_to_come_back():
    refusal = connection_refusal()
    assert (refusal.status, refusal.retry_after) == (503, 5)


def test_statistics_tell_the_counts():
    admission = make(connections=1, per_address=5)
    admission.enter()
    admission.enter()
    admission.claim(FAR)
    admission.claim(FAR)
    assert admission.statistics() == AdmissionStatistics(connections=1, refusing=1, addresses=1, busiest=2)


class AdmissionMachine(RuleBasedStateMachine):
    """Whatever comes and goes, no limit is passed and nothing is left when all have gone."""

    def __init__(self):
        super().__init__()
        self.admission = make(connections=3, per_address=2, reserve=2)
        self.entries = []
        self.clients = []

    @rule()
    def enter(self):
        entry = self.admission.enter()
        if entry is not Entry.TURNED_AWAY:
            self.entries.append(entry)

    @rule()
    def demote(self):
        if Entry.SERVED in self.entries:
            self.entries.remove(Entry.SERVED)
            entry = self.admission.demote()
            if entry is not Entry.TURNED_AWAY:
                self.entries.append(entry)

    @rule(index=st.integers(0, 10))
    def leave(self, index):
        if self.entries:
            self.admission.leave(self.entries.pop(index % len(self.entries)))

    @rule(host=st.sampled_from(["10.0.0.1", "10.0.0.2", "127.0.0.1"]), proxied=st.booleans())
    def claim(self, host, proxied):
        client = ClientAddress(host, 0, proxied)
        if self.admission.claim(client) is None:
            self.clients.append(client)

    @rule(index=st.integers(0, 10))
    def release(self, index):
        if self.clients:
            self.admission.release(self.clients.pop(index % len(self.clients)))

    @invariant()
    def limits_hold(self):
        counts = self.admission.statistics()
        assert counts.connections == self.entries.count(Entry.SERVED) <= 3
        assert counts.refusing == self.entries.count(Entry.REFUSED) <= 2
        keys = [(client.host, client.proxied) for client in self.clients]
        assert counts.addresses == len(set(keys))
        assert all(keys.count(key) <= 2 for key in keys if key != ("127.0.0.1", False))

    def teardown(self):
        for entry in self.entries:
            self.admission.leave(entry)
        for client in self.clients:
            self.admission.release(client)
        assert self.admission.statistics() == AdmissionStatistics(0, 0, 0, 0)


TestAdmissionMachine = AdmissionMachine.TestCase
TestAdmissionMachine.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
