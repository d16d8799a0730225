from __future__ import annotations

import pytest

from actors.hooks import Found, Installed
from config import HooksSettings, PolicySettings, RuleSettings
from domain import Priority
from domain.hooks import EventType, Hook, PartKind

OPENED = EventType("press.opened", Priority.HIGH, "")
HOOK = Hook((OPENED,), {"x": None}, {"horn": str}, {"gauge": int})


def paths(installed: Installed) -> dict[str, str]:
    return {part.path: part.state.value for part in installed.parts}


def test_every_part_of_every_hook_is_known():
    installed = Installed([Found("line4", HOOK), Found("line5", Hook(rules={"y": None}))])
    assert set(paths(installed)) == {
        "line4/type/press.opened",
        "line4/rule/x",
        "line4/channel/horn",
        "line4/source/gauge",
        "line5/rule/y",
    }
    assert [part.path for part, _ in installed.rules()] == ["line4/rule/x", "line5/rule/y"]


def test_a_hook_that_is_not_wanted_is_not_there():
    assert not Installed([Found("line4", HOOK)], HooksSettings(without=("line4",))).parts
    assert not Installed([Found("line4", HOOK)], HooksSettings(enabled=False)).parts


def test_a_hook_that_could_not_be_loaded_is_in_quarantine_and_told_once():
    installed = Installed([Found("line4", None, ImportError("planted")), Found("line5", HOOK)], at=1.0)
    assert paths(installed)["line4"] == "quarantined"
    ((part, event),) = installed.take_untold()
    assert (part.path, event.data["reason"]) == ("line4", "ImportError: planted")
    assert installed.take_untold() == []
    assert "line5/rule/x" in paths(installed)


@pytest.mark.parametrize(
    "hook",
    [
        Hook(rules={"Not a name": None}),
        Hook(types=(EventType("alarm.mine", Priority.LOW, ""),)),
        Hook(types=(EventType("press", Priority.LOW, ""),)),
    ],
)
def test_a_hook_with_names_that_cannot_be_is_in_quarantine_as_a_whole(hook):
    installed = Installed([Found("line4", hook)])
    assert paths(installed) == {"line4": "quarantined"}
    assert not installed.types
    assert not list(installed.rules())


def test_two_hooks_cannot_add_the_same_type():
    installed = Installed([Found("line4", HOOK), Found("line5", Hook(types=(OPENED,)))])
    assert paths(installed)["line5"] == "quarantined"
    assert dict(installed.types) == {"press.opened": OPENED}


@pytest.mark.parametrize("kind", ["line4/none", "none/gauge", "line4", "", "line4/horn"])
def test_a_table_that_names_no_source_finds_none(kind):
    assert Installed([Found("line4", HOOK)]).source(kind, "t") is None


def test_each_table_has_a_part_of_its_own():
    installed = Installed([Found("line4", HOOK)])
    first, make = installed.source("line4/gauge", "one")
    second, _ = installed.source("line4/gauge", "two")
    again, _ = installed.source("line4/gauge", "one")
    assert make is int
    assert first is again
    assert {first.path, second.path} == {"line4/source/gauge@one", "line4/source/gauge@two"}
    horn, make = installed.channel("line4/horn", "horn")
    assert (horn.path, make) == ("line4/channel/horn@horn", str)


def test_the_kinds_that_a_table_may_name_are_told():
    installed = Installed([Found("line4", HOOK)])
    installed.source("line4/gauge", "one")
    assert installed.kinds(PartKind.SOURCE) == ["line4/gauge"]
    assert installed.kinds(PartKind.CHANNEL) == ["line4/horn"]


def test_types_of_hooks_are_ranked_behind_the_operators_rules():
    mine = RuleSettings(name="mine", priority="low", type="press")
    settings = PolicySettings(rules=(mine,), critical_rate=7.0, critical_burst=8)
    policy = Installed([Found("line4", HOOK)]).policy(settings)
    assert [(rule.name, rule.type, rule.priority) for rule in policy.rules] == [
        ("mine", "press", "low"),
        ("hook.press.opened", "press.opened", "high"),
    ]
    assert (policy.critical_rate, policy.critical_burst) == (7.0, 8)


def test_the_same_settings_make_the_same_policy():
    installed, settings = Installed([Found("line4", HOOK)]), PolicySettings()
    assert installed.policy(settings) is installed.policy(settings)
    assert Installed().policy(settings) is settings
