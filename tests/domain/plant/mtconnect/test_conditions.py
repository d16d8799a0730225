from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import AlarmChange, Change, Conditions, Observation, Role


def condition(level: str, at: float, code: str = "", key: str = "logic", text: str = "") -> Observation:
    return Observation(key, Role.CONDITION, level, at, str(at), code, text=text)


def story(*observations: Observation, conditions: Conditions | None = None) -> list[tuple[str, str]]:
    conditions = Conditions() if conditions is None else conditions
    changes: list[AlarmChange] = []
    for observation in observations:
        changes += conditions.take(observation, observation.at or 0)
    return [(change.change.value, change.alarm.code) for change in changes]


def test_the_first_fault_raises_and_the_next_ones_do_not() -> None:
    assert story(condition("FAULT", 1, "A"), condition("FAULT", 2, "A")) == [("raised", "A")]


def test_another_level_changes_an_alarm_and_does_not_raise_it_again() -> None:
    conditions = Conditions()
    conditions.take(condition("WARNING", 1, "A"), 1)
    (change,) = conditions.take(condition("FAULT", 2, "A", text="worse"), 2)
    assert (change.change, change.before, change.alarm.level) == (Change.CHANGED, "WARNING", "FAULT")
    assert (change.alarm.since, change.alarm.text) == (1, "worse")


def test_normal_with_a_code_clears_that_one() -> None:
    told = story(condition("FAULT", 1, "A"), condition("FAULT", 1, "B"), condition("NORMAL", 2, "A"))
    assert told[2:] == [("cleared", "A")]


def test_normal_without_a_code_clears_all_of_its_key_only() -> None:
    told = story(
        condition("FAULT", 1, "A"),
        condition("FAULT", 1, "B"),
        condition("FAULT", 1, "C", "servo"),
        condition("NORMAL", 2),
    )
    assert told[3:] == [("cleared", "A"), ("cleared", "B")]


def test_unavailable_clears_and_says_why() -> None:
    conditions = Conditions()
    conditions.take(condition("FAULT", 1, "A"), 1)
    (change,) = conditions.take(condition("UNAVAILABLE", 2), 2)
    assert (change.change, change.reason, change.before) == (Change.CLEARED, "unavailable", "FAULT")
    assert len(conditions) == 0


def test_after_a_clearance_the_same_code_is_raised_again() -> None:
    told = story(condition("FAULT", 1, "A"), condition("NORMAL", 2), condition("FAULT", 3, "A"))
    assert [word for word, _ in told] == ["raised", "cleared", "raised"]


def test_clearing_what_is_not_active_says_nothing() -> None:
    assert story(condition("NORMAL", 1), condition("NORMAL", 1, "A"), condition("UNAVAILABLE", 1)) == []


def test_a_fault_without_a_code_is_an_alarm_too() -> None:
    assert story(condition("FAULT", 1), condition("NORMAL", 2)) == [("raised", ""), ("cleared", "")]


def test_an_older_clearance_that_comes_late_leaves_newer_alarms() -> None:
    told = story(condition("FAULT", 10, "A"), condition("FAULT", 3, "B"), condition("NORMAL", 5))
    assert told[2:] == [("cleared", "B")]


def test_active_alarms_are_bounded_and_what_is_refused_is_counted() -> None:
    conditions = Conditions(capacity=2)
    told = story(*(condition("FAULT", number, str(number)) for number in range(5)), conditions=conditions)
    assert (len(told), len(conditions), conditions.refused) == (2, 2, 3)
    story(condition("NORMAL", 9), condition("FAULT", 10, "x"), conditions=conditions)
    assert [alarm.code for alarm in conditions.active()] == ["x"]


LEVELS = st.sampled_from(["NORMAL", "WARNING", "FAULT", "UNAVAILABLE"])


@given(st.lists(st.tuples(LEVELS, st.sampled_from(["", "A", "B"]), st.sampled_from(["logic", "servo"])), max_size=40))
def test_raised_less_cleared_is_what_is_active(steps: list[tuple[str, str, str]]) -> None:
    conditions = Conditions()
    balance: Counter[tuple[str, str]] = Counter()
    for at, (level, code, key) in enumerate(steps):
        for change in conditions.take(condition(level, at, code, key), at):
            step = {Change.RAISED: 1, Change.CHANGED: 0, Change.CLEARED: -1}[change.change]
            balance[change.alarm.key, change.alarm.code] += step
    active = {(alarm.key, alarm.code): 1 for alarm in conditions.active()}
    assert {name: count for name, count in balance.items() if count} == active
    assert len(conditions) == len(active)
