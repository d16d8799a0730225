from __future__ import annotations

import pykka
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import (
    ActorDead,
    ActorSystem,
    ChildSpec,
    ListChildren,
    Policy,
    Restart,
    StartChild,
    Supervisor,
    TrioActor,
    as_ref,
    ask,
    survey,
)
from actors.runtime.registry import mailbox_of
from domain import Priority


class Worker(TrioActor):
    async def on_receive(self, message):
        if message == "boom":
            raise ValueError(message)
        if isinstance(message, int | float):
            await trio.sleep(message)
        return message

    def describe(self):
        return {"colour": "green"}


class SlowToStart(TrioActor):
    async def setup(self):
        await trio.sleep(1000)


class Faulty(TrioActor):
    def describe(self):
        raise ValueError("no words")


async def tree(system, *children, policy=None):
    root = system.start(Supervisor, "root", children, policy)
    await system.settled(root)
    return root, {child.id: child.ref for child in await ask(root, ListChildren())}


async def test_every_actor_of_the_tree_says_how_it_is(autojump_clock):
    inner = ChildSpec("inner", Supervisor, ([ChildSpec("b", Worker)],))
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Worker), inner)
        for message in range(3):
            await ask(refs["a"], str(message))
        await trio.sleep(7)
        status = await survey(root)
        assert [one.path for one in status.walk()] == ["root", "root/a", "root/inner", "root/inner/b"]
        assert {one.state for one in status.walk()} == {"running"}
        a = status.children[0]
        assert (a.id, a.kind, a.handled, a.description) == ("a", "Worker", 4, {"colour": "green"})
        assert a.depth == dict.fromkeys(Priority, 0)
        assert a.restarts == 0
        assert a.last_failure is None
        assert a.handling is None


async def test_a_stuck_actor_shows_as_stuck_and_the_answer_comes_in_time(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Worker), ChildSpec("b", Worker))
        refs["a"].tell(1000)
        refs["a"].tell("waits")
        await trio.sleep(5)
        status = await survey(root, deadline=2.0)
        assert trio.current_time() == 7
        a, b = status.children
        assert (a.state, b.state, status.state) == ("stuck", "running", "running")
        assert (a.handling, a.handling_age, a.depth[Priority.NORMAL]) == ("int", 7, 1)


class Long(Worker):
    async def on_receive(self, message):
        for _ in range(message):
            self.progressed()
            await trio.sleep(10)
        await trio.sleep(1000)


async def test_who_says_that_a_long_message_goes_on_is_busy_until_it_says_so_no_more(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Long))
        refs["a"].tell(5)
        await trio.sleep(35)
        assert (await survey(root)).children[0].state == "busy"
        await trio.sleep(60)
        assert (await survey(root)).children[0].state == "stuck"


async def test_asking_a_stuck_actor_often_does_not_fill_its_mailbox(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Worker))
        refs["a"].tell(1000)
        await wait_all_tasks_blocked()
        for _ in range(5):
            await survey(root, deadline=1.0)
        assert refs["a"].actor_inbox.waiting(Priority.HIGH) == 1
        await trio.sleep(1000)
        assert (await survey(root)).children[0].state == "running"


async def test_a_backlog_of_routine_does_not_make_an_actor_look_stuck(autojump_clock):
    class Slow(Worker):
        async def on_receive(self, _message):
            await trio.sleep(0.1)

    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Slow, shutdown=0.0))
        for number in range(500):
            refs["a"].tell(number)
        status = await survey(root, deadline=1.0)
        assert status.children[0].state == "running"
        assert status.children[0].depth[Priority.NORMAL] > 480


async def test_an_actor_whose_urgent_lane_is_full_is_stuck_without_being_asked(autojump_clock):
    class Small(Worker):
        mailbox_limit = 1

    class High:
        priority = Priority.HIGH

    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Small))
        refs["a"].tell(1000)
        await wait_all_tasks_blocked()
        refs["a"].tell(High())
        started = trio.current_time()
        assert (await survey(root)).children[0].state == "stuck"
        assert trio.current_time() == started


async def test_a_stuck_supervisor_does_not_hide_its_children(autojump_clock):
    class Stuck(Supervisor):
        async def on_receive(self, _message):
            await trio.sleep(1000)

    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("inner", Stuck, ([ChildSpec("a", Worker)],)))
        refs["inner"].tell("hang")
        await wait_all_tasks_blocked()
        status = await survey(root)
        assert [(one.path, one.state) for one in status.walk()] == [
            ("root", "running"),
            ("root/inner", "stuck"),
            ("root/inner/a", "running"),
        ]


