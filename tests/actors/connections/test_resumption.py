"""What was missed is told first, whole and in order, however slow the client is; or it is said that it is not."""

from __future__ import annotations

import socket

import pytest
import trio
import trio.testing

from actors.connections.resumption import PATIENCE, READ_TIMEOUT, Resumption
from actors.connections.unrecovered import Unrecovered
from actors.messages import CriticalRead, ReadCritical
from actors.places import Address
from actors.runtime import ChildSpec, TrioActor
from domain import Event, Position, Priority, Publication
from domain.access import OPEN_RIGHTS
from transport import Door, Encoder, FrameStream, Limits, Link, Resume, Resumed, text_frame
from transport.addresses import ClientAddress

RECORDER = "gateway/recorder"


class Owner:
    """Whoever holds the socket."""

    def link_closing(self) -> None:
        """Leave the socket as it is."""


class Line:
    """A link over a real socket that takes little at a time."""

    def __init__(self, nursery: trio.Nursery, critical: int = 10_000) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.far.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.stream = FrameStream(near, nursery, Limits(critical=critical), on_lost=self._lost)
        self.link = Link(self.stream, Door("stream"), ClientAddress("127.0.0.1"), Owner())
        self.link.rights = OPEN_RIGHTS
        self.texts: list[str] = []
        self._data = b""

    def _lost(self, reason: str) -> None:
        self.link.lost(reason)

    def read(self, size: int = 65536) -> None:
        """Read what has come, at most ``size`` bytes."""
        try:
            self._data += self.far.recv(size)
        except BlockingIOError:
            return
        while len(self._data) >= 2 and len(self._data) >= 2 + self._data[1]:
            end = 2 + self._data[1]
            self.texts.append(self._data[2:end].decode())
            self._data = self._data[end:]

    async def read_on(self) -> None:
        while True:
            self.read()
            await trio.lowlevel.checkpoint()

    def close(self) -> None:
        self.stream.close()
        self.far.close()


