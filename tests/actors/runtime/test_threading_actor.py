from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import ClassVar

import pytest
import trio

from actors.runtime import (
    ActorDead,
    ActorSystem,
    ChildSpec,
    ListChildren,
    StopChild,
    Supervisor,
    ThreadingActor,
    ask,
    survey,
)

word: ContextVar[str] = ContextVar("word")


class Blocker(ThreadingActor):
    """Blocks at "block" until the test lets it go."""

    reached: trio.Event
    released: threading.Event
    handled: ClassVar[list[object]]

    def on_receive(self, message):
        if message == "block":
            trio.from_thread.run_sync(self.reached.set, trio_token=self.token)
            self.released.wait()
        self.handled.append(message)
        return message


@pytest.fixture
async def blocker():
    class Fresh(Blocker):
        reached = trio.Event()
        released = threading.Event()
        handled: ClassVar[list[object]] = []
        token = trio.lowlevel.current_trio_token()

    yield Fresh
    Fresh.released.set()


async def first_child(root):
    return (await ask(root, ListChildren()))[0].ref


async def test_handlers_run_in_one_thread_named_after_the_actor():
    class Where(ThreadingActor):
        def on_receive(self, _message):
            return threading.current_thread()

    async with ActorSystem.open() as system:
        ref = system.start(Where, "where")
        thread = await ref.ask(1, block=False)
        assert thread is await ref.ask(2, block=False)
        assert thread is not threading.current_thread()
        assert thread.name == "where"
    assert not thread.is_alive()


async def test_the_thread_has_the_context_of_the_one_who_started_the_system():
    class Context(ThreadingActor):
        def on_receive(self, _message):
            return word.get()

    word.set("known")
    async with ActorSystem.open() as system:
        assert await system.start(Context, "context").ask(1, block=False) == "known"


async def test_handlers_cannot_be_async():
    class Wrong(ThreadingActor):
        async def on_receive(self, message):
            return message

    async with ActorSystem.open() as system:
        with pytest.raises(TypeError, match="cannot be async"):
            await system.start(Wrong, "wrong").ask(1, block=False)


async def test_a_thread_that_does_not_end_in_time_is_abandoned_with_a_mark(mock_clock, blocker, observer):
    async with ActorSystem.open(observer=observer) as system:
        root = system.start(Supervisor, "root", [ChildSpec("b", blocker, shutdown=5.0)])
        await system.settled(root)
        ref = await first_child(root)
        in_hand = ref.ask("block", block=False)
        waiting = ref.ask("waits", block=False)
        await blocker.reached.wait()
        stopped = root.ask(StopChild("b"), block=False)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(5.0)
        assert await stopped is True
        assert system.abandoned == {"root/b": 1}
        assert observer.of("actor_abandoned") == [("root/b", 5.0)]
        assert any(thread.name == "root/b (abandoned)" for thread in threading.enumerate())
        for future in (in_hand, waiting):
            with pytest.raises(ActorDead):
                await future
        assert system.letters.count_by_reason["abandoned"] == 1
    blocker.released.set()


async def test_an_abandoned_thread_finishes_its_message_and_takes_no_other(mock_clock, blocker):
    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "root", [ChildSpec("b", blocker)])
        await system.settled(root)
        ref = await first_child(root)
        answer = ref.ask("block", block=False)
        ref.tell("next")
        await blocker.reached.wait()
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "root/b"]
        stopped = root.ask(StopChild("b"), block=False)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(5.0)
        await stopped
        blocker.released.set()
        await trio.to_thread.run_sync(thread.join)
        assert blocker.handled == ["block"]
        with pytest.raises(ActorDead):
            await answer


async def test_a_cancelled_system_lets_idle_threads_end_unmarked(blocker, observer):
    with trio.CancelScope() as scope:
        async with ActorSystem.open(observer=observer) as system:
            ref = system.start(blocker, "b")
            await ref.ask("x", block=False)
            (thread,) = [thread for thread in threading.enumerate() if thread.name == "b"]
            # Whoever was answered may find the thread still at the end of its turn.
            while ref.actor_inbox.owner.life.current is not None:
                await trio.lowlevel.checkpoint()
            scope.cancel()
    await trio.to_thread.run_sync(thread.join)
    assert observer.of("actor_abandoned") == []


async def test_a_blocked_thread_shows_as_stuck_with_its_age_and_backlog(mock_clock, blocker):
    async with ActorSystem.open() as system:
        ref = system.start(blocker, "b")
        ref.tell("block")
        ref.tell("waits")
        await blocker.reached.wait()
        mock_clock.jump(30.0)
        statuses = []

        async def look():
            statuses.append(await survey(ref, deadline=1.0))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(look)
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(1.0)
        (status,) = statuses
        assert (status.state, status.handling, status.handling_age) == ("stuck", "str", 31.0)
        assert sum(status.depth.values()) == 2  # what waits, and the question
        blocker.released.set()


async def test_an_actor_whose_loop_has_gone_ends_quietly():
    class Slow(ThreadingActor):
        def on_receive(self, _message):
            reached.set()
            released.wait()

    reached, released = threading.Event(), threading.Event()
    threads = []

    async def main():
        with trio.CancelScope() as scope:
            async with ActorSystem.open() as system:
                system.start(Slow, "slow").tell("x")
                await trio.to_thread.run_sync(reached.wait)
                threads.extend(thread for thread in threading.enumerate() if thread.name == "slow")
                scope.cancel()

    await trio.to_thread.run_sync(trio.run, main)
    released.set()
    await trio.to_thread.run_sync(threads[0].join)
    assert not threads[0].is_alive()
