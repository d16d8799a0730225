"""What somebody must be allowed for a path to be answered: one table, and whatever it does not name is refused.

Rules of this file: a need is found by method and pattern, the longest beginning first. Here it is said who may ask at
all; how much of an answer they are shown is said by what they see, row by row, at the desks. What is done at the plant
is decided by the desk that finds the thing it is done to, so a path of acts needs no more than that somebody is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from domain.access import Rights, Verdict


class Need(msgspec.Struct, frozen=True):
    """What is needed: to see a channel of one of ``kinds`` or one of ``channels``, or to be allowed ``action``.

    None of it: to be known.

    Where it ``has_parts`` who is allowed that anywhere is answered, with what is theirs. ``is_public`` needs nothing
    at all.
    """

    kinds: tuple[str, ...] = ()
    action: str = ""
    channels: tuple[str, ...] = ()
    is_public: bool = False
    has_parts: bool = False

    def judge(self, rights: Rights) -> Verdict:
        """Whether ``rights`` are enough, and why."""
        if self.is_public:
            return Verdict(True, "everybody may")
        if rights.lack:
            return Verdict(False, rights.lack)
        if self.has_parts and rights.reach(self.action) is not None:
            return Verdict(True, f"it may do {self.action} somewhere")
        if self.action:
            return rights.may(self.action, None)
        if not self._is_seen(rights):
            wanted = " or ".join((*self.kinds, *self.channels))
            return Verdict(False, f"nothing of {wanted} is seen by the roles of {rights.identity.name}")
        return Verdict(True, "it is known who asks")

    def _is_seen(self, rights: Rights) -> bool:
        if not self.kinds and not self.channels:
            return True
        return any(map(rights.sees_any, self.kinds)) or any(map(rights.sees, self.channels))


PUBLIC = Need(is_public=True)
KNOWN = Need()
STATUS, METRICS = Need(action="status.read", has_parts=True), Need(action="metrics.read", has_parts=True)
DOCUMENTS = Need(action="document.read")
PUBLISH = Need(action="event.publish")
CHAIN = Need(("chain", "portal", "panels"))
FLOOR = Need(("equipment", "andon", "alarms", "jobs", "production", "oee", "downtime", "quality", "changeover"))

TRANSACTIONS = Need(channels=("chain/transactions",))
BLOCKS = Need(channels=("chain/blocks", "portal/blocks"))
VALIDATORS = Need(channels=("chain/validators", "portal/validators"))
NODES = Need(channels=("chain/peers", "portal/network", "panels/nodes"))

PORTAL: Mapping[str, Need] = MappingProxyType(
    {
        "/transactions": TRANSACTIONS,
        "/live/transactions": TRANSACTIONS,
        "/dashboard/transactions": TRANSACTIONS,
        "/blocks": BLOCKS,
        "/validators": VALIDATORS,
        "/live/validators": VALIDATORS,
        "/performance/validators": VALIDATORS,
        "/live/network": NODES,
        "/network/topology": NODES,
        "/dashboard/nodes": NODES,
    }
)
"""What is needed below the portal's prefixes by who asks for what one channel tells."""

NEEDS: Mapping[tuple[str, str], Need] = MappingProxyType(
    {
        ("GET", "/livez"): PUBLIC,
        ("GET", "/healthz"): PUBLIC,
        ("GET", "/readyz"): PUBLIC,
        ("GET", "/health"): PUBLIC,
        ("GET", "/health/detailed"): STATUS,
        ("GET", "/statusz"): STATUS,
        ("GET", "/metrics"): METRICS,
        ("GET", "/q/health"): Need(action="status.read"),
        ("GET", "/q/metrics"): METRICS,
        ("GET", "/asyncapi.json"): DOCUMENTS,
        ("GET", "/openapi.json"): DOCUMENTS,
        ("GET", "/"): PUBLIC,
        ("GET", "/page/"): PUBLIC,
        ("GET", "/auth/"): PUBLIC,
        ("POST", "/auth/"): PUBLIC,
        ("GET", "/ws/"): STATUS,
        ("GET", "/ws/events"): KNOWN,
        ("GET", "/ws/connections/"): KNOWN,
        ("GET", "/api/v1/ws/production/"): KNOWN,
        ("GET", "/api/v1/ws/production/stats"): STATUS,
        ("POST", "/api/v1/events"): KNOWN,
        ("GET", "/api/v11/"): CHAIN,
        ("GET", "/api/v12/"): CHAIN,
        ("POST", "/api/v11/"): CHAIN,
        ("POST", "/api/v12/"): CHAIN,
        ("POST", "/api/v11/analytics/record/"): PUBLISH,
        ("POST", "/api/v12/analytics/record/"): PUBLISH,
        ("GET", "/api/v11/login/"): PUBLIC,
        ("GET", "/api/v12/login/"): PUBLIC,
        ("POST", "/api/v11/login/"): PUBLIC,
        ("POST", "/api/v12/login/"): PUBLIC,
        ("POST", "/api/v11/auth/login"): PUBLIC,
        ("POST", "/api/v12/auth/login"): PUBLIC,
        # Who may read of its own tenant only is told from who may read all by the path itself.
        ("GET", "/api/v1/audit"): KNOWN,
        ("GET", "/api/v1/auth/"): PUBLIC,
        ("POST", "/api/v1/auth/"): PUBLIC,
        ("GET", "/api/v1/"): FLOOR,
        ("POST", "/api/v1/"): KNOWN,
        ("PUT", "/api/v1/"): KNOWN,
        ("DELETE", "/api/v1/"): KNOWN,
        ("GET", "/api/v1/andon/"): Need(("andon",)),
        ("GET", "/api/v1/andon/escalations"): Need(("escalations",)),
        ("GET", "/api/v1/alarms"): Need(("alarms",)),
        ("GET", "/api/v1/oee"): Need(("oee",)),
        ("POST", "/api/v1/oee/"): Need(("oee",)),
        ("GET", "/api/v1/downtime"): Need(("downtime",)),
        ("GET", "/api/v1/downtimes"): Need(("downtime",)),
        ("GET", "/api/v1/jobs"): Need(("jobs",)),
        ("GET", "/api/v1/job-assignments"): Need(("jobs",)),
        ("GET", "/api/v1/production/job-assignments"): Need(("jobs",)),
        ("GET", "/api/v1/production/schedules"): Need(("jobs",)),
        ("GET", "/api/v1/production-counts"): Need(("production",)),
        ("GET", "/api/v1/changeovers"): Need(("changeover",)),
        ("GET", "/api/v1/quality/"): Need(("quality",)),
        ("GET", "/api/v1/equipment"): Need(("equipment",)),
        **{("GET", f"{prefix}{path}"): need for prefix in ("/api/v11", "/api/v12") for path, need in PORTAL.items()},
    }
)
"""By method and the beginning of a pattern. One without a slash at its end is a whole pattern too."""


def need_of(method: str, pattern: str) -> Need | None:
    """What the route needs; None if nobody has said it."""
    found = [start for known, start in NEEDS if known == method and _begins(pattern, start)]
    return NEEDS[(method, max(found, key=len))] if found else None


def _begins(pattern: str, start: str) -> bool:
    if start == "/":
        return pattern == "/"
    return pattern.startswith(start) and (start.endswith("/") or pattern[len(start) :][:1] in ("", "/"))
