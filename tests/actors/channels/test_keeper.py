"""The keeper of the channels: who is made, who follows, who is let go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.channels.keeper import KNOWN_LIMIT, RETIRE_INTERVAL, Channels, RetireIdle
from actors.messages import Follow, Publish, ReadChannels, Unfollow
from actors.runtime import ChildSpec, ListChildren, ask
from config import ChannelSettings
from domain import Gap, Position, Priority, Publication
from domain.access import OPEN_RIGHTS
from telemetry import counters, gauges
from transport import Encoder, Followed, text_frame

PATH = "gateway/channels"


class Rig:
    """The keeper in its tree."""

    def __init__(self, tree, make_event) -> None:
        self.tree = tree
        self.ref = tree.ref(PATH)
        self._make_event = make_event

    def publish_state(self, place: str) -> None:
        """The equipment at ``place`` changed its state; it goes to the channel ``equipment/PLACE``."""
        self.ref.tell(Publish(self._make_event(source=f"/{place}")))

    def publish(self, place: str, id: str = "", priority: Priority = Priority.NORMAL) -> None:  # noqa: A002
        """Something happened at ``place``; it goes to the channel ``events/PLACE``."""
        self.ref.tell(Publish(self._make_event(id, priority, "station.seen", source=f"/{place}")))

    def follow(self, channel, outlet, encode, latest=0) -> None:
        self.ref.tell(Follow(channel, outlet, encode, latest, rights=OPEN_RIGHTS))

    def unfollow(self, channel, outlet) -> None:
        self.ref.tell(Unfollow(channel, outlet))

    async def settle(self) -> None:
        await self.tree.settle()

    async def says(self):
        return (await self.tree.status(PATH)).description

    async def channels(self) -> dict[str, int]:
        """Each channel, and how many follow it."""
        status = await self.tree.status(PATH)
        return {child.id: child.description["followers"] for child in status.children}


@pytest.fixture
def run(grow, make_event):
    @asynccontextmanager
    async def running(**options) -> AsyncIterator[Rig]:
        async with grow([ChildSpec("channels", Channels, (ChannelSettings(**options),))]) as tree:
            yield Rig(tree, make_event)

    return running


# -- made when they are needed ----------------------------------------------------------------------------


async def test_a_channel_is_made_by_its_first_publication_or_its_first_follower(run, outlet, dialect):
    async with run() as rig:
        rig.publish("a")
        rig.follow("events/b", outlet(), dialect())
        rig.follow("alarms/*", outlet(), dialect())
        await rig.settle()
        assert await rig.channels() == {"events/a": 0, "events/b": 1}
        assert (await rig.says()) == {"channels": 2, "followers": 2, "trees": ["alarms/*"]}


async def test_a_follower_gets_what_is_published_on_its_channel_and_no_other(run, outlet, dialect):
    one = outlet()
    async with run() as rig:
        rig.follow("events/a", one, dialect())
        await rig.settle()
        for place in ("a", "ab", "a/b", "b"):
            rig.publish(place, place)
        await rig.settle()
    assert one.texts == ["a"]


# -- trees ------------------------------------------------------------------------------------------------


async def test_a_tree_reaches_the_channels_that_are_there_and_those_made_later(run, outlet, dialect):
    one, encode = outlet(), dialect()
    async with run() as rig:
        rig.publish("acme/a", "old")
        rig.publish("other/a", "elsewhere")
        await rig.settle()
        rig.follow("events/acme/*", one, encode, latest=1)
        await rig.settle()
        rig.publish("acme/a", "a")
        await rig.settle()
        rig.publish("acme/b/c", "later")
        rig.publish("acmex", "beside")
        await rig.settle()
        assert await rig.channels() == {
            "events/acme/a": 1,
            "events/other/a": 0,
            "events/acme/b/c": 1,
            "events/acmex": 0,
        }
    assert one.texts == ["old", "a", "later"]


async def test_a_critical_event_that_overtakes_the_follow_of_a_tree_is_told(run, outlet, dialect, make_event):
    one = outlet()
    fire = make_event("fire", Priority.CRITICAL, "station.seen", source="/acme/a")
    async with run() as rig:
        rig.publish("acme/a", "old")
        await rig.settle()
        keeper = rig.ref.actor_inbox.owner
        # Both wait in the channel's mailbox, where the urgent one goes first.
        keeper.on_receive(Follow("events/acme/*", one, dialect(), rights=OPEN_RIGHTS))
        keeper.on_receive(Publish(fire))
        await rig.settle()
    assert one.texts == ["fire"]


def before(make_event, *names: str) -> list[Publication]:
    """What an earlier life has left in the journal: one critical event on each of the channels ``names``."""
    return [
        Publication(name, "j7", 0, 0.0, make_event(f"of {name}", Priority.CRITICAL), Position("j7", number))
        for number, name in enumerate(names, 1)
    ]


async def test_a_tree_is_told_of_channels_that_only_the_journal_knows(
    grow, journal, outlet, dialect, make_event, autojump_clock
):
    one, two, encode = outlet(), outlet(), dialect()
    kept = before(make_event, "andon/acme/a", "andon/acme/b", "andon/other/c", "alarms/acme/a")
    specs = [ChildSpec("recorder", journal, (kept,)), ChildSpec("channels", Channels, (ChannelSettings(),))]
    async with grow(specs) as tree:
        rig = Rig(tree, make_event)
        rig.follow("andon/acme/*", one, encode, latest=1)
        await trio.sleep(1)
        assert sorted(one.texts) == ["of andon/acme/a", "of andon/acme/b"]
        assert await rig.channels() == {"andon/acme/a": 1, "andon/acme/b": 1}
        rig.follow("andon/acme/*", two, encode, latest=1)
        await trio.sleep(1)
        assert sorted(two.texts) == sorted(one.texts)


async def test_a_journal_that_cannot_be_read_is_asked_again_by_the_next_who_follows(
    grow, journal, outlet, dialect, make_event, autojump_clock
):
    asked: list[object] = []
    recorder = ChildSpec("recorder", journal, ([],), {"asked": asked, "error": RuntimeError("planted")})
    async with grow([recorder, ChildSpec("channels", Channels, (ChannelSettings(),))]) as tree:
        rig = Rig(tree, make_event)
        for _ in range(2):
            rig.follow("andon/*", outlet(), dialect())
            await trio.sleep(1)
    assert asked == [ReadChannels("andon/*", KNOWN_LIMIT)] * 2


async def test_the_first_publication_of_a_new_channel_reaches_the_tree_even_if_it_is_critical(run, outlet, dialect):
    one = outlet()
    async with run() as rig:
        rig.follow("events/*", one, dialect())
        await rig.settle()
        rig.publish("a", "fire", Priority.CRITICAL)
        rig.publish("a", "flood", Priority.CRITICAL)
        await rig.settle()
    assert one.texts == ["fire", "flood"]


async def test_a_channel_followed_by_name_and_by_trees_tells_everything_once(run, outlet, dialect):
    one, encode = outlet(), dialect()
    async with run() as rig:
        rig.publish("acme/a", "old")
        await rig.settle()
        for name in ("events/*", "events/acme/a", "events/acme/*"):
            rig.follow(name, one, encode, latest=1)
        await rig.settle()
        rig.publish("acme/a", "a")
        await rig.settle()
    assert one.texts == ["old", "a"]


@pytest.mark.parametrize("first", ["events/*", "events/acme/a", "events/acme/*"])
async def test_who_lets_go_of_one_of_several_names_keeps_what_the_others_reach(run, outlet, dialect, first):
    one, encode = outlet(), dialect()
    names = ["events/*", "events/acme/a", "events/acme/*"]
    async with run() as rig:
        rig.publish("acme/a")
        for name in names:
            rig.follow(name, one, encode)
        await rig.settle()
        rig.unfollow(first, one)
        await rig.settle()
        rig.publish("acme/a", "kept")
        await rig.settle()
        for name in names:
            rig.unfollow(name, one)
        await rig.settle()
        rig.publish("acme/a", "gone")
        rig.publish("acme/b", "never")
        await rig.settle()
        assert await rig.channels() == {"events/acme/a": 0, "events/acme/b": 0}
        assert (await rig.says())["followers"] == 0
    assert one.texts[-1] == "kept"


async def test_a_tree_that_is_let_go_reaches_no_more_but_leaves_the_name_within(run, outlet, dialect):
    one, encode = outlet(), dialect()
    async with run() as rig:
        rig.follow("events/*", one, encode)
        rig.follow("events/a", one, encode)
        rig.publish("b")
        await rig.settle()
        rig.unfollow("events/*", one)
        await rig.settle()
        for place in ("a", "b", "c"):
            rig.publish(place, place)
        await rig.settle()
        assert await rig.channels() == {"events/a": 1, "events/b": 0, "events/c": 0}
    assert one.texts[-1] == "a"


NAMES = ["events/a", "events/b", "events/x/a", "events/x/b", "events/*", "events/x/*"]
STEPS = st.lists(st.tuples(st.sampled_from(["follow", "unfollow", "publish", "leave"]), st.sampled_from(NAMES)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_a_follower_is_told_what_its_names_reach_at_that_moment(run, outlet, dialect, steps):
    one, encode = outlet(), dialect()
    names: set[str] = set()
    expected: list[str] = []

    def reached(channel: str) -> bool:
        return any(name == channel or (name.endswith("*") and channel.startswith(name[:-1])) for name in names)

    async with run() as rig:
        for number, (step, name) in enumerate(steps):
            if step == "follow":
                names.add(name)
                rig.follow(name, one, encode)
            elif step == "unfollow":
                names.discard(name)
                rig.unfollow(name, one)
            elif step == "leave":
                names.clear()
                rig.unfollow(None, one)
            elif not name.endswith("*"):
                expected += [str(number)] if reached(name) else []
                rig.publish(name.removeprefix("events/"), str(number))
            await rig.settle()
        rig.unfollow(None, one)
        await rig.settle()
        assert set((await rig.channels()).values()) <= {0}
        assert (await rig.says())["trees"] == []
    assert one.texts == expected


# -- answers ----------------------------------------------------------------------------------------------


class Answers:
    """Keeps the outcomes it is told, and answers each with a frame."""

    def __init__(self) -> None:
        self.outcomes: list[Followed] = []

    def __call__(self, outcome: Followed):
        self.outcomes.append(outcome)
        return text_frame(b"ok")


async def test_a_tree_is_answered_at_once_and_by_nobody_else(run, outlet, dialect):
    one, answers = outlet(), Answers()
    async with run() as rig:
        for place in ("a", "b"):
            rig.publish(place, place)
        await rig.settle()
        rig.ref.tell(Follow("events/*", one, dialect(), latest=1, confirm=answers, rights=OPEN_RIGHTS))
        await rig.settle()
        rig.publish("c", "c")
        await rig.settle()
    assert (one.texts[0], sorted(one.texts[1:])) == ("ok", ["a", "b", "c"])
    assert answers.outcomes == [Followed("events/*", "", 0, recovered=True)]


async def test_a_channel_reached_by_a_tree_is_answered_and_replayed_when_it_is_followed_by_name(run, outlet, dialect):
    one, encode, answers = outlet(), dialect(), Answers()
    async with run() as rig:
        rig.follow("events/*", one, encode)
        for id_ in ("1", "2", "3"):
            rig.publish("a", id_)
            await rig.settle()
        rig.ref.tell(Follow("events/a", one, encode, latest=2, confirm=answers, rights=OPEN_RIGHTS))
        await rig.settle()
        rig.publish("a", "4")
        await rig.settle()
        assert await rig.channels() == {"events/a": 1}
    assert one.texts == ["1", "2", "3", "ok", "2", "3", "4"]
    assert [(outcome.channel, outcome.offset) for outcome in answers.outcomes] == [("events/a", 3)]


@pytest.mark.parametrize(
    ("since", "outcome"),
    [
        (None, Followed("events/b", "", 0, recovered=True)),
        (Position("e7", 5), Followed("events/b", "", 0, False, Gap("events/b", 6, 5, None, "history"))),
    ],
)
async def test_a_follow_that_finds_no_room_is_answered_with_what_is_true_and_begins_when_there_is(
    run, outlet, dialect, autojump_clock, since, outcome
):
    one, answers = outlet(), Answers()
    async with run(limit=1, idle=10.0) as rig:
        rig.publish("a")
        await rig.settle()
        rig.ref.tell(Follow("events/b", one, dialect(), since=since, confirm=answers, rights=OPEN_RIGHTS))
        await rig.settle()
        assert (one.texts, answers.outcomes) == (["ok"], [outcome])
        await trio.sleep(30)
        rig.publish("b", "b")
        await rig.settle()
    assert one.texts == ["ok", "b"]


async def test_a_tree_is_told_at_the_pace_it_asks_for_on_channels_that_are_made_later_too(
    run, outlet, dialect, make_event, autojump_clock
):
    one = outlet()
    async with run() as rig:
        rig.ref.tell(Follow("readings/*", one, dialect(sampled=True), max_hz=1.0, rights=OPEN_RIGHTS))
        for number in range(4):
            event = make_event(f"{number}", type="equipment.reading", source="/a", subject="load")
            rig.ref.tell(Publish(event))
            await rig.settle()
        await trio.sleep(2)
    assert one.texts == ["0", "3*3"]


async def test_a_tree_is_told_critical_ones_of_all_its_channels_behind_its_position(run, outlet, dialect, make_event):
    one = outlet()
    async with run() as rig:
        for number in range(1, 7):
            source = "/acme/a" if number % 2 else "/acme/b"
            event = make_event(f"{number}", Priority.CRITICAL, "andon.call.raised", source=source)
            rig.ref.tell(Publish(event, Position("j7", number)))
            await rig.settle()
        rig.ref.tell(Follow("andon/acme/*", one, dialect(), critical_after=Position("j7", 2), rights=OPEN_RIGHTS))
        await rig.settle()
    assert sorted(one.texts) == ["3", "4", "5", "6"]


# -- let go when idle -------------------------------------------------------------------------------------


async def test_a_channel_that_nobody_used_is_let_go_and_made_anew_when_it_is_needed(run, autojump_clock):
    retired = counters.channels_retired
    async with run(idle=60.0) as rig:
        rig.publish("a")
        rig.publish("b")
        await trio.sleep(50)
        rig.publish("b")
        await trio.sleep(20)
        assert list(await rig.channels()) == ["events/b"]
        await trio.sleep(60)
        assert await rig.channels() == {}
        assert counters.channels_retired - retired == 2
        rig.publish("a")
        await rig.settle()
        assert list(await rig.channels()) == ["events/a"]


async def test_what_a_machine_said_last_is_kept_however_long_ago_that_was(run, outlet, dialect, autojump_clock):
    late = outlet()
    async with run(idle=60.0) as rig:
        rig.publish_state("a")
        await trio.sleep(3600)
        rig.follow("equipment/*", late, dialect(), latest=1)
        await rig.settle()
        assert len(late.texts) == 1


async def test_states_too_are_let_go_when_there_is_hardly_room_for_new_channels(run, autojump_clock):
    async with run(idle=60.0, limit=10) as rig:
        for number in range(10):
            rig.publish_state(str(number))
        await trio.sleep(100)
        assert await rig.channels() == {}


async def test_a_channel_that_is_followed_stays(run, outlet, dialect, autojump_clock):
    one = outlet()
    async with run(idle=60.0) as rig:
        rig.follow("events/a", one, dialect())
        await trio.sleep(1000)
        assert await rig.channels() == {"events/a": 1}
        rig.unfollow(None, one)
        await trio.sleep(50)
        assert await rig.channels() == {"events/a": 0}
        await trio.sleep(20)
        assert await rig.channels() == {}


@pytest.mark.parametrize("late", [0.0, 0.001, -0.001])
async def test_nothing_is_lost_when_a_publication_meets_the_end_of_its_channel(
    run, outlet, dialect, autojump_clock, late
):
    one = outlet()
    async with run(idle=RETIRE_INTERVAL) as rig:
        rig.publish("a", "first")
        await rig.settle()
        await trio.sleep(RETIRE_INTERVAL + late)
        # A follower and a publication in the very turn in which the channel is let go.
        rig.ref.tell(RetireIdle())
        rig.follow("events/a", one, dialect())
        rig.publish("a", "fire", Priority.CRITICAL)
        rig.publish("a", "second", Priority.HIGH)
        await trio.sleep(1)
        rig.publish("a", "third")
        await rig.settle()
        assert await rig.channels() == {"events/a": 1}
    assert one.texts[-2:] == ["second", "third"]


async def test_publications_do_not_wait_until_thousands_of_channels_are_let_go(run, outlet, dialect, autojump_clock):
    left: list[int] = []

    async with run(idle=1.0) as rig:

        @Encoder
        def encode(_publication) -> bytes:
            left.append(int(gauges.read("channels")))
            return b""

        rig.follow("events/line", outlet(), encode)
        for number in range(2000):
            rig.publish(f"idle/{number}")
        await trio.sleep(2)
        rig.ref.tell(RetireIdle())
        while gauges.read("channels") == 2001:
            await trio.lowlevel.checkpoint()
        rig.publish("line", "fire", Priority.CRITICAL)
        await trio.sleep(1)
        assert list(await rig.channels()) == ["events/line"]
    assert left[0] > 1800


# -- too many ---------------------------------------------------------------------------------------------


async def test_one_channel_too_many_is_refused_and_the_others_go_on(run, outlet, dialect, autojump_clock):
    one, refused = outlet(), counters.channels_refused
    async with run(limit=2, idle=10.0) as rig:
        rig.follow("events/*", one, dialect())
        await rig.settle()
        for place in ("a", "b", "c", "a"):
            rig.publish(place, place)
            await rig.settle()
        assert list(await rig.channels()) == ["events/a", "events/b"]
        assert one.texts == ["a", "b", "a"]
        assert counters.channels_refused - refused == 1


async def test_there_is_room_again_when_a_channel_was_let_go(run, autojump_clock):
    async with run(limit=1, idle=10.0) as rig:
        rig.publish("a")
        await trio.sleep(30)
        rig.publish("b")
        await rig.settle()
        assert list(await rig.channels()) == ["events/b"]


async def test_who_followed_a_channel_that_found_no_room_is_told_once_there_is(run, outlet, dialect, autojump_clock):
    one, gone = outlet(), outlet()
    async with run(limit=1, idle=10.0) as rig:
        rig.publish("a")
        await rig.settle()
        for each in (one, gone):
            rig.follow("events/b", each, dialect())
        rig.unfollow(None, gone)
        await trio.sleep(30)
        rig.publish("b", "b")
        await rig.settle()
        assert await rig.channels() == {"events/b": 1}
    assert one.texts == ["b"]
    assert gone.texts == []


async def test_thousands_of_channels_are_made_followed_and_let_go(run, outlet, dialect, autojump_clock):
    one, encode = outlet(), dialect()
    async with run(idle=60.0) as rig:
        rig.follow("events/*", one, encode)
        for number in range(3000):
            rig.publish(f"line/{number}", str(number))
        await rig.settle()
        assert len(await rig.channels()) == 3000
        assert gauges.read("channels") == 3000
        rig.unfollow(None, one)
        await rig.settle()
        assert set((await rig.channels()).values()) == {0}
        await trio.sleep(80)
        assert await rig.channels() == {}
    assert sorted(one.texts, key=int) == [str(number) for number in range(3000)]


# -- failures ---------------------------------------------------------------------------------------------


async def test_followers_outlive_a_life_of_their_channel(run, outlet, dialect, autojump_clock):
    one, other = outlet(), outlet()
    async with run() as rig:
        rig.follow("events/a", one, dialect(breaks="poison"))
        rig.follow("events/*", other, dialect())
        await rig.settle()
        rig.publish("a", "poison")
        rig.publish("a", "next")
        await trio.sleep(1)
        assert await rig.channels() == {"events/a": 2}
    # What one dialect cannot write is told to those that can.
    assert one.texts == ["next"]
    assert other.texts == ["poison", "next"]


async def test_a_channel_that_always_fails_troubles_no_other(run, outlet, dialect, autojump_clock):
    one, bad = outlet(), outlet()

    @Encoder
    def encode(_publication) -> bytes:
        raise RuntimeError("planted")

    async with run() as rig:
        rig.follow("events/a", one, dialect())
        rig.follow("events/bad", bad, encode)
        for number in range(300):
            rig.publish("bad")
            rig.publish("a", str(number))
            await trio.sleep(1)
        keeper = await rig.tree.status(PATH)
        assert (keeper.restarts, keeper.state) == (0, "running")
        (failing,) = [child for child in keeper.children if child.id == "events/bad"]
        assert failing.restarts > 10
    assert one.texts == [str(number) for number in range(300)]


async def test_a_channel_without_room_for_more_is_no_failure_of_the_keeper(run, outlet, dialect, monkeypatch):
    monkeypatch.setattr("actors.channels.channel.Channel.mailbox_limit", 2)
    one, two, three, four = (outlet() for _ in range(4))
    gate = trio.Event()

    async def stand_still(*_args) -> None:
        await gate.wait()

    async with run() as rig:
        for each in (one, two):
            rig.follow("events/a", each, dialect())
        await rig.settle()
        monkeypatch.setattr("actors.channels.channel.Channel._publish", stand_still)
        for _ in range(6):
            rig.publish("a", priority=Priority.HIGH)
        rig.unfollow(None, two)
        rig.follow("events/a", three, dialect())
        rig.follow("events/a", four, dialect())
        await rig.settle()
        status = await rig.tree.status(PATH)
        assert status.restarts == 0
        gate.set()
        await rig.settle()
        # Who has left has left and who has come is there, also when there was no room to say so.
        assert await rig.channels() == {"events/a": 3}


async def test_a_keeper_that_begins_anew_keeps_what_waited_and_feeds_its_gauges(run, autojump_clock):
    async with run() as rig:
        rig.publish("a")
        await rig.settle()
        rig.ref.tell(Follow(None, None, None))  # type: ignore[arg-type]
        rig.publish("b")
        await trio.sleep(1)
        assert (await rig.tree.status(PATH)).restarts == 1
        assert list(await rig.channels()) == ["events/b"]
        assert gauges.read("channels") == 1


async def test_the_keeper_is_a_supervisor_like_any_other(run):
    async with run() as rig:
        rig.publish("a")
        await rig.settle()
        assert [child.id for child in await ask(rig.ref, ListChildren())] == ["events/a"]


async def test_the_gauges_are_forgotten_at_the_end(run, outlet, dialect):
    made = counters.subscriptions_made
    async with run() as rig:
        rig.follow("events/a", outlet(), dialect())
        rig.follow("events/*", outlet(), dialect())
        await rig.settle()
        assert (gauges.read("channels"), gauges.read("subscriptions")) == (1, 2)
    assert (gauges.read("channels"), gauges.read("subscriptions")) == (None, None)
    assert counters.subscriptions_made - made == 2


async def test_who_follows_what_nobody_says_anything_on_leaves_room_for_those_who_do(
    run, outlet, dialect, autojump_clock
):
    hostile, honest = outlet(), outlet()
    async with run(limit=10, idle=60.0) as rig:
        for number in range(50):
            rig.follow(f"events/x{number}", hostile, dialect())
        rig.follow("events/y", honest, dialect())
        await rig.settle()
        assert len(await rig.channels()) == 9
        rig.publish("y", "told")
        await rig.settle()
    assert honest.texts == ["told"]
