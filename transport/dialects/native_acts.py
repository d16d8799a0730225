"""Acts in the native protocol: from what a client said to what is wanted, and from a refusal to an error.

Rules of this file: no I/O, no clock. Who did it is who the act names, or else who the client said it is; when is what
its device says, or else now. Every member that none of this needs is an argument, and what is in ``arguments``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import Grounds, JsonObject, Refused, parse_rfc3339
from transport.codes import ProtocolError, code_of
from transport.dialects.deeds import Deed
from transport.dialects.native_bodies import Act, Error
from transport.dialects.native_reading import BAD_REQUEST

NOBODY = "unknown"
RETRY_MS = 1000
"""What a client waits before it says again what cannot be done now."""

MESSAGE_LIMIT = 200

_OWN = frozenset((*Act.__struct_fields__, "arguments"))
_CODES: Mapping[Grounds, int] = MappingProxyType(
    {
        Grounds.INVALID: 107,
        Grounds.NOT_FOUND: 102,
        Grounds.CONFLICT: 107,
        Grounds.NOT_ALLOWED: 103,
        Grounds.UNSUPPORTED: 104,
        Grounds.UNAVAILABLE: 100,
    }
)


def deed_of(body: Act, members: JsonObject, client: str, at: float) -> Deed:
    """What ``body`` wants, of which ``members`` are all that was said; ``client`` said it ``at`` (Unix seconds).

    Raises:
        ProtocolError: if it names a moment that is none.
    """
    if body.at is not None:
        try:
            at = parse_rfc3339(body.at)
        except ValueError as error:
            raise ProtocolError(BAD_REQUEST, f"act.at: {error}") from None
    arguments = {name: value for name, value in members.items() if name not in _OWN}
    given = members.get("arguments")
    if isinstance(given, Mapping):
        arguments |= given
    return Deed(body.type, body.key, body.by or client or NOBODY, at, arguments, body.station)


def error_of(refused: Refused) -> Error:
    """What a client is told that something is not done for."""
    code = code_of(_CODES[refused.grounds])
    retry_ms = RETRY_MS if code.temporary else 0
    error = Error(code.number, refused.message[:MESSAGE_LIMIT], code.temporary, retry_ms)
    if refused.details:
        error.details = dict(refused.details)
    return error
