from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import Priority, channel_of, rfc3339
from domain.canary import ALONE, GIVEN_UP, Canaries, canary

CRITICAL, LOW = Priority.CRITICAL, Priority.LOW
BOUND, SHARE = 1.0, 0.05
NOW = 1_800_000_000.0


def flying(count: int, late: int = 0) -> Canaries:
    """One critical message to each of ``count`` clients at 0; ``late`` of them do not come back."""
    canaries = Canaries()
    for number in range(count):
        assert canaries.send(f"c{number}", CRITICAL, 0.0)
        if number >= late:
            canaries.echo(f"c{number}", CRITICAL, 0.0, 0.02, BOUND)
    return canaries


def test_a_message_says_that_it_is_none():
    publication = canary("c1-7", CRITICAL, NOW)
    event = publication.event
    assert (publication.channel, publication.offset, publication.critical) == ("canary/critical", 0, None)
    assert (event.type, event.source, event.quality) == ("canary.sent", "/andond/canary", "synthetic")
    assert (event.priority, event.recorded, event.time) == (CRITICAL, NOW, rfc3339(NOW))
    assert channel_of(event) != publication.channel


@pytest.mark.parametrize("priority", Priority)
def test_there_is_one_for_each_priority(priority):
    publication = canary("c1-7", priority, NOW)
    assert publication.event.priority is priority
    assert publication.channel == f"canary/{priority.wire}"


def test_without_a_client_all_is_well():
    verdict = Canaries().judge(SHARE, BOUND, 100.0)
    assert (verdict.clients, verdict.breaching, verdict.is_breach) == (0, 0, False)


@pytest.mark.parametrize(
    ("count", "late", "is_breach"),
    [
        (200, 0, False),
        (200, 9, False),
        (200, 10, True),
        (200, 12, True),
        (20, 1, True),
        (21, 1, False),
        (21, 2, True),
        (40, 2, True),
        (60, 3, True),
        (61, 3, False),
        (3, 1, True),
        (3, 3, True),
        (1, 1, True),
        (1, 0, False),
    ],
)
def test_it_is_a_breach_when_the_share_of_the_clients_is_late(count, late, is_breach):
    canaries = flying(count, late)
    assert not canaries.judge(SHARE, BOUND, 1.0).is_breach
    verdict = canaries.judge(SHARE, BOUND, 1.01)
    assert (verdict.clients, verdict.breaching, verdict.is_breach) == (count, late, is_breach)


def test_the_verdict_says_how_many_of_how_many():
    assert str(flying(200, 12).judge(SHARE, BOUND, 2.0)) == "canary: 12 of 200 clients beyond 1.0 s"


def test_one_that_comes_back_late_is_late_until_one_comes_in_time():
    canaries = flying(3, 3)
    for client in ("c0", "c1"):
        canaries.echo(client, CRITICAL, 0.0, 1.5, BOUND)
    canaries.echo("c2", CRITICAL, 0.0, 0.9, BOUND)
    assert canaries.judge(SHARE, BOUND, 2.0).breaching == 2
    assert canaries.send("c0", CRITICAL, 10.0)
    assert canaries.judge(SHARE, BOUND, 10.5).breaching == 2
    canaries.echo("c0", CRITICAL, 10.0, 0.1, BOUND)
    assert canaries.judge(SHARE, BOUND, 10.6).breaching == 1


def test_only_critical_ones_decide():
    canaries = flying(3)
    canaries.send("c0", LOW, 0.0)
    assert canaries.judge(SHARE, BOUND, 50.0).breaching == 0
    canaries.echo("c0", LOW, 0.0, 49.0, BOUND)
    assert canaries.judge(SHARE, BOUND, 50.0).breaching == 0


@pytest.mark.parametrize("count", [1, 3, 20])
def test_one_client_alone_is_believed_for_a_while_only(count):
    canaries = flying(count, 1)
    assert canaries.judge(SHARE, BOUND, BOUND + ALONE - 0.1).is_breach
    verdict = canaries.judge(SHARE, BOUND, BOUND + ALONE)
    assert (verdict.breaching, verdict.is_breach) == (1, False)


