from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
import trio

from actors.messages import EventsTaken, TakeEvents
from actors.runtime import ChildSpec, Supervisor, TrioActor, ask
from actors.sources import HttpSource
from actors.sources.http import SLICE
from config import HttpSource as HttpSettings
from telemetry import counters

PATH = "gateway/http"


def member(id: str = "1", **members):  # noqa: A002
    return {"specversion": "1.0", "id": id, "source": "/acme/press3", "type": "acme.thing.happened", **members}


def call(id: str):  # noqa: A002
    return member(id, type="andon.call.raised")


def transaction(id: str = "1", **data):  # noqa: A002
    return member(id, source="/chain", type="chain.transaction", data={"txHash": "0x1", "status": "SUCCESS", **data})


class Behind(TrioActor):
    """A desk that handles nothing until its gate opens."""

    mailbox_limit = 5

    def __init__(self, kept: list, gate: trio.Event) -> None:
        super().__init__()
        self._kept = kept
        self._gate = gate

    async def on_receive(self, message: object) -> None:
        await self._gate.wait()
        self._kept.append(message)
        if message.settled is not None:
            message.settled(True)


class Rig:
    """The source, and what its desks were told."""

    def __init__(self, tree, floor: list, portal: list) -> None:
        self.tree = tree
        self.floor = floor
        self.portal = portal
        self.answers: list[EventsTaken] = []
        self._seen = 0
        self._unsettled: list = []

    @property
    def unsettled(self) -> list:
        """What the floor's desk was told and is to answer for."""
        new, self._seen = self.floor[self._seen :], len(self.floor)
        self._unsettled += [message for message in new if message.settled is not None]
        return self._unsettled

    async def post_later(self, *members) -> None:
        """Post, and keep the answer when it comes."""
        self.answers.append(await ask(self.tree.ref(PATH), TakeEvents(members), 60))

    async def post(self, *members) -> EventsTaken:
        answer = await ask(self.tree.ref(PATH), TakeEvents(members))
        assert isinstance(answer, EventsTaken)
        await self.tree.settle()
        return answer

    async def says(self):
        return (await self.tree.status(PATH)).description


@pytest.fixture
def run(grow, keeper):
    @asynccontextmanager
    async def running(desk: ChildSpec | None = None, **options):
        floor: list = []
        portal: list = []
        desks = [desk or ChildSpec("floor", keeper, (floor,)), ChildSpec("portal", keeper, (portal,))]
        source = ChildSpec("http", HttpSource, ("http", HttpSettings(**options), lambda: 1_800_000_000.0))
        async with grow([ChildSpec("desks", Supervisor, (desks,)), source]) as tree:
            yield Rig(tree, floor, portal)

    return running


async def test_an_event_goes_to_its_desk_as_it_came(run):
    async with run() as rig:
        assert await rig.post(member(data={"a": [1, None]}), transaction("2")) == EventsTaken(2, 0, 0, ())
        (one,), (other,) = rig.floor, rig.portal
        assert (one.event.id, one.event.data, one.event.recorded) == ("1", {"a": [1, None]}, 1_800_000_000.0)
        assert other.event.type == "chain.transaction"


async def test_an_event_is_known_by_its_source_and_id(run):
    async with run() as rig:
        assert await rig.post(member("1"), member("1"), member("2")) == EventsTaken(2, 1, 0, ())
        assert await rig.post(member("1"), member("1", source="/acme/press4")) == EventsTaken(1, 1, 0, ())
        assert len(rig.floor) == 3
        says = await rig.says()
        assert (says["remembered"], says["duplicates"], says["events"]) == (3, 2, 2)


async def test_others_get_their_turn_while_a_large_batch_is_taken(run):
    turns = 0
    async with run() as rig, trio.open_nursery() as nursery:

        async def watch() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        nursery.start_soon(watch)
        await ask(rig.tree.ref(PATH), TakeEvents([member(str(number)) for number in range(1000)]))
        nursery.cancel_scope.cancel()
    assert turns >= 1000 // SLICE


async def test_only_so_many_ids_are_remembered(run):
    async with run(duplicates=2) as rig:
        await rig.post(*[member(str(number)) for number in range(3)])
        assert (await rig.post(member("2"), member("1"), member("0"))).duplicates == 2
        assert len(rig.floor) == 4


