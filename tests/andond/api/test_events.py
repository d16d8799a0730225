from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio
import trio.testing

from actors import AuditTrail, ReadFault
from actors.checking import checked
from actors.places import RECORDER, SOURCES, Address
from actors.runtime import ActorSystem, ChildSpec, Supervisor, TrioActor, ask
from actors.sources import ApplySources, Sources
from andond.api import events
from config import HostSource, HttpSource
from domain import BUILT_IN
from domain.access import OPEN_RIGHTS, AccessPolicy, Identity, Proof
from domain.audit import Entry, Outcome
from domain.plant.ledger import PLAIN, StateMap
from transport import ClientAddress, ProtocolError, Request, Response, Routes

PATH = "/api/v1/events"
SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


class Desk(TrioActor):
    """Keeps what it is told, once its gate is open."""

    mailbox_limit = 5

    def __init__(self, kept: list[str], gate: trio.Event) -> None:
        super().__init__()
        self._kept = kept
        self._gate = gate

    async def on_receive(self, message) -> None:
        await self._gate.wait()
        self._kept.append(message.event.id)
        if message.settled is not None:
            message.settled("unkept" not in message.event.id)


class Clerk(TrioActor):
    """Says why events cannot be kept."""

    def __init__(self, fault: object) -> None:
        super().__init__()
        self._fault = fault

    def on_receive(self, message):
        return self._fault if type(message) is ReadFault else None


class Trail(AuditTrail, frozen=True):
    """Keeps what is noted in ``entries``."""

    entries: list[Entry] = msgspec.field(default_factory=list)

    def note(self, entry: Entry) -> None:
        self.entries.append(entry)


class Rig:
    """The resource, the source behind it, and what its desks were told."""

    def __init__(self, system: ActorSystem, kept: list[str], gate: trio.Event, present: dict) -> None:
        self.kept = kept
        self.gate = gate
        self.present = present
        self.sources = Address(system.environment, SOURCES)
        self.rights = OPEN_RIGHTS
        self.routes = Routes()
        self.noted: list[Entry] = []
        events.register(self.routes, self.sources, Address(system.environment, RECORDER), Trail(entries=self.noted))

    @property
    def audit(self) -> list[tuple[str, Outcome]]:
        return [(entry.target.id, entry.outcome) for entry in self.noted]

    async def post(self, body: object, media: str = SINGLE) -> Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": media} if media else {}
        client = ClientAddress("127.0.0.1")
        answer = await self.routes(
            Request("POST", PATH, {}, headers, raw, client, secure=False, target=PATH, rights=self.rights)
        )
        await trio.testing.wait_all_tasks_blocked()
        return answer

    async def refused(self, body: object, media: str = SINGLE):
        answer = await self.post(body, media)
        assert answer.headers["content-type"] == "application/problem+json"
        document = json.loads(answer.body)
        assert document["status"] == answer.status
        assert document["title"]
        assert document["detail"]
        return document


@pytest.fixture
def run():
    @asynccontextmanager
    async def running(*, is_open: bool = True, fault: str | None = None, **present):
        kept: list[str] = []
        gate = trio.Event()
        if is_open:
            gate.set()
        tables = present or {"http": HttpSource()}
        desks = [ChildSpec(name, Desk, (kept, gate)) for name in ("floor", "portal")]
        specs = [ChildSpec("desks", Supervisor, (desks,)), ChildSpec("sources", Sources, (lambda: tables,))]
        if fault is not None:
            specs.insert(0, ChildSpec("recorder", Clerk, (fault,)))
        async with ActorSystem.open() as system:
            await system.settled(system.start(Supervisor, "gateway", specs))
            await trio.testing.wait_all_tasks_blocked()
            yield Rig(system, kept, gate, tables)
            gate.set()

    return running


def event(id: str = "1", **members):  # noqa: A002
    return {"specversion": "1.0", "id": id, "source": "/acme/press3", "type": "acme.thing.happened", **members}


# -- taken ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "media", [SINGLE, f"{SINGLE}; charset=utf-8", "application/json", "Application/CloudEvents+JSON"]
)
async def test_one_event_is_taken(run, media):
    async with run() as rig:
        answer = await rig.post(event(), media)
        assert (answer.status, json.loads(answer.body)) == (202, {"accepted": 1, "duplicates": 0})
        assert rig.kept == ["1"]


@pytest.mark.parametrize("media", [BATCH, "application/json"])
async def test_a_batch_is_taken(run, media):
    async with run() as rig:
        answer = await rig.post([event("1"), event("2"), event("1")], media)
        assert (answer.status, json.loads(answer.body)) == (202, {"accepted": 2, "duplicates": 1})
        assert rig.kept == ["1", "2"]


async def test_an_empty_batch_is_a_batch(run):
    async with run() as rig:
        assert json.loads((await rig.post([], BATCH)).body) == {"accepted": 0, "duplicates": 0}


