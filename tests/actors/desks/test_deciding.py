"""A desk that counts, on a real recorder: what every desk that decides owes to people and to a restart."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trio

from actors.acts import Act, Acted
from actors.desks import DecidingDesk
from actors.desks.deciding import EXPIRE_INTERVAL, Concern
from actors.messages import Publish, ReadState
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, MailboxFull, Policy, Supervisor, TrioActor, ask
from config import JournalSettings
from domain import Decision, Event, Grounds, Priority, Refused, Row
from domain.access import OPEN_RIGHTS, AccessPolicy, Grant, Identity, Proof, Role, Tenant, Within
from domain.intents import KEPT
from storage import Journal, StorageError

NOW = 1_800_000_000.0
PATH = "gateway/desks/counts"


@dataclass(frozen=True, slots=True)
class Add:
    count: int


class ReadCount:
    """Asks what is counted."""


NOT_THERE = Refused(Grounds.NOT_FOUND, "there is no such count")


class CountDesk(DecidingDesk):
    name = "counts"
    kinds = ("count",)

    def __init__(self, clock=lambda: NOW) -> None:
        super().__init__(clock)
        self.counted = 0
        self.began = 0

    def restore(self, kept):
        for _, value in kept["count"]:
            self.counted = value["count"]

    def begin(self):
        self.began += 1

    def acts(self):
        return {"count.add": self._add, "count.contest": self._contest, "count.break": self._break}

    def concerns(self, act):
        place = act.arguments.get("place")
        return [] if place is None else [Concern(place, NOT_THERE)]

    def take(self, message):
        match message:
            case Add(count=count):
                self.commit(self._added(count, "told"))
            case ReadCount():
                return self.counted
        return None

    def describe(self):
        return {"restored": self.is_restored}

    def _add(self, act):
        if act.arguments["count"] < 0:
            raise Refused(Grounds.INVALID, "no less than nothing")
        return self._added(act.arguments["count"], act.by)

    def _contest(self, act):
        decision = self._added(1, act.by)
        return Decision(Refused(Grounds.CONFLICT, "too late"), decision.events, decision.rows)

    def _break(self, _):
        self.counted = -1000
        raise RuntimeError("planted")

    def _added(self, count, by):
        self.counted += count
        event = Event(
            f"{by}-{self.counted}", "/acme/counts", "count.changed", {"count": self.counted}, NOW, Priority.HIGH
        )
        return Decision({"count": self.counted}, (event,), (Row("count", "all", {"count": self.counted}),))


class Wall(TrioActor):
    """A recorder that is never there."""

    mailbox_limit = 1

    async def on_receive(self, _):
        await trio.sleep_forever()


@dataclass
class Rig:
    tree: object
    told: list[Publish]

    async def act(self, type="count.add", key=None, by="kim", patience=20.0, rights=OPEN_RIGHTS, **arguments):  # noqa: A002
        return await ask(self.tree.ref(PATH), Act(type, key, by, NOW, arguments, rights=rights), patience)

    async def counted(self):
        return await ask(self.tree.ref(PATH), ReadCount(), 20)

    @property
    def ids(self):
        return [message.event.id for message in self.told]


@pytest.fixture
def desk(grow, keeper, tmp_path):
    @asynccontextmanager
    async def running(path=tmp_path, recorder=None, disk=at_once, clock=lambda: NOW):
        told = []
        args = (path, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), lambda: NOW, disk)
        desks = [ChildSpec("counts", CountDesk, (clock,))]
        specs = [
            recorder or ChildSpec("recorder", Recorder, args, redeliver=True),
            ChildSpec("channels", keeper, (told,)),
            ChildSpec("desks", Supervisor, (desks, Policy(backoff=0.05))),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree, told)

    return running


@pytest.fixture
def broken(monkeypatch):
    """What every act on the journal raises; None: nothing."""
    fault = [None]

    def failing(act):
        def failing_act(*args, **options):
            if fault[0] is not None:
                raise fault[0]
            return act(*args, **options)

        return failing_act

    for name in ("append", "state", "critical_since", "open"):
        monkeypatch.setattr(Journal, name, failing(getattr(Journal, name)))
    return fault


BAD = StorageError(None, "append", "input/output error")


async def test_an_act_is_answered_when_the_disk_has_it_and_what_was_decided_is_known_after_a_restart(desk):
    async with desk() as rig:
        assert await rig.act(count=2) == Acted({"count": 2}, is_kept=True)
        assert await rig.act(count=3) == Acted({"count": 5}, is_kept=True)
        await rig.tree.settle()
        assert rig.ids == ["kim-2", "kim-5"]
    async with desk() as rig:
        assert await rig.counted() == 5


async def test_nobody_is_answered_before_the_disk(desk):
    held = trio.Event()

    async def disk(function, /):
        if holding:
            await held.wait()
        return function()

    holding = []
    async with desk(disk=disk) as rig, trio.open_nursery() as nursery:
        answers = []

        async def act():
            answers.append(await rig.act(count=1))

        holding.append(True)
        nursery.start_soon(act)
        await rig.tree.settle()
        assert answers == rig.told == []
        assert await rig.counted() == 1
        held.set()
        holding.clear()
    assert answers == [Acted({"count": 1}, is_kept=True)]


async def test_an_act_with_a_key_is_done_once_however_often_and_however_soon_it_comes_again(desk):
    async with desk() as rig:
        answers = []

        async def act():
            answers.append(await rig.act(key="k1", count=1))

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(act)
        assert answers == [Acted({"count": 1}, is_kept=True)] * 5
    async with desk() as rig:
        assert await rig.act(key="k1", count=1) == Acted({"count": 1}, is_kept=True)
        assert await rig.counted() == 1
        with pytest.raises(Refused, match="used for another act"):
            await rig.act(key="k1", count=2)


async def test_what_is_refused_changes_nothing_and_says_who_must_act(desk):
    async with desk() as rig:
        for type_, key, count, grounds in [
            ("count.add", "k1", -1, Grounds.INVALID),
            ("count.lose", None, 1, Grounds.UNSUPPORTED),
            ("count.add", "k" * 129, 1, Grounds.INVALID),
            ("count.add", "", 1, Grounds.INVALID),
        ]:
            with pytest.raises(Refused) as refused:
                await rig.act(type_, key, count=count)
            assert refused.value.grounds is grounds
        assert await rig.counted() == 0
        # The key of what was refused is free.
        assert (await rig.act(key="k2", count=1)).answer == {"count": 1}


async def test_a_refusal_can_be_kept_and_is_told_again(desk):
    async with desk() as rig:
        for _ in range(2):
            with pytest.raises(Refused, match="too late"):
                await rig.act("count.contest", "k1")
        assert await rig.counted() == 1
    async with desk() as rig:
        with pytest.raises(Refused, match="too late"):
            await rig.act("count.contest", "k1")
        assert await rig.counted() == 1


async def test_a_disk_that_fails_is_said_and_a_repeat_is_answered_for_when_it_is_back(desk, broken, autojump_clock):
    async with desk() as rig:
        await rig.act(count=1)
        broken[0] = BAD
        assert await rig.act(key="k1", count=1) == Acted({"count": 2}, is_kept=False)
        assert await rig.act(key="k1", count=1) == Acted({"count": 2}, is_kept=False)
        broken[0] = None
        await trio.sleep(5)
        assert await rig.act(key="k1", count=1) == Acted({"count": 2}, is_kept=True)
        assert [id_ for id_ in rig.ids if id_ == "kim-2"] == ["kim-2"]
    async with desk() as rig:
        assert await rig.counted() == 2


async def test_while_what_was_kept_cannot_be_read_nothing_is_decided_and_nothing_told_is_lost(
    desk, broken, autojump_clock
):
    async with desk() as rig:
        await rig.act(count=5)
    broken[0] = BAD
    async with desk() as rig:
        assert (await rig.tree.status(PATH)).description == {"restored": False}
        for ask_ in (rig.act(count=1), rig.counted()):
            with pytest.raises(Refused) as refused:
                await ask_
            assert refused.value.grounds is Grounds.UNAVAILABLE
        rig.tree.ref(PATH).tell(Add(10))
        broken[0] = None
        await trio.sleep(10)
        assert await rig.counted() == 15
        assert "told-15" in rig.ids
        assert (await rig.act(count=1)).answer == {"count": 16}


async def test_an_error_nobody_planned_for_ends_the_life_and_the_next_begins_with_what_was_kept(desk, autojump_clock):
    async with desk() as rig:
        await rig.act(count=7)
        with pytest.raises(RuntimeError, match="planted"):
            await rig.act("count.break")
        await trio.sleep(1)
        assert await rig.counted() == 7


async def test_what_the_recorder_has_no_room_for_is_told_and_its_state_is_owed(desk, autojump_clock, monkeypatch):
    async with desk() as rig:
        await rig.act(count=1)
        full = [True]
        recorder = rig.tree.ref("gateway/recorder")
        tell = type(recorder).tell

        def crammed(self, message):
            if full[0] and self is recorder:
                raise MailboxFull(Priority.CRITICAL, 1)
            tell(self, message)

        monkeypatch.setattr(type(recorder), "tell", crammed)
        assert await rig.act(count=1) == Acted({"count": 2}, is_kept=False)
        assert await rig.act(count=1) == Acted({"count": 3}, is_kept=False)
        await trio.sleep(3)
        full[0] = False
        await rig.tree.settle()
        assert rig.ids == ["kim-1", "kim-2", "kim-3"]
        await trio.sleep(2)
    async with desk() as rig:
        assert await rig.counted() == 3


async def test_without_a_recorder_the_tree_grows_all_the_same(desk, autojump_clock):
    async with desk(recorder=ChildSpec("recorder", Wall)) as rig:
        with pytest.raises(Refused):
            await rig.act(count=1)


async def test_a_key_is_forgotten_after_a_week_on_disk_too(desk, autojump_clock):
    now = [NOW]
    async with desk(clock=lambda: now[0]) as rig:
        await rig.act(key="k1", count=1)
        now[0] += KEPT
        await trio.sleep(EXPIRE_INTERVAL + 1)
        assert await ask(rig.tree.ref("gateway/recorder"), ReadState("counts.acts"), 20) == ()
        assert (await rig.act(key="k1", count=1)).answer == {"count": 2}


TENANTS = AccessPolicy(
    roles={"counter": Role("counter", "Counts", (Grant(("count.add",), ()), Grant(("count.break",), (), Within.OWN)))},
    tenants=[Tenant("acme", ("acme",), ()), Tenant("other", ("other",), ())],
)


def rights_of(tenant="acme", places=()):
    return TENANTS.rights(Identity("u1", "kim", frozenset({"counter"}), Proof.TOKEN, tenant, places))


async def test_who_may_not_do_it_there_is_refused_and_nothing_is_decided(desk, autojump_clock):
    async with desk() as rig:
        for type_, place, grounds in (
            ("count.add", "other/l1", Grounds.NOT_FOUND),
            ("count.add", "acme2", Grounds.NOT_FOUND),
            ("count.contest", "acme/l1", Grounds.NOT_ALLOWED),
            ("count.break", "acme/l1", Grounds.NOT_ALLOWED),
        ):
            with pytest.raises(Refused) as caught:
                await rig.act(type_, count=1, place=place, rights=rights_of(places=("acme/l2",)))
            assert caught.value.grounds is grounds, (type_, place)
            assert "other" not in caught.value.message
        assert await rig.counted() == 0
        assert rig.ids == []
        assert (await rig.act(count=1, place="acme/l1", rights=rights_of())).answer == {"count": 1}


async def test_another_tenant_does_not_get_the_answer_of_a_key_that_it_guesses(desk, autojump_clock):
    async with desk() as rig:
        await rig.act(key="k1", count=1, place="acme/l1", rights=rights_of())
        with pytest.raises(Refused) as caught:
            await rig.act(key="k1", count=1, place="acme/l1", rights=rights_of("other"))
        assert caught.value.grounds is Grounds.NOT_FOUND
        # Its own keys are its own: nobody can tell from them which another tenant uses, nor keep it from one.
        assert (await rig.act(key="k1", count=1, place="other/l1", rights=rights_of("other"))).is_kept
        assert await rig.counted() == 2
