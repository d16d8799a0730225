"""The trace of a simulation: one hash over everything that could be seen, with a mark for each minute.

Rules of this file: whatever differs between two runs differs in the trace: what each client received and when, what was
written to the journal, what was published, what the gateway said of itself. The marks tell in which minute two runs
parted; ``lines``, where they are wanted, tell over what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import blake2b
from typing import TextIO

MINUTE = 60.0


class Trace:
    """What was seen, so far; ``now`` tells the time, ``log`` gets a line for each thing that is no received byte."""

    def __init__(self, now: Callable[[], float], log: TextIO | None = None) -> None:
        self._now = now
        self._hash = blake2b(digest_size=16)
        self._log = log
        self.counts: Counter[str] = Counter()
        self.marks: list[str] = []

    def note(self, kind: str, *what: object) -> None:
        """Something happened now."""
        at = self._at()
        self.counts[kind] += 1
        line = f"{at:.6f} {kind} {what!r}"
        self._hash.update(line.encode())
        if self._log is not None:
            print(line, file=self._log)

    def received(self, client: str, data: bytes) -> None:
        """``client`` received ``data`` now."""
        self._hash.update(f"{self._at():.6f} {client} ".encode())
        self._hash.update(data)

    def _at(self) -> float:
        at = self._now()
        while at >= (len(self.marks) + 1) * MINUTE:
            self.marks.append(self.digest)
        return at

    @property
    def digest(self) -> str:
        """The hash over all so far."""
        return self._hash.copy().hexdigest()


def parted(one: Trace, other: Trace) -> int | None:
    """The minute in which two traces differ first; None if they do not."""
    for minute, (mark, twin) in enumerate(zip(one.marks, other.marks, strict=False)):
        if mark != twin:
            return minute
    return None if one.digest == other.digest else min(len(one.marks), len(other.marks))
