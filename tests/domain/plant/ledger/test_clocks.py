"""Clocks that jump: what is believed, what is in quarantine, and where that is put."""

import pytest

from domain.plant.ledger import SECOND_US, LogClock, UnitClock, parse_us, rfc3339_us

HOUR = 3600 * SECOND_US
DAY = 24 * HOUR
NOW = parse_us("2026-11-21T06:00:00Z")
Y2002 = parse_us("2002-01-01T00:00:00Z")


def test_a_good_stamp_is_where_the_source_says() -> None:
    placed = UnitClock().place(NOW - 30, NOW, is_good=True, is_greeting=False)
    assert placed == (NOW - 30, NOW - 30, False)


@pytest.mark.parametrize(("source", "is_good"), [(Y2002, False), (None, True), (NOW + HOUR, True)])
def test_a_stamp_that_cannot_be_believed_is_put_where_it_was_received_and_kept(
    source: int | None,
    is_good: bool,  # noqa: FBT001 - a column of the table
) -> None:
    clock = UnitClock()
    clock.place(NOW - HOUR, NOW - HOUR, is_good=True, is_greeting=False)
    placed = clock.place(source, NOW, is_good=is_good, is_greeting=False)
    assert placed == (NOW, source, True)
    assert clock.quarantined == 1


def test_a_clock_that_jumps_to_2002_and_back_keeps_the_order_of_receipt() -> None:
    clock = UnitClock()
    told = [(NOW, True), (Y2002, False), (Y2002 + 5, False), (NOW + 3 * SECOND_US, True)]
    placed = [
        clock.place(source, NOW + number * SECOND_US, is_good=is_good, is_greeting=False).at
        for number, (source, is_good) in enumerate(told)
    ]
    assert placed == [NOW + number * SECOND_US for number in range(4)]


def test_an_old_stamp_in_a_greeting_says_since_when_and_nothing_of_the_clock() -> None:
    clock = UnitClock()
    assert clock.place(NOW - 10 * DAY, NOW, is_good=True, is_greeting=True).at == NOW - 10 * DAY
    assert clock.present(NOW) == NOW


def test_a_unit_whose_clock_goes_evenly_years_behind_lives_by_it() -> None:
    clock = UnitClock()
    clock.place(Y2002, NOW, is_good=True, is_greeting=True)
    clock.place(Y2002 + HOUR, NOW + HOUR, is_good=True, is_greeting=False)
    assert clock.present(NOW + 2 * HOUR) == Y2002 + 2 * HOUR
    clock.place(NOW + 3 * HOUR, NOW + 3 * HOUR, is_good=True, is_greeting=False)
    assert clock.present(NOW + 4 * HOUR) == NOW + 4 * HOUR


def log(*stamps: tuple[int, str]) -> LogClock:
    clock = LogClock()
    for number, (at, item) in enumerate(stamps):
        clock.take(number, at, item)
    return clock


def test_a_stretch_that_jumped_is_in_quarantine_where_it_was_received() -> None:
    ahead = [(NOW + n, "x") for n in range(6)]
    behind = [(Y2002 + n, "x") for n in range(3)]
    found = log(*ahead, *behind, *[(NOW + 100 + n, "x") for n in range(5)]).quarantined()
    assert [tuple(each) for each in found] == [(6, 9, NOW + 5, Y2002, Y2002 + 2)]


def test_a_stretch_ahead_of_its_time_is_in_quarantine_too() -> None:
    future = [(NOW + 4000 * DAY + n, "x") for n in range(3)]
    found = log(*[(NOW + n, "x") for n in range(6)], *future, *[(NOW + 100 + n, "x") for n in range(5)]).quarantined()
    assert [each[:3] for each in found] == [(6, 9, NOW + 5)]


def test_last_known_values_single_old_ones_and_disorder_are_no_jump() -> None:
    snapshot = [(Y2002, "a"), (NOW - 90 * DAY, "b"), (NOW, "c")]
    assert log(*snapshot, (NOW, "a"), (NOW + 1, "b"), (Y2002, "d"), (NOW + 2, "c"), (NOW + 3, "c")).quarantined() == []
    shuffled = [(NOW + (n * 7919) % 600 * SECOND_US, "x") for n in range(500)]
    assert log(*shuffled).quarantined() == []


def test_a_gap_of_years_is_no_jump() -> None:
    assert log(*[(Y2002 + n, "x") for n in range(9)], *[(NOW + n, "x") for n in range(5)]).quarantined() == []


def test_a_log_in_no_order_is_not_judged() -> None:
    assert log(*[((n * 7919) % 1000 * DAY, "x") for n in range(1000)]).quarantined() == []
    twice = [(NOW + n * DAY // 2, "x") for n in range(10)] * 2
    assert log(*twice).quarantined() == []


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("2016-05-07T05:00:00.000000Z", 1_462_597_200_000_000),
        ("2016-05-07T05:00:00Z", 1_462_597_200_000_000),
        ("2016-05-07T05:00:00.5Z", 1_462_597_200_500_000),
        ("2016-05-07T05:00:00.1234567Z", 1_462_597_200_123_456),
        ("2016-05-07T05:00:00.000001", 1_462_597_200_000_001),
        ("2016-05-07 07:00:00.25+02:00", 1_462_597_200_250_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000_000),
    ],
)
def test_a_moment_is_read_to_the_microsecond(text: str, us: int) -> None:
    assert parse_us(text) == us


@pytest.mark.parametrize(
    "text", ["", "Z", "2016-05-07", "2016-05-07T05:00:0xZ", "2016-13-07T05:00:00Z", "now", "1" * 60]
)
def test_what_is_no_moment_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_us(text)


def test_a_moment_is_written_to_the_microsecond() -> None:
    assert rfc3339_us(parse_us("2016-05-07T05:00:00.000001Z")) == "2016-05-07T05:00:00.000001Z"
    with pytest.raises(ValueError, match="9999"):
        rfc3339_us(10**20)
