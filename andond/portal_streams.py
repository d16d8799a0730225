"""What the portal's desk publishes by the clock: the streams of the chain, and the objects of the dashboard.

Rules of this file: one table. The dashboard's objects are those that it can also poll, so both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from andond.api.portal_dashboard import NODE_LIMIT, dashboard, dashboard_performance, nodes
from domain.chain import EVERYTHING, PEER, STREAMS, Document, Now, Stream, Surroundings


def _nodes(now: Now, _around: Surroundings) -> Document:
    return nodes(now, NODE_LIMIT)


PORTAL_STREAMS: Mapping[str, Stream] = MappingProxyType(
    {
        **STREAMS,
        "portal.dashboard": Stream(1.0, dashboard, EVERYTHING),
        "portal.nodes": Stream(3.0, _nodes, (PEER,)),
        "portal.performance": Stream(5.0, dashboard_performance, EVERYTHING),
    }
)
"""The streams by the type of the event that carries them."""
