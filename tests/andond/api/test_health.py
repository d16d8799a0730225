from __future__ import annotations

import json
import re
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from msgspec.structs import replace

from actors import Front
from actors.runtime import ActorDead, ActorSystem, ChildSpec, Policy, Supervisor, TrioActor
from andond.api import health
from andond.api.health import Condition, Health
from andond.api.health_tree import unanswered
from config import HostSource, HttpSource, MtconnectSource
from domain import BUILT_IN, rfc3339
from telemetry import METRICS, gauges
from transport import ClientAddress, Request, Response, Routes

NOW = 1_800_000_000.0
PRESS = MtconnectSource(address="127.0.0.1:1", equipment="acme/press3", required=True)


class Part(TrioActor):
    """A part of the tree; says what it was made with, fails or hangs when told."""

    def __init__(self, says: dict | None = None) -> None:
        super().__init__()
        self.says = says or {}

    async def on_receive(self, message: object) -> None:
        if message == "hang":
            await trio.sleep_forever()
        raise RuntimeError("planted")

    def describe(self):
        return self.says


def source(name: str, state: str = "fresh", **says) -> ChildSpec:
    return ChildSpec(name, Part, ({"name": name, "kind": "mtconnect", "state": state, "age": 1.5, **says},))


class Rig:
    """The four paths, and the tree that they are asked of."""

    def __init__(self, system: ActorSystem, condition: Condition, front: Front) -> None:
        self.system = system
        self.condition = condition
        self.root = None
        self.health = Health(self.top, front, condition, lambda: NOW)
        self.routes = Routes()
        health.register(self.routes, self.health)

    def top(self):
        if self.root is None:
            raise ActorDead("no tree yet")
        return self.root

    def tell(self, path: str, message: str) -> None:
        owner = self.root.actor_inbox.owner
        for name in path.split("/"):
            owner = owner.child(name).actor_inbox.owner
        owner.actor_ref.tell(message)

    async def get(self, path: str, query: dict | None = None, **headers: str) -> Response:
        client = ClientAddress("127.0.0.1")
        return await self.routes(Request("GET", path, query or {}, headers, b"", client, secure=False, target=path))

    async def ask(self, path: str, **query: list[str]):
        answer = await self.get(path, query)
        return answer.status, json.loads(answer.body)

    async def wait(self) -> None:
        """Let things happen, and what was surveyed before grow old."""
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(1.1)


@pytest.fixture
def run():
    @asynccontextmanager
    async def running(
        *sources: ChildSpec,
        settings: dict | None = None,
        policy: Policy | None = None,
        canary: dict | None = None,
        journal: dict | None = None,
    ):
        watches = [
            ChildSpec("receipts", Part, ({"clients": 3, "overdue": {"received": 1, "shown": 0}},)),
            ChildSpec("canary", Part, (canary,)),
            ChildSpec("keys", Part, ({"id": {"keys": 0, "age": None, "trouble": "away"}},)),
        ]
        parts = [ChildSpec(name, Part) for name in ("floor", "portal")]
        specs = [
            ChildSpec("recorder", Part, (journal,)),
            ChildSpec("channels", Supervisor, ([ChildSpec(f"c{number}", Part) for number in range(100)],)),
            ChildSpec("desks", Supervisor, (parts, Policy(backoff=30.0))),
            ChildSpec("sources", Supervisor, (sources, Policy(backoff=30.0))),
            ChildSpec("listeners", Supervisor, ([ChildSpec("listener", Part)],)),
            ChildSpec("pulse", Part),
            ChildSpec("watches", Supervisor, (watches, Policy(backoff=30.0))),
        ]
        async with ActorSystem.open() as system:
            rig = Rig(system, Condition(NOW - 60, lambda: settings or {}), Front())
            rig.root = system.start(Supervisor, "gateway", specs, policy or Policy())
            await system.settled(rig.root)
            yield rig

    return running


@pytest.fixture
def lag():
    told = [0.0]
    gauges.feed("loop_lag", lambda: told[0])
    yield told
    gauges.forget("loop_lag")


# -- /livez -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/livez", "/healthz"])
@pytest.mark.parametrize(("seconds", "status"), [(0.0, 200), (1.0, 200), (1.2, 503)])
async def test_the_daemon_lives_while_its_loop_turns_within_a_second(run, autojump_clock, lag, path, seconds, status):
    lag[0] = seconds
    async with run() as rig:
        assert await rig.ask(path) == (
            status,
            {"status": "pass" if status == 200 else "fail", "lag_ms": round(seconds * 1000, 3)},
        )


