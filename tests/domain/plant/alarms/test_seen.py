from __future__ import annotations

from domain.plant.alarms import AlarmsNow


def test_figures_of_a_position_that_is_seen_in_part_are_of_that_part(floor):
    made = floor()
    made.rise()
    place = made.alarm().equipment
    line = place.rpartition("/")[0]
    for number in range(12):
        made.rise("belt", str(number), equipment=f"{line}/saw2")
    whole, part = made.view, made.view.seen(lambda path: path == place)
    assert whole.rates()[line]["alarm_count"] == 13
    assert whole.floods()
    assert part.rates()[line]["alarm_count"] == 1
    assert part.floods() == []
    assert [each["equipment"] for each in part.listed()] == [place]
    assert part.board(line)["alarms"] == 1
    counts = part.counts()
    assert (counts["known"], counts["standing"], counts["standing_peak"], counts["refused"]) == (1, 1, None, None)


def test_a_position_that_is_seen_as_a_whole_has_the_figures_that_were_counted(floor):
    made = floor()
    made.rise()
    line = made.alarm().equipment.rpartition("/")[0]
    part = made.view.seen(lambda path: path == line or path.startswith(f"{line}/"))
    assert part.rates() == made.view.rates()
    assert isinstance(part, AlarmsNow)


def test_an_alarm_that_is_not_seen_is_not_known(floor):
    made = floor()
    made.rise()
    part = made.view.seen(lambda _: False)
    assert part.alarm(made.id()) is None
    assert (part.positions(), part.listed(), part.rates()) == ([], [], {})


def test_who_sees_a_part_is_asked_once_for_each_place(floor):
    made = floor()
    for number in range(30):
        made.rise("servo", str(number))
    asked = []
    part = made.view.seen(lambda path: asked.append(path) or True)
    assert (len(part.listed()), asked.count(made.alarm("servo", "0").equipment)) == (30, 1)


def test_a_part_is_in_the_order_of_the_whole(floor):
    made = floor()
    for number in range(9):
        made.rise("servo", str(number), equipment=f"acme/plant1/line3/press{number % 2}")
        made.wait(1)
    part = made.view.seen(lambda path: path.endswith("press1"))
    assert [each["code"] for each in part.listed()] == ["1", "3", "5", "7"]
    assert part.counts()["by_state"]["unacknowledged"] == 4
