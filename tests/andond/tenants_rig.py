"""Two tenants on one gateway, every name of whom says whose it is, what each of them does there, and what is asked.

Rules of this file: real sockets on 127.0.0.1, the whole tree, a port that the kernel chose, a data directory. Whatever
is of a tenant, by configuration or by act, contains its mark: a byte of the other's that arrives somewhere is seen.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch
from urllib.parse import quote

import msgspec
import trio
import websockets.sync.client

from actors import Front
from actors.places import GATEWAY, PORTAL_DESK, SERIES, Address
from actors.recorder import disk
from actors.runtime import ActorSystem, Supervisor
from andond.api import build_routes
from andond.api.health import Condition, Health
from andond.api.portal_data import DeskData
from andond.doors import Doors
from andond.floor_desks import FloorDesks
from andond.floor_doors import FloorDoors
from andond.guard import Guard
from andond.identities import Identities, Terms
from andond.portal_doors import ConsoleDesk, PortalDoors
from andond.tree import GATEWAY_POLICY, Present, gateway
from config import Standing, StorageSettings, load
from domain.access import AccessPolicy, Identity, Proof, Tenant, TokenFault, TokenRefused
from transport import Route, Routes, address_of, open_listeners
from transport.dialects.floor import Roster

LIMIT = 20.0
MARKS = ("xalphax", "xbravox")
GHOST = "xghostx"
"""The mark of nobody: what is asked for by it is asked for as the other tenant's things are, and is not there."""

SITE = """
# Everything is asked as fast as it goes.
[server.limits.user]
commands = 0

[site]
enterprise = "shared"
name = "plant"

[sources.door]
kind = "http"

[floor.quality.defects]
torn = "Torn"

[floor.products.flour]
ideal_cycle = 2.0
"""

OF_TENANT = """
[[site.shifts]]
name = "{m}-early"
begins = "00:00"
ends = "12:00"
places = ["shared/plant/{m}-hall"]

[[site.shifts]]
name = "{m}-late"
begins = "12:00"
ends = "00:00"
places = ["shared/plant/{m}-hall"]

[[site.people]]
name = "{m}-chief"
roles = ["{m}-fitters"]
places = ["shared/plant/{m}-hall"]

[[site.areas]]
name = "{m}-hall"
title = "Hall of {m}"
aliases = ["{m}-A1"]

[[site.areas.lines]]
name = "{m}-line"
title = "Line of {m}"
aliases = ["{m}-L1"]
shifts = ["{m}-early", "{m}-late"]
units = [{{ name = "{m}-press", title = "Press of {m}", aliases = ["{m}-P1"] }}, {{ name = "{m}-spare" }}]

[[floor.escalation.chains]]
name = "{m}-chain"
paths = ["shared/plant/{m}-hall/*"]
acknowledge = 3600.0
resolve = 3600.0
unacknowledged = [{{ notify = ["{m}-chief"], channels = ["websocket"] }}]

[[floor.alarms.list]]
equipment = "shared/plant/{m}-hall/*"
key = "{m}-guard"
priority = "critical"
cause = "{m} cause"
consequence = "{m} consequence"
action = "{m} action"
time_to_respond = 60.0

[floor.quality.characteristics.{m}-weight]
equipment = "shared/plant/{m}-hall/{m}-line/{m}-press"
lower = 1.0
upper = 9.0
mean = 5.0
sigma = 1.0

[sources.{m}-machine]
kind = "mtconnect"
equipment = "shared/plant/{m}-hall/{m}-line/{m}-spare"
address = "127.0.0.1:1"
required = true
"""


def hall(mark: str) -> str:
    return f"shared/plant/{mark}-hall"


def press(mark: str) -> str:
    return f"{hall(mark)}/{mark}-line/{mark}-press"


def places(mark: str) -> list[str]:
    """What a place of the tenant is called, in every way."""
    line = f"{hall(mark)}/{mark}-line"
    return [hall(mark), line, press(mark), f"{hall(mark)}/{mark}-new", f"{mark}-L1", f"{mark}-P1", f"{mark}-A1"]


POLICY = AccessPolicy(tenants=[Tenant(MARKS[0], (hall(MARKS[0]),)), Tenant(MARKS[1], (hall(MARKS[1]),), ("chain/*",))])


def person(mark: str, role: str = "admin", own: Sequence[str] = ()) -> Identity:
    return Identity(f"{mark}-{role}-id", f"{mark}-{role}", frozenset({role}), Proof.TOKEN, mark, tuple(own))


TOKENS = {
    **{f"token-of-{mark}": person(mark) for mark in MARKS},
    "viewer": person(MARKS[0], "viewer"),
    "operator": person(MARKS[0], "operator", (f"{hall(MARKS[0])}/{MARKS[0]}-line",)),
    "boss": Identity("boss", "boss", frozenset({"admin"}), Proof.TOKEN, "*"),
}


