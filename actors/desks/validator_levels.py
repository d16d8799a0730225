"""The gauges of chains: validators by state, nodes' heights and ages, how far the watched validators are from jail.

Rules of this file: they are asked one by one within one sample; what they need is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import trio

from domain.chain.validators import ValidatorsNow
from telemetry import gauges

GAUGES = (
    "chain_blocks_to_jail",
    "chain_halted",
    "chain_node_head_age",
    "chain_node_height",
    "chain_nodes_quarantined",
    "chain_validators",
    "chain_validators_jailed",
    "chain_watched_jailed",
)
SAMPLE_AGE = 0.5


class Levels:
    """What the gauges tell, out of what ``look`` returns."""

    def __init__(self, look: Callable[[], ValidatorsNow]) -> None:
        self._look = look
        self._looked_at = float("-inf")
        self._found: Mapping[str, Mapping[str, float]] = {}

    def feed(self) -> None:
        """Tell from now on."""
        for name in GAUGES:
            gauges.feed(name, partial(self._level, name))

    def _level(self, name: str) -> Mapping[str, float] | None:
        now = trio.current_time()
        if now - self._looked_at >= SAMPLE_AGE:
            self._looked_at, self._found = now, self._look().levels()
        # A gauge without a chain has nothing to tell.
        return self._found.get(name) or None
