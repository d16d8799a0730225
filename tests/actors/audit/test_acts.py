"""What is noted of an act at its desk: who, what, before and after, and why not; and nothing twice."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import ClassVar

import pytest
from msgspec.structs import replace

from actors.acts import Act, Acts
from actors.audit.acts import UNKEPT, ActNote
from actors.audit.words import AuditTrail, Noted
from actors.desks import AlarmDesk, CallDesk
from actors.places import AUDITOR
from actors.recorder.batch import Standing
from actors.recorder.disk import at_once
from actors.recorder.recorder import Recorder
from actors.runtime import ChildSpec, Policy, Supervisor, TrioActor
from config import JournalSettings
from domain import Grounds, Refused
from domain.access import OPEN_RIGHTS, AccessPolicy, Grant, Identity, Proof, Role, Tenant, Within
from domain.audit import Entry, Outcome, Target, Whence

NOW = 1_800_000_000.0
KIM = Identity("u-kim", "kim", frozenset({"lead"}), Proof.LOCAL, places=("acme/l1",), session="s1")
POLICY = AccessPolicy({"lead": Role("lead", "", (Grant(("andon.*",), (), Within.OWN),))})
WHENCE = Whence("10.0.0.7", "http", "s1")


class Ear(TrioActor):
    """Keeps what the auditor would be told."""

    def __init__(self, told) -> None:
        super().__init__()
        self._told = told

    def on_receive(self, message):
        if isinstance(message, Noted):
            self._told.append(message.entry)


class Rig:
    def __init__(self, tree, told) -> None:
        self.tree = tree
        self.told = told
        self.acts = Acts(tree.system.environment)

    async def act(self, type_, key=None, rights=None, **arguments):
        act = Act(type_, key, "kim", NOW, arguments, rights=rights or POLICY.rights(KIM), whence=WHENCE)
        try:
            return (await self.acts.perform(act, 20.0)).answer
        except Refused as refused:
            return refused
        finally:
            await self.tree.settle()


@pytest.fixture
def floor(grow, keeper):
    @asynccontextmanager
    async def running():
        told, published = [], []
        args = (None, lambda: JournalSettings(reserve=0, commit_delay=0.0), Standing(), lambda: NOW, at_once)
        desks = [
            ChildSpec("calls", CallDesk, (), {"clock": lambda: NOW}),
            ChildSpec("alarms", AlarmDesk, (), {"clock": lambda: NOW}),
        ]
        specs = [
            ChildSpec("audit", Supervisor, ([ChildSpec("auditor", Ear, (told,))],)),
            ChildSpec("recorder", Recorder, args, redeliver=True),
            ChildSpec("channels", keeper, (published,)),
            ChildSpec("desks", Supervisor, (desks, Policy(backoff=0.05))),
        ]
        async with grow(specs, Policy(backoff=0.05)) as tree:
            assert tree.ref(AUDITOR)
            yield Rig(tree, told)

    return running


async def test_what_is_done_has_who_from_where_before_and_after(autojump_clock, floor):
    async with floor() as rig:
        call = await rig.act("andon.raise", equipment="acme/l1", type="quality")
        await rig.act("andon.acknowledge", call=call["id"])
        raised, acknowledged = rig.told
    assert (raised.what, raised.outcome, raised.before) == ("andon.raise", Outcome.DONE, None)
    assert (raised.target.path, raised.after["state"]) == ("acme/l1", "raised")
    assert (raised.who.subject, raised.who.name, raised.who.proof, raised.whence) == ("u-kim", "kim", "local", WHENCE)
    assert (acknowledged.target.path, acknowledged.target.id) == ("acme/l1", call["id"])
    assert (acknowledged.before["state"], acknowledged.after["state"]) == ("raised", "acknowledged")


@pytest.mark.parametrize(
    ("type_", "arguments", "word"),
    [
        ("andon.raise", {"equipment": "other/l9", "type": "quality"}, "its own places only"),
        ("andon.acknowledge", {"call": "there-is-none"}, "there-is-none"),
        ("andon.dance", {}, "no act andon.dance"),
        ("alarm.shelve", {"alarm": "a1"}, ""),
        ("dance", {}, "no act dance"),
    ],
)
async def test_what_is_refused_is_noted_with_its_reason(autojump_clock, floor, type_, arguments, word):
    async with floor() as rig:
        refused = await rig.act(type_, **arguments)
        (entry,) = rig.told
    assert isinstance(refused, Refused)
    assert (entry.outcome, entry.after, entry.whence) == (Outcome.REFUSED, None, WHENCE)
    assert word in entry.why
    assert entry.together, "whoever is refused can be so in mass"


async def test_the_note_of_who_meets_a_thing_of_another_tenant_names_it_and_has_the_words_for_what_is_not_there(
    autojump_clock, floor
):
    policy = AccessPolicy(
        {"lead": Role("lead", "", (Grant(("andon.*",), ()),))}, [Tenant("acme", ("acme",)), Tenant("other", ("other",))]
    )
    kim, eve = (policy.rights(replace(KIM, tenant=tenant)) for tenant in ("acme", "other"))
    async with floor() as rig:
        call = await rig.act("andon.raise", rights=kim, equipment="acme/l1", type="quality")
        for id_ in (call["id"], "there-is-none"):
            await rig.act("andon.close", rights=eve, call=id_)
        await rig.act("andon.raise", rights=eve, equipment="acme/l1", type="quality")
        _, there, nowhere, raised = rig.told
    assert [each.target for each in (there, nowhere, raised)] == [
        Target("acme/l1", call["id"]),
        Target(),
        Target("acme/l1"),
    ]
    assert there.why.replace(call["id"], "there-is-none") == nowhere.why
    assert (there.before, there.after) == (None, None)


async def test_what_is_repeated_is_noted_once(autojump_clock, floor):
    async with floor() as rig:
        for _ in range(3):
            await rig.act("andon.raise", "key", equipment="acme/l1", type="quality")
        assert len(rig.told) == 1


async def test_what_somebody_else_had_done_before_is_refused_and_shows_what_there_was(autojump_clock, floor):
    async with floor() as rig:
        call = await rig.act("andon.raise", equipment="acme/l1", type="quality")
        await rig.act("andon.cancel", call=call["id"])
        late = await rig.act("andon.acknowledge", call=call["id"])
        assert isinstance(late, Refused)
        assert (rig.told[-1].what, rig.told[-1].outcome) == ("andon.acknowledge", Outcome.REFUSED)


class Trail(AuditTrail):
    """Keeps what is noted."""

    told: ClassVar[list[Entry]] = []

    def note(self, entry):
        self.told.append(entry)


def test_what_the_disk_has_not_taken_is_noted_as_such():
    note = ActNote(Trail(None, lambda: NOW), Act("andon.raise", None, "kim", NOW, {}, rights=POLICY.rights(KIM)))
    note.about("acme/l1")
    note.decided({"id": "c1"})
    note.settled(False)
    note.settled(True)
    unkept, kept = Trail.told
    assert (unkept.outcome, unkept.why, unkept.after) == (Outcome.DONE, UNKEPT, {"id": "c1"})
    assert kept.why == ""


def test_looking_at_what_is_gone_fails_no_act():
    def gone():
        raise Refused(Grounds.NOT_FOUND, "there is none")

    note = ActNote(Trail(None, lambda: NOW), Act("job.clear", None, "kim", NOW, {}, rights=POLICY.rights(KIM)))
    note.about("acme/l1", "j1", gone)
    note.decided({"id": "j1"})
    note.failed()
    assert (Trail.told[-1].after, Trail.told[-1].outcome) == (None, Outcome.FAILED)


async def test_where_no_desk_answers_nobody_can_say_whether_it_is_done(autojump_clock, floor):
    async with floor() as rig:
        refused = await rig.act("job.start", id="j1")
        assert refused.grounds is Grounds.UNAVAILABLE
        (entry,) = rig.told
    assert (entry.what, entry.outcome) == ("job.start", Outcome.FAILED)


async def test_who_is_not_known_is_called_as_it_calls_itself(autojump_clock, floor):
    async with floor() as rig:
        await rig.act("andon.raise", rights=OPEN_RIGHTS, equipment="acme/l1", type="quality")
        (entry,) = rig.told
    assert (entry.who.name, entry.who.proof) == ("kim", "open")
