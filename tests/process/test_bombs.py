"""What a hostile client can put into a message or a body, at every door and path of the real daemon."""

from __future__ import annotations

import http.client
import json
from contextlib import closing

import pytest
import websocket

from transport.dialects.floor import DOORS as FLOOR_DOORS
from transport.dialects.portal import DOORS as PORTAL_DOORS

DEEP = "[" * 30_000
WIDE = "[" + "{}," * 20_000 + "1]"
NESTED = '{"type":"subscribe","data":' + '{"a":' * 9_000 + "1" + "}" * 9_000 + "}"
BOMBS = (DEEP, WIDE, NESTED, '{"a":' * 9_000, "\u0000", "[1e400]", '{"id":1e308}', '"' + "\\ud800" * 5_000 + '"')
PACKED = (b"\xdd\xff\xff\xff\xff", b"\xdc\xff\xff" + b"\x80" * 60_000, b"\x91" * 60_000, b"\xc7\xff\x00")
LIMIT = 10


@pytest.fixture
def daemon(start_daemon):
    running = start_daemon()
    yield running
    running.stop()
    log = running.log.read_text()
    for word in ("actor.failed", "connection.failed", "request.failed"):
        assert word not in log


def is_well(daemon) -> bool:
    return asked(daemon, "GET", "/livez")[0] == 200


def asked(daemon, method, path, body=None):
    """The status and the body of an answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=LIMIT)) as line:
        line.request(method, path, body, {"content-type": "application/json"})
        answer = line.getresponse()
        return answer.status, answer.read()


def bombed(daemon, path, bombs, opcode=websocket.ABNF.OPCODE_TEXT, **options):
    """What a connection says that has said all of ``bombs`` and a Ping, or how it ends."""
    link = websocket.create_connection(f"ws://127.0.0.1:{daemon.port}{path}", timeout=LIMIT, **options)
    heard = []
    try:
        for bomb in bombs:
            link.send(bomb, opcode)
        link.ping(b"end")
        while True:
            kind, data = link.recv_data(control_frame=True)
            heard.append((kind, data))
            if kind == websocket.ABNF.OPCODE_CLOSE or (kind, data) == (websocket.ABNF.OPCODE_PONG, b"end"):
                return heard
    except (OSError, websocket.WebSocketException):
        return heard
    finally:
        link.shutdown()


def test_no_door_breaks_on_what_is_deep_or_wide(daemon):
    for door in ("/stream", *PORTAL_DOORS, *FLOOR_DOORS):
        # Behind a slash stands the name of a line or a machine.
        path = f"{door}x1" if door.endswith("/") and door != "/ws/" else door
        assert bombed(daemon, path, BOMBS), path
        assert is_well(daemon)


def test_no_messagepack_breaks_the_stream(daemon):
    spoken = {"subprotocols": ["andond.v1.msgpack"]}
    heard = bombed(daemon, "/stream", PACKED, websocket.ABNF.OPCODE_BINARY, **spoken)
    assert {kind for kind, _ in heard} & {websocket.ABNF.OPCODE_CLOSE, websocket.ABNF.OPCODE_PONG}
    assert is_well(daemon)


def posts(daemon):
    paths = json.loads(asked(daemon, "GET", "/openapi.json")[1])["paths"]
    for path, methods in paths.items():
        for method in methods:
            if method in {"post", "put", "patch"}:
                yield method.upper(), path.replace("{", "").replace("}", "")


def test_no_path_breaks_on_a_body_that_is_deep_or_wide(daemon):
    found = list(posts(daemon))
    assert len(found) > 10
    wide = "[" + "{}," * 300_000 + "1]"
    for method, path in found:
        for body in (DEEP, wide, NESTED, "\u0000", '"\\ud800"'):
            status, _ = asked(daemon, method, path, body)
            assert 400 <= status < 500 or status == 503, (method, path, body[:20], status)
    assert is_well(daemon)
