"""Whether a chain's network is well: the published rule behind ``networkHealth``.

Rules of this file:

* Every check has one input, and grades it HEALTHY, DEGRADED or UNHEALTHY by two limits. The network is as well as its
  worst check. A check without its input says why and grades nothing; without any grade the health is not known.
* ``head_age`` is measured in expected block intervals where these are known, since a chain with blocks of 12 s is not
  ill after 6; ``stale_after`` stands for the first limit where they are not. The other limits are below.
* No clock: ages come from whoever knows the time.

Source of the checks: what makes a node's "not catching up" worthless is an old head (cometbft/cometbft#4782); a round
above 0 is a proposer that failed; a block needs more than two thirds of the voting power (CometBFT, "Byzantine
Consensus Algorithm").
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

import msgspec

from domain.chain.unknown import Document, Known, Unknown, document
from domain.json import JsonValue

HEALTHY_RATIO = 0.9
DEGRADED_RATIO = 0.7

HEAD_INTERVALS = 4.0
"""Block intervals that a head may be old."""

SHORTEST_HEAD_AGE = 5.0
"""Seconds that a head may be old however fast the chain is: clocks differ, and polls take time."""

OLD_HEAD = 3.0
"""Past so many times what it may be, an old head is a chain that does not go on."""


class Grade(IntEnum):
    """How a check ends; the worst is the highest."""

    HEALTHY = 0
    DEGRADED = 1
    UNHEALTHY = 2

    @property
    def word(self) -> str:
        """The portal's word for it."""
        return self.name.lower()


class Limit(msgspec.Struct, frozen=True):
    """Up to ``healthy`` it is well, up to ``degraded`` not ill; ``is_least``: from there on rather than up to there."""

    healthy: float
    degraded: float
    is_least: bool = False

    def grade(self, value: float) -> Grade:
        """The grade of ``value``."""
        sign = -1 if self.is_least else 1
        if sign * value <= sign * self.healthy:
            return Grade.HEALTHY
        return Grade.DEGRADED if sign * value <= sign * self.degraded else Grade.UNHEALTHY


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "height_spread": Limit(2, 10),
        "peer_ratio": Limit(HEALTHY_RATIO, DEGRADED_RATIO, is_least=True),
        "fewest_peers": Limit(3, 1, is_least=True),
        "round": Limit(0, 2),
        # Exactly two thirds are not more than two thirds; the next block needs more.
        "signed_share": Limit(HEALTHY_RATIO, 0.667, is_least=True),
    }
)
"""The limits of every check but that of the head, by its name."""


class Vitals(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks look at; ``Unknown`` says why something is not known.

    ``head_age`` (seconds) of the newest block, ``interval`` (seconds) between blocks, ``height_spread`` (blocks)
    between the nodes that are asked, ``peer_ratio`` of connected peers to known ones, ``fewest_peers`` that one of the
    nodes has, ``round`` of the consensus, ``signed_share`` of the voting power (0 to 1) behind the newest block that
    told it.
    """

    head_age: float | Unknown
    interval: float | Unknown
    height_spread: float | Unknown
    peer_ratio: float | Unknown
    fewest_peers: float | Unknown
    round: float | Unknown
    signed_share: float | Unknown
    stale_after: float


class Check(msgspec.Struct, frozen=True):
    """One check: its input, and the grade if there is one."""

    name: str
    value: float | Unknown
    limit: Limit

    @property
    def grade(self) -> Grade | Unknown:
        """How it ended, or why it could not be done."""
        return self.value if isinstance(self.value, Unknown) else self.limit.grade(self.value)


def head_limit(interval: float | Unknown, stale_after: float) -> Limit:
    """How old (seconds) the head of a chain may be whose blocks come every ``interval`` seconds."""
    if isinstance(interval, Unknown):
        return Limit(stale_after, OLD_HEAD * stale_after)
    healthy = max(HEAD_INTERVALS * interval, SHORTEST_HEAD_AGE)
    return Limit(healthy, OLD_HEAD * healthy)


def checks(vitals: Vitals) -> tuple[Check, ...]:
    """Every check, in the order in which they are told."""
    head = Check("head_age", vitals.head_age, head_limit(vitals.interval, vitals.stale_after))
    return head, *(Check(name, getattr(vitals, name), limit) for name, limit in LIMITS.items())


def health(done: tuple[Check, ...]) -> Known:
    """The health of the network as the portal writes it, or why it is not known."""
    grades = [grade for check in done if isinstance(grade := check.grade, Grade)]
    if grades:
        return max(grades).word
    reasons = dict.fromkeys(check.value.reason for check in done if isinstance(check.value, Unknown))
    return Unknown("; ".join(reasons) or "nothing was checked")


def network_health(active: int, total: int) -> Known:
    """The health of a network of which ``active`` of ``total`` nodes are connected, by that check alone."""
    if total == 0:
        return Unknown("no peer is known")
    return LIMITS["peer_ratio"].grade(active / total).word


def health_document(told: Known, done: tuple[Check, ...]) -> Document:
    """The health that was ``told`` with every check behind it: input, limits, grade."""
    rows: dict[str, JsonValue] = {_PUBLISHED[check.name]: _row(check) for check in done}
    return document({"networkHealth": told, "checks": rows})


_PUBLISHED: Mapping[str, str] = MappingProxyType(
    {
        "head_age": "headAgeSeconds",
        "height_spread": "heightSpread",
        "peer_ratio": "peerRatio",
        "fewest_peers": "fewestPeers",
        "round": "round",
        "signed_share": "signedShare",
    }
)


def _row(check: Check) -> Document:
    grade, value = check.grade, check.value
    return document(
        {
            "value": value if isinstance(value, Unknown) else round(value, 3),
            "grade": grade if isinstance(grade, Unknown) else grade.word,
            "healthy": round(check.limit.healthy, 3),
            "degraded": round(check.limit.degraded, 3),
            "rule": "at least" if check.limit.is_least else "at most",
        }
    )
