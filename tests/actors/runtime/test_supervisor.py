"""Supervision: what holds for both runtimes first, then what needs a virtual clock."""

from __future__ import annotations

import gc
import tracemalloc
from typing import ClassVar

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import (
    ActorDead,
    ActorSystem,
    ChildExists,
    ChildSpec,
    ListChildren,
    NoSuchChild,
    Policy,
    Restart,
    StartChild,
    StopChild,
    Strategy,
    Supervisor,
    TooManyRestarts,
    TrioActor,
    ask,
)

SOON = Policy(backoff=0.0, intensity=100)


@pytest.fixture
def log():
    return []


@pytest.fixture
def worker(runtime, log):
    class Worker(runtime.actor):
        mailbox_limit = 2000

        def __init__(self, name):
            super().__init__()
            self.name = name
            log.append(f"{name}: made")

        def on_stop(self):
            log.append(f"{self.name}: stopped")

        def on_receive(self, message):
            if message == "boom":
                raise ValueError(message)
            log.append((self.name, message))
            return message

    return Worker


class Worker(TrioActor):
    """Notes in the log of the test; waits if it is told a number of seconds."""

    def __init__(self, name, log, fails=()):
        super().__init__()
        self.name, self.log = name, log
        log.append(f"{name}: made")
        if fails and fails.pop(0):
            raise OSError("no device")

    async def setup(self):
        self.log.append(f"{self.name}: setup")

    async def close(self):
        self.log.append(f"{self.name}: closed")

    async def on_receive(self, message):
        if message == "boom":
            raise ValueError(message)
        if isinstance(message, int | float):
            await trio.sleep(message)
        self.log.append((self.name, message))
        return message


def specs(log, names, **options):
    return [ChildSpec(name, Worker, (name, log), **options) for name in names]


async def refs_of(root):
    return {child.id: child.ref for child in await ask(root, ListChildren())}


async def start(system, children, policy=SOON):
    root = system.start(Supervisor, "root", children, policy)
    await system.settled(root)
    return root, await refs_of(root)


# Both runtimes.


async def test_an_actor_killed_while_a_thousand_messages_wait_comes_back_and_handles_all_of_them(worker, log, observer):
    async with ActorSystem.open(observer=observer) as system:
        _, refs = await start(system, [ChildSpec("a", worker, ("a",))])
        ref, urn = refs["a"], refs["a"].actor_urn
        ref.tell("boom")
        for number in range(999):
            ref.tell(number)
        assert await ref.ask("last", block=False) == "last"
        assert ref.is_alive()
        assert ref.actor_urn == urn
    assert log[:2] == ["a: made", "a: made"]
    assert log[2:-1] == [("a", number) for number in range(999)] + [("a", "last")]
    assert len(observer.of("actor_restarted")) == 1
    assert len(observer.of("actor_quarantined")) == 1


async def test_asks_that_wait_across_a_crash_are_answered_by_the_next_life(worker):
    async with ActorSystem.open() as system:
        _, refs = await start(system, [ChildSpec("a", worker, ("a",))])
        answers = [refs["a"].ask(1, block=False)]
        refs["a"].tell("boom")
        answers.append(refs["a"].ask(2, block=False))
        assert [await answer for answer in answers] == [1, 2]


async def test_a_proxy_reaches_the_next_life_too(worker):
    async with ActorSystem.open() as system:
        _, refs = await start(system, [ChildSpec("a", worker, ("a",))])
        refs["a"].tell("boom")
        assert await refs["a"].proxy().name == "a"


@pytest.mark.parametrize(
    ("restart", "message", "comes_back"),
    [
        (Restart.PERMANENT, "boom", True),
        (Restart.PERMANENT, "stop", True),
        (Restart.TRANSIENT, "boom", True),
        (Restart.TRANSIENT, "stop", False),
        (Restart.TEMPORARY, "boom", False),
        (Restart.TEMPORARY, "stop", False),
    ],
)
async def test_restart_types_mean_what_they_mean_in_otp(worker, log, observer, restart, message, comes_back):
    async with ActorSystem.open(observer=observer) as system:
        root, refs = await start(system, [ChildSpec("a", worker, ("a",), restart=restart)])
        if message == "stop":
            refs["a"].stop(block=False)
        else:
            refs["a"].tell(message)
        await observer.until("actor_restarted" if comes_back else "actor_buried")
        assert refs["a"].is_alive() is comes_back
        assert len(await ask(root, ListChildren())) == comes_back
        if comes_back:
            assert await refs["a"].ask("x", block=False) == "x"
    assert log.count("a: made") == 1 + comes_back


