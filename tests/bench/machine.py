"""The machine that is measured on: its cores, what a process used, what others took meanwhile.

Rules of this file: Linux's own figures from ``/proc``, no library. Processor time is in seconds, memory in bytes.
"""

from __future__ import annotations

import os
import platform
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from andond.version import VERSION

_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")
# user, nice, system, irq, softirq, steal: what a core did not spend waiting
_BUSY_FIELDS = (0, 1, 2, 5, 6, 7)

CORES = tuple(sorted(os.sched_getaffinity(0)))
SERVER_CORE = CORES[0]
LOAD_CORE = CORES[-1]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started inside run on ``core`` only; a child inherits that."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def give_precedence(pid: int) -> bool:
    """Have the machine's other sessions stand back for that of process ``pid``; False where we may not."""
    try:
        Path(f"/proc/{pid}/autogroup").write_text("-20")
    except OSError:
        return False
    return True


def allow_descriptors() -> int:
    """Raise the limit of open files as far as it goes, for this process and its children; returns it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def processor_time(pid: int) -> float:
    """Seconds on a core of all threads of a process, the kernel's work for it included."""
    nanoseconds = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        # A thread that ends in between has its time lost, not ours.
        with suppress(OSError):
            nanoseconds += int((thread / "schedstat").read_text().split()[0])
    return nanoseconds / 1e9


def resident(pid: int) -> int:
    """Bytes of memory that a process has in use."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE


def describe() -> dict[str, object]:
    """What a figure cannot be understood without."""
    return {
        "andond": VERSION,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "processor": _processor(),
        "cores": len(CORES),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in {"model name", "Model"}:
                return value.strip()
    return platform.machine()


class Others:
    """What processes that are not ours took of the two cores, as a ratio, from now on.

    ``servers`` and ``loads`` are the processes that we run on the one core and on the other.
    """

    def __init__(self, servers: list[int], loads: list[int]) -> None:
        self._ours = {SERVER_CORE: servers, LOAD_CORE: [*loads, os.getpid()]}
        self._began = time.monotonic()
        self._busy = {core: self._foreign(core) for core in self._ours}

    def so_far(self) -> tuple[float, float]:
        """The ratios for the servers' core and the loads' core."""
        elapsed = max(1e-3, time.monotonic() - self._began)
        server, load = (
            max(0.0, (self._foreign(core) - self._busy[core]) / elapsed) for core in (SERVER_CORE, LOAD_CORE)
        )
        return server, load

    def _foreign(self, core: int) -> float:
        ours = 0.0
        for pid in self._ours[core]:
            with suppress(OSError):
                ours += processor_time(pid)
        return _busy(core) - ours


def _busy(core: int) -> float:
    for line in Path("/proc/stat").read_text().splitlines():
        name, *values = line.split()
        if name == f"cpu{core}":
            return sum(int(values[field]) for field in _BUSY_FIELDS) / _TICKS
    raise RuntimeError(f"/proc/stat does not know core {core}")
