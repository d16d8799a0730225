"""Documents that are the same for everybody but for the address at which the client reached the gateway.

Rules of this file: what a document is made of does not change while its ``version`` is the same, so it is written once
and each client's address is put in. An address comes from a stranger: nothing is kept by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from domain import JsonValue
from transport import Request, Response, json_response

# A name, an IPv4 address or an IPv6 address in brackets, and perhaps a port (RFC 3986, section 3.2).
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_UNKNOWN = "localhost"
_STANDS_FOR_HOST = "the-address-of-the-gateway.invalid"


def host_of(request: Request) -> str:
    """Where the client reached the gateway, as it wrote it; ``localhost`` if that is no address."""
    host = request.headers.get("host", "")
    return host if _HOST.fullmatch(host) else _UNKNOWN


class Written:
    """What ``make`` makes of a host, and of whether it is reached by TLS; anew when ``version`` is another."""

    def __init__(self, make: Callable[[str, bool], JsonValue], version: Callable[[], int] = lambda: 0) -> None:
        self._make = make
        self._version = version
        self._written: dict[bool, tuple[int, Response]] = {}

    def answer(self, request: Request) -> Response:
        """The document, with the address at which the client reached the gateway."""
        version = self._version()
        known = self._written.get(request.secure)
        if known is None or known[0] != version:
            known = (version, json_response(self._make(_STANDS_FOR_HOST, request.secure)))
            self._written[request.secure] = known
        written = known[1]
        return replace(written, body=written.body.replace(_STANDS_FOR_HOST.encode(), host_of(request).encode()))
