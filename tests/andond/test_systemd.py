"""The service manager's protocol, over real sockets and real descriptors."""

import os
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from andond.systemd import Notifier, forget_sockets, inherited_sockets, watchdog_interval

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    """A datagram socket as the service manager has one, and the variable that names it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        if request.param == "path":
            name = str(tmp_path / "notify")
            channel.bind(name)
        else:
            name = f"@andond-test-{os.getpid()}-{time.monotonic_ns()}"
            channel.bind("\0" + name[1:])
        channel.setblocking(False)
        yield channel, {"NOTIFY_SOCKET": name}


def heard(channel):
    return channel.recv(4096).decode().split("\n")


def test_ready_is_told_with_a_status(manager):
    channel, environ = manager
    assert Notifier(environ).ready("12 connections")
    assert heard(channel) == ["READY=1", "STATUS=12 connections"]


def test_ready_without_a_status_leaves_the_old_one(manager):
    channel, environ = manager
    assert Notifier(environ).ready()
    assert heard(channel) == ["READY=1"]


def test_a_status_is_one_line(manager):
    channel, environ = manager
    Notifier(environ).status("two\nREADY=0")
    assert heard(channel) == ["STATUS=two READY=0"]


def test_a_reload_is_told_with_the_monotonic_time_in_microseconds(manager):
    channel, environ = manager
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    Notifier(environ).reloading()
    first, second = heard(channel)
    assert first == "RELOADING=1"
    name, _, value = second.partition("=")
    assert name == "MONOTONIC_USEC"
    assert before <= int(value) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_stopping_the_watchdog_and_more_time_are_told(manager):
    channel, environ = manager
    notifier = Notifier(environ)
    notifier.stopping("draining")
    assert heard(channel) == ["STOPPING=1", "STATUS=draining"]
    notifier.feed_watchdog()
    assert heard(channel) == ["WATCHDOG=1"]
    notifier.extend_timeout(2.5)
    assert heard(channel) == ["EXTEND_TIMEOUT_USEC=2500000"]


@pytest.mark.parametrize("name", ["", "relative/path", "vsock:2:1234"])
def test_without_a_manager_nothing_is_sent_and_that_is_said(name):
    assert Notifier({"NOTIFY_SOCKET": name}).ready() is False
    assert Notifier({}).feed_watchdog() is False


def test_a_manager_that_is_gone_or_does_not_read_never_blocks(tmp_path):
    assert Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready() is False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "deaf"))
        notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "deaf")})
        assert not all(notifier.status("x" * 1000) for _ in range(10_000))


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "9" * 30}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_needs(environ, interval):
    assert watchdog_interval(environ, 42) == interval


def test_the_notifier_knows_the_watchdog_of_its_own_process():
    environ = {"WATCHDOG_USEC": "4000000", "WATCHDOG_PID": str(os.getpid())}
    assert Notifier(environ).watchdog_interval == 2.0


@pytest.mark.parametrize(
    "environ",
    [{}, {"LISTEN_FDS": "1"}, {"LISTEN_FDS": "1", "LISTEN_PID": "1"}, {"LISTEN_FDS": "x", "LISTEN_PID": "42"},
     {"LISTEN_FDS": "0", "LISTEN_PID": "42"}],
)  # fmt: skip
def test_sockets_that_are_not_for_this_process_are_left_alone(environ):
    assert inherited_sockets(environ, 42) == []


def test_the_variables_of_activation_are_not_passed_on():
    environ = {"LISTEN_FDS": "1", "LISTEN_PID": "1", "LISTEN_FDNAMES": "http", "PATH": "/bin"}
    forget_sockets(environ)
    forget_sockets(environ)
    assert environ == {"PATH": "/bin"}


ACTIVATED = """
    import os, socket, sys
    from andond.systemd import inherited_sockets
    # What the manager does between fork and exec: the sockets at 3 and up, and the process's own number.
    os.environ["LISTEN_PID"] = str(os.getpid())
    try:
        taken = inherited_sockets(os.environ, os.getpid())
    except OSError as error:
        print("refused", error)
        sys.exit()
    for each in taken:
        listener = each.listener
        print(each.name, listener.getsockname()[1], listener.fileno(), os.get_inheritable(listener.fileno()),
              listener.getblocking())
"""


def activate(sockets, **environ):
    """Run a program with ``sockets`` as its descriptors 3 and up."""
    numbers = [each.fileno() for each in sockets]
    moves = " ".join(f"{3 + index}<&{number}" for index, number in enumerate(numbers))
    code = textwrap.dedent(ACTIVATED)
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {moves}', sys.executable, code],
        env={**os.environ, "LISTEN_FDS": str(len(sockets)), "PYTHONPATH": str(ROOT), **environ},
        pass_fds=numbers,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.fixture
def listeners():
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    # Out of the way of 3 and up, where they have to go.
    moved = [socket.socket(fileno=os.dup2(each.fileno(), 100 + index)) for index, each in enumerate(opened)]
    yield moved
    for each in [*opened, *moved]:
        each.close()


def test_sockets_are_taken_over_with_their_names_and_not_passed_on(listeners):
    ports = [each.getsockname()[1] for each in listeners]
    assert activate(listeners, LISTEN_FDNAMES="http:metrics") == [
        f"http {ports[0]} 3 False False",
        f"metrics {ports[1]} 4 False False",
    ]


def test_sockets_without_names_are_called_unknown(listeners):
    assert [line.split()[0] for line in activate(listeners, LISTEN_FDNAMES="http")] == ["http", "unknown"]


def test_a_descriptor_that_is_no_listening_stream_socket_is_refused():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as idle:
        moved = socket.socket(fileno=os.dup2(idle.fileno(), 100))
        with moved:
            assert activate([moved]) == ["refused descriptor 3 is not a listening stream socket"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram:
        moved = socket.socket(fileno=os.dup2(datagram.fileno(), 100))
        with moved:
            assert activate([moved]) == ["refused descriptor 3 is not a listening stream socket"]
