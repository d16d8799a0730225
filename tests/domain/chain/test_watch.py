from __future__ import annotations

import pytest

from domain.chain import BLOCK, PEER, VALIDATOR, ChainView, Now, Unknown
from domain.chain.observations import (
    BlockSeen,
    HeadSeen,
    NodeHeard,
    PeersRead,
    Provenance,
    RoundSeen,
    ValidatorsRead,
)
from domain.chain.watch import NODE_LIMIT, Watch

AT = 1_800_000_000.0


def by(node: str = "a", observed: float = AT, *, is_history: bool = False) -> Provenance:
    return Provenance("hub", node, "test", observed, is_history=is_history)


def head(height: int, at: float = AT, node: str = "a", observed: float = AT) -> HeadSeen:
    return HeadSeen(by(node, observed), height, at)


@pytest.fixture
def watch() -> Watch:
    return Watch(30.0)


def test_the_head_is_as_old_as_the_newest_that_a_fresh_node_has(watch):
    watch.take(head(9, AT - 3, "a"))
    watch.take(head(7, AT - 20, "b"))
    assert watch.head_age(AT) == 3
    assert watch.head_age(AT + 10) == 13
    assert isinstance(watch.head_age(AT + 31), Unknown)


def test_a_head_of_the_future_is_no_younger_than_now(watch):
    watch.take(head(9, AT + 5))
    assert watch.head_age(AT) == 0


def test_the_layers_of_a_chain_are_not_measured_against_each_other(watch):
    for chain, heights in (("1", (100, 103)), ("1/beacon", (9000, 9001))):
        for node, height in zip(("10.0.0.5:1", "10.0.0.6:1"), heights, strict=True):
            watch.take(HeadSeen(Provenance(chain, node, "test", AT), height, AT))
    assert watch.height_spread(AT) == 3


def test_the_spread_of_heights_is_that_of_the_fresh_nodes(watch):
    watch.take(head(100, node="a"))
    assert isinstance(watch.height_spread(AT), Unknown)
    watch.take(head(93, node="b"))
    assert watch.height_spread(AT) == 7
    watch.take(head(101, node="a", observed=AT + 40))
    assert isinstance(watch.height_spread(AT + 40), Unknown)


def test_a_block_is_a_head_unless_it_is_lower_than_what_the_node_had(watch):
    watch.take(head(100, AT - 1))
    watch.take(BlockSeen(by(observed=AT + 1), 90, AT - 60))
    assert watch.head_age(AT) == 1
    watch.take(BlockSeen(by(observed=AT + 2), 101, AT, signed_share=0.95))
    assert watch.head_age(AT) == 0
    assert watch.signed_share(AT) == 0.95


def test_peers_rounds_and_shares_are_the_fewest_and_the_highest(watch):
    watch.take(PeersRead(by("a"), 12))
    watch.take(PeersRead(by("b"), 2))
    assert watch.fewest_peers(AT) == 2
    watch.take(RoundSeen(by("a"), 50, 3))
    watch.take(RoundSeen(by("b"), 51, 0))
    assert watch.round(AT) == 0
    watch.take(RoundSeen(by("a"), 51, 2))
    assert watch.round(AT) == 2


def test_what_is_history_says_nothing_of_now(watch):
    watch.take(BlockSeen(by(is_history=True), 5, AT))
    assert not watch.is_fresh(AT)
    assert isinstance(watch.head_age(AT), Unknown)


def test_our_own_questions_tell_the_latency_while_they_are_answered(watch):
    watch.take(NodeHeard(by("a"), 0.02))
    watch.take(NodeHeard(by("b"), 0.04))
    assert watch.round_trip(AT) == pytest.approx(0.03)
    watch.take(NodeHeard(by("a"), None, "timeout"))
    assert watch.round_trip(AT) == 0.04
    watch.take(NodeHeard(by("b"), None, "timeout"))
    assert watch.round_trip(AT) == Unknown("no node answered lately")


def test_a_node_that_does_not_answer_was_not_heard(watch):
    watch.take(NodeHeard(by(), None, "timeout"))
    assert watch.observed is None
    watch.take(NodeHeard(by(), 0.5))
    watch.take(NodeHeard(by(observed=AT + 60), None, "timeout"))
    assert not watch.is_fresh(AT + 60)


def test_an_older_word_that_comes_later_changes_nothing(watch):
    watch.take(PeersRead(by(observed=AT), 9))
    watch.take(PeersRead(by(observed=AT - 5), 1))
    assert watch.fewest_peers(AT) == 9


