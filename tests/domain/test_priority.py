import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.priority import RULES, Priority, Rule, priority_of

CRITICAL, HIGH, NORMAL, LOW = Priority


def test_critical_goes_before_all_others():
    assert sorted([LOW, NORMAL, CRITICAL, HIGH]) == [CRITICAL, HIGH, NORMAL, LOW]
    assert [int(priority) for priority in Priority] == [0, 1, 2, 3]


def test_the_words_and_numbers_of_the_wire():
    assert [priority.wire for priority in Priority] == ["critical", "high", "normal", "low"]
    assert [priority.seed for priority in Priority] == [1, 2, 3, 4]


def test_a_word_names_its_priority_and_no_other_word_does():
    assert [Priority.from_wire(priority.wire) for priority in Priority] == list(Priority)
    assert [Priority.from_wire(word) for word in ("", "CRITICAL", "urgent", "0")] == [None] * 4


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
    assert priority_of(type_, data) is expected


@pytest.mark.parametrize("asked", list(Priority))
def test_a_publisher_may_ask_for_less_and_never_gets_more(asked):
    assert priority_of("andon.call.raised", None, asked) is asked
    assert priority_of("equipment.reading", None, asked) is max(NORMAL, asked)


def test_an_unknown_type_cannot_ask_its_way_past_the_andon_calls():
    assert priority_of("press.cycle.ended", None, CRITICAL) is HIGH
    assert priority_of("press.cycle.ended", None, LOW) is LOW


def test_a_rule_speaks_of_its_type_and_of_what_is_below_it():
    rule = Rule("alarm", HIGH)
    assert [rule.fits(type_, None) for type_ in ("alarm", "alarm.raised", "alarms", "al", "x.alarm")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_no_rule_is_hidden_by_one_before_it():
    for number, rule in enumerate(RULES):
        sample = dict(rule.values)
        first = next(other for other in RULES if other.fits(rule.type, sample))
        assert first is rule, f"rule {number} can never be reached"


@given(
    st.sampled_from([rule.type for rule in RULES] + ["a.b"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["level", "status", "x"]), inner),
        max_leaves=6,
    ),
    st.none() | st.sampled_from(list(Priority)),
)
def test_no_data_upsets_the_policy_and_asking_only_lowers(type_, data, asked):
    granted = priority_of(type_, data, asked)
    assert isinstance(granted, Priority)
    if asked is not None:
        assert granted >= asked
