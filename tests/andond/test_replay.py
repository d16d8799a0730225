import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing

from andond import replay
from andond.replay import EXIT_UNAVAILABLE, Replay, add_arguments, run, serve

LOG = b"".join(
    b"2016-11-07T09:%02d:00Z|execution|%s\n" % (minute, word) for minute, word in enumerate([b"READY", b"ACTIVE"] * 5)
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "machine.txt"
    path.write_bytes(LOG)
    return path


@pytest.fixture
def clock() -> trio.testing.MockClock:
    """Virtual time that leaves real sockets a moment before it leaps."""
    return trio.testing.MockClock(autojump_threshold=0.02)


@asynccontextmanager
async def serving(log: Path, speed: float = 1.0, *, is_loop: bool = False) -> AsyncIterator[tuple[int, list[str]]]:
    said: list[str] = []
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve, Replay([log], speed, 1e9, is_loop), listeners, said.append)
        yield listeners[0].socket.getsockname()[1], said
        nursery.cancel_scope.cancel()


async def receive(stream: trio.SocketStream, size: int) -> bytes:
    received = b""
    while len(received) < size:
        received += await stream.receive_some()
    return received


def arguments(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(list(words))


async def test_each_client_gets_all_from_the_start(log: Path) -> None:
    async with serving(log, speed=0) as (port, said):
        for _ in range(2):
            async with await trio.open_tcp_stream("127.0.0.1", port) as client:
                assert await receive(client, len(LOG)) == LOG
    assert sum("has all 10 lines" in line for line in said) == 2
    assert said[0].startswith("andond replay: serves machine.txt on 127.0.0.1:")


async def test_lines_come_at_the_recorded_pace_by_the_speed(log: Path, clock: trio.testing.MockClock) -> None:
    async with serving(log, speed=10) as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        began = trio.current_time()
        assert await receive(client, len(LOG)) == LOG
        # The first of ten lines, a minute apart, is the last known value; nine are left, and eight pauses between.
        assert trio.current_time() - began == pytest.approx(8 * 6, abs=0.5)


async def test_after_the_end_the_connection_stays_and_pings_are_answered(
    log: Path, clock: trio.testing.MockClock
) -> None:
    async with serving(log, speed=0) as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await receive(client, len(LOG))
        for ping in (b"* PI", b"NG\r\n* PING\n"):
            await client.send_all(ping)
        assert await receive(client, 26) == b"* PONG 10000\n" * 2


async def test_again_and_again_begins_after_the_end(log: Path) -> None:
    async with (
        serving(log, speed=0, is_loop=True) as (port, _),
        await trio.open_tcp_stream("127.0.0.1", port) as client,
    ):
        assert (await receive(client, 3 * len(LOG))).startswith(LOG * 3)


async def test_a_client_that_breaks_off_does_not_disturb_the_others(log: Path) -> None:
    async with serving(log, speed=0, is_loop=True) as (port, said):
        first = await trio.open_tcp_stream("127.0.0.1", port)
        async with await trio.open_tcp_stream("127.0.0.1", port) as second:
            await receive(first, 10)
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            first.socket.close()
            await receive(second, 50 * len(LOG))
            while not any("broke off" in line or "left" in line for line in said):
                await receive(second, len(LOG))


async def test_a_client_that_floods_the_server_with_an_endless_command_is_let_go(log: Path) -> None:
    async with serving(log, speed=0) as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await receive(client, len(LOG))
        with pytest.raises(trio.BrokenResourceError):
            await client.send_all(b"x" * 64 * 1024 * 1024)


async def test_a_log_that_goes_bad_meanwhile_ends_its_client_only(log: Path) -> None:
    async with serving(log, speed=0) as (port, said):
        log.unlink()  # noqa: ASYNC240
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            assert await client.receive_some() == b""
        assert any("no such file" in line for line in said)
        log.write_bytes(LOG)  # noqa: ASYNC240
        async with await trio.open_tcp_stream("127.0.0.1", port) as client:
            assert await receive(client, len(LOG)) == LOG


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("--listen", "10.0.0.7:7878"), "listen", ("10.0.0.7", 7878)),
        (("--listen", "[::1]:7878"), "listen", ("::1", 7878)),
        (("--speed", "max"), "speed", 0.0),
        (("--speed", "60"), "speed", 60.0),
        (("--longest-wait", "0"), "longest_wait", float("inf")),
        (("--loop",), "loop", True),
        ((), "longest_wait", replay.LONGEST_WAIT),
    ],
)
def test_the_command_line_is_understood(words: tuple[str, ...], name: str, value: object) -> None:
    assert getattr(arguments("a.txt", *words), name) == value


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("a", "--listen", "7878"),
        ("a", "--listen", "x:99999"),
        ("a", "--speed", "-1"),
        ("a", "--speed", "nan"),
        ("a", "--speed", "x"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        arguments(*words)
    assert "usage" in capsys.readouterr().err


def test_a_missing_log_ends_with_a_word_and_a_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments(str(tmp_path / "none.txt"))) == os.EX_NOINPUT
    assert capsys.readouterr().err == f"andond replay: {tmp_path / 'none.txt'}: no such file\n"


def test_a_port_that_is_taken_ends_with_a_word_and_a_code(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run(arguments(str(log), "--listen", f"127.0.0.1:{port}")) == EXIT_UNAVAILABLE
    assert f"cannot serve on 127.0.0.1:{port}: Address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(log: Path, number: signal.Signals) -> None:
    code = (
        "import argparse, sys; from andond import replay; p = argparse.ArgumentParser(); replay.add_arguments(p);"
        "sys.exit(replay.run(p.parse_args()))"
    )
    root = Path(replay.__file__).parents[1]
    command = [sys.executable, "-c", code, str(log), "--listen", "127.0.0.1:0", "--speed", "max"]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        port = int(first.split("127.0.0.1:")[1].split()[0])
        with socket.create_connection(("127.0.0.1", port)) as client:
            assert client.recv(10) == LOG[:10]
            process.send_signal(number)
            assert process.wait(10) == 0
        assert "stopped" in process.stdout.read()
