from __future__ import annotations

import pytest

from domain import Event, JsonValue, Priority
from domain.chain import STREAMS, ChainView, Document, Now, Surroundings, Unknown, overview
from domain.chain.streams import active_validators

AT = 1_800_000_000.0
AROUND = Surroundings(
    cpu_percent=12.5, memory_mb=2000, memory_total_mb=8000, disk_used_gb=30.0, disk_total_gb=120.0, connections=3
)


class Chain:
    """A view that is fed event by event."""

    def __init__(self) -> None:
        self.view = ChainView(window=60.0, stale_after=30.0)

    def tell(self, type_: str, **data: JsonValue) -> Chain:
        self.view.take(Event("1", "/chain", type_, data, AT, Priority.NORMAL), AT)
        return self

    @property
    def now(self) -> Now:
        return Now(self.view, AT)


@pytest.fixture
def chain() -> Chain:
    return (
        Chain()
        .tell("chain.block", blockHeight=7, blockTime=2000, transactions=20, producer="v1")
        .tell("validator.status", validator="v1", status="ACTIVE")
        .tell("validator.status", validator="v2", status="UNKNOWN")
        .tell("chain.consensus", leader="v1", performanceScore=0.985, activeValidators=9)
        .tell("chain.peer", peerId="p", connected=True)
    )


def unexplained(told: Document) -> list[str]:
    reasons = told.get("reasons") or {}
    assert isinstance(reasons, dict)
    return [name for name, value in told.items() if value is None and not reasons.get(name)]


@pytest.mark.parametrize("type_", STREAMS)
@pytest.mark.parametrize("around", [AROUND, Surroundings()])
def test_every_stream_says_where_it_is_from_and_why_a_value_is_missing(type_: str, around: Surroundings) -> None:
    for now in (Now(Chain().view, AT), Chain().tell("chain.block", blockHeight=7).now):
        told = STREAMS[type_].document(now, around)
        assert unexplained(told) == []
        origin = told["provenance"]
        assert isinstance(origin, dict)
        assert set(origin) >= {"source", "height", "method", "observedAt", "ageMs", "confirmedBy", "derivedFrom"}
        assert unexplained(origin) == []


def test_the_ledger_channel_tells_its_health_in_percent(chain: Chain) -> None:
    told = STREAMS["portal.channel"].document(chain.now, AROUND)
    assert (told["blockHeight"], told["tps"], told["activeValidators"], told["consensusHealth"]) == (7, 10, 1, 98.5)


def test_the_analytics_tell_the_host_s_resources_in_percent(chain: Chain) -> None:
    told = STREAMS["portal.analytics"].document(chain.now, AROUND)
    assert told["resources"] == {"cpuUsage": 12.5, "memoryUsage": 25.0, "diskUsage": 25.0}
    assert (told["bridge"], told["validators"], told["blockHeight"]) == (None, 1, 7)
    assert told["networkHealth"] in {"HEALTHY", "DEGRADED", "CRITICAL"}


def test_a_total_that_is_nothing_or_not_known_has_no_part(chain: Chain) -> None:
    for total, reason in ((0, "a total of 0"), (None, "no host reading")):
        around = Surroundings(memory_mb=5, memory_total_mb=total)
        told = STREAMS["portal.realtime"].document(chain.now, around)
        assert told["memoryUsage"] is None
        reasons = told["reasons"]
        assert isinstance(reasons, dict)
        assert reason in str(reasons["memoryUsage"])


def test_the_overview_is_of_the_newest_blocks(chain: Chain) -> None:
    told = overview(chain.now)
    assert (told["chainHeight"], told["averageBlockTime"], told["activeValidators"]) == (7, 2.0, 1)
    assert unexplained(overview(Chain().now)) == []


def test_where_no_validator_was_told_of_the_consensus_says_how_many_are_active() -> None:
    assert active_validators(Chain().tell("chain.consensus", activeValidators=9).now) == 9
    for chain in (Chain(), Chain().tell("chain.consensus", leader="v1")):
        assert isinstance(active_validators(chain.now), Unknown)
