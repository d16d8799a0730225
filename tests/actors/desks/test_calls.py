"""The calls' desk on a real recorder, its clock turned by trio's; the channels of the notifier are stand-ins."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC

import pytest
import trio
from msgspec.structs import replace

from actors.acts import Act, Acted, Acts
from actors.desks import CallDesk, ReadCalls
from actors.hooks.taps import Taps
from actors.messages import Publish, Record
from actors.notifier import Deliver, NotificationFailed, NotificationSent
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, TrioActor, ask
from config import CallRuleSettings, CallSettings, FloorSettings, JournalSettings
from domain import Event, Grounds, Priority, Refused
from domain.access import OPEN_RIGHTS, AccessPolicy, Grant, Identity, Proof, Role, Tenant
from domain.plant.escalation import Reading, Rulebook
from domain.plant.site import EquipmentModel, Level, Node, Person, ShiftCalendar, Site
from storage import Journal, StorageError

NOW = 1_800_000_000.0
DESK = "gateway/desks/calls"
PLACE = "acme/line3/st4"

POLICY = AccessPolicy(roles={"anybody": Role("anybody", "Does everything", (Grant(("*",), ("*",)),))})


class Courier(TrioActor):
    """A channel that is told what to send, and sends a receipt if it ``answers``."""

    def __init__(self, told, answers):
        super().__init__()
        self._told = told
        self._answers = answers

    def on_receive(self, message):
        if isinstance(message, Deliver):
            self._told.append(message.notification)
            answer = self._answers(message.notification)
            if answer is not None:
                self.life.environment.registry.get(DESK).tell(answer)


class Channels(TrioActor):
    """Keeps what is published and shows it to the taps, as the real one does."""

    mailbox_limit = 100_000

    def __init__(self, told, taps):
        super().__init__()
        self._told = told
        self._taps = taps

    def on_receive(self, message):
        if isinstance(message, Publish):
            self._told.append(message.event)
            self._taps.take(message.event)


@dataclass
class Rig:
    tree: object
    told: list
    sent: list
    answers: object
    clock: object
    numbers: object = field(default_factory=lambda: itertools.count(1))

    @property
    def acts(self):
        return Acts(self.tree.system.environment)

    async def act(self, what, by="kim", /, key=None, ago=0.0, station=None, roles=(), **arguments):
        rights = POLICY.rights(Identity(by, by, frozenset({"anybody", *roles}), Proof.LOCAL))
        act = Act(f"andon.{what}", key, by, self.clock() - ago, arguments, station, rights=rights)
        return await self.acts.perform(act, 20.0)

    async def call(self, by="kim", /, **more):
        acted = await self.act("raise", by, **{"equipment": "ST4", "type": "stop", **more})
        return acted.answer["id"]

    async def refused(self, *args, **more):
        with pytest.raises(Refused) as refused:
            await self.act(*args, **more)
        return refused.value

    async def read(self, look):
        return await ask(self.tree.ref(DESK), ReadCalls(look), 20)

    async def one(self, id_):
        return await self.read(lambda now: now.one(id_))

    @property
    def types(self):
        return [event.type.removeprefix("andon.call.") for event in self.told if event.type.startswith("andon.call.")]

    def publish(self, *events):
        for event in events:
            self.tree.ref("gateway/channels").tell(Publish(event))


def site():
    line = Node("line3", Level.LINE, below=(Node("st4", Level.UNIT, aliases=("ST4",)),))
    calendar = ShiftCalendar(UTC, people=[Person("sam", frozenset({"shift_manager"}))])
    return Site(EquipmentModel(Node("acme", Level.ENTERPRISE, below=(line,))), calendar, "acme")


@pytest.fixture
def desk(grow, tmp_path):
    @asynccontextmanager
    async def running(path=tmp_path, answers=lambda _: None, disk=at_once, floor=None, standing=None, recorder=None):
        told, sent, taps = [], [], Taps()
        began = trio.current_time()

        def clock():
            return NOW + trio.current_time() - began + offset[0]

        offset = clock_offset
        settings = [floor or FloorSettings()]
        journal = (path, lambda: JournalSettings(reserve=0, commit_delay=0.0), standing or Standing(), clock, disk)
        at_site = site()
        desk = ChildSpec(
            "calls",
            CallDesk,
            (lambda: settings[0], Rulebook, lambda: at_site, clock),
            {"taps": taps, "readings": lambda: Reading(clock(), trio.current_time(), "boot")},
        )
        couriers = [ChildSpec(name, Courier, (sent, answers)) for name in ("websocket", "mail")]
        specs = [
            recorder or ChildSpec("recorder", Recorder, journal, redeliver=True),
            ChildSpec("channels", Channels, (told, taps)),
            ChildSpec("desks", Supervisor, ([desk], Policy(backoff=0.05))),
            ChildSpec("notifier", Supervisor, (couriers,)),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            yield Rig(tree, told, sent, answers, clock)
            clock_offset[0] = clock() - NOW

    clock_offset = [0.0]
    return running


def receipt(notification):
    return NotificationSent(notification.id, "250 ok")


async def test_a_call_goes_through_its_life_and_every_answer_is_the_call_as_it_is_then(desk, autojump_clock):
    async with desk() as rig:
        acted = await rig.act("raise", equipment="ST4", type="stop", text="jam", station="tablet 7")
        assert isinstance(acted, Acted)
        assert (acted.is_kept, acted.answer["path"], acted.answer["state"]) == (True, PLACE, "raised")
        id_ = acted.answer["id"]
        states = []
        for type_ in ("acknowledge", "arrive", "resolve", "reopen", "resolve", "close"):
            await trio.sleep(10)
            acted = await rig.act(type_, "lee", call=id_, comment=f"{type_}.")
            states.append(acted.answer["state"])
        assert states == ["acknowledged", "in_progress", "resolved", "raised", "resolved", "closed"]
        await rig.tree.settle()
        assert [type_ for type_ in rig.types if type_ != "notified"] == [
            "raised", "acknowledged", "arrived", "resolved", "reopened", "resolved", "closed",
        ]  # fmt: skip
        found = await rig.one(id_)
        assert [step["by"] for step in found["history"]] == ["kim", *["lee"] * 6]
        assert found["history"][0]["station"] == "tablet 7"
        assert found["history"][1]["comment"] == "acknowledge."
        assert found["timers"]["raise_to_close"]["seconds"] == 60


async def test_a_call_is_on_disk_before_it_is_answered_and_told(desk, autojump_clock):
    held = trio.Event()
    holding = []

    async def disk(function, /):
        if holding:
            await held.wait()
        return function()

    async with desk(disk=disk) as rig, trio.open_nursery() as nursery:
        answers = []

        async def raise_call():
            answers.append(await rig.act("raise", equipment="ST4", type="stop"))

        holding.append(True)
        nursery.start_soon(raise_call)
        await trio.sleep(0.5)
        assert answers == rig.told == rig.sent == []
        held.set()
        holding.clear()
        await trio.sleep(0.5)
        assert answers[0].is_kept
        assert rig.types == ["raised"]
        assert [each.channel for each in rig.sent] == ["websocket"]


async def test_a_second_call_is_a_conflict_with_the_open_call_in_its_details(desk, autojump_clock):
    async with desk() as rig:
        id_ = await rig.call()
        refused = await rig.refused("raise", "max", equipment=PLACE, type="stop")
        assert refused.grounds is Grounds.CONFLICT
        assert (refused.details["call"]["id"], refused.details["call"]["state"]) == (id_, "raised")
        assert (await rig.act("raise", "max", equipment=PLACE, type="material")).answer["id"] != id_


async def test_what_is_not_understood_is_refused_with_every_fault(desk, autojump_clock):
    async with desk() as rig:
        for type_, arguments, pointers in [
            ("raise", {}, {"/type", "/equipment"}),
            ("raise", {"equipment": "ST4", "type": "party", "comment": 7}, {"/comment"}),
            ("acknowledge", {}, {"/call"}),
            ("reassign", {"call": "c1"}, {"/to"}),
            ("change", {"call": "c1"}, {"/priority"}),
        ]:
            refused = await rig.refused(type_, **arguments)
            assert refused.grounds is Grounds.INVALID
            assert {fault["pointer"] for fault in refused.details["faults"]} == pointers
        assert (await rig.refused("dance")).grounds is Grounds.UNSUPPORTED
        assert (await rig.refused("acknowledge", call="c9")).grounds is Grounds.NOT_FOUND
        assert (await rig.refused("raise", ago=-1e13, equipment="ST4", type="stop")).grounds is Grounds.INVALID


async def test_the_raiser_cancels_soon_and_later_only_a_supervisor_by_the_roles_that_are_proved(desk, autojump_clock):
    async with desk(floor=FloorSettings(calls=CallSettings(grace=30.0))) as rig:
        id_ = await rig.call()
        assert (await rig.refused("cancel", "lee", call=id_)).grounds is Grounds.NOT_ALLOWED
        await trio.sleep(31)
        assert (await rig.refused("cancel", "kim", call=id_)).grounds is Grounds.NOT_ALLOWED
        # The roster knows a shift manager of this name: that proves nothing.
        assert (await rig.refused("cancel", "sam", call=id_)).grounds is Grounds.NOT_ALLOWED
        assert (await rig.act("cancel", "bo", call=id_, roles=["admin"])).answer["state"] == "cancelled"


async def test_where_nobody_is_proved_the_roster_says_who_is_a_supervisor(desk, autojump_clock):
    async with desk() as rig:
        id_ = await rig.call()
        act = Act("andon.cancel", None, "sam", rig.clock(), {"call": id_}, rights=OPEN_RIGHTS)
        assert (await rig.acts.perform(act, 20.0)).answer["state"] == "cancelled"


async def test_of_two_who_are_called_the_same_only_the_one_who_raised_a_call_cancels_it(desk, autojump_clock):
    def by(issuer, subject, name="kim"):
        return POLICY.rights(Identity(subject, name, frozenset({"anybody"}), Proof.TOKEN, issuer=issuer))

    async with desk() as rig:
        wish = {"equipment": "ST4", "type": "stop"}
        raised = await rig.acts.perform(
            Act("andon.raise", "k1", "kim", rig.clock(), wish, rights=by("house", "u1")), 20.0
        )
        cancel = Act("andon.cancel", None, "kim", rig.clock(), {"call": raised.answer["id"]})
        for other in (by("guests", "u1"), by("house", "u2")):
            with pytest.raises(Refused) as refused:
                await rig.acts.perform(replace(cancel, rights=other), 20.0)
            assert refused.value.grounds is Grounds.NOT_ALLOWED
            # Nor is its key that of somebody else who has found it out.
            with pytest.raises(Refused) as refused:
                await rig.acts.perform(Act("andon.raise", "k1", "kim", rig.clock(), wish, rights=other), 20.0)
            assert refused.value.grounds is Grounds.CONFLICT
        acted = await rig.acts.perform(replace(cancel, rights=by("house", "u1", "kim maier")), 20.0)
        assert acted.answer["state"] == "cancelled"


TENANTS = AccessPolicy(
    {"anybody": Role("anybody", "Does everything", (Grant(("*",), ("*",)),))},
    [Tenant("acme", ("acme",)), Tenant("other", ("other",))],
)


@pytest.mark.parametrize(
    ("to", "is_taken"),
    [("kim", True), ("fitters", True), ("eve", False), ("spies", False), ("both", False), ("sam", False), ("x", False)],
)
@pytest.mark.parametrize("does", ["reassign", "raise"])
async def test_a_call_goes_to_nobody_of_another_tenant_and_that_is_as_if_they_were_not_there(
    desk, autojump_clock, monkeypatch, to, is_taken, does
):
    people = [
        Person("kim", frozenset({"fitters", "both"}), places=("acme/line3",)),
        Person("eve", frozenset({"spies", "both"}), places=("other/line1",)),
        Person("sam", frozenset({"shift_manager"})),
    ]
    whole = Site(site().equipment, ShiftCalendar(UTC, people=people), "acme")
    monkeypatch.setattr(f"{__name__}.site", lambda: whole)
    async with desk() as rig:

        async def perform(rights, type_, **arguments):
            return await rig.acts.perform(Act(type_, None, "kim", rig.clock(), arguments, rights=rights), 20.0)

        async def give(rights):
            if does == "raise":
                return await perform(rights, "andon.raise", equipment="ST4", type="quality", assigned_to=to)
            return await perform(rights, "andon.reassign", call=id_, to=to)

        id_ = await rig.call()
        limited = TENANTS.rights(Identity("u1", "kim", frozenset({"anybody"}), Proof.TOKEN, "acme"))
        if is_taken:
            assert (await give(limited)).answer["assigned_to"] == to
            return
        with pytest.raises(Refused) as refused:
            await give(limited)
        (fault,) = refused.value.details["faults"]
        assert (refused.value.grounds, fault["pointer"]) == (
            Grounds.INVALID,
            "/assigned_to" if does == "raise" else "/to",
        )
        assert to not in fault["message"].split()
        assert not [each for each in rig.sent if each.target == to]
        # Who is of all tenants gives it to whomever they name.
        everybody = TENANTS.rights(Identity("u2", "bo", frozenset({"anybody"}), Proof.TOKEN, "*"))
        assert (await give(everybody)).answer["assigned_to"] == to


async def test_an_act_with_a_key_is_done_once_also_after_a_restart(desk, autojump_clock):
    async with desk() as rig:
        first = await rig.act("raise", key="k1", equipment="ST4", type="stop")
        assert await rig.act("raise", key="k1", equipment="ST4", type="stop") == first
    async with desk() as rig:
        assert await rig.act("raise", key="k1", equipment="ST4", type="stop") == first
        assert len(await rig.read(lambda now: now.board())) == 1


async def test_of_two_tablets_that_acknowledge_offline_one_wins_and_the_other_is_recorded_and_shown(
    desk, autojump_clock
):
    async with desk() as rig:
        id_ = await rig.call()
        await trio.sleep(600)
        await rig.act("acknowledge", "lee", key="t1-1", ago=300, call=id_)
        for _ in range(2):
            refused = await rig.refused("acknowledge", "max", key="t2-9", ago=500, station="tablet 2", call=id_)
            assert refused.details["recorded"]
            assert refused.details["by"] == "lee"
        assert rig.types.count("contested") == 1
    async with desk() as rig:
        found = await rig.one(id_)
        assert found["acknowledged"]["by"] == "lee"
        assert [(one["by"], one["station"]) for one in found["contests"]] == [("max", "tablet 2")]
        with pytest.raises(Refused, match="lee was first"):
            await rig.act("acknowledge", "max", key="t2-9", ago=500, station="tablet 2", call=id_)


async def test_a_receipt_makes_a_call_notified_and_who_is_told_is_told_after_the_disk(desk, autojump_clock):
    async with desk(answers=receipt) as rig:
        id_ = await rig.call()
        await trio.sleep(0.5)
        found = await rig.one(id_)
        assert found["state"] == "notified"
        assert found["timers"]["raise_to_deliver"]["seconds"] is not None
        assert rig.types == ["raised", "notified"]


async def test_a_channel_that_fails_is_followed_by_the_next_within_a_second(desk, autojump_clock):
    def answers(notification):
        if notification.channel == "websocket":
            return NotificationFailed(notification.id, "nobody is there")
        return receipt(notification)

    async with desk(answers=answers) as rig:
        await rig.call()
        await trio.sleep(0.5)
        assert [each.channel for each in rig.sent] == ["websocket", "mail"]


async def test_nobody_comes_and_the_call_escalates_at_its_minutes_and_keeps_its_state(desk, autojump_clock):
    async with desk(answers=receipt) as rig:
        id_ = await rig.call()
        await trio.sleep(299)
        assert (await rig.one(id_))["level"] == 1
        await trio.sleep(2)
        found = await rig.one(id_)
        assert (found["level"], found["state"]) == (2, "notified")
        await rig.act("acknowledge", "lee", call=id_)
        count = len(rig.sent)
        # The clock to resolve runs from here.
        await trio.sleep(1799)
        assert len(rig.sent) == count
        await trio.sleep(2)
        assert len(rig.sent) > count
        assert (await rig.one(id_))["state"] == "acknowledged"


async def test_after_a_restart_it_is_the_same_call_with_the_same_timers(desk, autojump_clock):
    async with desk(answers=receipt) as rig:
        id_ = await rig.call()
        await trio.sleep(100)
        await rig.act("acknowledge", "lee", call=id_)
        await trio.sleep(50)
        before = await rig.one(id_)
        count = len(rig.sent)
    async with desk(answers=receipt) as rig:
        after = await rig.one(id_)
        assert after == before
        await trio.sleep(60)
        assert rig.sent == []
        assert count == 1


async def test_what_is_due_while_the_gateway_was_down_is_done_once(desk, autojump_clock):
    async with desk(answers=receipt) as rig:
        id_ = await rig.call()
        await trio.sleep(10)
    await trio.sleep(1)
    async with desk(answers=receipt) as rig:
        clock = rig.clock
        rig.tree.ref(DESK)
        await trio.sleep(400)
        assert (await rig.one(id_))["level"] == 2
        assert clock() > NOW + 400


async def test_a_notification_of_which_nobody_knows_is_sent_again_after_a_restart_with_a_mark(desk, autojump_clock):
    async with desk() as rig:
        await rig.call()
        await trio.sleep(0.5)
        first = [(each.id, each.repeated) for each in rig.sent]
    async with desk() as rig:
        await trio.sleep(0.5)
        assert [(each.id, each.repeated) for each in rig.sent] == [(id_, True) for id_, _ in first]
        assert first[0][1] is False


async def test_an_event_raises_the_call_of_a_rule_once_however_often_it_is_told(desk, autojump_clock):
    floor = FloorSettings(
        rules=(CallRuleSettings(name="oil", call="maintenance", type="alarm.raised", where={"level": "FAULT"}),)
    )
    alarm = Event("e1", f"/{PLACE}", "alarm.raised", {"level": "FAULT", "text": "oil"}, NOW, Priority.CRITICAL, "a1")
    warning = Event("e2", f"/{PLACE}", "alarm.raised", {"level": "WARNING"}, NOW, Priority.HIGH, "a2")
    again = Event("e3", f"/{PLACE}", "alarm.raised", {"level": "FAULT"}, NOW, Priority.CRITICAL, "a3")
    async with desk(floor=floor) as rig:
        rig.publish(alarm, warning, alarm)
        await trio.sleep(0.5)
        (call,) = await rig.read(lambda now: now.board())
        assert (call["type"], call["text"], call["raised_by"], call["links"]) == (
            "maintenance", "oil", "rule:oil", {"alarm": "a1"},
        )  # fmt: skip
        # What is open there stands for another alarm too, and is of one incident with it.
        rig.publish(again)
        await trio.sleep(0.5)
        (call,) = await rig.read(lambda now: now.board())
        assert call["links"] == {"alarm": "a3"}
        await rig.act("resolve", call=call["id"])
        rig.publish(alarm)
        await trio.sleep(0.5)
        assert await rig.read(lambda now: now.board()) == []


async def test_call_alarm_stop_and_job_are_one_incident(desk, autojump_clock):
    def told(type_, id_):
        return Event(f"{type_}-{id_}", f"/{PLACE}", type_, {"id": id_}, NOW, Priority.HIGH)

    async with desk() as rig:
        rig.publish(told("downtime.started", "s1"))
        await trio.sleep(0.5)
        id_ = await rig.call(alarm="a1")
        rig.publish(told("job.started", "j1"))
        await trio.sleep(0.5)
        found = await rig.one(id_)
        assert (found["links"], found["incident"]) == ({"alarm": "a1", "stop": "s1", "job": "j1"}, "s1")


async def test_who_an_alarm_would_call_where_a_call_is_open_joins_it(desk, autojump_clock):
    async with desk() as rig:
        id_ = await rig.call()
        refused = await rig.refused("raise", "alarms", equipment=PLACE, type="stop", alarm="a7")
        assert refused.details["call"]["id"] == id_
        assert (await rig.one(id_))["links"] == {"alarm": "a7"}


async def test_a_disk_that_fails_stops_no_call_and_says_that_it_is_not_kept(desk, autojump_clock, monkeypatch):
    fault = [None]
    append, opened = Journal.append, Journal.open

    def failing(self, *args, **options):
        if fault[0] is not None:
            raise fault[0]
        return append(self, *args, **options)

    def opening(*args):
        if fault[0] is not None:
            raise fault[0]
        return opened(*args)

    monkeypatch.setattr(Journal, "append", failing)
    async with desk(answers=receipt) as rig:
        monkeypatch.setattr(Journal, "open", opening)
        fault[0] = StorageError(None, "append", "input/output error")
        acted = await rig.act("raise", equipment="ST4", type="stop")
        assert not acted.is_kept
        await trio.sleep(0.1)
        assert "raised" in rig.types
        assert rig.sent, "help is called all the same"
        monkeypatch.setattr(Journal, "open", opened)
        fault[0] = None
        await trio.sleep(5)
        id_ = acted.answer["id"]
    async with desk() as rig:
        assert (await rig.one(id_))["state"] == "notified"


async def test_the_desk_says_how_many_calls_there_are(desk, autojump_clock):
    async with desk() as rig:
        await rig.call()
        description = (await rig.tree.status(DESK)).description
        assert (description["open"], description["remembered"]) == (1, 1)


async def test_a_rule_hears_what_was_published_while_the_gateway_was_killed(desk, autojump_clock, monkeypatch):
    floor = FloorSettings(rules=(CallRuleSettings(name="oil", call="maintenance", type="alarm.raised"),))
    alarm = Event("e1", f"/{PLACE}", "alarm.raised", {"level": "FAULT"}, NOW, Priority.CRITICAL, "a1")
    async with desk(floor=floor) as rig:
        id_ = await rig.call()
        await trio.sleep(25)
        # On disk and published, but nobody heard it: the gateway is killed right then.
        monkeypatch.setattr(Taps, "take", lambda *_: None)
        rig.tree.ref("gateway/recorder").tell(Record(alarm))
        await trio.sleep(0.1)
        assert [call["id"] for call in await rig.read(lambda now: now.board())] == [id_]
    monkeypatch.undo()
    async with desk(floor=floor) as rig:
        await trio.sleep(1)
        board = await rig.read(lambda now: now.board())
        assert sorted(call["raised_by"] for call in board) == ["kim", "rule:oil"]
