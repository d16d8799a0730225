from __future__ import annotations

import sys
import threading
import time

import pytest
import trio

from actors.hooks import HookThread, Overdue


@pytest.fixture
def thread():
    made = HookThread("hook under test", 5.0)
    yield made
    made.abandon()


async def test_it_returns_what_the_function_returns_from_another_thread(thread):
    assert await thread.call(threading.get_ident) != threading.get_ident()


async def test_all_calls_are_made_in_one_thread(thread):
    assert await thread.call(threading.get_ident) == await thread.call(threading.get_ident)


async def test_what_the_function_raises_is_raised(thread):
    with pytest.raises(KeyError, match="planted"):
        await thread.call(lambda: {}["planted"])


async def test_a_function_that_exits_ends_nothing_but_its_call(thread):
    with pytest.raises(RuntimeError, match="SystemExit"):
        await thread.call(sys.exit)
    assert await thread.call(lambda: 1) == 1


async def test_what_does_not_return_in_time_is_given_up(mock_clock):
    thread, hangs = HookThread("hook under test", 5.0), threading.Event()
    async with trio.open_nursery() as nursery:

        async def call() -> None:
            with pytest.raises(Overdue, match="within 5 s"):
                await thread.call(hangs.wait)

        nursery.start_soon(call)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(5.1)
    hangs.set()


async def test_after_that_the_next_call_has_a_new_thread():
    thread, hangs = HookThread("hook under test", 0.05), threading.Event()
    first = await thread.call(threading.get_ident)
    with pytest.raises(Overdue):
        await thread.call(hangs.wait)
    assert await thread.call(threading.get_ident) != first
    hangs.set()
    thread.close()


def _count_for_ever() -> None:
    while True:
        pass


async def test_a_loop_without_an_end_is_ended():
    thread = HookThread("hook under test", 0.05)
    with pytest.raises(Overdue):
        await thread.call(_count_for_ever)
    deadline = time.monotonic() + 10
    while any(each.name == "hook under test (abandoned)" for each in threading.enumerate()):
        assert time.monotonic() < deadline
        await trio.lowlevel.checkpoint()


async def test_a_call_that_is_cancelled_waits_for_nobody():
    thread, hangs = HookThread("hook under test", 60.0), threading.Event()
    with trio.move_on_after(0.01) as scope:
        await thread.call(hangs.wait)
    assert scope.cancelled_caught
    hangs.set()


async def test_a_thread_that_is_closed_ends():
    thread = HookThread("hook to be closed", 5.0)
    await thread.call(int)
    (alive,) = [each for each in threading.enumerate() if each.name == "hook to be closed"]
    thread.close()
    await trio.to_thread.run_sync(alive.join, 5.0)
    assert not alive.is_alive()
