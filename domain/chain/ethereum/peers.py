"""The peers of a node of the execution layer, as ``admin_peers`` tells them.

Rules of this file: ids are the keys, not addresses. At most ``PEERS_LIMIT`` are kept; their number is told in full.

Source: geth's "admin" namespace.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.chain.ethereum.reading import items, members, words
from domain.chain.observations import Peer
from domain.json import JsonValue

PEERS_LIMIT = 1000
"""Peers of one node that are kept."""


def read_peers(value: JsonValue) -> tuple[int, tuple[Peer, ...]]:
    """How many peers a node has, and who they are; one without an id is counted only.

    Raises:
        AnswerFault: if ``value`` is no list of peers.
    """
    listed = items(value, "/result")
    peers = (_peer(members(item, f"/result/{index}")) for index, item in enumerate(listed[:PEERS_LIMIT]))
    return len(listed), tuple(peer for peer in peers if peer is not None)


def _peer(told: Mapping[str, JsonValue]) -> Peer | None:
    id_, network = words(told.get("id")), told.get("network")
    if id_ is None:
        return None
    place = words(network.get("remoteAddress")) if isinstance(network, Mapping) else None
    return Peer(id_, place, words(told.get("name")))
