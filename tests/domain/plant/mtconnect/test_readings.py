from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import Observation, Reading, Readings, Role
from domain.plant.mtconnect.observation import KEY_LIMIT


def reading(key: str, value: str, received: float) -> Reading:
    return Reading(Observation(key, Role.VALUE, value, received, ""), received, is_good=True)


def test_the_first_goes_out_at_once_and_the_next_waits_its_turn() -> None:
    readings = Readings(0.2)
    assert readings.take(reading("x", "1", 10.0)) is not None
    assert readings.take(reading("x", "2", 10.1)) is None
    assert readings.take(reading("x", "3", 10.15)) is None
    assert readings.due(10.19) == []
    (told,) = readings.due(10.2)
    assert (told.observation.value, told.count) == ("3", 2)
    assert len(readings) == 0


def test_one_that_waits_is_told_with_the_next_when_its_turn_has_come() -> None:
    readings = Readings(0.2)
    readings.take(reading("x", "1", 10.0))
    readings.take(reading("x", "2", 10.1))
    told = readings.take(reading("x", "3", 10.3))
    assert told is not None
    assert (told.observation.value, told.count) == ("3", 2)


def test_keys_do_not_wait_for_each_other() -> None:
    readings = Readings(0.2)
    assert all(readings.take(reading(key, "1", 10.0)) is not None for key in "xyz")


def test_a_clock_that_was_set_back_holds_nothing_back() -> None:
    readings = Readings(0.2)
    readings.take(reading("x", "1", 1000.0))
    readings.take(reading("x", "2", 1000.1))
    assert [told.count for told in readings.due(10.0)] == [1]
    assert readings.take(reading("x", "3", 5.0)) is not None


def test_memory_is_bounded_by_keys() -> None:
    readings = Readings(0.2)
    for number in range(KEY_LIMIT + 100):
        readings.take(reading(f"k{number}", "1", float(number)))
    assert len(readings._told) <= KEY_LIMIT


@given(st.lists(st.tuples(st.sampled_from("xy"), st.floats(0, 0.5)), max_size=40))
def test_counts_add_up_and_the_last_value_always_arrives(steps: list[tuple[str, float]]) -> None:
    readings, received, told, last = Readings(0.2), 0.0, [], {}
    for number, (key, pause) in enumerate(steps):
        received += pause
        now = readings.take(reading(key, str(number), received))
        told += [now] if now is not None else []
        told += readings.due(received)
        last[key] = str(number)
    told += readings.due(received + 1)
    assert sum(each.count for each in told) == len(steps)
    assert {each.observation.key: each.observation.value for each in told} == last
