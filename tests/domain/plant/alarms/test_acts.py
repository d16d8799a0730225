"""What persons may do with alarms, and what is refused."""

from collections.abc import Callable

import pytest

from domain import Grounds, Refused
from domain.plant.alarms import ACTS, State, Suppression, Wish, act

Make = Callable[..., "Floor"]  # noqa: F821 - of the conftest
SHELVE = {"duration": 60.0, "reason": "tuning"}

# From each state: which acts are possible, and the letter they lead to.
POSSIBLE = {
    "A": {"shelve": "E", "suppress": "F", "remove": "G"},
    "B": {"acknowledge": "C", "silence": "B", "shelve": "E", "suppress": "F", "remove": "G"},
    "C": {"shelve": "E", "suppress": "F", "remove": "G"},
    "D": {"acknowledge": "A", "shelve": "E", "suppress": "F", "remove": "G"},
    "LTUN": {"acknowledge": "LTACK", "shelve": "E", "suppress": "F", "remove": "G"},
    "LTACK": {"reset": "A", "shelve": "E", "suppress": "F", "remove": "G"},
    "E": {"unshelve": "C", "suppress": "E"},
    "F": {"unsuppress": "B"},
    "G": {"restore": "B", "suppress": "G"},
}
ARGUMENTS = {"shelve": SHELVE, "suppress": {"reason": "empty"}, "remove": {"permit": "P-17", "reason": "repair"}}
WORDS = [type_.removeprefix("alarm.") for type_ in ACTS]


def reach(make: Make, letter: str):
    press = make(is_latching=letter in ("LTUN", "LTACK"))
    press.rise()
    steps = {
        "A": ["acknowledge", "fall"],
        "C": ["acknowledge"],
        "D": ["fall"],
        "LTUN": ["fall"],
        "LTACK": ["acknowledge", "fall"],
        "E": ["shelve"],
        "F": ["suppress"],
        "G": ["remove"],
    }
    for word in steps.get(letter, []):
        press.fall() if word == "fall" else press.do(word, **ARGUMENTS.get(word, {}))
    assert press.letter == letter
    return press


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("letter", POSSIBLE)
def test_each_act_in_each_state_leads_where_the_table_says_or_is_a_conflict(
    floor: Make, letter: str, word: str
) -> None:
    press = reach(floor, letter)
    target = POSSIBLE[letter].get(word)
    before = press.alarm()
    if target is not None:
        (told,) = press.do(word, **ARGUMENTS.get(word, {}))
        assert press.letter == target
        assert told.data["by"] == "ann"
        return
    with pytest.raises(Refused) as refused:
        press.do(word, **ARGUMENTS.get(word, {}))
    assert refused.value.grounds is Grounds.CONFLICT
    assert refused.value.details["letter"] == letter
    assert press.alarm() == before


def test_silence_shelve_and_acknowledge_are_three_different_things(floor: Make) -> None:
    press = floor()
    press.rise()
    (shown,) = press.view.listed()
    assert (shown["audible_enabled"], shown["silence_state"], shown["acked_state"]) == (True, False, False)
    (told,) = press.do("silence")
    assert told.type == "alarm.state.silenced"
    (shown,) = press.view.listed()
    assert (shown["audible_enabled"], shown["silence_state"], shown["acked_state"]) == (False, True, False)
    press.say("alarm.raised", level="WARNING")
    press.say("alarm.changed", level="FAULT")
    (shown,) = press.view.listed()
    assert (shown["audible_enabled"], shown["silence_state"], shown["acked_state"]) == (True, False, False)
    press.do("acknowledge")
    (shown,) = press.view.listed()
    assert (shown["audible_enabled"], shown["silence_state"], shown["acked_state"]) == (False, False, True)
    press.do("shelve", **SHELVE)
    assert press.view.listed() == []
    assert press.alarm().acknowledged_by == "ann"


def test_a_shelved_alarm_comes_back_acknowledged_by_hand_and_unacknowledged_by_time(floor: Make) -> None:
    for is_active in (True, False):
        by_hand, by_time = floor(), floor()
        for press in (by_hand, by_time):
            press.rise()
            press.do("shelve", **SHELVE)
            if not is_active:
                press.fall()
        by_hand.do("unshelve")
        assert by_hand.letter == ("C" if is_active else "A")
        by_time.wait(60)
        assert by_time.letter == ("B" if is_active else "A")


def test_a_one_shot_shelving_ends_with_the_condition_and_a_timed_one_does_not(floor: Make) -> None:
    once, timed = floor(), floor()
    for press, arguments in ((once, {"one_shot": True, "reason": "tuning"}), (timed, SHELVE)):
        press.rise()
        press.do("shelve", **arguments)
    (told,) = once.fall()
    assert (told.type, once.letter) == ("alarm.state.unshelved", "A")
    assert (timed.fall(), timed.letter) == ([], "E")


