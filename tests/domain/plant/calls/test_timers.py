"""How long each part of a call took, by which clock, and when somebody should have come (P10, P14, N8)."""

import pytest

from domain import parse_rfc3339
from domain.plant.calls import (
    INTERVALS,
    State,
    Targets,
    Terms,
    Trigger,
    deadlines,
    document,
    ended,
    statistics,
    timers,
)

ACK, ARRIVE, RESOLVE, CLOSE = Trigger.ACKNOWLEDGE, Trigger.ARRIVE, Trigger.RESOLVE, Trigger.CLOSE


def seconds(plant, id_="c1"):
    found = timers(plant.calls.find(id_), plant.at, plant.terms.targets)
    return {timer.name: timer.seconds for timer in found}


@pytest.fixture
def closed(plant):
    """A call: delivered after 2 s, acknowledged after 10, arrived after 40, resolved after 100, closed after 150."""
    plant.call("kim")
    plant.wait(2)
    plant.carry_out(plant.calls.notified("c1", "mail", "lee", plant.at))
    for trigger, wait in [(ACK, 8), (ARRIVE, 30), (RESOLVE, 60), (CLOSE, 50)]:
        plant.wait(wait)
        plant.act("c1", trigger)
    plant.wait(1000)
    return plant


def test_each_of_the_seven_intervals_has_its_own_timer(closed):
    assert seconds(closed) == {
        "raise_to_deliver": 2,
        "raise_to_acknowledge": 10,
        "acknowledge_to_arrive": 30,
        "raise_to_arrive": 40,
        "arrive_to_resolve": 60,
        "resolve_to_close": 50,
        "raise_to_close": 150,
    }
    assert len(INTERVALS) == 7


def test_a_timer_runs_until_its_end_and_has_no_value_before_its_beginning(plant):
    plant.call("kim")
    plant.wait(30)
    before = {timer.name: timer for timer in timers(plant.calls.find("c1"), plant.at, Targets())}
    running = {"raise_to_deliver", "raise_to_acknowledge", "raise_to_arrive", "raise_to_close"}
    assert {name for name, timer in before.items() if timer.is_running} == running
    assert {timer.seconds for name, timer in before.items() if name not in running} == {None}
    assert {before[name].seconds for name in running} == {30}


def test_what_was_left_out_is_not_made_up(plant):
    plant.call("kim")
    plant.wait(20)
    plant.act("c1", RESOLVE)
    plant.wait(20)
    found = seconds(plant)
    assert (found["resolve_to_close"], found["raise_to_close"]) == (20, 40)
    assert {found[name] for name in INTERVALS[:5]} == {None}


def test_who_arrives_has_acknowledged(plant):
    plant.call("kim")
    plant.wait(20)
    plant.act("c1", ARRIVE, "lee")
    found = seconds(plant)
    assert (found["raise_to_acknowledge"], found["acknowledge_to_arrive"], found["raise_to_arrive"]) == (20, 0, 20)
    assert document(plant.calls.find("c1"), plant.at, Targets())["acknowledged"]["by"] == "lee"


def test_the_clock_to_resolve_runs_from_the_acknowledgement_and_not_from_the_raising(plant):
    plant.call("kim", priority="high")
    raised = plant.at
    due = deadlines(plant.calls.find("c1"), plant.terms.targets)
    assert (due.acknowledge_by, due.resolve_by) == (raised + 300, None)
    plant.wait(600)
    plant.act("c1", ACK)
    due = deadlines(plant.calls.find("c1"), plant.terms.targets)
    assert (due.acknowledge_by, due.resolve_by) == (raised + 300, raised + 600 + 1800)
    shown = document(plant.calls.find("c1"), plant.at, plant.terms.targets)
    assert (parse_rfc3339(shown["acknowledge_by"]), parse_rfc3339(shown["resolve_by"])) == (raised + 300, raised + 2400)


@pytest.mark.parametrize(
    ("priority", "acknowledge", "resolve"), [("low", 15, 60), ("medium", 10, 45), ("high", 5, 30), ("critical", 2, 15)]
)
def test_the_minutes_are_those_of_the_priority(plant, priority, acknowledge, resolve):
    plant.call("kim", priority=priority)
    plant.act("c1", ACK)
    due = deadlines(plant.calls.find("c1"), plant.terms.targets)
    assert (due.acknowledge_by - plant.at, due.resolve_by - plant.at) == (acknowledge * 60, resolve * 60)


def test_a_timer_is_late_past_its_own_target(closed):
    targets = Targets({"high": 9.0}, {}, {"arrive_to_resolve": 60.0, "raise_to_close": 149.0})
    late = {timer.name for timer in timers(closed.calls.find("c1"), closed.at, targets) if timer.is_late}
    assert late == {"raise_to_acknowledge", "raise_to_close"}


