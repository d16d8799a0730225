from __future__ import annotations

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from actors.runtime import ActorDead, MailboxFull
from actors.runtime.mailbox import Mailbox, Post, ThreadMailbox
from domain import Priority


class Urgent:
    priority = Priority.CRITICAL


class Letter:
    def __init__(self, message):
        self.message, self.reply_to = message, None


class ListeningPost(Post):
    def __init__(self, patience=0.0):
        super().__init__(patience)
        self.lost = []
        self.undeliverable = lambda path, envelope: self.lost.append((path, envelope.message))


@pytest.fixture(params=[Mailbox, ThreadMailbox])
def kind(request):
    return request.param


async def in_thread(function):
    return await trio.to_thread.run_sync(function)


async def test_what_is_put_can_be_got(kind):
    mailbox = kind(10, ListeningPost(), "a")
    assert mailbox.empty()
    mailbox.put(Letter("m"))
    assert not mailbox.empty()
    assert mailbox.get().message == "m"


async def test_on_the_trio_thread_a_full_urgent_lane_raises_at_once(kind):
    mailbox = kind(1, ListeningPost(patience=60), "a")
    mailbox.put(Letter(Urgent()))
    with pytest.raises(MailboxFull):
        mailbox.put(Letter(Urgent()))


async def test_a_foreign_thread_is_refused_when_its_patience_is_over(kind):
    mailbox = kind(1, ListeningPost(patience=0), "a")
    mailbox.put(Letter(Urgent()))
    with pytest.raises(MailboxFull):
        await in_thread(lambda: mailbox.put(Letter(Urgent())))
    assert mailbox.statistics().refused[Priority.CRITICAL] == 1


@pytest.mark.parametrize("emptied", ["get", "take_waiting"])
async def test_a_foreign_thread_waits_for_room(kind, emptied):
    mailbox = kind(1, ListeningPost(patience=60), "a")
    first, second = Urgent(), Urgent()
    mailbox.put(Letter(first))
    about_to_put = threading.Event()

    def put():
        about_to_put.set()
        mailbox.put(Letter(second))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(in_thread, put)
        await in_thread(about_to_put.wait)
        taken = mailbox.get() if emptied == "get" else mailbox.take_waiting(Priority.CRITICAL, Urgent)[0]
        assert taken.message is first
    await wait_all_tasks_blocked()
    assert mailbox.get().message is second


async def test_messages_from_one_foreign_thread_keep_their_order(kind):
    mailbox = kind(1000, ListeningPost(patience=60), "a")

    def put():
        for number in range(500):
            mailbox.put(Letter(number))

    await in_thread(put)
    await wait_all_tasks_blocked()
    assert [mailbox.get().message for _ in range(500)] == list(range(500))


async def test_routine_from_a_foreign_thread_never_waits(kind):
    mailbox = kind(1, ListeningPost(patience=60), "a")
    mailbox.put(Letter(1))
    await in_thread(lambda: mailbox.put(Letter(2)))
    await wait_all_tasks_blocked()
    assert mailbox.get().message == 2


async def test_what_arrives_after_sealing_is_undeliverable(kind):
    made = ListeningPost()
    mailbox = kind(10, made, "a/b")
    mailbox.put(Letter("left"))
    assert [letter.message for letter in mailbox.seal()] == ["left"]
    mailbox.put(Letter("late"))
    await in_thread(lambda: mailbox.put(Letter("later")))
    await wait_all_tasks_blocked()
    assert made.lost == [("a/b", "late"), ("a/b", "later")]


async def test_a_thread_that_waits_for_room_is_let_go_by_sealing(kind):
    made = ListeningPost(patience=60)
    mailbox = kind(1, made, "a")
    mailbox.put(Letter(Urgent()))
    about_to_put = threading.Event()

    def put():
        about_to_put.set()
        mailbox.put(Letter(Urgent()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(in_thread, put)
        await in_thread(about_to_put.wait)
        mailbox.seal()
    await wait_all_tasks_blocked()
    assert len(made.lost) == 1


async def test_a_late_message_that_finds_no_room_is_undeliverable():
    made = ListeningPost()
    mailbox = Mailbox(1, made, "a")
    mailbox.close()
    mailbox.put(Letter("late"))
    await in_thread(lambda: mailbox.put(Letter("later")))
    await wait_all_tasks_blocked()
    assert made.lost == [("a", "later")]


def test_putting_for_a_loop_that_is_gone_says_that_the_actor_is_dead():
    async def make():
        return Mailbox(10, ListeningPost(), "a")

    mailbox = trio.run(make)
    worker_error = []

    def put():
        try:
            mailbox.put(Letter("m"))
        except ActorDead as error:
            worker_error.append(error)

    thread = threading.Thread(target=put)
    thread.start()
    thread.join()
    assert len(worker_error) == 1


async def test_a_thread_is_woken_without_a_message():
    mailbox = ThreadMailbox(10, ListeningPost(), "a")
    mailbox.wake()
    with pytest.raises(IndexError):
        mailbox.get()


async def test_the_one_who_empties_a_mailbox_does_not_wait_for_itself():
    mailbox = ThreadMailbox(1, ListeningPost(patience=60), "a")

    def consume():
        mailbox.consumer = threading.get_ident()
        mailbox.put(Letter(Urgent()))
        with pytest.raises(MailboxFull):
            mailbox.put(Letter(Urgent()))

    await in_thread(consume)


async def test_the_lanes_of_an_idle_mailbox_take_no_memory():
    mailbox = Mailbox(10, ListeningPost(), "a")
    mailbox.put(Letter(1))
    mailbox.get()

    async def wait():
        mailbox.park()
        await trio.lowlevel.wait_task_rescheduled(mailbox.unpark)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait_all_tasks_blocked()
        assert mailbox._lanes == [None] * 4
        mailbox.wake()