async def test_messages_after_a_stop_of_a_permanent_actor_are_handled_by_its_next_life(worker):
    async with ActorSystem.open() as system:
        _, refs = await start(system, [ChildSpec("a", worker, ("a",))])
        stopped = refs["a"].stop(block=False)
        after = refs["a"].ask("after", block=False)
        assert await after == "after"
        assert await stopped is True


async def test_a_message_that_fails_is_handed_out_once_more_and_then_quarantined(worker, log, observer):
    async with ActorSystem.open(observer=observer) as system:
        root, refs = await start(system, [ChildSpec("a", worker, ("a",), redeliver=True)])
        refs["a"].tell("boom")
        refs["a"].tell("next")
        await observer.until("actor_restarted", 2)
        assert await refs["a"].ask("x", block=False) == "x"
        assert [one.message for one in system.letters.quarantined] == ["boom"]
        assert system.letters.quarantined_count == 1
        assert (await ask(root, ListChildren()))[0].restarts == 2
    assert [line for line in log if type(line) is tuple] == [("a", "next"), ("a", "x")]


async def test_a_redelivered_message_that_succeeds_is_handled_before_those_behind_it(runtime, observer):
    class Second(runtime.actor):
        lives = 0
        seen: ClassVar[list[object]] = []

        def __init__(self):
            super().__init__()
            type(self).lives += 1

        def on_receive(self, message):
            if self.lives == 1:
                raise ValueError(message)
            self.seen.append(message)

    async with ActorSystem.open(observer=observer) as system:
        _, refs = await start(system, [ChildSpec("a", Second, redeliver=True)])
        for number in range(3):
            refs["a"].tell(number)
        await observer.until("actor_restarted")
        await refs["a"].ask("last", block=False)
        assert Second.seen == [0, 1, 2, "last"]
        assert system.letters.quarantined_count == 0


async def test_a_child_that_always_fails_escalates_and_the_tree_above_survives(runtime, observer):
    class Doomed(runtime.actor):
        def on_start(self):
            raise OSError("always")

    class Healthy(runtime.actor):
        def on_receive(self, message):
            return message

    inner = ChildSpec("inner", Supervisor, ([ChildSpec("doomed", Doomed)], Policy(backoff=0.0, intensity=2)))
    once = ChildSpec("inner", Supervisor, inner.args, restart=Restart.TEMPORARY)
    async with ActorSystem.open(observer=observer) as system:
        root = system.start(Supervisor, "root", [ChildSpec("healthy", Healthy), once], SOON)
        assert await observer.until("supervisor_escalated") == [("root/inner", "doomed", 3, 10.0)]
        await observer.until("actor_buried", 2)
        refs = await refs_of(root)
        assert list(refs) == ["healthy"]
        assert await refs["healthy"].ask("still here", block=False) == "still here"
        assert len(system.environment.registry) == 1


async def test_children_started_by_message_are_answered_with_their_ref(worker):
    async with ActorSystem.open() as system:
        root, _ = await start(system, [])
        ref = await ask(root, StartChild(ChildSpec("a", worker, ("a",))))
        assert await ref.ask("x", block=False) == "x"
        assert await root.ask(StopChild("a"), block=False) is True
        assert not ref.is_alive()
        assert await root.ask(StopChild("a"), block=False) is False
        assert await ask(root, ListChildren()) == ()


async def test_what_waits_is_handled_before_a_child_is_stopped(worker, log):
    async with ActorSystem.open() as system:
        root, refs = await start(system, [ChildSpec("a", worker, ("a",))])
        for number in range(10):
            refs["a"].tell(number)
        await root.ask(StopChild("a"), block=False)
    assert log == ["a: made", *[("a", number) for number in range(10)], "a: stopped"]


async def test_children_are_shut_down_in_reverse_order(worker, log):
    async with ActorSystem.open() as system:
        await start(system, [ChildSpec(name, worker, (name,)) for name in "abc"])
    assert log[3:] == ["c: stopped", "b: stopped", "a: stopped"]


