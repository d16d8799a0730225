"""Clients as they come from their makers, unmodified, against the real daemon."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import websocket
import websockets
import websockets.sync.client

LIMIT = 20.0
LIVE = "/api/v11/live/stream"
EVENT = {"specversion": "1.0", "id": "1", "source": "/acme/press3", "type": "andon.call.raised", "data": {"at": 4}}
TRANSACTION = {
    "specversion": "1.0",
    "id": "2",
    "source": "/chain",
    "type": "chain.transaction",
    "data": {"txHash": "0xabc", "status": "SUCCESS", "amount": 12.5, "colour": "green"},
}


def address(daemon, path: str) -> str:
    return f"ws://127.0.0.1:{daemon.port}{path}"


def curl(daemon, *arguments: str, path: str = "/api/v1/events", typed: str = "") -> subprocess.CompletedProcess[str]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    line = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", *arguments]
    url = f"{daemon.url.rstrip('/')}{path}"
    # As it comes: a head's lines end with CR and LF.
    result = subprocess.run([*line, url], input=typed.encode(), capture_output=True, check=False)
    return subprocess.CompletedProcess(line, result.returncode, result.stdout.decode(), result.stderr.decode())


def until(receive: Callable[[], str], fits: Callable[[dict], object]) -> dict:
    """The first message that ``fits``; there are other ones in between."""
    for _ in range(100):
        message = json.loads(receive())
        if fits(message):
            return message
    raise AssertionError("it did not come among a hundred messages")


# -- websockets -------------------------------------------------------------------------------------------


def test_websockets_in_a_thread_is_greeted_subscribes_and_takes_leave(daemon):
    with websockets.sync.client.connect(address(daemon, LIVE), proxy=None, open_timeout=LIMIT) as client:
        assert json.loads(client.recv(LIMIT))["type"] == "connection_established"
        client.send(json.dumps({"type": "subscribe", "channel": "block_updates"}))
        told = until(lambda: client.recv(LIMIT), lambda message: message["type"] == "subscription_confirmed")
        assert told["payload"]["channel"] == "block_updates"
        assert until(lambda: client.recv(LIMIT), lambda message: message["type"] == "block_update")
        assert client.ping().wait(LIMIT)
        client.send(b"\x00\xff")
        assert until(lambda: client.recv(LIMIT), lambda message: message["type"] == "error")
    assert client.close_code == 1000


def test_websockets_on_asyncio_gets_every_stream_of_the_portal(daemon):
    async def visit(path: str) -> dict:
        async with websockets.connect(address(daemon, path), proxy=None) as client:
            assert client.protocol.extensions == []
            async with asyncio.timeout(LIMIT):
                await client.ping()
                return json.loads(await client.recv()) if path in {"/ws/metrics", LIVE} else {}

    async def visit_all() -> list[dict]:
        paths = ("/ws/metrics", LIVE, "/ws/transactions", "/ws/validators", "/ws/consensus", "/ws/network")
        return await asyncio.gather(*map(visit, paths))

    metrics, greeting, *_ = asyncio.run(visit_all())
    assert metrics["data"]["cpu"] is None or metrics["data"]["cpu"] >= 0
    assert greeting["type"] == "connection_established"


def test_websockets_speaks_the_subprotocol_of_cloud_events(daemon):
    path = address(daemon, "/stream?channel=andon/*")
    with websockets.sync.client.connect(path, proxy=None, subprotocols=["cloudevents.json"]) as client:
        assert client.subprotocol == "cloudevents.json"
        assert client.ping().wait(LIMIT)
        curl(daemon, "--json", json.dumps(EVENT))
        told = json.loads(client.recv(LIMIT))
    assert (told["id"], told["priority"], told["data"]) == ("1", "critical", {"at": 4})


def test_websockets_is_refused_at_the_handshake_with_the_reason(daemon):
    with pytest.raises(websockets.InvalidStatus) as refused:
        websockets.sync.client.connect(address(daemon, "/stream"), proxy=None, subprotocols=["cloudevents.json"])
    assert refused.value.response.status_code == 400
    assert "name the channels" in refused.value.response.body.decode().lower()


def test_websockets_is_told_that_its_message_is_too_large(daemon):
    with websockets.sync.client.connect(address(daemon, "/ws/metrics"), proxy=None) as client:
        client.send("x" * 70_000)
        with pytest.raises(websockets.ConnectionClosedError):
            until(lambda: client.recv(LIMIT), lambda _message: False)
    assert client.close_code == 1009


# -- websocket-client -------------------------------------------------------------------------------------


def test_websocket_client_gets_what_is_posted(daemon):
    client = websocket.create_connection(address(daemon, "/ws/transactions"), timeout=LIMIT)
    try:
        client.ping("still there?")
        assert client.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"still there?")
        assert curl(daemon, "--json", json.dumps(TRANSACTION)).returncode == 0
        told = json.loads(client.recv())
    finally:
        client.close()
    assert (told["txHash"], told["status"], told["data"]["status"]) == ("0xabc", "SUCCESS", "confirmed")
    assert told["colour"] == told["data"]["colour"] == "green"


def test_websocket_client_runs_its_application(daemon):
    opened: list[dict] = []
    closed: list[int | None] = []

    def on_message(app: websocket.WebSocketApp, message: str) -> None:
        opened.append(json.loads(message))
        if len(opened) == 3:
            app.close()

    app = websocket.WebSocketApp(
        address(daemon, LIVE), on_message=on_message, on_close=lambda _app, code, _reason: closed.append(code)
    )
    thread = threading.Thread(target=app.run_forever)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive()
    assert [message["type"] for message in opened] == ["connection_established", "tps_update", "tps_update"]
    assert len(closed) == 1


# -- curl -------------------------------------------------------------------------------------------------


def test_curl_posts_an_event_and_a_batch(daemon):
    one = curl(daemon, "--header", "Content-Type: application/cloudevents+json", "--data", json.dumps(EVENT))
    assert json.loads(one.stdout) == {"accepted": 1, "duplicates": 0}
    again = curl(daemon, "--json", json.dumps([EVENT, {**EVENT, "id": "9"}]), "--write-out", "%{http_code}")
    assert again.stdout == '{"accepted":1,"duplicates":1}202'


def test_curl_is_told_what_is_wrong(daemon):
    answer = curl(daemon, "--json", "{}", "--include")
    head, _, body = answer.stdout.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 422")
    assert "application/problem+json" in head
    assert len(json.loads(body)["errors"][0]["faults"]) == 4


def test_curl_waits_for_100_before_it_sends_a_large_body(daemon):
    body = json.dumps({**EVENT, "data": "x" * 900_000})
    answer = curl(daemon, "--verbose", "--header", "Expect: 100-continue", "--json", "@-", typed=body)
    assert "< HTTP/1.1 100 Continue" in answer.stderr
    assert json.loads(answer.stdout) == {"accepted": 1, "duplicates": 0}


def test_curl_keeps_its_connection_for_several_requests(daemon):
    answer = curl(daemon, "--write-out", "%{num_connects} %{http_code}\n", daemon.url + "livez", path="/livez")
    assert [line.split("}")[-1] for line in answer.stdout.splitlines()] == ["1 200", "0 200"]


def test_curl_reads_the_page_compressed(daemon):
    answer = curl(daemon, "--compressed", "--include", path="/")
    assert "content-encoding: gzip" in answer.stdout.lower()
    assert "<html" in answer.stdout


def test_curl_is_told_that_a_stream_is_a_websocket(daemon):
    assert curl(daemon, "--write-out", "%{http_code}", "--output", "/dev/null", path="/ws/metrics").stdout == "426"


# -- wscat ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wscat() -> list[str]:
    """wscat as it is installed: on the path, or in npm's global folder; nothing is fetched for a test."""
    program = shutil.which("wscat")
    if program is not None:
        return [program]
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("wscat is not installed, and there is no npm to ask for it")
    folder = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False, timeout=LIMIT)
    script = Path(folder.stdout.strip()) / "wscat" / "bin" / "wscat"
    if folder.returncode or not script.is_file():
        pytest.skip("wscat is not installed: npm install --global wscat")
    return [shutil.which("node") or "node", str(script)]


def test_wscat_shows_what_comes_and_sends_what_is_typed(daemon, wscat):
    line = [*wscat, "--no-color", "--connect", address(daemon, LIVE), "--execute", '{"type":"ping"}', "--wait", "3"]
    # It ends as soon as nobody can type any more.
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.wait(LIMIT) == 0
        types = [json.loads(text)["type"] for text in program.stdout.read().splitlines()]
    assert types[0] == "connection_established"
    assert {"pong", "tps_update"} <= set(types)
