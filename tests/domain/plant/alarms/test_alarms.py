"""Alarms of a site over time: delays, returns, restarts, what is told and what is kept."""

from collections.abc import Callable

import pytest

from domain.plant.alarms import AlarmPriority, Entry, State, Suppression

Make = Callable[..., "Floor"]  # noqa: F821 - of the conftest


def types(events) -> list[str]:
    return [event.type.removeprefix("alarm.state.") for event in events]


def test_an_alarm_goes_its_way_from_normal_to_normal_and_each_step_is_told(floor: Make) -> None:
    press = floor()
    assert types(press.rise()) == ["unacknowledged"]
    assert types(press.do("acknowledge", comment="on my way")) == ["acknowledged"]
    assert types(press.fall()) == ["normal"]
    assert types(press.rise()) == ["unacknowledged"]
    assert types(press.fall()) == ["returned"]
    assert types(press.rise()) == ["unacknowledged"]
    press.fall()
    assert types(press.do("acknowledge")) == ["acknowledged"]
    assert press.letter == "A"
    assert press.alarm().occurrences == 3


def test_a_transition_says_who_when_where_why_and_what_it_was_before(floor: Make) -> None:
    press = floor()
    (risen,) = press.rise()
    assert (risen.source, risen.subject, risen.recorded) == ("/acme/plant1/line3/press3", "servo|7", press.now)
    assert risen.time == "2027-01-15T07:59:59.000Z"
    assert risen.data["previous"] == "normal"
    assert risen.data["cause"] == "e1"
    assert (risen.data["state"], risen.data["letter"], risen.data["trigger"]) == ("unacknowledged", "B", "occur")
    (seen,) = press.do("acknowledge", by="bob", comment="on my way")
    said = {name: seen.data[name] for name in ("by", "client_user_id", "station", "comment", "previous", "acked_state")}
    assert said == {
        "by": "bob",
        "client_user_id": "bob",
        "station": "tablet 4",
        "comment": "on my way",
        "previous": "unacknowledged",
        "acked_state": True,
    }
    assert seen.time == "2027-01-15T07:59:59.500Z"


def test_a_condition_must_hold_for_the_on_delay(floor: Make) -> None:
    press = floor(on_delay=5.0)
    assert press.rise() == []
    assert press.wait(4.9) == []
    assert press.fall() == []
    assert press.wait(10) == []
    assert press.rise() == []
    assert types(press.wait(5)) == ["unacknowledged"]
    assert press.alarm().occurrences == 1


def test_a_condition_must_be_gone_for_the_off_delay(floor: Make) -> None:
    press = floor(off_delay=5.0)
    press.rise()
    assert press.fall() == []
    press.wait(4.9)
    assert press.rise() == []
    assert press.wait(60) == []
    assert press.letter == "B"
    press.fall()
    assert types(press.wait(5)) == ["returned"]


def test_what_is_said_twice_changes_nothing_but_what_is_worse_calls_once_more(floor: Make) -> None:
    press = floor()
    press.rise(level="WARNING")
    press.do("acknowledge")
    assert press.say("alarm.raised", level="WARNING") == []
    assert types(press.say("alarm.changed", level="FAULT")) == ["unacknowledged"]
    press.do("acknowledge")
    assert press.say("alarm.changed", level="WARNING") == []
    assert press.letter == "C"
    assert press.alarm().level == "WARNING"


def test_the_re_alarm_time_calls_once_more_and_again(floor: Make) -> None:
    press = floor(re_alarm_time=600.0)
    press.rise()
    assert press.wait(3600) == []
    press.do("acknowledge")
    assert press.wait(599) == []
    assert types(press.wait(1)) == ["unacknowledged"]
    assert press.alarm().re_alarms == 1
    press.do("acknowledge")
    assert types(press.wait(600)) == ["unacknowledged"]
    press.do("acknowledge")
    press.fall()
    assert press.wait(6000) == []


