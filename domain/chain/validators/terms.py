"""What the rules of validators go by: thresholds, as the operator set them.

Rules of this file: values, no decisions. Where a chain's own pace matters a threshold is in block times, so that the
same setting holds for blocks of one second and of twelve.
"""

from __future__ import annotations

import msgspec


class Terms(msgspec.Struct, frozen=True):
    """The thresholds in force; ``watched`` are validators by address, operator or index, in lower case."""

    stale_after: float = 4.0
    """Block times without an answer after which a node is silent."""
    halted_after: float = 8.0
    """Block times without a block, while nodes answer, after which the chain stands still."""
    rounds: int = 3
    """Rounds of consensus on one height that say the same sooner."""
    silence: float = 60.0
    """Seconds in place of ``stale_after`` while the chain's block time is not known yet."""
    lag: int = 5
    """Blocks that a node may be behind the best one."""
    lead: int = 100
    """Blocks that a node may be ahead of what the others' times allow."""
    clock_tolerance: float = 30.0
    """Seconds that a chain's clock may differ from ours."""
    history_after: float = 300.0
    """Age in seconds at which what a block says is history."""
    stands_for: float = 30.0
    """Seconds that a node's word counts without being repeated."""
    risk: tuple[float, ...] = (0.5, 0.8, 0.95)
    """Shares of the misses that a chain allows at which a validator is told to be at risk."""
    imminent: float = 600.0
    """Seconds to jail at which the risk of a watched validator is critical."""
    watched: frozenset[str] = msgspec.field(default_factory=frozenset)
