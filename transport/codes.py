"""Every number that tells a client what went wrong: errors, refusals and close codes, in one table.

Rules of this file: one row a number, and no number twice. Three families share the table because their numbers
cannot meet:

* 100 to 112: errors, the answer to one command of the native protocol; the connection stays.
* 400 to 599: refusals, the answer to one HTTP request, a refused WebSocket handshake included.
* 1000 to 4999: close codes, the end of a WebSocket connection. In 4000 to 4099 the client stops, in 4100 to 4199
  it backs off, in 4200 to 4299 it returns and resumes.

Whoever finds a fault raises ``ProtocolError`` with its number; whoever holds the connection answers with what the
row proposes. Documents and clients are made from ``CODES``, never from a second list.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from domain import JsonValue


class Code(msgspec.Struct, frozen=True):
    """One row: what a number means and what the client does about it.

    ``status`` is the HTTP status of the same fault and ``close`` the close code that ends a connection for it, where
    there is one. ``temporary`` says that the same request may succeed later, unchanged.
    """

    number: int
    word: str
    meaning: str
    status: int | None
    close: int | None
    temporary: bool
    action: str


_FIX = "mend the request; sending it again unchanged fails again"
_STOP = "stop; do not reconnect"
_LOG_IN = "log in again, then connect"
_BACK_OFF = "back off, by the delay that was told or with full jitter, then try again"
_RESUME = "reconnect at once and resume from the last position"
_NOTHING = "nothing; reconnect when there is something to do"

_ERRORS = (
    Code(100, "internal", "the gateway failed at this command", 500, 1011, temporary=True, action=_BACK_OFF),
    Code(101, "unauthorised", "no valid token was given", 401, 4001, temporary=False, action=_LOG_IN),
    Code(102, "unknown_channel", "there is no channel of this name", 404, None, temporary=False, action=_FIX),
    Code(103, "permission_denied", "the token does not allow this", 403, None, temporary=False, action=_FIX),
    Code(104, "unknown_command", "there is no command of this name", 400, None, temporary=False, action=_FIX),
    Code(105, "already_subscribed", "the channel is subscribed to already", 409, None, temporary=False, action=_FIX),
    Code(106, "limit_exceeded", "more was asked for than one client may have", 403, None, temporary=False, action=_FIX),
    Code(107, "bad_request", "the command is not understood", 400, 4002, temporary=False, action=_FIX),
    Code(109, "token_expired", "the token is no longer valid", 401, 4001, temporary=False, action=_LOG_IN),
    Code(111, "too_many_requests", "commands come too fast", 429, 4103, temporary=True, action=_BACK_OFF),
    Code(
        112,
        "position_not_recoverable",
        "what followed the given position is no longer kept",
        410,
        4203,
        temporary=False,
        action="subscribe afresh, from now",
    ),
)

_REFUSALS = (
    Code(400, "malformed_request", "the request is not valid HTTP", 400, None, temporary=False, action=_FIX),
    Code(401, "token_missing", "this path wants a token", 401, None, temporary=False, action=_LOG_IN),
    Code(403, "forbidden", "this client may not do that", 403, None, temporary=False, action=_FIX),
    Code(404, "not_found", "there is nothing at this path", 404, None, temporary=False, action=_FIX),
    Code(405, "method_not_allowed", "the path does not know this method", 405, None, temporary=False, action=_FIX),
    Code(408, "request_timeout", "the request came too slowly", 408, None, temporary=True, action=_BACK_OFF),
    Code(413, "body_too_large", "the body is larger than is taken", 413, None, temporary=False, action=_FIX),
    Code(417, "expectation_failed", "only 100-continue can be expected", 417, None, temporary=False, action=_FIX),
    Code(426, "upgrade_required", "the path speaks WebSocket 13 only", 426, None, temporary=False, action=_FIX),
    Code(429, "too_many_connections", "the address has too many", 429, None, temporary=True, action=_BACK_OFF),
    Code(431, "head_too_large", "the request head is larger than is taken", 431, None, temporary=False, action=_FIX),
    Code(500, "handler_failed", "the gateway failed at this request", 500, None, temporary=True, action=_BACK_OFF),
    Code(501, "not_implemented", "a coding or method nobody here knows", 501, None, temporary=False, action=_FIX),
    Code(503, "unavailable", "the gateway takes nobody more at present", 503, None, temporary=True, action=_BACK_OFF),
    Code(505, "version_not_supported", "only HTTP/1.1 and HTTP/1.0", 505, None, temporary=False, action=_FIX),
)

_CLOSES = (
    Code(1000, "normal", "the work is done", None, 1000, temporary=False, action=_NOTHING),
    Code(1001, "going_away", "the gateway or the page goes away", None, 1001, temporary=True, action=_RESUME),
    Code(1002, "malformed_frame", "a frame breaks RFC 6455", None, 1002, temporary=False, action=_FIX),
    Code(
        1003,
        "unsupported_frame",
        "binary where text is taken, or text where binary is",
        None,
        1003,
        temporary=False,
        action=_FIX,
    ),
    Code(1005, "no_code", "the peer closed without a code; never sent", None, None, temporary=False, action=_NOTHING),
    Code(1006, "link_lost", "the link ended without a Close; never sent", None, None, temporary=True, action=_RESUME),
    Code(1007, "invalid_text", "text that is not UTF-8, or not valid", None, 1007, temporary=False, action=_FIX),
    Code(1008, "policy_violation", "the peer broke a rule without a number", None, 1008, temporary=False, action=_FIX),
    Code(1009, "message_too_big", "a message larger than is taken", 413, 1009, temporary=False, action=_FIX),
    Code(1011, "connection_failed", "the gateway failed", 500, 1011, temporary=True, action=_BACK_OFF),
    Code(1012, "service_restart", "the gateway restarts", None, 1012, temporary=True, action=_RESUME),
    Code(1013, "try_again_later", "the gateway is overloaded", 503, 1013, temporary=True, action=_BACK_OFF),
    Code(4001, "bad_token", "the token is not valid", 401, 4001, temporary=False, action="stop, then log in"),
    Code(4002, "protocol_error", "the session broke the protocol", 400, 4002, temporary=False, action=_STOP),
    Code(4003, "not_connected", "no connect command in time", 408, 4003, temporary=False, action=_STOP),
    Code(4004, "revoked", "the right to be connected was taken back", 403, 4004, temporary=False, action=_STOP),
    Code(4101, "overloaded", "the gateway sheds load", 503, 4101, temporary=True, action=_BACK_OFF),
    Code(4102, "no_pong", "nothing was heard for too long", None, 4102, temporary=True, action=_BACK_OFF),
    Code(4103, "too_many_commands", "commands came too fast", 429, 4103, temporary=True, action=_BACK_OFF),
    Code(
        4201,
        "planned_end",
        "the gateway restarts as planned, or what this client may do has changed",
        503,
        4201,
        temporary=True,
        action="return after the personal delay and resume",
    ),
    Code(4202, "critical_behind", "too many critical events wait", None, 4202, temporary=True, action=_RESUME),
    Code(4203, "position_lost", "a position check failed", None, 4203, temporary=True, action=_RESUME),
)

CODES: dict[int, Code] = {code.number: code for code in (*_ERRORS, *_REFUSALS, *_CLOSES)}
"""The table, by number."""

NORMAL = 1000
GOING_AWAY = 1001
MALFORMED_FRAME = 1002
UNSUPPORTED_FRAME = 1003
LINK_LOST = 1006
INVALID_TEXT = 1007
MESSAGE_TOO_BIG = 1009
CONNECTION_FAILED = 1011
PROTOCOL_ERROR = 4002
NOT_CONNECTED = 4003
NO_PONG = 4102
TOO_MANY_COMMANDS = 4103
CRITICAL_BEHIND = 4202

RIGHTS_CHANGED = 4201, "rights changed"
"""The end of a session whose client may do and see something else by now; when it returns it has the rights of then."""

_SENDABLE_RESERVED = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


def code_of(number: int) -> Code:
    """The row of ``number``.

    Raises:
        UsageError: if the table does not have it.
    """
    code = CODES.get(number)
    if code is None:
        raise UsageError(f"{number} is not in the table of codes")
    return code


def is_sendable(number: int) -> bool:
    """Whether ``number`` may stand in a Close frame (RFC 6455, section 7.4)."""
    return number in _SENDABLE_RESERVED or 3000 <= number <= 4999  # noqa: PLR2004 - the RFC's own bounds


def phrase(status: int) -> str:
    """The words that go with an HTTP status, or "Error" where there are none."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


class ProtocolError(Exception):
    """The client did wrong: which row of the table, in words for its author, and how to answer.

    ``detail`` names what was found and what is taken. ``retry_after`` is in seconds. ``headers`` go with an HTTP
    answer, ``members`` into its problem document.
    """

    def __init__(
        self,
        number: int,
        detail: str = "",
        *,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, JsonValue] | None = None,
    ) -> None:
        self.code = code_of(number)
        self.detail = detail or self.code.meaning
        self.retry_after = retry_after
        self.headers = headers or {}
        self.members = members or {}
        super().__init__(f"{number} {self.code.word}: {self.detail}")

    @property
    def status(self) -> int:
        """The HTTP status this fault proposes; 400 where its row has none."""
        return self.code.status or HTTPStatus.BAD_REQUEST

    @property
    def close(self) -> int:
        """The close code this fault proposes; 4002 where its row has none."""
        return self.code.close or code_of(4002).number


class UsageError(Exception):
    """We did wrong towards the transport: a bug here, not the client's fault."""