async def test_messages_left_when_an_actor_ends_for_good_go_to_the_dead_letters(worker, observer):
    async with ActorSystem.open(observer=observer) as system:
        root, refs = await start(system, [ChildSpec("a", worker, ("a",), restart=Restart.TEMPORARY)])
        refs["a"].tell("boom")
        for number in range(5):
            refs["a"].tell(number)
        asked = refs["a"].ask("asked", block=False)
        with pytest.raises(ActorDead):
            await asked
        assert [letter.message for letter in system.letters.letters] == [0, 1, 2, 3, 4, "asked"]
        assert system.letters.count == 6
        assert ("root/a", "int", "the actor has ended", 5) in observer.of("message_dead_lettered")
        assert await ask(root, ListChildren()) == ()


# With a virtual clock.


async def test_each_child_starts_when_the_one_before_it_is_set_up(autojump_clock, log):
    class Slow(Worker):
        async def setup(self):
            await trio.sleep(3)
            await super().setup()

    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "root", [ChildSpec("a", Slow, ("a", log)), *specs(log, "b")])
        assert await refs_of(root) == {"a": None, "b": None} or len(log) == 1
        await system.settled(root)
        assert trio.current_time() == 3
        assert log == ["a: made", "a: setup", "b: made", "b: setup"]


async def test_a_nested_supervisor_is_set_up_when_its_children_are(autojump_clock, log):
    inner = ChildSpec("inner", Supervisor, (specs(log, "ab"),))
    async with ActorSystem.open() as system:
        await start(system, [inner, *specs(log, "c")])
        assert [line for line in log if line.endswith("made")] == ["a: made", "b: made", "c: made"]


@pytest.mark.parametrize(
    ("strategy", "made"),
    [(Strategy.ONE_FOR_ONE, "b"), (Strategy.REST_FOR_ONE, "bc"), (Strategy.ONE_FOR_ALL, "abc")],
)
async def test_the_strategy_says_who_is_restarted(autojump_clock, log, strategy, made):
    async with ActorSystem.open() as system:
        _, refs = await start(system, specs(log, "abc"), Policy(strategy))
        log.clear()
        refs["c"].tell(0.02)
        await wait_all_tasks_blocked()
        refs["b"].tell("boom")
        for ref in refs.values():
            ref.tell("x")
        await trio.sleep(1)
        assert [line[0] for line in log if line[1:] == ": made"] == list(made)
        # A sibling in the middle of a message may finish it, and what waited is handled by the next life.
        assert sorted(str(line[1]) for line in log if type(line) is tuple) == ["0.02", "x", "x", "x"]


async def test_siblings_are_ended_in_reverse_and_started_in_order(autojump_clock, log):
    async with ActorSystem.open() as system:
        _, refs = await start(system, specs(log, "abc"), Policy(Strategy.ONE_FOR_ALL))
        log.clear()
        refs["b"].tell("boom")
        await trio.sleep(1)
        assert log == [f"{name}: closed" for name in "bca"] + [
            f"{name}: {step}" for name in "abc" for step in ("made", "setup")
        ]


async def test_a_temporary_sibling_is_ended_with_the_others_and_does_not_come_back(autojump_clock, log):
    children = [*specs(log, "a"), *specs(log, "t", restart=Restart.TEMPORARY)]
    async with ActorSystem.open() as system:
        root, refs = await start(system, children, Policy(Strategy.ONE_FOR_ALL))
        refs["a"].tell("boom")
        await trio.sleep(1)
        assert list(await refs_of(root)) == ["a"]
        assert not refs["t"].is_alive()


async def test_failures_that_overlap_start_each_child_once(autojump_clock, log):
    async with ActorSystem.open() as system:
        _, refs = await start(system, specs(log, "abc"), Policy(Strategy.REST_FOR_ONE, backoff=1, jitter=0))
        log.clear()
        refs["c"].tell("boom")
        await trio.sleep(0.5)
        refs["a"].tell("boom")
        await trio.sleep(5)
        assert [line for line in log if line[1:] == ": made"] == ["a: made", "b: made", "c: made"]


async def test_the_delay_doubles_and_a_healthy_period_resets_it(autojump_clock, log, observer):
    class Middle:
        def random(self):
            return 0.5

    policy = Policy(backoff=1.0, backoff_limit=5.0, intensity=9, period=60.0)
    async with ActorSystem.open(observer=observer, rng=Middle()) as system:
        _, refs = await start(system, specs(log, "a"), policy)
        for number in range(4):
            refs["a"].tell("boom")
            await observer.until("actor_restarted", number + 1)
        assert trio.current_time() == pytest.approx(1 + 2 + 4 + 5)
        await trio.sleep(60)
        refs["a"].tell("boom")
        await observer.until("actor_restarted", 5)
        assert observer.of("actor_restarted")[-1] == ("root/a", 5, 1.0)


