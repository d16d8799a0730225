"""What the portal publishes by the clock: each stream's interval, its document, and what that is made from.

Rules of this file: no clock. The names are those that the portal's clients read; what nobody told or measured is null,
with its reason under ``reasons``. Every document carries its provenance.
Source of the names: the ledger channels, the analytics and the console of the portal's predecessor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec

from domain.chain.documents import INTERVALS, LIVE, metrics
from domain.chain.fields import BLOCK, CONSENSUS, PEER, TRANSACTION, VALIDATOR
from domain.chain.now import Now
from domain.chain.provenance import PROVENANCE, behind
from domain.chain.surroundings import Surroundings
from domain.chain.unknown import Document, Known, Unknown, document, milliseconds
from domain.moment import rfc3339

_PERCENT = 100
_NO_BRIDGE = Unknown("no source tells of bridges")
_HEALTH_WORDS: Mapping[str, str] = MappingProxyType({"unhealthy": "CRITICAL"})


class Stream(msgspec.Struct, frozen=True):
    """A document that is published each ``interval`` seconds, made from events of the types in ``sources``."""

    interval: float
    shape: Callable[[Now, Surroundings], Document]
    sources: tuple[str, ...]

    def document(self, now: Now, around: Surroundings) -> Document:
        """What is published now, with its provenance."""
        return {**self.shape(now, around), PROVENANCE: behind(now.view, now.at, self.sources)}


def channel_update(now: Now, around: Surroundings) -> Document:
    """The metrics of the ledger channel; ``latency`` in ms, ``consensusHealth`` in percent."""
    del around
    score = _consensus(now, "performanceScore")
    return document(
        {
            "tps": now.current_tps,
            "totalTransactions": now.total_transactions,
            "blockHeight": now.block_height,
            "latency": now.latency,
            "throughput": now.throughput,
            "activeValidators": active_validators(now),
            "consensusHealth": round(score * _PERCENT, 3) if isinstance(score, int | float) else score,
        }
    )


def analytics(now: Now, around: Surroundings) -> Document:
    """The analytics; the resources of this host in percent."""
    return document(
        {
            "timestamp": rfc3339(now.at),
            "tps": now.current_tps,
            "validators": active_validators(now),
            "pendingTransactions": now.pending,
            "blockHeight": now.block_height,
            "networkHealth": _health_word(now),
            "bridge": _NO_BRIDGE,
            "resources": document(
                {
                    "cpuUsage": around.known("cpu_percent"),
                    "memoryUsage": _part(around.known("memory_mb"), around.known("memory_total_mb")),
                    "diskUsage": _part(around.known("disk_used_gb"), around.known("disk_total_gb")),
                }
            ),
        }
    )


def realtime(now: Now, around: Surroundings) -> Document:
    """The console's metrics; memory and processor of this host in percent."""
    return document(
        {
            "tps": now.current_tps,
            "transactionsLastSecond": Unknown("rates are taken over ten seconds: one alone says nothing of a block"),
            "memoryUsage": _part(around.known("memory_mb"), around.known("memory_total_mb")),
            "cpuUsage": around.known("cpu_percent"),
            "timestamp": milliseconds(now.at),
        }
    )


def overview(now: Now) -> Document:
    """What the console shows first; ``averageBlockTime`` in seconds."""
    interval = now.block_interval
    return document(
        {
            "currentTPS": now.current_tps,
            "totalTransactions": now.total_transactions,
            "activeValidators": active_validators(now),
            "chainHeight": now.block_height,
            "averageBlockTime": interval if isinstance(interval, Unknown) else round(interval, 3),
            "networkHealth": _health_word(now),
        }
    )


def active_validators(now: Now) -> Known:
    """How many validators are active: as they were told one by one, else as the consensus told it."""
    counts = now.validators
    if not isinstance(counts, Unknown):
        return counts["activeValidators"]
    told = _consensus(now, "activeValidators")
    return counts if isinstance(told, Unknown) else told


def _consensus(now: Now, name: str) -> Known:
    told = now.consensus
    if isinstance(told, Unknown):
        return told
    value = told.get(name)
    return Unknown(f"the consensus event carried no {name}") if value is None else value


def _health_word(now: Now) -> Known:
    word = now.network_health
    return _HEALTH_WORDS.get(word, word.upper()) if isinstance(word, str) else word


def _part(used: Known, total: Known) -> Known:
    """How many percent of ``total`` are ``used``."""
    if not isinstance(used, int | float):
        return used
    if not isinstance(total, int | float):
        return total
    return round(used / total * _PERCENT, 1) if total else Unknown("the host source told a total of 0")


EVERYTHING = (TRANSACTION, BLOCK, VALIDATOR, CONSENSUS, PEER)
"""The types of event that a stream about the whole chain is made from."""

_FLOWING = (TRANSACTION, BLOCK)
_LIVE_SOURCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "portal.tps": _FLOWING,
        "portal.block": (BLOCK,),
        # Its health is that of heads, rounds and signatures too.
        "portal.network": (PEER, BLOCK, CONSENSUS),
        "portal.validators": (VALIDATOR,),
    }
)


def _live(type_: str) -> Stream:
    shape = LIVE[type_]
    return Stream(INTERVALS[type_], lambda now, _around: shape(now), _LIVE_SOURCES[type_])


STREAMS: Mapping[str, Stream] = MappingProxyType(
    {
        **{type_: _live(type_) for type_ in LIVE},
        "portal.metrics": Stream(INTERVALS["portal.metrics"], metrics, _FLOWING),
        "portal.channel": Stream(2.0, channel_update, EVERYTHING),
        "portal.analytics": Stream(1.0, analytics, EVERYTHING),
        "portal.realtime": Stream(1.0, realtime, _FLOWING),
    }
)
"""The streams that are made from the chain and this host alone, by the type of the event that carries them."""
