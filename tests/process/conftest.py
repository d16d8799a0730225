"""The real daemon as a subprocess, and a real browser to look at it with.

Rules of this file: nothing listens but on 127.0.0.1 and a port that the kernel chose; whatever is started here is
ended here, by its own process, also when a test fails.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import websocket

from tests.process.warm import WarmProcess

START_LIMIT = 20.0
ANSWER_LIMIT = 20.0
STOP_LIMIT = 15.0
POLL_INTERVAL = 0.05

_READY = re.compile(r"\bdaemon\.ready\b.*?\baddress=\"?127\.0\.0\.1:(\d+)")
_DEVTOOLS = re.compile(r"DevTools listening on (ws://\S+)")
_COMPLAINTS = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)

Value = TypeVar("Value")


def wait_for(look: Callable[[], Value], what: str, limit: float = ANSWER_LIMIT) -> Value:
    """What ``look`` returns as soon as it is true.

    Raises:
        TimeoutError: after ``limit`` seconds, with ``what`` did not come and what came instead.
    """
    deadline = time.monotonic() + limit
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come within {limit:g} s; last seen: {value!r}")
        time.sleep(POLL_INTERVAL)


def started(command: list[str], log: Path, environ: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """``command`` in a process of its own, in the directory of ``log``, which has what it says."""
    nothing = subprocess.DEVNULL
    with log.open("wb") as errors:
        return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=errors, cwd=log.parent, env=environ)


class Program:
    """A program whose standard error goes to a file, so that a full pipe can never stop it."""

    def __init__(self, process: subprocess.Popen[bytes] | WarmProcess, log: Path) -> None:
        self.process = process
        self.log = log

    def said(self, pattern: re.Pattern[str], what: str, limit: float = START_LIMIT) -> str:
        """The first group of ``pattern``, as soon as a line of the log matches it."""

        def look() -> re.Match[str] | None:
            text = self.log.read_text(errors="replace")
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode} before it said {what}:\n{text[-2000:]}")
            return pattern.search(text)

        match = wait_for(look, what, limit)
        return "" if match is None else match[1]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the program: asked first, then killed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Daemon(Program):
    """``andond run`` on a port of its own; ``port`` 0 lets the kernel choose, ``config`` "" is the default one."""

    def __init__(self, directory: Path, port: int = 0, config: str = "", **more: str) -> None:
        arguments, log = ["run", "--listen", f"127.0.0.1:{port}"], directory / "daemon.log"
        if config:
            path = directory / "andond.toml"
            path.write_text(config)
            arguments += ["-c", str(path)]
        environ = {name: value for name, value in os.environ.items() if not name.upper().startswith("ANDOND__")}
        environ |= {"ANDOND__LOG__FORMAT": "logfmt", **more}
        log.write_bytes(b"")
        if any(name.startswith("PYTHON") for name in more):
            # Whatever Python reads when it starts, it is to read.
            super().__init__(started([sys.executable, "-m", "andond", *arguments], log, environ), log)
        else:
            super().__init__(WarmProcess(arguments, log, environ), log)
        try:
            self.port = int(self.said(_READY, "daemon.ready"))
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/"


class Page:
    """One tab of the browser, spoken to by the DevTools protocol; ``complaints`` is what its console said."""

    def __init__(self, address: str) -> None:
        self._socket = websocket.create_connection(address, timeout=ANSWER_LIMIT, suppress_origin=True)
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, object]:
        """Ask ``method``; what happens meanwhile is kept in ``complaints``."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message: dict[str, object] = json.loads(self._socket.recv())
            if message.get("method") in _COMPLAINTS:
                self.complaints.append(json.dumps(message["params"]))
            elif message.get("id") == number:
                result = message.get("result")
                if not isinstance(result, dict):
                    raise RuntimeError(f"{method}: {message}")
                return result

    def open(self, url: str, width: int = 1280, height: int = 800) -> None:
        """Go to ``url`` in a window of ``width`` by ``height``."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> object:
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        answer = result["result"]
        return answer.get("value") if isinstance(answer, dict) else None

    def wait(self, expression: str, limit: float = ANSWER_LIMIT) -> object:
        """The value of ``expression`` as soon as it is true."""
        return wait_for(lambda: self.evaluate(expression), expression, limit)

    def text(self, selector: str) -> str:
        """What the first element of ``selector`` says."""
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''"))

    def close(self) -> None:
        """Close the tab: what is open goes on looking for its gateway."""
        self.call("Page.close")
        self._socket.close()


class Browser(Program):
    """A headless Chromium with an empty profile."""

    def __init__(self, program: str, directory: Path) -> None:
        command = [program, *_FLAGS, f"--user-data-dir={directory}/profile", "about:blank"]
        log = directory / "browser.log"
        super().__init__(started(command, log), log)
        try:
            self._address = self.said(_DEVTOOLS, "its DevTools address")
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def page(self) -> Page:
        """A new tab."""
        control = websocket.create_connection(self._address, timeout=ANSWER_LIMIT, suppress_origin=True)
        control.send(json.dumps({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}))
        target = json.loads(control.recv())["result"]["targetId"]
        control.close()
        authority = self._address.split("/")[2]
        return Page(f"ws://{authority}/devtools/page/{target}")


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[Callable[..., Daemon]]:
    """Starts one on a port, 0 for any, with a configuration; all of them end with the test."""
    running: list[Daemon] = []

    def start(port: int = 0, config: str = "", **environ: str) -> Daemon:
        running.append(Daemon(tmp_path, port, config, **environ))
        return running[-1]

    yield start
    for daemon in running:
        daemon.stop()


@pytest.fixture
def daemon(start_daemon: Callable[[int], Daemon]) -> Daemon:
    return start_daemon(0)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("neither chromium nor google-chrome is installed")
    running = Browser(program, tmp_path_factory.mktemp("browser"))
    yield running
    running.stop()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    opened = browser.page()
    yield opened
    opened.close()
