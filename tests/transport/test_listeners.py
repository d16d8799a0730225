from __future__ import annotations

import errno
import socket

import pytest
import trio

from telemetry import counters
from transport import listeners as module
from transport.listeners import (
    UnsentLimit,
    accept_connections,
    address_of,
    check_unsent_limit,
    close_listener,
    configure_listeners,
    open_listeners,
)


@pytest.fixture
def opened():
    """Open listeners that are closed with the test."""
    kept: list[socket.socket] = []

    def open_(listen="127.0.0.1:0", size=16_384):
        found = open_listeners(listen, size)
        kept.extend(found)
        return found

    yield open_
    for listener in kept:
        listener.close()


class Visitors:
    """Takes connections as a server would."""

    def __init__(self):
        self.sockets = []
        self.peers = []
        self.arrival = trio.Event()

    def __call__(self, sock, peer):
        self.sockets.append(sock)
        self.peers.append(peer)
        self.arrival.set()

    def close(self):
        for sock in self.sockets:
            sock.close()


@pytest.fixture
def visitors():
    found = Visitors()
    yield found
    found.close()


def connect(listener):
    return socket.create_connection(listener.getsockname()[:2])


def test_a_free_port_is_found_and_told(opened):
    (listener,) = opened()
    host, _, port = address_of(listener).rpartition(":")
    assert host == "127.0.0.1"
    assert int(port) > 0


def test_ipv6_is_listened_on(opened):
    (listener,) = opened("[::1]:0")
    assert address_of(listener).startswith("[::1]:")


def test_a_name_with_several_addresses_has_one_port(opened, monkeypatch):
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", 0, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    both = opened("localhost:0")
    assert len({listener.getsockname()[1] for listener in both}) == 1
    assert [listener.family for listener in both] == [socket.AF_INET, socket.AF_INET6]


def test_an_address_of_a_family_that_is_not_spoken_here_is_passed_over(opened, monkeypatch):
    found = [
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2001:db8::1", 0, 0, 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    (listener,) = opened("localhost:0")
    assert listener.family == socket.AF_INET
    del found[1]
    with pytest.raises(OSError, match="assign"):
        opened("localhost:0")


def test_an_address_that_is_taken_is_an_error_and_leaves_nothing_open(opened):
    (listener,) = opened()
    with pytest.raises(OSError, match="in use"):
        open_listeners(address_of(listener), 16_384)


def test_when_one_address_of_a_name_is_taken_the_others_are_let_go(opened, monkeypatch):
    (listener,) = opened("[::1]:0")
    port = listener.getsockname()[1]
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: found)
    for _ in range(2):
        with pytest.raises(OSError, match="in use"):
            open_listeners(f"localhost:{port}", 16_384)


async def test_connections_inherit_what_was_set_on_the_listener(opened, visitors, nursery):
    (listener,) = opened(size=12_345)
    nursery.start_soon(accept_connections, listener, visitors, trio.CapacityLimiter(16))
    with connect(listener):
        await trio.testing.wait_all_tasks_blocked()
        (sock,) = visitors.sockets
        assert sock.getblocking() is False
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT) == 12_345


async def test_the_peer_of_each_connection_is_told(opened, visitors, nursery):
    (listener,) = opened()
    nursery.start_soon(accept_connections, listener, visitors, trio.CapacityLimiter(16))
    with connect(listener) as client:
        await trio.testing.wait_all_tasks_blocked()
        assert str(visitors.peers[0]) == f"127.0.0.1:{client.getsockname()[1]}"


async def test_nobody_of_a_burst_is_left_waiting(opened, visitors, nursery):
    (listener,) = opened()
    clients = [connect(listener) for _ in range(150)]
    nursery.start_soon(accept_connections, listener, visitors, trio.CapacityLimiter(16))
    await trio.testing.wait_all_tasks_blocked()
    assert len(visitors.sockets) == 150
    for client in clients:
        client.close()


async def test_handshakes_that_wait_are_served_before_more_is_accepted(opened, visitors, nursery, autojump_clock):
    (listener,) = opened()
    turns = trio.CapacityLimiter(1)
    await turns.acquire()
    clients = [connect(listener) for _ in range(20)]
    nursery.start_soon(accept_connections, listener, visitors, turns)
    await trio.testing.wait_all_tasks_blocked()
    assert len(visitors.sockets) == 16
    turns.release()
    await trio.testing.wait_all_tasks_blocked()
    assert len(visitors.sockets) == 20
    for client in clients:
        client.close()