def test_two_clients_are_believed_for_ever():
    assert flying(3, 2).judge(SHARE, BOUND, 1e6).is_breach


def test_that_it_is_late_again_and_again_does_not_make_one_alone_more_credible():
    canaries = flying(3, 1)
    canaries.echo("c0", CRITICAL, 0.0, 2.0, BOUND)
    for at in range(10, 100, 10):
        canaries.send("c0", CRITICAL, float(at))
        canaries.echo("c0", CRITICAL, float(at), 2.0, BOUND)
    assert not canaries.judge(SHARE, BOUND, 100.0).is_breach
    canaries.send("c1", CRITICAL, 100.0)
    assert canaries.judge(SHARE, BOUND, 101.5).is_breach


def test_who_had_no_turn_yet_counts_as_one_that_is_not_late():
    canaries = flying(2, 1)
    canaries.keep([f"c{number}" for number in range(40)])
    verdict = canaries.judge(SHARE, BOUND, 2.0)
    assert (verdict.clients, verdict.breaching, verdict.is_breach) == (40, 1, False)


def test_who_leaves_counts_no_more():
    canaries = flying(3, 2)
    canaries.judge(SHARE, BOUND, 2.0)
    canaries.forget("c0")
    assert canaries.judge(SHARE, BOUND, 2.0).clients == 2
    canaries.keep(["c2"])
    verdict = canaries.judge(SHARE, BOUND, 2.0)
    assert (verdict.clients, verdict.breaching) == (1, 0)
    canaries.echo("c0", CRITICAL, 0.0, 5.0, BOUND)
    assert canaries.judge(SHARE, BOUND, 2.0).breaching == 0


def test_of_each_priority_one_is_under_way():
    canaries = flying(1, 1)
    assert not canaries.send("c0", CRITICAL, 10.0)
    assert canaries.send("c0", LOW, 10.0)
    assert not canaries.send("c0", LOW, 10.0 + GIVEN_UP - 0.1)
    assert canaries.send("c0", LOW, 10.0 + GIVEN_UP)
    # The one that was given up comes back all the same.
    canaries.echo("c0", LOW, 10.0, 65.0, BOUND)
    assert not canaries.send("c0", LOW, 80.0)


def test_one_that_was_given_up_leaves_its_client_late():
    canaries = flying(3, 2)
    canaries.judge(SHARE, BOUND, 2.0)
    for client in ("c0", "c1"):
        assert canaries.send(client, CRITICAL, GIVEN_UP)
    assert canaries.judge(SHARE, BOUND, GIVEN_UP + 0.5).breaching == 2


CLIENTS = [f"c{number}" for number in range(5)]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("send"), st.sampled_from(CLIENTS), st.floats(0.0, 3.0)),
            st.tuples(st.just("echo"), st.sampled_from(CLIENTS), st.floats(0.0, 3.0)),
            st.tuples(st.just("leave"), st.sampled_from(CLIENTS), st.floats(0.0, 3.0)),
        ),
        max_size=60,
    )
)
def test_the_late_are_those_whose_newest_took_too_long_or_is_under_way_for_too_long(steps):
    """Against a model that looks at everybody each time."""
    canaries = Canaries()
    sent: dict[str, float] = {}
    is_late: dict[str, bool] = {}
    known: set[str] = set()
    at = 0.0
    for step, client, wait in steps:
        at += wait
        if step == "send":
            known.add(client)
            if client not in sent or at - sent[client] >= GIVEN_UP:
                assert canaries.send(client, CRITICAL, at)
                is_late[client] = is_late.get(client, False) or client in sent
                sent[client] = at
            else:
                assert not canaries.send(client, CRITICAL, at)
        elif step == "echo" and client in sent:
            trip = at - sent[client]
            canaries.echo(client, CRITICAL, sent.pop(client), trip, BOUND)
            is_late[client] = trip > BOUND
        elif step == "leave":
            canaries.forget(client)
            sent.pop(client, None)
            is_late.pop(client, None)
            known.discard(client)
        late = {one for one in known if is_late.get(one) or (one in sent and at - sent[one] > BOUND)}
        verdict = canaries.judge(SHARE, BOUND, at)
        assert (verdict.clients, verdict.breaching) == (len(known), len(late))
