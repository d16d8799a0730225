from __future__ import annotations

import pykka
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import ActorSystem, ChildExists, MailboxFull, Supervisor, TrioActor
from domain import Priority


class Named(TrioActor):
    def __init__(self, name, log):
        super().__init__()
        self.name, self.log = name, log

    async def setup(self):
        await trio.sleep(1)

    async def close(self):
        self.log.append(self.name)

    async def on_receive(self, message):
        await trio.sleep(message)


async def test_actors_at_the_top_end_in_the_reverse_order_of_their_start(autojump_clock):
    log = []
    async with ActorSystem.open() as system:
        for name in "abc":
            await system.settled(system.start(Named, name, name, log))
        assert trio.current_time() == 3
    assert log == ["c", "b", "a"]


async def test_a_name_at_the_top_is_given_once(autojump_clock):
    async with ActorSystem.open() as system:
        system.start(Named, "a", "a", [])
        with pytest.raises(ChildExists):
            system.start(Named, "a", "a", [])


async def test_only_actors_at_the_top_are_in_the_registry_of_pykka():
    async with ActorSystem.open() as system:
        root = system.start(Supervisor, "root")
        assert pykka.ActorRegistry.get_all() == [root]


async def test_an_error_in_the_block_is_raised_as_it_is_once_the_actors_are_out(autojump_clock):
    log = []
    with pytest.raises(KeyError, match="mine"):  # noqa: PT012
        async with ActorSystem.open() as system:
            await system.settled(system.start(Named, "a", "a", log))
            raise KeyError("mine")
    assert log == ["a"]


async def test_a_plain_actor_at_the_top_gets_some_seconds_to_finish(autojump_clock):
    async with ActorSystem.open() as system:
        system.start(Named, "a", "a", []).tell(1000)
        await trio.sleep(2)
    assert trio.current_time() == 7
    assert [letter.reason for letter in system.letters.letters] == ["interrupted"]


async def test_the_failure_of_a_plain_actor_at_the_top_is_its_own_matter(autojump_clock, observer):
    async with ActorSystem.open(observer=observer) as system:
        ref = system.start(Named, "a", "a", [])
        ref.tell("no number")
        await observer.until("actor_buried")
        await system.stop(ref)
        await system.settled(ref)


async def test_a_failure_in_a_message_of_a_supervisor_at_the_top_ends_the_system():
    class Root(Supervisor):
        def on_receive(self, message):
            if message == "boom":
                raise ValueError(message)
            return super().on_receive(message)

    with pytest.raises(ValueError, match="boom"):  # noqa: PT012
        async with ActorSystem.open() as system:
            system.start(Root, "root").tell("boom")
            await trio.sleep_forever()
    assert [one.message for one in system.letters.quarantined] == ["boom"]


async def test_only_actors_of_this_runtime_can_be_launched():
    class Foreign(pykka.ThreadingActor):
        pass

    async with ActorSystem.open() as system:
        with pytest.raises(TypeError, match="no actor of this runtime"):
            system.environment.launch(Foreign())


async def test_an_actor_made_inside_a_constructor_is_nobodys_twin():
    class Outer(TrioActor):
        def __init__(self):
            self.inner = Inner.start()
            super().__init__()

    class Inner(TrioActor):
        def on_receive(self, _message):
            return self.life.path

    async with ActorSystem.open() as system:
        outer = system.start(Outer, "outer")
        inner = outer.actor_inbox.owner.inner
        # The first to ask is the one the name is for: a constructor calls super() first.
        assert outer.actor_urn != inner.actor_urn
        assert {outer.actor_inbox.path, inner.actor_inbox.path} == {"outer", "Outer-1"}


async def test_an_urgent_message_from_a_thread_that_finds_no_room_is_refused_after_the_patience_of_the_system():
    class Small(TrioActor):
        mailbox_limit = 1

        async def on_receive(self, _message):
            await trio.sleep_forever()

    class Urgent:
        priority = Priority.CRITICAL

    with trio.CancelScope() as scope:
        async with ActorSystem.open(patience=0.0) as system:
            ref = system.start(Small, "small")
            ref.tell(Urgent())
            await wait_all_tasks_blocked()
            ref.tell(Urgent())
            with pytest.raises(MailboxFull):
                await trio.to_thread.run_sync(ref.tell, Urgent())
            scope.cancel()


async def test_dead_letters_are_bounded_and_their_count_is_not(observer):
    async with ActorSystem.open(observer=observer, keep=3) as system:

        class Ends(TrioActor):
            def on_receive(self, message):
                raise ValueError(message)

        ref = system.start(Ends, "ends")
        ref.tell("boom")
        for number in range(5):
            ref.tell(number)
        await observer.until("actor_buried")
        assert [letter.message for letter in system.letters.letters] == [2, 3, 4]
        assert system.letters.count == 5
        assert observer.of("actor_buried") == [("ends", 5)]


async def test_what_a_thread_sends_to_an_actor_that_has_just_ended_is_a_dead_letter():
    async with ActorSystem.open() as system:
        ref = system.start(Supervisor, "ends")
        inbox = ref.actor_inbox
        await system.stop(ref)
        await trio.to_thread.run_sync(inbox.put, _Letter("late"))
        await wait_all_tasks_blocked()
        assert [letter.message for letter in system.letters.letters] == ["late"]


class _Letter:
    def __init__(self, message):
        self.message, self.reply_to = message, None
