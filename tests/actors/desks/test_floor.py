from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.desks import FloorDesk
from actors.messages import EventTaken, Publish
from actors.runtime import ChildSpec, Supervisor
from domain import Priority

PATH = "gateway/desks/floor"


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(published: list[Publish]):
        desks = ChildSpec("desks", Supervisor, ([ChildSpec("floor", FloorDesk)],))
        async with grow([ChildSpec("channels", keeper, (published,)), desks]) as tree:
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


async def test_what_is_published_has_the_events_priority_and_key(run, make_event):
    published: list[Publish] = []
    async with run(published) as tree:
        for event in (make_event(priority=Priority.CRITICAL), make_event(type="equipment.reading", subject="load")):
            tree.ref(PATH).tell(EventTaken(event))
        await tree.settle()
    assert [message.priority for message in published] == [Priority.CRITICAL, Priority.NORMAL]
    assert [message.key for message in published] == [None, ("equipment.reading", "/acme/press3", "load")]


async def test_critical_events_overtake_at_the_desk(run, make_event):
    published: list[Publish] = []
    async with run(published) as tree:
        for number in range(100):
            tree.ref(PATH).tell(EventTaken(make_event(f"{number}")))
        tree.ref(PATH).tell(EventTaken(make_event("fire", Priority.CRITICAL)))
        await tree.settle()
    assert published[0].event.id == "fire"
    assert len(published) == 101


async def test_what_is_no_event_is_nothing_to_the_desk(run):
    published: list[Publish] = []
    async with run(published) as tree:
        tree.ref(PATH).tell("hello")
        await trio.sleep(0.01)
        assert (await tree.status(PATH)).restarts == 0
    assert published == []
