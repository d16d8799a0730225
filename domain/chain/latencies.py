"""How long transactions take from submission to settlement.

Rules of this file: the newest samples up to a limit, each with its moment; what is older than the window says
nothing any more. Percentiles are nearest-rank: a value that was measured, not one between two.
"""

from __future__ import annotations

from collections import deque
from math import ceil

import msgspec

SAMPLE_LIMIT = 4096


class Spread(msgspec.Struct, frozen=True):
    """What the samples of a window say, in milliseconds."""

    count: int
    mean: float
    least: float
    most: float
    p50: float
    p95: float
    p99: float


class Latencies:
    """The newest latencies, in milliseconds."""

    __slots__ = ("_samples", "_window")

    def __init__(self, window: float) -> None:
        self._window = window
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLE_LIMIT)

    def add(self, at: float, latency_ms: float) -> None:
        """A transaction that took ``latency_ms`` was settled at ``at`` (Unix seconds)."""
        self._samples.append((at, latency_ms))

    def spread(self, at: float) -> Spread | None:
        """What the window up to ``at`` says, or None if it holds no sample."""
        samples = sorted(latency for moment, latency in self._samples if at - moment <= self._window)
        if not samples:
            return None
        return Spread(
            count=len(samples),
            mean=sum(samples) / len(samples),
            least=samples[0],
            most=samples[-1],
            p50=_rank(samples, 0.50),
            p95=_rank(samples, 0.95),
            p99=_rank(samples, 0.99),
        )


def _rank(samples: list[float], ratio: float) -> float:
    return samples[max(0, ceil(ratio * len(samples)) - 1)]
