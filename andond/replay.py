"""``andond replay``: recorded SHDR logs on a socket, as a machine's adapter would send them.

Rules of this file: every client gets everything from the start, at its own pace; pings are answered. A log that is
done leaves the connection open and silent, as a machine does that is switched off. It ends by a signal, with
everything closed.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import trio

from andond.recording import Pacing, Recorded, RecordingError, check, lines_of

HEARTBEAT_MS = 10_000
LONGEST_WAIT = 5.0
BATCH_SIZE = 16_384
COMMAND_LIMIT = 4_096
HIGHEST_PORT = 65_535

EXIT_UNAVAILABLE = 69

Say = Callable[[str], None]


class Replay(msgspec.Struct, frozen=True):
    """What to serve and how fast; ``speed`` 0 is as fast as the client reads."""

    logs: Sequence[Path]
    speed: float
    longest_wait: float
    is_loop: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "logs", metavar="LOG", nargs="+", type=Path, help="SHDR logs, plain, .gz, .xz or in .tar.xz, in order"
    )
    parser.add_argument(
        "--listen", metavar="HOST:PORT", type=_address, default=("127.0.0.1", 7878), help="where to serve"
    )
    parser.add_argument(
        "--speed", metavar="N", type=_speed, default=1.0, help="times the recorded speed; 0 or max: no waiting"
    )
    parser.add_argument(
        "--longest-wait",
        metavar="SECONDS",
        type=_wait,
        default=LONGEST_WAIT,
        help=f"cut pauses to this ({LONGEST_WAIT:g}); 0: keep them whole",
    )
    parser.add_argument("--loop", action="store_true", help="begin again after the end")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes; the exit code."""
    replay = Replay(args.logs, args.speed, args.longest_wait, args.loop)
    try:
        check(replay.logs)
        trio.run(_until_signal, replay, *args.listen)
    except RecordingError as error:
        print(f"andond replay: {error}", file=sys.stderr)
        return os.EX_NOINPUT
    except OSError as error:
        host, port = args.listen
        print(f"andond replay: cannot serve on {host}:{port}: {error.strerror or error}", file=sys.stderr)
        return EXIT_UNAVAILABLE
    return 0


async def _until_signal(replay: Replay, host: str, port: int) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        listeners = await trio.open_tcp_listeners(port, host=host)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, replay, listeners, _print)
            async for _ in signals:
                _print("andond replay: stopped")
                nursery.cancel_scope.cancel()
                break


async def serve(replay: Replay, listeners: Sequence[trio.SocketListener], say: Say) -> None:
    """Serve ``replay`` for ever to whoever comes to ``listeners``."""
    names = ", ".join(path.name for path in replay.logs)
    where = " and ".join(_name(listener.socket.getsockname()) for listener in listeners)
    how = f"at {replay.speed:g} times the recorded speed" if replay.speed else "as fast as it is read"
    say(f"andond replay: serves {names} on {where} {how}{', again and again' if replay.is_loop else ''}")
    await trio.serve_listeners(partial(_serve_client, replay, say), list(listeners))


async def _serve_client(replay: Replay, say: Say, stream: trio.SocketStream) -> None:
    name = _name(stream.socket.getpeername())
    say(f"andond replay: {name} connected")
    client = _Client(replay, stream, trio.Lock())
    reason = "left"
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.answer, nursery.cancel_scope)
            await client.play(lambda: say(f"andond replay: {name} has all {client.lines} lines"))
    except* (trio.BrokenResourceError, trio.ClosedResourceError):
        reason = "broke off"
    except* RecordingError as errors:
        # The log was there at the start; one that goes bad meanwhile ends its client, not the others.
        reason = f"was let go: {errors.exceptions[0]}"
    say(f"andond replay: {name} {reason} after {client.lines} lines")
    await trio.aclose_forcefully(stream)


class _Client:
    """One connection: what is played to it and what it asks."""

    def __init__(self, replay: Replay, stream: trio.SocketStream, sending: trio.Lock) -> None:
        self._replay = replay
        self._stream = stream
        self._sending = sending
        self.lines = 0

    async def play(self, done: Callable[[], None]) -> None:
        """Send every line when it is due; then be silent until the client leaves."""
        while True:
            await self._play_once(lines_of(self._replay.logs))
            done()
            if not self._replay.is_loop:
                await trio.sleep_forever()
            # A recording without pauses would otherwise never let others run.
            await trio.lowlevel.checkpoint()

    async def _play_once(self, lines: Iterable[Recorded]) -> None:
        pacing = Pacing(self._replay.speed, self._replay.longest_wait)
        began = trio.current_time()
        batch: list[bytes] = []
        size = 0
        for line in lines:
            due = began + pacing.take(line)
            if batch and (size >= BATCH_SIZE or due > trio.current_time()):
                await self._send(b"".join(batch))
                self.lines += len(batch)
                batch, size = [], 0
            await trio.sleep_until(due) if due > trio.current_time() else None
            batch.append(line.raw)
            size += len(line.raw)
        if batch:
            await self._send(b"".join(batch))
            self.lines += len(batch)

    async def answer(self, scope: trio.CancelScope) -> None:
        """Answer the client's pings until it leaves."""
        rest = b""
        async for received in self._stream:
            *commands, rest = (rest + received).split(b"\n")
            for command in commands:
                if command.strip().upper() == b"* PING":
                    await self._send(b"* PONG %d\n" % HEARTBEAT_MS)
            if len(rest) > COMMAND_LIMIT:
                break
        scope.cancel()

    async def _send(self, payload: bytes) -> None:
        async with self._sending:
            await self._stream.send_all(payload)


def _print(text: str) -> None:
    print(text, flush=True)


def _name(address: Sequence[object]) -> str:
    host, port = str(address[0]), address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or int(port) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _speed(text: str) -> float:
    return 0.0 if text == "max" else _not_negative(text)


def _wait(text: str) -> float:
    return _not_negative(text) or math.inf


def _not_negative(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return value
