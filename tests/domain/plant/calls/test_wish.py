import pytest

from domain import Event, Grounds, Priority, Refused
from domain.plant.calls import KINDS, TYPES, rule, ulid, wish_of, wishes

ALIASES = {"BP01.PACK.BAG1": "acme/plant1/bp01/pack/bag1"}


def path_of(name):
    return ALIASES.get(name, name)


def test_a_call_needs_a_place_and_a_type_and_the_rest_is_that_of_the_type():
    wish = wish_of({"equipment": "BP01.PACK.BAG1", "type": "stop"}, path_of)
    assert (wish.path, wish.word, wish.priority, wish.stops_line) == (
        "acme/plant1/bp01/pack/bag1",
        "stop",
        "high",
        True,
    )
    assert (wish.text, wish.assigned_to, wish.incident, wish.links) == ("", None, None, {})


def test_what_is_said_takes_the_place_of_what_the_type_says():
    given = {"equipment": "/acme/st4", "type": "stop", "priority": "low", "text": "jam", "stops_line": False}
    given |= {"assigned_to": "lee", "incident": "i7", "alarm": "a1", "stop": "s1", "job": "j1"}
    wish = wish_of(given, path_of)
    assert (wish.path, wish.priority, wish.text, wish.stops_line) == ("acme/st4", "low", "jam", False)
    assert (wish.assigned_to, wish.incident) == ("lee", "i7")
    assert wish.links == {"alarm": "a1", "stop": "s1", "job": "j1"}


def test_every_fault_is_named_at_once():
    given = {"type": "party", "priority": "urgent", "text": "", "stops_line": "yes", "assigned_to": 7}
    with pytest.raises(Refused) as refused:
        wish_of(given, path_of)
    assert refused.value.grounds is Grounds.INVALID
    pointers = {fault["pointer"] for fault in refused.value.details["faults"]}
    assert pointers == {"/type", "/equipment", "/priority", "/text", "/stops_line", "/assigned_to"}


@pytest.mark.parametrize("equipment", ["/", "a b", "acme//st4", "acme/*", "ä", "x" * 201])
def test_a_place_that_could_be_no_channel_is_refused(equipment):
    with pytest.raises(Refused, match="equipment"):
        wish_of({"equipment": equipment, "type": "stop"}, path_of)


def test_the_types_are_those_of_the_plant_and_the_dashboards_words_stand_for_them():
    assert set(TYPES) == {"safety", "quality", "maintenance", "material", "supervisor", "changeover", "it"}
    for word in ("stop", "quality", "maintenance", "material", "safety", "fault", "warning", "info", "critical_fault",
                 "safety_alert"):  # fmt: skip
        assert KINDS[word].type in TYPES
    assert {kind.type for kind in KINDS.values()} == set(TYPES)


# --- rules


def event(type_="alarm.raised", data=None, id_="e1", subject="a1"):
    return Event(id_, "/acme/line3/press3", type_, data, 1_800_000_000.0, Priority.HIGH, subject)


FAULT = rule("press-fault", "maintenance", type_="alarm.raised", where=[("level", "fault")], text="{code}: {data.text}")


def test_an_event_that_fits_raises_the_call_of_the_rule_where_it_comes_from():
    told = event(data={"level": "FAULT", "code": 17, "text": "oil", "incident": "i7"})
    ((found, wish),) = wishes([FAULT], told, path_of)
    assert (found.by, wish.path, wish.word, wish.priority) == (
        "rule:press-fault",
        "acme/line3/press3",
        "maintenance",
        "medium",
    )
    assert (wish.text, wish.links, wish.incident) == ("17: oil", {"alarm": "a1"}, "i7")


@pytest.mark.parametrize(
    "other",
    [
        event(data={"level": "WARNING"}),
        event(data=None),
        event("alarm.cleared", {"level": "FAULT"}),
        event("andon.call.raised", {"level": "FAULT"}),
    ],
)
def test_an_event_that_does_not_fit_raises_nothing(other):
    assert wishes([FAULT], other, path_of) == []


def test_an_event_of_a_call_raises_none_or_there_were_no_end():
    assert wishes([rule("all", "it")], event("andon.call.raised"), path_of) == []
    assert len(wishes([rule("all", "it")], event("andonx.call"), path_of)) == 1


def test_two_validators_of_one_chain_are_two_places_or_the_second_one_s_call_were_the_first_one_s():
    def told(type_, subject):
        return Event(f"e{subject}", "/chain/hub-1", type_, {"text": f"{subject} is gone"}, 1.0, Priority.HIGH, subject)

    events = [
        told("validator.status", "AA"),
        told("validator.status", "BB"),
        told("chain.node.quarantined", "n1:26657"),
    ]
    found = [wish for each in events for _, wish in wishes([rule("r", "it")], each, path_of)]
    assert [wish.path for wish in found] == ["chain/hub-1/AA", "chain/hub-1/BB", "chain/hub-1/n1:26657"]
    assert found[0].text == "AA is gone"
    ((_, halted),) = wishes([rule("r", "it")], told("chain.halted", "hub-1"), path_of)
    assert halted.path == "chain/hub-1"


def test_the_same_event_raises_the_same_call_and_another_one_another():
    rules = [FAULT, rule("second", "supervisor", type_="alarm")]
    told = event(data={"level": "FAULT"})
    ids = [wish.id for _, wish in wishes(rules, told, path_of)]
    assert ids == [wish.id for _, wish in wishes(rules, told, path_of)]
    others = [wish.id for _, wish in wishes(rules, event(data={"level": "FAULT"}, id_="e2"), path_of)]
    assert len({*ids, *others}) == 4


def test_a_rule_can_say_where_and_how_urgent_and_a_text_of_the_event_stands_for_none():
    told = event("machine.broken", {"message": "spindle"}, subject=None)
    ((_, wish),) = wishes([rule("r", "stop", equipment="BP01.PACK.BAG1", priority="critical")], told, path_of)
    assert (wish.path, wish.priority, wish.text, wish.links) == (
        "acme/plant1/bp01/pack/bag1",
        "critical",
        "spindle",
        {},
    )
    assert wish.stops_line


def test_ids_sort_by_time_and_have_the_form_of_a_ulid():
    ids = [
        ulid(at, noise) for at, noise in [(0.0, 0), (1_800_000_000.0, 5), (1_800_000_000.0, 6), (1_800_000_000.001, 0)]
    ]
    assert ids == sorted(ids)
    assert {len(one) for one in ids} == {26}
    assert ids[0] == "0" * 26
    assert ulid(1469918176.385, 0)[:10] == "01ARYZ6S41"
