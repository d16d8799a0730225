"""The settings of alarms: what is taken, and what each wrong one is told."""

from pathlib import Path

import pytest

from config import AlarmSettings, SettingsError, load

WHOLE = """
[floor.alarms]
positions = { "acme/plant1/line3/*" = "acme/plant1/desk3" }

[[floor.alarms.list]]
key = "servo"
code = "7"
equipment = "acme/plant1/*"
priority = "high"
alarm_class = "drives"
text = "Servo overload"
cause = "chip jam"
consequence = "the spindle stops"
action = "clear the chips"
time_to_respond = 120

[[floor.alarms.list]]
key = "servo"
code = "7"

[[floor.alarms.classes]]
name = "drives"
on_delay = 2.0
latching = true
call = "maintenance"

[[floor.alarms.suppressions]]
name = "standing-still"
equipment = "acme/*"
states = ["off", "stopped"]
"""


def alarms(tmp_path: Path, text: str) -> AlarmSettings:
    path = tmp_path / "andond.toml"
    path.write_text(text)
    return load(path, {}, {}).settings.floor.alarms


def test_a_list_with_classes_suppressions_and_positions_is_read(tmp_path: Path) -> None:
    found = alarms(tmp_path, WHOLE)
    assert (found.list[0].priority, found.list[0].time_to_respond, found.list[1].priority) == ("high", 120.0, None)
    assert (found.classes[0].on_delay, found.classes[0].latching, found.classes[0].max_time_shelved) == (
        2.0,
        True,
        28_800.0,
    )
    assert found.suppressions[0].states == ("off", "stopped")
    assert found.positions == {"acme/plant1/line3/*": "acme/plant1/desk3"}


def test_without_settings_every_alarm_is_of_the_default_class_and_unrationalised(tmp_path: Path) -> None:
    assert alarms(tmp_path, "") == AlarmSettings()


@pytest.mark.parametrize(
    ("before", "after", "key", "expected"),
    [
        ('"high"', '"emergency"', "list[1].priority", "critical"),
        ('"acme/plant1/*"', '"acme//plant1"', "list[1].equipment", "an ISA-95 path"),
        ('alarm_class = "drives"', 'alarm_class = "motors"', "list[1].alarm_class", "default, drives"),
        ("time_to_respond = 120", "time_to_respond = -1", "list[1].time_to_respond", "from 0"),
        ('call = "maintenance"', 'call = "Maintenance!"', "classes[1].call", "type of a call"),
        ("on_delay = 2.0", "reauthorise_above = 30000", "classes[1].reauthorise_above", "at most max_time_shelved"),
        ('states = ["off", "stopped"]', "states = []", "suppressions[1].states", "at least one state"),
        ('equipment = "acme/*"', 'equipment = ""', "suppressions[1].equipment", "an ISA-95 path"),
        ('"acme/plant1/desk3"', '"desk 3"', "positions", "a table such as"),
    ],
)
def test_what_is_wrong_is_told_with_its_key_and_what_was_expected(
    tmp_path: Path, before: str, after: str, key: str, expected: str
) -> None:
    assert before in WHOLE
    with pytest.raises(SettingsError) as caught:
        alarms(tmp_path, WHOLE.replace(before, after, 1))
    (fault,) = caught.value.faults
    assert fault.key == f"floor.alarms.{key}"
    assert expected in fault.expected


def test_two_classes_of_one_name_are_one_too_many(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        alarms(tmp_path, WHOLE + '[[floor.alarms.classes]]\nname = "drives"\n')
    assert "'drives' is there more than once" in str(caught.value)
