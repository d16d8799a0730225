"""Who does not say who it is in time is shown out, by one task for all."""

from __future__ import annotations

import pytest
import trio

from actors.connections.lobby import Lobby


class Door:
    """A link, as far as the lobby is concerned."""

    def __init__(self) -> None:
        self.closing: tuple[int, str] | None = None
        self.closed_at = 0.0

    def close(self, code: int, reason: str) -> None:
        self.closing = self.closing or (code, reason)
        self.closed_at = trio.current_time()


@pytest.fixture
def lobby(nursery) -> Lobby:
    lobby = Lobby(10.0)
    nursery.start_soon(lobby.watch)
    return lobby


async def test_who_says_nothing_is_closed_when_its_time_is_over(lobby, autojump_clock):
    links = [Door() for _ in range(3)]
    for link in links:
        lobby.enter(link)
        await trio.sleep(1)
    await trio.sleep(6.5)
    assert [link.closing for link in links] == [None] * 3
    await trio.sleep(10)
    assert [link.closing for link in links] == [(4003, "not connected in time")] * 3
    assert [link.closed_at for link in links] == [10.0, 11.0, 12.0]
    assert not lobby


async def test_a_door_has_words_of_its_own_for_who_is_late(lobby, autojump_clock):
    link = Door()
    lobby.enter(link, 1008, "Authentication timeout")
    await trio.sleep(11)
    assert link.closing == (1008, "Authentication timeout")


async def test_who_has_said_who_it_is_stays_and_the_others_go_in_their_time(lobby, autojump_clock):
    early, known, late = Door(), Door(), Door()
    lobby.enter(early)
    lobby.enter(known)
    await trio.sleep(4)
    lobby.enter(late)
    lobby.leave(known)
    lobby.leave(known)
    await trio.sleep(20)
    assert known.closing is None
    assert (early.closed_at, late.closed_at) == (10.0, 14.0)


async def test_when_all_have_left_it_waits_for_the_next(lobby, autojump_clock):
    first, second = Door(), Door()
    lobby.enter(first)
    await trio.sleep(1)
    lobby.leave(first)
    await trio.sleep(1000)
    lobby.enter(second)
    await trio.sleep(11)
    assert first.closing is None
    assert second.closed_at == 1011.0


async def test_ten_thousand_wait_with_one_task(lobby, autojump_clock):
    links = [Door() for _ in range(10_000)]
    await trio.testing.wait_all_tasks_blocked()
    before = trio.lowlevel.current_statistics().tasks_living
    for link in links:
        lobby.enter(link)
    await trio.sleep(5)
    assert trio.lowlevel.current_statistics().tasks_living == before
    assert len(lobby) == 10_000
    await trio.sleep(6)
    assert {link.closing for link in links} == {(4003, "not connected in time")}
