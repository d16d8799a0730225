"""Requests and responses as handlers see them, and the one body that says what went wrong.

Rules of this file: no I/O and no HTTP parser. What a client wrote is decoded once, strictly, before a handler sees it:
an escape that is none, text that is not UTF-8 and control characters are the client's fault (400), not a handler's.
Every error is a problem document (RFC 9457) that says who must act.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from urllib.parse import unquote_to_bytes

import msgspec

from domain import Allowance, JsonValue
from domain.access import NO_RIGHTS, Rights
from transport.addresses import ClientAddress
from transport.codec import encode_json
from transport.codes import CODES, ProtocolError, phrase

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSOLUTE = re.compile(r"https?://[^/?#]+", re.IGNORECASE)

# Nobody asks for more; parsing them costs us more than sending them costs a client.
_FIELD_LIMIT = 200


class Request(msgspec.Struct, frozen=True):
    """One HTTP request, whole.

    ``path`` is percent-decoded; ``target`` is the same path as it came, for who must tell ``/`` from ``%2F``. Header
    names are lower case, fields of one name are joined. ``secure`` says that the client spoke TLS, to us or to a
    trusted proxy. ``rights`` are what its sender may do and see: nothing, until somebody found out who that is.
    ``allowance`` is what the sender's connection may take. ``certificate`` is the subject of the certificate that the
    client proved to hold (RFC 4514), empty if it showed none.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    client: ClientAddress
    secure: bool
    target: str
    rights: Rights = NO_RIGHTS
    allowance: Allowance | None = None
    certificate: str = ""


class Response(msgspec.Struct, frozen=True):
    """One HTTP response, whole; its length, date and connection fields are added when it is sent."""

    status: int
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""


class Target(msgspec.Struct, frozen=True):
    """A request target, taken apart: the path as it came, the path decoded, and the query."""

    raw: str
    path: str
    query: Mapping[str, list[str]]


_JSON: Mapping[str, str] = {"content-type": "application/json", "cache-control": "no-store"}
_NO_QUERY: Mapping[str, list[str]] = {}


def json_response(value: JsonValue, status: int = 200) -> Response:
    """``value`` as JSON, not to be cached."""
    return Response(status, _JSON, encode_json(value))


def problem(status: int, title: str, detail: str, code: int | None = None, **members: JsonValue) -> Response:
    """A problem document: ``title`` says which kind of fault, ``detail`` what was found here and what is expected.

    With ``code``, a number of the table of codes, it also says whether the fault is temporary and what to do.
    """
    document: dict[str, JsonValue] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    row = CODES.get(code) if code is not None else None
    if row is not None:
        document["type"] = f"urn:andond:error:{row.word}"
        document |= {"code": row.number, "temporary": row.temporary, "action": row.action}
    document |= members
    headers = {"content-type": "application/problem+json", "cache-control": "no-store"}
    return Response(status, headers, encode_json(document))


def problem_of(error: ProtocolError) -> Response:
    """The answer that a client's fault proposes."""
    members = dict(error.members)
    headers = dict(error.headers)
    if error.retry_after is not None:
        members["retry_after"] = error.retry_after
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    answer = problem(error.status, phrase(error.status), error.detail, error.code.number, **members)
    return Response(answer.status, {**answer.headers, **headers}, answer.body)


def parse_target(target: str) -> Target:
    """Take a request target apart: origin form, absolute form or ``*`` (RFC 9112, section 3.2).

    Raises:
        ProtocolError: 400, if it is none of them or cannot be decoded.
    """
    absolute = _ABSOLUTE.match(target)
    if absolute is not None:
        target = target[absolute.end() :]
        if not target.startswith("/"):
            target = "/" + target
    target = target.partition("#")[0]
    raw, _, query = target.partition("?")
    if not raw.startswith("/") and raw != "*":
        raise ProtocolError(400, "the request target is neither a path nor an absolute http address")
    return Target(raw, _decode(raw, "path"), _parse_query(query) if query else _NO_QUERY)


def _decode(text: str, what: str) -> str:
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise ProtocolError(400, f"a percent sign in the {what} is not followed by two hexadecimal digits")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ProtocolError(400, f"the {what} is not UTF-8 when percent-decoded") from None
    if _CONTROL.search(decoded):
        raise ProtocolError(400, f"the {what} has a control character in it")
    return decoded


def _parse_query(text: str) -> dict[str, list[str]]:
    fields = text.split("&")
    if len(fields) > _FIELD_LIMIT:
        raise ProtocolError(400, f"the query has more than {_FIELD_LIMIT} fields")
    query: dict[str, list[str]] = {}
    for item in fields:
        if item:
            name, _, value = item.replace("+", " ").partition("=")
            query.setdefault(_decode(name, "query"), []).append(_decode(value, "query"))
    return query
