from __future__ import annotations

import pytest
from msgspec.structs import replace

from actors.channels.keeper import Channels
from actors.hooks import Seen, Taps
from actors.hooks.taps import KNOWN_LIMIT
from actors.messages import Publish
from actors.runtime import ActorDead, ChildSpec, MailboxFull
from config import ChannelSettings
from domain import MADE_BY, Position, Priority
from domain.hooks import Part, PartKind


class Receiver:
    """Keeps what it is told; refuses with ``error``."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[Seen] = []
        self._error = error

    def tell(self, message: object) -> None:
        if self._error is not None:
            raise self._error
        self.told.append(message)


@pytest.fixture
def part() -> Part:
    return Part("line4", PartKind.RULE, "x")


def test_nobody_is_asked_while_nobody_listens():
    assert not Taps()


@pytest.mark.parametrize(
    ("wanted", "type_", "fits"),
    [
        ("equipment", "equipment.reading", True),
        ("equipment.reading", "equipment.reading", True),
        ("equipment.read", "equipment.reading", False),
        ("equipment.reading", "equipment.reading.late", True),
        ("equipment.reading.late", "equipment.reading", False),
    ],
)
def test_a_rule_sees_the_types_that_it_wants_and_those_below(part, make_event, wanted, type_, fits):
    taps, receiver = Taps(), Receiver()
    taps.ask(part, [wanted], receiver)
    taps.take(make_event(type=type_))
    assert bool(receiver.told) is fits


def test_a_rule_that_asks_for_a_type_twice_sees_each_event_once(part, make_event):
    taps, receiver = Taps(), Receiver()
    taps.ask(part, ["equipment", "equipment.reading"], receiver)
    taps.take(make_event(type="equipment.reading"))
    assert len(receiver.told) == 1


def test_what_a_rule_made_is_shown_to_no_rule(part, make_event):
    taps, receiver = Taps(), Receiver()
    taps.ask(part, ["equipment"], receiver)
    taps.take(replace(make_event(), extensions={MADE_BY: "line4/rule/y"}))
    assert receiver.told == []


def test_a_new_life_takes_the_place_of_the_former(part, make_event):
    taps, former, present = Taps(), Receiver(), Receiver()
    taps.ask(part, ["equipment"], former)
    taps.take(make_event())
    taps.ask(part, ["equipment"], present)
    taps.take(make_event())
    assert (len(former.told), len(present.told)) == (1, 1)


def test_one_that_is_forgotten_is_told_nothing(part, make_event):
    taps, receiver = Taps(), Receiver()
    taps.ask(part, ["equipment"], receiver)
    taps.take(make_event())
    taps.forget(part)
    taps.take(make_event())
    assert len(receiver.told) == 1
    assert not taps


@pytest.mark.parametrize("error", [MailboxFull(Priority.HIGH, 1), ActorDead("gone")])
def test_an_event_that_a_rule_has_no_room_for_is_counted_and_holds_nobody_up(part, make_event, error):
    taps = Taps()
    taps.ask(part, ["equipment"], Receiver(error))
    taps.take(make_event())
    assert part.missed == 1


def test_the_types_that_strangers_choose_do_not_fill_the_memory(part, make_event):
    taps = Taps()
    taps.ask(part, ["equipment"], Receiver())
    for number in range(KNOWN_LIMIT + 10):
        taps.take(make_event(type=f"x.y{number}"))
    assert len(taps._known) <= KNOWN_LIMIT


def test_an_urgent_event_is_urgent_in_the_rules_mailbox_too(make_event):
    assert Seen(make_event(priority=Priority.CRITICAL)).priority is Priority.CRITICAL


async def test_everything_that_is_published_passes_the_taps(grow, part, make_event):
    taps, receiver = Taps(), Receiver()
    async with grow([ChildSpec("channels", Channels, (ChannelSettings(),), {"taps": taps})]) as tree:
        # Who listens comes later than the channels do.
        taps.ask(part, ["equipment", "andon"], receiver)
        tree.ref("gateway/channels").tell(Publish(make_event("1")))
        critical = make_event("2", Priority.CRITICAL, "andon.call.raised")
        tree.ref("gateway/channels").tell(Publish(critical, Position("j7", 1)))
        await tree.settle()
    assert sorted(seen.event.id for seen in receiver.told) == ["1", "2"]
