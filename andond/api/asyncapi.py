"""``GET /asyncapi.json``: the native protocol, described for programs.

Rules of this file: the document comes from the types that the sessions use; only the gateway's address is added, as the
client wrote it.
"""

from __future__ import annotations

import re

from andond.version import VERSION
from transport import Request, Response, Routes, json_response
from transport.dialects.asyncapi import document

# A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port (RFC 3986, section 3.2).
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_UNKNOWN = "localhost"


def host_of(request: Request) -> str:
    """Where the client reached the gateway, as it wrote it; ``localhost`` if that is no address."""
    host = request.headers.get("host", "")
    return host if _HOST.fullmatch(host) else _UNKNOWN


async def asyncapi(request: Request) -> Response:
    """The document, with the address at which the client reached the gateway."""
    return json_response(document(VERSION, host_of(request), secure=request.secure))


def register(routes: Routes) -> None:
    """Add the document to ``routes``."""
    routes.add("GET", "/asyncapi.json", asyncapi)
