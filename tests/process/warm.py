"""The daemon in a process of its own that need not import it: forked from one that has, which is most of its start.

Rules of this file: what runs is ``andond``'s own command line, with its own environment, directory and standard error;
the start as a user has it, imports and all, is that of ``test_daemon.py``.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([__name__, "andond.cli", "andond.run"])


class WarmProcess:
    """``andond`` with ``arguments``, by the words of ``subprocess.Popen``."""

    def __init__(self, arguments: Sequence[str], log: Path, environ: Mapping[str, str]) -> None:
        self._process = _FORKS.Process(target=_live, args=(list(arguments), log, dict(environ)), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid or 0

    @property
    def returncode(self) -> int | None:
        """How it ended, negative by a signal; None while it lives."""
        return self._process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """How it has ended.

        Raises:
            subprocess.TimeoutExpired: if it lives on.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("andond", timeout or 0.0)
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self._process.kill()


def _live(arguments: list[str], log: Path, environ: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(log.parent)
    nothing = os.open(os.devnull, os.O_RDWR)
    errors = os.open(log, os.O_WRONLY | os.O_TRUNC | os.O_CREAT, 0o644)
    for ours, theirs in ((nothing, 0), (nothing, 1), (errors, 2)):
        os.dup2(ours, theirs)
    sys.argv = ["andond", *arguments]
    # What was drawn before it was forked would be drawn by each.
    random.seed()

    from andond.cli import main  # noqa: PLC0415 - whoever asks for a process need not have it

    sys.exit(main(arguments))