async def test_the_loop_is_asked_and_not_the_actors(run, autojump_clock):
    async with run() as rig:
        rig.tell("desks/floor", "hang")
        assert await rig.ask("/livez") == (200, {"status": "pass"})
        assert trio.current_time() == 0.0


# -- /readyz ----------------------------------------------------------------------------------------------


async def test_a_tree_that_answers_is_ready(run, autojump_clock):
    async with run(source("press3"), settings={"press3": PRESS}) as rig:
        assert await rig.ask("/readyz") == (200, {"status": "pass", "not_ready": []})


@pytest.mark.parametrize("path", ["desks/floor", "listeners/listener", "pulse"])
async def test_a_stuck_actor_shows_as_stuck_within_the_deadline(run, autojump_clock, path):
    async with run() as rig:
        rig.tell(path, "hang")
        await rig.wait()
        began = trio.current_time()
        assert await rig.ask("/readyz") == (503, {"status": "fail", "not_ready": [f"gateway/{path} is stuck"]})
        status, document = await rig.ask("/statusz")
        assert trio.current_time() - began <= 1.1
        assert status == 200
        assert document["not_ready"] == [f"gateway/{path} is stuck"]
        found = next(actor for actor in walk(document["tree"]) if actor["path"] == f"gateway/{path}")
        assert (found["state"], found["handling"]) == ("stuck", "str")


def walk(actor):
    yield actor
    for child in actor.get("children", []):
        yield from walk(child)


async def test_an_actor_that_is_down_keeps_the_daemon_from_being_ready(run, autojump_clock):
    async with run() as rig:
        rig.tell("desks/portal", "fail")
        await rig.wait()
        assert (await rig.ask("/readyz"))[1]["not_ready"] == ["gateway/desks/portal is restarting"]
        await trio.sleep(40)
        assert (await rig.ask("/readyz"))[0] == 200


async def test_a_channel_that_is_stuck_is_not_the_daemon(run, autojump_clock):
    async with run() as rig:
        rig.tell("channels/c3", "hang")
        await rig.wait()
        assert (await rig.ask("/readyz"))[0] == 200


@pytest.mark.parametrize("state", ["stale", "connecting", "silent"])
async def test_a_required_source_that_is_not_fresh_is_told(run, autojump_clock, state):
    async with run(source("press3", state), source("press4", state), settings={"press3": PRESS}) as rig:
        assert await rig.ask("/readyz") == (503, {"status": "fail", "not_ready": [f"source press3 is {state}"]})


@pytest.mark.parametrize(("message", "state"), [("hang", "stuck"), ("fail", "restarting")])
async def test_a_required_source_that_cannot_speak_for_itself_is_told(run, autojump_clock, message, state):
    settings = {"press3": PRESS, "host": HostSource(), "press9": PRESS, "http": HttpSource()}
    async with run(source("press3"), source("host"), settings=settings) as rig:
        for name in ("press3", "host"):
            rig.tell(f"sources/{name}", message)
        await rig.wait()
        assert (await rig.ask("/readyz"))[1]["not_ready"] == [f"source press3 is {state}", "source press9 is missing"]


async def test_every_required_source_counts_however_many_there_are(run, autojump_clock):
    sources = [source(f"s{number}", "stale" if number == 77 else "fresh") for number in range(150)]
    async with run(*sources, settings={f"s{number}": PRESS for number in range(150)}) as rig:
        assert (await rig.ask("/readyz"))[1]["not_ready"] == ["source s77 is stale"]
        assert len((await rig.ask("/statusz"))[1]["sources"]) == 150


@pytest.mark.parametrize("path", ["/readyz", "/statusz"])
async def test_a_journal_that_cannot_be_written_is_told_with_who_must_act(run, autojump_clock, path):
    fault = "/var/lib/andond: cannot append: the disk is full; the operator must make room on the disk"
    async with run(journal={"writable": False, "fault": fault}) as rig:
        assert (await rig.ask(path))[1]["not_ready"] == [f"journal not writable: {fault}"]
    async with run(journal={"writable": True, "fault": None}) as rig:
        assert (await rig.ask(path))[1]["not_ready"] == []


@pytest.mark.parametrize(("far", "status"), [(None, 200), ("canary: 12 of 200 clients beyond 1.0 s", 503)])
async def test_when_too_many_clients_are_too_far_away_the_daemon_is_not_ready(run, autojump_clock, far, status):
    async with run(canary={"clients": 200, "not_ready": far}) as rig:
        found, document = await rig.ask("/readyz")
        assert (found, document["not_ready"]) == (status, [far] if far else [])


