"""Chains in plain data: read, written, and what is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.plant.escalation import ChainFault, Defaults, read_chain, write_chain

CHANNELS = ("websocket", "mail")
BASE = {"name": "own", "acknowledge": 300, "resolve": 1800}


def _faults(**members):
    with pytest.raises(ChainFault) as fault:
        read_chain({**BASE, **members}, CHANNELS, ("websocket", "mail", "mqtt", "webhook"))
    return {each.pointer: each.message for each in fault.value.faults}


STEPS = st.recursive(
    st.one_of(
        st.fixed_dictionaries(
            {"notify": st.lists(st.sampled_from(["anna", "ben"]), min_size=1, max_size=2, unique=True)},
            optional={"channels": st.just(["mqtt"]), "importance": st.sampled_from(["low", "high"])},
        ),
        st.fixed_dictionaries({"wait": st.one_of(st.integers(1, 9999), st.sampled_from(["acknowledge", "resolve"]))}),
        st.just({"notify_on_call": "electricians"}),
        st.just({"round_robin": ["anna", "ben"], "channels": ["mail"]}),
        st.just({"webhook": "erp"}),
        st.just({"signal": {"light": "red"}}),
        st.just({"set_severity": "critical"}),
        st.just({"resolve": True}),
    ),
    lambda steps: st.fixed_dictionaries(
        {"then": st.lists(steps, max_size=3), "otherwise": st.lists(steps, max_size=3)}
    ).flatmap(
        lambda branches: st.sampled_from(
            [
                {"if_level": 2, **branches},
                {"if_rate": {"more_than": 3, "within": 600}, **branches},
                {"if_time": {"shift": "night"}, **branches},
                {"if_time": {"days": ["mon", "sun"], "from": "22:00", "to": "06:00"}, **branches},
            ]
        )
    ),
    max_leaves=10,
)


@given(first=st.lists(STEPS, min_size=1, max_size=6), second=st.lists(STEPS, max_size=4))
def test_what_is_written_is_read_back_to_the_same_chain(first, second):
    chain = read_chain({**BASE, "unacknowledged": first, "unresolved": second}, CHANNELS)
    again = read_chain(write_chain(chain), ("other",))
    assert again == chain
    assert chain.first_program == again.first_program


def test_the_version_follows_the_content():
    one = read_chain({**BASE, "unacknowledged": [{"notify": "anna"}]}, CHANNELS)
    other = read_chain({**BASE, "unacknowledged": [{"notify": "ben"}]}, CHANNELS)
    same = read_chain({**BASE, "unacknowledged": [{"notify": ["anna"], "channels": list(CHANNELS)}]}, ())
    assert one.version == same.version != other.version


def test_every_fault_is_told_at_once_and_where_it_is():
    faults = _faults(
        name="No Name",
        priorities=["urgent"],
        unknown=1,
        unacknowledged=[
            {"notify": []},
            {"wait": -1},
            {"notify": "anna", "channels": ["fax"], "importance": "huge"},
            {"if_time": {"from": "25:00"}, "then": [{"repeat": 10}]},
            {"sing": True},
            {"if_rate": {"more_than": "x"}},
            {"notify": "anna", "wait": 3},
        ],
    )
    assert set(faults) == {
        "/name",
        "/priorities",
        "/unknown",
        "/unacknowledged",
        "/unacknowledged/0/notify",
        "/unacknowledged/1/wait",
        "/unacknowledged/2/channels",
        "/unacknowledged/2/importance",
        "/unacknowledged/3/if_time/from",
        "/unacknowledged/3/then/0/repeat",
        "/unacknowledged/4",
        "/unacknowledged/5/if_rate/more_than",
        "/unacknowledged/5/if_rate/within",
        "/unacknowledged/6",
    }


@pytest.mark.parametrize("times", [0, 10, 2.5, True, "3"])
def test_a_chain_repeats_one_to_nine_times(times):
    assert "/unacknowledged/1/repeat" in _faults(unacknowledged=[{"wait": 1}, {"repeat": times}])


def test_a_chain_does_not_repeat_without_a_wait():
    assert "/unacknowledged" in _faults(unacknowledged=[{"notify": "anna"}, {"repeat": 1}])
    hidden = [{"if_level": 5, "then": [{"wait": 60}]}, {"notify": "anna"}, {"repeat": 1}]
    assert "/unacknowledged" in _faults(unacknowledged=hidden)


def test_what_stands_behind_a_repeat_would_be_forgotten():
    assert "/unacknowledged" in _faults(unacknowledged=[{"wait": 1}, {"repeat": 1}, {"notify": "anna"}])


def test_conditions_are_not_nested_without_end():
    step: dict[str, object] = {"notify": "anna"}
    for _ in range(20):
        step = {"if_level": 2, "then": [step]}
    assert any(message.startswith("conditions within") for message in _faults(unacknowledged=[step]).values())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda each: (
            st.lists(each)
            | st.dictionaries(st.sampled_from(["notify", "wait", "if_time", "then", "unacknowledged", "x"]), each)
        ),
    )
)
def test_whatever_is_given_is_a_chain_or_a_fault(value):
    try:
        steps = read_chain({**BASE, "unacknowledged": value}, CHANNELS).unacknowledged
    except ChainFault as fault:
        steps = fault.faults
    assert steps


def test_a_chain_is_for_its_priorities_types_and_places():
    chain = read_chain(
        {**BASE, "unacknowledged": [{"notify": "anna"}], "priorities": ["high"], "types": ["safety"],
         "paths": ["acme/plant1/*", "acme/plant2"]},
        CHANNELS,
    )  # fmt: skip
    assert chain.fits("high", "safety", "acme/plant1/line3")
    assert chain.fits("high", "safety", "acme/plant2")
    assert not chain.fits("high", "safety", "acme/plant2/line1")
    assert not chain.fits("low", "safety", "acme/plant1/line3")
    assert not chain.fits("high", "quality", "acme/plant1/line3")


def test_the_plants_own_times_and_recipients_make_the_built_in_chains():
    (low, medium, _, critical) = Defaults(
        {"low": 60}, {"low": 90}, {"low": ("dora",), "critical": ("a", "b", "c")}
    ).chains()
    assert (low.acknowledge, low.resolve) == (60, 90)
    assert [step["notify"] for step in write_chain(low)["unacknowledged"] if "notify" in step] == [["dora"]]
    assert medium.acknowledge == 600
    levels = [step["notify"] for step in write_chain(critical)["unacknowledged"] if "notify" in step]
    assert levels == [["a"], ["b"], ["c"], ["a", "b", "c"]]
