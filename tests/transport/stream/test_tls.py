import socket
import ssl
from contextlib import asynccontextmanager

import pytest
import trio
from trio.lowlevel import wait_readable
from trio.testing import assert_checkpoints

from domain import Priority
from transport.frames import Batch, text_frame
from transport.outbox import Limits
from transport.stream import FrameStream

CRITICAL, HIGH, NORMAL, LOW = Priority
RECORD = 16384


class Reluctant(ssl.SSLSocket):
    """Wants to be asked again, as OpenSSL does when the kernel is full, and minds what it is then offered."""

    wants = 0
    limit = 1_000_000
    offered: bytes | None = None

    def write(self, data):
        if self.offered is not None:
            assert bytes(data[: len(self.offered)]) == self.offered, "OpenSSL must be offered the same bytes again"
            self.offered = None
        if self.wants:
            self.wants -= 1
            self.offered = bytes(data)
            raise ssl.SSLWantWriteError
        return super().write(data[: self.limit])


async def read(client, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        try:
            part = client.recv(65536)
        except ssl.SSLWantReadError:
            await wait_readable(client)
            continue
        if not part:
            break
        heard += part
    return heard


@pytest.fixture
def secured(server_context, secure_pair):
    server_context.sslsocket_class = Reluctant

    @asynccontextmanager
    async def secured():
        sock, client = await secure_pair()
        losses: list[str] = []
        with sock, client:
            async with trio.open_nursery() as nursery:
                stream = FrameStream(sock, nursery, Limits(1_000_000, 10), on_lost=losses.append)
                stream.use_credit(1 << 40)
                yield stream, sock, client, losses
                nursery.cancel_scope.cancel()

    yield secured
    server_context.sslsocket_class = ssl.SSLSocket


@pytest.mark.parametrize("wants", [0, 1, 3])
async def test_what_openssl_has_begun_goes_first_and_unchanged(wants, secured):
    async with secured() as (stream, sock, client, _):
        sock.wants = wants
        frames = [text_frame(name * 300, priority) for name, priority in ((b"a", LOW), (b"b", CRITICAL))]
        for frame in frames:
            stream.offer(frame)
        expected = b"".join(frame.data for frame in frames)
        assert await read(client, len(expected)) == expected


@pytest.mark.parametrize("wants", [0, 1, 3])
async def test_a_batch_that_openssl_has_begun_goes_unchanged(wants, secured):
    async with secured() as (stream, sock, client, _):
        sock.wants = wants
        frames = [text_frame(b"%d" % number * 900, LOW) for number in range(9)]
        blob = b"".join(frame.data for frame in frames)
        stream.offer_batch(Batch(frames))
        late = text_frame(b"late", CRITICAL)
        stream.offer(late)
        assert await read(client, len(blob) + len(late.data)) == blob + late.data


async def test_a_batch_that_openssl_takes_in_part_is_cut_between_frames(secured):
    async with secured() as (stream, sock, client, _):
        sock.limit = RECORD
        frames = [text_frame(b"%02d" % number * 2000, LOW) for number in range(8)]
        stream.offer_batch(Batch(frames))
        critical = text_frame(b"critical", CRITICAL)
        stream.offer(critical)
        heard = await read(client, sum(len(frame.data) for frame in frames) + len(critical.data))
        # One record holds four frames and a part of the fifth, which goes on first.
        expected = [*frames[:5], critical, *frames[5:]]
        assert heard == b"".join(frame.data for frame in expected)


async def test_the_kernel_full_in_earnest_cuts_nothing(secured):
    async with secured() as (stream, _, client, losses):
        frames = [text_frame(b"%06d" % number * 4000, HIGH) for number in range(40)]
        sizes = [len(frame.data) for frame in frames]
        for frame in frames:
            stream.offer(frame)
        own = b"own bytes " * 100_000
        async with trio.open_nursery() as nursery:
            nursery.start_soon(stream.send_all, own)
            heard = await read(client, sum(sizes) + len(own))
        before, _, after = heard.partition(own)
        # A frame was cut by the kernel when the own bytes came; it was finished before them.
        assert before + after == b"".join(frame.data for frame in frames)
        assert any(len(before) == sum(sizes[:count]) for count in range(len(sizes) + 1))
        assert losses == []


async def test_what_openssl_holds_decrypted_is_read_without_waiting_for_more(secured):
    async with secured() as (stream, _, client, _):
        client.send(b"hello")
        assert await stream.receive_some(1) == b"h"
        for letter in b"ello":
            with trio.fail_after(1), assert_checkpoints():
                assert await stream.receive_some(1) == bytes((letter,))


@pytest.mark.parametrize("how", ["goodbye", "without a word"])
async def test_the_end_is_no_bytes_said_or_not(how, secured):
    async with secured() as (stream, _, client, _):
        if how == "goodbye":
            with pytest.raises(ssl.SSLWantReadError):
                client.unwrap()
        client.shutdown(socket.SHUT_RDWR)
        assert await stream.receive_some() == b""


async def test_a_socket_that_wants_to_read_before_it_writes_is_lost(secured):
    async with secured() as (stream, sock, _, losses):
        stream._send = lambda _data: sock.read_first()
        sock.read_first = lambda: (_ for _ in ()).throw(ssl.SSLWantReadError)
        stream.offer(text_frame(b"a"))
        assert losses == ["SSLWantReadError"]


async def test_nothing_is_sent_in_plain_text_after_the_goodbye(secured):
    async with secured() as (stream, sock, client, losses):
        with pytest.raises(ssl.SSLWantReadError):
            client.unwrap()
        assert await stream.receive_some() == b""
        # Both have said goodbye: from here on this SSLSocket is a plain one to whoever calls send().
        sock.unwrap()
        stream.offer(text_frame(b"secret"))
        stream.offer_batch(Batch([text_frame(b"secret")]))
        with pytest.raises(trio.BrokenResourceError):
            await stream.send_all(b"secret")
        assert len(losses) == 1
        with socket.socket(fileno=client.detach()) as raw:
            sock.shutdown(socket.SHUT_RDWR)
            await wait_readable(raw)
            assert b"secret" not in raw.recv(65536)
