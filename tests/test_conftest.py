"""The guard guards."""

import contextlib
import socket
import time

import pytest
import trio


def test_a_test_that_sleeps_is_told_so(forbidden):
    with pytest.raises(OSError, match=r"time\.sleep\(0\.2\)"):
        time.sleep(0.2)
    assert len(forbidden) == 1
    forbidden.clear()


async def test_a_test_that_sleeps_on_the_real_clock_is_told_so(forbidden):
    with pytest.raises(OSError, match=r"trio\.sleep\(60\)"):
        await trio.sleep(60)
    forbidden.clear()


def test_a_short_nap_is_allowed():
    time.sleep(0.001)


async def test_virtual_time_is_free(autojump_clock):
    before = trio.current_time()
    await trio.sleep(3600)
    assert trio.current_time() - before == pytest.approx(3600)


@pytest.mark.parametrize("address", [("192.0.2.1", 9), ("198.51.100.7", 9)])
def test_a_test_that_leaves_this_machine_is_told_so(address, forbidden):
    with socket.socket() as sock, pytest.raises(OSError, match="socket"):
        sock.connect(address)
    assert forbidden
    forbidden.clear()


def test_a_name_beyond_loopback_is_not_looked_up(forbidden):
    with pytest.raises(OSError, match="getaddrinfo"):
        socket.getaddrinfo("example.com", 80)
    forbidden.clear()


def test_no_datagram_leaves_this_machine(forbidden):
    with socket.socket(type=socket.SOCK_DGRAM) as sock, pytest.raises(OSError, match="sendto"):
        sock.sendto(b"x", ("192.0.2.1", 9))
    forbidden.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost"])
def test_loopback_is_open(host):
    with socket.create_server((host, 0)) as listener:
        socket.create_connection((host, listener.getsockname()[1])).close()


def test_an_error_that_was_caught_still_fails_the_test(forbidden):
    with contextlib.suppress(OSError):
        time.sleep(1)
    # This is what ``pytest_runtest_call`` looks at when the test is over.
    assert "time.sleep(1)" in forbidden[0]
    forbidden.clear()