def test_classes_acknowledge_by_themselves_or_need_none_on_return_or_are_not_shown(floor: Make) -> None:
    itself = floor(is_auto_acknowledged=True)
    assert types(itself.rise()) == ["acknowledged"]
    assert types(itself.fall()) == ["normal"]
    quick = floor(acknowledge_on_return=False)
    quick.rise()
    assert types(quick.fall()) == ["normal"]
    hidden = floor(is_annunciated=False)
    assert types(hidden.rise() + hidden.fall()) == ["normal", "normal"]
    assert [event.data["active_state"] for event in hidden.events] == [True, False]
    assert hidden.view.listed() == []


def test_a_latched_alarm_waits_for_its_reset_and_the_reset_for_its_turn(floor: Make) -> None:
    press = floor(is_latching=True)
    press.rise()
    with pytest.raises(Exception, match="nothing to reset"):
        press.do("reset")
    assert types(press.fall()) == ["latched"]
    with pytest.raises(Exception, match="acknowledge it first"):
        press.do("reset")
    assert types(press.do("acknowledge") + press.do("reset")) == ["acknowledged", "reset"]
    assert press.letter == "A"
    press.rise()
    press.do("acknowledge")
    assert types(press.fall()) == ["latched"]
    assert types(press.rise()) == ["unacknowledged"]


def test_an_alarm_that_was_shelved_while_latched_is_latched_afterwards(floor: Make) -> None:
    press = floor(is_latching=True)
    press.rise()
    press.do("shelve", duration=60, reason="tuning")
    press.fall()
    press.do("unshelve")
    assert press.letter == "LTACK"


@pytest.mark.parametrize("kills", [False, True])
def test_every_state_and_timer_survives_a_kill_between_any_two_steps(floor: Make, *, kills: bool) -> None:
    press = floor(on_delay=5.0, off_delay=5.0, re_alarm_time=900.0)
    steps = [
        press.rise,
        lambda: press.wait(3),
        lambda: press.wait(2),
        lambda: press.do("silence"),
        lambda: press.do("acknowledge"),
        lambda: press.wait(900),
        lambda: press.do("shelve", duration=120, reason="tuning"),
        lambda: press.wait(60),
        lambda: press.wait(60),
        lambda: press.do("shelve", one_shot=True, reason="until it is over"),
        press.fall,
        lambda: press.wait(5),
        lambda: press.do("remove", permit="P-17", reason="repair"),
        press.rise,
        lambda: press.wait(5),
        lambda: press.do("restore"),
        lambda: press.do("suppress", reason="the line is empty"),
        lambda: press.do("unsuppress"),
        lambda: press.do("acknowledge"),
        press.fall,
        lambda: press.wait(5),
    ]
    letters = []
    for step in steps:
        step()
        if kills:
            press.restart()
        letters.append(press.letter)
    assert letters == [*"AABBCBEEBEEAGGGBFBCCA"]


def test_what_was_due_while_nobody_ran_is_done_once_afterwards(floor: Make) -> None:
    press = floor(on_delay=5.0, re_alarm_time=60.0)
    press.rise()
    press.now += 3600
    press.restart()
    assert types(press.wait(0)) == ["unacknowledged"]
    press.do("acknowledge")
    press.now += 36_000
    press.restart()
    assert types(press.wait(0)) == ["unacknowledged"]


@pytest.mark.parametrize("step", [-86_400.0, 7.0 * 86_400])
def test_a_clock_that_is_set_moves_no_deadline(floor: Make, step: float) -> None:
    press = floor()
    press.rise()
    press.do("shelve", duration=60, reason="tuning")
    press.wait(20)
    press.now += step
    press._did(press.alarms.shift(step))
    press.restart()
    assert press.wait(39) == []
    assert types(press.wait(1)) == ["unshelved"]


def test_after_a_restart_what_the_source_does_not_say_again_is_over(floor: Make) -> None:
    press = floor()
    press.rise()
    press.rise("logic", "9")
    press.restart()
    press.say("source.connected")
    press.rise("logic", "9")
    assert press.wait(29) == []
    (over,) = press.wait(1)
    assert (over.type, over.subject, over.quality) == ("alarm.state.returned", "servo|7", "uncertain")
    assert over.data["reason"] == "not said any more after the restart"
    assert press.alarm("logic", "9").state is State.UNACKNOWLEDGED


