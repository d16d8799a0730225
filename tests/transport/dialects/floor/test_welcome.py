from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transport.dialects.floor.welcome import DOORS, EntryFault, enter


def keys(path: str, **query: str) -> list[str]:
    entry = enter(path, {name: [value] for name, value in query.items()})
    assert entry is not None
    return sorted(topic.name for topic in entry.topics)


def test_the_contract_s_doors_are_there():
    assert {door.word: path for path, door in DOORS.items()} == {
        "main": "/ws",
        "production": "/ws/production",
        "andon": "/ws/andon",
        "equipment": "/ws/equipment",
        "production_v1": "/api/v1/ws/production",
        "line_v1": "/api/v1/ws/production/",
        "equipment_v1": "/api/v1/ws/equipment/",
    }


@pytest.mark.parametrize(
    ("path", "word"),
    [("/ws", "main"), ("/ws/", "main"), ("/ws/production/", "production"), ("/api/v1/ws/production/", "production_v1"),
     ("/api/v1/ws/production/L1", "line_v1"), ("/api/v1/ws/production/acme/p/l/", "line_v1"),
     ("/api/v1/ws/equipment/BP01.PACK.BAG1", "equipment_v1")],
)  # fmt: skip
def test_a_path_leads_to_its_door(path, word):
    entry = enter(path, {})
    assert entry is not None
    assert entry.door.word == word


@pytest.mark.parametrize(
    "path",
    ["/", "", "/w", "/wss", "/ws/metrics", "/ws//", "/api/v1/ws", "/api/v1/ws/equipment", "/api/v1/ws/equipment/"],
)
def test_a_path_that_is_no_door_leads_nowhere(path):
    assert enter(path, {}) is None


def test_the_end_of_the_path_names_a_line_or_an_equipment():
    assert keys("/api/v1/ws/production/acme/plant1/line3") == ["line:id=acme/plant1/line3"]
    assert keys("/api/v1/ws/equipment/BP01.PACK.BAG1") == ["equipment:id=BP01.PACK.BAG1"]


def test_the_forms_that_clients_build():
    assert keys("/ws", line_id="L1") == ["line:id=L1"]
    assert keys("/ws", equipment_code="E1") == ["equipment:id=E1"]
    assert keys("/ws", compression="permessage-deflate") == keys("/ws")
    assert keys("/ws/production", line_id="L1") == ["andon:id=L1", "downtime:id=L1", "oee:id=L1", "production:id=L1"]
    assert keys("/ws/production", subscription_types="oee, andon", line_id="L1") == ["andon:id=L1", "oee:id=L1"]
    assert keys("/ws/andon", line_id="L1", priority="high") == ["andon:id=L1", "escalation:priority=high"]
    assert keys("/ws/equipment", equipment_code="E1") == ["equipment:id=E1"]
    assert keys("/api/v1/ws/production", line_id="L1", user_id="u") == ["line:id=L1"]
    assert keys("/api/v1/ws/production", subscription_types="oee_update,andon_alert") == [
        "event:andon_alert",
        "event:oee_update",
    ]


def test_an_event_s_name_with_a_line_is_of_that_line():
    assert keys("/api/v1/ws/production", subscription_types="oee_update", line_id="L1") == [
        "event:oee_update\tline:id=L1"
    ]


def test_a_query_s_type_and_priority_are_applied():
    entry = enter("/ws/equipment", {"equipment_type": ["WorkCell"]})
    assert {tuple(topic.filters.items()) for topic in entry.topics} == {(("equipment_type", "WorkCell"),)}
    entry = enter("/ws/andon", {"priority": ["high"]})
    assert [dict(topic.filters) for topic in entry.topics] == [{"priority": "high"}, {}]


def test_without_a_query_the_default_is_followed_and_marked_as_such():
    for path in DOORS:
        if not path.endswith("/"):
            entry = enter(path, {})
            assert entry.is_default
            assert entry.topics
    assert not enter("/ws", {"line_id": ["L1"]}).is_default


def test_no_default_follows_readings():
    for path in DOORS:
        if not path.endswith("/"):
            assert "event:plc_metrics_update" not in keys(path)


def test_other_names_are_asked_for_in_the_query():
    assert enter("/ws", {"aliases": ["all"]}).wants_all_names
    assert enter("/ws", {"aliases": ["andon_alert,oee_data_updated"]}).aliases == {"andon_alert", "oee_data_updated"}
    assert not enter("/ws", {}).wants_all_names


@pytest.mark.parametrize(
    "query",
    [{"subscription_types": "production,weather"}, {"aliases": "andon_alarm"}, {"line_id": "x" * 300},
     {"line_id": "a\nb"}, {"subscription_types": "line"}, {"subscription_types": "job"}],
)  # fmt: skip
def test_what_cannot_be_followed_is_the_client_s_fault(query):
    with pytest.raises(EntryFault):
        enter("/ws/production", {name: [value] for name, value in query.items()})


@given(
    st.sampled_from(list(DOORS)),
    st.dictionaries(
        st.sampled_from(
            ["line_id", "equipment_code", "equipment_type", "priority", "user_id", "subscription_types", "aliases"]
        ),
        st.lists(st.text(max_size=8) | st.sampled_from(["oee", "line", "all", "oee_update"]), min_size=1, max_size=2),
    ),
)
def test_any_query_is_a_door_or_a_fault(path, query):
    with suppress(EntryFault):
        entry = enter(path + "x" * path.endswith("/"), query)
        assert entry is not None
        assert len({topic.name for topic in entry.topics}) <= 64