@pytest.mark.parametrize("message", ["hang", "fail"])
async def test_who_only_looks_keeps_nobody_from_being_ready(run, autojump_clock, message):
    async with run() as rig:
        rig.tell("watches/canary", message)
        await rig.wait()
        assert (await rig.ask("/readyz"))[0] == 200
        assert (await rig.ask("/statusz"))[1]["canary"] == {}


async def test_while_it_drains_the_daemon_is_not_ready(run, autojump_clock):
    async with run() as rig:
        rig.condition.draining = True
        assert await rig.ask("/readyz") == (503, {"status": "fail", "not_ready": ["draining"]})


async def test_without_a_tree_the_daemon_is_not_ready(run, autojump_clock):
    async with run() as rig:
        rig.root = None
        assert await rig.ask("/readyz") == (503, {"status": "fail", "not_ready": ["the actor tree is gone"]})
        status, document = await rig.ask("/statusz")
        assert (status, document["tree"], document["sources"]) == (200, None, [])
        assert unanswered(None) == ["the actor tree is gone"]


# -- asked often ------------------------------------------------------------------------------------------


async def test_probes_within_a_second_share_one_survey(run, autojump_clock, monkeypatch):
    surveys = []
    survey = health.survey

    async def counted(*args):
        surveys.append(args)
        return await survey(*args)

    monkeypatch.setattr(health, "survey", counted)
    async with run() as rig:
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(rig.get, "/readyz")
                nursery.start_soon(rig.get, "/statusz")
                nursery.start_soon(rig.get, "/metrics")
        assert len(surveys) == 1
        await trio.sleep(1.1)
        await rig.ask("/readyz")
        assert len(surveys) == 2


async def test_who_asks_while_it_starts_is_not_told_so_once_it_has(run, autojump_clock, monkeypatch):
    survey = health.survey

    async def of_a_start(*args):
        return replace(await survey(*args), state="starting")

    async with run() as rig:
        with monkeypatch.context() as started:
            started.setattr(health, "survey", of_a_start)
            assert await rig.ask("/readyz") == (503, {"status": "fail", "not_ready": ["gateway is starting"]})
        assert (await rig.ask("/readyz"))[0] == 200


async def test_who_wants_to_see_everybody_delays_no_probe(run, autojump_clock):
    async with run() as rig:
        rig.tell("channels/c3", "hang")
        await rig.wait()
        answered: list[float] = []

        async def everybody() -> None:
            status, document = await rig.ask("/statusz", expand=["all"])
            assert status == 200
            assert len(document["tree"]["children"][1]["children"]) == 100

        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(everybody)
            await trio.sleep(0.01)
            await rig.ask("/readyz")
            answered.append(trio.current_time() - began)
        assert answered[0] < 1.1


# -- /statusz ---------------------------------------------------------------------------------------------


async def test_the_status_document_says_everything(run, autojump_clock):
    async with run(source("press3"), settings={"press3": PRESS}, journal={"critical": "e7:88121"}) as rig:
        status, document = await rig.ask("/statusz")
        assert status == 200
        assert (document["ready"], document["not_ready"]) == (True, [])
        assert (document["started"], document["now"], document["uptime"]) == (rfc3339(NOW - 60), rfc3339(NOW), 60.0)
        assert document["connections"] == {"open": 0, "by_door": {}, "refused": {}}
        assert document["sources"] == [{"name": "press3", "kind": "mtconnect", "state": "fresh", "age": 1.5}]
        assert set(document["deliveries"]) == {"published", "frames_sent", "dropped", "conflated", "delivery_ms"}
        assert document["receipts"] == {"clients": 3, "overdue": {"received": 1, "shown": 0}}
        assert document["canary"] == {}
        assert document["access"]["issuers"] == [{"name": "id", "keys": 0, "age": None, "trouble": "away"}]
        assert document["journal"]["critical"] == "e7:88121"
        assert {"commits", "commit_ms", "failures", "published_unkept", "shed"} <= set(document["journal"])
        channels = document["tree"]["children"][1]
        assert (channels["id"], len(channels["children"]), channels["summarised"]) == ("channels", 8, 92)
        assert channels["summarised_states"] == {"running": 92}
        assert document["tree"]["children"][3]["children"][0]["says"]["name"] == "press3"


