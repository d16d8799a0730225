"""A daemon behind a socket that outlives it, as a service manager runs it.

Rules of this file: the socket is opened once and handed to each daemon in its turn, so that whoever connects between
two of them waits instead of being refused. A daemon is ended by its own process.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.build import ROOT

BACKLOG = 4096
STOP_LIMIT = 60.0

# What a service manager does with a socket that it opened itself.
_HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.execve(sys.argv[2], sys.argv[2:], {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
"""
_CONFIG = "[server]\nconnections = 20000\n[sources.door]\nkind = 'http'\n"


class Held:
    """One socket, one data directory, and the daemon that serves them at the moment; its log is in ``directory``."""

    def __init__(self, directory: Path, config: str = _CONFIG) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._directory = directory
        self._data = directory / "data"
        self._data.mkdir()
        self._config = directory / "andond.toml"
        self._config.write_text(config)
        self._log = directory / "daemon.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where it listens, with or without a daemon."""
        port: int = self._socket.getsockname()[1]
        return port

    @property
    def log(self) -> str:
        """What all the daemons have said."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start a daemon; it is not waited for."""
        number = self._socket.fileno()
        daemon = [sys.executable, "-m", "andond", "run", "-c", str(self._config), "--data-dir", str(self._data)]
        environ = {name: value for name, value in os.environ.items() if not name.upper().startswith("ANDOND__")}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _HAND_OVER, str(number), *daemon],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=ROOT,
                env={**environ, "ANDOND__LOG__FORMAT": "logfmt"},
                pass_fds=(number,),
            )

    def signal(self, number: int) -> None:
        """Send the daemon a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    def wait(self) -> tuple[int, float]:
        """Wait for the daemon's end; returns its exit code and the seconds it took."""
        began = time.monotonic()
        code = 0 if self._process is None else self._process.wait(STOP_LIMIT)
        self._process = None
        return code, time.monotonic() - began

    def kill(self) -> None:
        """End the daemon at this very instruction."""
        self.signal(signal.SIGKILL)
        self.wait()

    def close(self) -> None:
        """End what runs, and the socket."""
        if self._process is not None:
            self.kill()
        self._socket.close()
