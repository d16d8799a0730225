"""What the ledger portal's clients poll: the data of its streams by HTTP.

Rules of this file: a handler asks the chain desk for a reading, shapes nothing itself, and answers JSON. The desk
runs the reading in its own turn, so a document is of one moment. Paths for which andond has no data are not here
and answer 404.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeVar

import msgspec

from andond.api.describe import Parameter
from andond.api.portal_dashboard import DASHBOARD_DOCUMENTS, DASHBOARD_LISTINGS
from andond.api.portal_documents import DOCUMENTS, LISTINGS, Listing, Shape, validator
from andond.api.portal_routes import PortalRoutes, about
from domain.chain import Document, Known, Now, Surroundings, Unknown, document
from transport import ProtocolError, Request, Response, Routes, json_response, problem_of

LIMIT = 100
"""How many items a list has when the client does not say."""

HIGHEST_LIMIT = 1000
"""How many items a list has at most."""

NAME_LIMIT = 64
"""How much of a client's own words an error repeats."""

DIGITS_LIMIT = 6

RETRY_AFTER = 1.0
"""Seconds after which a client may ask again when the desk did not answer."""

Answer = TypeVar("Answer")

PlainHandler = Callable[[Request], Awaitable[Response]]
"""A handler of a path without parameters."""

_LIMIT = Parameter(
    "limit",
    "How many there are in the answer at most",
    {"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT, "default": LIMIT},
)

_CONNECTION_NAMES = {
    "metrics": "metricsConnections",
    "transactions": "transactionConnections",
    "validators": "validatorConnections",
    "consensus": "consensusConnections",
    "network": "networkConnections",
    "live": "liveStreamConnections",
    "legacy": "legacyTransactionConnections",
    "channels": "channelConnections",
    "dashboard": "dashboardConnections",
    "v11": "v11Connections",
    "console": "consoleConnections",
    "realtime": "realtimeConnections",
}


class DeskBusy(Exception):
    """The chain desk did not answer in time: it is restarting, or behind."""


class Broadcasts(msgspec.Struct, frozen=True):
    """What goes out to the portal's streams now.

    ``connections`` are the open ones by the word of their door, ``last_latency`` the seconds from the newest
    publication to the hand-over of its last frame, None before the first.
    """

    connections: Mapping[str, int]
    messages_sent: int
    last_latency: float | None


class PortalData(Protocol):
    """Where the portal's documents come from."""

    async def read(self, reading: Callable[[Now, Surroundings], Answer]) -> Answer:
        """What ``reading`` makes of the chain and its surroundings now.

        Raises:
            DeskBusy: if the desk did not answer in time.
        """

    async def broadcasts(self) -> Broadcasts:
        """What goes out to the portal's streams."""


class PortalResource:
    """The handlers; each of the makers returns one for a path."""

    def __init__(self, data: PortalData) -> None:
        self._data = data

    def document(self, shape: Shape) -> PlainHandler:
        """A handler that answers with what ``shape`` makes of the chain now."""

        async def answer(_request: Request) -> Response:
            return await self._answer(shape)

        return answer

    def listing(self, listing: Listing) -> PlainHandler:
        """A handler that answers with a list, as long as ``?limit=`` says."""

        async def answer(request: Request) -> Response:
            limit = _limit(request)
            if isinstance(limit, Response):
                return limit
            return await self._answer(lambda now, _around: listing(now, limit))

        return answer

    async def validator(self, _request: Request, name: str) -> Response:
        """One validator."""
        missing = f"no validator.status event named {name[:NAME_LIMIT]!r} yet"
        return await self._answer(lambda now, _around: validator(now, name), missing)

    async def websocket_stats(self, _request: Request) -> Response:
        """How many connections the streams have, and what was sent."""
        return json_response(websocket_stats(await self._data.broadcasts()))

    async def _answer(self, reading: Callable[[Now, Surroundings], Document | None], missing: str = "") -> Response:
        """What ``reading`` makes of the chain, as a response; ``missing`` says why it may make nothing."""
        try:
            found = await self._data.read(reading)
        except DeskBusy:
            return problem_of(busy())
        return problem_of(ProtocolError(404, missing)) if found is None else json_response(found)


def busy() -> ProtocolError:
    """What a client is told when the desk did not answer in time."""
    detail = "the chain desk did not answer in time: it is restarting, or behind"
    return ProtocolError(503, detail, retry_after=RETRY_AFTER)


def websocket_stats(broadcasts: Broadcasts) -> Document:
    """The counts of connections by stream, their sum, and what was sent."""
    counts: dict[str, Known] = {name: broadcasts.connections.get(word, 0) for word, name in _CONNECTION_NAMES.items()}
    latency = broadcasts.last_latency
    latency_ms: Known = Unknown("nothing was broadcast yet") if latency is None else round(latency * 1000, 3)
    return document(
        {
            **counts,
            "totalConnections": sum(broadcasts.connections.get(word, 0) for word in _CONNECTION_NAMES),
            "messagesSent": broadcasts.messages_sent,
            "lastBroadcastLatency": latency_ms,
        }
    )


def register(routes: Routes, data: PortalData) -> None:
    """Add the portal's paths of what is so now to ``routes``."""
    resource, table = PortalResource(data), PortalRoutes(routes)
    for path, shape in {**DOCUMENTS, **DASHBOARD_DOCUMENTS}.items():
        table.add("GET", path, resource.document(shape), about(shape))
    for path, listing in {**LISTINGS, **DASHBOARD_LISTINGS}.items():
        table.add("GET", path, resource.listing(listing), about(listing, query=(_LIMIT,), refuses=(400, 503)))
    for path in ("/websocket/stats", "/dashboard/websocket-status"):
        table.add("GET", path, resource.websocket_stats, about(resource.websocket_stats, refuses=()))
    about_one = about(resource.validator, refuses=(404, 503))
    table.add("GET", "/live/validators/{name}", resource.validator, about_one)


def _limit(request: Request) -> int | Response:
    """The number of items that the client wants, or the answer that it must be one."""
    text = request.query.get("limit", [str(LIMIT)])[-1]
    # Nobody writes more digits than that, and int() would take its time over thousands of them.
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_LIMIT and 1 <= int(text) <= HIGHEST_LIMIT:
        return int(text)
    detail = f"limit is a number from 1 to {HIGHEST_LIMIT}, not {text[:NAME_LIMIT]!r}"
    return problem_of(ProtocolError(400, detail))
