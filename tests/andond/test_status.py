from __future__ import annotations

import json
import socket
import threading
from argparse import Namespace
from collections.abc import Iterator

import pytest

from andond.status import lines, main
from storage import Users

DOCUMENT = {
    "node": "gateway1",
    "version": "0.1.0",
    "uptime": 93784.2,
    "ready": True,
    "not_ready": [],
    "connections": {"open": 21, "by_door": {"live": 20, "stream": 1}, "refused": {}},
    "deliveries": {
        "published": 7,
        "frames_sent": 15234,
        "dropped": 1,
        "conflated": 2,
        "delivery_ms": {"p50": 0.21, "p99": None},
    },
    "policy": {"version": "7c69f2e4b2f3", "rules": 20},
    "mailboxes": {"critical": {"depth": 0, "age": 0.0}, "normal": {"depth": 3, "age": 2.25}},
    "sources": [
        {"name": "press3", "kind": "mtconnect", "state": "fresh", "age": 4.2},
        {"name": "http", "kind": "http", "state": "fresh", "age": None},
    ],
    "tree": {
        "id": "gateway",
        "state": "running",
        "depth": {"critical": 0, "normal": 0},
        "restarts": 0,
        "last_failure": None,
        "children": [
            {
                "id": "channels",
                "state": "running",
                "depth": {"normal": 3},
                "age": {"normal": 2.25},
                "children": [],
                "summarised": 92,
            },
            {"id": "desks", "state": "stuck", "depth": {}, "restarts": 2, "last_failure": "RuntimeError('planted')"},
        ],
    },
}


