"""What a beacon node is asked: paths and their queries as values.

Rules of this file:

* A query says what it is (``name``), and what it is about (``height``: the newest slot known when it was made), so
  that its answer needs no other context.
* Validators are asked for by id, in pieces, and never without one: no id would mean all of them, a million on mainnet.
* A list in a query is repeated (``id=1&id=2``), as the specification has it; some nodes want it joined (``id=1,2``),
  and Lodestar 1.5.1 hangs on joined topics. ``Topics`` tries one way after the other, and fewer topics after more.

Source: Ethereum Beacon APIs; RFC 6570 for "exploded" lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

QueryName = Literal[
    "spec",
    "genesis",
    "version",
    "health",
    "syncing",
    "finality",
    "head",
    "header",
    "validators",
    "peer_count",
    "peers",
    "proposers",
    "liveness",
    "rewards",
    "events",
]

IDS_LIMIT = 64
"""Ids of one query: what the specification allows."""

_PATH_LIMIT = 3000  # characters of ids in one query: proxies cut long addresses


class Query(msgspec.Struct, frozen=True):
    """A request: GET ``path`` with ``query``, or POST with ``body`` (a JSON array) if there is one."""

    name: QueryName
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: tuple[str, ...] | None = None
    height: int | None = None
    about: str = ""
    """What was asked for: a block's root, or an epoch."""

    @property
    def method(self) -> str:
        """The endpoint, without what was asked for: one word for all queries of a kind."""
        return self.path.removesuffix(f"/{self.about}") if self.about else self.path


SPEC = Query("spec", "/eth/v1/config/spec")
GENESIS = Query("genesis", "/eth/v1/beacon/genesis")
VERSION = Query("version", "/eth/v1/node/version")
HEALTH = Query("health", "/eth/v1/node/health")
SYNCING = Query("syncing", "/eth/v1/node/syncing")
FINALITY = Query("finality", "/eth/v1/beacon/states/head/finality_checkpoints")
HEAD = Query("head", "/eth/v1/beacon/headers/head")
PEER_COUNT = Query("peer_count", "/eth/v1/node/peer_count")
PEERS = Query("peers", "/eth/v1/node/peers", (("state", "connected"),))


def header(root: str) -> Query:
    """The header of the block ``root``."""
    return Query("header", f"/eth/v1/beacon/headers/{root}", about=root)


def validators(ids: Iterable[str], height: int | None, *, is_joined: bool = False) -> tuple[Query, ...]:
    """The records of the validators ``ids`` at the head; nothing for nobody."""
    queries = []
    for piece in _pieces(ids):
        query = (("id", ",".join(piece)),) if is_joined else tuple(("id", id_) for id_ in piece)
        queries.append(Query("validators", "/eth/v1/beacon/states/head/validators", query, height=height))
    return tuple(queries)


def proposers(epoch: int) -> Query:
    """Who is to make the block of each slot of ``epoch``."""
    return Query("proposers", f"/eth/v1/validator/duties/proposer/{epoch}", about=str(epoch))


def liveness(epoch: int, indices: Iterable[str]) -> Query:
    """Which of the validators ``indices`` were seen at work in ``epoch``."""
    return Query("liveness", f"/eth/v1/validator/liveness/{epoch}", body=tuple(indices), about=str(epoch))


def rewards(epoch: int, indices: Iterable[str]) -> Query:
    """What the validators ``indices`` were given or fined for their attestations in ``epoch``."""
    return Query("rewards", f"/eth/v1/beacon/rewards/attestations/{epoch}", body=tuple(indices), about=str(epoch))


class Topics:
    """The ways to ask for a node's events, the best first."""

    _BASE = ("head", "block", "finalized_checkpoint", "chain_reorg", "voluntary_exit")
    _SLASHINGS = ("proposer_slashing", "attester_slashing")
    _NEWER = ("head_v2", *_BASE[1:], *_SLASHINGS)

    def __init__(self) -> None:
        full = (*self._BASE, *self._SLASHINGS)
        self._ways = [_events(topics) for topics in (full, self._BASE, self._NEWER)]
        self._ways += [_events(topics, is_joined=True) for topics in (full, self._BASE)]
        self._way = 0

    @property
    def query(self) -> Query:
        """What to open now."""
        return self._ways[self._way]

    def refused(self) -> None:
        """The node refused, or did not begin to answer in time: the next way, and after the last the first again."""
        self._way = (self._way + 1) % len(self._ways)


def _events(topics: tuple[str, ...], *, is_joined: bool = False) -> Query:
    named = (("topics", ",".join(topics)),) if is_joined else tuple(("topics", topic) for topic in topics)
    return Query("events", "/eth/v1/events", named)


def _pieces(ids: Iterable[str]) -> list[list[str]]:
    pieces: list[list[str]] = []
    size = 0
    for id_ in dict.fromkeys(ids):
        if not pieces or len(pieces[-1]) >= IDS_LIMIT or size + len(id_) > _PATH_LIMIT:
            pieces.append([])
            size = 0
        pieces[-1].append(id_)
        size += len(id_) + len("&id=")
    return pieces
