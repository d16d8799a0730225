"""The audit of a real daemon: all that people do is in it, nothing that is secret is, and no kill breaks it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
import websocket

from tests.process.conftest import wait_for

ROOT = Path(__file__).parents[2]
PASSWORD, WRONG, NEXT = "correct horse battery", "wrong horse battery", "another horse battery"
KEPT = '[storage]\npath = "{}"\n[log]\nlevel = "{}"\n[access.own]\nsecret_file = "{}"\n'
SIGNING = "the secret that tokens are signed with, 32 bytes and more"


@pytest.mark.parametrize("seed", [1, 2])
def test_the_chain_holds_and_nothing_that_was_answered_for_is_lost_however_often_its_writer_is_killed(seed, tmp_path):
    line = [sys.executable, "-m", "tests.process.killed_audit", str(tmp_path), "--seed", str(seed), "--kills", "60"]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert found["kills"] >= 60
    assert (found["broken lives"], found["broken chains"], found["damaged"]) == (0, 0, 0)
    assert (found["holds"], found["doubts"], found["lost"], found["twice"]) == (True, [], [], [])
    assert found["torn"] > 0
    assert found["retired"] > 0


class Gateway:
    def __init__(self, start, directory) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.data.mkdir(mode=0o700)
        (directory / "signing").write_text(SIGNING)
        self.secrets = [PASSWORD, WRONG, NEXT, SIGNING]
        self.user("add", "anna", "--role", "operator", "--place", "acme/l1", "--password-file", "-")
        self.user("add", "root", "--role", "admin", "--password-file", "-")
        self.daemon = start(config=self.config("info"))

    def config(self, level):
        return KEPT.format(self.data, level, self.directory / "signing")

    def andond(self, *words, says="") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "andond", *words, "--data-dir", str(self.data)]
        return subprocess.run(command, input=says, check=False, capture_output=True, text=True)

    def user(self, *words, says=PASSWORD) -> None:
        result = self.andond("user", *words, says=f"{says}\n")
        assert result.returncode == 0, result.stderr
        assert result.stderr == ""

    def ask(self, method, path, body=None, token=""):
        with closing(HTTPConnection("127.0.0.1", self.daemon.port, timeout=20)) as link:
            headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read() or b"null")

    def log_in(self, name="anna", password=PASSWORD):
        status, said = self.ask("POST", "/api/v1/auth/login", {"username": name, "password": password})
        if status == 200:
            self.secrets += [str(said["access_token"]), str(said["refresh_token"])]
        return said

    def entries(self, what=""):
        found = [json.loads(line) for path in self.files() for line in path.read_text().splitlines()]
        return [entry for entry in found if not what or entry["what"] == what]

    def files(self):
        return sorted((self.data / "audit").glob("*.jsonl"))

    def wait(self, what, count=1):
        return wait_for(lambda: found if len(found := self.entries(what)) >= count else None, f"{count} times {what}")


@pytest.fixture
def gateway(start_daemon, tmp_path):
    return Gateway(start_daemon, tmp_path)


def act_over_the_stream(gateway, token, act):
    link = websocket.WebSocket()
    address = f"ws://127.0.0.1:{gateway.daemon.port}/stream"
    link.connect(address, header=[f"Authorization: Bearer {token}"], timeout=20)
    link.send(json.dumps({"id": 1, "connect": {}}))
    link.recv()
    link.send(json.dumps({"id": 2, "subscribe": {"channel": "chain/blocks"}}))
    link.send(json.dumps({"id": 3, "act": act}))
    while (answer := json.loads(link.recv())).get("id") != 3:
        pass
    link.shutdown()
    assert "error" not in answer, answer


def live(gateway):
    """What people do in a day; the call that was raised."""
    said = gateway.log_in()
    token = str(said["access_token"])
    gateway.log_in(password=WRONG)
    gateway.log_in(name="nobody-" + WRONG, password=WRONG)
    gateway.ask("POST", "/api/v1/auth/refresh", {"refresh_token": said["refresh_token"]})
    gateway.ask("POST", "/api/v1/auth/refresh", {"refresh_token": said["refresh_token"]})
    token = str(gateway.log_in()["access_token"])
    gateway.ask("GET", "/api/v1/andon/calls", token=token[:-4] + "AAAA")
    gateway.ask("GET", "/api/v1/andon/calls")
    gateway.ask("GET", "/api/v1/audit", token=token)
    comment = {"comment": f"my token is {token}"}
    _, call = gateway.ask("POST", "/api/v1/andon/calls", {"equipment": "acme/l1", "type": "quality", **comment}, token)
    gateway.ask("POST", "/api/v1/andon/calls", {"equipment": token, "type": "quality"}, token)
    gateway.ask("GET", f"/api/v1/andon/calls/{token}", token="x.y.z")  # noqa: S106 - none
    act_over_the_stream(gateway, token, {"type": "andon.acknowledge", "key": "k1", "call": call["id"]})
    gateway.user("password", "anna", "--password-file", "-", says=NEXT)
    gateway.user("lock", "anna")
    (gateway.directory / "andond.toml").write_text(gateway.config("debug"))
    gateway.daemon.process.send_signal(1)
    gateway.wait("settings.reload")
    gateway.wait("token.revoke", 2)
    return call


def test_all_that_people_do_is_in_it_with_before_and_after(gateway):
    call = live(gateway)
    (acknowledged,) = gateway.wait("andon.acknowledge")
    assert (acknowledged["before"]["state"], acknowledged["after"]["state"]) == ("raised", "acknowledged")
    assert (acknowledged["who"]["name"], acknowledged["who"]["proof"]) == ("anna", "local")
    assert (acknowledged["from"]["address"], acknowledged["from"]["door"]) == ("127.0.0.1", "stream")
    assert acknowledged["target"] == {"path": "acme/l1", "id": call["id"]}
    (raised,) = [entry for entry in gateway.entries("andon.raise") if entry["outcome"] == "done"]
    assert (raised["from"]["door"], raised["before"], raised["after"]["state"]) == ("http", None, "raised")
    assert [entry["after"]["log.level"] for entry in gateway.entries("settings.reload")] == ["debug"]
    assert {entry["outcome"] for entry in gateway.entries("login")} == {"done", "refused"}
    assert {(entry["what"], entry["outcome"]) for entry in gateway.entries()} >= {
        ("user.add", "done"), ("user.password", "done"), ("user.lock", "done"), ("daemon.start", "done"),
        ("renewal", "done"), ("renewal", "refused"), ("token", "refused"), ("entry", "refused"),
        ("audit.read", "refused"), ("sight", "refused"),
    }  # fmt: skip


def test_nothing_that_is_secret_is_in_it(gateway):
    live(gateway)
    gateway.daemon.stop()
    assert gateway.entries()[-1]["what"] == "daemon.stop"
    verified = gateway.andond("audit", "verify")
    assert verified.returncode == 0, verified.stdout
    assert f"{gateway.entries()[-1]['number']}:" in verified.stdout
    assert "audit.anchored" in gateway.daemon.log.read_text()
    written = b"".join(path.read_bytes() for path in (gateway.data / "audit").iterdir()).decode("latin-1")
    for secret in gateway.secrets:
        assert secret not in written
        assert base64.b64encode(secret.encode()).decode() not in written
        for part in secret.split(".")[2:]:
            assert part not in written, "the signature of a token"


def test_the_chain_of_a_daemon_that_is_killed_holds_and_goes_on(gateway, start_daemon):
    for _ in range(3):
        gateway.log_in()
        gateway.wait("login")
        gateway.daemon.process.kill()
        gateway.daemon.process.wait()
        assert gateway.andond("audit", "verify").returncode == 0
        gateway.daemon = start_daemon(config=gateway.config("info"))
    assert len(gateway.entries("daemon.start")) == 4
    assert gateway.andond("audit", "verify").returncode == 0


def test_what_is_read_over_http_is_what_stands_in_the_file(gateway):
    token = str(gateway.log_in("root")["access_token"])
    status, found = gateway.ask("GET", "/api/v1/audit?what=login&limit=1", token=token)
    assert status == 200, found
    assert found["items"] == gateway.entries("login")[-1:]
    status, problem = gateway.ask("GET", "/api/v1/audit?since=yesterday", token=token)
    assert (status, problem["details"]["faults"][0]["pointer"]) == (422, "/query/since")


def test_what_somebody_changed_is_found_and_said(gateway):
    gateway.log_in()
    gateway.wait("login")
    gateway.daemon.stop()
    path = gateway.files()[0]
    path.write_bytes(path.read_bytes().replace(b'"name":"anna"', b'"name":"otto"', 1))
    verified = gateway.andond("audit", "verify")
    assert verified.returncode == 65
    assert "BROKEN at entry" in verified.stdout
