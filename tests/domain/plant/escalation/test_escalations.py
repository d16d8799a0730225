"""What becomes of a call when people answer, and when they do not."""

from __future__ import annotations

import json
from datetime import UTC, time

import pytest

from domain import Grounds, Refused
from domain.plant.escalation import (
    ACKNOWLEDGE,
    KINDS,
    RECIPIENTS,
    RESOLVE,
    Ask,
    Directory,
    Escalations,
    Phase,
    Reading,
    Rulebook,
    Trigger,
    read_chain,
)
from domain.plant.escalation.course import TRANSITIONS
from domain.plant.escalation.notification import Situation, subject_of
from domain.plant.site import Hours, Person, ShiftCalendar, ShiftPlan

MINUTE = 60.0
HOUR = 3600.0
TWO_LEVELS = [{"notify": "anna"}, {"wait": "acknowledge"}, {"notify": "ben"}, {"wait": "acknowledge"}, {"repeat": 9}]
ONE_CHANNEL = [
    {"notify": "anna", "channels": ["mail"]},
    {"wait": 300},
    {"notify": "ben", "channels": ["mail"]},
    {"wait": 300},
]


def _targets(notifications):
    return [(each.target, each.channel) for each in notifications]


# --- the built-in chains


@pytest.mark.parametrize(
    ("priority", "acknowledge", "resolve"), [("low", 15, 60), ("medium", 10, 45), ("high", 5, 30), ("critical", 2, 15)]
)
def test_the_built_in_minutes_are_those_of_the_predecessor(make_desk, priority, acknowledge, resolve):
    desk = make_desk()
    desk.receipt(desk.raise_call(priority=priority)[0])
    assert ACKNOWLEDGE[priority] == acknowledge * MINUTE
    assert RESOLVE[priority] == resolve * MINUTE
    desk.pass_time(acknowledge * MINUTE - 1)
    level = desk.view()["level"]
    assert desk.pass_time(1)
    assert desk.view()["level"] == level + 1
    desk.fail_all(desk.acknowledge())
    assert not desk.pass_time(resolve * MINUTE - 1)
    assert desk.pass_time(1)


@pytest.mark.parametrize("priority", ["low", "medium", "high"])
def test_each_level_of_the_built_in_chain_tells_the_next_recipient(make_desk, priority):
    desk = make_desk()
    told = desk.raise_call(priority=priority)
    for recipient in RECIPIENTS[priority]:
        assert _targets(told) == [(recipient, "websocket")]
        desk.receipt(told[0])
        told = desk.pass_time(ACKNOWLEDGE[priority])
    assert desk.view()["level"] == len(RECIPIENTS[priority])


def test_a_critical_call_tells_all_managers_at_once_and_has_four_levels(make_desk):
    desk = make_desk()
    told = desk.raise_call(priority="critical")
    assert [each.target for each in told] == ["shift_manager", "production_manager"]
    for _ in range(3):
        for each in told:
            desk.receipt(each)
        told = desk.pass_time(2 * MINUTE)
    assert [each.target for each in told] == ["shift_manager", "production_manager", "admin"]
    assert desk.view()["level"] == 4


def test_a_priority_that_nobody_knows_goes_the_way_of_a_medium_call(make_desk):
    desk = make_desk()
    desk.raise_call(priority="purple")
    assert desk.view()["chain"] == "default-medium"


# --- acknowledging and resolving: defects P9 and P14


