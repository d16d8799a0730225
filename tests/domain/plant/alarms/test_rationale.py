"""The rationalised alarm list: what holds for an alarm, what the list lacks."""

import pytest
from msgspec.structs import replace

from domain.plant.alarms import AlarmClass, AlarmList, AlarmPriority, Entry, Fact, Rulebook

WHOLE = Entry(
    key="E017",
    priority=AlarmPriority.HIGH,
    text="No bag",
    cause="magazine empty",
    consequence="the bagger stops",
    action="fill the magazine",
    time_to_respond=300.0,
)


def test_a_bagger_list_with_doubled_and_undefined_rows_is_taken_and_counted() -> None:
    # 56 rows with 54 different tags, two of them twice, seven of which nothing is defined.
    rows = [replace(WHOLE, key=f"E{number:03}") for number in range(54)]
    rows[40:47] = [replace(each, cause="not defined", consequence="", action="Not Defined") for each in rows[40:47]]
    rows += [replace(rows[3], priority=AlarmPriority.LOW), rows[9]]
    entries = AlarmList(rows)
    assert (len(entries.entries), len(entries)) == (56, 54)
    assert [entry.key for entry in entries.doubled] == ["E003", "E009"]
    assert len(entries.incomplete) == 7
    assert entries.rationale("acme/bagger", "E003", "").priority is AlarmPriority.HIGH
    assert [row["key"] for row in entries.export() if row["doubled"]] == ["E003", "E009"]
    assert not entries.rationale("acme/bagger", "E040", "").is_rationalised


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [
        ({"priority": None}, "priority"),
        ({"cause": ""}, "cause"),
        ({"consequence": "not defined"}, "consequence"),
        ({"action": " - "}, "action"),
        ({"time_to_respond": 0.0}, "time_to_respond"),
    ],
)
def test_an_entry_that_leaves_something_out_says_what(left_out: dict, missing: str) -> None:
    assert replace(WHOLE, **left_out).missing == (missing,)
    assert WHOLE.missing == ()


def test_the_most_particular_entry_holds() -> None:
    entries = AlarmList(
        [
            Entry(priority=AlarmPriority.LOW),
            Entry("servo", priority=AlarmPriority.MEDIUM),
            Entry(code="7", equipment="acme/*", priority=AlarmPriority.MEDIUM),
            Entry("servo", "7", "acme/*", AlarmPriority.HIGH),
            Entry("servo", "7", "acme/plant1/*", AlarmPriority.LOW),
            Entry("servo", "7", "acme/plant1/press3", AlarmPriority.CRITICAL),
        ]
    )

    def priority(equipment: str, key: str, code: str) -> str:
        return entries.rationale(equipment, key, code).priority.value

    assert priority("acme/plant1/press3", "servo", "7") == "critical"
    assert priority("acme/plant1/press4", "servo", "7") == "low"
    assert priority("acme/plant2/press3", "servo", "7") == "high"
    assert priority("other/press", "servo", "7") == "medium"
    assert priority("acme/plant2/press3", "logic", "7") == "medium"
    assert priority("acme", "logic", "9") == "low"


def test_what_is_below_a_place_is_not_what_merely_begins_like_it() -> None:
    entries = AlarmList([Entry("servo", equipment="acme/plant1/*", priority=AlarmPriority.HIGH)])
    assert entries.rationale("acme/plant1", "servo", "").entry is not None
    assert entries.rationale("acme/plant10/press", "servo", "").entry is None


def test_an_unknown_alarm_is_medium_and_not_rationalised() -> None:
    found = AlarmList().rationale("acme/press3", "EMERGENCY STOP", "FATAL")
    assert (found.priority, found.is_rationalised, found.record()) == (AlarmPriority.MEDIUM, False, None)


def test_severities_are_of_the_thirds_of_opc_ua_and_in_the_order_of_the_priorities() -> None:
    severities = [priority.severity for priority in AlarmPriority]
    assert severities == sorted(severities, reverse=True)
    assert [priority.severity > 666 for priority in AlarmPriority] == [True, True, False, False]
    assert AlarmPriority.LOW.severity <= 333


def test_a_class_that_is_not_there_is_the_default_one() -> None:
    rules = Rulebook(AlarmList([Entry("servo", class_name="gone")]), [AlarmClass("slow", on_delay=5.0)])
    assert rules.terms("acme", "servo", "").of_class.name == "default"


def test_a_class_that_nobody_sees_does_not_latch() -> None:
    assert Fact.LATCHING in AlarmClass(is_latching=True).facts
    assert Fact.LATCHING not in AlarmClass(is_latching=True, is_annunciated=False).facts


def test_the_position_is_what_the_settings_say_or_one_above_the_equipment() -> None:
    rules = Rulebook(positions={"acme/plant1/*": "acme/plant1", "acme/plant1/line3/*": "acme/plant1/desk3"})
    assert rules.position("acme/plant1/line3/press3") == "acme/plant1/desk3"
    assert rules.position("acme/plant1/line4/press1") == "acme/plant1"
    assert rules.position("acme/plant2/line1/press1") == "acme/plant2/line1"
    assert rules.position("press") == "press"