async def test_each_refused_event_is_named_with_every_fault_and_the_good_ones_are_kept(run):
    async with run() as rig:
        taken = await rig.post(
            member("good"),
            {"specversion": "0.3", "id": "bad", "type": "UPPER"},
            7,
            {**member("x" * 999), "time": "noon"},
            member("fine"),
        )
        assert (taken.accepted, taken.duplicates, taken.overloaded) == (2, 0, 0)
        assert [(refusal.index, refusal.id) for refusal in taken.refused] == [(1, "bad"), (2, None), (3, "x" * 128)]
        assert [[fault.pointer for fault in refusal.faults] for refusal in taken.refused] == [
            ["/specversion", "/source", "/type"],
            [""],
            ["/time"],
        ]
        assert [message.event.id for message in rig.floor] == ["good", "fine"]


async def test_what_a_type_promises_is_checked_before_it_is_taken(run):
    async with run() as rig:
        taken = await rig.post(
            transaction("1", status="LOST", value=5),
            member("2", type="validator.status", data={"validator": "v"}),
            member("3", type="chain.block", data=[]),
            transaction("4"),
        )
        assert taken.accepted == 1
        assert [[fault.pointer for fault in refusal.faults] for refusal in taken.refused] == [
            ["/data/value", "/data/status"],
            ["/data/status"],
            ["/data"],
        ]
        # What was refused is not remembered: mended, it is taken.
        assert (await rig.post(transaction("1"))).accepted == 1


async def test_an_event_of_a_state_that_says_none_is_refused(run):
    async with run() as rig:
        said = [{"value": "running"}, {"state": 5}, None]
        events = [member(str(number), type="equipment.state.changed", data=data) for number, data in enumerate(said)]
        taken = await rig.post(*events)
        assert [[fault.pointer for fault in refusal.faults] for refusal in taken.refused] == [
            ["/data"],
            ["/data/state"],
            ["/data"],
        ]
        assert rig.floor == []


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        ({"good": "five"}, "/data/good"),
        ({"produced": 1, "good": 5}, "/data/produced"),
        ({"value": 3, "kind": "best"}, "/data/kind"),
        ({}, "/data/good"),
        (None, "/data"),
        ({"good": 5}, None),
    ],
)
async def test_a_count_that_can_never_be_taken_is_refused_at_the_door(run, data, pointer):
    async with run() as rig:
        taken = await rig.post(member("c1", type="production.counted", data=data))
        assert [fault.pointer for each in taken.refused for fault in each.faults] == ([pointer] if pointer else [])


@pytest.mark.parametrize("type_", ["portal.metrics", "portal.tps", "host.metrics", "journal.failed"])
async def test_nobody_speaks_in_the_gateways_place(run, type_):
    async with run() as rig:
        taken = await rig.post(member(type=type_, data={"cpuPercent": 99}))
        assert [fault.pointer for fault in taken.refused[0].faults] == ["/type"]
        assert rig.floor == rig.portal == []


async def test_refusals_and_repeats_are_counted(run):
    before = counters.events_accepted, counters.events_refused["invalid"], counters.events_refused["duplicate"]
    async with run() as rig:
        await rig.post(member("1"), member("1"), {}, 7)
    now = counters.events_accepted, counters.events_refused["invalid"], counters.events_refused["duplicate"]
    assert [after - earlier for after, earlier in zip(now, before, strict=True)] == [1, 2, 1]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_only_what_could_be_understood_makes_the_source_fresh(run, order):
    async with run(cadence=10.0) as rig:
        assert (await rig.says())["state"] == "stale"
        await rig.post({})
        assert (await rig.says())["state"] == "stale"
        await rig.post(*[[member(), {}][index] for index in order])
        assert (await rig.says())["state"] == "fresh"


async def test_what_finds_no_room_at_the_desk_may_be_sent_again(run):
    kept: list = []
    gate = trio.Event()
    overloaded = counters.events_refused["overloaded"]
    calls = [call(str(number)) for number in range(10)]
    async with run(ChildSpec("floor", Behind, (kept, gate))) as rig, trio.open_nursery() as nursery:
        await rig.post(member("first"))
        nursery.start_soon(rig.post_later, *calls)
        await rig.tree.settle()
        gate.set()
        await rig.tree.settle()
        (taken,) = rig.answers
        assert (taken.accepted, taken.overloaded, taken.duplicates) == (5, 5, 0)
        taken = await rig.post(*calls)
        assert (taken.accepted, taken.overloaded, taken.duplicates) == (5, 0, 5)
    assert [message.event.id for message in kept] == ["first", *[str(number) for number in range(10)]]
    assert counters.events_refused["overloaded"] - overloaded == 5


def settle(rig: Rig, kept: bool = True) -> None:  # noqa: FBT001, FBT002 - the gateway's own word
    """Answer for everything that the floor's desk was told and nobody answered for yet."""
    while rig.unsettled:
        rig.unsettled.pop(0).settled(kept)


