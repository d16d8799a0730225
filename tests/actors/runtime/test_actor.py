"""What holds for the actors of both runtimes."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass
from typing import ClassVar

import pykka
import pytest
import trio

from actors.runtime import ActorDead, ActorSystem, MailboxFull, TrioActor
from actors.runtime.actor import StopFlag
from domain import Priority


@dataclass(frozen=True, slots=True)
class Say:
    word: str
    priority: Priority = Priority.NORMAL
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Keeps the actor busy until the test lets go: in a thread by blocking it, in a task by waiting."""

    priority: ClassVar[Priority] = Priority.CRITICAL


@pytest.fixture
def probe(runtime):
    """An actor class of the runtime that notes what happens to it."""

    class Probe(runtime.actor):
        mailbox_limit = 50

        def __init__(self, seen, gate=None):
            super().__init__()
            self.seen, self.gate, self.value = seen, gate, 7

        def on_start(self):
            self.seen.append("start")

        def on_stop(self):
            self.seen.append("stop")

        def on_failure(self, exception_type, _value, _traceback):
            self.seen.append(exception_type.__name__)

        def on_receive(self, message):
            if type(message) is Hold:
                return self.gate.hold(runtime)
            word = message.word if type(message) is Say else message
            if word == "boom":
                raise ValueError(word)
            self.seen.append(word)
            return word

        def add(self, first, second):
            return first + second

    return Probe


class Gate:
    """Where a probe can be held."""

    def __init__(self):
        self._open = trio.Event()
        self.reached = trio.Event()

    def hold(self, runtime):
        if runtime.name == "threading":
            trio.from_thread.run_sync(self.reached.set, trio_token=self.token)
            trio.from_thread.run(self._open.wait, trio_token=self.token)
            return None
        return self._hold()

    async def _hold(self):
        self.reached.set()
        await self._open.wait()

    def open(self):
        self._open.set()


@pytest.fixture
async def gate():
    made = Gate()
    made.token = trio.lowlevel.current_trio_token()
    return made


async def test_an_actor_is_told_and_asked(probe):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", seen)
        ref.tell("a")
        assert await ref.ask("b", block=False) == "b"
        assert ref.is_alive()
    assert seen == ["start", "a", "b", "stop"]
    assert not ref.is_alive()


async def test_a_proxy_reaches_methods_and_attributes(probe):
    async with ActorSystem.open() as system:
        proxy = system.start(probe, "probe", []).proxy()
        assert await proxy.add(1, 2) == 3
        assert await proxy.value == 7


async def test_messages_are_handled_by_priority(probe, gate):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", seen, gate)
        ref.tell(Hold())
        await gate.reached.wait()
        for word, priority in (("l", Priority.LOW), ("n", Priority.NORMAL), ("c", Priority.CRITICAL)):
            ref.tell(Say(word, priority))
        gate.open()
        await ref.ask(Say("last", Priority.LOW), block=False)
    assert seen == ["start", "c", "n", "l", "last", "stop"]


async def test_only_the_newest_value_of_a_key_is_handled(probe, gate):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", seen, gate)
        ref.tell(Hold())
        await gate.reached.wait()
        for word in ("old", "newer", "newest"):
            ref.tell(Say(word, key="k"))
        gate.open()
    assert seen == ["start", "newest", "stop"]


async def test_a_full_mailbox_refuses_the_urgent_and_drops_the_oldest_of_the_rest(probe, gate, observer):
    seen = []
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(probe, "probe", seen, gate)
        ref.tell(Hold())
        await gate.reached.wait()
        for number in range(52):
            ref.tell(Say(str(number)))
        for _ in range(50):
            ref.tell(Say("urgent", Priority.HIGH))
        with pytest.raises(MailboxFull):
            ref.tell(Say("urgent", Priority.HIGH))
        gate.open()
        await observer.until("messages_dropped", 2)
    assert ("probe", Priority.HIGH, 0, 0, 1) in observer.of("messages_dropped")
    assert ("probe", Priority.NORMAL, 2, 0, 0) in observer.of("messages_dropped")
    assert "1" not in seen
    assert seen.count("urgent") == 50


async def test_an_exception_while_an_ask_is_handled_goes_to_the_asker_and_the_actor_lives_on(probe):
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", [])
        with pytest.raises(ValueError, match="boom"):
            await ref.ask("boom", block=False)
        assert await ref.ask("still here", block=False) == "still here"


async def test_an_exception_while_a_tell_is_handled_ends_the_actor(probe, observer):
    seen = []
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(probe, "probe", seen)
        ref.tell("boom")
        waiting = ref.ask("never handled", block=False)
        with pytest.raises(ActorDead):
            await waiting
        assert not ref.is_alive()
        with pytest.raises(ActorDead):
            ref.tell("too late")
        with pytest.raises(ActorDead):
            await ref.ask("too late", block=False)
        assert [(one.actor, one.message) for one in system.letters.quarantined] == [("probe", "boom")]
        assert "raise ValueError(word)" in system.letters.quarantined[0].traceback
        assert [letter.message for letter in system.letters.letters] == ["never handled"]
    assert seen == ["start", "ValueError"]
    ((actor, error, message),) = observer.of("actor_failed")
    assert (actor, repr(error), message) == ("probe", "ValueError('boom')", "str")


