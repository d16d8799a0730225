"""A gateway of which nothing is said: open to this machine, and nobody finds out by chance."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing

import jwt
import trustme
import websocket

LIMIT = 20.0


def close_code(link: websocket.WebSocket) -> int:
    while True:
        opcode, data = link.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return int.from_bytes(data[:2], "big")


def status(daemon):
    with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=LIMIT)) as line:
        line.request("GET", "/statusz")
        answer = line.getresponse()
        body = answer.read()
    return json.loads(body)["access"] if answer.status == 200 else answer.status


def test_it_says_that_it_is_open_in_the_log_and_in_its_status(start_daemon):
    daemon = start_daemon()
    assert "gateway.opened" in daemon.log.read_text()
    told = status(daemon)
    assert told["standing"] == "open"
    assert "may do everything" in told["meaning"]


def test_it_says_so_on_the_page(start_daemon, page):
    daemon = start_daemon()
    page.open(daemon.url)
    page.wait("!document.querySelector('#access').hidden")
    assert page.text("#access") == "open: no login"
    assert page.complaints == []


def test_a_user_that_is_added_guards_a_gateway_that_runs(start_daemon, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    daemon = start_daemon(ANDOND__STORAGE__PATH=str(data))
    assert status(daemon)["standing"] == "open"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "andond",
            "user",
            "add",
            "ada",
            "--role",
            "admin",
            "--data-dir",
            str(data),
            "--generate",
        ],
        text=True,
        check=True,
        capture_output=True,
        timeout=LIMIT,
    )
    daemon.said(re.compile(r"\b(gateway\.guarded)\b"), "that it is guarded")
    assert status(daemon) == 401


def test_who_was_let_in_while_it_was_open_does_not_stay_when_it_is_guarded(start_daemon, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    daemon = start_daemon(ANDOND__STORAGE__PATH=str(data))
    link = websocket.WebSocket()
    link.connect(f"ws://127.0.0.1:{daemon.port}/stream", timeout=LIMIT)
    link.send(json.dumps({"id": 1, "connect": {}}))
    assert json.loads(link.recv())["id"] == 1
    add = ["user", "add", "ada", "--role", "admin", "--data-dir", str(data), "--generate"]
    subprocess.run([sys.executable, "-m", "andond", *add], check=True, capture_output=True, timeout=LIMIT)
    assert close_code(link) == 4201
    link.shutdown()


GUARDED = """
[access.issuers.plant]
secret_file = "{secret}"
issuer = "plant"