def test_an_unreadable_row_is_counted_and_the_alarm_is_then_not_shelved(floor: Make) -> None:
    press = floor()
    press.rise()
    press.do("shelve", duration=60, reason="tuning")
    assert press.alarms.restore("alarm", [("x", {"state": "shelved"})], press.now) == 1
    fresh = floor()
    fresh.rise()
    assert fresh.letter == "B"


def test_a_suppression_by_design_follows_the_state_of_the_equipment(floor: Make) -> None:
    press = floor(suppressions=(Suppression("standing still", "acme/*", frozenset({"off"}), key="servo"),))
    press.rise()
    (gone,) = press.say("equipment.state.changed", state="off")
    assert (gone.type, gone.data["suppressed_by"]) == ("alarm.state.suppressed", ["standing still"])
    press.restart()
    assert types(press.rise("servo", "8") + press.rise("logic", "9")) == ["unacknowledged", "unacknowledged"]
    press.say("equipment.state.changed", state="off")
    assert press.alarm("servo", "8").state is State.SUPPRESSED
    assert types(press.rise("servo", "10")) == ["suppressed"]
    back = press.say("equipment.state.changed", state="running")
    assert types(back) == ["unsuppressed"] * 3
    assert {event.data["letter"] for event in back} == {"B"}
    assert press.alarm("logic", "9").state is State.UNACKNOWLEDGED


def test_a_suppression_that_begins_while_it_is_shelved_holds_when_that_is_over(floor: Make) -> None:
    press = floor(suppressions=(Suppression("standing still", "", frozenset({"off"})),))
    press.rise()
    press.do("shelve", duration=60, reason="tuning")
    assert press.say("equipment.state.changed", state="off") == []
    assert types(press.wait(60)) == ["unshelved"]
    assert press.letter == "F"


def test_an_unknown_alarm_is_medium_and_marked_whatever_its_words_say(floor: Make) -> None:
    press = floor(entries=(Entry("servo", "7", priority=None),))
    for key in ("servo", "logic"):
        (risen,) = press.rise(key, text="EMERGENCY STOP")
        assert (risen.data["priority"], risen.data["severity"], risen.data["rationalised"]) == ("medium", 500, False)
    assert press.view.counts()["unrationalised"] == 2


def test_an_alarm_of_the_list_has_its_priority_class_and_record(floor: Make) -> None:
    entry = Entry(
        "servo", "7", "acme/*", priority=AlarmPriority.CRITICAL,
        text="Servo overload", cause="chip jam", consequence="spindle stops", action="clear the chips",
        time_to_respond=120.0,
    )  # fmt: skip
    press = floor(entries=(entry,))
    (risen,) = press.rise()
    assert (risen.data["priority"], risen.data["text"], risen.data["rationalised"]) == (
        "critical",
        "Servo overload",
        True,
    )
    assert risen.data["rationale"]["action"] == "clear the chips"
    assert risen.priority.wire == "critical"
    assert press.view.counts()["unrationalised"] == 0


def test_a_class_may_raise_a_call_with_each_occurrence(floor: Make) -> None:
    press = floor(call="maintenance")
    press.rise()
    press.fall()
    press.rise()
    assert press.occurred == [press.id()] * 2


def test_memory_is_bounded_and_what_is_forgotten_leaves_the_disk(floor: Make) -> None:
    press = floor(capacity=3)
    for code in "123":
        press.rise(code=code)
    press.fall(code="1")
    press.do("acknowledge", alarm=press.id(code="1"))
    assert types(press.rise(code="4")) == ["unacknowledged"]
    assert ("alarm", press.id(code="1")) not in press.rows
    assert press.rise(code="5") == []
    assert (len(press.alarms), press.alarms.refused, len(press.rows)) == (3, 1, 3)


