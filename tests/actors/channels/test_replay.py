"""What somebody who follows a channel is told of the time before, through the channel itself."""

from __future__ import annotations

import pytest

from actors.channels.replay import REPLAY_LIMIT, REPLAY_SIZE
from domain import Gap, Position, Priority
from telemetry import counters
from transport import Encoder, Followed, text_frame

NAME = "equipment/acme/press3"


class Answers:
    """Keeps the outcomes it is told, and answers each with a frame."""

    def __init__(self) -> None:
        self.outcomes: list[Followed] = []

    def __call__(self, outcome: Followed) -> object:
        self.outcomes.append(outcome)
        return text_frame(b"ok", Priority.CRITICAL)


@pytest.fixture
def confirm() -> Answers:
    return Answers()


@pytest.fixture
def story(make_event):
    """Events of three kinds: ``r`` a reading of the load, ``s`` a state, ``c`` a call; their ids are counted."""

    def tell(pattern: str):
        kinds = {
            "r": ("equipment.reading", Priority.NORMAL),
            "t": ("equipment.reading", Priority.NORMAL),
            "s": ("equipment.state.changed", Priority.HIGH),
            "c": ("andon.call.raised", Priority.CRITICAL),
        }
        subjects = {"r": "load", "t": "heat"}
        return [
            make_event(f"{letter}{number}", kinds[letter][1], kinds[letter][0], subject=subjects.get(letter))
            for number, letter in enumerate(pattern, 1)
        ]

    return tell


def position(rig_says, offset: int) -> Position:
    return Position(rig_says["epoch"], offset)


async def test_a_follow_is_confirmed_with_where_the_channel_is_before_all_else(
    channel, outlet, dialect, story, confirm
):
    one = outlet()
    async with channel() as rig:
        await rig.published(*story("ss"))
        await rig.follow(one, dialect(), latest=1, confirm=confirm)
        await rig.published(*story("sss")[2:])
        epoch = (await rig.says())["epoch"]
    assert confirm.outcomes == [Followed(NAME, epoch, 2, recovered=True)]
    assert one.texts == ["ok", "s2", "s3"]
    assert len(one.answers) == 1


async def test_who_returns_is_told_critical_ones_then_the_newest_values_then_the_rest_at_low(
    channel, outlet, dialect, story, confirm
):
    one = outlet()
    async with channel() as rig:
        await rig.published(*story("ssrtsrcrst"))
        since = position(await rig.says(), 1)
        await rig.follow(one, dialect(sampled=True), since=since, confirm=confirm)
    assert one.texts == ["ok", "c7", "r8*3", "t10*2", "s2", "s5", "s9"]
    assert [frame.priority.wire for frame in one.frames[1:]] == ["critical", "normal", "normal", "low", "low", "low"]
    assert confirm.outcomes == [Followed(NAME, since.epoch, 10, recovered=True)]


async def test_a_dialect_that_cannot_say_for_how_many_one_stands_is_told_each(channel, outlet, dialect, story):
    one = outlet()
    async with channel() as rig:
        await rig.published(*story("rrsr"))
        await rig.follow(one, dialect(), since=position(await rig.says(), 0))
    assert one.texts == ["r1", "r2", "r4", "s3"]


async def test_what_is_no_longer_kept_is_a_gap_and_the_critical_ones_in_it_are_told(
    channel, outlet, dialect, story, confirm
):
    one = outlet()
    async with channel(history=2) as rig:
        await rig.published(*story("sscsscsss"))
        since = position(await rig.says(), 1)
        await rig.follow(one, dialect(), since=since, confirm=confirm)
    assert one.texts == ["ok", "c3", "c6", "s8", "s9"]
    assert confirm.outcomes == [Followed(NAME, since.epoch, 9, False, Gap(NAME, 2, 7, 4, "history"))]


async def test_a_position_of_another_epoch_is_not_recovered_and_says_so(channel, outlet, dialect, story, confirm):
    one = outlet()
    async with channel(history=2) as rig:
        await rig.published(*story("csss"))
        await rig.follow(one, dialect(), since=Position("e6", 3), confirm=confirm)
        epoch = (await rig.says())["epoch"]
    assert one.texts == ["ok", "c1", "s3", "s4"]
    assert confirm.outcomes == [Followed(NAME, epoch, 4, False, Gap(NAME, 1, 2, None, "epoch"))]


async def test_what_is_behind_a_critical_position_is_told_in_any_case_and_once(channel, outlet, dialect, story):
    now, latest, since = outlet(), outlet(), outlet()
    async with channel(history=2, recorder={}) as rig:
        rig.record(*story("ccscs"))
        await rig.tree.settle()
        says = await rig.says()
        after = Position("j7", 1)
        await rig.follow(now, dialect(), critical_after=after)
        await rig.follow(latest, dialect(), latest=2, critical_after=after)
        await rig.follow(since, dialect(), since=position(says, 4), critical_after=after)
    # What is CRITICAL overtook what was published before it, so the numbers are those of the publications.
    assert now.texts == ["c2", "c4"]
    assert latest.texts == ["c2", "c4", "s3", "s5"]
    assert since.texts == ["c2", "c4", "s5"]