async def test_messages_before_a_stop_are_handled_and_those_after_it_are_answered_with_actor_dead(probe, gate):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", seen, gate)
        ref.tell(Hold())
        await gate.reached.wait()
        ref.tell(Say("before", Priority.LOW))
        stopped = ref.stop(block=False)
        stopped_again = ref.stop(block=False)
        after = ref.ask(Say("after", Priority.CRITICAL), block=False)
        gate.open()
        assert await stopped is True
        assert await stopped_again is True
        with pytest.raises(ActorDead):
            await after
        assert await ref.stop(block=False) is False
    assert seen == ["start", "before", "stop"]


async def test_an_actor_can_stop_itself(runtime):
    class Once(runtime.actor):
        def on_receive(self, message):
            self.stop()
            return message

    async with ActorSystem.open() as system:
        ref = system.start(Once, "once")
        assert await ref.ask(1, block=False) == 1
        await system.stop(ref)
        assert not ref.is_alive()


async def test_a_setup_that_fails_ends_the_actor(runtime, observer):
    class Unready(runtime.actor):
        def on_start(self):
            raise OSError("no device")

    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(Unready, "unready")
        with pytest.raises(ActorDead):
            await ref.ask("x", block=False)
    assert repr(observer.of("actor_failed")[0][1]) == "OSError('no device')"


async def test_foreign_threads_tell_and_ask(probe):
    seen = []
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", seen)

        def talk():
            ref.tell("t")
            assert ref.ask("q") == "q"
            assert ref.proxy().add(3, 4).get() == 7

        await trio.to_thread.run_sync(talk)
    assert seen == ["start", "t", "q", "stop"]


async def test_an_actor_can_be_started_as_pykka_does_it_on_any_thread(probe):
    async with ActorSystem.open():
        ref = probe.start([])
        assert pykka.ActorRegistry.get_by_urn(ref.actor_urn) is ref
        other = await trio.to_thread.run_sync(probe.start, [])
        assert await other.ask("x", block=False) == "x"
        assert await ref.ask("x", block=False) == "x"
        assert ref.actor_urn != other.actor_urn


def test_an_actor_needs_a_system(probe):
    with pytest.raises(RuntimeError, match="ActorSystem"):
        probe([])


async def test_messages_can_be_taken_in_the_middle_of_another(runtime):
    class Fan(runtime.actor):
        def on_receive(self, message):
            if message != "go":
                return None
            for word, priority in (("low", Priority.LOW), ("first", Priority.CRITICAL), ("second", Priority.CRITICAL)):
                self.actor_ref.tell(Say(word, priority))
            return [one.word for one in self.take_waiting(Priority.CRITICAL, Say)]

    async with ActorSystem.open() as system:
        ref = system.start(Fan, "fan")
        assert await ref.ask("go", block=False) == ["first", "second"]
        assert ref.actor_inbox.waiting(Priority.CRITICAL) == 0


async def test_what_was_taken_with_the_message_that_failed_is_not_lost_silently(runtime):
    class Join(runtime.actor):
        def on_receive(self, message):
            if message == "boom":
                self.take_waiting(Priority.LOW, Say)
                raise ValueError(message)

        def on_start(self):
            self.actor_ref.tell(Say("joined", Priority.LOW))

    async with ActorSystem.open() as system:
        ref = system.start(Join, "join")
        ref.tell("boom")
        while ref.is_alive():
            await trio.lowlevel.checkpoint()
        assert [one.message for one in system.letters.quarantined] == ["boom", Say("joined", Priority.LOW)]


async def test_an_answer_can_be_given_later(runtime):
    class Later(runtime.actor):
        def on_receive(self, message):
            if message == "wait":
                self.promised = self.defer_reply()
                return "not this"
            self.promised.set(message)
            return None

    async with ActorSystem.open() as system:
        ref = system.start(Later, "later")
        answer = ref.ask("wait", block=False)
        ref.tell("this")
        assert await answer == "this"


async def test_an_actor_that_was_told_has_no_reply_to_defer(runtime):
    promised = []

    class Told(runtime.actor):
        def on_receive(self, _message):
            promised.append(self.defer_reply())

    async with ActorSystem.open() as system:
        system.start(Told, "told").tell("x")
    assert promised == [None]


async def test_an_actor_that_has_ended_is_freed_without_the_collector():
    class Passing(TrioActor):
        pass

    async with ActorSystem.open() as system:
        gc.disable()
        try:
            ref = system.start(Passing, "passing")
            await ref.ask("x", block=False)
            actor = weakref.ref(ref.actor_inbox.owner)
            await system.stop(ref)
            await trio.lowlevel.checkpoint()
            assert actor() is None
        finally:
            gc.enable()


async def test_a_thread_can_wait_for_the_end_of_an_actor(probe):
    async with ActorSystem.open() as system:
        ref = system.start(probe, "probe", [])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, ref.actor_stopped.wait)
            await system.stop(ref)


def test_a_stop_flag_keeps_the_promises_of_an_event():
    flag = StopFlag()
    assert not flag.wait(0)
    flag.set()
    assert flag.wait(0)
    assert flag.is_set()
    flag.clear()
    assert not flag.is_set()