async def test_a_repeated_post_is_answered_as_well_and_taken_once(run):
    async with run() as rig:
        await rig.post(event())
        answer = await rig.post(event())
        assert (answer.status, json.loads(answer.body)) == (202, {"accepted": 0, "duplicates": 1})
        assert rig.kept == ["1"]


async def test_a_batch_of_a_thousand_is_taken_and_of_one_more_is_not(run):
    async with run() as rig:
        assert (await rig.post([event(str(number)) for number in range(1000)], BATCH)).status == 202
        document = await rig.refused([event(str(number)) for number in range(1001)], BATCH)
        assert document["status"] == 413
        assert "at most 1000" in document["detail"]
        assert "1001" in document["detail"]


# -- refused ----------------------------------------------------------------------------------------------


async def test_of_a_mixed_batch_the_good_events_are_kept_and_the_others_named_with_every_fault(run):
    async with run() as rig:
        batch = [event("good"), event("bad", specversion="0.3", time="noon"), 7, event("good"), event("fine")]
        document = await rig.refused(batch, BATCH)
        assert document["status"] == 422
        assert (document["accepted"], document["duplicates"], document["refused"]) == (2, 1, 2)
        first, second = document["errors"]
        assert (first["index"], first["id"]) == (1, "bad")
        assert [fault["pointer"] for fault in first["faults"]] == ["/1/specversion", "/1/time"]
        assert all(fault["detail"] for fault in first["faults"])
        assert (second["index"], second["id"], second["faults"][0]["pointer"]) == (2, None, "/2")
        assert rig.kept == ["good", "fine"]


@pytest.mark.parametrize(("body", "media", "pointer"), [
    (event(id=""), SINGLE, "/id"),
    ([event(id="")], BATCH, "/0/id"),
    ([event(id="")], "application/json", "/0/id"),
    ([event()], SINGLE, ""),
    (None, "application/json", ""),
    ("text", SINGLE, ""),
])  # fmt: skip
async def test_a_fault_points_at_its_place_in_what_was_sent(run, body, media, pointer):
    async with run() as rig:
        document = await rig.refused(body, media)
        assert document["status"] == 422
        assert [fault["pointer"] for fault in document["errors"][0]["faults"]] == [pointer]


async def test_what_an_event_of_the_chain_lacks_is_named(run):
    async with run() as rig:
        data = {"status": "LOST", "value": 1, "blockHeight": -1}
        document = await rig.refused(event(type="chain.transaction", data=data))
        assert {fault["pointer"] for fault in document["errors"][0]["faults"]} == {
            "/data/txHash",
            "/data/status",
            "/data/value",
            "/data/blockHeight",
        }


@pytest.mark.parametrize("media", ["", "text/plain", "application/cloudevents+xml", "application/jsonp", "json"])
async def test_another_media_type_is_refused_with_those_that_are_taken(run, media):
    async with run() as rig:
        document = await rig.refused(event(), media)
        assert document["status"] == 415
        assert SINGLE in document["detail"]
        assert BATCH in document["detail"]


@pytest.mark.parametrize("body", [
    b"", b"{", b"\xff\xfe", b"NaN", b"[" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40, b'"\\ud800"', b"1" * 5000,
])  # fmt: skip
async def test_what_is_no_json_is_refused(run, body):
    async with run() as rig:
        document = await rig.refused(body)
        assert document["status"] == 400


async def test_a_batch_that_is_none_is_refused(run):
    async with run() as rig:
        assert (await rig.refused(event(), BATCH))["status"] == 400


async def test_without_an_http_source_there_is_nothing_to_post_to(run):
    async with run(host=HostSource()) as rig:
        document = await rig.refused(event())
        assert document["status"] == 404
        assert '"http"' in document["detail"]


async def test_who_may_publish_tells_of_no_call_that_was_answered_and_the_audit_has_both(run):
    async with run() as rig:
        feed = Identity("feed", "feed", frozenset({"publisher"}), Proof.TOKEN, places=("acme",))
        rig.rights = AccessPolicy().rights(feed)
        batch = [event("c1", type="andon.call.closed"), event("a1", type="alarm.raised"), event("bad", time="noon")]
        document = await rig.refused(batch, BATCH)
        assert (document["status"], document["accepted"], rig.kept) == (422, 1, ["a1"])
        assert document["errors"][0]["faults"][0]["pointer"] == "/0/type"
        assert rig.audit == [("c1", Outcome.REFUSED), ("a1", Outcome.DONE)]
        assert {entry.who.subject for entry in rig.noted} == {"feed"}


# -- busy -------------------------------------------------------------------------------------------------


async def busy(rig: Rig, body: object, media: str = SINGLE) -> ProtocolError:
    with pytest.raises(ProtocolError) as busy:
        await rig.post(body, media)
    assert busy.value.status == 503
    assert busy.value.retry_after
    assert "again" in busy.value.detail
    return busy.value


