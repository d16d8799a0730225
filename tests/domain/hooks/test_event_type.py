from __future__ import annotations

import pytest

from domain import BUILT_IN, Event, Priority
from domain.hooks import RESERVED, EventType, type_faults
from domain.hooks.event_type import KINDS, name_faults
from domain.names import _KINDS

PRESSED = EventType("press.overloaded", Priority.HIGH, "too hard", {"force": "number", "unit": "text", "safe": "flag"})


def event(type_: str, data: object) -> Event:
    return Event("1", "/press3", type_, data, 0.0, Priority.NORMAL)


def test_data_that_keeps_what_its_type_promises_has_no_fault():
    assert PRESSED.faults({"force": 1, "unit": "kN", "safe": False, "more": None}) == []


def test_every_member_that_is_missing_or_of_another_kind_is_a_fault():
    faults = PRESSED.faults({"force": "1", "unit": None})
    assert [fault.pointer for fault in faults] == ["/data/force", "/data/unit", "/data/safe"]


def test_a_flag_is_no_number_although_python_says_so():
    assert [fault.pointer for fault in PRESSED.faults({"force": True, "unit": "", "safe": 1})] == [
        "/data/force",
        "/data/safe",
    ]


@pytest.mark.parametrize("data", [None, [], "force", 3])
def test_data_that_is_no_object_is_one_fault(data):
    assert [fault.pointer for fault in PRESSED.faults(data)] == ["/data"]


def test_a_type_without_members_takes_any_data():
    assert EventType("press.opened", Priority.LOW, "").faults(None) == []


def test_an_event_is_checked_by_its_own_type_alone():
    types = {PRESSED.name: PRESSED}
    assert type_faults(types, event("press.overloaded", {}))
    assert not type_faults(types, event("press.opened", {}))


@pytest.mark.parametrize(
    "name", ["press", "Press.opened", "press.", "", ".press", "press opened.x", "andon.call", "hook.x"]
)
def test_a_name_that_is_not_dotted_or_is_the_gateways_is_a_fault(name):
    assert name_faults([EventType(name, Priority.LOW, "")])


def test_a_member_of_no_known_kind_is_a_fault():
    (fault,) = name_faults([EventType("press.opened", Priority.LOW, "", {"force": "kilonewton"})])
    assert "kilonewton" in fault
    assert all(kind in fault for kind in KINDS)


def test_no_hook_can_have_a_word_that_the_gateway_gives_a_meaning():
    ours = {rule.type.partition(".")[0] for rule in BUILT_IN.rules} | {kind.partition(".")[0] for kind in _KINDS}
    assert ours <= RESERVED