async def test_a_restart_can_follow_within_a_millisecond(autojump_clock, log):
    async with ActorSystem.open() as system:
        _, refs = await start(system, specs(log, "a"))
        refs["a"].tell("boom")
        assert await refs["a"].ask("x", block=False) == "x"
        assert trio.current_time() == 0


async def test_a_supervisor_answers_while_a_child_is_shut_down_or_backs_off(autojump_clock, log):
    async with ActorSystem.open() as system:
        root, refs = await start(system, specs(log, "ab"), Policy(backoff=100.0, backoff_limit=100.0))
        refs["a"].tell(1000)
        refs["b"].tell("boom")
        await wait_all_tasks_blocked()
        stopped = root.ask(StopChild("a"), block=False)
        states = {child.id: child.state for child in await ask(root, ListChildren(), timeout=0.001)}
        assert states == {"a": "running", "b": "restarting"}
        assert await stopped is True


async def test_a_child_that_does_not_end_in_time_is_cancelled(autojump_clock, log):
    async with ActorSystem.open() as system:
        root, refs = await start(system, specs(log, "a", shutdown=3.0))
        refs["a"].tell(1000)
        answer = refs["a"].ask("waits", block=False)
        await root.ask(StopChild("a"), block=False)
        assert trio.current_time() == 3
        assert [(one.message, one.reason) for one in system.letters.letters] == [
            (1000, "interrupted"),
            ("waits", "the actor has ended"),
        ]
        with pytest.raises(ActorDead):
            await answer


async def test_a_child_can_be_stopped_while_it_backs_off(autojump_clock, log):
    async with ActorSystem.open() as system:
        root, refs = await start(system, specs(log, "a"), Policy(backoff=5.0))
        refs["a"].tell("boom")
        await wait_all_tasks_blocked()
        assert await root.ask(StopChild("a"), block=False) is True
        assert not refs["a"].is_alive()
        await trio.sleep(10)
        assert log.count("a: made") == 1


async def test_two_requests_to_stop_a_child_are_both_answered(autojump_clock, log):
    async with ActorSystem.open() as system:
        root, refs = await start(system, specs(log, "a"))
        refs["a"].tell(2)
        answers = [root.ask(StopChild("a"), block=False) for _ in range(2)]
        assert [await answer for answer in answers] == [True, True]


async def test_a_constructor_that_fails_counts_as_a_failure(autojump_clock, log, observer):
    fails = [False, True, True, False]
    async with ActorSystem.open(observer=observer) as system:
        _, refs = await start(system, [ChildSpec("a", Worker, ("a", log, fails))])
        refs["a"].tell("boom")
        assert await refs["a"].ask("x", block=False) == "x"
        assert len(observer.of("actor_failed")) == 3
        assert observer.of("actor_restarted")[0][1] == 1


async def test_a_constructor_that_fails_at_first_is_tried_again(autojump_clock, log):
    async with ActorSystem.open() as system:
        root, _ = await start(system, [ChildSpec("a", Worker, ("a", log, [True, False])), *specs(log, "b")])
        await trio.sleep(1)
        assert await (await refs_of(root))["a"].ask("x", block=False) == "x"


async def test_a_temporary_child_whose_constructor_fails_is_given_up(autojump_clock, log):
    spec = ChildSpec("a", Worker, ("a", log, [True]), restart=Restart.TEMPORARY)
    async with ActorSystem.open() as system:
        _, refs = await start(system, [spec])
        await trio.sleep(1)
        assert refs == {}


async def test_a_setup_that_fails_counts_as_a_failure(autojump_clock, observer):
    class Unready(TrioActor):
        tries = 0

        async def setup(self):
            Unready.tries += 1
            if Unready.tries < 3:
                raise OSError("no device")

    async with ActorSystem.open(observer=observer) as system:
        _, refs = await start(system, [ChildSpec("a", Unready)])
        await refs["a"].ask("x", block=False)
        assert len(observer.of("actor_failed")) == 2


