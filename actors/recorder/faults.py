"""How the recorder stands with a disk that fails: since when, and when it is tried again.

Rules of this file: plain state, the time is an argument (seconds on any steady clock). The delay doubles with each try;
a disk that fails again soon after it came back is not taken for a new one.
"""

from __future__ import annotations

from storage import StorageError

RETRY_FIRST = 0.5
RETRY_LAST = 30.0
STEADY = 60.0
"""Seconds without a failure after which the next one is a new one."""


class Fault:
    """Why the journal cannot be written: ``error``, None while it can."""

    __slots__ = ("_failed_at", "_mended_at", "_tries", "error")

    def __init__(self) -> None:
        self.error: StorageError | None = None
        self._failed_at = 0.0
        self._mended_at: float | None = None
        self._tries = 0

    def begin(self, error: StorageError, at: float) -> bool:
        """``error`` came up; whether all was well before."""
        was_well = self.error is None
        self.error = error
        if was_well:
            self._failed_at = at
            if self._mended_at is None or at - self._mended_at > STEADY:
                self._tries = 0
        return was_well

    def end(self, at: float) -> float:
        """All is well again; returns for how many seconds it was not."""
        self.error = None
        self._mended_at = at
        return at - self._failed_at

    def delay(self) -> float:
        """How long to wait before the next try."""
        delay = min(RETRY_LAST, RETRY_FIRST * 2.0**self._tries)
        self._tries = min(self._tries + 1, 16)
        return delay
