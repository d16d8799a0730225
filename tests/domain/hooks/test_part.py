from __future__ import annotations

import pytest

from domain import Priority, channel_of
from domain.hooks import Draft, EventType, Hook, Part, PartKind, PartState, hook_faults, parts_of
from domain.hooks.part import REASON_LIMIT

AT = 1_800_000_000.0


def part() -> Part:
    return Part("line4", PartKind.RULE, "overload")


def test_a_part_is_ready_until_it_fails():
    rule = part()
    assert not rule.is_quarantined
    rule.quarantine("KeyError: 'x'", AT)
    assert rule.is_quarantined
    assert (rule.state, rule.reason, rule.at) == (PartState.QUARANTINED, "KeyError: 'x'", AT)


def test_quarantine_is_told_once_however_often_a_part_fails():
    rule = part()
    assert rule.quarantine("first", AT) is not None
    assert rule.quarantine("second", AT + 1) is None
    assert (rule.reason, rule.at) == ("first", AT)


def test_the_event_says_which_part_and_why():
    event = part().quarantine("KeyError: 'x'", AT)
    assert event is not None
    assert (event.type, event.source, event.priority) == (
        "hook.quarantined",
        "/andond/hooks/line4/rule/overload",
        Priority.HIGH,
    )
    assert event.data == {"hook": "line4", "kind": "rule", "name": "overload", "reason": "KeyError: 'x'"}
    assert channel_of(event) == "sources/andond/hooks/line4/rule/overload"


def test_a_part_of_a_table_has_a_channel_too():
    event = Part("line4", PartKind.SOURCE, "gauge@press1").quarantine("x", AT)
    assert channel_of(event) == "sources/andond/hooks/line4/source/gauge@press1"


def test_a_long_reason_is_cut():
    rule = part()
    rule.quarantine("x" * 10_000, AT)
    assert len(rule.reason) == REASON_LIMIT


def test_the_status_document_has_everything_that_is_known():
    rule = part()
    rule.quarantine("late", AT)
    said = rule.describe()
    assert said["state"] == "quarantined"
    assert said["since"] == "2027-01-15T08:00:00.000Z"
    assert {"calls", "made", "missed", "refusal"} <= said.keys()


def test_every_part_of_a_hook_is_found():
    hook = Hook((EventType("press.opened", Priority.LOW, ""),), {"a": None}, {"b": None}, {"c": None})
    assert [each.path for each in parts_of("line4", hook)] == [
        "line4/type/press.opened",
        "line4/rule/a",
        "line4/channel/b",
        "line4/source/c",
    ]


@pytest.mark.parametrize("name", ["", "Line4", "line 4", "line4/x", "x" * 64])
def test_a_name_that_nobody_could_use_is_a_fault(name):
    assert hook_faults(name, Hook())
    assert hook_faults("line4", Hook(rules={name: None}))
    assert hook_faults("line4", Hook(channels={name: None}))
    assert hook_faults("line4", Hook(sources={name: None}))


def test_a_hook_with_good_names_has_no_fault():
    assert hook_faults("line-4", Hook(rules={"over_load": None})) == []


def test_a_draft_leaves_the_rest_to_the_gateway():
    members = Draft("press.opened", {"by": "x"}).members("id-1", "/press3")
    assert members == {
        "specversion": "1.0",
        "id": "id-1",
        "source": "/press3",
        "type": "press.opened",
        "quality": "good",
        "data": {"by": "x"},
    }


def test_what_a_draft_says_is_kept():
    draft = Draft("press.opened", None, "/other", "door", "7", "2027-01-15T08:00:00Z", "uncertain")
    members = draft.members("id-1", "/press3")
    assert (members["id"], members["source"], members["subject"]) == ("7", "/other", "door")
    assert (members["time"], members["quality"]) == ("2027-01-15T08:00:00Z", "uncertain")