def test_a_call_that_is_opened_again_is_answered_again_and_closed_once(plant):
    plant.call("kim")
    plant.wait(10)
    plant.act("c1", ACK)
    plant.wait(10)
    plant.act("c1", RESOLVE)
    plant.wait(10)
    assert plant.act("c1", Trigger.REOPEN).state is State.RAISED
    plant.wait(7)
    found = seconds(plant)
    assert (found["raise_to_acknowledge"], found["raise_to_close"]) == (7, 37)
    assert deadlines(plant.calls.find("c1"), plant.terms.targets).resolve_by is None
    assert document(plant.calls.find("c1"), plant.at, Targets())["acknowledged"] is None


def test_a_cancelled_call_has_no_timer_that_runs(plant):
    plant.call("kim")
    plant.act("c1", Trigger.CANCEL, "kim")
    plant.wait(100)
    assert not any(timer.is_running for timer in timers(plant.calls.find("c1"), plant.at, Targets()))


def test_each_interval_is_told_when_it_ends_and_once(plant):
    plant.call("kim")
    seen = []
    for trigger in (ACK, Trigger.REASSIGN, ARRIVE, RESOLVE, Trigger.REOPEN, ARRIVE, RESOLVE, CLOSE):
        plant.wait(10)
        call = plant.act("c1", trigger, detail={"assigned_to": "max"})
        seen.append([(timer.name, timer.seconds) for timer in ended(call, Targets())])
    assert seen == [
        [("raise_to_acknowledge", 10)],
        [],
        [("acknowledge_to_arrive", 20), ("raise_to_arrive", 30)],
        [("arrive_to_resolve", 10)],
        [],
        [("raise_to_acknowledge", 10), ("acknowledge_to_arrive", 0), ("raise_to_arrive", 10)],
        [("arrive_to_resolve", 10)],
        [("resolve_to_close", 10), ("raise_to_close", 80)],
    ]


# --- both clocks


def test_every_step_has_both_instants_in_utc_and_counts_by_the_sources_as_far_as_it_can_be_true(plant):
    plant.call("kim")
    plant.wait(100)
    call = plant.act("c1", ACK, "lee", delay=70)
    assert (call.last.said.at, call.last.said.received) == (plant.at - 70, plant.at)
    assert seconds(plant)["raise_to_acknowledge"] == 30
    told = plant.told[-1]
    assert (told.data["at"], told.data["received"]) == ("2027-01-15T08:00:30.000Z", "2027-01-15T08:01:40.000Z")
    assert told.data["at"].endswith("Z")


@pytest.mark.parametrize("delay", [500.0, -3600.0, 8 * 86_400.0])
def test_a_clock_that_cannot_be_right_makes_no_interval_negative_or_longer_than_it_was(plant, delay):
    # Before the call was raised; an hour from now; longer ago than any tablet remembers.
    plant.call("kim")
    plant.wait(100)
    call = plant.act("c1", ACK, "lee", delay=delay)
    assert call.last.said.at == plant.at - delay
    assert 0 <= seconds(plant)["raise_to_acknowledge"] <= 100


# --- three phases over many calls


def test_the_phases_of_many_calls_have_their_means_over_those_that_ended(plant):
    for number, (ack, arrive) in enumerate([(10, 20), (30, 60), (None, None)]):
        plant.call("kim", path=f"acme/st{number}", priority="high")
        raised = plant.at
        if ack is not None:
            plant.at = raised + ack
            plant.act(f"c{number + 1}", ACK)
            plant.at = raised + arrive
            plant.act(f"c{number + 1}", ARRIVE)
    targets = Targets({"high": 20.0}, {}, {})
    figures = statistics(plant.calls, 0, plant.at + 1, targets)
    assert (figures["total"], figures["open"], figures["by_state"]) == (3, 3, {"in_progress": 2, "raised": 1})
    assert figures["by_type"] == {"maintenance": 3}
    acknowledge = figures["intervals"]["raise_to_acknowledge"]
    assert acknowledge == {"count": 2, "mean": 20, "median": 20, "longest": 30, "within_target": 0.5}
    assert figures["intervals"]["raise_to_arrive"]["mean"] == 40
    assert figures["intervals"]["arrive_to_resolve"] == {
        "count": 0, "mean": None, "median": None, "longest": None, "within_target": None,
    }  # fmt: skip
    assert statistics(plant.calls, 0, 1, targets)["total"] == 0


def test_terms_that_say_nothing_have_the_minutes_of_the_system_before_this_one(plant):
    call = plant.call(priority="critical")
    assert Terms().targets.of("raise_to_acknowledge", call) == 120
    assert Terms().targets.of("raise_to_deliver", call) is None
    assert Targets(intervals={"raise_to_acknowledge": 5.0}).of("raise_to_acknowledge", call) == 5.0
