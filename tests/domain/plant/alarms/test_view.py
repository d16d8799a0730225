"""What can be asked about the alarms of a site, and how a real machine's floods look on its board."""

import csv
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain import Event, Priority, rfc3339
from domain.plant.alarms import AlarmPriority, Entry, Rulebook, activations, alarm_id, figures, occurrences, spread
from domain.plant.alarms.alarms import POSITIONS
from domain.plant.mtconnect import Change, Conditions, Observation, Role, Roles, parse_stamp
from domain.plant.mtconnect.observation import LEVELS

SHARED = Path(os.environ.get("ANDOND_SHARED", Path(__file__).parents[5] / "shared"))
NIST = SHARED / "data" / "nist"
LINE = "acme/plant1/line3"
DAY = 86_400.0
Make = Callable[..., "Floor"]  # noqa: F821 - of the conftest

needs_nist = pytest.mark.skipif(not NIST.is_dir(), reason=f"no NIST logs in {NIST}; ANDOND_SHARED says where they are")


def conditions(machine: str) -> Iterator[Observation]:
    roles = Roles()
    with gzip.open(NIST / f"{machine}.events.csv.gz", "rt", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            word = row["value"].upper()
            if (roles.of(row["key"]) or Role.CONDITION) is Role.CONDITION and word in LEVELS:
                yield Observation(row["key"], Role.CONDITION, word, parse_stamp(row["ts"]), row["ts"], row["code"])


def signals(log: list[Observation], equipment: str) -> Iterator[Event]:
    """What a source makes of it."""
    known = Conditions()
    for number, each in enumerate(log):
        at = each.at or 0.0
        for change in known.take(each, at):
            alarm = change.alarm
            yield Event(
                id=f"{number}-{alarm.key}-{alarm.code}",
                source="/" + equipment,
                type=f"alarm.{change.change.value}",
                data={
                    "key": alarm.key,
                    "code": alarm.code,
                    "level": "NORMAL" if change.change is Change.CLEARED else alarm.level,
                    "since": rfc3339(alarm.since),
                },
                recorded=at,
                priority=Priority.HIGH,
                time=rfc3339(at),
            )


@needs_nist
@pytest.mark.parametrize("machine", ["GFAgie01", "Mazak03"])
def test_in_each_flood_of_a_real_machine_the_board_has_ten_lines_and_the_journal_everything(
    floor: Make, machine: str
) -> None:
    log = list(conditions(machine))
    expected = figures(activations(occurrences(log)))
    shop = floor()
    shop.now = log[0].at or 0.0
    place, position = f"nist/gf/{machine}", "nist/gf"
    looked = 0
    for event in signals(log, place):
        shop.wait(event.recorded - shop.now)
        shop.now = event.recorded
        shop.take(event)
        performance = shop.alarms.performance[position]
        flood = performance.window.flood
        if flood is None:
            continue
        looked += 1
        lines = shop.view.lines(position)
        assert len(lines) <= 10
        assert [each.alarm.id for each in lines[0].alarms] == [flood.first]
        shown = {each.alarm.id for line in lines for each in line.alarms}
        assert shown >= {alarm.id for alarm in shop.alarms if alarm.state.is_annunciated}
    shop.wait(DAY)
    told = [event for event in shop.events if event.data.get("trigger") == "occur"]
    assert len(told) == expected.activations
    began = [event for event in shop.events if event.type == "alarm.flood.began"]
    ended = [event for event in shop.events if event.type == "alarm.flood.ended"]
    assert len(began) == len(ended) == len(expected.trailing)
    assert looked > 0
    names = {f"{each.key}|{each.code}" for each in occurrences(log)}
    first = {alarm_id(place, *name.split("|", 1)): name for name in names}
    assert [first[event.data["first_out"]] for event in ended] == [flood.first for flood in expected.trailing]
    assert [event.data["alarms"] for event in ended] == [flood.count for flood in expected.trailing]


def test_a_stale_alarm_has_been_active_on_the_list_for_more_than_a_day(floor: Make) -> None:
    press = floor()
    press.rise()
    press.wait(DAY)
    assert press.view.stale() == []
    press.wait(1)
    assert [each["id"] for each in press.view.stale()] == [press.id()]
    assert press.view.counts()["stale"] == 1
    press.do("shelve", duration=60.0, reason="tuning")
    assert press.view.stale() == []


def test_the_rates_of_a_position_are_counted_over_ten_minutes_an_hour_and_a_day(floor: Make) -> None:
    press = floor()
    for _ in range(3):
        press.rise()
        press.fall()
        press.wait(1800)
    rates = press.view.rates()[LINE]
    assert (rates["last_10_minutes"], rates["last_hour"], rates["last_day"]) == (0, 1, 3)
    assert (rates["alarm_count"], rates["maximum_alarm_rate"]) == (3.0, 1.0)
    assert rates["average_alarm_rate"] == pytest.approx(3 / 9)
    press.wait(DAY)
    assert press.view.rates()[LINE]["last_day"] == 0


def test_chattering_fleeting_and_bad_actors_are_named(floor: Make) -> None:
    press = floor()
    for _ in range(3):
        press.rise()
        press.wait(1)
        press.fall()
        press.wait(1)
    press.rise("door", "1")
    press.wait(1)
    press.fall("door", "1")
    rates = press.view.rates()[LINE]
    assert [(each["key"], each["count"]) for each in rates["chattering"]] == [("servo", 3)]
    assert [(each["key"], each["count"]) for each in rates["bad_actors"]] == [("servo", 3), ("door", 1)]
    assert rates["bad_actors_ratio"] == 1.0
    # The first of the three looked fleeting until the second came.
    assert rates["fleeting"] == 2


def test_the_time_to_acknowledge_is_by_priority_and_shift(floor: Make) -> None:
    press = floor(entries=(Entry("door", priority=None),))
    press.alarms._shift_of = lambda _equipment, at: "early" if at < press.alarms.began + 100 else "late"
    for seconds in (10, 30, 70):
        press.rise()
        press.wait(seconds)
        press.do("acknowledge")
        press.fall()
    found = press.view.rates()[LINE]["time_to_acknowledge"]
    assert [(each["priority"], each["shift"], each["count"]) for each in found] == [
        ("medium", "early", 2),
        ("medium", "late", 1),
    ]
    assert (found[0]["median"], found[0]["greatest"]) == (20.0, 30.0)


def test_the_priority_distribution_stands_beside_its_target(floor: Make) -> None:
    press = floor()
    press.rise()
    rates = press.view.rates()[LINE]
    assert rates["priority_ratio"] == {"critical": 0.0, "high": 0.0, "medium": 1.0, "low": 0.0}
    assert rates["priority_ratio_target"] == {"high": 0.05, "medium": 0.15, "low": 0.8}


def test_the_metrics_of_opc_ua_count_what_is_still_going_on(floor: Make) -> None:
    press = floor()
    press.rise()
    press.wait(100)
    metrics = press.view.metrics()
    assert metrics["maximum_active_state"] == {LINE: 100.0}
    assert metrics["maximum_un_ack"] == {LINE: 100.0}
    press.do("acknowledge")
    press.wait(50)
    metrics = press.view.metrics()
    assert (metrics["maximum_active_state"][LINE], metrics["maximum_un_ack"][LINE]) == (150.0, 100.0)


def test_counts_know_their_peaks(floor: Make) -> None:
    press = floor()
    press.rise()
    press.rise("door", "1")
    press.do("shelve", duration=60.0, reason="tuning")
    press.wait(60)
    press.fall()
    counts = press.view.counts()
    assert (counts["standing"], counts["standing_peak"], counts["shelved_peak"]) == (1, 2, 1)
    assert (counts["known"], counts["unacknowledged"]) == (2, 2)
    assert press.view.summary()["counts"] == counts


def test_the_rationalisation_record_is_shown_with_the_alarm_and_the_list_can_be_exported(floor: Make) -> None:
    press = floor(entries=(Entry("servo", cause="chip jam"), Entry("servo")))
    press.rise()
    assert press.view.alarm(press.id())["rationale"] == {
        "cause": "chip jam",
        "consequence": None,
        "action": None,
        "time_to_respond": None,
        "missing": ["priority", "consequence", "action", "time_to_respond"],
    }
    found = press.view.rationalisation()
    assert (found["entries"], found["doubled"], found["incomplete"], found["unrationalised"]) == (
        1,
        ["*:servo:*"],
        2,
        1,
    )
    assert press.view.alarm("0123456789abcdef") is None


def test_more_positions_than_there_is_room_for_are_one(floor: Make) -> None:
    press = floor()
    for number in range(POSITIONS + 2):
        press.rise(equipment=f"acme/plant1/line{number}/press")
    assert len(press.view.positions()) == POSITIONS + 1
    assert press.alarms.performance["other"].alarm_count == 2
    assert len(press.view.lines("other")) == 2


def test_a_spread_of_nothing_is_not_defined() -> None:
    assert spread([]) == {"count": 0, "median": None, "p90": None, "greatest": None}
    assert spread([4.0]) == {"count": 1, "median": 4.0, "p90": 4.0, "greatest": 4.0}


def test_a_list_is_read_in_parts_and_each_alarm_is_in_one(floor: Make) -> None:
    press = floor()
    for number in range(7):
        press.rise(code=str(number))
        press.wait(1)
    parts = [press.view.listed(limit=3, offset=offset) for offset in (0, 3, 6)]
    assert [[each["code"] for each in part] for part in parts] == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_a_list_that_was_read_before_is_in_order_after_every_change(floor):
    made = floor(entries=(Entry("late", "L", priority=AlarmPriority.CRITICAL),), capacity=5)
    seen = []
    for number in range(5):
        made.rise("servo", str(number))
        made.wait(1)
        seen.append([each["code"] for each in made.view.listed()])
    assert seen[-1] == ["0", "1", "2", "3", "4"]
    made.do("acknowledge", alarm=made.id("servo", "1"))
    assert [each["code"] for each in made.view.listed()] == ["0", "2", "3", "4", "1"]
    made.fall("servo", "1")
    made.rise("late", "L")
    assert [each["code"] for each in made.view.listed()] == ["L", "0", "2", "3", "4"]
    made.alarms.renew(Rulebook(), made.now)
    assert [each["code"] for each in made.view.listed()] == ["0", "2", "3", "4", "L"]
