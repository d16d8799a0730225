"""What stands above every answer of a real daemon over TLS, whoever asks: a table of all paths.

Rules of this file: every path of ``/openapi.json`` is asked for, so that one that is added tomorrow is asked for too.
"""

from __future__ import annotations

import json
import ssl
import time
from contextlib import closing
from http.client import HTTPSConnection

import jwt
import pytest
import trustme

SECRET = "a secret of this test, which guards nothing at all"  # noqa: S105 - as said
CONFIG = """
[server]
certificate = "{directory}/chain.pem"
key = "{directory}/key.pem"

[access.issuers.floor]
secret_file = "{directory}/floor.secret"
audience = []
"""
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=15768000",
}
PATIENCE = 20.0


class House:
    """A daemon with a certificate, and who asks it."""

    def __init__(self, start, directory) -> None:
        authority = trustme.CA()
        leaf = authority.issue_cert("localhost", "127.0.0.1")
        leaf.private_key_pem.write_to_path(directory / "key.pem")
        for number, blob in enumerate(leaf.cert_chain_pems):
            blob.write_to_path(directory / "chain.pem", append=number > 0)
        for name, text in (("key.pem", None), ("floor.secret", SECRET)):
            if text is not None:
                (directory / name).write_text(text)
            (directory / name).chmod(0o600)
        self._context = ssl.create_default_context()
        authority.configure_trust(self._context)
        self.daemon = start(config=CONFIG.format(directory=directory))
        claims = {"sub": "ada", "name": "ada", "role": "admin", "exp": int(time.time()) + 3600}
        self._token = jwt.encode(claims, SECRET, "HS256")

    def ask(self, method: str, path: str, *, is_known: bool) -> tuple[int, dict[str, str], bytes]:
        headers = {"authorization": f"Bearer {self._token}"} if is_known else {}
        port = self.daemon.port
        with closing(HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=self._context)) as link:
            link.request(method, path, headers=headers)
            answer = link.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, told, answer.read()


@pytest.fixture
def house(start_daemon, tmp_path):
    return House(start_daemon, tmp_path)


def faults_of(path: str, status: int, headers: dict[str, str]) -> list[str]:
    """What is missing above an answer."""
    found = [name for name, value in ALWAYS.items() if headers.get(name) != value]
    policy = headers.get("content-security-policy", "")
    if not policy.startswith("default-src 'none'") or "frame-ancestors 'none'" not in policy:
        found.append("content-security-policy")
    if "unsafe" in policy:
        found.append("unsafe")
    # A file of the page is the same for everybody, and is asked for again each time.
    kept = "no-cache" if path == "/" or path.startswith("/page/") else "no-store"
    if headers.get("cache-control") != kept:
        found.append("cache-control")
    if status == 401 and "bearer" not in headers.get("www-authenticate", "").lower():
        found.append("www-authenticate")
    if "server" in headers or "access-control-allow-origin" in headers:
        found.append("too much")
    return [f"{path} {status}: {each}" for each in found]


def test_every_answer_over_tls_says_how_it_is_to_be_handled(house):
    status, _, body = house.ask("GET", "/openapi.json", is_known=True)
    assert status == 200
    paths = json.loads(body)["paths"]
    faults, asked = [], 0
    for path, methods in paths.items():
        for method in methods:
            for is_known in (True, False):
                target = path.replace("{", "").replace("}", "")
                status, headers, _ = house.ask(method.upper(), target, is_known=is_known)
                faults += faults_of(path, status, headers)
                asked += 1
    for method, target in (("GET", "/nowhere"), ("DELETE", "/livez"), ("GET", "/%zz"), ("GET", "/stream")):
        status, headers, _ = house.ask(method, target, is_known=False)
        assert status >= 400
        faults += faults_of(target, status, headers)
    assert faults == []
    assert asked > 600
