"""The measuring tools: compiled on the spot where there is a compiler, else a slower stand-in.

Rules of this file: nothing is left behind; the tools live in the directory of one run.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
_TLS_LIBRARIES = ("libssl.so.3", "libssl.so.1.1", "libssl.so")


@dataclass(frozen=True, slots=True)
class Tools:
    """The commands of the load and of the C limit, which is None where it could not be compiled."""

    load: tuple[str, ...]
    limit: tuple[str, ...] | None
    tls_library: str | None
    note: str = ""

    @property
    def compiled(self) -> bool:
        """Whether the load is the fast one."""
        return self.limit is not None


def build(directory: Path) -> Tools:
    """Compile the tools into ``directory``, or say in ``note`` why the stand-in has to do."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return _stand_in("no C compiler: no C limit, and a load in Python, which is the bottleneck of fan-out peaks")
    for name, libraries in (("load", ["-ldl"]), ("limit", [])):
        command = [compiler, "-O2", "-o", str(directory / name), str(HERE / f"{name}.c"), *libraries]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return _stand_in(f"the C tools do not compile here: {done.stderr.strip()[:200]}")
    return Tools((str(directory / "load"),), (str(directory / "limit"),), _tls_library())


def _stand_in(note: str) -> Tools:
    return Tools((sys.executable, "-m", "tests.bench.slow_load"), None, "python", note)


def _tls_library() -> str | None:
    for name in _TLS_LIBRARIES:
        with suppress(OSError):
            ctypes.CDLL(name)
            return name
    return None