async def test_handshakes_that_hang_keep_nobody_out_for_long(opened, visitors, nursery, mock_clock):
    (listener,) = opened()
    turns = trio.CapacityLimiter(1)
    await turns.acquire()
    clients = [connect(listener) for _ in range(20)]
    nursery.start_soon(accept_connections, listener, visitors, turns)
    await trio.testing.wait_all_tasks_blocked()
    mock_clock.jump(0.05)
    await trio.testing.wait_all_tasks_blocked()
    assert len(visitors.sockets) == 20
    for client in clients:
        client.close()


async def test_accepting_ends_when_the_listener_is_closed(opened, visitors, nursery):
    (listener,) = opened()
    nursery.start_soon(accept_connections, listener, visitors, trio.CapacityLimiter(16))
    await trio.testing.wait_all_tasks_blocked()
    close_listener(listener)
    await trio.testing.wait_all_tasks_blocked()
    assert not nursery.child_tasks


class Exhausted:
    """A listener that runs out of something a few times, and then accepts again."""

    def __init__(self, listener, *faults):
        self._listener = listener
        self.faults = list(faults)
        self.tries = 0

    def fileno(self):
        return self._listener.fileno()

    def getsockname(self):
        return self._listener.getsockname()

    def accept(self):
        self.tries += 1
        if self.faults:
            raise OSError(self.faults.pop(0), "planted")
        return self._listener.accept()


@pytest.mark.parametrize(
    ("number", "reason"),
    [(errno.EMFILE, "descriptors"), (errno.ENFILE, "descriptors"), (errno.ENOBUFS, "memory"), (errno.ENOMEM, "memory")],
)
async def test_out_of_descriptors_or_memory_accepting_pauses_and_says_so(
    opened, visitors, nursery, autojump_clock, number, reason
):
    (listener,) = opened()
    before = counters.listener_pauses[reason]
    exhausted = Exhausted(listener, number, number)
    with connect(listener):
        nursery.start_soon(accept_connections, exhausted, visitors, trio.CapacityLimiter(16))
        began = trio.current_time()
        await visitors.arrival.wait()
        assert trio.current_time() - began >= 0.5, "it does not spin"
    assert counters.listener_pauses[reason] == before + 2
    assert exhausted.tries <= 5


async def test_a_client_that_left_before_it_was_accepted_is_passed_over(opened, visitors, nursery):
    (listener,) = opened()
    with connect(listener):
        exhausted = Exhausted(listener, errno.ECONNABORTED)
        nursery.start_soon(accept_connections, exhausted, visitors, trio.CapacityLimiter(16))
        await trio.testing.wait_all_tasks_blocked()
        assert len(visitors.sockets) == 1


def test_a_kernel_that_keeps_the_limit_is_found_to():
    assert check_unsent_limit(16_384) == UnsentLimit(16_384, "")


def test_a_kernel_that_keeps_another_limit_is_found_out(monkeypatch):
    read = socket.socket.getsockopt

    def stubborn(sock, level, option, *rest):
        return 7 if option == socket.TCP_NOTSENT_LOWAT else read(sock, level, option, *rest)

    monkeypatch.setattr(socket.socket, "getsockopt", stubborn)
    assert check_unsent_limit(16_384) == UnsentLimit(16_384, "asked for 16384, got 7")


def test_a_kernel_whose_connections_do_not_have_the_limit_of_their_listener_is_found_out(monkeypatch):
    accept = socket.socket.accept

    def forgetful(listener):
        accepted, peer = accept(listener)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 99)
        return accepted, peer

    monkeypatch.setattr(socket.socket, "accept", forgetful)
    assert check_unsent_limit(16_384).fault == "asked for 16384, got 99"


def test_a_kernel_that_does_not_know_the_limit_listens_all_the_same(opened, monkeypatch):
    put = socket.socket.setsockopt

    def refusing(sock, level, option, value):
        if option == socket.TCP_NOTSENT_LOWAT:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")
        put(sock, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", refusing)
    assert check_unsent_limit(16_384).fault == "Protocol not available"
    (listener,) = opened()
    assert listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


def test_a_unix_socket_has_no_such_options(tmp_path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    assert configure_listeners([listener], 16_384) == [listener]
    assert listener.getblocking() is False
    assert address_of(listener) == str(tmp_path / "s")
    listener.close()


def test_the_backlog_is_deep_enough_for_a_storm():
    assert module.BACKLOG == 4096