class Verifier:
    """Knows the tokens of this test."""

    def verify(self, token: str, at: float) -> Identity:
        assert at > 0
        if token not in TOKENS:
            raise TokenRefused(TokenFault.MALFORMED)
        return TOKENS[token]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def everything(self) -> str:
        """All of it that a client can read."""
        return f"{self.status}\n{json.dumps(dict(self.headers))}\n{self.text}".casefold()

    @property
    def body(self) -> object:
        return json.loads(self.text)


class House:
    """The whole tree on a port of its own, in a thread of its own."""

    def __init__(self, directory: Path) -> None:
        file = directory / "andond.toml"
        file.write_text(SITE + "".join(OF_TENANT.format(m=mark) for mark in MARKS))
        settings = load(file, {}, {}).settings
        self.present = Present(msgspec.structs.replace(settings, storage=StorageSettings(path=str(directory))))
        self._sockets = open_listeners("127.0.0.1:0", 16384)
        self.port = int(address_of(self._sockets[0]).rpartition(":")[2])
        self.routes = Routes()
        self.numbers = itertools.count(1)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._live)
        self._thread.start()
        assert self._ready.wait(LIMIT)

    def _live(self) -> None:
        # Nothing is tried of the disk here, and other tests may keep it for seconds.
        with patch.object(disk, "PATIENCE", LIMIT):
            trio.run(self._main)

    async def _main(self) -> None:
        front, roster = Front(), Roster(lambda: 100)
        identities = Identities(lambda: Terms(POLICY, verifier=Verifier()))
        async with ActorSystem.open() as system:
            environment = system.environment
            standing = Condition(time.time(), self.present.sources, standing=lambda: Standing.GUARDED)
            health = Health(lambda: root, front, standing)
            self.routes = build_routes(environment, health, roster, self.present.site, Guard(identities))
            desks = FloorDesks(environment, self.present.site)
            floor = FloorDoors(
                lambda: self.present.settings.floor.doors,
                lambda: self.present.site().equipment,
                desks.answers,
                roster,
                identities,
            )
            data = DeskData(Address(environment, PORTAL_DESK), Address(environment, SERIES))
            doors = Doors(self.present.server, floor, PortalDoors(ConsoleDesk(data), identities), identities)
            specs = gateway(self.present, self._sockets, self.routes, doors, front)
            root = system.start(Supervisor, GATEWAY, specs, GATEWAY_POLICY)
            await system.settled(root)
            self._token = trio.lowlevel.current_trio_token()
            self._over = trio.Event()
            self._ready.set()
            await self._over.wait()

    def close(self) -> None:
        trio.from_thread.run_sync(self._over.set, trio_token=self._token)
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        for each in self._sockets:
            each.close()

    def ask(
        self,
        token: str,
        method: str,
        path: str,
        body: object = None,
        media: str = "application/json",
        key: str | None = None,
    ) -> Answer:
        """Ask with ``token``; without one if it is empty."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        headers = {"content-type": media} | ({"authorization": f"Bearer {token}"} if token else {})
        headers |= {"idempotency-key": key} if key else {}
        with suppress(ConnectionError):
            link.request(method, quote(path, safe="/?&=%:@+"), None if body is None else json.dumps(body), headers)
        got = link.getresponse()
        answer = Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, got.read().decode())
        link.close()
        return answer

    def connect(self, path: str, token: str, **how: object) -> websockets.sync.client.ClientConnection:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"ws://127.0.0.1:{self.port}{path}"
        return websockets.sync.client.connect(url, proxy=None, additional_headers=headers, **how)

    def gets(self) -> list[Route]:
        """Every path that can be read."""
        return [route for route in self.routes if route.method == "GET"]

    def publish(self, token: str, type_: str, data: object, source: str, at: str | None = None) -> Answer:
        number = next(self.numbers)
        event = {"specversion": "1.0", "id": f"e{number}", "source": source, "type": type_, "data": data}
        event |= {} if at is None else {"time": at}
        return self.ask(token, "POST", "/api/v1/events", event, "application/cloudevents+json")

    def until(self, token: str, path: str, look: Callable[[Answer], bool]) -> Answer:
        """The answer of ``path`` as soon as ``look`` is true of it."""
        give_up = time.monotonic() + LIMIT
        while time.monotonic() < give_up:
            answer = self.ask(token, "GET", path)
            if look(answer):
                return answer
        raise AssertionError(f"{path}: {answer}")


class Party:
    """One tenant at the gateway: what it does, and the names of what came of it."""

    def __init__(self, house: House, mark: str) -> None:
        self.house, self.mark, self.token = house, mark, f"token-of-{mark}"
        self.ids: dict[str, list[str]] = {}

    def post(self, path: str, body: Mapping[str, object], key: str | None = None) -> Answer:
        return self.house.ask(self.token, "POST", f"/api/v1{path}", body, key=key)

    def made(self, kind: str, path: str, body: Mapping[str, object]) -> None:
        answer = self.post(path, body)
        assert answer.status in (200, 201, 409), answer
        if answer.status != 409:
            self.ids.setdefault(kind, []).append(str(answer.body["id"]))

    def act(self, what: str) -> None:
        """Do something, all words of which have the mark."""
        getattr(self, f"do_{what}")(next(self.house.numbers))

    def do_call(self, number: int) -> None:
        word = ("material", "quality", "maintenance", "safety")[number % 4]
        body = {"type": word, "equipment": press(self.mark), "text": f"{self.mark} help {number}"}
        self.made("call", "/andon/calls", {**body, "assigned_to": f"{self.mark}-chief", "station": f"{self.mark}-st"})

    def do_acknowledge(self, number: int) -> None:
        for id_ in self.ids.get("call", [])[-1:]:
            word = ("acknowledge", "arrive", "resolve", "escalate")[number % 4]
            self.post(f"/andon/calls/{id_}/{word}", {"comment": f"{self.mark} comment {number}"})

    def do_job(self, number: int) -> None:
        body = {"equipment": f"{self.mark}-L1", "product": f"{self.mark}-flour", "quantity": 10}
        body |= {
            "description": f"{self.mark} job",
            "assignedTo": f"{self.mark}-chief",
            "id": f"{self.mark}-job-{number}",
        }
        self.made("job", "/jobs", {**body, "plannedStart": "2026-11-21T06:00:00Z"})
        self.post(f"/jobs/{self.mark}-job-{number}/accept", {})
        self.post(f"/jobs/{self.mark}-job-{number}/start", {"comment": self.mark})

    def do_count(self, number: int) -> None:
        answer = self.post("/production-counts", {"equipment": f"{self.mark}-P1", "good": 1 + number % 5, "scrap": 1})
        assert answer.status == 201, answer

    def do_check(self, number: int) -> None:
        body = {"characteristic": f"{self.mark}-weight", "values": [5.0 + number % 7], "product": f"{self.mark}-flour"}
        self.post("/quality/checks", {**body, "id": f"{self.mark}-check-{number}"})
        found = {
            "equipment": press(self.mark),
            "code": "torn",
            "comment": self.mark,
            "id": f"{self.mark}-defect-{number}",
        }
        assert self.post("/quality/defects", found).status == 201

    def do_changeover(self, number: int) -> None:
        body = {"equipment": press(self.mark), "from": f"{self.mark}-old", "to": f"{self.mark}-new-{number}"}
        self.made("changeover", "/changeovers", body)

    def do_alarm(self, number: int) -> None:
        for place in (press(self.mark), f"{hall(self.mark)}/{self.mark}-new"):
            data = {"key": f"{self.mark}-guard", "code": f"{self.mark}-{number}", "level": "FAULT", "text": self.mark}
            assert self.house.publish(self.token, "alarm.raised", data, f"/{place}").status == 202
        found = self.house.until(self.token, "/api/v1/alarms?list=all&limit=1000", lambda one: bool(one.body["items"]))
        self.ids["alarm"] = [each["id"] for each in found.body["items"]]
        self.post(f"/alarms/{self.ids['alarm'][0]}/shelve", {"reason": self.mark, "duration": 3600.0})

    def do_stop(self, number: int) -> None:
        data = {"model": "plain", "state": ("running", "fault", "idle")[number % 3]}
        now = time.time()
        for age, state in ((3600.0, "running"), (1800.0, "fault"), (600.0, data["state"])):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - age))
            said = {"model": "plain", "state": state, "text": self.mark}
            assert (
                self.house.publish(self.token, "equipment.state.changed", said, f"/{press(self.mark)}", at).status
                == 202
            )
        found = self.house.ask(self.token, "GET", "/api/v1/downtimes?days=2&limit=1000")
        self.ids["downtime"] = [each["id"] for each in found.body["items"]]
        for id_ in self.ids["downtime"][:1]:
            self.post(f"/downtimes/{id_}/assign", {"reason_code": "OTHER", "comment": self.mark})

    def do_chain(self, number: int) -> None:
        block = {"blockHeight": number, "blockHash": f"{self.mark}{number}", "proposer": f"{self.mark}-validator"}
        told = {"validator": f"{self.mark}-validator", "status": "ACTIVE"}
        for type_, data in (("chain.block", {**block, "transactionCount": 1}), ("validator.status", told)):
            # A chain is no tenant's own: neither says anything of it, whoever sees it.
            answer = self.house.publish(self.token, type_, data, f"/{hall(self.mark)}")
            assert answer.status == 422, answer
            if self.mark == MARKS[1]:
                assert self.house.publish("boss", type_, data, f"/{hall(self.mark)}").status == 202


ACTS = ("call", "acknowledge", "job", "count", "check", "changeover", "alarm", "stop", "chain")
