from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import FloorDesk
from actors.messages import EventTaken, Publish, Record
from actors.runtime import ChildSpec, Supervisor
from domain import Priority

PATH = "gateway/desks/floor"


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(published: list[Publish], recorded: list | None = None):
        desks = ChildSpec("desks", Supervisor, ([ChildSpec("floor", FloorDesk)],))
        recorder = ChildSpec("recorder", keeper, ([] if recorded is None else recorded,))
        async with grow([recorder, ChildSpec("channels", keeper, (published,)), desks]) as tree:
            yield tree

    return running


async def test_what_was_taken_in_is_published_once(run, make_event):
    published: list[Publish] = []
    one, other = make_event("1"), make_event("1", source="/acme/press4")
    async with run(published) as tree:
        for event in (one, other, one, make_event("2"), one):
            tree.ref(PATH).tell(EventTaken(event))
            await tree.settle()
        says = (await tree.status(PATH)).description
    assert [(message.event.id, message.event.source) for message in published] == [
        ("1", "/acme/press3"),
        ("1", "/acme/press4"),
        ("2", "/acme/press3"),
    ]
    assert says == {"remembered": 3, "duplicates": 2}


async def test_what_is_told_has_the_events_priority_and_key(run, make_event):
    published: list[Publish] = []
    recorded: list[Record] = []
    async with run(published, recorded) as tree:
        for event in (make_event(priority=Priority.CRITICAL), make_event(type="equipment.reading", subject="load")):
            tree.ref(PATH).tell(EventTaken(event))
        await tree.settle()
    ((record,), (publish,)) = [each for each in recorded if type(each) is Record], published
    assert (record.priority, record.key) == (Priority.CRITICAL, None)
    assert (publish.priority, publish.key) == (Priority.NORMAL, ("equipment.reading", "/acme/press3", "load"))


async def test_critical_events_overtake_at_the_desk(run, make_event, monkeypatch):
    order: list[str] = []
    monkeypatch.setattr("actors.desks.floor.Dispatch.send", lambda _self, event, _settled: order.append(event.id))
    async with run([]) as tree:
        for number in range(100):
            tree.ref(PATH).tell(EventTaken(make_event(f"{number}")))
        tree.ref(PATH).tell(EventTaken(make_event("fire", Priority.CRITICAL)))
        await tree.settle()
    assert order == ["fire", *[str(number) for number in range(100)]]


async def test_what_is_urgent_comes_again_only_if_it_was_not_kept(run, make_event):
    recorded: list[Record] = []
    event = make_event(priority=Priority.HIGH)
    async with run([], recorded) as tree:

        async def take() -> int:
            tree.ref(PATH).tell(EventTaken(event))
            await tree.settle()
            return len(recorded)

        assert await take() == 1
        recorded[0].settled(False)
        assert await take() == 2
        recorded[1].settled(True)
        assert await take() == 2


async def test_who_waits_for_an_answer_on_what_was_told_before_gets_the_recorders(run, make_event):
    recorded: list[Record] = []
    published: list[Publish] = []
    answers: list[bool] = []
    urgent, routine = make_event(priority=Priority.HIGH), make_event()
    async with run(published, recorded) as tree:
        for event in (urgent, urgent, routine, routine):
            tree.ref(PATH).tell(EventTaken(event, answers.append))
        await tree.settle()
        first, again = [message for message in recorded if type(message) is Record]
        assert (first.event, again.event) == (urgent, urgent)
        # Routine is not waited for.
        assert (answers, [message.event for message in published]) == ([True, True], [routine])
        first.settled(True)
        again.settled(False)
        assert answers == [True, True, True, False]


async def test_what_is_no_event_is_nothing_to_the_desk(run):
    published: list[Publish] = []
    async with run(published) as tree:
        tree.ref(PATH).tell("hello")
        await trio.sleep(0.01)
        assert (await tree.status(PATH)).restarts == 0
    assert published == []
