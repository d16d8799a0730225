import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.names import (
    NAME_LIMIT,
    below,
    channel_of,
    conflation_key,
    holds_state,
    is_channel,
    is_tree,
    may_be_kept,
    newest_suffices,
)
from domain.policy import BUILT_IN_RULES
from domain.priority import Priority

SEGMENT = st.text("abcXYZ019._~:@+-", min_size=1, max_size=6)


def event(type_: str, source: str = "/acme/plant1/line3/press3", subject: str | None = None) -> Event:
    return Event("1", source, type_, None, 0.0, Priority.NORMAL, subject=subject)


@pytest.mark.parametrize(
    ("type_", "channel"),
    [
        ("equipment.state.changed", "equipment/acme/plant1/line3/press3"),
        ("equipment.reading", "readings/acme/plant1/line3/press3"),
        ("equipment.reading.late", "readings/acme/plant1/line3/press3"),
        ("equipment.part.ended", "equipment/acme/plant1/line3/press3"),
        ("alarm.raised", "alarms/acme/plant1/line3/press3"),
        ("alarm.cleared", "alarms/acme/plant1/line3/press3"),
        ("source.silent", "sources/acme/plant1/line3/press3"),
        ("andon.call.raised", "andon/acme/plant1/line3/press3"),
        ("press.cycle.ended", "events/acme/plant1/line3/press3"),
        ("chain.transaction", "chain/transactions"),
        ("chain.block", "chain/blocks"),
        ("chain.consensus", "chain/consensus"),
        ("chain.peer", "chain/peers"),
        ("validator.status", "chain/validators"),
        ("validator.confirmed", "chain/validators"),
        ("validator.retracted", "chain/validators"),
        ("validator.conflict", "chain/validators"),
        ("validator.risk", "chain/validators"),
        ("validator.history", "chain/validators"),
        ("chain.halted", "chain/state"),
        ("chain.resumed", "chain/state"),
        ("chain.stale", "chain/state"),
        ("chain.fresh", "chain/state"),
        ("chain.missed", "chain/state"),
        ("chain.reorganized", "chain/state"),
        ("chain.node.quarantined", "chain/state"),
        ("chain.node.released", "chain/state"),
        ("host.metrics", "host/metrics"),
        ("portal.tps", "portal/tps"),
    ],
)
def test_an_event_goes_to_the_channel_of_its_kind_and_place(type_, channel):
    assert channel_of(event(type_)) == channel


@pytest.mark.parametrize("source", ["/acme/press3", "acme/press3", "acme/press3/", "//acme/press3//"])
def test_slashes_around_a_source_make_no_other_channel(source):
    assert channel_of(event("alarm.raised", source)) == "alarms/acme/press3"


@pytest.mark.parametrize("source", ["/", "/acme//press3", "/acme?line=3", "/a%20b", "/" + "x" * 300, "#"])
def test_a_source_that_is_no_path_shares_the_channel_of_its_type(source):
    assert channel_of(event("alarm.raised", source)) == "alarms/alarm.raised"


def test_the_channel_of_a_long_type_is_still_a_channel():
    assert is_channel(channel_of(event("press." + "x" * 1000, "/a b")))


def test_a_uri_with_a_scheme_is_no_two_channels():
    assert channel_of(event("alarm.raised", "urn:acme:press3")) == "alarms/urn:acme:press3"


@given(st.text("abc/:%?#[]@!$&'()*+,;=-._~09", min_size=1), st.from_regex(r"\A[a-z]{1,9}(\.[a-z0-9_-]{1,300}){1,3}\Z"))
def test_every_event_has_a_channel_that_can_be_subscribed_to(source, type_):
    assert is_channel(channel_of(event(type_, source)))


@pytest.mark.parametrize(
    "name",
    ["equipment/acme", "host/metrics", "a/b/c/d", "a/~b", "a/b:c@d+e-f_g.h", "9/9", "a/" + "x" * (NAME_LIMIT - 2)],
)
def test_these_are_channels(name):
    assert is_channel(name)
    assert not is_tree(name)


