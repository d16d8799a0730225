"""Clients of other people, unmodified, against a real server."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
import trio
import trio_websocket
import websocket
import websockets
import websockets.sync.client
import websockets.trio.client

PROTOCOLS = ["andond.v1.msgpack", "andond.v1.json"]


async def test_websockets_in_a_thread(house):
    def talk():
        with websockets.sync.client.connect(f"ws://127.0.0.1:{house.port}/stream", subprotocols=PROTOCOLS) as client:
            client.send("größe")
            client.send(b"\x00\xff" * 20_000)
            client.ping().wait(5)
            return client.subprotocol, client.recv(), client.recv()

    subprotocol, text, binary = await trio.to_thread.run_sync(talk)
    assert (subprotocol, text, binary) == ("andond.v1.json", "größe", b"\x00\xff" * 20_000)
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1000, "")]


async def test_websockets_on_trio(house):
    async with websockets.trio.client.connect(f"ws://127.0.0.1:{house.port}/stream") as client:
        await client.send("hi")
        assert await client.recv() == "hi"
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1000, "")]


async def test_websockets_is_told_why_it_is_refused(house):
    with pytest.raises(websockets.InvalidStatus) as caught:
        async with websockets.trio.client.connect(f"ws://127.0.0.1:{house.port}/forbidden"):
            pass
    assert caught.value.response.status_code == 403
    assert b"not for you" in caught.value.response.body


async def test_websockets_is_told_why_it_is_closed(house):
    async with websockets.trio.client.connect(f"ws://127.0.0.1:{house.port}/stream") as client:
        await client.send("close")
        with pytest.raises(websockets.ConnectionClosed) as caught:
            await client.recv()
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4201, "as asked")
    assert caught.value.rcvd_then_sent is True


async def test_websockets_over_tls(serve, certificate, client_context):
    chain, key = certificate
    house = await serve(certificate=chain, key=key)

    def talk():
        with websockets.sync.client.connect(f"wss://127.0.0.1:{house.port}/stream", ssl=client_context) as client:
            client.send("hi")
            return client.recv()

    assert await trio.to_thread.run_sync(talk) == "hi"
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1000, "")]


async def test_websocket_client(house):
    def talk():
        client = websocket.create_connection(f"ws://127.0.0.1:{house.port}/stream", subprotocols=PROTOCOLS, timeout=10)
        client.send("hi")
        client.send_binary(b"\x00")
        client.ping("there?")
        heard = [client.recv(), client.recv()]
        client.close()
        return client.getsubprotocol(), heard

    assert await trio.to_thread.run_sync(talk) == ("andond.v1.json", ["hi", b"\x00"])
    await house.is_empty()
    assert [code for code, _ in house.gate.peers[0].endings] == [1000]


async def test_websocket_client_is_told_why_it_is_refused(house):
    def talk():
        with pytest.raises(websocket.WebSocketBadStatusException) as caught:
            websocket.create_connection(f"ws://127.0.0.1:{house.port}/nowhere", timeout=10)
        return caught.value.status_code, caught.value.resp_body

    status, body = await trio.to_thread.run_sync(talk)
    assert status == 404
    assert b"/nowhere" in body


async def test_trio_websocket(house):
    async with trio_websocket.open_websocket_url(f"ws://127.0.0.1:{house.port}/stream") as client:
        await client.send_message("hi")
        assert await client.get_message() == "hi"
        await client.ping()
    await house.is_empty()
    assert house.gate.peers[0].endings == [(1000, "")]


async def test_many_clients_at_once(house):
    async def talk(number):
        async with trio_websocket.open_websocket_url(f"ws://127.0.0.1:{house.port}/stream") as client:
            for turn in range(20):
                await client.send_message(f"{number} {turn}")
                assert await client.get_message() == f"{number} {turn}"

    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(talk, number)
    await house.is_empty()
    assert [peer.endings for peer in house.gate.peers] == [[(1000, "")]] * 40


async def test_http_client_keeps_its_connection(house):
    def talk():
        client = http.client.HTTPConnection("127.0.0.1", house.port, timeout=10)
        statuses = []
        for path in ("/up", "/nothing", "/items/1"):
            client.request("GET", path)
            answer = client.getresponse()
            answer.read()
            statuses.append(answer.status)
        client.request(
            "POST", "/echo", iter([b"ab", b"c"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"}
        )
        answer = client.getresponse()
        statuses.append(answer.status)
        body = answer.read()
        client.close()
        return statuses, body

    statuses, body = await trio.to_thread.run_sync(talk)
    assert statuses == [200, 404, 200, 200]
    assert b'"body":"abc"' in body
    assert house.server.statistics().accepted == 1


async def test_urllib_reads_a_problem(house):
    def talk():
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{house.port}/nothing")
        with caught.value as error:
            return error.code, error.headers["content-type"], error.read()

    code, kind, body = await trio.to_thread.run_sync(talk)
    assert (code, kind) == (404, "application/problem+json")
    assert b"/nothing" in body


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("options", [[], ["--http1.0"], ["--http2"], ["-I"], ["-X", "OPTIONS"]])
async def test_curl(house, options):
    command = ["curl", "-sS", "-i", *options, f"http://127.0.0.1:{house.port}/up"]
    ran = await trio.to_thread.run_sync(lambda: subprocess.run(command, capture_output=True, timeout=20, check=False))
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204"))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_curl_waits_for_100_continue(house, tmp_path):
    (tmp_path / "body").write_bytes(b"x" * 200_000)
    url = f"http://127.0.0.1:{house.port}/echo"
    command = ["curl", "-sS", "-H", "Expect: 100-continue", "--data-binary", f"@{tmp_path / 'body'}", url]
    ran = await trio.to_thread.run_sync(lambda: subprocess.run(command, capture_output=True, timeout=20, check=False))
    assert ran.stdout.count(b"x") == 200_000
