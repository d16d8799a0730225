from __future__ import annotations

import pytest
from msgspec.structs import replace

from domain.chain.health import LIMITS, Grade, Vitals, checks, head_limit, health, health_document, network_health
from domain.chain.unknown import Unknown

NO = Unknown("not told")
BLIND = Vitals(
    head_age=NO,
    interval=NO,
    height_spread=NO,
    peer_ratio=NO,
    fewest_peers=NO,
    round=NO,
    signed_share=NO,
    stale_after=30.0,
)


def word(**told: float) -> object:
    return health(checks(replace(BLIND, **told)))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # The head, against the chain's own interval.
        ({"head_age": 48.0, "interval": 12.0}, "healthy"),
        ({"head_age": 48.1, "interval": 12.0}, "degraded"),
        ({"head_age": 144.0, "interval": 12.0}, "degraded"),
        ({"head_age": 144.1, "interval": 12.0}, "unhealthy"),
        ({"head_age": 5.0, "interval": 0.4}, "healthy"),
        ({"head_age": 5.1, "interval": 0.4}, "degraded"),
        ({"head_age": 30.0}, "healthy"),
        ({"head_age": 90.0}, "degraded"),
        ({"head_age": 90.1}, "unhealthy"),
        # The nodes' heads, against one another.
        ({"height_spread": 2}, "healthy"),
        ({"height_spread": 3}, "degraded"),
        ({"height_spread": 10}, "degraded"),
        ({"height_spread": 11}, "unhealthy"),
        # Peers: the portal's own thresholds, and how few one node has.
        ({"peer_ratio": 0.9}, "healthy"),
        ({"peer_ratio": 0.89}, "degraded"),
        ({"peer_ratio": 0.7}, "degraded"),
        ({"peer_ratio": 0.69}, "unhealthy"),
        ({"fewest_peers": 3}, "healthy"),
        ({"fewest_peers": 2}, "degraded"),
        ({"fewest_peers": 1}, "degraded"),
        ({"fewest_peers": 0}, "unhealthy"),
        # Rounds: each above 0 is a proposer that failed.
        ({"round": 0}, "healthy"),
        ({"round": 1}, "degraded"),
        ({"round": 2}, "degraded"),
        ({"round": 3}, "unhealthy"),
        # Signed power: no block without more than two thirds.
        ({"signed_share": 1.0}, "healthy"),
        ({"signed_share": 0.9}, "healthy"),
        ({"signed_share": 0.89}, "degraded"),
        ({"signed_share": 0.667}, "degraded"),
        ({"signed_share": 2 / 3}, "unhealthy"),
        # The worst holds, and what is not known is passed over.
        ({"head_age": 1.0, "peer_ratio": 1.0, "round": 1}, "degraded"),
        ({"head_age": 1.0, "peer_ratio": 0.1, "signed_share": 1.0}, "unhealthy"),
    ],
)
def test_the_network_is_as_well_as_its_worst_check(told, expected):
    assert word(**told) == expected


def test_without_any_input_the_health_is_not_known():
    assert health(checks(BLIND)) == NO
    assert health(()) == Unknown("nothing was checked")


def test_every_input_is_checked_and_every_check_has_its_place_in_the_document():
    done = checks(replace(BLIND, head_age=7.25, interval=12.0, round=1))
    assert [check.name for check in done] == ["head_age", *LIMITS]
    told = health_document(health(done), done)
    assert told["networkHealth"] == "degraded"
    rows = told["checks"]
    assert set(rows) == {"headAgeSeconds", "heightSpread", "peerRatio", "fewestPeers", "round", "signedShare"}
    assert rows["headAgeSeconds"] == {
        "value": 7.25,
        "grade": "healthy",
        "healthy": 48.0,
        "degraded": 144.0,
        "rule": "at most",
    }
    assert rows["signedShare"]["grade"] is None
    assert rows["signedShare"]["reasons"] == {"value": "not told", "grade": "not told"}
    assert rows["signedShare"]["rule"] == "at least"


def test_grades_are_ordered_from_well_to_ill():
    assert sorted(Grade) == [Grade.HEALTHY, Grade.DEGRADED, Grade.UNHEALTHY]
    assert head_limit(1.0, 30.0).healthy == 5.0


def test_peers_alone_are_graded_by_the_portal_s_thresholds():
    assert [network_health(active, 10) for active in (10, 9, 7, 6)] == ["healthy", "healthy", "degraded", "unhealthy"]
    assert network_health(0, 0) == Unknown("no peer is known")