@pytest.mark.parametrize(
    "name",
    ["", "a", "/a", "a/", "a//b", "a/b/", "a/*", "a/b c", "a/b\n", "a/ä", "-a/b", "*", "a/" + "x" * (NAME_LIMIT - 1)],
)
def test_these_are_no_channels(name):
    assert not is_channel(name)


@pytest.mark.parametrize("name", ["equipment/*", "alarms/acme/plant1/*", "a/" + "x" * (NAME_LIMIT - 4) + "/*"])
def test_these_ask_for_every_channel_below(name):
    assert is_tree(name)
    assert not is_channel(name)


@pytest.mark.parametrize("name", ["", "*", "/*", "a*", "a/*/b", "a/**", "*/*", "a//*", "a/*\n", "x" * 256 + "/*"])
def test_these_ask_for_nothing(name):
    assert not is_tree(name)


def test_below_is_the_path_and_not_the_letters():
    assert below("alarms/acme/press3", "alarms/*")
    assert below("alarms/acme/press3", "alarms/acme/*")
    assert not below("alarms/acme2/press3", "alarms/acme/*")
    assert not below("alarms", "alarms/*")
    assert not below("alarms/acme", "alarms/acme/*")


@given(st.lists(SEGMENT, min_size=2, max_size=5), st.integers(1, 4))
def test_a_channel_is_below_every_tree_of_its_own_path(segments, depth):
    name = "k" + "/".join(segments)
    parts = name.split("/")
    tree = "/".join(parts[: min(depth, len(parts) - 1)]) + "/*"
    assert is_channel(name)
    assert is_tree(tree)
    assert below(name, tree)


def test_the_latest_reading_of_a_subject_wins():
    key = conflation_key(event("equipment.reading", subject="temperature"))
    assert key is not None
    assert key == conflation_key(event("equipment.reading", subject="temperature"))
    assert key != conflation_key(event("equipment.reading", subject="pressure"))
    assert key != conflation_key(event("equipment.reading", "/acme/press4", subject="temperature"))


def test_two_kinds_of_event_on_one_subject_do_not_replace_each_other():
    kinds = ["portal.tps", "portal.network", "equipment.reading", "host.metrics"]
    assert len({conflation_key(event(kind, subject="all")) for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("type_", ["alarm.raised", "equipment.state.changed", "chain.transaction", "a.b"])
def test_where_every_event_counts_nothing_is_replaced(type_):
    assert conflation_key(event(type_, subject="x")) is None


@pytest.mark.parametrize(
    ("channel", "holds"),
    [
        ("equipment/a/b", True),
        ("alarms/a", True),
        ("andon/line3", True),
        ("sources/x", True),
        ("readings/a/b", False),
        ("chain/blocks", False),
        ("host/metrics", False),
        ("equipments/a", False),
    ],
)
def test_states_alarms_and_calls_hold_until_something_else_is_said(channel, holds):
    assert holds_state(channel) is holds


@pytest.mark.parametrize(
    ("channel", "kept"),
    [
        ("equipment/acme/press3", True),
        ("alarms/acme/press3", True),
        ("andon/line3", True),
        ("sources/press3", True),
        ("events/acme/press3", True),
        ("chain/validators", True),
        ("chain/state", True),
        ("chain/blocks", False),
        ("readings/acme/press3", False),
        ("host/metrics", False),
        ("portal/tps", False),
    ],
)
def test_a_channel_that_carries_more_than_routine_may_be_in_the_journal(channel, kept):
    assert may_be_kept(channel) is kept


@pytest.mark.parametrize(
    ("channel", "suffices"),
    [
        ("panels/dashboard", True),
        ("panels/nodes", True),
        ("panels/performance", True),
        ("portal/tps", False),
        ("chain/blocks", False),
    ],
)
def test_of_whole_states_the_newest_is_enough(channel, suffices):
    assert newest_suffices(channel) is suffices


def test_what_is_critical_or_high_by_the_policy_is_on_a_channel_that_may_be_kept():
    for rule in BUILT_IN_RULES:
        if rule.priority <= Priority.HIGH:
            for type_ in (rule.type, f"{rule.type}.changed"):
                assert may_be_kept(channel_of(event(type_))), type_
