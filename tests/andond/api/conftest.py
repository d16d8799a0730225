"""A plant with its whole tree on a port of its own, and a client that holds every answer to the OpenAPI document.

Rules of this file: real sockets on 127.0.0.1, a port that the kernel chose, a real data directory; the tree runs in a
thread of its own and is ended by its own fixture.
"""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
import trio

from actors import Front
from actors.places import GATEWAY
from actors.runtime import ActorSystem, Supervisor
from andond.api import build_routes
from andond.api.describe import Operation
from andond.api.health import Condition, Health
from andond.api.problem_types import Problem
from andond.guard import Guard
from andond.identities import Identities
from andond.tree import GATEWAY_POLICY, Present, gateway
from config import StorageSettings, load
from transport import Routes, address_of, json_response, open_listeners

LIMIT = 20.0
EXAMPLE = Path(__file__).parents[3] / "docs/examples/plant.toml"

UNITS = ", ".join(f'{{ name = "p{number}" }}' for number in range(1, 31))
MORE = f"""
[floor.products.flour]
ideal_cycle = 2.0

[floor.quality.defects]
torn = "Torn bag"

[sources.door]
kind = "http"

[[site.lines]]
name = "tests"
units = [{UNITS}]
"""


@dataclass
class Answer:
    """What came back: the status, the headers, the JSON."""

    status: int
    headers: dict[str, str]
    body: object = field(default=None)

    def __getitem__(self, name: str) -> object:
        assert isinstance(self.body, dict)
        return self.body[name]


class Plant:
    """The whole tree of the example of the documents; ``get``, ``post`` and ``publish`` speak to it."""

    def __init__(self, directory: Path, text: str = "") -> None:
        file = directory / "andond.toml"
        file.write_text(EXAMPLE.read_text() + text)
        settings = load(file, {}, {}).settings
        self.present = Present(msgspec.structs.replace(settings, storage=StorageSettings(path=str(directory))))
        self._sockets = open_listeners("127.0.0.1:0", 16384)
        self.port = int(address_of(self._sockets[0]).rpartition(":")[2])
        self.routes = Routes()
        self._numbers = itertools.count(1)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._main,))
        self._thread.start()
        assert self._ready.wait(LIMIT)

    async def _main(self) -> None:
        front = Front()
        async with ActorSystem.open() as system:
            health = Health(lambda: root, front, Condition(time.time(), self.present.sources))
            self.routes = build_routes(system.environment, health, site=self.present.site, guard=Guard(Identities()))
            specs = gateway(self.present, self._sockets, self.routes, _no_door, front)
            root = system.start(Supervisor, GATEWAY, specs, GATEWAY_POLICY)
            await system.settled(root)
            self._token = trio.lowlevel.current_trio_token()
            self._over = trio.Event()
            self._ready.set()
            await self._over.wait()

    def close(self) -> None:
        """End it."""
        trio.from_thread.run_sync(self._over.set, trio_token=self._token)
        self._thread.join(LIMIT)
        assert not self._thread.is_alive()
        for each in self._sockets:
            each.close()

    def request(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """Ask, and hold the answer to what the document says of the path."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        sent = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        link.request(method, path, sent, {"content-type": "application/json", **(headers or {})})
        got = link.getresponse()
        answer = Answer(got.status, {name.lower(): value for name, value in got.getheaders()}, json.loads(got.read()))
        link.close()
        self._hold(method, path, answer)
        return answer

    def get(self, path: str) -> Answer:
        """Read below /api/v1."""
        return self.request("GET", f"/api/v1{path}")

    def post(self, path: str, body: object = None, key: str | None = None) -> Answer:
        """Act below /api/v1."""
        return self.request("POST", f"/api/v1{path}", body, None if key is None else {"Idempotency-Key": key})

    def publish(self, type_: str, data: object, source: str, at: str | None = None) -> str:
        """Have an event taken in by the source that takes what is posted."""
        id_ = f"e{next(self._numbers)}"
        event = {"specversion": "1.0", "id": id_, "source": source, "type": type_, "data": data}
        if at is not None:
            event["time"] = at
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        link.request("POST", "/api/v1/events", json.dumps(event), {"content-type": "application/cloudevents+json"})
        answer = link.getresponse()
        assert answer.status == 202, answer.read()
        link.close()
        return id_

    def until(self, path: str, look: Callable[[Answer], bool]) -> Answer:
        """The answer of ``path`` as soon as ``look`` is true of it."""
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self.get(path)
            with suppress(KeyError, IndexError, TypeError):
                if look(answer):
                    return answer
            assert time.monotonic() < deadline, f"{path} did not become what was waited for: {answer.body}"

    def _hold(self, method: str, path: str, answer: Answer) -> None:
        about = self._about(method, path.partition("?")[0])
        if answer.status >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            problem = msgspec.convert(answer.body, Problem)
            assert (problem.status, problem.detail != "") == (answer.status, True)
            if about is not None:
                assert answer.status in about.refuses, f"{about.name} does not say that it may answer {answer.status}"
        elif about is not None:
            assert answer.status == about.status
            if about.answer is not None and method != "HEAD":
                known = msgspec.to_builtins(msgspec.convert(answer.body, about.answer))
                assert strangers(answer.body, known) == [], f"{about.name} answers what its schema does not have"

    def _about(self, method: str, path: str) -> Operation | None:
        """What the table says of the route of ``path``: the one with the most plain segments that fits."""
        segments = path.split("/")
        found = [route for route in self.routes if route.method == method and _fits(route.pattern, segments)]
        best = max(found, key=lambda route: (route.pattern.count("/"), -route.pattern.count("{")), default=None)
        return best.about if best is not None and isinstance(best.about, Operation) else None


def strangers(said: object, known: object, place: str = "") -> list[str]:
    """The members of ``said`` that the schema does not know: they are not in ``known``."""
    if isinstance(said, dict) and isinstance(known, dict):
        return [
            name
            for key, value in said.items()
            for name in (strangers(value, known[key], f"{place}/{key}") if key in known else [f"{place}/{key}"])
        ]
    if isinstance(said, list) and isinstance(known, list):
        pairs = zip(said, known, strict=True)
        return [name for one, other in pairs for name in strangers(one, other, f"{place}/-")]
    return []


def _fits(pattern: str, segments: list[str]) -> bool:
    parts = pattern.split("/")
    if parts[-1].endswith("...}") and len(segments) >= len(parts):
        parts = parts[:-1] + ["{}"] * (len(segments) - len(parts) + 1)
    return len(parts) == len(segments) and all(
        part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
    )


def _no_door(_request: object) -> object:
    return json_response({}, 404)


@contextmanager
def living(directory: Path, text: str = "") -> Iterator[Plant]:
    """A plant with its data in ``directory``, until the end of the block."""
    plant = Plant(directory, text)
    try:
        yield plant
    finally:
        plant.close()


@pytest.fixture(scope="module")
def plant(tmp_path_factory) -> Iterator[Plant]:
    """The plant that the tests of a file share."""
    with living(tmp_path_factory.mktemp("plant"), MORE) as plant:
        yield plant


@pytest.fixture(scope="session")
def plant_in() -> Callable[[Path], AbstractContextManager[Plant]]:
    """A plant of a test's own."""
    return living
