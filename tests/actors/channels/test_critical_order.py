from __future__ import annotations

import random

import pytest

from actors.channels.critical_order import PATIENCE, CriticalOrder
from actors.messages import Publish
from domain import Event, Position, Priority


def critical(number: int) -> Publish:
    event = Event(str(number), "/acme", "andon.call.raised", None, 0.0, Priority.CRITICAL)
    return Publish(event, Position("e", number))


class Street:
    """Channels that take what they are told and tell it when they are asked to."""

    def __init__(self) -> None:
        self.order = CriticalOrder(self._take)
        self.under_way: list[tuple[str, Publish]] = []

    def _take(self, channel: str, message: Publish) -> None:
        self.under_way.append((channel, message))

    def take(self, channel: str, number: int, now: float = 0.0) -> None:
        self.order.take(channel, critical(number), now)

    def finish(self, index: int = 0, now: float = 0.0) -> int:
        _, message = self.under_way.pop(index)
        message.told(now)
        return message.critical.offset

    def numbers(self) -> list[int]:
        return [message.critical.offset for _, message in self.under_way]


@pytest.fixture
def street() -> Street:
    return Street()


def test_one_channel_gets_all_of_its_own_at_once(street):
    for number in (1, 2, 3):
        street.take("andon/a", number)
    assert street.numbers() == [1, 2, 3]


def test_another_channel_waits_until_the_one_before_has_gone_out(street):
    street.take("andon/a", 1)
    street.take("andon/b", 2)
    assert street.numbers() == [1]
    assert len(street.order) == 1
    assert street.finish() == 1
    assert street.numbers() == [2]


def test_nobody_overtakes_who_waits(street):
    street.take("andon/a", 1)
    street.take("andon/b", 2)
    street.take("andon/a", 3)
    street.finish()
    assert street.numbers() == [2]
    street.finish()
    assert street.numbers() == [3]


def test_a_channel_that_never_tells_does_not_keep_the_others_for_ever(street):
    street.take("andon/a", 1)
    street.take("andon/b", 2, now=PATIENCE)
    assert street.numbers() == [1]
    street.order.go_on(PATIENCE + 0.1)
    assert street.numbers() == [1, 2]


def test_one_that_comes_late_after_all_changes_nothing(street):
    street.take("andon/a", 1)
    street.take("andon/b", 2, now=PATIENCE + 1)
    street.finish(now=PATIENCE + 1)
    street.finish(now=PATIENCE + 1)
    street.take("andon/c", 3)
    assert street.numbers() == [3]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_channels_do_they_tell_in_the_order_of_the_positions(street, seed):
    chance = random.Random(seed)
    told: list[int] = []
    for number in range(1, 200):
        street.take(f"andon/{chance.randrange(3)}", number)
        while street.under_way and chance.random() < 0.6:
            told.append(street.finish())
    while street.under_way:
        told.append(street.finish())
    assert told == list(range(1, 200))
    assert not len(street.order)
