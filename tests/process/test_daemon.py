"""The real daemon as a subprocess: how it starts, obeys signals and ends. Every wait is for a condition."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import websocket

LIMIT = 20.0
READY = re.compile(r"daemon\.ready address=\S*?:(\d+)")
HTTP = "[sources.door]\nkind = 'http'\n"
# What a service manager does with a socket that it opened itself.
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.execve(sys.argv[2], sys.argv[2:], {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
"""


def wait_for(look: Callable[[], object], what: str, limit: float = LIMIT):
    deadline = time.monotonic() + limit
    while not (value := look()):
        assert time.monotonic() < deadline, f"{what} did not come within {limit:g} s"
        time.sleep(0.02)
    return value


class Daemon:
    """``andond run -c FILE`` on a port of its own; its log and its standard output go to files."""

    def __init__(self, directory: Path, text: str = HTTP, command: tuple[str, ...] = (), **environ: str) -> None:
        self.config = directory / "andond.toml"
        self.config.write_text(text)
        self.clients: list[websocket.WebSocket] = []
        self._log, self._out = directory / "log", directory / "out"
        clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("ANDOND__")}
        clean |= {"ANDOND__LOG__FORMAT": "logfmt", "PYTHONUNBUFFERED": "1", **environ}
        line = (*command, sys.executable, "-m", "andond", "run", "-c", str(self.config), "--listen", "127.0.0.1:0")
        with self._log.open("wb") as log, self._out.open("wb") as out:
            self.process = subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env=clean,
                pass_fds=((int(environ["PASS_FD"]),) if "PASS_FD" in environ else ()),
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def port(self) -> int:
        return int(self.said(READY)[1])

    def said(self, pattern: re.Pattern[str] | str) -> re.Match[str]:
        """The first match in the log, as soon as there is one."""

        def look() -> re.Match[str] | None:
            found = re.search(pattern, self.log)
            assert found or self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log}"
            return found

        return wait_for(look, f"{pattern} in the log")

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self, limit: float = LIMIT) -> int:
        return self.process.wait(limit)

    def get(self, path: str, scheme: str = "http", context: ssl.SSLContext | None = None):
        request = urllib.request.Request(f"{scheme}://127.0.0.1:{self.port}{path}")  # noqa: S310
        return _answer(request, context)

    def post(self, body: object, media: str = "application/cloudevents+json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}/api/v1/events"
        return _answer(urllib.request.Request(url, raw, {"content-type": media}))

    def status(self):
        return json.loads(self.get("/statusz")[1])

    def sources(self) -> list[str]:
        return [source["name"] for source in self.status()["sources"]]

    def has_open(self, count: int) -> bool:
        return self.status()["connections"]["open"] == count

    def connect(self, path: str) -> websocket.WebSocket:
        """A client that stays until it is told to go, at the latest by the end of the test."""
        spoken = ["cloudevents.json"] if path.startswith("/stream") else None
        address = f"ws://127.0.0.1:{self.port}{path}"
        self.clients.append(websocket.create_connection(address, timeout=LIMIT, subprotocols=spoken))
        return self.clients[-1]

    def end(self) -> None:
        for client in self.clients:
            client.shutdown()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def _answer(request: urllib.request.Request, context: ssl.SSLContext | None = None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=LIMIT) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    started: list[Daemon] = []

    def begin(text: str = HTTP, command: tuple[str, ...] = (), **environ: str) -> Daemon:
        directory = tmp_path / f"daemon{len(started)}"
        directory.mkdir()
        started.append(Daemon(directory, text, command, **environ))
        return started[-1]

    yield begin
    for daemon in started:
        daemon.end()


def close_code(client: websocket.WebSocket) -> int:
    """What the server closes with; the Close is answered."""
    while True:
        opcode, data = client.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


# -- start ------------------------------------------------------------------------------------------------


def test_it_says_what_to_open_and_answers(start):
    daemon = start()
    port = daemon.port
    wait_for(lambda: "is ready" in daemon.out, "what to open")
    assert re.fullmatch(rf"andond \S+ is ready: open http://127\.0\.0\.1:{port}/\n", daemon.out)
    assert daemon.get("/livez")[0] == 200
    assert json.loads(daemon.get("/readyz")[1]) == {"status": "pass", "not_ready": []}
    status = daemon.status()
    assert (status["ready"], status["tree"]["state"]) == (True, "running")
    assert daemon.sources() == ["door"]
    page = daemon.get("/metrics")[1].decode()
    for name in ("andond_ready 1.0", "andond_channels ", "andond_subscriptions ", "andond_loop_lag_seconds "):
        assert f"\n{name}" in page
    assert b"<html" in daemon.get("/")[1]


def test_a_port_that_is_taken_is_said_in_a_line(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        line = [sys.executable, "-m", "andond", "run", "--listen", address]
        result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == f"andond: cannot listen on {address}: Address already in use"
    assert result.stdout == ""


def test_settings_with_faults_end_it_with_78_and_all_of_them(start):
    daemon = start("[server]\nconnections = 0\nlisten = 'nowhere'\n[log]\nlevel = 'loud'\n[sources.x]\nkind = 'y'\n")
    assert daemon.ended() == 78
    lines = daemon.log.splitlines()
    # The flag for the address wins over the file, so that one is no fault.
    for key in ("server.connections", "log.level", "sources.x.kind"):
        assert sum(line.startswith((key, f"{daemon.config}")) and key in line for line in lines) == 1
    assert "Traceback" not in daemon.log


def test_a_configuration_that_is_not_there_ends_it_with_78(tmp_path):
    line = [sys.executable, "-m", "andond", "run", "-c", str(tmp_path / "lost.toml")]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert result.returncode == 78
    assert "lost.toml" in result.stderr


def test_a_source_that_is_not_there_takes_nothing_along(start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = taken.getsockname()[1]
    press = f"[sources.press3]\nkind = 'mtconnect'\naddress = '127.0.0.1:{nobody}'\nequipment = 'acme/press3'\n"
    daemon = start(HTTP + press + "required = true\n")
    assert daemon.get("/livez")[0] == 200
    code, document = daemon.get("/readyz")
    assert code == 503
    assert json.loads(document)["not_ready"][0].startswith("source press3 is ")
    assert daemon.post(event())[0] == 202


def test_it_serves_the_socket_that_the_service_manager_opened(start):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = str(listener.fileno())
        daemon = start(command=(sys.executable, "-c", HAND_OVER, number), PASS_FD=number)
        assert daemon.port == listener.getsockname()[1]
        assert daemon.get("/livez")[0] == 200
        daemon.signal(signal.SIGTERM)
        assert daemon.ended() == 0


def test_the_service_manager_is_told_of_everything(start, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(LIMIT)

        told: list[str] = []

        def heard(field: str) -> str:
            while True:
                told.extend(() if told else channel.recv(4096).decode().split("\n"))
                line = told.pop(0)
                if line.startswith(field):
                    return line

        daemon = start(NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="400000")
        assert heard("READY") == "READY=1"
        assert heard("STATUS") == "STATUS=0 connections, 1 sources"
        for _ in range(3):
            assert heard("WATCHDOG") == "WATCHDOG=1"
        daemon.signal(signal.SIGHUP)
        assert heard("RELOADING") == "RELOADING=1"
        assert heard("MONOTONIC_USEC")
        assert heard("READY") == "READY=1"
        daemon.signal(signal.SIGTERM)
        assert heard("STOPPING") == "STOPPING=1"
        assert daemon.ended() == 0
        assert daemon.out == ""


# -- end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sends_every_client_away_in_its_own_words_and_ends_it_with_0(start, number):
    daemon = start()
    clients = {
        "/api/v11/live/stream": 1012,
        "/ws/metrics": 1012,
        "/stream?channel=equipment/*": 4201,
    }
    opened = {path: daemon.connect(path) for path in clients}
    wait_for(lambda: daemon.has_open(3), "three connections")
    daemon.signal(number)
    assert {path: close_code(client) for path, client in opened.items()} == clients
    assert daemon.ended() == 0
    assert "connections=3" in daemon.said("daemon.draining .*")[0]
    assert daemon.said("daemon.stopped .*")[0].endswith("left=0")
    assert "Traceback" not in daemon.log


def test_while_it_drains_nobody_more_is_let_in_and_probes_are_told(start):
    daemon = start()
    port = daemon.port
    probe = socket.create_connection(("127.0.0.1", port), LIMIT)
    client = daemon.connect("/ws/metrics")
    with probe:
        # A request under way is answered while the client takes its time to leave.
        probe.sendall(b"POST /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n")
        daemon.signal(signal.SIGTERM)
        daemon.said("listener.closed")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), LIMIT)
        assert close_code(client) == 1012
    assert daemon.ended() == 0


def test_a_second_signal_ends_it_at_once(start):
    daemon = start("[server]\ndrain_timeout = 600\n")
    client = socket.create_connection(("127.0.0.1", daemon.port), LIMIT)
    with client:
        client.sendall(
            b"GET /ws/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        assert client.recv(12) == b"HTTP/1.1 101"
        wait_for(lambda: daemon.has_open(1), "the connection")
        # It never answers the Close.
        daemon.signal(signal.SIGTERM)
        daemon.said("daemon.draining")
        daemon.signal(signal.SIGTERM)
        assert daemon.ended(5.0) == 0
        assert daemon.said("daemon.stopped .*")[0].endswith("left=1")


def test_clients_that_stay_are_cut_when_the_time_is_over(start):
    daemon = start("[server]\ndrain_timeout = 0.2\n")
    daemon.connect("/ws/metrics")
    wait_for(lambda: daemon.has_open(1), "the connection")
    daemon.signal(signal.SIGTERM)
    assert daemon.ended(10.0) == 0
    assert daemon.said("daemon.stopped .*")[0].endswith("left=1")


def test_the_tree_goes_to_the_log_when_it_is_asked_for(start):
    daemon = start()
    assert daemon.port
    daemon.signal(signal.SIGUSR1)
    assert daemon.said("tree.dumped actor=gateway/listeners/listener state=running")


# -- reload -----------------------------------------------------------------------------------------------


def test_a_reload_applies_what_it_can_and_says_what_waits(start):
    daemon = start()
    assert daemon.port
    daemon.config.write_text(
        "[server]\nconnections = 5\nconnections_per_address = 5\nhead_size = 2048\n"
        "[log]\nlevel = 'debug'\n[sources.host]\nkind = 'host'\n"
    )
    daemon.signal(signal.SIGHUP)
    told = daemon.said("settings.reloaded .*")[0]
    for key in ("server.connections", "log.level", "sources.host", "sources.door"):
        assert key in told.partition("needs_restart")[0]
    assert "needs_restart=server.head_size" in told
    clients = [daemon.connect("/ws/metrics") for _ in range(5)]
    wait_for(lambda: daemon.get("/livez")[0] == 503, "the new limit")
    for client in clients:
        client.close()
    wait_for(lambda: daemon.get("/livez")[0] == 200, "room again")
    wait_for(lambda: daemon.post(event())[0] == 404, "no source to post to")
    wait_for(lambda: daemon.sources() == ["host"], "the host")
    assert " debug connection.closed" in daemon.log


def test_a_reload_of_a_broken_file_leaves_everything_in_force(start):
    daemon = start()
    assert daemon.port
    for text, fault in (("[server\n", "TOML"), ("[server]\nconnections = -1\n", "server.connections")):
        daemon.config.write_text(text)
        daemon.signal(signal.SIGHUP)
        assert fault in daemon.said(f"settings.refused .*{fault}.*")[0]
    assert daemon.post(event())[0] == 202
    daemon.config.write_text(HTTP)
    daemon.signal(signal.SIGHUP)
    daemon.said("settings.reloaded")
    daemon.signal(signal.SIGTERM)
    assert daemon.ended() == 0


def test_a_reload_puts_a_new_certificate_in_force(start, authority, tmp_path):
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"

    def issue() -> None:
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(str(key))
        issued.cert_chain_pems[0].write_to_path(str(chain))

    def serial() -> str:
        plain = socket.create_connection(("127.0.0.1", daemon.port), LIMIT)
        with trusted.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            return secured.getpeercert()["serialNumber"]

    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    issue()
    daemon = start(f"[server]\ncertificate = '{chain}'\nkey = '{key}'\n")
    wait_for(lambda: "https://" in daemon.out, "what to open")
    assert daemon.get("/livez", "https", trusted)[0] == 200
    old = serial()
    issue()
    daemon.signal(signal.SIGHUP)
    daemon.said("settings.reloaded")
    assert serial() != old
    new = serial()
    chain.write_text("nothing of the kind")
    daemon.signal(signal.SIGHUP)
    daemon.said("settings.refused")
    assert serial() == new
    assert daemon.get("/livez", "https", trusted)[0] == 200


# -- what goes through ------------------------------------------------------------------------------------


def event(id: str = "1", **members):  # noqa: A002
    return {"specversion": "1.0", "id": id, "source": "/acme/press3", "type": "andon.call.raised", **members}


def test_what_is_posted_arrives_at_who_follows(start):
    daemon = start()
    client = daemon.connect("/stream?channel=andon/*")
    wait_for(lambda: daemon.has_open(1), "the connection")
    assert daemon.post(event(data={"station": 4}))[0] == 202
    told = json.loads(client.recv())
    assert (told["id"], told["channel"], told["priority"], told["data"]) == (
        "1",
        "andon/acme/press3",
        "critical",
        {"station": 4},
    )
    assert told["offset"].endswith(":1")


def test_what_is_too_large_is_told_so_and_others_notice_nothing(start):
    daemon = start("[server]\nbody_size = 4096\nhead_size = 2048\n" + HTTP)
    client = daemon.connect("/ws/metrics")
    assert daemon.post(b"x" * 5000)[0] == 413
    request = urllib.request.Request(f"http://127.0.0.1:{daemon.port}/livez", headers={"x": "y" * 4000})
    assert _answer(request)[0] == 431
    assert json.loads(client.recv())["timestamp"]


def test_status_in_a_terminal_says_that_it_is_ready(start):
    daemon = start()
    line = [sys.executable, "-m", "andond", "status", "--url", f"http://127.0.0.1:{daemon.port}"]
    result = subprocess.run(line, capture_output=True, text=True, check=False, timeout=LIMIT)
    assert result.returncode == 0
    assert ", ready\n" in result.stdout
    assert "source door: fresh, nothing yet (http)" in result.stdout
    assert "    listener [running]" in result.stdout