def test_a_one_shot_shelving_ends_after_the_longest_time_of_the_class(floor: Make) -> None:
    press = floor(max_time_shelved=300.0)
    press.rise()
    press.do("shelve", one_shot=True, reason="tuning")
    press.wait(300)
    assert press.letter == "B"


def test_no_shelving_is_longer_than_the_class_allows_and_a_long_one_needs_a_second_person(floor: Make) -> None:
    press = floor(max_time_shelved=600.0, reauthorise_above=120.0)
    press.rise()
    for arguments in (
        {"duration": 601.0, "authorised_by": "bob"},
        {"duration": 121.0},
        {"duration": 121.0, "authorised_by": "ann"},
        {"one_shot": True},
    ):
        with pytest.raises(Refused) as refused:
            press.do("shelve", reason="tuning", **arguments)
        assert refused.value.grounds is Grounds.NOT_ALLOWED
        assert refused.value.details["max_time_shelved"] == 600.0
    press.do("shelve", reason="tuning", duration=121.0, authorised_by="bob")
    (shelved,) = press.view.shelved()
    assert shelved["shelving"] == {
        "by": "ann",
        "at": "2027-01-15T08:00:00.000Z",
        "until": "2027-01-15T08:02:01.000Z",
        "one_shot": False,
        "reason": "tuning",
        "authorised_by": "bob",
    }
    press.wait(21)
    (shelved,) = press.view.shelved()
    assert shelved["shelving_remaining"] == 100.0


@pytest.mark.parametrize(
    ("word", "arguments", "pointer"),
    [
        ("shelve", {"duration": 60.0}, "/reason"),
        ("shelve", {"reason": "x"}, "/duration"),
        ("shelve", {"reason": "x", "duration": -1.0}, "/duration"),
        ("shelve", {"reason": "x", "duration": "long"}, "/duration"),
        ("remove", {"reason": "x"}, "/permit"),
        ("suppress", {}, "/reason"),
        ("acknowledge", {"comment": 7}, "/comment"),
        ("acknowledge", {"equipment": "acme/press3"}, "/key"),
    ],
)
def test_what_is_wrong_with_an_act_is_said_by_its_pointer(
    floor: Make, word: str, arguments: dict, pointer: str
) -> None:
    press = floor()
    press.rise()
    with pytest.raises(Refused) as refused:
        press.do(word, **arguments)
    assert refused.value.grounds is Grounds.INVALID
    assert [fault["pointer"] for fault in refused.value.details["faults"]] == [pointer]
    assert press.letter == "B"


def test_an_alarm_that_is_not_known_is_not_found_but_can_be_shelved_by_its_name(floor: Make) -> None:
    press = floor()
    with pytest.raises(Refused) as refused:
        press.do("acknowledge", alarm="0123456789abcdef")
    assert refused.value.grounds is Grounds.NOT_FOUND
    wish = {"equipment": "/acme/plant1/line3/press3/", "key": "servo", "code": "7"}
    press.do("shelve", **wish, **SHELVE)
    assert press.rise() == []
    assert press.alarm().state is State.SHELVED
    press.wait(60)
    assert press.letter == "B"


def test_there_is_no_room_for_one_alarm_too_many(floor: Make) -> None:
    press = floor(capacity=1)
    press.rise()
    with pytest.raises(Refused) as refused:
        press.do("shelve", equipment="acme/press4", key="servo", **SHELVE)
    assert refused.value.grounds is Grounds.UNAVAILABLE


def test_there_are_no_other_acts(floor: Make) -> None:
    with pytest.raises(Refused) as refused:
        act(floor().alarms, "alarm.dance", Wish("ann", 0.0, {}))
    assert refused.value.grounds is Grounds.UNSUPPORTED


def test_what_suppresses_by_design_is_not_undone_by_hand(floor: Make) -> None:
    press = floor(suppressions=(Suppression("standing still", "", frozenset({"off"})),))
    press.rise()
    press.say("equipment.state.changed", state="off")
    with pytest.raises(Refused, match="by design"):
        press.do("unsuppress")
    (told,) = press.do("suppress", reason="for good measure")
    assert (told.data["suppressed_by"], told.data["by"]) == (["standing still", "by hand"], "ann")
    assert press.say("equipment.state.changed", state="running") == []
    (told,) = press.do("unsuppress")
    assert (told.type, press.letter) == ("alarm.state.unsuppressed", "B")
    assert press.view.suppressed() == []


def test_what_is_out_of_service_says_who_took_it_out_and_with_which_permit(floor: Make) -> None:
    press = floor()
    press.rise()
    press.do("remove", permit="P-17", reason="repair")
    (out,) = press.view.out_of_service()
    assert out["removal"] == {
        "by": "ann",
        "at": "2027-01-15T08:00:00.000Z",
        "permit": "P-17",
        "reason": "repair",
    }
    press.do("restore")
    assert press.view.out_of_service() == []
    assert press.alarm().removal is None
