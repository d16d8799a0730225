import pytest

from domain import Grounds, Refused
from domain.plant.calls import (
    OPEN,
    RAISE,
    TRANSITIONS,
    Call,
    Said,
    State,
    Status,
    Step,
    Trigger,
    screen_status,
    service_status,
    states_of,
    triggers_of,
)

# One row for every pair: the state, what happens, where it leads; None is impossible.
EXPECTED = [
    ("raised", "notify", "notified"),
    ("raised", "acknowledge", "acknowledged"),
    ("raised", "arrive", "in_progress"),
    ("raised", "resolve", "resolved"),
    ("raised", "close", None),
    ("raised", "cancel", "cancelled"),
    ("raised", "reopen", None),
    ("raised", "reassign", "raised"),
    ("raised", "escalate", "raised"),
    ("raised", "change", "raised"),
    ("raised", "link", "raised"),
    ("notified", "notify", None),
    ("notified", "acknowledge", "acknowledged"),
    ("notified", "arrive", "in_progress"),
    ("notified", "resolve", "resolved"),
    ("notified", "close", None),
    ("notified", "cancel", "cancelled"),
    ("notified", "reopen", None),
    ("notified", "reassign", "notified"),
    ("notified", "escalate", "notified"),
    ("notified", "change", "notified"),
    ("notified", "link", "notified"),
    ("acknowledged", "notify", None),
    ("acknowledged", "acknowledge", None),
    ("acknowledged", "arrive", "in_progress"),
    ("acknowledged", "resolve", "resolved"),
    ("acknowledged", "close", None),
    ("acknowledged", "cancel", "cancelled"),
    ("acknowledged", "reopen", None),
    ("acknowledged", "reassign", "acknowledged"),
    ("acknowledged", "escalate", "acknowledged"),
    ("acknowledged", "change", "acknowledged"),
    ("acknowledged", "link", "acknowledged"),
    ("in_progress", "notify", None),
    ("in_progress", "acknowledge", None),
    ("in_progress", "arrive", None),
    ("in_progress", "resolve", "resolved"),
    ("in_progress", "close", None),
    ("in_progress", "cancel", "cancelled"),
    ("in_progress", "reopen", None),
    ("in_progress", "reassign", "in_progress"),
    ("in_progress", "escalate", "in_progress"),
    ("in_progress", "change", "in_progress"),
    ("in_progress", "link", "in_progress"),
    ("resolved", "notify", None),
    ("resolved", "acknowledge", None),
    ("resolved", "arrive", None),
    ("resolved", "resolve", None),
    ("resolved", "close", "closed"),
    ("resolved", "cancel", None),
    ("resolved", "reopen", "raised"),
    ("resolved", "reassign", None),
    ("resolved", "escalate", None),
    ("resolved", "change", None),
    ("resolved", "link", "resolved"),
    ("closed", "notify", None),
    ("closed", "acknowledge", None),
    ("closed", "arrive", None),
    ("closed", "resolve", None),
    ("closed", "close", None),
    ("closed", "cancel", None),
    ("closed", "reopen", None),
    ("closed", "reassign", None),
    ("closed", "escalate", None),
    ("closed", "change", None),
    ("closed", "link", None),
    ("cancelled", "notify", None),
    ("cancelled", "acknowledge", None),
    ("cancelled", "arrive", None),
    ("cancelled", "resolve", None),
    ("cancelled", "close", None),
    ("cancelled", "cancel", None),
    ("cancelled", "reopen", None),
    ("cancelled", "reassign", None),
    ("cancelled", "escalate", None),
    ("cancelled", "change", None),
    ("cancelled", "link", None),
]


def test_every_pair_has_a_row():
    assert [(state, trigger) for state, trigger, _ in EXPECTED] == [(s.value, t.value) for s in State for t in Trigger]


@pytest.mark.parametrize(("state", "trigger", "after"), EXPECTED)
def test_a_call_goes_where_the_table_says_and_nowhere_else(state, trigger, after):
    said = Said("kim", 100.0, 100.0)
    begun = Call(
        "c1", "acme/st4", "stop", "maintenance", "high", "", True, "c1", (Step(1, RAISE, State.RAISED, said, 100.0),)
    )
    call = Call(*(getattr(begun, name) for name in Call.__struct_fields__[:9]), State(state))
    if after is None:
        with pytest.raises(Refused) as refused:
            call.step(Trigger(trigger), said)
        assert refused.value.grounds is Grounds.CONFLICT
        assert refused.value.details == {"state": state, "trigger": trigger}
        return
    stepped = call.step(Trigger(trigger), said, {"level": 2})
    assert (stepped.state, stepped.last.number, stepped.last.trigger) == (State(after), 2, trigger)
    # The one it was made from is what it was.
    assert (call.state, len(call.steps)) == (State(state), 1)


def test_what_is_over_leads_nowhere_and_everything_else_leads_there():
    for state in State:
        reached, frontier = {state}, [state]
        while frontier:
            here = frontier.pop()
            found = {after for (before, _), after in TRANSITIONS.items() if before is here} - reached
            reached |= found
            frontier += found
        assert (reached == {state}) is state.is_over
        assert state.is_over or {State.CLOSED, State.CANCELLED} <= reached
        assert state.is_over is (triggers_of(state) == ())
    assert {state for state in State if state.is_open} == OPEN == set(State) - {"resolved", "closed", "cancelled"}


@pytest.mark.parametrize(
    ("state", "service", "screen"),
    [
        ("raised", "open", "active"),
        ("notified", "open", "active"),
        ("acknowledged", "acknowledged", "acknowledged"),
        ("in_progress", "acknowledged", "in_progress"),
        ("resolved", "resolved", "resolved"),
        ("closed", "resolved", "resolved"),
        ("cancelled", "resolved", "resolved"),
    ],
)
def test_the_dashboards_words_are_mapped_and_never_hide_who_acknowledged(state, service, screen):
    assert (service_status(State(state)), screen_status(State(state))) == (service, screen)
    assert Status.ESCALATED not in (service_status(State(state)), screen_status(State(state)))
    assert State(state) in states_of(state) & states_of(service) & states_of(screen)


def test_a_word_that_nobody_has_asks_for_nothing():
    assert states_of("lost") == frozenset()
    assert states_of("open") == {State.RAISED, State.NOTIFIED}
    assert states_of("escalated") == OPEN