async def test_what_waits_is_told_with_its_depth_and_for_how_long_the_oldest_has(run, autojump_clock, lag, monkeypatch):
    monkeypatch.setattr("telemetry.metrics.CACHE_AGE", -1.0)
    async with run() as rig:
        rig.tell("channels/c42", "hang")
        rig.tell("channels/c42", "waits")
        rig.tell("desks/floor", "hang")
        await rig.wait()
        await trio.sleep(5)
        # In this tree nobody else looks at the clock.
        await rig.ask("/statusz")
        rig.tell("desks/floor", "waits")
        await trio.sleep(2)
        document = (await rig.ask("/statusz"))[1]
        floor = next(actor for actor in walk(document["tree"]) if actor["path"] == "gateway/desks/floor")
        assert floor["depth"]["normal"] == 1
        assert floor["age"]["normal"] == pytest.approx(3, abs=0.2)
        # The survey's own questions wait at both of them, as urgent as a question is.
        assert document["mailboxes"]["normal"] == {"depth": 2, "age": pytest.approx(10.1, abs=0.2)}
        assert document["mailboxes"]["critical"] == {"depth": 0, "age": 0.0}
        page = (await rig.get("/metrics")).body.decode()
        assert re.search(r'^andond_mailbox_age_seconds\{priority="normal"\} 1\d\.', page, re.MULTILINE)


async def test_the_policy_in_force_is_told_by_its_version(run, autojump_clock):
    async with run() as rig:
        told = (await rig.ask("/statusz"))[1]["policy"]
        assert told == {"version": BUILT_IN.version, "rules": len(BUILT_IN.rules)}


async def test_a_failure_is_told_with_its_age_and_its_message(run, autojump_clock):
    async with run() as rig:
        rig.tell("desks/floor", "fail")
        await trio.sleep(60)
        floor = next(
            actor for actor in walk((await rig.ask("/statusz"))[1]["tree"]) if actor["path"] == "gateway/desks/floor"
        )
        assert (floor["restarts"], floor["quarantined"], floor["state"]) == (1, 1, "running")
        assert floor["last_failure"] == "RuntimeError('planted')"
        assert floor["last_failure_age"] == pytest.approx(60, abs=1)


# -- as the portal's predecessor was watched --------------------------------------------------------------


async def test_who_watched_the_predecessor_is_told_what_readyz_says(run, autojump_clock):
    async with run() as rig:
        status, told = await rig.ask("/q/health")
        assert (status, told["status"]) == (200, "UP")
        assert [check["name"] for check in told["checks"]] == ["ready", "websocket"]
        assert told["checks"][1]["data"] == {"total_connections": 0, "by_door": {}}
        assert (await rig.get("/q/metrics")).headers["content-type"].startswith("text/plain")
        rig.tell("recorder", "hang")
        await rig.wait()
        status, told = await rig.ask("/q/health")
        assert (status, told["status"]) == (503, "DOWN")
        assert told["checks"][0]["data"]["not_ready"] == (await rig.ask("/readyz"))[1]["not_ready"]


# -- /metrics ---------------------------------------------------------------------------------------------


async def test_every_gauge_that_is_fed_is_on_the_metrics_page(run, lag, monkeypatch):
    monkeypatch.setattr("telemetry.metrics.CACHE_AGE", -1.0)
    async with run(source("press3"), source("press4", "stale"), settings={"press3": PRESS}) as rig:
        answer = await rig.get("/metrics")
        page = answer.body.decode()
        fed = gauges.sample()
        assert {"ready", "mailbox_depth", "sources_fresh", "source_age", "tasks", "loop_lag"} <= set(fed)
        for metric in METRICS:
            if metric.kind == "gauge" and not metric.is_counted:
                assert bool(re.search(rf"^{metric.name}[{{ ]", page, re.MULTILINE)) == (metric.value in fed), (
                    metric.name
                )
        assert 'andond_source_fresh{source="press3"} 1.0' in page
        assert 'andond_source_fresh{source="press4"} 0.0' in page
        assert 'andond_source_age_seconds{source="press4"} 1.5' in page
        assert "andond_ready 1.0" in page
        assert answer.headers["content-type"].startswith("text/plain")


async def test_the_metrics_say_what_is_not_ready(run, lag, monkeypatch):
    monkeypatch.setattr("telemetry.metrics.CACHE_AGE", -1.0)
    async with run(source("press3", "stale"), settings={"press3": PRESS}) as rig:
        assert "andond_ready 0.0" in (await rig.get("/metrics")).body.decode()


async def test_a_scraper_gets_the_form_that_it_asks_for(run, lag, monkeypatch):
    monkeypatch.setattr("telemetry.metrics.CACHE_AGE", -1.0)
    async with run() as rig:
        answer = await rig.get("/metrics", accept="application/openmetrics-text; version=1.0.0")
        assert answer.headers["content-type"].startswith("application/openmetrics-text")
        assert answer.body.endswith(b"# EOF\n")
