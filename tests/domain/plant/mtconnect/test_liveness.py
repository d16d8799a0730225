import pytest

from domain.plant.mtconnect import Act, Liveness
from domain.plant.mtconnect.liveness import LONGEST, SHORTEST


def live(heartbeat: float = 10.0) -> Liveness:
    return Liveness(heartbeat)


def test_a_ping_is_due_as_soon_as_there_is_a_connection_and_once() -> None:
    liveness = live()
    assert liveness.due() is None
    liveness.connected(5.0)
    assert liveness.due() == 5.0
    assert liveness.acts(5.0) == [Act.PING]
    assert liveness.acts(500.0) == []


def test_an_adapter_that_answers_is_pinged_at_its_interval() -> None:
    liveness = live()
    liveness.connected(0.0)
    liveness.acts(0.0)
    liveness.ponged("2000", 0.1)
    assert liveness.interval == 2.0
    assert liveness.due() == pytest.approx(2.1)
    assert liveness.acts(2.1) == [Act.PING]


def test_a_link_without_a_byte_for_two_intervals_is_dropped_once() -> None:
    liveness = live()
    liveness.connected(0.0)
    liveness.acts(0.0)
    liveness.touched(0.1)
    liveness.ponged("1000", 0.1)
    assert Act.DROP not in liveness.acts(2.0)
    assert Act.DROP in liveness.acts(2.1)
    assert liveness.acts(100.0) == []


def test_any_byte_keeps_the_link() -> None:
    liveness = live()
    liveness.connected(0.0)
    liveness.ponged("1000", 0.0)
    for second in range(1, 20):
        liveness.touched(float(second))
        assert Act.DROP not in liveness.acts(float(second))


@pytest.mark.parametrize(
    ("answer", "interval"),
    [
        ("10000", 10.0),
        ("", 7.0),
        ("soon", 7.0),
        ("0", 7.0),
        ("1", SHORTEST),
        ("9" * 40, LONGEST),
        ("-5", 7.0),
        ("\u0663", 7.0),
    ],
)
def test_the_interval_is_kept_within_reason(answer: str, interval: float) -> None:
    liveness = live(heartbeat=7.0)
    liveness.connected(0.0)
    liveness.ponged(answer, 0.0)
    assert liveness.interval == interval


def test_repeated_answers_do_not_put_the_next_ping_off() -> None:
    liveness = live()
    liveness.connected(0.0)
    liveness.acts(0.0)
    liveness.ponged("2000", 0.0)
    liveness.ponged("2000", 1.9)
    assert Act.PING in liveness.acts(2.0)


def test_a_new_connection_begins_without_a_heartbeat() -> None:
    liveness = live()
    liveness.connected(0.0)
    liveness.ponged("1000", 0.0)
    liveness.lost()
    assert liveness.due() is None
    liveness.connected(50.0)
    assert liveness.acts(50.0) == [Act.PING]
    assert liveness.acts(500.0) == []
