"""How far a long read is, as a bar on the terminal.

Rules of this file: on a terminal only, on standard error, and gone when it is done: what is piped on is never touched.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

WIDTH = 40
INTERVAL = 0.1
_CLEAR = "\r\x1b[K"


class Progress:
    """A bar over ``size`` bytes on ``terminal``; None: no bar."""

    def __init__(self, size: int, terminal: TextIO | None) -> None:
        self._size = max(size, 1)
        self._terminal = terminal
        self._read = 0
        self._drawn = 0.0

    @classmethod
    def over(cls, paths: Sequence[Path]) -> Self:
        """A bar for reading all of ``paths``."""
        size = sum(path.stat().st_size for path in paths if path.is_file())
        return cls(size, sys.stderr if sys.stderr.isatty() else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal is not None and self._drawn:
            self._terminal.write(_CLEAR)
            self._terminal.flush()

    def read(self, size: int) -> None:
        """So many bytes more were read."""
        self._read += size
        if self._terminal is None:
            return
        now = time.monotonic()
        if now - self._drawn >= INTERVAL:
            self._drawn = now
            self._terminal.write(_CLEAR + self.bar())
            self._terminal.flush()

    def bar(self) -> str:
        """The bar as it is now."""
        ratio = min(self._read / self._size, 1.0)
        done = round(ratio * WIDTH)
        return f"reading [{'#' * done}{'.' * (WIDTH - done)}] {ratio:4.0%}"
