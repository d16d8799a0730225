"""A channel begins with what the journal has of it."""

from __future__ import annotations

import pytest
import trio

from actors.channels.channel import SEED_TIMEOUT, Channel
from actors.channels.followers import Followers
from actors.channels.seeds import Seeds
from actors.messages import ReadNewest
from actors.runtime import ChildSpec, Policy
from config import ChannelSettings
from domain import Event, Position, Priority, Publication
from transport import Followed, text_frame

NAME = "equipment/acme/press3"
PROMPT = Policy(backoff=0.0, intensity=1000)


def kept(*ids: str, priority: Priority = Priority.HIGH, channel: str = NAME) -> list[Publication]:
    """Publications as the journal gives them."""
    return [
        Publication(
            channel,
            "j7",
            0,
            float(number),
            Event(id_, "/acme/press3", "equipment.state.changed", None, 0.0, priority),
            Position("j7", number) if priority is Priority.CRITICAL else None,
        )
        for number, id_ in enumerate(ids, 1)
    ]


async def test_a_new_channel_has_the_history_that_the_journal_kept(channel, outlet, dialect, make_event):
    one = outlet()
    asked: list[object] = []
    async with channel(recorder={"kept": kept("a", "b", "c"), "asked": asked}, history=20) as rig:
        assert (await rig.says())["offset"] == 3
        await rig.follow(one, dialect(), latest=2)
        await rig.published(make_event("d", Priority.HIGH))
        assert (await rig.says())["offset"] == 4
    assert asked == [ReadNewest(NAME, 20)]
    assert one.texts == ["b", "c", "d"]


async def test_critical_ones_from_the_journal_are_told_to_who_has_a_critical_position(channel, outlet, dialect):
    one = outlet()
    async with channel(recorder={"kept": kept("a", "b", "c", priority=Priority.CRITICAL)}) as rig:
        await rig.follow(one, dialect(), critical_after=Position("j7", 1))
    assert one.texts == ["b", "c"]


async def test_an_event_that_was_on_disk_before_the_channel_read_it_is_told_once_and_stands_once(
    channel, outlet, dialect, make_event
):
    early, late = outlet(), outlet()
    async with channel(PROMPT, recorder={}) as rig:
        encode = dialect()
        await rig.follow(early, encode)
        rig.fail()
        # They wait while the channel is away, which then finds them in the journal.
        rig.record(make_event("state", Priority.HIGH), make_event("fire", Priority.CRITICAL))
        await rig.tree.settle()
        assert (await rig.says())["offset"] == 2
        await rig.follow(late, encode, latest=10)
        rig.record(make_event("next", Priority.HIGH))
        await rig.tree.settle()
        assert (await rig.says())["offset"] == 3
    assert early.texts == ["fire", "state", "next"]
    assert late.texts == ["state", "fire", "next"]


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.CRITICAL])
async def test_who_comes_between_the_reading_and_the_publishing_gets_it_once(
    channel, outlet, dialect, make_event, priority
):
    one = outlet()
    async with channel(PROMPT, recorder={}) as rig:
        rig.record(make_event("old", priority))
        await rig.tree.settle()
        rig.fail()
        await rig.tree.settle()
        await rig.follow(one, dialect(), latest=1)
        # Its publication comes when the new life has read it.
        rig.publish(rig.journal[0].event)
        await rig.tree.settle()
        assert (await rig.says())["offset"] == 1
    assert one.texts == ["old"]


async def test_a_restarted_channel_tells_nobody_again_what_was_told(channel, outlet, dialect, make_event):
    one, other, answers = outlet(), outlet(), []

    def confirm(outcome: Followed):
        answers.append(outcome)
        return text_frame(b"ok")

    async with channel(PROMPT, recorder={}) as rig:
        await rig.follow(one, dialect())
        rig.record(*[make_event(id_, Priority.HIGH) for id_ in "abc"])
        await rig.tree.settle()
        rig.fail()
        await rig.tree.settle()
        assert one.texts == ["a", "b", "c"]
        rig.record(make_event("d", Priority.HIGH))
        await rig.tree.settle()
        await rig.follow(other, dialect(), latest=2, confirm=confirm)
    assert one.texts == ["a", "b", "c", "d"]
    assert other.texts == ["ok", "c", "d"]
    assert answers[0].offset == 4


@pytest.mark.parametrize(
    "recorder",
    [None, {"error": RuntimeError("planted")}, {"delay": 60.0}, {"kept": kept("x", channel="equipment/other")}],
    ids=["nobody", "fails", "late", "nothing"],
)
async def test_without_an_answer_a_channel_begins_with_nothing(
    channel, outlet, dialect, make_event, recorder, autojump_clock
):
    one = outlet()
    async with channel(recorder=recorder) as rig:
        rig.publish(make_event("a"))
        began = trio.current_time()
        await rig.follow(one, dialect(), latest=5)
        await rig.tree.status(rig.path)
        assert trio.current_time() - began <= SEED_TIMEOUT
        assert (await rig.says())["offset"] == 1
        assert (await rig.tree.status(rig.path)).restarts == 0
    assert one.texts == ["a"]


@pytest.mark.parametrize("name", ["readings/acme/press3", "host/metrics", "portal/tps"])
async def test_a_channel_of_routine_does_not_ask(grow, journal, name):
    asked: list[object] = []
    recorder = ChildSpec("recorder", journal, ([],), {"asked": asked})
    async with grow([recorder, ChildSpec("channel", Channel, (name, Followers(), ChannelSettings()))]) as tree:
        await tree.settle()
    assert asked == []


def test_what_is_newer_than_the_reading_ends_the_waiting_for_what_is_older():
    event = kept("a")[0].event
    seeds = Seeds(kept("a", "b"), [])
    assert seeds
    assert seeds.take(event).event == event
    assert seeds.take(event) is None
    assert not seeds