def test_no_more_nodes_are_minded_than_the_limit(watch):
    for number in range(NODE_LIMIT + 5):
        watch.take(PeersRead(by(f"n{number}"), 5))
    watch.take(PeersRead(by("one more"), 0))
    assert watch.fewest_peers(AT) == 5


# -- in the portal's words --------------------------------------------------------------------------------


def test_the_portal_s_network_health_is_made_from_nodes_and_events(event):
    view = ChainView(60.0, 30.0)
    now = Now(view, AT)
    assert now.network_health == Unknown("no chain.peer event received yet")
    view.watch.take(head(100, AT - 1))
    assert now.network_health == "healthy"
    view.watch.take(RoundSeen(by(), 101, 4))
    assert now.network_health == "unhealthy"


def test_a_chain_whose_nodes_answer_and_whose_head_grows_old_is_ill_and_one_that_is_not_heard_is_not_known():
    view = ChainView(60.0, 30.0)
    view.watch.take(head(100, AT - 200))
    assert Now(view, AT).network_health == "unhealthy"
    assert isinstance(Now(view, AT + 31).network_health, Unknown)


def test_the_head_of_a_chain_that_is_told_by_events_is_that_of_its_newest_block(event):
    view = ChainView(60.0, 30.0)
    view.take(event(BLOCK, blockHeight=5, blockTime=1000, transactions=1, told_at=AT - 4), AT)
    assert Now(view, AT).network_health == "healthy"
    view.take(event("chain.peer", peerId="p", connected=True), AT + 20)
    assert Now(view, AT + 20).network_health == "unhealthy"


def test_where_no_peer_told_its_latency_our_own_questions_do(event):
    view = ChainView(60.0, 30.0)
    view.take(event("chain.peer", peerId="p", connected=True), AT)
    assert isinstance(Now(view, AT).network_latency, Unknown)
    view.watch.take(NodeHeard(by(), 0.0254))
    assert Now(view, AT).network_latency == 25


def test_a_chain_that_stands_still_is_measured_by_its_own_interval_for_as_long_as_it_does(event):
    view = ChainView(60.0, 30.0)
    view.take(event(BLOCK, blockHeight=5, blockTime=1000, transactions=1, told_at=AT), AT)
    for age, word in ((4, "healthy"), (10, "degraded"), (20, "unhealthy"), (40, "unhealthy"), (400, "unhealthy")):
        view.watch.take(head(5, AT, observed=AT + age))
        assert Now(view, AT + age).network_health == word


def test_peers_that_nodes_have_let_go_make_no_network_ill(event):
    view = ChainView(60.0, 30.0)
    for number in range(10):
        view.take(event(PEER, peerId=f"p{number}", connected=number < 5), AT)
    assert Now(view, AT).network_health == "unhealthy"
    view.watch.take(PeersRead(by(), 5))
    assert Now(view, AT).network_health == "healthy"


def test_what_stands_is_known_as_long_as_a_node_answers_though_no_block_comes(event):
    view = ChainView(60.0, 30.0)
    view.take(event(PEER, peerId="p", connected=True), AT)
    view.take(event(VALIDATOR, validator="v", status="ACTIVE"), AT)
    view.watch.take(NodeHeard(by(observed=AT + 100), 0.1))
    now = Now(view, AT + 110)
    assert (now.active_nodes, now.total_nodes) == (1, 1)
    assert not isinstance(now.validators, Unknown)
    assert isinstance(Now(view, AT + 131).validators, Unknown)


def test_peers_that_are_counted_and_not_named_are_active_nodes_of_an_unknown_total():
    view = ChainView(60.0, 30.0)
    view.watch.take(PeersRead(by("a"), 3))
    view.watch.take(PeersRead(by("b"), 7))
    assert Now(view, AT).active_nodes == 7
    assert isinstance(Now(view, AT).total_nodes, Unknown)
    assert isinstance(Now(view, AT + 31).active_nodes, Unknown)


def test_what_nodes_told_again_is_as_new_as_when_they_did(event):
    view = ChainView(60.0, 30.0)
    view.take(event(PEER, peerId="p", connected=True), AT)
    view.watch.take(PeersRead(by(observed=AT + 600), 1))
    view.watch.take(ValidatorsRead(by(observed=AT + 601), (), is_complete=True))
    now = Now(view, AT + 610)
    assert now.observed_at(PEER) == round((AT + 600) * 1000)
    assert now.observed_at(VALIDATOR) == round((AT + 601) * 1000)
    assert now.observed_at(BLOCK) == Unknown("no chain.block event received yet")