async def test_a_channel_remembers_a_thousand_critical_ones_however_short_its_history_is(
    channel, outlet, dialect, make_event
):
    one = outlet()
    async with channel(history=1, recorder={}) as rig:
        rig.record(*[make_event(f"{number}", Priority.CRITICAL) for number in range(1500)])
        await rig.tree.settle()
        await rig.follow(one, dialect(), critical_after=Position("j7", 1400))
        assert one.texts == [f"{number}" for number in range(1400, 1500)]
        await rig.follow(one, dialect(), critical_after=Position("j7", 0))
        assert len(one.frames) == 1100


async def test_who_follows_already_is_one_follower_that_is_answered_and_told_what_it_asks_for(
    channel, outlet, dialect, story, confirm
):
    one, encode = outlet(), dialect()
    async with channel() as rig:
        await rig.follow(one, encode)
        await rig.published(*story("sss"))
        await rig.follow(one, encode, since=position(await rig.says(), 1), confirm=confirm)
        assert (await rig.says())["followers"] == 1
        await rig.published(*story("ssss")[3:])
    assert one.texts == ["s1", "s2", "s3", "ok", "s2", "s3", "s4"]
    assert confirm.outcomes[0].recovered


async def test_one_follow_puts_no_more_into_an_outbox_than_fits_and_says_what_is_left_out(
    channel, outlet, make_event, confirm
):
    one = outlet()
    size = 1000
    encode = Encoder(lambda publication: publication.event.id.encode().ljust(size))
    async with channel(history=500, batch_size=1 << 20) as rig:
        rig.publish(*[make_event(f"{number}") for number in range(499)], make_event("fire", Priority.CRITICAL))
        await rig.tree.settle()
        await rig.follow(one, encode, since=position(await rig.says(), 0), confirm=confirm)
    told = [frame for frame in one.frames[1:] if frame.priority is not Priority.CRITICAL]
    assert REPLAY_SIZE - 2 * size < sum(len(frame.data) for frame in told) <= REPLAY_SIZE
    assert [frame.publication.event.id for frame in one.frames[1:2]] == ["fire"]
    gap = confirm.outcomes[0].gap
    assert (gap.reason, gap.count) == ("overflow", 499 - len(told))
    assert gap.last < min(frame.publication.offset for frame in told)


async def test_what_does_not_fit_and_what_is_not_kept_are_one_gap(channel, outlet, make_event, confirm):
    one, encode = outlet(), Encoder(lambda _publication: b"x" * 10_000)
    async with channel(history=50, batch_size=1 << 20) as rig:
        rig.publish(*[make_event() for _ in range(100)])
        await rig.tree.settle()
        await rig.follow(one, encode, since=position(await rig.says(), 20), confirm=confirm)
    told = len(one.frames) - 1
    assert confirm.outcomes[0].gap == Gap(NAME, 21, 100 - told, 80 - told, "history")


async def test_the_newest_that_were_asked_for_are_bounded_too(channel, outlet, dialect, make_event):
    one = outlet()
    async with channel(history=REPLAY_LIMIT * 2) as rig:
        rig.publish(*[make_event(f"{number}") for number in range(REPLAY_LIMIT * 2)])
        await rig.tree.settle()
        await rig.follow(one, dialect(), latest=REPLAY_LIMIT * 2)
    assert one.texts == [f"{number}" for number in range(REPLAY_LIMIT, REPLAY_LIMIT * 2)]


async def test_a_replay_goes_out_in_few_writes(channel, outlet, dialect, make_event):
    one = outlet()
    async with channel(history=1000, batch_size=1024) as rig:
        rig.publish(*[make_event(f"{number:08}") for number in range(1000)])
        await rig.tree.settle()
        await rig.follow(one, dialect(), latest=1000)
    assert len(one.frames) == 1000
    assert max(sum(len(frame.data) for frame in frames) for frames in one.writes) <= 1024
    assert len(one.writes) <= 11


async def test_a_thousand_that_return_at_once_are_encoded_for_once(channel, outlet, dialect, story):
    encode, outlets = dialect(sampled=True), [outlet() for _ in range(1000)]
    async with channel() as rig:
        await rig.published(*story("sssc"))
        since = position(await rig.says(), 0)
        for each in outlets:
            await rig.follow(each, encode, since=since)
    assert encode.calls == 4
    assert {tuple(each.texts) for each in outlets} == {("c4", "s1", "s2", "s3")}


async def test_what_is_told_of_the_past_is_no_delivery(channel, outlet, dialect, story):
    async with channel() as rig:
        await rig.published(*story("scsr"))
        before = list(counters.deliveries)
        await rig.follow(outlet(), dialect(), since=position(await rig.says(), 0))
    assert list(counters.deliveries) == before
