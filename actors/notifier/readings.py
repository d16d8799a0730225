"""Reads the clocks together, for ``domain.plant.escalation.clocks``.

Rules of this file: ``CLOCK_BOOTTIME`` goes on while the machine sleeps and cannot be set (Linux, clock_gettime(2)).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from domain.plant.escalation import Reading

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def read_clocks(clock: Callable[[], float] = time.time) -> Reading:
    """What the wall clock and the clock that nobody can set say now."""
    return Reading(clock(), time.clock_gettime(time.CLOCK_BOOTTIME), boot_id())


@cache
def boot_id() -> str:
    """What names this start of the machine; empty where the system does not say."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
