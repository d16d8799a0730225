from hypothesis import given
from hypothesis import strategies as st

from domain.plant.mtconnect import Novelty, Observation, Repeats, Role
from domain.plant.mtconnect.repeats import REMEMBERED


def value(key: str, value: str, at: float | None) -> Observation:
    return Observation(key, Role.VALUE, value, at, "" if at is None else str(at))


def condition(level: str, at: float, code: str = "", text: str = "") -> Observation:
    return Observation("system", Role.CONDITION, level, at, str(at), code, text=text)


def test_the_same_stamp_and_content_is_a_repeat() -> None:
    repeats = Repeats()
    assert repeats.judge(value("x", "1", 10)) is Novelty.NEW
    assert repeats.judge(value("x", "1", 10)) is Novelty.REPEAT


def test_the_same_value_with_a_newer_stamp_is_new() -> None:
    repeats = Repeats()
    assert [repeats.judge(value("x", "1", at)) for at in (10, 11)] == [Novelty.NEW, Novelty.NEW]


def test_the_value_that_holds_now_with_an_older_stamp_is_a_repeat() -> None:
    repeats = Repeats()
    repeats.judge(value("avail", "UNAVAILABLE", 20))
    assert repeats.judge(value("avail", "UNAVAILABLE", 10)) is Novelty.REPEAT


def test_another_value_with_an_older_stamp_is_late() -> None:
    repeats = Repeats()
    repeats.judge(value("x", "2", 20))
    assert repeats.judge(value("x", "1", 10)) is Novelty.LATE


def test_a_late_one_that_was_told_is_a_repeat_from_then_on() -> None:
    repeats = Repeats()
    repeats.judge(value("x", "2", 20))
    late = value("x", "1", 10)
    repeats.remember(late)
    assert repeats.judge(late) is Novelty.REPEAT


def test_two_values_of_one_stamp_are_both_new_and_both_repeats_later() -> None:
    repeats = Repeats()
    both = [condition("UNAVAILABLE", 10), condition("NORMAL", 10)]
    assert [repeats.judge(each) for each in both + both] == [Novelty.NEW] * 2 + [Novelty.REPEAT] * 2


def test_the_codes_of_a_condition_are_items_of_their_own() -> None:
    repeats = Repeats()
    assert repeats.judge(condition("FAULT", 20, "A")) is Novelty.NEW
    assert repeats.judge(condition("FAULT", 10, "B")) is Novelty.NEW


def test_a_fault_older_than_the_clearance_of_all_codes_is_late() -> None:
    repeats = Repeats()
    repeats.judge(condition("NORMAL", 20))
    assert repeats.judge(condition("FAULT", 10, "A")) is Novelty.LATE
    assert repeats.judge(condition("FAULT", 20, "A")) is Novelty.NEW


def test_white_space_in_a_text_makes_no_difference() -> None:
    repeats = Repeats()
    repeats.judge(condition("FAULT", 10, "A", "POSITION  -> check"))
    assert repeats.judge(condition("FAULT", 10, "A", "POSITION-> check")) is Novelty.REPEAT


def test_what_has_no_stamp_is_always_new() -> None:
    repeats = Repeats()
    assert [repeats.judge(value("x", "1", None)) for _ in range(2)] == [Novelty.NEW, Novelty.NEW]


def test_in_a_new_era_older_stamps_are_news() -> None:
    repeats = Repeats()
    repeats.judge(value("x", "2", 20))
    repeats.era += 1
    assert repeats.judge(value("x", "1", 10)) is Novelty.NEW
    assert repeats.judge(value("x", "1", 5)) is Novelty.REPEAT


def test_memory_is_bounded_by_items_and_by_contents() -> None:
    repeats = Repeats(capacity=10)
    for number in range(100):
        repeats.judge(value(f"k{number}", "1", 1))
        repeats.judge(value("x", str(number), number))
    assert len(repeats) == 10
    assert repeats.judge(value("x", str(99 - REMEMBERED), 99 - REMEMBERED)) is Novelty.LATE


OBSERVATIONS = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("123"), st.integers(0, 5)).map(lambda each: value(*each)),
    max_size=20,
)


@given(OBSERVATIONS)
def test_the_snapshot_of_what_holds_is_repeats_only(observations: list[Observation]) -> None:
    repeats, holds = Repeats(), {}
    for observation in observations:
        if repeats.judge(observation) is Novelty.NEW:
            holds[observation.key] = observation
    assert all(repeats.judge(each) is Novelty.REPEAT for each in holds.values())


@given(OBSERVATIONS)
def test_each_line_sent_twice_is_taken_once(observations: list[Observation]) -> None:
    once, twice = Repeats(), Repeats()
    single = [once.judge(each) is Novelty.NEW for each in observations]
    double = [(twice.judge(each), twice.judge(each)) for each in observations]
    assert [first is Novelty.NEW for first, _ in double] == single
    assert all(second is not Novelty.NEW for _, second in double)
