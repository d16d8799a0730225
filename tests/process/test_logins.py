"""Local users at a real daemon: added by the command line, logged in by HTTP, sent away over WebSockets."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest
import websocket

PASSWORD = "correct horse battery"  # noqa: S105
KEPT = '[storage]\npath = "{}"\n'


class Gateway:
    def __init__(self, start, directory) -> None:
        self._directory = directory
        self.user("add", "anna", "--role", "operator", "--password-file", "-")
        self.daemon = start(config=KEPT.format(directory))

    def user(self, *words: str) -> None:
        command = [sys.executable, "-m", "andond", "user", *words, "--data-dir", str(self._directory)]
        subprocess.run(command, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)

    def ask(self, method: str, path: str, body: object = None, token: str = "") -> tuple[int, dict[str, object]]:
        with closing(HTTPConnection("127.0.0.1", self.daemon.port, timeout=20)) as link:
            headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
            link.request(method, path, None if body is None else json.dumps(body), headers)
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())

    def log_in(self) -> dict[str, object]:
        status, said = self.ask("POST", "/api/v1/auth/login", {"username": "anna", "password": PASSWORD})
        assert status == 200, said
        return said

    def follow(self, path: str, token: str) -> websocket.WebSocket:
        link = websocket.WebSocket()
        link.connect(f"ws://127.0.0.1:{self.daemon.port}{path}", header=[f"Authorization: Bearer {token}"], timeout=20)
        return link


@pytest.fixture
def gateway(start_daemon, tmp_path):
    (tmp_path / "data").mkdir(mode=0o700)
    return Gateway(start_daemon, tmp_path / "data")


def close_code(link: websocket.WebSocket) -> int:
    while True:
        opcode, data = link.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def test_who_logs_in_is_let_in_until_the_command_line_says_otherwise(gateway):
    assert gateway.ask("GET", "/api/v1/andon/calls")[0] == 401
    token = gateway.log_in()["access_token"]
    assert gateway.ask("GET", "/api/v1/andon/calls", token=token)[0] == 200
    status, said = gateway.ask("POST", "/api/v11/login/authenticate", {"username": "ANNA", "password": PASSWORD})
    assert (status, said["success"]) == (200, True)
    told, stream = gateway.follow("/ws/tokens", token), gateway.follow("/stream", token)
    assert json.loads(told.recv())["type"] == "SUBSCRIBED"
    gateway.user("lock", "anna")
    assert json.loads(told.recv())["type"] == "LOGOUT_ALL"
    assert close_code(told) == 1008
    assert close_code(stream) == 4004
    for link in (told, stream):
        link.shutdown()
    assert gateway.ask("GET", "/api/v1/andon/calls", token=token)[0] == 401
    assert gateway.ask("POST", "/api/v1/auth/login", {"username": "anna", "password": PASSWORD})[0] == 401
    written = gateway.daemon.log.read_text()
    assert "login.succeeded" in written
    assert PASSWORD not in written
    assert str(token) not in written
