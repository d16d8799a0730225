"""The example of docs/examples in the real daemon: found by its entry point, at work over real sockets."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import websocket

if TYPE_CHECKING:
    from tests.process.conftest import Daemon, Page

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "line4"
PRESS = "acme/plant1/line4/press1"
FOLLOWED = "channel=readings/*&channel=events/*&channel=sources/*&channel=andon/*"
LIMIT = 20.0
CONFIG = """
[sources.door]
kind = "http"

[sources.gauge]
kind = "hook"
hook = "line4/gauge"
equipment = "{press}"
cadence = 0.1
options = {{ port = {port} }}

[notifications]
channels = ["horn"]

[notifications.hooks.horn]
hook = "line4/horn"
options = {{ port = {horn} }}
"""


class Device:
    """Speaks one line of text to whoever asks, on a port of its own; ``answer`` can be changed, "" is none."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.asked: list[str] = []
        device = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                device.asked.append(self.rfile.readline().decode().strip())
                if device.answer:
                    self.wfile.write(device.answer.encode() + b"\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def gauge() -> Iterator[Device]:
    device = Device("512.5")
    yield device
    device.close()


@pytest.fixture
def horn() -> Iterator[Device]:
    device = Device("OK")
    yield device
    device.close()


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A directory in which the example is as an installer leaves it; the PYTHONPATH that has it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    information = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    shutil.copy(EXAMPLE / "line4.py", site)
    groups = [
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in project["entry-points"].items()
    ]
    (information / "entry_points.txt").write_text("\n".join(groups))
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    return os.pathsep.join([str(site), str(ROOT)])


@pytest.fixture
def hooked(start_daemon: Callable[..., Daemon], gauge: Device, horn: Device, installed: str) -> Daemon:
    return start_daemon(0, CONFIG.format(press=PRESS, port=gauge.port, horn=horn.port), PYTHONPATH=installed)


@contextmanager
def following(daemon: Daemon) -> Iterator[Callable[[str], dict]]:
    """A function that returns the next event of a type that the daemon sends."""
    socket = websocket.create_connection(
        f"ws://127.0.0.1:{daemon.port}/stream?{FOLLOWED}", timeout=LIMIT, subprotocols=["cloudevents.json"]
    )

    def following_event(type_: str) -> dict:
        while True:
            event = json.loads(socket.recv())
            if event["type"] == type_:
                return event

    try:
        yield following_event
    finally:
        socket.close()


def ask(daemon: Daemon, path: str, body: object = None) -> dict:
    connection = HTTPConnection("127.0.0.1", daemon.port, timeout=LIMIT)
    if body is None:
        connection.request("GET", path)
    else:
        connection.request("POST", path, json.dumps(body), {"content-type": "application/cloudevents+json"})
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def parts(daemon: Daemon) -> dict[str, dict]:
    return {f"{part['kind']} {part['name']}": part for part in ask(daemon, "/statusz")["hooks"]}


def said_of_the_gauge(daemon: Daemon, state: str) -> dict:
    """What the status document says of the gauge once it is in ``state``; it is a second old at most."""
    deadline = time.monotonic() + LIMIT
    while True:
        (source,) = [each for each in ask(daemon, "/statusz")["sources"] if each["name"] == "gauge"]
        if source["state"] == state:
            return source
        assert time.monotonic() < deadline, source
        time.sleep(0.05)


def list_hooks(daemon: Daemon, installed: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "andond", "hooks", "--url", daemon.url, *more]
    environ = {**os.environ, "PYTHONPATH": installed}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=LIMIT, check=False)


def test_a_source_that_a_hook_adds_is_read_and_streamed(hooked: Daemon) -> None:
    with following(hooked) as next_event:
        reading = next_event("equipment.reading")
    assert (reading["source"], reading["subject"]) == (f"/{PRESS}", "force")
    assert reading["data"] == {"value": 512.5, "unit": "kN"}
    source = said_of_the_gauge(hooked, "fresh")
    assert (source["kind"], source["hook"]) == ("hook", "line4/gauge")


