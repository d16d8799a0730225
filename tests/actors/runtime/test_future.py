from __future__ import annotations

import pykka
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import ActorDead, ActorSystem, AskTimeout, TrioActor, TrioFuture, ask


class Echo(TrioActor):
    async def on_receive(self, message):
        if message == "never":
            await trio.sleep_forever()
        if message == "fail":
            raise KeyError(message)
        return message


async def test_a_task_can_wait_on_a_future():
    future = TrioFuture()
    got = []

    async def wait():
        got.append(await future)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert not future.ready
        future.set(7)
    assert got == [7, 7]
    assert await future == 7
    assert future.get() == 7


async def test_an_exception_is_raised_where_the_future_is_awaited():
    future = TrioFuture()
    try:
        int("no number")
    except ValueError:
        future.set_exception()
    with pytest.raises(ValueError, match="no number"):
        await future


async def test_an_exception_may_be_given_by_its_class_alone():
    future = TrioFuture()
    future.set_exception((ValueError, None, None))
    with pytest.raises(ValueError, match=r"^$"):
        await future


async def test_a_future_is_resolved_once():
    future = TrioFuture()
    future.set()
    with pytest.raises(RuntimeError, match="resolved"):
        future.set(1)
    with pytest.raises(RuntimeError, match="resolved"):
        future.set_exception((ValueError, ValueError(), None))
    with pytest.raises(RuntimeError, match="resolved"):
        future.set_get_hook(lambda _timeout: None)
    assert await future is None


async def test_getting_on_the_trio_thread_is_an_error_and_not_a_deadlock():
    with pytest.raises(RuntimeError, match="await the future"):
        TrioFuture().get()
    async with ActorSystem.open() as system:
        with pytest.raises(RuntimeError, match="await the future"):
            system.start(Echo, "echo").ask("x")


async def test_a_foreign_thread_waits_for_the_answer():
    async with ActorSystem.open() as system:
        ref = system.start(Echo, "echo")
        assert await trio.to_thread.run_sync(lambda: ref.ask("x")) == "x"
        with pytest.raises(KeyError):
            await trio.to_thread.run_sync(lambda: ref.ask("fail"))


async def test_a_foreign_thread_waits_no_longer_than_it_wants_to():
    with pytest.raises(AskTimeout) as late:
        await trio.to_thread.run_sync(lambda: TrioFuture().get(timeout=0))
    assert isinstance(late.value, pykka.Timeout)


async def test_an_answer_from_a_thread_wakes_the_task():
    future = TrioFuture()
    async with trio.open_nursery() as nursery:

        async def resolve():
            await wait_all_tasks_blocked()
            await trio.to_thread.run_sync(future.set, "from afar")

        nursery.start_soon(resolve)
        assert await future == "from afar"


async def test_waiting_can_be_cancelled_and_the_answer_still_come(autojump_clock):
    future = TrioFuture()
    with trio.move_on_after(1) as scope:
        await future
    assert scope.cancelled_caught
    assert not future._waiters
    future.set("late")
    assert await future == "late"


async def test_futures_made_of_futures_can_be_awaited():
    async with ActorSystem.open() as system:
        ref = system.start(Echo, "echo")
        assert await ref.ask("m", block=False).map(str.upper) == "M"
        assert list(await ref.ask(1, block=False).join(ref.ask(2, block=False))) == [1, 2]
        with pytest.raises(RuntimeError, match="await the future"):
            ref.ask(1, block=False).map(str).get()


async def test_an_answer_for_a_loop_that_is_gone_harms_nobody():
    future = TrioFuture()
    awaited = future.__await__()

    async def abandon():
        awaited.send(None)

    await trio.to_thread.run_sync(trio.run, abandon)
    future.set(1)
    awaited.close()


async def test_asking_has_a_deadline(autojump_clock):
    async with ActorSystem.open() as system:
        ref = system.start(Echo, "echo")
        assert await ask(ref, "x") == "x"
        started = trio.current_time()
        with pytest.raises(AskTimeout, match=r"str to .*Echo.*2\.5 s"):
            await ask(ref, "never", timeout=2.5)
        assert trio.current_time() - started == pytest.approx(2.5)


async def test_asking_an_actor_that_has_ended_raises_at_once():
    async with ActorSystem.open() as system:
        ref = system.start(Echo, "echo")
        await system.stop(ref)
        with pytest.raises(ActorDead):
            await ask(ref, "x")


async def test_asking_raises_what_handling_the_message_raised():
    async with ActorSystem.open() as system:
        with pytest.raises(KeyError):
            await ask(system.start(Echo, "echo"), "fail")