class Speaker:
    """A port that says one thing to whoever comes."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listener.accept()
        with sock:
            self.heard.append(sock.recv(65536))
            sock.sendall(self._says)

    def close(self) -> None:
        if not self.heard:
            socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def speaker() -> Iterator:
    made: list[Speaker] = []

    def make(says: bytes) -> Speaker:
        made.append(Speaker(says))
        return made[-1]

    yield make
    for one in made:
        one.close()


def answer(document: object) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)


def ask(url: str | None, **options: bool | str) -> int:
    return main(Namespace(**{"url": url, "json": False, "quiet": False, **options}))


def test_a_status_is_told_in_lines_for_a_person():
    assert list(lines(DOCUMENT)) == [
        "andond 0.1.0 on gateway1, ready",
        "up 1 d 2 h, 21 connections (live 20, stream 1)",
        "15234 frames sent, 2 conflated, 1 dropped; delivery p50 0.21 ms, p99 none yet",
        "waiting: critical 0, normal 3 (2.2 s)",
        "policy 7c69f2e4b2f3, 20 rules",
        "",
        "source press3: fresh, 4 s ago (mtconnect)",
        "source http: fresh, nothing yet (http)",
        "",
        "gateway [running]",
        "  channels [running], 3 waiting, the oldest for 2.2 s, 92 more not shown",
        "  desks [stuck], 2 restarts, last failure: RuntimeError('planted')",
    ]


def test_an_issuer_whose_keys_are_not_there_or_are_old_is_told_at_the_head():
    issuers = [
        {"name": "good", "keys": 2, "age": 12.0, "trouble": None},
        {"name": "old", "keys": 2, "age": 3720.0, "trouble": "https://id.example: cannot connect"},
        {"name": "away", "keys": 0, "age": None, "trouble": "https://id2.example: cannot connect"},
        {"name": "new", "keys": 0, "age": None, "trouble": None},
    ]
    told = list(lines({**DOCUMENT, "access": {"standing": "guarded", "issuers": issuers}}))
    assert told[1:4] == [
        "issuer old: its keys are 1 h 2 min old: https://id.example: cannot connect",
        "issuer away: NO KEYS, none of its tokens is taken: https://id2.example: cannot connect",
        "issuer new: NO KEYS, none of its tokens is taken",
    ]
    assert told[4].startswith("up 1 d")


def test_a_chain_that_stands_still_and_whom_it_has_in_jail_are_told_and_why_a_node_is_not_reached():
    bob = {"text": "bob JAILED: downtime", "since": 80, "watched": True}
    nodes = [
        {"name": "backup", "state": "silent", "fault": "Connection refused"},
        {"name": "a", "state": "fresh", "fault": None},
    ]
    chain = {
        "chain": "hub-1",
        "state": "halted",
        "headHeight": 95,
        "headAgeMs": 61_000,
        "validators": {"ACTIVE": 7, "INACTIVE": 0, "JAILED": 2},
        "jailed": [bob, {"text": "ann JAILED", "since": None, "watched": False}],
        "nodes": nodes,
    }
    reached = {"node": "backup", "part": "rpc", "connected": False, "reason": "Connection refused"}
    hub = {"name": "hub", "kind": "cosmos", "state": "lost", "age": None, "reason": None, "nodes": [reached]}
    told = list(lines({**DOCUMENT, "chains": [chain, {"chain": "new-1", "state": "live"}], "sources": [hub]}))
    assert told[6:16] == [
        "chain hub-1: HALTED, height 95, 1 min 1 s old",
        "  validators: 7 ACTIVE, 2 JAILED",
        "  bob JAILED: downtime, since height 80 (watched)",
        "  node backup: silent, Connection refused",
        "",
        "chain new-1: live",
        "",
        "source hub: lost, nothing yet (cosmos)",
        "  node backup (rpc): Connection refused",
        "",
    ]


def test_the_daemon_is_asked_where_its_configuration_says_that_it_listens(speaker, tmp_path, capsys):
    one, file = speaker(answer(DOCUMENT)), tmp_path / "plant.toml"
    file.write_text(f'[server]\nlisten = "{one.url.removeprefix("http://")}"\n')
    assert ask(None, config=str(file)) == 0
    file.write_text('[server]\nlisten = "nowhere"\n')
    assert ask(None, config=str(file)) == 78
    assert "server.listen" in capsys.readouterr().err


def test_what_is_not_ready_is_named():
    document = {**DOCUMENT, "ready": False, "not_ready": ["gateway/desks is stuck", "source press3 is stale"]}
    assert next(lines(document)).endswith("NOT READY: gateway/desks is stuck, source press3 is stale")


@pytest.mark.parametrize(("seconds", "text"), [
    (0, "0 s"), (59.6, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (90061, "1 d 1 h"), (None, "?"),
])  # fmt: skip
def test_a_span_is_told_in_its_two_largest_units(seconds, text):
    assert f"up {text}, " in list(lines({**DOCUMENT, "uptime": seconds}))[1]


@pytest.mark.parametrize("document", [{}, {"tree": None, "sources": None, "connections": 5, "deliveries": []}])
def test_a_document_of_another_version_is_told_as_far_as_it_goes(document):
    assert list(lines(document))


@pytest.mark.parametrize(("ready", "code"), [(True, 0), (False, 1), (None, 1)])
def test_the_exit_code_says_whether_it_is_ready(speaker, capsys, ready, code):
    assert ask(speaker(answer({**DOCUMENT, "ready": ready})).url) == code
    assert "gateway1" in capsys.readouterr().out


def test_the_document_is_asked_for_by_its_path_and_printed_as_it_is(speaker, capsys):
    one = speaker(answer(DOCUMENT))
    assert ask(one.url + "/", json=True) == 0
    assert one.heard[0].startswith(b"GET /statusz HTTP/1.1\r\n")
    assert json.loads(capsys.readouterr().out) == DOCUMENT


def test_quiet_says_it_with_the_exit_code_alone(speaker, capsys):
    assert ask(speaker(answer(DOCUMENT)).url, quiet=True) == 0
    assert ask("http://127.0.0.1:1", quiet=True) == 2
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("says", [
    b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", answer([]),
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n",
])  # fmt: skip
def test_whoever_is_no_daemon_gives_no_answer(speaker, capsys, says):
    one = speaker(says)
    assert ask(one.url) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"andond: no answer from {one.url}: ")
    assert err.count("\n") == 1
    assert len(err.strip()) > len(f"andond: no answer from {one.url}:")


def test_whoever_hangs_up_over_tls_wanted_a_certificate_perhaps(speaker, capsys):
    assert ask(speaker(b"").url.replace("http:", "https:")) == 2
    advice = ": if it asks for a certificate, show it one by --certificate FILE --key FILE\n"
    assert capsys.readouterr().err.endswith(advice)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "127.0.0.1:9003", "http://127.0.0.1:1", "http://127.0.0.1:x"])
def test_where_nobody_can_be_asked_there_is_no_answer(capsys, url):
    assert ask(url) == 2
    assert capsys.readouterr().err.startswith(f"andond: no answer from {url}: ")


def test_a_proxy_of_the_environment_is_not_asked(speaker, capsys, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(speaker(answer(DOCUMENT)).url) == 0


@pytest.fixture
def data(tmp_path):
    """The data of a gateway with a user, so that tokens can be made with it."""
    Users.open(tmp_path).close()
    return str(tmp_path)


def test_a_token_made_of_the_data_is_shown_at_a_url_of_this_machine(speaker, data):
    one = speaker(answer(DOCUMENT))
    assert ask(one.url, data_dir=data) == 0
    assert b"Authorization: Bearer ey" in one.heard[0]
    other = speaker(answer(DOCUMENT))
    assert ask(other.url) == 0
    assert b"Authorization" not in other.heard[0]


@pytest.mark.parametrize("url", ["http://10.0.0.7:1", "https://localhost.evil:1", "http://127.0.0.1.evil:1"])
def test_a_token_made_of_the_data_is_shown_to_no_other_machine(data, capsys, url):
    assert ask(url, data_dir=data) == 2
    assert "--data-dir is shown to a gateway of this machine alone" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["certificate", "authority"])
def test_a_file_that_is_not_there_is_named(capsys, option):
    assert ask("https://127.0.0.1:1", **{option: "/none.pem"}) == 2
    assert "/none.pem: No such file" in capsys.readouterr().err
