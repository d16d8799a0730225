"""What a node is asked, as plain values: an address taken apart, a query, headers, cookies.

Rules of this file:

* The standard library alone, and no I/O. What HTTP needs is made here whole, so that a client has only to send it.
* What is encoded already stays as it is; what may not stand in an address is encoded (RFC 3986).
* A node's address says where it is asked, and no path that is added to it leads to another host.
* A cookie goes back where it belongs (RFC 6265), because what stands before several nodes keeps a client at one by it.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from string import punctuation
from typing import TYPE_CHECKING, Self, TypeAlias, cast
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec

from transport.refusals import place_of

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse
    from http.cookiejar import CookieJar
    from urllib.request import Request

COOKIES = 50
"""Cookies that are kept of a node, as many as RFC 6265, 6.1, wants kept at least."""

USUAL = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "connection": "keep-alive",
    "user-agent": "andond",
}
"""Headers that a request has with it, unless others are given in their place."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_QUERY_SAFE = "".join(sorted(set(punctuation) - set('"#<>')))
_PATH_SAFE = "".join(sorted(set(_QUERY_SAFE) - set("?`{}")))

Query: TypeAlias = Mapping[str, str | Sequence[str]] | Sequence[tuple[str, str]]
"""Members of a query, not yet encoded; a name with several values becomes a member for each of them."""

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]
"""Names and values as they came, a name as often as it came."""


class Address(msgspec.Struct, frozen=True):
    """A node's address: ``named`` is its host as a request names it, ``prefix`` what paths are added to.

    ``port`` is None where it is the scheme's own; ``credentials`` are headers, and may be secret.
    """

    place: str
    scheme: str
    host: bytes
    port: int | None
    named: bytes
    prefix: str
    credentials: Mapping[bytes, bytes]

    @classmethod
    def of(cls, base: str) -> Address:
        """Where ``base`` leads; a name and a password in it become a header (RFC 7617).

        Raises:
            ValueError: if it is no http or https address.
        """
        place = place_of(base)
        parts = urlsplit(base.rstrip("/"))
        if parts.scheme not in _DEFAULT_PORTS:
            raise ValueError("a node is asked over http or https")
        if not base.isprintable():
            raise ValueError("an address has no characters that cannot be seen")
        host = _ascii(parts.hostname or "")
        port = None if parts.port == _DEFAULT_PORTS[parts.scheme] else parts.port
        named = (b"[%b]" % host if b":" in host else host) + (b"" if port is None else b":%d" % port)
        prefix = parts.path + (f"?{parts.query}" if parts.query else "")
        credentials = {}
        if parts.username or parts.password:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}".encode()
            credentials = {b"authorization": b"Basic " + base64.b64encode(pair)}
        return cls(place, parts.scheme, host, port, named, prefix, credentials)

    def target(self, path: str, query: Query = ()) -> bytes:
        """What a request for ``path`` asks for, below this address; ``query`` takes the place of one in ``path``.

        Raises:
            ValueError: if ``path`` is none.
        """
        whole = (self.prefix + path).partition("#")[0]
        path, mark, given = whole.partition("?")
        if path and not path.startswith("/"):
            raise ValueError("a path begins with a slash")
        members = _members(query)
        asked = urlencode(members) if members else quote(given, _QUERY_SAFE)
        target = quote(_without_dots(path), _PATH_SAFE) or "/"
        return (f"{target}?{asked}" if mark or members else target).encode("ascii")


class Cookies:
    """What a node has set, for as long as that is to be kept; one that sets more than ``COOKIES`` begins anew."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None

    def take(self, address: Address, target: bytes, headers: RawHeaders) -> None:
        """Keep what ``headers`` set, that answer a request for ``target``."""
        sets = [value for name, value in headers if name.lower() == b"set-cookie"]
        if not sets:
            return
        # Here, because these load a client of their own, and most nodes set nothing.
        from email.message import Message  # noqa: PLC0415
        from http.cookiejar import CookieJar  # noqa: PLC0415

        said = Message()
        for value in sets:
            said["set-cookie"] = value.decode("latin-1")
        self._jar = self._jar or CookieJar()
        self._jar.extract_cookies(cast("HTTPResponse", _Said(said)), _jar_request(address, target))
        if len(self._jar) > COOKIES:
            self._jar.clear()

    def given(self, address: Address, target: bytes) -> Mapping[bytes, bytes]:
        """The header that a request for ``target`` has with it; none if there is nothing to give back."""
        if self._jar is None:
            return {}
        request = _jar_request(address, target)
        self._jar.add_cookie_header(request)
        cookies = request.get_header("Cookie")
        return {} if cookies is None else {b"cookie": cookies.encode("latin-1")}


class _Said:
    """As much of an answer as the jar wants to see."""

    def __init__(self, said: Message) -> None:
        self._said = said

    def info(self) -> Message:
        return self._said


def encoded(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """``headers`` as they are sent, with lower-case names: so those of one request can take the place of usual ones.

    Raises:
        ValueError: if one is not of ASCII alone.
    """
    return {name.lower().encode("ascii"): value.encode("ascii") for name, value in headers.items()}


def decoded(headers: RawHeaders) -> dict[str, str]:
    """``headers`` by their lower-case names; the values of a name that came several times are joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = _text(raw_name).lower(), _text(raw_value)
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _members(query: Query) -> list[tuple[str, str]]:
    if not isinstance(query, Mapping):
        return list(query)
    lists = [(name, [given] if isinstance(given, str) else given) for name, given in query.items()]
    return [(name, value) for name, values in lists for value in values]


def _without_dots(path: str) -> str:
    """``path`` without its steps to where it is and back (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    for step in path.split("/"):
        if step == "..":
            kept = kept[:-1] or [""]
        elif step != ".":
            kept.append(step)
    return "/".join(kept)


def _ascii(host: str) -> bytes:
    return host.encode("ascii" if host.isascii() else "idna")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _jar_request(address: Address, target: bytes) -> Request:
    from urllib.request import Request  # noqa: PLC0415 - as above

    return Request(f"{address.scheme}://{address.named.decode('ascii')}{target.decode('ascii')}")  # noqa: S310 - no file


class Content:
    """What a request carries, whole. Nothing is left open when its sending is given up halfway."""

    def __init__(self, content: bytes | None) -> None:
        self._content = content

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Piece(self._content)


class _Piece:
    # No generator: one that is not gone through to its end would complain when it is collected.
    def __init__(self, content: bytes | None) -> None:
        self._content = content

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self._content:
            raise StopAsyncIteration
        content, self._content = self._content, None
        return content