async def test_refs_and_mailboxes_survive_the_restart_of_their_supervisor(autojump_clock, log, observer):
    inner = ChildSpec("inner", Supervisor, (specs(log, "ab"), Policy(intensity=2, period=60)))
    async with ActorSystem.open(observer=observer) as system:
        root, refs = await start(system, [inner])
        children = await refs_of(refs["inner"])
        passing = await ask(refs["inner"], StartChild(specs(log, "t")[0]))
        for _ in range(3):
            children["a"].tell("boom")
        children["b"].tell(0.5)
        children["b"].tell("waited")
        after = children["a"].ask("after", block=False)
        assert await after == "after"
        assert observer.of("supervisor_escalated") == [("root/inner", "a", 3, 60)]
        assert await children["b"].ask("b too", block=False) == "b too"
        # The message in hand was finished, and what waited was left to the next life.
        assert [line for line in log if line[0] == "b"][2:7] == [
            ("b", 0.5),
            "b: closed",
            "b: made",
            "b: setup",
            ("b", "waited"),
        ]
        # The one that was added later ended with the supervisor, as in OTP.
        assert not passing.is_alive()
        assert await refs_of(refs["inner"]) == children
        assert (await refs_of(root)) == refs
        assert log.count("a: made") == 4


async def test_a_message_redelivered_across_the_restart_of_a_supervisor_is_still_poison_the_second_time(
    autojump_clock, log
):
    inner = ChildSpec("inner", Supervisor, (specs(log, "a", redeliver=True), Policy(intensity=0)))
    async with ActorSystem.open() as system:
        _, refs = await start(system, [inner])
        child = (await refs_of(refs["inner"]))["a"]
        child.tell("boom")
        assert await child.ask("x", block=False) == "x"
        assert [one.message for one in system.letters.quarantined] == ["boom"]
        assert log.count("a: made") == 3


async def test_when_a_supervisor_ends_for_good_so_do_all_below_it(autojump_clock, log):
    inner = ChildSpec("inner", Supervisor, ([ChildSpec("innermost", Supervisor, (specs(log, "a"),))],))
    async with ActorSystem.open() as system:
        root, refs = await start(system, [inner])
        innermost = (await refs_of(refs["inner"]))["innermost"]
        leaf = (await refs_of(innermost))["a"]
        assert len(system.environment.registry) == 3
        assert await root.ask(StopChild("inner"), block=False) is True
        assert not any(ref.is_alive() for ref in (refs["inner"], innermost, leaf))
        assert len(system.environment.registry) == 0


async def test_a_supervisor_is_given_the_time_that_its_children_are_given(autojump_clock, log):
    inner = ChildSpec("inner", Supervisor, (specs(log, "a", shutdown=100.0),), shutdown=1.0)
    async with ActorSystem.open() as system:
        root, refs = await start(system, [inner])
        (await refs_of(refs["inner"]))["a"].tell(50)
        await root.ask(StopChild("inner"), block=False)
        assert ("a", 50) in log
        assert trio.current_time() == 50


async def test_ten_temporary_children_are_shut_down_side_by_side(autojump_clock, log):
    async with ActorSystem.open() as system:
        _, refs = await start(system, specs(log, "0123456789", restart=Restart.TEMPORARY))
        for ref in refs.values():
            ref.tell(4)
    assert trio.current_time() == 4


async def test_at_the_top_too_many_restarts_end_the_system(autojump_clock, log):
    with pytest.raises(TooManyRestarts, match=r"root: 1 restarts .* of a") as given_up:  # noqa: PT012
        async with ActorSystem.open() as system:
            other = system.start(Worker, "other", "other", log)
            root, refs = await start(system, specs(log, "a"), Policy(intensity=0))
            refs["a"].tell("boom")
            await trio.sleep_forever()
    assert isinstance(given_up.value.__cause__, ValueError)
    assert "other: closed" in log
    assert not other.is_alive()
    assert not root.is_alive()
    assert not refs["a"].is_alive()


async def test_a_child_of_a_known_id_is_refused(log):
    async with ActorSystem.open() as system:
        root, _ = await start(system, specs(log, "a"))
        with pytest.raises(ChildExists):
            await ask(root, StartChild(specs(log, "a")[0]))
    with pytest.raises(ChildExists):
        async with ActorSystem.open() as system:
            await start(system, specs(log, "aa"))


async def test_a_child_that_cannot_be_made_is_no_failure_of_its_supervisor(log, observer):
    async with ActorSystem.open(observer=observer) as system:
        root, _ = await start(system, [])
        spec = ChildSpec("a", Worker, ("a", log, [True, True]))
        with pytest.raises(OSError, match="no device"):
            await ask(root, StartChild(spec))
        root.tell(StartChild(spec))
        assert (await observer.until("actor_failed"))[0][0] == "root/a"
        assert await ask(root, ListChildren()) == ()