[access.roles.looker]
sees = ["{sees}"]
"""


def test_a_reload_that_gives_other_rights_sends_those_away_who_have_the_old_ones(start_daemon, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("c0rrect-horse-battery-staple-of-32-bytes-at-least")
    daemon = start_daemon(config=GUARDED.format(secret=secret, sees="andon/*"))
    claims = {"iss": "plant", "aud": "andond", "sub": "lee", "role": "looker", "exp": int(time.time()) + 600}
    token = jwt.encode(claims, secret.read_text(), "HS256")
    links = []
    for _ in range(2):
        link = websocket.WebSocket()
        link.connect(f"ws://127.0.0.1:{daemon.port}/stream", header=[f"Authorization: Bearer {token}"], timeout=LIMIT)
        links.append(link)
    written = next(tmp_path.rglob("*.toml"))
    written.write_text(GUARDED.format(secret=secret, sees="alarms/*"))
    daemon.process.send_signal(signal.SIGHUP)
    assert [close_code(link) for link in links] == [4201, 4201]
    for link in links:
        link.shutdown()


def test_a_reload_that_trusts_an_issuer_no_more_sends_those_away_whom_it_vouched_for(start_daemon, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("c0rrect-horse-battery-staple-of-32-bytes-at-least")
    config = GUARDED.format(secret=secret, sees="andon/*")
    daemon = start_daemon(config=config)
    claims = {"iss": "plant", "aud": "andond", "sub": "lee", "role": "looker", "exp": int(time.time()) + 600}
    token = jwt.encode(claims, secret.read_text(), "HS256")
    link = websocket.WebSocket()
    link.connect(f"ws://127.0.0.1:{daemon.port}/stream", header=[f"Authorization: Bearer {token}"], timeout=LIMIT)
    next(tmp_path.rglob("*.toml")).write_text(config.replace('issuer = "plant"', 'issuer = "factory"'))
    daemon.process.send_signal(signal.SIGHUP)
    assert close_code(link) == 4201
    link.shutdown()
    with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=LIMIT)) as line:
        line.request("GET", "/api/v1/andon/calls", headers={"authorization": f"Bearer {token}"})
        assert line.getresponse().status == 401


def test_whoever_runs_the_daemon_asks_a_guarded_one_how_it_is_and_nobody_else_without_a_token(start_daemon, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("certificate", "key")}
    leaf = authority.issue_cert("gateway.acme.example")
    leaf.private_key_pem.write_to_path(files["key"])
    leaf.cert_chain_pems[0].write_to_path(files["certificate"])
    add = ["user", "add", "ada", "--role", "admin", "--data-dir", str(data), "--generate"]
    subprocess.run([sys.executable, "-m", "andond", *add], check=True, capture_output=True, timeout=LIMIT)
    config = "".join(f'{name} = "{path}"\n' for name, path in files.items())
    daemon = start_daemon(config=f'[server]\n{config}[storage]\npath = "{data}"\n')
    written = next(tmp_path.rglob("andond.toml"))
    there = {**os.environ, "ANDOND__SERVER__LISTEN": f"127.0.0.1:{daemon.port}"}

    def asked(*words, **more):
        command = [sys.executable, "-m", "andond", "status", *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=there, check=False, **more)
        return done.returncode, done.stdout + done.stderr

    code, told = asked("-c", str(written))
    assert code == 0
    assert "gateway [running]" in told
    # Neither its certificate nor its key is known by who has an address alone.
    code, told = asked("--url", f"https://127.0.0.1:{daemon.port}")
    assert code == 2
    assert "certificate" in told
    code, told = asked("-c", str(written), "--token-file", "-", input="none.such.token\n")
    assert code == 2
    assert "HTTP 401: it does not take the token" in told
    another = tmp_path / "another"
    another.mkdir()
    there["ANDOND__STORAGE__PATH"] = str(another)
    code, told = asked("-c", str(written))
    assert code == 2
    assert "HTTP 401: it asks who you are; run this as the user of the daemon and name its data" in told
    assert list(another.iterdir()) == []


def test_a_start_that_is_refused_is_mended_by_the_line_that_it_prints(start_daemon, tmp_path):
    data = tmp_path / "its data"
    data.mkdir(mode=0o700)
    config = f'[server]\ntrusted_proxies = ["10.0.0.7"]\n[storage]\npath = "{data}"\n'
    (tmp_path / "andond.toml").write_text(config)
    command = [sys.executable, "-m", "andond", "run", "-c", "andond.toml", "--listen", "127.0.0.1:0"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT, cwd=tmp_path)
    assert refused.returncode == 78
    line = next(line for line in refused.stderr.splitlines() if line.startswith("  "))
    subprocess.run(["/bin/sh", "-c", line], check=True, capture_output=True, timeout=LIMIT, cwd=tmp_path)
    assert status(start_daemon(config=config)) == 401


def test_a_gateway_that_asks_for_a_certificate_is_asked_how_it_is_with_one(start_daemon, tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "gateway.pem")
    client = authority.issue_cert("tools@acme.example", common_name="tools")
    client.private_key_pem.write_to_path(tmp_path / "tools.key")
    client.cert_chain_pems[0].write_to_path(tmp_path / "tools.pem")
    server = f'[server]\ncertificate = "{tmp_path}/gateway.pem"\nkey = "{tmp_path}/gateway.pem"\n'
    daemon = start_daemon(
        config=f'{server}client_ca = "{tmp_path}/ca.pem"\nclient_certificates = "required"\n'
        f'[storage]\npath = "{tmp_path}"\n'
    )
    there = {**os.environ, "ANDOND__SERVER__LISTEN": f"127.0.0.1:{daemon.port}"}
    shown = ["--certificate", "tools.pem", "--key", "tools.key"]

    def asked(*words):
        command = [sys.executable, "-m", "andond", "status", *words]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, env=there, check=False, cwd=tmp_path
        )
        return done.returncode, done.stdout + done.stderr

    code, told = asked("-c", "andond.toml")
    assert code == 2
    assert told.endswith("show it one by --certificate FILE --key FILE\n")
    assert asked("-c", "andond.toml", *shown)[0] == 0
    assert asked("--url", f"https://127.0.0.1:{daemon.port}", "--authority", "ca.pem", *shown)[0] == 0
