from __future__ import annotations

import ssl

import pytest
import trio
import trustme
from cryptography.hazmat.primitives import serialization

from config import Secret, ServerSettings
from telemetry import counters
from transport.frames import Frame, frame_bytes
from transport.tls import server_context


@pytest.fixture
async def secure_house(serve, certificate):
    chain, key = certificate
    return await serve(certificate=chain, key=key)


async def connect(house, context, **options) -> trio.SSLStream:
    """Speak TLS strictly: an end without close_notify is an error."""
    plain = await house.connect(**options)
    stream = trio.SSLStream(plain, context, server_hostname="127.0.0.1")
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await plain.aclose()
        raise
    return stream


async def ask(house, context, head: bytes) -> bytes:
    stream = await connect(house, context)
    await stream.send_all(head)
    data = b""
    while more := await stream.receive_some(65536):
        data += more
    await stream.transport_stream.aclose()
    return data


GET = b"GET /up HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def test_a_request_over_tls_is_answered_and_ended_with_a_goodbye(secure_house, client_context):
    data = await ask(secure_house, client_context, GET)
    assert data.startswith(b"HTTP/1.1 200")
    assert data.endswith(b"up 1\n")
    assert secure_house.seen[-1].secure is True


async def test_faults_over_tls_are_told(secure_house, client_context):
    assert (await ask(secure_house, client_context, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")
    assert (await ask(secure_house, client_context, GET[:-2] + b"X: " + b"a" * 20_000)).startswith(b"HTTP/1.1 431")


async def test_a_websocket_over_tls_echoes_and_closes(secure_house, client_context, wire):
    stream = await connect(secure_house, client_context)
    await stream.send_all(wire.upgrade_head())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await stream.receive_some(1)
    for payload in (b"hi", b"x" * 60_000):
        await stream.send_all(wire.frame(0x82, payload))
        assert await wire.read_frame(stream) == (0x82, payload)
    await stream.send_all(wire.frame(0x88, b"\x03\xe8"))
    assert await wire.read_frame(stream) == (0x88, b"\x03\xe8")
    assert await stream.receive_some() == b"", "close_notify, not a bare end"
    await stream.transport_stream.aclose()
    await secure_house.is_empty()
    assert secure_house.gate.peers[0].endings == [(1000, "")]


async def test_a_reader_that_is_slow_gets_all_frames_and_then_the_close(secure_house, client_context, wire):
    stream = await connect(secure_house, client_context, size=4096)
    await stream.send_all(wire.upgrade_head())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await stream.receive_some(1)
    await trio.testing.wait_all_tasks_blocked()
    link = secure_house.gate.peers[0].link
    for number in range(20):
        link.stream.offer(Frame(frame_bytes(0x82, bytes([number]) * 10_000)))
    link.close(4201, "bye")
    for number in range(20):
        assert await wire.read_frame(stream) == (0x82, bytes([number]) * 10_000)
    assert await wire.read_frame(stream) == (0x88, b"\x10\x69bye")
    await stream.transport_stream.aclose()
    await secure_house.is_empty()


async def test_plain_http_on_a_tls_port_is_told_so_in_plain_words(secure_house, wire):
    answer = wire.parse_answer(await secure_house.talk(GET))
    assert answer.status == 400
    assert "https://" in answer.json()["detail"]


async def test_what_is_neither_is_told_the_same(secure_house, wire):
    assert wire.parse_answer(await secure_house.talk(b"\x00\x01\x02")).status == 400


async def test_a_client_that_does_not_trust_the_certificate_ends_only_itself(secure_house, client_context):
    failed = counters.handshakes_failed["tls"]
    with pytest.raises(trio.BrokenResourceError):
        await connect(secure_house, ssl.create_default_context())
    await secure_house.is_empty()
    assert counters.handshakes_failed["tls"] == failed + 1
    assert (await ask(secure_house, client_context, GET)).startswith(b"HTTP/1.1 200")


async def test_broken_tls_ends_only_itself(secure_house, client_context):
    await secure_house.talk(b"\x16\x03\x01\x00\x05hello")
    await secure_house.is_empty()
    assert (await ask(secure_house, client_context, GET)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"])
async def test_a_tls_handshake_that_does_not_come_to_an_end_is_cut(serve, certificate, patient_clock, sent):
    chain, key = certificate
    house = await serve(certificate=chain, key=key, head_timeout=10.0)
    began = trio.current_time()
    async with await house.connect() as stream:
        await stream.send_all(sent)
        assert await stream.receive_some() == b""
    assert 10 <= trio.current_time() - began < 11
    await house.is_empty()


async def test_the_time_for_a_head_includes_tls(serve, certificate, client_context, patient_clock):
    chain, key = certificate
    house = await serve(certificate=chain, key=key, head_timeout=10.0)
    began = trio.current_time()
    plain = await house.connect()
    await trio.sleep(6)
    stream = trio.SSLStream(plain, client_context, server_hostname="127.0.0.1")
    await stream.do_handshake()
    assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 408")
    assert 10 <= trio.current_time() - began < 11
    await plain.aclose()


async def test_clients_who_are_slow_at_tls_hold_up_nobody(secure_house, client_context):
    slow = [await secure_house.connect() for _ in range(30)]
    for stream in slow:
        await stream.send_all(b"\x16\x03\x01")
    assert (await ask(secure_house, client_context, GET)).startswith(b"HTTP/1.1 200")
    for stream in slow:
        await stream.aclose()


async def test_old_versions_of_tls_are_not_spoken(secure_house, client_context):
    with pytest.warns(DeprecationWarning, match="deprecated"):
        client_context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        client_context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(trio.BrokenResourceError):
        await connect(secure_house, client_context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_both_present_versions_of_tls_are_spoken(secure_house, client_context, version):
    client_context.minimum_version = client_context.maximum_version = version
    assert (await ask(secure_house, client_context, GET)).startswith(b"HTTP/1.1 200")


async def test_a_new_certificate_holds_for_who_comes_after(secure_house, authority, client_context, tmp_path):
    issued = authority.issue_cert("127.0.0.1", common_name="renewed")
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    before = await connect(secure_house, client_context)
    secure_house.server.apply(ServerSettings(certificate=str(chain), key=str(key)))
    after = await connect(secure_house, client_context)
    assert before.getpeercert()["subject"] != after.getpeercert()["subject"]
    for stream in (before, after):
        await stream.transport_stream.aclose()


async def test_past_every_reserve_a_tls_client_is_just_closed(serve, certificate):
    chain, key = certificate
    house = await serve(certificate=chain, key=key, connections=1)
    async with await house.connect():
        waiting = [await house.connect() for _ in range(64)]
        await trio.testing.wait_all_tasks_blocked()
        async with await house.connect() as stream:
            assert await stream.receive_some() == b""
        for other in waiting:
            await other.aclose()


def test_a_key_with_a_password_is_opened_with_it(tmp_path):
    issued = trustme.CA().issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    private = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"opensesame"),
        )
    )
    assert server_context(str(chain), str(key), Secret("opensesame"))
    for password in (Secret("wrong"), None):
        with pytest.raises(OSError, match=r".+"):
            server_context(str(chain), str(key), password)


def test_a_certificate_and_a_key_of_another_are_refused(tmp_path):
    authority = trustme.CA()
    one, other = authority.issue_cert("a.example"), authority.issue_cert("b.example")
    chain, key = tmp_path / "chain", tmp_path / "key"
    chain.write_bytes(one.cert_chain_pems[0].bytes())
    key.write_bytes(other.private_key_pem.bytes())
    with pytest.raises(ssl.SSLError):
        server_context(str(chain), str(key))
