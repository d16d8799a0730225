"""``GET /asyncapi.json``: the native protocol, described for programs.

Rules of this file: the document comes from the types that the sessions use; only the gateway's address is added, as the
client wrote it.
"""

from __future__ import annotations

from andond.api.written import Written
from andond.version import VERSION
from transport import Request, Response, Routes
from transport.dialects.asyncapi import document

_WRITTEN = Written(lambda host, is_secure: document(VERSION, host, secure=is_secure))


async def asyncapi(request: Request) -> Response:
    """The document, with the address at which the client reached the gateway."""
    return _WRITTEN.answer(request)


def register(routes: Routes) -> None:
    """Add the document to ``routes``."""
    routes.add("GET", "/asyncapi.json", asyncapi)