async def test_a_failed_actor_shows_what_happened_to_it(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Worker), policy=Policy(backoff=10, backoff_limit=10, jitter=0))
        refs["a"].tell("boom")
        await trio.sleep(4)
        (a,) = (await survey(root)).children
        assert (a.state, a.last_failure, a.last_failure_age, a.quarantined) == (
            "restarting",
            "ValueError('boom')",
            4,
            1,
        )
        await trio.sleep(7)
        (a,) = (await survey(root)).children
        assert (a.state, a.restarts) == ("running", 1)


async def test_actors_that_start_or_end_are_not_asked(autojump_clock):
    class SlowToClose(Worker):
        async def close(self):
            await trio.sleep(3)

    async with ActorSystem.open() as system:
        root = system.start(
            Supervisor, "root", [ChildSpec("b", SlowToClose), ChildSpec("a", SlowToStart), ChildSpec("c", Worker)]
        )
        await trio.sleep(1)
        (await ask(root, ListChildren()))[0].ref.stop(block=False)
        await wait_all_tasks_blocked()
        status = await survey(root)
        assert trio.current_time() == 1
        assert [one.state for one in status.walk()] == ["starting", "stopping", "starting", "starting"]
        assert status.children[2].kind == "Worker"


async def test_a_description_that_fails_does_not_hide_the_rest():
    async with ActorSystem.open() as system:
        status = await survey(system.start(Faulty, "faulty"))
        await wait_all_tasks_blocked()
        status = await survey(mailbox_of_top(system, "faulty"))
        assert status.state == "running"
        assert status.description == {"error": "ValueError('no words')"}


def mailbox_of_top(system, name):
    return system._top[name].actor_ref


async def test_more_children_than_can_be_shown_are_summed_up(autojump_clock):
    async with ActorSystem.open() as system:
        children = [ChildSpec(str(n), Worker, restart=Restart.TEMPORARY, shutdown=1.0) for n in range(1100)]
        root, refs = await tree(system, *children)
        for number in ("7", "500", "700"):
            refs[number].tell(1000)
        await trio.sleep(3)
        status = await survey(root, deadline=1.0, expand=64)
        assert status.summarised == 1092
        assert status.summarised_states == {"running": 1092}
        assert set(status.summarised_depth) == set(Priority)
        assert status.summarised_oldest == {}
        assert len(status.children) == 8
        assert {"7", "500", "700"} <= {child.id for child in status.children}
        assert {child.id: child.state for child in status.children}["500"] == "stuck"


async def test_for_how_long_the_oldest_message_waits_is_told_of_each_lane_in_which_one_does(autojump_clock):
    class Urgent:
        priority = Priority.CRITICAL

    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("a", Worker))
        refs["a"].tell(1000)
        await trio.sleep(2)
        refs["a"].tell("first")
        await trio.sleep(3)
        refs["a"].tell("second")
        refs["a"].tell(Urgent())
        await trio.sleep(1)
        (a,) = (await survey(root, deadline=1.0)).children
        # Nobody has looked at the clock in between, so the moments known are those of the survey and before.
        assert set(a.oldest) == {Priority.CRITICAL, Priority.HIGH, Priority.NORMAL}
        assert a.oldest[Priority.NORMAL] >= 5


async def test_of_those_that_are_not_shown_the_oldest_message_is_told(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, *(ChildSpec(str(n), Worker, shutdown=0.0) for n in range(20)))
        for ref in refs.values():
            ref.tell(1000)
        await wait_all_tasks_blocked()
        for ref in refs.values():
            ref.tell("waits")
        await trio.sleep(7)
        status = await survey(root, expand=10)
        assert status.summarised == 12
        assert status.summarised_oldest == {Priority.NORMAL: pytest.approx(8)}


async def test_an_actor_that_has_ended_cannot_be_surveyed():
    async with ActorSystem.open() as system:
        ref = system.start(Worker, "a")
        await system.stop(ref)
        with pytest.raises(ActorDead):
            await survey(ref)


async def test_an_answer_can_be_taken_as_the_ref_that_it_is():
    async with ActorSystem.open() as system:
        ref = system.start(Worker, "a")
        assert as_ref(ref) is ref
        with pytest.raises(TypeError, match="not the address"):
            as_ref("a")


def test_only_the_refs_of_this_runtime_have_a_mailbox_of_ours():
    class Foreign(pykka.ThreadingActor):
        pass

    ref = Foreign.start()
    try:
        with pytest.raises(TypeError, match="not the address"):
            mailbox_of(ref)
    finally:
        ref.stop()


class SoonReady(TrioActor):
    async def setup(self):
        await trio.sleep(0.05)


async def test_an_actor_that_came_into_service_during_the_survey_is_not_stuck(autojump_clock):
    async with ActorSystem.open() as system:
        root, refs = await tree(system, ChildSpec("busy", Worker))
        refs["busy"].tell(0.1)
        root.tell(StartChild(ChildSpec("soon", SoonReady)))
        await wait_all_tasks_blocked()
        status = await survey(root)
        assert {child.id: child.state for child in status.children} == {"busy": "running", "soon": "starting"}
