from __future__ import annotations

import pytest

from config import AddressLimitSettings, ConnectionLimitSettings, LimitSettings, UserLimitSettings
from domain import Excess, Holder, Metered, Rate, Throttle
from domain.access import Identity, Proof
from telemetry import counters
from transport import Request, charge, holder_of
from transport.addresses import ClientAddress
from transport.codes import CODES, ProtocolError
from transport.quotas import allotments, answer_of, check_commands, refusal_of


def test_a_rate_has_two_seconds_at_once_and_handshakes_their_own_number():
    made = allotments(
        LimitSettings(
            connection=ConnectionLimitSettings(frames=10.0),
            address=AddressLimitSettings(handshakes=0.1, handshakes_at_once=7),
        )
    )
    assert made.rate(Holder.CONNECTION, Metered.FRAMES) == Rate(10.0, 20.0)
    assert made.rate(Holder.ADDRESS, Metered.HANDSHAKES) == Rate(0.1, 7)


def test_zero_is_no_limit():
    made = allotments(
        LimitSettings(
            connection=ConnectionLimitSettings(messages=0, frames=0, bytes=0),
            address=AddressLimitSettings(handshakes=0, commands=0, subscriptions=0, bytes=0),
        )
    )
    for kind in Metered:
        assert made.rate(Holder.CONNECTION, kind) is made.rate(Holder.ADDRESS, kind) is None
        assert made.count(Holder.ADDRESS, kind) is None


def test_by_default_a_user_has_any_number_of_connections_and_a_tenant_no_limit():
    made = allotments(LimitSettings())
    assert made.count(Holder.USER, Metered.CONNECTIONS) is None
    assert not any(made.rate(Holder.TENANT, kind) or made.count(Holder.TENANT, kind) for kind in Metered)
    five = allotments(LimitSettings(user=UserLimitSettings(connections=5)))
    assert five.count(Holder.USER, Metered.CONNECTIONS) == 5


def test_the_defaults_leave_room_for_what_the_predecessors_clients_do():
    # One tab of the portal: 256 polling loops of a second; a tablet's queue that is sent when it is back.
    limits = Throttle(allotments(LimitSettings()))
    tab = limits.allow("10.0.0.7")
    for second in range(30):
        assert all(tab.command(1, 1000.0 + second) is None for _ in range(256))
    tablet = limits.allow("10.0.0.8")
    assert all(tablet.message(1000.0) is None for _ in range(150))
    # A hall of tablets behind one address, after a power cut.
    assert all(limits.allow("10.0.0.9").handshake(1000.0) is None for _ in range(100))


@pytest.mark.parametrize(
    ("identity", "holders"),
    [
        (Identity("7", "Ada", frozenset(), Proof.TOKEN, "acme"), ("acme/7", "acme")),
        (Identity("7", "Ada", frozenset(), Proof.LOCAL), ("/7", "")),
        (Identity("CN=p", "p", frozenset(), Proof.CERTIFICATE, "*"), ("*/CN=p", "")),
        (Identity("", "", frozenset(), Proof.ANONYMOUS, "acme"), ("", "acme")),
        (Identity("", "", frozenset(), Proof.OPEN), ("", "")),
    ],
)
def test_only_who_proved_who_it_is_is_a_user(identity, holders):
    assert holder_of(identity) == holders


def test_a_request_that_is_too_fast_is_429_with_a_time_and_says_whose_limit_it_is():
    before = counters.limits_reached["address.commands"]
    refusal = refusal_of(Excess(Holder.ADDRESS, Metered.COMMANDS, 500.0, 2.4), "10.0.0.7")
    assert (refusal.status, refusal.retry_after) == (429, 2.4)
    assert refusal.members == {"limit": 500.0, "of": "commands", "holder": "address"}
    assert "10.0.0.7" not in refusal.detail
    assert counters.limits_reached["address.commands"] == before + 1


def test_a_command_that_is_too_fast_is_111_and_one_subscription_too_many_is_106():
    hasty = answer_of(Excess(Holder.USER, Metered.COMMANDS, 500.0, 0.5), "x")
    assert (hasty.code.number, hasty.retry_after, hasty.code.temporary) == (111, 0.5, True)
    many = answer_of(Excess(Holder.TENANT, Metered.SUBSCRIPTIONS, 5), "x")
    assert (many.code.number, many.retry_after, many.code.temporary) == (106, None, False)
    assert {hasty.code.number, many.code.number} <= CODES.keys()


def test_requests_are_counted_by_address_and_then_by_whom_they_are_of():
    settings = LimitSettings(address=AddressLimitSettings(commands=2.0), user=UserLimitSettings(commands=1.0))
    allowance = Throttle(allotments(settings)).allow("10.0.0.7")
    client = ClientAddress("10.0.0.7")
    request = Request("GET", "/", {}, {}, b"", client, secure=False, target="/", allowance=allowance)
    ada = Identity("7", "Ada", frozenset(), Proof.TOKEN)
    for _ in range(2):
        charge(request, ada, 1000.0)
    with pytest.raises(ProtocolError, match="this user"):
        charge(request, ada, 1000.0)
    for _ in range(4):
        check_commands(allowance, "10.0.0.7", 1000.0)
    with pytest.raises(ProtocolError, match="this address"):
        check_commands(allowance, "10.0.0.7", 1000.0)
