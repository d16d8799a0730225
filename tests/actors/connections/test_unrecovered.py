"""Who could not be told what it missed is asked to return when the journal can be read."""

from __future__ import annotations

import pytest
import trio

from actors.connections.unrecovered import INTERVAL, POSITION_LOST, Unrecovered
from actors.messages import ReadFault
from actors.places import RECORDER, Address
from actors.runtime import ChildSpec, TrioActor
from domain import Priority


class Door:
    """A link, as far as this is concerned."""

    def __init__(self) -> None:
        self.closing: tuple[int, str] | None = None

    def close(self, code: int, reason: str) -> None:
        self.closing = (code, reason)


class Faulty(TrioActor):
    """A recorder that cannot read until ``mended``."""

    def __init__(self, mended: trio.Event) -> None:
        super().__init__()
        self._mended = mended

    def on_receive(self, message: object) -> object:
        assert type(message) is ReadFault
        assert message.priority is Priority.CRITICAL
        return "" if self._mended.is_set() else "the disk is gone"


@pytest.fixture
def mended() -> trio.Event:
    return trio.Event()


@pytest.fixture
async def waiting(grow, nursery, autojump_clock, mended):
    async with grow([ChildSpec("recorder", Faulty, (mended,))]) as tree:
        unrecovered = Unrecovered(Address(tree.system.environment, RECORDER))
        nursery.start_soon(unrecovered.watch)
        yield unrecovered


async def test_nobody_is_sent_back_before_the_journal_can_be_read(waiting, mended, autojump_clock):
    links = [Door() for _ in range(100)]
    for link in links:
        waiting.enter(link)
    await trio.sleep(60)
    assert {link.closing for link in links} == {None}
    mended.set()
    await trio.sleep(2 * INTERVAL)
    assert {link.closing and link.closing[0] for link in links} == {POSITION_LOST}
    assert not waiting


async def test_who_has_gone_meanwhile_is_left_alone(waiting, mended, autojump_clock):
    stays, goes = Door(), Door()
    waiting.enter(stays)
    waiting.enter(goes)
    waiting.leave(goes)
    waiting.leave(goes)
    mended.set()
    await trio.sleep(2 * INTERVAL)
    assert (stays.closing is None, goes.closing) == (False, None)


async def test_where_nobody_answers_for_the_journal_they_wait(grow, nursery, autojump_clock):
    async with grow([]) as tree:
        waiting = Unrecovered(Address(tree.system.environment, RECORDER))
        nursery.start_soon(waiting.watch)
        link = Door()
        waiting.enter(link)
        await trio.sleep(60)
        assert link.closing is None
