"""A real daemon against its own document: every operation of ``/openapi.json``, asked with what the document allows
and with what it does not, by schemathesis.

Rules of this file: what is asked is the same in each run; half of the ids and places that are asked for are there. A
status above 499 is a failure, except a 503 that the document names and that says when to come again. That what fits
the document is accepted is not asked for: a moment or a place is more than its schema can say.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import jwt
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from andond.api.needs import need_of

if TYPE_CHECKING:
    from schemathesis import Case

    from tests.process.conftest import Daemon

PLANT = (Path(__file__).parents[2] / "docs/examples/plant.toml").read_text(encoding="utf-8")
MORE = """
[floor.products.flour]
ideal_cycle = 2.0

[floor.quality.defects]
torn = "Torn bag"

[sources.door]
kind = "http"

[storage]
path = "{}"
"""
GUARDED = """
[access.issuers.floor]
secret_file = "{}"
audience = []
"""
SECRET = "a secret of this test, which guards nothing at all"  # noqa: S105 - as said
BAGGER = "acme/plant1/packing/line3/bagger"
PLACES = (BAGGER, "acme/plant1/packing/line3")
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    allow_header_conformance,
]
PATIENCE = 20.0
EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 3}
LEAST = 1000

Query = Mapping[str, str]


class Examination:
    """Asks ``daemon``; ``token`` is shown with each request, ``known`` are the ids of what there is."""

    def __init__(self, daemon: Daemon, token: str = "", admin: str = "") -> None:
        self.daemon = daemon
        self._headers = {"authorization": f"Bearer {token}"} if token else {}
        self._admin = {"authorization": f"Bearer {admin}"} if admin else {}
        self.known = tuple(self._begin())
        self.asked: dict[int, int] = {}
        self.faults: dict[tuple[str, str], str] = {}
        self._turn = itertools.count()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        return requests.get(self.daemon.url + path[1:], headers=headers, timeout=PATIENCE)

    def document(self) -> dict[str, object]:
        answer = self.get("/openapi.json", self._admin)
        assert answer.status_code == 200
        said: dict[str, object] = answer.json()
        return said

    def examine(self) -> None:
        """Ask for everything that the document has."""
        with requests.Session() as session:
            for found in schemathesis.openapi.from_dict(self.document()).get_all_operations():
                operation = found.ok()
                modes = [GenerationMode.POSITIVE]
                if operation.body or operation.query:
                    modes.append(GenerationMode.NEGATIVE)
                for mode in modes:
                    self._ask(operation.as_strategy(generation_mode=mode), EXAMPLES[mode], session)

    def _ask(self, cases: object, count: int, session: requests.Session) -> None:
        @settings(
            max_examples=count,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(cases)
        def ask(case: Case) -> None:
            self._send(case, session)

        ask()

    def _send(self, case: Case, session: requests.Session) -> None:
        if next(self._turn) % 2:
            self._name_what_there_is(case)
        # Who logs out is somebody else, or the rest were asked by nobody.
        headers = {} if "login" in case.operation.tags else self._headers
        answer = case.call(self.daemon.url.rstrip("/"), session, headers=headers, timeout=PATIENCE)
        self.asked[answer.status_code] = self.asked.get(answer.status_code, 0) + 1
        label = case.operation.label
        says_when = answer.status_code == 503 and "retry-after" in answer.headers
        if answer.status_code >= 500 and not says_when:
            self.faults[(label, "server error")] = f"{answer.status_code} {case.as_curl_command()} {answer.text}"
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            for fault in group.exceptions:
                self.faults.setdefault((label, type(fault).__name__), f"{fault} {case.as_curl_command()}")

    def _name_what_there_is(self, case: Case) -> None:
        turn = next(self._turn)
        if case.path_parameters:
            for name in case.path_parameters:
                words = self.known if name == "id" else PLACES
                case.path_parameters[name] = quote(words[turn // 2 % len(words)], safe="")
        meta = case.meta
        if case.query and "equipment" in case.query and meta is not None and meta.generation.mode.is_positive:
            case.query["equipment"] = PLACES[turn // 2 % len(PLACES)]

    def _begin(self) -> Iterator[str]:
        """Let something happen, so that lists have rows."""
        event = {"specversion": "1.0", "id": "e1", "source": f"/{BAGGER}", "type": "alarm.raised"}
        data = {"key": "motor", "code": "M1", "level": "FAULT", "previous": "NORMAL", "text": "hot"}
        self._post("/api/v1/events", {**event, "data": data})
        for path, body in (
            ("andon/calls", {"type": "material", "text": "no bags"}),
            ("jobs", {"product": "flour", "quantity": 10}),
            ("changeovers", {"from": "flour", "to": "sugar"}),
            ("quality/checks", {"inspected": 10, "passed": 9}),
            ("quality/defects", {"code": "torn"}),
            ("production-counts", {"produced": 3}),
        ):
            answer = self._post(f"/api/v1/{path}", {"equipment": BAGGER, **body})
            if isinstance(answer.get("id"), str):
                yield str(answer["id"])
        yield self._alarm()

    def _alarm(self) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            items = self.get("/api/v1/alarms", self._admin).json()["items"]
            if items:
                return str(items[0]["id"])
        raise AssertionError("the alarm was not raised")

    def _post(self, path: str, body: object) -> dict[str, object]:
        with closing(HTTPConnection("127.0.0.1", self.daemon.port, timeout=PATIENCE)) as link:
            link.request("POST", path, json.dumps(body), {"content-type": "application/json", **self._admin})
            answer = link.getresponse()
            said: dict[str, object] = json.loads(answer.read())
        assert answer.status in {201, 202}, said
        return said


def signed(subject: str, role: str) -> str:
    claims = {"sub": subject, "name": subject, "role": role, "exp": int(time.time()) + 3600}
    return jwt.encode(claims, SECRET, "HS256")


@pytest.fixture
def examination(request, start_daemon, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    config = PLANT + MORE.format(tmp_path / "data")
    if request.param == "open":
        return Examination(start_daemon(config=config))
    secret = tmp_path / "floor.secret"
    secret.write_text(SECRET)
    secret.chmod(0o600)
    daemon = start_daemon(config=config + GUARDED.format(secret))
    return Examination(daemon, signed("ben", request.param), signed("ada", "admin"))


def quiet(daemon: Daemon) -> bool:
    """Whether nothing went wrong in the daemon, and its log has nothing of a token."""
    log = daemon.log.read_text()
    assert SECRET not in log
    assert "eyJ" not in log
    return not any(word in log for word in ("actor.failed", "request.failed", "connection.failed"))


@pytest.mark.parametrize("examination", ["open", "operator"], indirect=True)
def test_every_answer_is_what_the_document_says_and_none_is_an_error_of_ours(examination):
    examination.examine()
    assert examination.faults == {}
    assert sum(examination.asked.values()) > LEAST, examination.asked
    assert examination.asked[200] > 100
    assert quiet(examination.daemon)


@pytest.mark.parametrize("examination", ["operator"], indirect=True)
def test_whoever_says_nothing_of_themselves_is_told_401_at_every_operation_that_is_not_public(examination):
    let_in = []
    with closing(HTTPConnection("127.0.0.1", examination.daemon.port, timeout=PATIENCE)) as link:
        for path, methods in examination.document()["paths"].items():
            for method, operation in methods.items():
                public = need_of(method.upper(), path).is_public
                assert ("401" in operation["responses"]) or public
                link.request(method.upper(), path.replace("{", "").replace("}", ""))
                answer = link.getresponse()
                answer.read()
                if not public and (answer.status, "bearer" in answer.headers["www-authenticate"].lower()) != (
                    401,
                    True,
                ):
                    let_in.append((method, path, answer.status))
    assert let_in == []
