from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policy import BUILT_IN, BUILT_IN_RULES, Policy, Rule, rule_text
from domain.priority import Priority
from domain.reference import priorities_page

CRITICAL, HIGH, NORMAL, LOW = Priority
PAGE = Path(__file__).parents[2] / "docs/reference/priorities.md"
FIRE = Rule("fire", "press", CRITICAL, (("fire.zone", "3"), ("armed", "TRUE")), "/acme/*")


@pytest.mark.parametrize(
    ("type_", "data", "expected"),
    [
        ("andon.call.raised", None, CRITICAL),
        ("andon.call", {}, CRITICAL),
        ("andon.board.shown", None, NORMAL),
        ("alarm.raised", {"level": "FAULT"}, CRITICAL),
        ("alarm.raised", {"level": "fault"}, CRITICAL),
        ("alarm.raised", {"level": "WARNING"}, HIGH),
        ("alarm.raised", {}, HIGH),
        ("alarm.raised", None, HIGH),
        ("alarm.raised", [{"level": "FAULT"}], HIGH),
        ("alarm.cleared", {"level": "FAULT"}, HIGH),
        ("validator.jailed", None, CRITICAL),
        ("validator.tombstoned", None, CRITICAL),
        ("validator.slashed", None, CRITICAL),
        ("validator.status", {"status": "jailed"}, CRITICAL),
        ("validator.status", {"status": "TOMBSTONED"}, CRITICAL),
        ("validator.status", {"status": "ACTIVE"}, HIGH),
        ("validator.status", {"status": "JAILED", "news": True, "standing": False}, CRITICAL),
        ("validator.status", {"status": "JAILED", "news": True, "standing": True, "watched": True}, CRITICAL),
        ("validator.status", {"status": "JAILED", "news": True, "standing": True, "watched": False}, HIGH),
        ("validator.status", {"status": "JAILED", "news": False}, NORMAL),
        ("validator.status", {"status": "JAILED", "news": False, "figures": True}, LOW),
        ("validator.confirmed", {"status": "JAILED"}, HIGH),
        ("validator.history", {"status": "JAILED"}, NORMAL),
        ("chain.halted", {}, CRITICAL),
        ("chain.stale", {}, HIGH),
        ("chain.node.quarantined", {}, HIGH),
        ("chain.halted", None, CRITICAL),
        ("chain.block", {}, NORMAL),
        ("source.silent", None, HIGH),
        ("source.silent", {"required": False}, HIGH),
        ("source.silent", {"required": True}, CRITICAL),
        ("source.stale", {"required": True}, CRITICAL),
        ("source.lost", {"required": True}, CRITICAL),
        ("source.found", {"required": True}, HIGH),
        ("equipment.state.changed", {}, HIGH),
        ("equipment.reading", {}, NORMAL),
        ("host.metrics", {}, NORMAL),
        ("portal.tps", {}, NORMAL),
        ("press.cycle.ended", {}, NORMAL),
        ("alarmist.note", {"level": "FAULT"}, NORMAL),
        ("validators.jailed", None, NORMAL),
    ],
)
def test_the_policy_gives_an_event_its_priority(type_, data, expected):
    assert BUILT_IN.priority_of(type_, data) is expected


@pytest.mark.parametrize("asked", list(Priority))
def test_a_publisher_may_ask_for_less_and_never_gets_more(asked):
    assert BUILT_IN.priority_of("andon.call.raised", None, asked=asked) is asked
    assert BUILT_IN.priority_of("equipment.reading", None, asked=asked) is max(NORMAL, asked)


def test_an_unknown_type_cannot_ask_its_way_past_the_andon_calls():
    assert BUILT_IN.priority_of("press.cycle.ended", None, asked=CRITICAL) is HIGH
    assert BUILT_IN.priority_of("press.cycle.ended", None, asked=LOW) is LOW


