"""What the portal's people record by hand: a transaction, a validator. It becomes an event like any other.

Rules of this file: nothing is written past the sources: a record is posted to the source of kind ``http`` as the
CloudEvent that a node would be, with every check of that way. A rate cannot be recorded: it is counted here, from
transactions and blocks, and a rate that somebody claims is none of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from msgspec.structs import replace

from actors import AuditTrail
from actors.places import Address
from andond.api.events import SINGLE, EventsResource
from andond.api.portal_routes import PortalRoutes, about
from domain import JsonObject, JsonValue
from domain.chain import TRANSACTION, VALIDATOR
from transport import CodecError, ProtocolError, Request, Response, Routes, decode_json, encode_json, problem

SOURCE = "/portal/record"

_REFUSES = (400, 404, 415, 422, 503)


class RecordResource:
    """The handlers; ``events`` takes what is recorded."""

    def __init__(self, events: EventsResource) -> None:
        self._events = events

    async def transaction(self, request: Request) -> Response:
        """Record a transaction: the body is the data of a chain.transaction event."""
        return await self._post(request, TRANSACTION)

    async def validator(self, request: Request) -> Response:
        """Record a validator's status: the body is the data of a validator.status event."""
        return await self._post(request, VALIDATOR)

    async def tps(self, request: Request) -> Response:
        """Refuse to record a rate: rates are counted from transactions and blocks."""
        del request
        detail = "A rate is counted here, not recorded: post chain.block or chain.transaction events to /api/v1/events."
        return problem(422, "Not recorded", detail)

    async def _post(self, request: Request, type_: str) -> Response:
        event: dict[str, JsonValue] = {
            "specversion": "1.0",
            "id": str(uuid.uuid4()),
            "source": SOURCE,
            "type": type_,
            "data": _data(request),
        }
        posted = replace(request, headers={**request.headers, "content-type": SINGLE}, body=encode_json(event))
        return await self._events.post(posted)


def _data(request: Request) -> JsonObject:
    try:
        told = decode_json(request.body)
    except CodecError as error:
        raise ProtocolError(400, f"the body is {error}") from None
    if not isinstance(told, Mapping):
        raise ProtocolError(400, "the body is a JSON object")
    return told


def register(routes: Routes, sources: Address, recorder: Address, trail: AuditTrail | None = None) -> None:
    """Add the paths to ``routes``; ``sources``, ``recorder`` and ``trail`` as for posted events."""
    resource, table = RecordResource(EventsResource(sources, recorder, trail=trail)), PortalRoutes(routes)
    for path, handler in (("transaction", resource.transaction), ("validator", resource.validator)):
        said = about(handler, status=202, refuses=_REFUSES)
        table.add("POST", f"/analytics/record/{path}", handler, said)
    table.add("POST", "/analytics/record/tps", resource.tps, about(resource.tps, refuses=(422,)))