async def test_a_request_is_answered_when_the_disk_has_every_urgent_event_of_it(run):
    async with run() as rig, trio.open_nursery() as nursery:
        nursery.start_soon(rig.post_later, call("1"), member("2"), call("3"), {})
        await rig.tree.settle()
        assert rig.answers == []
        rig.unsettled.pop(0).settled(True)
        await rig.tree.settle()
        assert rig.answers == []
        settle(rig)
        await rig.tree.settle()
        (taken,) = rig.answers
        assert (taken.accepted, taken.duplicates, len(taken.refused)) == (3, 0, 1)


async def test_others_are_taken_while_one_waits_for_the_disk(run):
    async with run() as rig, trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(rig.post_later, call(str(number)))
        await rig.tree.settle()
        assert len(rig.unsettled) == 5
        assert (await rig.post(member("other"))).accepted == 1
        settle(rig)
        await rig.tree.settle()
        assert [taken.accepted for taken in rig.answers] == [1] * 5


async def test_what_could_not_be_kept_is_said_and_may_be_sent_again(run):
    unkept, accepted = counters.events_refused["unkept"], counters.events_accepted
    async with run() as rig, trio.open_nursery() as nursery:
        nursery.start_soon(rig.post_later, call("1"), member("2"))
        await rig.tree.settle()
        settle(rig, kept=False)
        await rig.tree.settle()
        assert rig.answers.pop() == EventsTaken(1, 0, 0, (), 1)
        nursery.start_soon(rig.post_later, call("1"), member("2"))
        await rig.tree.settle()
        settle(rig)
        await rig.tree.settle()
        assert rig.answers.pop() == EventsTaken(1, 1, 0, ())
    assert (counters.events_refused["unkept"] - unkept, counters.events_accepted - accepted) == (1, 2)


async def test_what_comes_again_before_it_is_answered_for_is_asked_for_again_and_not_said_to_be_kept(run):
    async with run() as rig, trio.open_nursery() as nursery:
        nursery.start_soon(rig.post_later, call("1"), call("1"))
        await rig.tree.settle()
        nursery.start_soon(rig.post_later, call("1"))
        await rig.tree.settle()
        # Once for each request, however often it is in one.
        first, again = rig.unsettled
        assert rig.answers == []
        first.settled(True)
        await rig.tree.settle()
        assert rig.answers == [EventsTaken(1, 1, 0, ())]
        again.settled(True)
        await rig.tree.settle()
        assert rig.answers[1:] == [EventsTaken(1, 0, 0, ())]
        # Now it is known.
        assert await rig.post(call("1")) == EventsTaken(0, 1, 0, ())


async def test_a_second_word_on_an_event_changes_nothing(run):
    async with run() as rig, trio.open_nursery() as nursery:
        nursery.start_soon(rig.post_later, call("1"), call("2"))
        await rig.tree.settle()
        first, second = rig.unsettled
        first.settled(True)
        first.settled(False)
        second.settled(True)
        second.settled(False)
        await rig.tree.settle()
        assert rig.answers == [EventsTaken(2, 0, 0, ())]


async def test_only_so_many_events_wait_for_the_disk(run, monkeypatch):
    monkeypatch.setattr("actors.sources.http.UNSETTLED_LIMIT", 3)
    async with run() as rig, trio.open_nursery() as nursery:
        nursery.start_soon(rig.post_later, *[call(str(number)) for number in range(5)])
        await rig.tree.settle()
        settle(rig)
        await rig.tree.settle()
        assert rig.answers == [EventsTaken(3, 0, 2, ())]


async def test_what_came_while_there_was_no_desk_may_be_sent_again(run, grow):
    source = ChildSpec("http", HttpSource, ("http", HttpSettings()))
    async with grow([source]) as tree:
        for _ in range(2):
            taken = await ask(tree.ref(PATH), TakeEvents([member()]))
            assert taken == EventsTaken(0, 0, 1, ())


async def test_a_source_that_begins_anew_answers_again_and_has_forgotten_what_it_knew(run, autojump_clock):
    async with run() as rig:
        await rig.post(member())
        rig.tree.ref(PATH).tell(TakeEvents(None))  # type: ignore[arg-type]
        answer = ask(rig.tree.ref(PATH), TakeEvents([member()]), 5)
        assert await answer == EventsTaken(1, 0, 0, ())
        assert (await rig.tree.status(PATH)).restarts == 1


async def test_a_question_of_another_kind_has_no_answer(run):
    async with run() as rig:
        assert await ask(rig.tree.ref(PATH), "hello") is None
