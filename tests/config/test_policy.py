"""The rules of the policy in a configuration: what is understood, and every fault by its key."""

from __future__ import annotations

import json
import tomllib

import pytest

from config import PolicySettings, RuleSettings, Settings, SettingsError, changed, in_force, load, toml_value
from domain import BUILT_IN, Priority

RULE = {"name": "fire", "priority": "critical", "type": "press.fire"}


@pytest.fixture
def given(tmp_path):
    """The settings that a section of policy makes."""

    def given(text, environ=None):
        path = tmp_path / "andond.toml"
        path.write_text(text)
        return load(path, environ or {}, {}).settings.policy

    return given


@pytest.fixture
def faults(given):
    """What is wrong with rules: (key, what is expected)."""

    def faults(*rules, text=None):
        with pytest.raises(SettingsError) as raised:
            given(text if text is not None else f"[policy]\nrules = {toml_value(list(rules))}\n")
        return [(fault.key, fault.expected) for fault in raised.value.faults]

    return faults


def test_without_a_policy_there_are_no_rules_but_the_built_in_ones():
    assert Settings().policy == PolicySettings(rules=(), critical_rate=100.0, critical_burst=1000)


def test_rules_are_read_in_their_order_with_all_that_they_say(given):
    policy = given(
        "[policy]\ncritical_rate = 5\n"
        '[[policy.rules]]\nname = "one"\npriority = "low"\nsource = "/acme/*"\n'
        '[[policy.rules]]\nname = "two"\ntype = "press"\npriority = "high"\n'
        'where = { level = "FAULT", "press.armed" = true, zone = 3, load = 1.5 }\n'
    )
    assert policy.rules == (
        RuleSettings(name="one", priority="low", source="/acme/*"),
        RuleSettings(
            name="two",
            priority="high",
            type="press",
            where={"level": "FAULT", "press.armed": True, "zone": 3, "load": 1.5},
        ),
    )
    assert policy.critical_rate == 5.0


@pytest.mark.parametrize("written", [toml_value([RULE]), json.dumps([RULE])])
def test_rules_can_come_from_a_variable(given, written):
    assert given("", {"ANDOND__POLICY__RULES": written}).rules == (RuleSettings(**RULE),)


def test_a_rule_is_written_as_it_is_read():
    rule = RuleSettings(name="x", priority="high", where={"a.b": True, "c": "D"}, source="/acme/*")
    read = tomllib.loads(f"rule = {toml_value(rule)}")["rule"]
    assert read == {"name": "x", "priority": "high", "where": {"a.b": True, "c": "D"}, "source": "/acme/*"}


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ({"priority": "urgent"}, "priority", "one of critical, high, normal, low"),
        ({"priority": "critica"}, "priority", "'critical', perhaps"),
        ({"priority": 1}, "priority", "one of critical, high, normal, low"),
        ({"name": "Fire"}, "name", "a name of lower-case letters, digits, dashes and underscores, at most 63"),
        ({"name": "a.b"}, "name", "a name of lower-case letters, digits, dashes and underscores, at most 63"),
        ({"type": "Press"}, "type", "a type of events, or its first words, such as andon.call"),
        ({"type": "press."}, "type", "a type of events, or its first words, such as andon.call"),
        ({"type": 3}, "type", "text"),
        ({"source": "/acme/*/press"}, "source", "a source such as /acme/plant1/press3"),
        ({"source": " "}, "source", "a source such as /acme/plant1/press3"),
        ({"where": "level"}, "where", "a table"),
        ({"where": {"level": ["FAULT"]}}, "where", "a table"),
        ({"where": {"a..b": 1}}, "where", "a table such as { level"),
        ({"were": {"level": "FAULT"}}, "were", "'where', perhaps"),
    ],
)
def test_a_faulty_rule_is_named_by_its_number_and_key(faults, change, key, expected):
    found = faults(RULE | {"name": "good"}, RULE | change)
    assert [one for one, _ in found] == [f"policy.rules[2].{key}"]
    assert found[0][1].startswith(expected)


def test_all_faults_of_all_rules_are_told_at_once(faults):
    found = faults({"priority": "no"}, {"name": "x"}, RULE | {"type": "."})
    assert [key for key, _ in found] == [
        "policy.rules[1].priority",
        "policy.rules[1].name",
        "policy.rules[2].priority",
        "policy.rules[3].type",
    ]


def test_a_fault_has_the_line_where_the_rules_begin(given, tmp_path):
    with pytest.raises(SettingsError) as raised:
        given('\n[[policy.rules]]\nname = "x"\n')
    (fault,) = raised.value.faults
    assert fault.origin == f"{tmp_path}/andond.toml:2"


def test_two_rules_cannot_have_one_name(faults):
    (found,) = faults(RULE, RULE | {"type": "press.smoke"})
    assert found == ("policy.rules", "rules that have different names, and 'fire' is there more than once")


def test_a_rule_that_speaks_of_everything_is_none(faults):
    (found,) = faults({"name": "all", "priority": "low"})
    assert found == (
        "policy.rules",
        "rules that say a type, a source or where of the events, and 'all' says none",
    )


@pytest.mark.parametrize("written", ["3", '"fire"', "{ name = 1 }", "[1]", '["fire"]'])
def test_what_is_no_list_of_tables_is_a_fault(faults, written):
    assert faults(text=f"[policy]\nrules = {written}\n") == [("policy.rules", "a list of tables, [[policy.rules]]")]


@pytest.mark.parametrize(
    ("key", "value"), [("critical_rate", 0.0), ("critical_rate", 1e9), ("critical_burst", 0), ("critical_burst", 1.5)]
)
def test_a_budget_has_limits(faults, key, value):
    ((found, _),) = faults(text=f"[policy]\n{key} = {value}\n")
    assert found == f"policy.{key}"


def test_a_reload_applies_a_policy():
    new = Settings(policy=PolicySettings(rules=(RuleSettings(**RULE),), critical_burst=5))
    assert changed(Settings(), new) == (["policy.rules", "policy.critical_burst"], [])
    assert in_force(Settings(), new).policy == new.policy


def test_the_words_of_a_setting_are_the_priorities_of_the_policy():
    assert [RuleSettings(name="x", priority=priority.wire).priority for priority in Priority] == [
        "critical",
        "high",
        "normal",
        "low",
    ]
    with pytest.raises(SettingsError):
        load(None, {"ANDOND__POLICY__RULES": '[{name="x", priority="none", type="a"}]'}, {})


def test_no_rule_of_an_operator_can_be_mistaken_for_a_built_in_one(given):
    for rule in BUILT_IN.rules:
        with pytest.raises(SettingsError):
            given(f"[policy]\nrules = [{toml_value(RULE | {'name': rule.name})}]\n")