@pytest.fixture
def line(nursery):
    made: list[Line] = []

    def make(**options) -> Line:
        made.append(Line(nursery, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def fires(count: int, channel: str = "andon/a") -> list[Publication]:
    """The critical log ``j7`` as the journal gives it."""
    return [
        Publication(
            channel,
            "j7",
            0,
            0.0,
            Event(f"{number}", "/a", "andon.call.raised", None, 0.0, Priority.CRITICAL),
            Position("j7", number),
        )
        for number in range(1, count + 1)
    ]


class Asked:
    """A resume, and how it was answered."""

    encode = Encoder(lambda publication: publication.event.id.encode().rjust(100))

    def __init__(self, since: Position | None, channels: tuple[str, ...] | None = None) -> None:
        self.outcomes: list[Resumed] = []
        self.duration = 0.0
        self.step = Resume(since, channels, self.encode, self._confirm)

    def _confirm(self, outcome: Resumed):
        self.outcomes.append(outcome)
        return text_frame(b"hello", Priority.CRITICAL)


def numbers(line: Line) -> list[int]:
    assert line.texts[0] == "hello"
    return [int(text) for text in line.texts[1:]]


@pytest.fixture
def resume(grow, journal):
    async def resuming(line: Line, request: Asked, kept, **options) -> Position | None:
        async with grow([ChildSpec("recorder", journal, (kept,), options)]) as tree:
            recorder = Address(tree.system.environment, RECORDER)
            began = trio.current_time()
            newest = await Resumption(line.link, recorder, request.step).run()
            request.duration = trio.current_time() - began
            return newest

    return resuming


async def test_what_was_missed_comes_behind_the_answer_in_its_order(line, resume):
    one, asked = line(), Asked(Position("j7", 2))
    assert await resume(one, asked, fires(5)) == Position("j7", 5)
    one.read()
    assert asked.outcomes == [Resumed(True, 3, Position("j7", 5))]
    assert numbers(one) == [3, 4, 5]


async def test_only_the_channels_that_were_named_are_resumed(line, resume):
    one, asked, read = line(), Asked(Position("j7", 0), ("andon/a",)), []
    await resume(one, asked, [*fires(3, "andon/b"), *fires(3)], asked=read)
    one.read()
    assert numbers(one) == [1, 2, 3]
    assert read == [ReadCritical(Position("j7", 0), ("andon/a",))]


async def test_who_asks_for_nothing_gets_the_present_position(line, resume):
    one, asked = line(), Asked(None)
    assert await resume(one, asked, fires(5)) == Position("j7", 5)
    one.read()
    assert asked.outcomes == [Resumed(True, 0, Position("j7", 5))]
    assert numbers(one) == []


async def test_a_position_of_another_journal_is_not_recovered_and_all_there_is_is_told(line, resume):
    one, asked = line(), Asked(Position("j6", 3))
    assert await resume(one, asked, fires(5)) == Position("j7", 5)
    one.read()
    assert asked.outcomes == [Resumed(False, 5, Position("j7", 5))]
    assert numbers(one) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("options", [{"error": RuntimeError("planted")}, {"delay": 60.0}], ids=["fails", "late"])
@pytest.mark.parametrize(
    ("since", "newest", "behind"),
    [
        (Position("j7", 2), Position("j7", 2), Position("j7", 2)),
        (None, Position("unknown", 0), None),
    ],
)
async def test_without_an_answer_it_is_said_that_nothing_is_recovered(
    line, resume, autojump_clock, options, since, newest, behind
):
    one, asked = line(), Asked(since)
    assert await resume(one, asked, fires(5), **options) == behind
    assert asked.duration <= READ_TIMEOUT
    one.read()
    assert asked.outcomes == [Resumed(False, 0, newest)]
    assert numbers(one) == []


async def test_without_a_recorder_nothing_is_recovered(line):
    one, asked = line(), Asked(Position("j7", 2))
    assert await Resumption(one.link, None, asked.step).run() == Position("j7", 2)
    assert asked.outcomes == [Resumed(False, 0, Position("j7", 2))]


@pytest.mark.parametrize("limit", [1, 10_000])
async def test_thousands_come_to_a_slow_client_without_filling_its_outbox(line, resume, nursery, limit):
    one, asked = line(critical=limit), Asked(Position("j7", 0))
    deepest = 0

    async def watch() -> None:
        nonlocal deepest
        while True:
            deepest = max(deepest, one.stream.statistics().depth[Priority.CRITICAL])
            one.read(700)
            await trio.lowlevel.checkpoint()

    nursery.start_soon(watch)
    await resume(one, asked, fires(5000))
    while len(one.texts) < 5001:
        await trio.lowlevel.checkpoint()
    assert numbers(one) == list(range(1, 5001))
    assert deepest == 1
    assert one.link.closing is None
    nursery.cancel_scope.cancel()


async def test_what_is_published_meanwhile_is_read_too_before_anything_is_followed(line, resume, nursery):
    one, asked = line(), Asked(Position("j7", 0))
    kept = fires(300)

    async def publish() -> None:
        while len(kept) < 3000:
            if len(one.texts) > 200:
                kept[:] = fires(3000)
            one.read(500)
            await trio.lowlevel.checkpoint()
        await one.read_on()

    nursery.start_soon(publish)
    assert await resume(one, asked, kept) == Position("j7", 3000)
    while len(one.texts) < 3001:
        await trio.lowlevel.checkpoint()
    assert numbers(one) == list(range(1, 3001))
    # Counted as missed is what was, when the client came back.
    assert asked.outcomes == [Resumed(True, 300, Position("j7", 300))]
    nursery.cancel_scope.cancel()


async def test_a_client_that_takes_nothing_is_told_to_resume_anew(line, resume, autojump_clock):
    one, asked = line(), Asked(Position("j7", 0))
    await resume(one, asked, fires(5000))
    assert one.link.closing == (4202, "critical behind")
    assert asked.duration == pytest.approx(PATIENCE)
    assert one.stream.statistics().depth[Priority.CRITICAL] == 1


async def test_a_client_that_goes_meanwhile_is_not_waited_for(line, resume, nursery):
    one, asked = line(), Asked(Position("j7", 0))

    async def go() -> None:
        await trio.testing.wait_all_tasks_blocked()
        one.far.close()

    nursery.start_soon(go)
    await resume(one, asked, fires(5000))
    assert one.link.closing is not None


async def test_a_dialect_without_a_word_for_it_is_told_nothing(line, resume):
    one, asked = line(), Asked(Position("j7", 0))
    asked.step = Resume(Position("j7", 0), None, Encoder(lambda _publication: None), asked._confirm)
    await resume(one, asked, fires(300))
    one.read()
    assert one.texts == ["hello"]


class Uncertain(TrioActor):
    """A recorder that cannot read its journal."""

    def on_receive(self, message: object) -> object:
        assert type(message) is ReadCritical
        return CriticalRead(False, Position("x0", 0), tuple(fires(2)), certain=False)


async def test_while_the_journal_cannot_be_read_the_client_keeps_its_position_and_is_waited_for(line, grow):
    one, asked = line(), Asked(Position("j7", 4))
    async with grow([ChildSpec("recorder", Uncertain)]) as tree:
        recorder = Address(tree.system.environment, RECORDER)
        waiting = Unrecovered(recorder)
        await Resumption(one.link, recorder, asked.step, unrecovered=waiting).run()
    one.read()
    assert asked.outcomes == [Resumed(False, 2, Position("j7", 4))]
    assert numbers(one) == [1, 2]
    assert len(waiting) == 1


async def test_who_asks_from_now_on_is_not_sent_back(line, grow):
    one, asked = line(), Asked(None)
    async with grow([ChildSpec("recorder", Uncertain)]) as tree:
        recorder = Address(tree.system.environment, RECORDER)
        waiting = Unrecovered(recorder)
        await Resumption(one.link, recorder, asked.step, unrecovered=waiting).run()
    assert not waiting
