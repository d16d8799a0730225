"""The words of the wire: event types, names after OPC UA, what a kept row gives back."""

from collections.abc import Callable

import pytest

from domain import EventFault, channel_of, holds_state, parse_event
from domain.plant.alarms import alarm_of, flood_of, flood_row

Make = Callable[..., "Floor"]  # noqa: F821 - of the conftest
OPC_UA = {
    "acked_state", "active_state", "suppressed_state", "out_of_service_state", "shelving_state", "latched_state",
    "silence_state", "suppressed_or_shelved", "max_time_shelved", "audible_enabled", "re_alarm_repeat_count",
    "retain", "quality", "severity", "comment",
}  # fmt: skip
TYPES = {
    "unacknowledged", "acknowledged", "returned", "normal", "shelved", "unshelved", "suppressed", "unsuppressed",
    "removed", "restored", "latched", "reset", "silenced",
}  # fmt: skip


def whole_life(press) -> None:
    press.rise()
    press.do("silence")
    press.do("shelve", duration=60.0, reason="r")
    press.do("unshelve")
    press.do("suppress", reason="r")
    press.do("unsuppress")
    press.do("remove", permit="P", reason="r")
    press.do("restore")
    press.fall()
    press.do("acknowledge")


def test_every_type_of_event_is_told_and_no_other(floor: Make) -> None:
    latching, plain = floor(is_latching=True), floor()
    whole_life(latching)
    latching.do("reset")
    whole_life(plain)
    plain.rise()
    plain.do("acknowledge")
    plain.fall()
    plain.rise()
    plain.fall()
    told = {event.type for event in latching.events + plain.events}
    assert told == {f"alarm.state.{word}" for word in TYPES}


def test_every_event_is_one_that_a_stranger_could_check_on_the_channel_of_its_alarm(floor: Make) -> None:
    press = floor()
    whole_life(press)
    for number in range(12):
        press.rise(code=f"x{number}")
    press.wait(3600)
    for event in press.events:
        try:
            again = parse_event({**event.to_members(), "specversion": "1.0"}, event.recorded)
        except EventFault as fault:
            pytest.fail(f"{event.type}: {fault}")
        assert again.priority is event.priority
        place = "acme/plant1/line3" if event.type.startswith("alarm.flood") else "acme/plant1/line3/press3"
        assert channel_of(event) == f"alarms/{place}"
        assert holds_state(channel_of(event))


def test_the_names_are_those_of_opc_ua_in_snake_case(floor: Make) -> None:
    press = floor()
    (risen,) = press.rise()
    assert risen.data.keys() >= OPC_UA
    assert press.view.alarm(press.id())["first_in_group_flag"] is False
    assert [press.view.alarm(press.id())["shelving_state"]] == ["Unshelved"]
    press.do("shelve", duration=60.0, reason="r")
    assert press.view.shelved()[0]["shelving_state"] == "TimedShelved"
    press.do("unshelve")
    press.do("shelve", one_shot=True, reason="r")
    assert press.view.shelved()[0]["shelving_state"] == "OneShotShelved"


def test_a_row_gives_the_alarm_back_and_what_is_no_row_gives_nothing(floor: Make) -> None:
    press = floor()
    whole_life(press)
    row = press.rows["alarm", press.id()]
    assert alarm_of(row) == press.alarm()
    assert alarm_of({**row, "state": "asleep"}) is None
    assert flood_of({"began": "yesterday"}) is None
    assert flood_row("acme", None).value is None


def test_the_floods_first_out_is_marked_on_its_alarm(floor: Make) -> None:
    press = floor()
    for number in range(11):
        press.rise(code=str(number))
        press.wait(1)
    marked = [each["code"] for each in press.view.listed() if each["first_in_group_flag"]]
    assert marked == ["0"]
    board = press.view.board("acme/plant1/line3")
    assert [line["first_in_group_flag"] for line in board["lines"]] == [True, *[False] * (len(board["lines"]) - 1)]
    assert board["lines"][0]["audible"]
    (flood,) = press.view.floods()
    assert (flood["method"], flood["position"]) == ("trailing window", "acme/plant1/line3")
    assert press.view.board("acme/plant9") == {"position": "acme/plant9", "flood": None, "alarms": 0, "lines": []}