def test_a_rule_speaks_of_its_type_and_of_what_is_below_it():
    rule = Rule("any", "alarm", HIGH)
    assert [rule.fits(type_, None) for type_ in ("alarm", "alarm.raised", "alarms", "al", "x.alarm")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_no_rule_is_hidden_by_one_before_it():
    for rule in BUILT_IN_RULES:
        assert BUILT_IN.rule_of(rule.type, dict(rule.where)) is rule, f"{rule.name} can never be reached"


def test_every_rule_has_a_name_of_its_own_and_none_that_an_operator_can_give():
    names = [rule.name for rule in BUILT_IN_RULES]
    assert len(set(names)) == len(names)
    assert all("." in name for name in names)


@pytest.mark.parametrize(
    ("type_", "source", "data", "fits"),
    [
        ("press.started", "/acme/p", {"fire": {"zone": 3}, "armed": True}, True),
        ("press", "/acme/", {"fire": {"zone": "3"}, "armed": "true"}, True),
        ("press", "/acme/p", {"fire.zone": 3.0, "armed": True}, True),
        ("press", "/acme/p", {"fire": {"zone": 3.5}, "armed": True}, False),
        ("press", "/acme/p", {"fire": {"zone": 3}, "armed": 1}, False),
        ("press", "/acme/p", {"fire": {"zone": [3]}, "armed": True}, False),
        ("press", "/acme/p", {"fire": {}, "armed": True}, False),
        ("press", "/acme/p", {"fire": 3, "armed": True}, False),
        ("press", "/acme/p", {"fire": {"zone": 3}}, False),
        ("press", "/acme/p", None, False),
        ("press", "/acme", {"fire": {"zone": 3}, "armed": True}, False),
        ("press", "/other/acme/", {"fire": {"zone": 3}, "armed": True}, False),
        ("pressure", "/acme/p", {"fire": {"zone": 3}, "armed": True}, False),
    ],
)
def test_all_that_a_rule_says_must_hold(type_, source, data, fits):
    assert FIRE.fits(type_, data, source) is fits


def test_a_source_without_a_star_is_that_source_alone():
    rule = Rule("one", "", LOW, source="/acme/p")
    assert [rule.fits("a.b", None, source) for source in ("/acme/p", "/acme/p1", "/acme")] == [True, False, False]


@pytest.mark.parametrize(
    ("value", "text"),
    [("Fault", "FAULT"), (True, "TRUE"), (False, "FALSE"), (None, "NULL"), (3, "3"), (3.0, "3"), (2.5, "2.5")],
)
def test_values_are_compared_as_text(value, text):
    assert rule_text(value) == text


def test_what_is_missing_is_not_null():
    rule = Rule("null", "a", LOW, (("x", "NULL"),))
    assert rule.fits("a.b", {"x": None})
    assert not rule.fits("a.b", {})


def test_rules_of_any_type_are_read_in_their_place():
    policy = Policy(
        (Rule("first", "press", HIGH, (("x", "1"),)), Rule("acme", "", LOW, source="/acme/*"), *BUILT_IN_RULES)
    )
    told = [
        policy.rule_of(type_, {"x": 1}, source)
        for type_, source in (
            ("press.a", "/acme/p"),
            ("alarm.raised", "/acme/p"),
            ("never.heard", "/acme/p"),
            ("alarm.raised", "/x"),
            ("never.heard", "/x"),
        )
    ]
    assert [None if rule is None else rule.name for rule in told] == ["first", "acme", "acme", "alarm.other", None]


def test_a_policy_tells_the_rule_what_was_asked_and_what_came_of_it():
    ruling = BUILT_IN.rule("alarm.raised", {"level": "FAULT"}, asked=LOW)
    assert (ruling.priority, ruling.rule.name, ruling.asked) == (LOW, "alarm.raised.fault", LOW)
    assert BUILT_IN.rule("never.heard", None).rule is None


def test_a_rule_can_be_read():
    assert FIRE.text == "type press or below it, source /acme/*, fire.zone is 3, armed is TRUE: critical"
    assert Rule("x", "", LOW).text == "any type: low"


def test_the_version_is_that_of_the_whole_table_in_its_order():
    rules = list(BUILT_IN_RULES)
    assert Policy().version == BUILT_IN.version == Policy(tuple(rules)).version
    others = [
        (FIRE, *rules),
        (*rules, FIRE),
        tuple(reversed(rules)),
        tuple(rules[:-1]),
        *((Rule(**{**FIELDS, **change}),) for change in CHANGES),
    ]
    versions = {Policy(other).version for other in others}
    assert len(versions) == len(others)
    assert BUILT_IN.version not in versions


FIELDS = {"name": "a", "type": "b", "priority": HIGH, "where": (("c", "D"),), "source": "/e"}
CHANGES = [{}, {"name": "x"}, {"type": "x"}, {"priority": LOW}, {"where": ()}, {"where": (("c", "X"),)}, {"source": ""}]


@given(st.lists(st.sampled_from([*BUILT_IN_RULES, FIRE, Rule("any", "", LOW, source="/a/*")]), unique=True))
def test_however_the_rules_are_found_the_first_that_fits_wins(rules):
    policy = Policy(tuple(rules))
    for sample in (*BUILT_IN_RULES, FIRE, Rule("none", "never.heard", LOW)):
        for source in ("/a/b", "/x"):
            data = {"armed": True, "fire": {"zone": 3}, **dict(sample.where)}
            expected = next((rule for rule in rules if rule.fits(sample.type, data, source)), None)
            assert policy.rule_of(sample.type, data, source) is expected


@given(
    st.sampled_from([rule.type for rule in BUILT_IN_RULES] + ["a.b"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["level", "status", "x"]), inner),
        max_leaves=6,
    ),
    st.none() | st.sampled_from(list(Priority)),
)
def test_no_data_upsets_the_policy_and_asking_only_lowers(type_, data, asked):
    granted = BUILT_IN.priority_of(type_, data, asked=asked)
    assert isinstance(granted, Priority)
    if asked is not None:
        assert granted >= asked


def test_the_page_of_priorities_is_what_the_policy_generates():
    assert PAGE.read_text(encoding="utf-8") == priorities_page()


def test_the_page_names_every_rule():
    page = priorities_page()
    assert all(f"| `{rule.name}` |" in page for rule in BUILT_IN_RULES)
    assert BUILT_IN.version in page