def test_a_rule_that_a_hook_adds_words_an_event_of_its_own_type(hooked: Daemon, gauge: Device) -> None:
    with following(hooked) as next_event:
        next_event("equipment.reading")
        gauge.answer = "700"
        told = next_event("press.overloaded")
    assert (told["source"], told["priority"], told["hook"]) == (f"/{PRESS}", "high", "line4/rule/overload")
    assert told["data"] == {"force": 700.0, "limit": 630.0, "unit": "kN"}


def test_a_rule_that_a_hook_adds_calls_for_help(hooked: Daemon, gauge: Device) -> None:
    with following(hooked) as next_event:
        gauge.answer = "700"
        call = next_event("andon.call.raised")
    assert call["priority"] == "critical"
    assert call["data"]["text"] == "force 700 kN, the frame is made for 630 kN"
    assert call["data"]["raised_by"] == "hook line4/rule/overload"
    assert call["source"] == f"/{PRESS}"


def test_a_channel_that_a_hook_adds_brings_the_call_to_people(hooked: Daemon, gauge: Device, horn: Device) -> None:
    with following(hooked) as next_event:
        gauge.answer = "700"
        notified = next_event("andon.call.notified")
    assert any(line.startswith("SOUND") and PRESS in line for line in horn.asked)
    assert notified["source"] == f"/{PRESS}"


def test_a_type_that_a_hook_adds_is_checked_where_events_are_posted(hooked: Daemon) -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/press2", "type": "press.overloaded", "data": {"force": "x"}}
    refusal = ask(hooked, "/api/v1/events", event)
    assert "/data/force" in json.dumps(refusal)
    event["data"] = {"force": 700, "limit": 630, "unit": "kN"}
    assert ask(hooked, "/api/v1/events", event)["accepted"] == 1


def test_a_hook_that_raises_is_in_quarantine_and_the_rest_goes_on(
    hooked: Daemon, gauge: Device, installed: str
) -> None:
    with following(hooked) as next_event:
        next_event("equipment.reading")
        gauge.answer = "no number"
        told = next_event("hook.quarantined")
    assert told["data"]["name"] == "gauge@gauge"
    assert "could not convert string to float" in told["data"]["reason"]
    said_of_the_gauge(hooked, "quarantined")
    known = parts(hooked)
    assert known["source gauge@gauge"]["state"] == "quarantined"
    assert known["rule overload"]["state"] == "ready"
    log = hooked.log.read_text()
    assert "hook.quarantined" in log
    assert "line4.py" in log, "the traceback is in the log"
    listed = list_hooks(hooked, installed)
    assert listed.returncode == 1
    assert "line4 source gauge@gauge: quarantined" in listed.stdout
    assert "line4 rule overload: ready" in listed.stdout


def test_a_gauge_that_is_away_is_asked_again(hooked: Daemon, gauge: Device) -> None:
    with following(hooked) as next_event:
        next_event("equipment.reading")
        gauge.answer = ""
        lost = next_event("source.silent")
        assert "gauge" in json.dumps(lost)
        gauge.answer = "400"
        while next_event("equipment.reading")["data"]["value"] != 400:
            pass
    assert parts(hooked)["source gauge@gauge"]["state"] == "ready"


def test_hooks_are_listed_where_no_daemon_runs(hooked: Daemon, installed: str) -> None:
    hooked.stop()
    listed = list_hooks(hooked, installed, "--json")
    assert listed.returncode == 0
    document = json.loads(listed.stdout)
    assert [f"{part['kind']} {part['name']}" for part in document["parts"]] == [
        "type press.overloaded",
        "rule overload",
        "channel horn",
        "source gauge",
    ]


def test_the_page_shows_what_is_in_quarantine(hooked: Daemon, gauge: Device, page: Page) -> None:
    page.open(hooked.url)
    page.wait("document.querySelector('#hook-rows').textContent.includes('line4 overload')")
    gauge.answer = "no number"
    page.wait("document.querySelector('#hooks-count').textContent === '1 in quarantine'")
    assert "line4 gauge@gauge" in page.text("#hook-rows")
    assert "could not convert" in page.text("#hook-rows")
    assert page.complaints == []
