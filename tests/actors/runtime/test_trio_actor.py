from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import (
    ActorSystem,
    ChildSpec,
    ListChildren,
    Policy,
    Supervisor,
    ThreadingActor,
    TooManyRestarts,
    TrioActor,
    ask,
)
from actors.runtime.trio_actor import BATCH


class Worker(TrioActor):
    has_tasks = True

    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    async def setup(self):
        self.seen.append("setup")

    async def close(self):
        self.seen.append("close")

    async def on_receive(self, message):
        if message == "boom":
            raise ValueError(message)
        if message == "hang":
            await trio.sleep_forever()
        self.start_task(self.work, message)

    async def work(self, seconds):
        try:
            await trio.sleep(seconds)
        except trio.Cancelled:
            self.seen.append("cancelled")
            raise
        raise OSError("the task failed")


async def test_the_async_hooks_frame_a_life():
    seen = []
    async with ActorSystem.open() as system:
        system.start(Worker, "worker", seen)
    assert seen == ["setup", "close"]


async def test_close_is_called_after_a_failure_too():
    seen = []
    async with ActorSystem.open() as system:
        system.start(Worker, "worker", seen).tell("boom")
        await wait_all_tasks_blocked()
        assert seen == ["setup", "close"]


async def test_close_is_not_called_if_setup_failed(observer):
    class Unready(Worker):
        async def setup(self):
            raise OSError("no device")

    seen = []
    async with ActorSystem.open(observer=observer) as system:
        system.start(Unready, "worker", seen)
        await observer.until("actor_failed")
    assert seen == []


async def test_tasks_end_with_the_life(autojump_clock):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(Worker, "worker", seen)
        ref.tell(1000)
        await wait_all_tasks_blocked()
        await system.stop(ref)
        assert trio.current_time() < 1000
    assert seen == ["setup", "close", "cancelled"]


async def test_the_failure_of_a_task_is_the_failure_of_the_life_and_no_group(autojump_clock, observer):
    seen = []
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(Worker, "worker", seen)
        ref.tell(3)
        ((_, error, message),) = await observer.until("actor_failed")
        assert (repr(error), message) == ("OSError('the task failed')", None)
        assert not ref.is_alive()


async def test_a_message_in_hand_when_a_task_failed_is_interrupted_and_not_to_blame(autojump_clock, observer):
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(Worker, "worker", [])
        ref.tell(3)
        ref.tell("hang")
        await observer.until("actor_failed")
        assert [(one.message, one.reason) for one in system.letters.letters] == [("hang", "interrupted")]
        assert system.letters.quarantined_count == 0


async def test_a_failure_of_the_actor_itself_comes_before_what_its_tasks_say(autojump_clock, observer):
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(Worker, "worker", [])
        ref.tell(3)
        ref.tell("boom")
        ((_, error, _),) = await observer.until("actor_failed")
        assert repr(error) == "ValueError('boom')"


async def test_tasks_need_has_tasks():
    class Plain(TrioActor):
        def on_receive(self, _message):
            self.start_task(trio.sleep, 1)

    async with ActorSystem.open() as system:
        with pytest.raises(RuntimeError, match="has_tasks"):
            await ask(system.start(Plain, "plain"), "x")


async def test_each_life_has_tasks_of_its_own(autojump_clock, observer):
    seen = []
    async with ActorSystem.open(observer=observer) as system:
        root = system.start(Supervisor, "root", [ChildSpec("w", Worker, (seen,))], Policy(backoff=1))
        await system.settled(root)
        ref = (await ask(root, ListChildren()))[0].ref
        ref.tell(3)
        await observer.until("actor_restarted")
        ref.tell(3)
        await observer.until("actor_restarted", 2)
    assert seen == ["setup", "close"] * 3


async def test_an_actor_with_much_to_do_lets_others_have_their_turn():
    turns = []

    class Busy(TrioActor):
        def on_receive(self, message):
            turns.append(message)

    async with ActorSystem.open() as system:
        ref = system.start(Busy, "busy")
        await wait_all_tasks_blocked()
        for number in range(10 * BATCH):
            ref.tell(number)
        longest, before = 0, 0
        while len(turns) < 10 * BATCH:
            await trio.lowlevel.checkpoint()
            longest, before = max(longest, len(turns) - before), len(turns)
        # trio may give it the last turn of one round and the first of the next.
        assert longest <= 2 * BATCH


async def test_an_idle_actor_that_is_cancelled_leaves_nothing_waiting():
    with trio.CancelScope() as scope:
        async with ActorSystem.open() as system:
            ref = system.start(Worker, "worker", [])
            await wait_all_tasks_blocked()
            scope.cancel()
    assert not ref.is_alive()


async def test_a_restart_cannot_change_the_runtime(observer):
    class Once(TrioActor):
        def on_receive(self, message):
            raise ValueError(message)

    class Other(ThreadingActor):
        pass

    kinds = iter([Once, Other])
    spec = ChildSpec("a", lambda: next(kinds)())  # noqa: PLW0108 - one class each time
    with pytest.raises(TooManyRestarts):  # noqa: PT012
        async with ActorSystem.open(observer=observer) as system:
            root = system.start(Supervisor, "root", [spec], Policy(backoff=0, intensity=1))
            await system.settled(root)
            (await ask(root, ListChildren()))[0].ref.tell("boom")
            await trio.sleep_forever()
    assert "change the runtime" in repr(observer.of("actor_failed")[1][1])