def test_a_place_that_fills_its_share_leaves_room_for_the_others(floor: Make) -> None:
    press = floor(capacity=1000)
    for code in range(100):
        press.rise(code=f"c{code}")
    assert press.rise(code="more") == []
    assert (len(press.alarms), press.alarms.refused) == (100, 1)
    assert types(press.rise(equipment="other/plant/hall/press")) == ["unacknowledged"]
    press.fall(code="c5")
    press.do("acknowledge", alarm=press.id(code="c5"))
    assert types(press.rise(code="more")) == ["unacknowledged"]
    press.restart()
    assert (press.rise(code="again"), press.alarms.refused) == ([], 1)


def test_an_alarm_that_was_forgotten_has_new_names_for_its_transitions(floor: Make) -> None:
    press = floor(capacity=1, acknowledge_on_return=False)
    press.rise()
    press.fall()
    press.rise(code="8")
    press.fall(code="8")
    press.now += 1
    press.rise()
    assert len({event.id for event in press.events}) == 5


def test_a_publisher_without_data_items_names_its_alarm_by_the_subject(floor: Make) -> None:
    press = floor()
    press.say("alarm.raised", key="", code="")
    assert [alarm.key for alarm in press.alarms] == ["/"]


def test_a_new_rulebook_holds_from_then_on(floor: Make) -> None:
    press = floor()
    press.rise()
    press.rulebook = floor(entries=(Entry(class_name="default", priority=None, key="servo"),)).rulebook
    press._did(press.alarms.renew(press.rulebook, press.now))
    assert press.view.alarm(press.id())["rationale"] is not None


def test_a_signal_that_was_overtaken_by_a_later_one_of_its_alarm_changes_nothing(floor: Make) -> None:
    press = floor()
    press.rise()
    press.now += 2
    press.rise(level="FAULT")
    late = press.now - 1
    press.now, now = late, press.now
    assert press.fall() == []
    press.now = now
    assert press.letter == "B"
    assert types(press.fall()) == ["returned"]


def test_of_one_moment_the_clearance_of_another_occurrence_came_too_late(floor: Make) -> None:
    press = floor()
    press.rise(since="2027-01-15T07:00:00.000Z")
    press.now += 1
    press.rise(since="2027-01-15T08:00:00.900Z")
    assert press.fall(since="2027-01-15T07:00:00.000Z") == []
    assert types(press.fall(since="2027-01-15T08:00:00.900Z")) == ["returned"]


@pytest.mark.parametrize("step", [-3600.0, 3600.0])
def test_what_is_said_around_a_step_of_our_clock_is_heard(floor: Make, step: float) -> None:
    press = floor()
    press.rise()
    press.now += 1
    press.now, on_the_way = press.now + step, press.now
    press._did(press.alarms.shift(step))
    press.now, now = (press.now, press.now) if step < 0 else (on_the_way, press.now)
    assert types(press.fall()) == ["returned"]
    press.now = now
    assert types(press.rise()) == ["unacknowledged"]


def test_a_flood_that_goes_on_is_the_same_flood_after_a_restart_and_an_unreadable_one_is_counted(floor: Make) -> None:
    press = floor()
    for number in range(12):
        press.rise(code=str(number))
        press.wait(1)
    before = press.view.floods()
    press.restart()
    assert press.view.floods() == before
    assert press.view.rates()["acme/plant1/line3"]["last_10_minutes"] == 12
    press.rise(code="12")
    assert [event.type for event in press.events if "flood" in event.type] == ["alarm.flood.began"]
    (ended,) = [event for event in press.wait(600) if "flood" in event.type]
    assert ended.data["alarms"] == 13
    assert press.alarms.restore("alarm.flood", [("x", {"began": "?"})], press.now) == 1


def test_what_does_not_concern_alarms_changes_nothing(floor: Make) -> None:
    press = floor()
    assert press.say("equipment.state.changed", state="off") == []
    assert press.say("source.connected") == []
    assert press.say("equipment.reading") == []
    assert press.fall() == []
    assert len(press.alarms) == 0


def test_what_came_back_with_something_else_to_say_is_no_occurrence(floor: Make) -> None:
    press = floor()
    press.rise()
    assert press.rise(text="Servo overload, axis Z") == []
    assert press.view.alarm(press.id())["text"] == "Servo overload, axis Z"
    assert press.alarm().occurrences == 1