class Keeper(Supervisor):
    """A supervisor with a message and a task of its own."""

    has_tasks = True

    def __init__(self, log):
        super().__init__([], SOON)
        self.log = log

    async def setup(self):
        self.start_child(specs(self.log, ["first"])[0])

    async def on_receive(self, message):
        if type(message) is str:
            known = self.child(message)
            ref = known or self.start_child(ChildSpec(message, Worker, (message, self.log), restart=Restart.TEMPORARY))
            ref.tell(message)
            return known is not None
        if message == 1:
            with pytest.raises(NoSuchChild):
                await self.stop_child("nobody")
            await self.stop_child("first")
            return len(self.children)
        if message == 2:
            self.start_task(self._fail)
            return None
        return super().on_receive(message)

    async def _fail(self):
        raise OSError("task")

    def child_ended(self, id, error):  # noqa: A002
        self.log.append(("ended", id, repr(error)))


async def test_a_supervisor_can_handle_messages_of_its_own_and_forward_them(log):
    async with ActorSystem.open() as system:
        keeper = system.start(Keeper, "keeper", log)
        assert await ask(keeper, "line3") is False
        assert await ask(keeper, "line3") is True
        assert list(await refs_of(keeper)) == ["first", "line3"]
        assert await ask(keeper, 1) == 1
        await ask(keeper, "boom")
        await wait_all_tasks_blocked()
        assert [line for line in log if line[0] == "ended"] == [
            ("ended", "first", "None"),
            ("ended", "boom", "ValueError('boom')"),
        ]
        assert log.count(("line3", "line3")) == 2


async def test_a_task_of_a_supervisor_that_fails_ends_it_and_its_children(log, observer):
    async with ActorSystem.open(observer=observer) as system:
        _, refs = await start(system, [ChildSpec("keeper", Keeper, (log,))])
        first = (await refs_of(refs["keeper"]))["first"]
        await ask(refs["keeper"], 2)
        await observer.until("actor_restarted")
        assert not first.is_alive()
        assert list(await refs_of(refs["keeper"])) == ["first"]
        assert "first: closed" in log


async def test_a_message_that_no_supervisor_knows_is_only_logged():
    async with ActorSystem.open() as system:
        root, _ = await start(system, [])
        assert await ask(root, "what?") is None


async def test_a_cancelled_tree_leaves_nothing_behind(autojump_clock, log):
    with trio.move_on_after(5):
        async with ActorSystem.open() as system:
            inner = ChildSpec("inner", Supervisor, (specs(log, "ab"),))
            _, refs = await start(system, [inner, *specs(log, "c"), *specs(log, "t", restart=Restart.TEMPORARY)])
            refs["c"].tell(1000)
            await trio.sleep_forever()
    assert not any(ref.is_alive() for ref in refs.values())
    assert len(system.environment.registry) == 0
    assert log.count("c: made") == 1


async def test_a_child_can_be_cancelled_before_it_has_begun(autojump_clock, log):
    class Slow(Worker):
        async def setup(self):
            await trio.sleep(1000)

    async with ActorSystem.open() as system:
        root, _ = await start(system, [])
        root.actor_inbox.owner.start_child(ChildSpec("a", Slow, ("a", log), shutdown=0.0))
        assert await root.ask(StopChild("a"), block=False) is True
        assert trio.current_time() == 0


async def test_a_thousand_idle_actors_take_less_than_six_kilobytes_each():
    class Idle(TrioActor):
        pass

    async with ActorSystem.open() as system:
        root, _ = await start(system, [])
        supervisor = root.actor_inbox.owner
        gc.collect()
        tracemalloc.start()
        for number in range(1000):
            supervisor.start_child(ChildSpec(str(number), Idle, restart=Restart.TEMPORARY))
        await wait_all_tasks_blocked()
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert taken / 1000 < 6 * 1024


async def test_ten_thousand_children_are_no_matter():
    class Idle(TrioActor):
        pass

    async with ActorSystem.open() as system:
        root, _ = await start(system, [])
        supervisor = root.actor_inbox.owner
        refs = [supervisor.start_child(ChildSpec(str(n), Idle, restart=Restart.TEMPORARY)) for n in range(10_000)]
        for ref in refs[::2]:
            ref.stop(block=False)
        await wait_all_tasks_blocked()
        assert len(supervisor.children) == 5_000
    assert not any(ref.is_alive() for ref in refs)
