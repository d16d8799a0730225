"""The portal's console, ``/api/v11/portal/websocket``: an overview at first, metrics each second, and answers.

Rules of this file: no I/O, no clock. What a client asks for is read and answered by who knows the chain; the
predecessor answered everything with its analytics. What concerns users and configuration needs a token: it is answered
``auth_required``. Every frame has ``type`` and ``data``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from domain import JsonObject, JsonValue, Refused
from domain.chain import PROVENANCE, milliseconds, without_provenance
from transport.dialects.portal_commands import NOT_UNDERSTOOD, Misunderstood, command_of, echo, say
from transport.dialects.portal_messages import encode_console
from transport.session import Enquire, Step, Subscribe

METRICS = "panels/realtime"
LIMIT = 100
HIGHEST_LIMIT = 1000

OVERVIEW = "initial_data"
ANALYTICS = "analytics"

CONSOLE_ANSWERS: Mapping[str, str] = MappingProxyType(
    {"get_analytics": ANALYTICS, "get_validators": "validators", "get_transactions": "transactions"}
)
"""The frame that answers a request, by the request's type."""

CONSOLE_RESTRICTED = frozenset({"get_users", "update_config"})
"""Requests that need a token."""

_REQUESTS = f"type is one of {', '.join(CONSOLE_ANSWERS)}"
_DIGITS = re.compile(r"[0-9]{1,6}")


class ConsoleQuestion(msgspec.Struct, frozen=True):
    """What the console asks who knows the chain: the document for a frame of ``type``, with at most ``limit`` rows."""

    type: str
    limit: int = LIMIT


class ConsoleSession:
    """One connection to ``/api/v11/portal/websocket``."""

    __slots__ = ()

    def opened(self, at: float) -> list[Step]:
        """Show the overview, then the metrics."""
        return [_enquire(ConsoleQuestion(OVERVIEW), at), Subscribe(METRICS, encode_console, latest=1)]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Answer what the client asks, or say why not."""
        try:
            return [self._answer(command_of(message, "type"), at)]
        except Misunderstood as fault:
            return [_error(fault.error, fault.detail, at)]

    def _answer(self, command: JsonObject, at: float) -> Step:
        verb = command.get("type")
        if not isinstance(verb, str):
            raise Misunderstood(NOT_UNDERSTOOD, _REQUESTS)
        if verb in CONSOLE_RESTRICTED:
            about = {"message": "Authentication required", "request": verb}
            return say({"type": "auth_required", **about, "data": about, "timestamp": milliseconds(at)})
        if verb not in CONSOLE_ANSWERS:
            raise Misunderstood(f"Unknown request type: {echo(verb)}", _REQUESTS)
        return _enquire(ConsoleQuestion(CONSOLE_ANSWERS[verb], _limit(command)), at)


def _enquire(question: ConsoleQuestion, at: float) -> Enquire:
    return Enquire(question, _told(question.type, at))


def _told(type_: str, at: float) -> Callable[[object], Sequence[Step]]:
    def told(answer: object) -> Sequence[Step]:
        if isinstance(answer, Refused):
            return [_error("Failed to process request", str(answer), at)]
        if not isinstance(answer, Mapping):
            raise TypeError(f"{answer!r} answers no question of the console")
        fields: JsonObject = answer
        frame: dict[str, JsonValue] = {
            "type": type_,
            # Where a list was asked for the client reads a list; what there is to say of it stands beside it.
            "data": fields[type_] if type_ in fields else without_provenance(fields),
            "timestamp": milliseconds(at),
            PROVENANCE: fields.get(PROVENANCE),
        }
        reasons = fields.get("reasons") if type_ in fields else None
        return [say(frame if reasons is None else {**frame, "reasons": reasons})]

    return told


def _error(error: str, detail: str, at: float) -> Step:
    about: dict[str, JsonValue] = {"message": error, "detail": detail}
    return say({"type": "error", **about, "data": about, "timestamp": milliseconds(at)})


def _limit(command: JsonObject) -> int:
    params = command.get("params")
    given = params.get("limit", LIMIT) if isinstance(params, Mapping) else LIMIT
    # The predecessor's parameters are all text.
    number = int(given) if isinstance(given, str) and _DIGITS.fullmatch(given) else given
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= HIGHEST_LIMIT:
        raise Misunderstood(NOT_UNDERSTOOD, f"limit is an integer from 1 to {HIGHEST_LIMIT}")
    return number
