"""Which web pages a browser may show this gateway to (RFC 6454, RFC 6455 section 10.2, Fetch standard section 3.2).

Rules of this file: pure. A browser says in ``Origin`` which page asks; no script can forge it.

* Who sends none is no script of another page: a tool, a device, or a page of ours that reads. It is let in.
* A page of ours has the host and port that the request was sent to. A scheme alone makes no other origin here, because
  a proxy that ends TLS may not say so.
* Pages of other origins are let in when they are listed. Others may open no WebSocket and change nothing (403), and
  what they read the browser keeps from them, because it is not told that it may show it.
* What a handler has not said of an answer's safety is said here: nothing is guessed, framed, or run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from transport.codes import ProtocolError
from transport.messages import Request, Response

ANY = "*"

_DEFAULT_PORTS = {"http": "80", "https": "443"}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_USUAL_HEADERS = "authorization, content-type, idempotency-key, x-api-key"
_EXPOSED = "retry-after, etag, location, x-ratelimit-remaining, x-ratelimit-reset"
_PREFLIGHT_AGE = "600"
_HEADERS_SIZE = 1024
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")

_SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-frame-options": "DENY",
}
STRICT_TRANSPORT = "max-age=15768000"
"""Half a year in which a browser that came over TLS does not come without (RFC 6797)."""


class Origins:
    """The origins whose pages are let in besides ours; ``listed`` may be ``*`` alone, for any."""

    __slots__ = ("_any", "_listed")

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._listed = frozenset(listed)
        self._any = ANY in self._listed

    def check(self, headers: Mapping[str, str]) -> None:
        """Let nobody in who comes from a page that is neither ours nor listed.

        Raises:
            ProtocolError: 403, which names the origin and the setting.
        """
        origin = headers.get("origin")
        if origin is not None and not _is_ours(origin, headers) and not self._is_listed(origin):
            shown = origin[:200]
            detail = f"pages of {shown} are not let in; if they may be, add {shown} to server.origins"
            raise ProtocolError(403, detail)

    def check_change(self, method: str, headers: Mapping[str, str]) -> None:
        """Let no such page change anything; whether it may read what it asks for its browser decides.

        Raises:
            ProtocolError: 403, as above.
        """
        if method not in _READING:
            self.check(headers)

    def preflight(self, request: Request) -> Response | None:
        """The answer to a browser that asks whether a page may ask (CORS); None if ``request`` is no such question."""
        headers = request.headers
        if request.method != "OPTIONS" or "origin" not in headers or "access-control-request-method" not in headers:
            return None
        if not self._is_listed(headers["origin"]):
            return None
        asked = headers.get("access-control-request-headers", "")[:_HEADERS_SIZE].strip()
        wanted = asked if _can_be_said_back(asked) else ""
        allowed = {
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": wanted or _USUAL_HEADERS,
            "access-control-max-age": _PREFLIGHT_AGE,
        }
        return Response(204, allowed)

    def shared(self, request: Request, response: Response) -> Response:
        """``response`` with what lets the browser show it to a listed page; as it is for everybody else."""
        origin = request.headers.get("origin")
        if origin is None or not self._is_listed(origin):
            return response
        vary = response.headers.get("vary", "")
        more = {
            "access-control-allow-origin": origin,
            "access-control-expose-headers": _EXPOSED,
            "vary": f"{vary}, origin" if vary else "origin",
        }
        # Such a page is meant to have it, which the answer's own word would forbid.
        kept = {name: value for name, value in response.headers.items() if name != "cross-origin-resource-policy"}
        return Response(response.status, {**kept, **more}, response.body)

    def _is_listed(self, origin: str) -> bool:
        return _can_be_said_back(origin) and (self._any or origin.lower() in self._listed)


def is_own_page(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of ours asks, or a person by the address bar; then alone a cookie says who that is.

    Pages of the same host at another port are others, though a browser sends them our cookies (RFC 6265, section 8.5).
    Who opens a WebSocket or changes anything names its origin, as every browser does.
    """
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    is_read = method in _READING and "upgrade" not in headers
    if origin is not None:
        return _is_ours(origin, headers) and site in (None, "same-origin")
    return is_read and site in (None, "same-origin", "none")


def is_asked_here(headers: Mapping[str, str]) -> bool:
    """Whether who asks means this machine itself: not another name for it, and nobody has passed it on.

    A page of a stranger whose name leads to 127.0.0.1 (DNS rebinding) is of the same origin to its browser; what its
    browser cannot change is the name in ``Host``.
    """
    if any(name in headers for name in _FORWARDED):
        return False
    host = headers.get("host")
    if host is None:
        return True
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _is_ours(origin: str, headers: Mapping[str, str]) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    default = _DEFAULT_PORTS.get(parts.scheme)
    host = headers.get("host", "")
    return default is not None and bool(host) and _bare(parts.netloc, default) == _bare(host, default)


def guarded(response: Response, *, secure: bool) -> Response:
    """``response`` with the headers that keep a browser from doing harm with it; what it says itself counts."""
    more = {**_SAFE, "strict-transport-security": STRICT_TRANSPORT} if secure else _SAFE
    return Response(response.status, {**more, **response.headers}, response.body)


def _can_be_said_back(value: str) -> bool:
    """Whether an answer may have the client's ``value`` in a header: no origin and no field name has other letters."""
    return value.isascii() and value.isprintable() and value == value.strip()


def _bare(authority: str, default: str) -> str:
    """Host and port, the port only where it is not the ``default``."""
    return authority.lower().removesuffix(f":{default}")
