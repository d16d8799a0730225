from __future__ import annotations

import pytest

from domain import Event, JsonValue, Priority, rfc3339
from domain.chain import ChainView, behind, provenance, without_provenance
from domain.chain.observations import PeersRead, Provenance

AT = 1730000000.0
NONE = "the event carried none"
TOLD: dict[str, JsonValue] = {
    "chain": "hub-4",
    "source": "node1",
    "height": 77,
    "method": "NewBlock",
    "observedAt": "2024-10-27T03:33:19.500Z",
    "ageMs": 500,
    "confirmedBy": ["node1", "node2"],
}


def event(data: JsonValue, type_: str = "chain.block", recorded: float = AT, time: str | None = None) -> Event:
    return Event("1", "/chain", type_, data, recorded, Priority.NORMAL, time=time)


@pytest.mark.parametrize("data", [{**TOLD, "blockHeight": 76}, {"blockHeight": 76, "provenance": TOLD}])
def test_what_an_event_carries_is_told_wherever_it_stands(data: dict[str, JsonValue]) -> None:
    assert provenance(event(data), AT) == TOLD


def test_an_age_that_was_carried_grows_until_it_is_told() -> None:
    assert provenance(event(TOLD), AT + 2)["ageMs"] == 2500


@pytest.mark.parametrize(("time", "age"), [(None, 1000), (rfc3339(AT - 4), 5000), (rfc3339(AT + 60), 0)])
def test_an_age_that_was_not_carried_counts_from_the_event_s_own_time(time: str | None, age: int) -> None:
    assert provenance(event({}, time=time), AT + 1)["ageMs"] == age


def test_what_an_event_does_not_carry_is_its_own_or_null_with_a_reason() -> None:
    assert provenance(event({"blockHeight": 76}), AT) == {
        "source": "/chain",
        "height": 76,
        "method": None,
        "observedAt": rfc3339(AT),
        "ageMs": 0,
        "confirmedBy": None,
        "reasons": {"method": NONE, "confirmedBy": NONE},
    }
    assert provenance(event(None), AT)["reasons"] == {"height": NONE, "method": NONE, "confirmedBy": NONE}


def test_what_is_made_from_several_events_has_the_newest_one_s() -> None:
    view = ChainView(window=60.0, stale_after=30.0)
    view.take(event({**TOLD, "blockHeight": 77}), AT)
    view.take(event({"peerId": "p", "connected": True}, "chain.peer", AT + 1), AT + 1)
    types = ("chain.transaction", "chain.block", "chain.peer")
    told = behind(view, AT + 2, types)
    assert (told["source"], told["ageMs"]) == ("/chain", 1000)
    assert told["derivedFrom"] == ["chain.block", "chain.peer"]
    assert behind(view, AT + 2, ("chain.block",)) == {**TOLD, "ageMs": 2500, "derivedFrom": ["chain.block"]}


def test_what_a_node_was_asked_later_is_newer_than_the_event() -> None:
    view = ChainView(window=60.0, stale_after=30.0)
    view.take(event({"peerId": "p", "connected": True}, "chain.peer", AT), AT)
    view.watch.take(PeersRead(Provenance("hub-4", "node2", "net_info", AT + 600), 1))
    told = behind(view, AT + 602, ("chain.peer", "chain.block"))
    assert (told["source"], told["method"], told["ageMs"]) == ("node2", "net_info", 2000)
    assert (told["height"], told["reasons"]) == (None, {"height": "it is of no height"})
    assert told["derivedFrom"] == ["chain.peer"]


def test_what_nothing_was_heard_of_is_null_with_a_reason() -> None:
    told = behind(ChainView(window=60.0, stale_after=30.0), AT, ("chain.block", "chain.peer"))
    reasons = told.pop("reasons")
    assert isinstance(reasons, dict)
    assert told.pop("derivedFrom") == []
    assert set(told.values()) == {None}
    assert reasons == dict.fromkeys(told, "no chain.block or chain.peer event received yet")


def test_fields_without_their_provenance() -> None:
    assert without_provenance({"a": 1, "provenance": TOLD}) == {"a": 1}
    assert without_provenance({"a": 1, "source": "node1", "ageMs": 5}) == {"a": 1, "source": "node1"}
    fields: dict[str, JsonValue] = {"a": 1}
    assert without_provenance(fields) is fields