def test_a_call_can_be_acknowledged_and_at_level_2(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.receipt(desk.raise_call()[0])
    desk.pass_time(300)
    desk.acknowledge()
    assert (desk.view()["state"], desk.view()["level"]) == ("acknowledged", 2)


def test_the_clock_to_resolve_runs_from_the_acknowledgement_and_not_from_the_raising(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS, unresolved=[{"notify": "chief"}])
    desk.receipt(desk.raise_call()[0])
    desk.pass_time(250)
    acknowledged = desk.at
    desk.acknowledge()
    assert desk.view()["resolve_by"] == "2027-01-15T08:34:10.000Z"
    assert not desk.pass_time(1799)
    (told,) = desk.pass_time(1)
    assert desk.at - acknowledged == 1800
    assert told.target == "chief"
    assert "not resolved in time" in told.text


def test_an_acknowledgement_stops_the_unacknowledged_steps(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    first = desk.raise_call()[0]
    desk.acknowledge()
    # Its next channel is not tried either: somebody is on the way.
    assert desk.fail(first) == []
    assert not desk.pass_time(1799)
    assert desk.words("stopped")[0]["reason"] == "acknowledged"


def test_a_forgotten_acknowledgement_tells_again_who_acknowledged(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS, unresolved=[{"notify": "@acknowledger"}, {"repeat": 2}])
    desk.raise_call()
    desk.acknowledge(by="carl")
    told = []
    for _ in range(4):
        told.append([each.target for each in desk.go(1800)])
        for each in desk.sent:
            desk.receipt(each)
    assert told == [["carl"], ["carl"], ["carl"], []]
    assert desk.view()["state"] == "abandoned"
    assert desk.words("ended")[0]["reached"] == 3


def test_whoever_arrives_without_a_word_has_acknowledged(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.raise_call()
    desk.take(desk.escalations.arrived("c1", "ben", desk.at))
    assert desk.view()["state"] == "acknowledged"
    before = desk.view()
    desk.take(desk.escalations.arrived("c1", "ben", desk.at))
    assert desk.view() == before


def test_a_resolved_call_tells_nobody_any_more(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    first = desk.raise_call()[0]
    desk.resolve()
    assert desk.fail(first) == []
    assert desk.pass_time(HOUR) == []
    assert desk.words("step.failed")[0]["next"] is None


def test_a_reopened_call_begins_its_chain_anew_and_numbers_its_events_on(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    first = desk.raise_call()[0]
    desk.resolve()
    desk.die()
    (again,) = desk.reopen()
    assert again.id != first.id
    assert desk.view()["level"] == 1
    assert len({event.id for event in desk.events}) == len(desk.events)


def test_a_call_that_was_forgotten_can_be_reopened(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    first = desk.raise_call()[0]
    desk.resolve()
    desk.go(31 * 24 * HOUR)
    assert desk.rows == {}
    (again,) = desk.reopen()
    assert again.id != first.id


# --- receipts: defect P8, claim N4


def test_a_step_without_a_receipt_has_failed_and_the_next_channel_is_tried_now(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    (first,) = desk.raise_call()
    assert _targets(desk.fail(first)) == [("anna", "mail")]
    assert desk.words("step.failed")[0] == desk.words("step.failed")[0] | {
        "reason": "refused", "channel": "websocket", "next": "mail", "target": "anna",
    }  # fmt: skip


def test_when_every_channel_failed_the_next_level_is_told_now_and_not_after_the_wait(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    (first,) = desk.raise_call()
    (second,) = desk.fail(first)
    assert _targets(desk.fail(second)) == [("ben", "websocket")]
    assert desk.view()["level"] == 2
    assert desk.words("advanced")[-1]["cause"] == "failed"


def test_a_level_of_which_somebody_was_told_waits_although_another_one_was_not(make_desk):
    desk = make_desk(
        unacknowledged=[{"notify": ["anna", "carl"], "channels": ["mail"]}, {"wait": 300}, {"notify": "ben"}]
    )
    anna, carl = desk.raise_call()
    desk.receipt(anna)
    assert desk.fail(carl) == []
    assert desk.view()["level"] == 1
    assert _targets(desk.pass_time(300)) == [("ben", "websocket")]


def test_a_receipt_is_in_the_journal_once_however_often_it_comes(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    (first,) = desk.raise_call()
    desk.at += 2
    desk.receipt(first)
    desk.receipt(first)
    (sent,) = desk.words("step.sent")
    assert sent["receipt"] == "250 ok"
    assert sent["delay"] == 2.0


def test_a_channel_that_says_nothing_has_failed_in_the_end(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.raise_call()
    assert _targets(desk.pass_time(60)) == [("anna", "mail")]
    assert desk.words("step.failed")[0]["reason"] == "no receipt within 60 s"


def test_when_nobody_can_be_told_everybody_is_tried_at_once_and_again_when_the_waits_are_over(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    tried = desk.fail_all(desk.raise_call())
    assert _targets(tried) == [(who, channel) for who in ("anna", "ben") for channel in ("websocket", "mail")]
    assert not desk.pass_time(599)
    assert _targets(desk.pass_time(1)) == [("anna", "websocket")]


def test_a_chain_at_its_end_says_how_many_it_reached(make_desk):
    desk = make_desk(unacknowledged=ONE_CHANNEL)
    desk.receipt(desk.raise_call()[0])
    for each in desk.pass_time(300):
        desk.fail(each)
    assert desk.words("ended")[0]["reached"] == 1
    assert desk.view()["state"] == "exhausted"


def test_a_chain_that_reached_nobody_begins_anew_until_somebody_is(make_desk):
    desk = make_desk(unacknowledged=ONE_CHANNEL)
    assert _targets(desk.fail_all(desk.raise_call())) == [("anna", "mail"), ("ben", "mail")]
    assert desk.view()["state"] == "unacknowledged"
    assert not desk.pass_time(599)
    told = desk.pass_time(1)
    assert _targets(told) == [("anna", "mail")]
    assert not desk.words("ended")
    desk.receipt(told[0])
    desk.fail_all(desk.pass_time(300))
    assert desk.words("ended")[0]["reached"] == 1


def test_a_chain_without_a_wait_that_reached_nobody_asks_again_when_it_should_be_acknowledged(make_desk):
    desk = make_desk(unacknowledged=[{"notify": "anna", "channels": ["mail"]}], acknowledge=240)
    desk.fail_all(desk.raise_call())
    assert not desk.pass_time(239)
    assert _targets(desk.pass_time(1)) == [("anna", "mail")]


# --- who is on shift


def _calendar(*people):
    plans = [ShiftPlan("early", Hours(time(6), time(14))), ShiftPlan("late", Hours(time(14), time(22)))]
    return ShiftCalendar(UTC, plans, people=people)


def test_who_is_off_shift_is_skipped_at_once_and_that_is_in_the_journal(make_desk):
    # It is 08:00 at the site.
    calendar = _calendar(Person("anna", shifts=frozenset({"late"})), Person("ben", shifts=frozenset({"early"})))
    desk = make_desk(calendar, unacknowledged=TWO_LEVELS)
    assert _targets(desk.raise_call()) == [("ben", "websocket")]
    skipped, told = desk.words("advanced")
    assert (skipped["off_shift"], skipped["told"]) == (["anna"], [])
    assert (told["cause"], told["level"]) == ("off_shift", 2)


def test_a_role_is_reached_at_the_addresses_of_those_who_are_on_duty(make_desk):
    smiths = frozenset({"smith"})
    calendar = _calendar(
        Person("anna", smiths, frozenset({"late"})), Person("ben", smiths, frozenset({"early"})), Person("carl", smiths)
    )
    directory = Directory({name: {"mail": (f"{name}@acme.example",)} for name in ("anna", "ben", "carl")})
    desk = make_desk(calendar, directory, unacknowledged=[{"notify": "smith", "channels": ["mail"]}])
    (told,) = desk.raise_call()
    assert told.addresses == ("ben@acme.example", "carl@acme.example")


def test_when_everybody_is_off_shift_the_chain_comes_back_when_its_waits_are_over(make_desk):
    calendar = _calendar(Person("anna", shifts=frozenset({"late"})), Person("ben", shifts=frozenset({"late"})))
    desk = make_desk(calendar, unacknowledged=[*TWO_LEVELS[:4], {"repeat": 9}])
    assert desk.raise_call() == []
    assert desk.pass_time(599) == []
    assert len(desk.words("advanced")) == 2
    desk.pass_time(1)
    assert len(desk.words("advanced")) == 5


# --- steps


def test_a_round_robin_tells_the_next_one_who_is_on_duty_also_after_a_restart(make_desk):
    calendar = _calendar(Person("ben", shifts=frozenset({"late"})))
    desk = make_desk(calendar, unacknowledged=[{"round_robin": ["anna", "ben", "carl"]}])
    told = []
    for number in range(4):
        told += [each.target for each in desk.raise_call(f"c{number}")]
        desk.live()
    assert told == ["anna", "carl", "anna", "carl"]


def test_a_rate_of_calls_chooses_the_branch_also_after_a_restart(make_desk):
    steps = [
        {"if_rate": {"more_than": 2, "within": 600}, "then": [{"notify": "chief"}], "otherwise": [{"notify": "anna"}]}
    ]
    desk = make_desk(unacknowledged=steps)
    told = []
    for number in range(4):
        told += [each.target for each in desk.raise_call(f"c{number}")]
        desk.live()
        desk.at += 100
    assert told == ["anna", "anna", "chief", "chief"]
    desk.at += 600
    assert [each.target for each in desk.raise_call("c9")] == ["anna"]
    assert desk.words("advanced")[0]["holds"] is False


def test_a_level_chooses_the_branch(make_desk):
    steps = [
        {"notify": "anna"},
        {"wait": 60},
        {"if_level": 2, "then": [{"notify": "chief"}], "otherwise": [{"notify": "ben"}, {"wait": 60}]},
        {"if_level": 2, "then": [{"notify": "chief"}]},
    ]
    desk = make_desk(unacknowledged=steps)
    desk.receipt(desk.raise_call()[0])
    (ben,) = desk.go(60)
    assert ben.target == "ben"
    desk.receipt(ben)
    assert [each.target for each in desk.go(60)] == ["chief"]


def test_a_chain_asks_for_another_severity_and_for_the_end_of_its_call(make_desk):
    desk = make_desk(unacknowledged=[{"set_severity": "critical"}, {"resolve": True}])
    desk.raise_call()
    assert desk.asks == [Ask("c1", "own", "critical"), Ask("c1", "own")]


def test_a_web_hook_and_a_signal_are_steps_of_their_own(make_desk):
    signal = {"signal": {"light": "red", "sound": "horn"}, "channels": ["mqtt"]}
    desk = make_desk(unacknowledged=[{"webhook": "erp"}, signal])
    hook, light = desk.raise_call()
    assert (hook.channel, hook.target) == ("webhook", "erp")
    assert (light.channel, light.data["light"], light.data["sound"]) == ("mqtt", "red", "horn")


def test_the_importance_follows_the_priority_unless_the_step_says_one(make_desk):
    desk = make_desk(unacknowledged=[{"notify": "anna"}, {"notify": "ben", "importance": "low"}])
    assert [each.importance.value for each in desk.raise_call()] == ["high", "low"]


def test_a_repetition_goes_through_the_chain_as_often_as_it_says_and_no_more(make_desk):
    desk = make_desk(unacknowledged=[{"notify": "anna"}, {"wait": 60}, {"repeat": 3}])
    told = desk.raise_call()
    count = 0
    while told:
        count += len(told)
        desk.receipt(told[0])
        told = desk.go(60)
    assert count == 4
    assert desk.view()["level"] == 1


# --- frozen chains


def test_the_chain_is_the_one_that_held_when_the_call_was_raised(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.receipt(desk.raise_call()[0])
    version = desk.view()["version"]
    other = {"name": "own", "acknowledge": 5, "resolve": 5, "unacknowledged": [{"notify": "nobody"}]}
    desk.book = Rulebook((read_chain(other, ("mail",)),))
    desk.die()
    assert [each.target for each in desk.pass_time(300)] == ["ben"]
    assert desk.view()["version"] == version
    assert desk.view()["steps"]["unacknowledged"][0]["notify"] == ["anna"]
    assert [each.target for each in desk.raise_call("c2")] == ["nobody"]


def test_what_is_said_comes_before_the_place_in_the_one_line(make_desk):
    desk = make_desk()
    facts = desk.raise_call(priority="low") and desk.escalations._courses["c1"].facts
    situation = Situation(1, is_acknowledged=False, acknowledged_by="", is_repeated=False)
    spoken = type(facts)(**{**facts.members(), "text": "bob JAILED:\ndowntime"})
    assert subject_of(spoken, situation) == f"Andon low maintenance call: bob JAILED: downtime ({facts.path})"
    silent = type(facts)(**{**facts.members(), "text": ""})
    assert subject_of(silent, situation) == f"Andon low maintenance call: {facts.path}"


def test_another_priority_changes_the_words_and_not_the_chain(make_desk):
    desk = make_desk()
    desk.receipt(desk.raise_call(priority="low")[0])
    facts = desk.escalations._courses["c1"].facts
    changed = type(facts)(**{**facts.members(), "priority": "critical"})
    desk.take(desk.escalations.changed(changed))
    (told,) = desk.pass_time(15 * MINUTE)
    assert told.subject.startswith("Andon critical maintenance call")
    assert desk.view()["chain"] == "default-low"


# --- restarts, late moments, clocks


def test_what_was_due_while_the_daemon_was_down_is_done_once(make_desk):
    desk = make_desk(unacknowledged=[{"notify": "anna"}, {"wait": 60}, {"repeat": 9}])
    desk.receipt(desk.raise_call()[0])
    desk.at += 1000
    desk.die()
    told = desk.take(desk.escalations.due(desk.at))
    assert [each.target for each in told] == ["anna"]
    desk.receipt(told[0])
    assert desk.take(desk.escalations.due(desk.at)) == []
    assert desk.pass_time(59) == []
    assert len(desk.pass_time(1)) == 1


def test_an_intent_without_a_result_is_sent_again_with_a_mark_and_the_same_id(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    (first,) = desk.raise_call()
    (again,) = desk.die()
    assert (again.id, again.repeated, again.attempt) == (first.id, True, 2)
    assert not first.repeated
    assert again.subject.startswith("(repeated)")
    (third,) = desk.die()
    assert third.attempt == 3
    desk.receipt(third)
    assert desk.die() == []


def test_what_has_a_result_is_not_sent_again(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.receipt(desk.raise_call()[0])
    assert desk.die() == []
    assert desk.pass_time(299) == []
    assert len(desk.pass_time(1)) == 1


def test_an_intent_that_nobody_needs_any_more_is_not_sent_again(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.raise_call()
    desk.resolve()
    assert desk.die() == []
    assert "interrupted" in desk.words("step.failed")[0]["reason"]


@pytest.mark.parametrize("step", [-7200.0, -5.0, 5.0, 7200.0])
def test_a_clock_that_is_set_moves_no_timer(make_desk, step):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.set_clock(0, 100.0)
    desk.receipt(desk.raise_call()[0])
    desk.pass_time(200)
    desk.set_clock(step, 300.0)
    assert desk.pass_time(99) == []
    assert len(desk.pass_time(1)) == 1


def test_a_clock_that_is_set_while_the_daemon_is_down_moves_no_timer(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.set_clock(0, 100.0)
    desk.receipt(desk.raise_call()[0])
    desk.at += 200 + 3600
    desk.live()
    desk.take(desk.escalations.read_clocks(Reading(desk.at, 300.0, "boot-1")))
    assert desk.pass_time(99) == []
    assert len(desk.pass_time(1)) == 1


def test_a_machine_that_slept_does_what_is_overdue(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.set_clock(0, 100.0)
    desk.receipt(desk.raise_call()[0])
    desk.at += 900
    desk.take(desk.escalations.read_clocks(Reading(desk.at, 1000.0, "boot-1")))
    assert len(desk.take(desk.escalations.due(desk.at))) == 1


# --- by hand


def test_a_person_can_have_the_next_level_told_now(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.receipt(desk.raise_call()[0])
    (told,) = desk.take(desk.escalations.escalate("c1", "ben", desk.at))
    assert told.target == "ben"
    assert desk.words("advanced")[-1] == desk.words("advanced")[-1] | {"cause": "asked", "by": "ben", "level": 2}
    desk.receipt(told)
    assert desk.pass_time(299) == []


def test_a_person_can_have_a_chain_at_its_end_begin_again(make_desk):
    desk = make_desk(unacknowledged=[{"notify": "anna"}])
    first = desk.raise_call()
    (again,) = desk.take(desk.escalations.escalate("c1", "ben", desk.at))
    assert again.id != first[0].id
    assert desk.view()["level"] == 2


def test_what_is_stopped_or_unknown_cannot_be_escalated(make_desk):
    desk = make_desk()
    desk.raise_call()
    desk.resolve()
    with pytest.raises(Refused) as refused:
        desk.escalations.escalate("c1", "ben", desk.at)
    assert refused.value.grounds is Grounds.CONFLICT
    with pytest.raises(Refused) as refused:
        desk.escalations.escalate("c7", "ben", desk.at)
    assert refused.value.grounds is Grounds.NOT_FOUND


def test_somebody_can_be_told_beside_the_chain(make_desk):
    desk = make_desk(unacknowledged=TWO_LEVELS)
    desk.raise_call()
    (told,) = desk.take(desk.escalations.page("c1", "dora", "ben", desk.at))
    assert (told.target, told.channel) == ("dora", "websocket")
    assert _targets(desk.fail(told)) == [("dora", "mail")]
    assert desk.view()["level"] == 1


def test_a_call_that_is_closed_leaves_nothing_behind(make_desk):
    desk = make_desk()
    desk.raise_call()
    assert desk.take(desk.escalations.closed("c1")) == []
    assert desk.rows
    desk.resolve()
    desk.take(desk.escalations.closed("c1"))
    assert desk.rows == {}


# --- every pair of state and trigger

U, E, A, B, S = Phase
EXPECTED = {
    (U, "acknowledged"): A, (U, "arrived"): A, (U, "resolved"): S, (U, "cancelled"): S, (U, "reopened"): None,
    (U, "escalated"): U, (U, "ended"): E,
    (E, "acknowledged"): A, (E, "arrived"): A, (E, "resolved"): S, (E, "cancelled"): S, (E, "reopened"): None,
    (E, "escalated"): U, (E, "ended"): None,
    (A, "acknowledged"): None, (A, "arrived"): None, (A, "resolved"): S, (A, "cancelled"): S, (A, "reopened"): None,
    (A, "escalated"): A, (A, "ended"): B,
    (B, "acknowledged"): None, (B, "arrived"): None, (B, "resolved"): S, (B, "cancelled"): S, (B, "reopened"): None,
    (B, "escalated"): A, (B, "ended"): None,
    (S, "acknowledged"): None, (S, "arrived"): None, (S, "resolved"): None, (S, "cancelled"): None,
    (S, "reopened"): U, (S, "escalated"): None, (S, "ended"): None,
}  # fmt: skip

# Waits behind each notification, so that a state stays until something happens.
WAITING = {
    "unacknowledged": [{"notify": "anna", "channels": ["mail"]}, {"wait": 300}],
    "unresolved": [{"notify": "ben", "channels": ["mail"]}, {"wait": 300}],
}


def _bring_to(desk, phase):
    for each in desk.raise_call():
        desk.receipt(each)
    if phase is Phase.EXHAUSTED:
        desk.pass_time(300)
    if phase in (Phase.ACKNOWLEDGED, Phase.ABANDONED):
        desk.acknowledge()
    if phase is Phase.ABANDONED:
        for each in desk.pass_time(1800):
            desk.receipt(each)
        desk.pass_time(300)
    if phase is Phase.STOPPED:
        desk.resolve()
    assert desk.view()["state"] == phase.value


def _trigger(desk, trigger):
    escalations, at = desk.escalations, desk.at
    match trigger:
        case Trigger.REOPENED:
            desk.reopen()
        case Trigger.ESCALATED:
            desk.take(escalations.escalate("c1", "ben", at))
        case Trigger.ENDED:
            desk.pass_time(10 * HOUR)
        case _:
            desk.take(getattr(escalations, trigger.value)("c1", "ben", at))


def test_the_table_names_every_pair():
    assert set(EXPECTED) == {(phase, trigger.value) for phase in Phase for trigger in Trigger}
    assert {pair: to for pair, to in EXPECTED.items() if to is not None} == dict(TRANSITIONS)


@pytest.mark.parametrize(("phase", "trigger"), [(phase, trigger) for phase in Phase for trigger in Trigger])
def test_every_state_does_with_every_trigger_what_the_table_says(make_desk, phase, trigger):
    desk = make_desk(**WAITING)
    _bring_to(desk, phase)
    expected = EXPECTED[phase, trigger.value]
    before = desk.view()
    if expected is None and trigger is Trigger.ESCALATED:
        with pytest.raises(Refused):
            _trigger(desk, trigger)
    elif trigger is Trigger.ENDED:
        # The end comes by itself, where there is one.
        _trigger(desk, trigger)
    else:
        _trigger(desk, trigger)
    if expected is None:
        assert desk.view() == before
    elif (phase, trigger) == (Phase.UNACKNOWLEDGED, Trigger.ESCALATED):
        # Nobody is left to be told, so the program is at its end.
        assert desk.view()["state"] == "exhausted"
    else:
        assert desk.view()["state"] == expected.value


@pytest.mark.parametrize(
    ("member", "value"),
    [("chain", {"name": "No Name", "steps": []}), ("run", "1"), ("attempts", "x"), ("facts", None), ("phase", "bored")],
)
def test_what_was_kept_and_cannot_be_read_is_told_and_stops_nothing(make_desk, member, value):
    desk = make_desk()
    desk.raise_call()
    kept = {kind: [] for kind in KINDS}
    for (kind, key), text in desk.rows.items():
        kept[kind].append((key, json.loads(text)))
    (row,) = [row for rows in kept.values() for _, row in rows if "facts" in row]
    row[member] = value
    assert Escalations(lambda: desk.book, lambda _: desk.calendar).restore(kept) == ["c1"]
