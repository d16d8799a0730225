"""anvil, a real execution node: HTTP and WebSocket on one port of loopback, for tests that have it installed.

Rules of this file: nothing is fetched for a test. The program is looked for on the path and in npm's global folder; the
``anvil`` that npm puts on the path is a script that starts it, and a signal to that one would not reach it. Whoever is
started here is ended here. What it prints is read all the time, or it would stop at a full pipe.
"""

from __future__ import annotations

import platform
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import pytest
import trio

from domain import JsonValue
from transport import Fetcher

PACKAGE = "@foundry-rs/anvil"
VERSION = "1.7.1"
MISSING = f"anvil is not installed: npm install --global {PACKAGE}@{VERSION}"
START_LIMIT = 20.0

_LISTENING = re.compile(rb"Listening on 127\.0\.0\.1:(\d+)")
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@cache
def program() -> Path | None:
    """Where anvil is installed, if it is."""
    found = shutil.which("anvil")
    if found is not None:
        path = Path(found).resolve()
        if path.suffix != ".mjs":
            return path
        if (inside := _inside(path.parents[2])) is not None:
            return inside
    npm = shutil.which("npm")
    if npm is None:
        return None
    asked = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False, timeout=20)
    return _inside(Path(asked.stdout.strip())) if asked.returncode == 0 else None


def _inside(folder: Path) -> Path | None:
    """The program in npm's ``folder``: inside the package for this machine, which lies beside anvil's or in it."""
    name = f"{PACKAGE}-{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), '')}"
    places = (folder / name, folder / PACKAGE / "node_modules" / name)
    return next((place / "bin" / "anvil" for place in places if (place / "bin" / "anvil").is_file()), None)


# In words, so that nobody looks for it but a test that is about to run.
needs_anvil = pytest.mark.skipif("not __import__('tests.nodes.anvil').nodes.anvil.program()", reason=MISSING)


class Anvil:
    """A running anvil at ``url`` (http) and ``link`` (ws)."""

    def __init__(self, process: trio.Process, port: int, fetcher: Fetcher) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.link = f"ws://127.0.0.1:{port}"
        self._process = process
        self._fetcher = fetcher

    async def call(self, method: str, *params: JsonValue) -> JsonValue:
        """The result of a call, ``evm_`` and ``anvil_`` ones among them."""
        return await self._fetcher.call(method, params)

    async def height(self) -> int:
        """The number of the newest block."""
        return int(str(await self.call("eth_blockNumber")), 16)

    async def mine(self, blocks: int = 1) -> None:
        """Make so many blocks at once."""
        await self.call("anvil_mine", hex(blocks))

    async def send(self, value: int = 1, data: str | None = None) -> str:
        """Send a transaction from the first account to the second, or create a contract of ``data``; its hash."""
        accounts = await self.call("eth_accounts")
        assert isinstance(accounts, Sequence)
        sent: dict[str, JsonValue] = {"from": accounts[0], "value": hex(value)}
        sent |= {"to": accounts[1]} if data is None else {"data": data, "value": "0x0", "gas": hex(200_000)}
        return str(await self.call("eth_sendTransaction", sent))

    async def receipt(self, sent: str) -> Mapping[str, JsonValue]:
        """The receipt of a transaction, as soon as a block has it."""
        while True:
            found = await self.call("eth_getTransactionReceipt", sent)
            if isinstance(found, Mapping):
                return found

    async def reorganize(self, depth: int) -> None:
        """Replace the ``depth`` newest blocks by empty ones."""
        await self.call("anvil_reorg", depth, [])

    async def halt(self) -> None:
        """Make no more blocks, and be healthy."""
        await self.call("evm_setIntervalMining", 0)

    async def go_on(self, interval: int = 1) -> None:
        """Make a block every ``interval`` seconds again."""
        await self.call("evm_setIntervalMining", interval)

    def hang(self) -> None:
        """Stop the process: its kernel goes on taking connections."""
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let the process run again."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End the process at once, and wait until it has ended."""
        self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def running(interval: int | None = None, port: int = 0) -> AsyncIterator[Anvil]:
    """Start anvil with a block every ``interval`` seconds, by default one for each transaction; 0 is any free ``port``.

    A test that calls this has the mark ``needs_anvil``.
    """
    path = program()
    assert path is not None, MISSING
    with tempfile.TemporaryDirectory(prefix="anvil-") as home:
        command = [str(path), "--host", "127.0.0.1", "--port", str(port), "--accounts", "2", "--cache-path", home]
        command += [] if interval is None else ["--block-time", str(interval)]
        environ = {"HOME": home, "PATH": "/usr/bin:/bin"}
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environ
        )
        try:
            async with trio.open_nursery() as nursery:
                port = await nursery.start(_read, process)
                async with Fetcher(f"http://127.0.0.1:{port}") as fetcher:
                    yield Anvil(process, port, fetcher)
                nursery.cancel_scope.cancel()
        finally:
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
                assert process.stdout is not None
                await process.stdout.aclose()


async def _read(process: trio.Process, task_status: trio.TaskStatus[int]) -> None:
    """Read what it prints for ever, and tell the port that it names."""
    printed, is_started = b"", False
    assert process.stdout is not None
    async for data in process.stdout:
        printed = (printed + bytes(data))[-20_000:]
        named = None if is_started else _LISTENING.search(printed)
        if named is not None:
            is_started = True
            task_status.started(int(named[1]))
    if not is_started:
        raise RuntimeError(f"anvil ended without listening:\n{printed.decode(errors='replace')}")