async def test_what_finds_no_room_is_503_and_may_be_sent_again(run):
    calls = [event(str(number), type="andon.call.raised") for number in range(9)]
    async with run(is_open=False) as rig, trio.open_nursery() as nursery:
        await rig.post(event("first"))

        async def post() -> None:
            fault = await busy(rig, calls, BATCH)
            assert "4 of 9" in fault.detail

        nursery.start_soon(post)
        await trio.testing.wait_all_tasks_blocked()
        rig.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        answer = await rig.post(calls, BATCH)
        assert json.loads(answer.body) == {"accepted": 4, "duplicates": 5}
        assert rig.kept == ["first", *[str(number) for number in range(9)]]


async def test_a_call_is_not_answered_for_before_it_is_kept(run):
    answers: list[Response] = []
    async with run(is_open=False) as rig, trio.open_nursery() as nursery:

        async def post() -> None:
            answers.append(await rig.post(event("fire", type="andon.call.raised")))

        nursery.start_soon(post)
        await trio.testing.wait_all_tasks_blocked()
        assert answers == []
        rig.gate.set()
    assert [(answer.status, json.loads(answer.body)) for answer in answers] == [(202, {"accepted": 1, "duplicates": 0})]


async def test_what_is_not_kept_is_503_with_who_must_act(run):
    calls = [event(id_, type="andon.call.raised") for id_ in ("fire", "unkept")]
    async with run(fault="/var/lib/andond: cannot append: the disk is full; the operator must make room") as rig:
        fault = await busy(rig, calls, BATCH)
        assert "1 of 2" in fault.detail
        assert "/var/lib/andond: cannot append: the disk is full; the operator must make room" in fault.detail
        assert fault.members == {"accepted": 1, "duplicates": 0, "unkept": 1}


@pytest.mark.parametrize("fault", [None, ""])
async def test_without_a_word_of_the_recorder_what_is_not_kept_is_503_all_the_same(run, fault):
    async with run(fault=fault) as rig:
        assert "not kept" in (await busy(rig, event("unkept", type="andon.call.raised"))).detail


async def test_a_disk_that_does_not_answer_is_503_in_time_and_the_same_event_may_be_sent_again(run, autojump_clock):
    call = event("fire", type="andon.call.raised")
    async with run(is_open=False) as rig:
        began = trio.current_time()
        await busy(rig, call)
        assert trio.current_time() - began <= 6
        assert rig.audit == [("fire", Outcome.FAILED)]
        rig.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert (await rig.post(call)).status == 202


async def test_a_source_that_does_not_answer_is_503_in_time(run, monkeypatch, autojump_clock):
    gate = trio.Event()

    async def hang(*_args) -> None:
        await gate.wait()

    async with run() as rig:
        await rig.post(event())
        monkeypatch.setattr("actors.sources.http.HttpSource.on_receive", hang)
        # What runs has looked its handler up already.
        rig.present["http"] = HttpSource(duplicates=5)
        await ask(rig.sources.ref, ApplySources())
        began = trio.current_time()
        await busy(rig, event("2"))
        assert trio.current_time() - began <= 6
        gate.set()


async def test_a_source_that_is_restarting_answers_when_it_is_back(run, autojump_clock):
    async with run() as rig:
        await rig.post(event("1"))
        source = rig.sources.ref.actor_inbox.owner.child("http")
        source.tell(events.TakeEvents(None))
        await trio.testing.wait_all_tasks_blocked()
        assert (await rig.post(event("2"))).status == 202
        assert rig.kept == ["1", "2"]


async def test_after_a_reload_the_new_source_is_found(run):
    async with run() as rig:
        assert (await rig.post(event("1"))).status == 202
        rig.present.clear()
        await ask(rig.sources.ref, ApplySources())
        assert (await rig.refused(event("2")))["status"] == 404
        rig.present["door"] = HttpSource()
        await ask(rig.sources.ref, ApplySources())
        assert (await rig.post(event("3"))).status == 202
        assert rig.kept == ["1", "3"]


async def test_without_sources_it_is_503():
    async with ActorSystem.open() as system:
        await busy(Rig(system, [], trio.Event(), {}), event())


def test_every_event_that_the_tutorial_posts_is_one_that_is_taken():
    text = (Path(__file__).parents[3] / "docs/start.md").read_text(encoding="utf-8")
    posted = [json.loads(each) for each in re.findall(r"/api/v1/events -d '(.*?)'", text, re.DOTALL)]
    types = {checked(each, 0.0, BUILT_IN).type for each in posted}
    assert {"equipment.state.changed", "alarm.raised", "alarm.cleared", "production.counted"} <= types


def test_the_tutorial_names_every_plain_word_of_a_state():
    text = (Path(__file__).parents[3] / "docs/start.md").read_text(encoding="utf-8")
    assert [word for word in StateMap().words(PLAIN) if f"`{word}`" not in text] == []
