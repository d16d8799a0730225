from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
import trio

from actors.connections.parting import DROPPED_DOORS, POSITION_TIMEOUT, Parting, offered_position
from actors.messages import CriticalRead, Publish, ReadCritical
from actors.places import CHANNELS, RECORDER, Address
from actors.runtime import ChildSpec, Supervisor, TrioActor
from domain import Position, Priority, return_delays, return_window
from transport import Door, Frame

FIRST = 2.0
PATIENCE = 20.0
NEWEST = Position("e7", 88121)


@dataclass
class Stream:
    """Notes what is done to it."""

    done: list[object] = field(default_factory=list)

    def shed(self) -> None:
        self.done.append("shed")

    def send(self, frame: Frame) -> None:
        self.done.append(frame.key)


@dataclass(eq=False)
class Link:
    """A link of which only the end is of interest."""

    door: Door
    farewell: object = None
    busy: bool = False
    closing: object = None
    stream: Stream = field(default_factory=Stream)

    def close(self, code: int, reason: str, *, patience: float) -> None:
        self.stream.done.append(("close", code, reason, patience))

    def drop(self, reason: str, *, patience: float) -> None:
        self.stream.done.append(("drop", reason, patience))


def write(code: int, reason: str, delay: float, position: Position | None) -> Frame:
    """A farewell that can be looked at: what it says is the frame's key."""
    return Frame(b"", Priority.HIGH, (code, reason, delay, position))


def native(**members: object) -> Link:
    return Link(Door("stream"), write, **members)


def parting(links: list[Link], position: Position | None = NEWEST, **options: object) -> Parting:
    return Parting(links, FIRST, PATIENCE, position, **options)


def told(link: Link) -> tuple[int, str, float, Position | None]:
    (said,) = [entry for entry in link.stream.done if isinstance(entry, tuple) and len(entry) == 4 and entry[0] == 4201]
    return said


def test_a_native_client_is_told_its_delay_and_where_it_resumes_and_then_closed():
    link = native()
    parting([link]).part(link)
    delay = FIRST + return_window(1) / 2
    assert link.stream.done == ["shed", (4201, "restart", delay, NEWEST), ("close", 4201, "restart", PATIENCE)]


def test_each_has_a_delay_of_its_own_and_no_order_of_arrival():
    links = [native() for _ in range(1_000)]
    leave = parting(links, chance=random.Random(7))
    for link in links:
        leave.part(link)
    delays = [told(link)[2] for link in links]
    assert sorted(delays) == return_delays(1_000, FIRST)
    assert delays != sorted(delays)
    again = parting(links, chance=random.Random(8))
    other = native()
    links.append(other)
    again.part(other)
    assert told(other)[2] == FIRST, "who came too late to be counted returns first"


def test_clients_that_have_no_word_for_it_take_no_delay_from_the_others():
    links = [native(), Link(Door("stream")), Link(Door("live")), native()]
    leave = parting(links)
    for link in links:
        leave.part(link)
    assert sorted(told(link)[2] for link in (links[0], links[3])) == return_delays(2, FIRST)
    assert links[1].stream.done == ["shed", ("close", 4201, "restart", PATIENCE)]
    assert links[2].stream.done == ["shed", ("close", 1012, "restart", PATIENCE)]


def test_a_client_that_never_returns_after_a_close_is_dropped():
    assert "floor" in DROPPED_DOORS
    link = Link(Door("floor"))
    parting([link]).part(link)
    assert link.stream.done == ["shed", ("drop", "restart", PATIENCE)]


def test_a_client_that_is_dropped_hears_the_last_word_first():
    link = Link(Door("floor"), write)
    parting([link]).part(link)
    shed, (code, reason, delay, position), drop = link.stream.done
    assert (shed, code, reason, position) == ("shed", 1012, "restart", NEWEST)
    assert delay >= FIRST
    assert drop == ("drop", "restart", PATIENCE)


def test_who_is_closed_already_is_left_alone():
    link = native(closing=(4202, "critical behind"))
    parting([link]).part(link)
    assert link.stream.done == []


def test_who_asks_for_something_at_this_moment_keeps_its_own_position():
    busy, unsure, sure = native(busy=True), native(), native()
    links = [busy, unsure, sure]
    leave = parting(links, unsure=frozenset({unsure}))
    for link in links:
        leave.part(link)
    assert [told(link)[3] for link in links] == [None, None, NEWEST]


# -- the position ---------------------------------------------------------------------------------------------


class Recorder(TrioActor):
    """Knows a position, or says nothing for long."""

    def __init__(self, *, answers: bool = True) -> None:
        super().__init__()
        self._answers = answers

    async def on_receive(self, message: object) -> object:
        assert message == ReadCritical(None)
        if not self._answers:
            await trio.sleep_forever()
        return CriticalRead(True, NEWEST, ())


class Busy(TrioActor):
    """A channel that takes its time over each event; ``busy`` counts those that it has in hand or before it."""

    has_tasks = True

    def __init__(self, handled: list[str]) -> None:
        super().__init__()
        self._handled = handled

    async def on_receive(self, message: object) -> None:
        assert isinstance(message, Publish)
        await trio.sleep(0.2)
        self._handled.append(message.event.id)


@pytest.fixture
def tree(grow):
    def growing(handled: list[str], **options: object):
        channels = ChildSpec("channels", Supervisor, ([ChildSpec("one", Busy, (handled,))],))
        return grow([ChildSpec("recorder", Recorder, kwargs=options), channels])

    return growing


async def asked(system) -> Position | None:
    environment = system.system.environment
    return await offered_position(Address(environment, RECORDER), Address(environment, CHANNELS))


async def test_the_position_is_told_once_everything_up_to_it_was_offered(tree, make_event, autojump_clock):
    handled: list[str] = []
    async with tree(handled) as system:
        for name in ("a", "b", "c"):
            system.ref(f"{CHANNELS}/one").tell(Publish(make_event(name, Priority.CRITICAL)))
        assert await asked(system) == NEWEST
        assert handled == ["a", "b", "c"]


async def test_a_channel_that_is_behind_for_long_leaves_everybody_its_own_position(tree, make_event, autojump_clock):
    handled: list[str] = []
    async with tree(handled) as system:
        for number in range(20):
            system.ref(f"{CHANNELS}/one").tell(Publish(make_event(str(number), Priority.CRITICAL)))
        began = trio.current_time()
        assert await asked(system) is None
        assert trio.current_time() - began <= POSITION_TIMEOUT + 0.1


async def test_a_journal_that_does_not_answer_leaves_everybody_its_own_position(tree, autojump_clock):
    async with tree([], answers=False) as system:
        assert await asked(system) is None


async def test_without_a_journal_there_is_no_position(grow, autojump_clock):
    async with grow([ChildSpec("channels", Supervisor)]) as system:
        assert await asked(system) is None
