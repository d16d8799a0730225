"""The settings of the rules for chains: when a node is silent, a chain halted, a validator at risk.

Rules of this file: what depends on a chain's own pace is in block times, because blocks take one second on one chain
and twelve on another. Where to read a chain is a matter of its source (``chain_sources``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from config.chain_sources import CosmosSource, EthereumSource
from config.meta import means

_DAY = 86_400
_LATE = 1.5


def shares(value: object) -> str | None:
    """Expect shares between 0 and 1, each greater than the one before."""
    is_right = isinstance(value, list | tuple) and all(isinstance(each, int | float) and 0 < each < 1 for each in value)
    if is_right and isinstance(value, list | tuple) and list(value) == sorted(set(value)):
        return None
    return "shares between 0 and 1 in rising order, such as [0.5, 0.8, 0.95]"


class ChainRuleSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When a chain, its nodes and its validators are said to be in trouble."""

    stale_after: Annotated[
        float,
        means(
            "Silence after which a node does not count; blocks may come late, not four times in a row",
            unit="block times",
            within=(1, 10_000),
            reload=True,
        ),
    ] = 4.0
    halted_after: Annotated[
        float,
        means(
            "Time without a block, while nodes answer, after which a chain stands still; above `stale_after`",
            unit="block times",
            within=(2, 10_000),
            reload=True,
        ),
    ] = 8.0
    rounds: Annotated[
        int,
        means(
            "Rounds of consensus on one height that say the same sooner: as many proposers failed",
            unit="rounds",
            within=(1, 1_000),
            reload=True,
        ),
    ] = 3
    silence: Annotated[
        float,
        means(
            "Silence after which a node does not count while its block time is not known yet",
            unit="seconds",
            within=(1, _DAY),
            reload=True,
        ),
    ] = 60.0
    lag: Annotated[
        int,
        means(
            "How far a node may be behind the best; a node that answers and is stuck shows in nothing else",
            unit="blocks",
            within=(1, 100_000),
            reload=True,
        ),
    ] = 5
    lead: Annotated[
        int,
        means(
            "How far a node may be ahead of what the others' times allow",
            unit="blocks",
            within=(1, 1_000_000),
            reload=True,
        ),
    ] = 100
    clock_tolerance: Annotated[
        float,
        means("How far a chain's clock may be from ours", unit="seconds", within=(0, _DAY), reload=True),
    ] = 30.0
    history_after: Annotated[
        float,
        means(
            "Age of a block at which a jailing in it is history: the validators' records say what is so now",
            unit="seconds",
            within=(1, _DAY),
            reload=True,
        ),
    ] = 300.0
    stands_for: Annotated[
        float,
        means(
            "How long a node's word counts without being repeated; longer where each is read less often than that",
            unit="seconds",
            within=(1, _DAY),
            reload=True,
        ),
    ] = 30.0
    risk: Annotated[
        tuple[float, ...],
        means(
            "Shares of the misses that a chain allows at which a validator is told to be at risk of jail",
            unit="ratios",
            reload=True,
            rule=shares,
        ),
    ] = (0.5, 0.8, 0.95)
    imminent: Annotated[
        float,
        means(
            "Time to jail at which the risk of who is watched is critical, if a share of `risk` was passed; 0: never",
            unit="seconds",
            within=(0, _DAY),
            reload=True,
        ),
    ] = 600.0


def turn_of(sources: Mapping[str, msgspec.Struct]) -> float:
    """Seconds in which every node of ``sources`` that are chains is read once, also by late polls; 0 if there is none.

    The records of validators are read from one node with each poll, by turns.
    """
    turns = [
        _LATE * source.poll * len(source.nodes)
        for source in sources.values()
        if isinstance(source, CosmosSource | EthereumSource)
    ]
    return max(turns, default=0.0)


def watched_of(sources: Mapping[str, msgspec.Struct]) -> frozenset[str]:
    """The validators that ``sources`` name as watched, in lower case."""
    found: set[str] = set()
    for source in sources.values():
        watched = getattr(source, "watched", ())
        found |= {str(each).lower() for each in watched} if isinstance(watched, tuple | list) else set()
    return frozenset(found)
