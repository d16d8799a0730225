"""Floods both ways, chattering and bad actors, at their limits."""

from hypothesis import given
from hypothesis import strategies as st

from domain.plant.alarms import (
    Activation,
    Chatter,
    FloodWord,
    TrailingWindow,
    aligned_floods,
    bad_actors,
    chattering,
    figures,
    trailing_floods,
)
from domain.plant.alarms.rates import SECOND, WINDOW

TEN = 600 * SECOND


def burst(count: int, at: int = 0, apart: int = SECOND) -> list[Activation]:
    return [Activation(at + number * apart, f"a{number}") for number in range(count)]


def test_ten_alarms_in_ten_minutes_are_no_flood_and_eleven_are() -> None:
    assert trailing_floods(burst(10)) == ([], 10)
    ((flood,), peak) = trailing_floods(burst(11))
    assert (flood.began, flood.count, flood.peak, peak) == (10 * SECOND, 11, 11, 11)
    assert (flood.first, flood.first_at) == ("a0", 0)


def test_what_is_ten_minutes_old_to_the_microsecond_is_out_of_the_window() -> None:
    log = burst(10, at=1, apart=0)
    assert trailing_floods([*log, Activation(1 + TEN, "late")])[0] == []
    assert len(trailing_floods([*log, Activation(TEN, "in time")])[0]) == 1


def test_a_flood_ends_at_the_moment_when_four_are_left() -> None:
    window = TrailingWindow()
    for activation in burst(11):
        window.take(activation)
    assert window.changes_at == 6 * SECOND + TEN
    assert window.advance(6 * SECOND + TEN - 1) == []
    (ended,) = window.advance(6 * SECOND + TEN)
    assert (ended.word, ended.at, ended.flood.ended) == (FloodWord.ENDED, 6 * SECOND + TEN, 6 * SECOND + TEN)
    assert (len(window), window.flood, window.changes_at) == (4, None, None)


def test_a_flood_that_ended_between_two_alarms_is_another_one_afterwards() -> None:
    log = [*burst(11), *burst(11, at=30 * 60 * SECOND)]
    floods, _ = trailing_floods(log)
    assert [flood.began for flood in floods] == [10 * SECOND, 30 * 60 * SECOND + 10 * SECOND]
    assert floods[0].ended == 6 * SECOND + TEN


def test_a_clock_that_goes_back_breaks_no_window() -> None:
    window = TrailingWindow()
    window.take(Activation(100 * SECOND, "a"))
    window.take(Activation(50 * SECOND, "b"))
    assert [each.at for each in window.held] == [100 * SECOND] * 2
    window.shift(-60 * SECOND)
    window.take(Activation(45 * SECOND, "c"))
    assert [each.at for each in window.held] == [40 * SECOND, 40 * SECOND, 45 * SECOND]


def test_a_window_with_a_limit_forgets_the_oldest_and_stays_a_flood() -> None:
    window = TrailingWindow(limit=20)
    for activation in burst(100):
        window.take(activation)
    assert len(window) == 20
    assert window.flood is not None


def test_by_the_clock_the_same_burst_may_be_no_flood() -> None:
    log = burst(12, at=TEN - 6 * SECOND)
    assert len(trailing_floods(log)[0]) == 1
    assert aligned_floods(log) == []


def test_an_aligned_flood_goes_on_while_an_interval_has_five_and_the_one_with_four_is_not_its() -> None:
    log = [*burst(11), *burst(5, at=TEN), *burst(4, at=2 * TEN), *burst(9, at=3 * TEN)]
    (flood,) = aligned_floods(log)
    assert (flood.began, flood.ended, flood.count, flood.peak, flood.first) == (0, 2 * TEN, 16, 11, "a0")


def test_an_interval_without_alarms_ends_an_aligned_flood() -> None:
    log = [*burst(11), *burst(10, at=2 * TEN)]
    (flood,) = aligned_floods(log)
    assert flood.ended == TEN
    assert len(aligned_floods([*burst(11), *burst(11, at=2 * TEN)])) == 2


def test_three_times_within_a_minute_is_chattering_and_a_microsecond_more_is_not() -> None:
    assert chattering([Activation(at, "a") for at in (0, 30 * SECOND, 60 * SECOND)]) == {"a": 3}
    assert chattering([Activation(at, "a") for at in (0, 30 * SECOND, 60 * SECOND + 1)]) == {}
    assert chattering([Activation(at, name) for at, name in ((0, "a"), (1, "a"), (2, "b"))]) == {}


def test_chatter_says_how_often_lately_and_forgets_what_is_quiet() -> None:
    chatter = Chatter()
    for at in (0, 10 * SECOND, 20 * SECOND):
        chatter.take(Activation(at, "a"))
    assert (chatter.since("a", 5 * SECOND), chatter.since("b", 0)) == (2, 0)
    chatter.forget(21 * SECOND)
    assert chatter.since("a", 0) == 0


def test_bad_actors_are_the_ten_most_frequent_and_their_share() -> None:
    counts = {f"a{number:02}": number for number in range(1, 13)}
    worst, share = bad_actors(counts)
    assert [name for name, _ in worst][:2] == ["a12", "a11"]
    assert len(worst) == 10
    assert share == sum(range(3, 13)) / sum(range(1, 13))
    assert bad_actors({}) == ([], None)


LOGS = st.lists(st.builds(Activation, st.integers(0, 5 * WINDOW), st.sampled_from(["a", "b", "c"])), max_size=80)


@given(LOGS)
def test_the_trailing_floods_are_those_that_a_count_at_every_moment_finds(log: list[Activation]) -> None:
    ordered = sorted(log, key=lambda each: (each.at, each.name))
    moments = sorted({each.at for each in ordered} | {each.at + WINDOW for each in ordered})
    floods, is_flood, began, peak = [], False, 0, 0
    for at in moments:
        count = sum(at - WINDOW < each.at <= at for each in ordered)
        peak = max(peak, count)
        if is_flood and count < 5:
            floods.append((began, at))
            is_flood = False
        elif not is_flood and count > 10:
            is_flood, began = True, at
    found, found_peak = trailing_floods(ordered)
    # Within one moment a window may empty below five before it fills: then it is two floods with one border.
    joined: list[tuple[int, int | None]] = []
    for flood in found:
        if joined and joined[-1][1] == flood.began:
            joined[-1] = (joined[-1][0], flood.ended)
        else:
            joined.append((flood.began, flood.ended))
    assert joined == floods
    assert found_peak == peak


@given(LOGS, st.randoms())
def test_the_order_in_which_a_log_is_read_makes_no_difference(log: list[Activation], chance) -> None:
    mixed = list(log)
    chance.shuffle(mixed)
    assert figures(mixed) == figures(log)


@given(LOGS)
def test_every_activation_of_an_aligned_flood_is_counted_once(log: list[Activation]) -> None:
    found = figures(log)
    inside = sum(flood.began <= each.at < (flood.ended or 0) for each in log for flood in found.aligned)
    assert found.aligned_count == inside
    assert found.aligned_peak == max((flood.peak for flood in found.aligned), default=0)
