"""What an operator sees, in quiet times and in a flood."""

from hypothesis import given
from hypothesis import strategies as st

from domain.plant.alarms import LINES, Alarm, AlarmPriority, Shown, State, board

STATES = [State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED, State.LATCHED_ACKNOWLEDGED]
SHOWN = st.builds(
    lambda place, key, code, state, priority, at: Shown(
        Alarm(f"acme/{place}", key, str(code), born=0, state=state, occurred_at=float(at)), priority
    ),
    st.sampled_from("pqrstuvwxyz"),
    st.sampled_from("abcd"),
    st.integers(0, 5),
    st.sampled_from(STATES),
    st.sampled_from(AlarmPriority),
    st.integers(0, 1000),
)
MANY = st.lists(SHOWN, max_size=80, unique_by=lambda each: each.alarm.id)


def one(code: str, key: str = "servo", place: str = "press3", **more: object) -> Shown:
    alarm = Alarm(f"acme/{place}", key, code, born=0, state=State.UNACKNOWLEDGED, occurred_at=float(len(code)))
    return Shown(alarm, AlarmPriority.MEDIUM) if not more else Shown(alarm, **more)


@given(MANY)
def test_in_a_flood_there_are_at_most_ten_lines_and_no_alarm_is_missing_or_twice(shown: list[Shown]) -> None:
    first = shown[0].alarm.id if shown else None
    lines = board(shown, is_flood=True, first_out=first)
    assert len(lines) <= LINES
    ids = [each.alarm.id for line in lines for each in line.alarms]
    assert sorted(ids) == sorted(each.alarm.id for each in shown)
    if shown:
        assert lines[0].is_first_out
        assert [each.alarm.id for each in lines[0].alarms] == [first]
        assert not any(line.is_first_out for line in lines[1:])


@given(MANY)
def test_without_a_flood_every_alarm_has_its_line_in_the_order_of_urgency(shown: list[Shown]) -> None:
    lines = board(shown, is_flood=False, first_out="nobody")
    assert [line.top for line in lines] == sorted(shown, key=lambda each: each.urgency)
    assert not any(line.is_first_out for line in lines)


def test_ten_alarms_are_ten_lines_in_a_flood_too() -> None:
    assert [len(line.alarms) for line in board([one(str(n)) for n in range(10)], is_flood=True)] == [1] * 10


def test_more_are_put_together_by_data_item_then_by_equipment_then_the_rest_is_one_line() -> None:
    by_key = [one(str(number), key) for key in ("servo", "logic") for number in range(6)]
    found = sorted((line.key, len(line.alarms)) for line in board(by_key, is_flood=True))
    assert found == [("logic", 6), ("servo", 6)]
    by_place = [one("1", f"k{key}", f"press{place}") for key in range(6) for place in range(3)]
    assert sorted((line.equipment, line.key, len(line.alarms)) for line in board(by_place, is_flood=True)) == [
        (f"acme/press{place}", "", 6) for place in range(3)
    ]
    far = [one("1", place=f"press{place:02}") for place in range(30)]
    assert [len(line.alarms) for line in board(far, is_flood=True)] == [1] * 9 + [21]


def test_what_is_unacknowledged_and_urgent_is_seen_first() -> None:
    low, critical = one("1", priority=AlarmPriority.LOW), one("22", priority=AlarmPriority.CRITICAL)
    lines = board([low, critical], is_flood=False)
    assert [line.top for line in lines] == [critical, low]
    assert lines[0].unacknowledged == 1
