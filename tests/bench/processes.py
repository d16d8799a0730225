"""The processes of a measurement: servers on one core, loads on the other, told what to do by lines.

Rules of this file: every process is ended by its own handle, also when a measurement fails. A command is a line on
standard input; an answer is a line of JSON on standard output, and other lines there are passed over. Nothing waits
without a limit.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeAlias

from tests.bench.build import ROOT
from tests.bench.machine import give_precedence, on_core, processor_time, resident

Answer: TypeAlias = dict[str, "float | list[list[float]]"]

ANSWER_LIMIT = 60.0
_STOP_LIMIT = 5.0
_CHUNK = 1 << 16


class MeasurementFailed(Exception):
    """A measurement did not come about; says what was seen instead."""


class Program:
    """A process on ``core``; what it writes to standard error goes to ``log``."""

    precedence: ClassVar[bool] = False

    def __init__(
        self, command: Sequence[str], core: int, log: Path, environ: Mapping[str, str] | None = None, nice: int = 0
    ) -> None:
        self.name = log.stem
        self._log = log
        self._heard = b""
        with on_core(core), log.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=ROOT,
                env={**_plain_environ(), **(environ or {})},
                bufsize=0,
                start_new_session=self.precedence and not nice,
            )
        if self.precedence and not nice:
            give_precedence(self.pid)
        if nice:
            os.setpriority(os.PRIO_PROCESS, self.pid, nice)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def say(self, line: str) -> None:
        """Give a command."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.write(line.encode() + b"\n")

    def hear(self, limit: float = ANSWER_LIMIT) -> Answer:
        """The next answer.

        Raises:
            MeasurementFailed: if none comes within ``limit`` seconds, or the process ends.
        """
        deadline = time.monotonic() + limit
        while True:
            line, found, rest = self._heard.partition(b"\n")
            if found:
                self._heard = rest
                if line.startswith(b"{"):
                    answer: Answer = json.loads(line)
                    return answer
                continue
            self._heard += self._read(deadline)

    def ask(self, line: str, limit: float = ANSWER_LIMIT) -> Answer:
        """Give a command and wait for its answer."""
        self.say(line)
        return self.hear(limit)

    def processor_time(self) -> float:
        """Seconds on a core so far."""
        return processor_time(self.pid)

    def resident(self) -> int:
        """Bytes of memory in use."""
        return resident(self.pid)

    def stop(self) -> None:
        """End the process: asked first, then killed."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def kill(self) -> None:
        """End the process at once: whoever is connected to it is of no interest any more."""
        self.process.kill()
        self.process.wait()

    def _read(self, deadline: float) -> bytes:
        if self.process.stdout is None:
            raise MeasurementFailed(f"{self.name} has no output")
        remaining = deadline - time.monotonic()
        ready = remaining > 0 and select.select([self.process.stdout], [], [], remaining)[0]
        if not ready:
            raise MeasurementFailed(f"{self.name} did not answer in time{self._last_words()}")
        chunk = os.read(self.process.stdout.fileno(), _CHUNK)
        if not chunk:
            raise MeasurementFailed(f"{self.name} has ended{self._last_words()}")
        return chunk

    def _last_words(self) -> str:
        text = self._log.read_text(errors="replace").strip()
        return f": {text[-1500:]}" if text else ""


class Server(Program):
    """A measured server: says its port when it listens; ``path`` is where a load connects to."""

    port: int
    path: str
    size: int | None

    def await_port(self, path: str) -> Self:
        """Wait until the server listens.

        Raises:
            MeasurementFailed: if it does not.
        """
        said = self.hear()
        self.port, self.path = int(number(said, "port")), path
        self.size = int(number(said, "size")) if "size" in said else None
        return self


class Load(Program):
    """Clients of one server."""

    def open(self, count: int, at_once: int = 64) -> float:
        """Open ``count`` connections; returns the seconds it took.

        Raises:
            MeasurementFailed: if not all could be opened.
        """
        return self.opened(self.ask(f"open {count} {at_once}", 2 * ANSWER_LIMIT))

    def opened(self, said: Answer) -> float:
        """The seconds that opening took, from its answer.

        Raises:
            MeasurementFailed: if not all could be opened.
        """
        if number(said, "failed"):
            raise MeasurementFailed(f"{number(said, 'failed'):.0f} connections of {self.name} could not be opened")
        return number(said, "seconds")

    def expect(self, frames: int) -> None:
        """Count from zero; ``hear()`` returns once ``frames`` have come."""
        self.ask(f"expect {frames}")

    def report(self) -> Answer:
        """What has come since the last ``expect()``."""
        return self.ask("report")


def number(answer: Answer, name: str) -> float:
    """A number of an answer.

    Raises:
        MeasurementFailed: if there is none of that name.
    """
    value = answer.get(name)
    if not isinstance(value, int | float):
        raise MeasurementFailed(f"no {name} in {answer}")
    return value


def numbers(answer: Answer, name: str) -> list[list[float]]:
    """A list of lists of numbers of an answer."""
    value = answer.get(name)
    return value if isinstance(value, list) else []


@contextmanager
def killed_after(*programs: Program) -> Iterator[None]:
    """End ``programs`` at once, in this order, when the block is left."""
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.stop()


def _plain_environ() -> dict[str, str]:
    """The environment without settings of a daemon that somebody runs here."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("ANDOND__")}
