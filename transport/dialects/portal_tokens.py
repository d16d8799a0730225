"""The door at which a client is told of the end of its token: taken back, or past its time.

Rules of this file: no I/O, no clock. A client is told from the beginning on, and not between UNSUBSCRIBE and the next
SUBSCRIBE. It may send anything: every message gets an answer, none ends the connection.
"""

from __future__ import annotations

from enum import StrEnum

from domain.chain import milliseconds
from transport.dialects.portal_commands import Misunderstood, command_of, echo, say
from transport.frames import Frame
from transport.session import Send, Step

TOKENS_PATH = "/ws/tokens"
TOKENS_WORD = "tokens"

_ANSWERS = {"SUBSCRIBE": "SUBSCRIBED", "UNSUBSCRIBE": "UNSUBSCRIBED", "PING": "PONG"}


class TokenEnd(StrEnum):
    """What became of a token."""

    REVOKED = "TOKEN_REVOKED"
    LOGOUT_ALL = "LOGOUT_ALL"
    EXPIRED = "TOKEN_EXPIRED"
    PASSWORD = "PASSWORD_CHANGED"  # noqa: S105 - a word, no secret


MEANINGS = {
    TokenEnd.REVOKED: "the token was taken back: log in again, or renew it",
    TokenEnd.LOGOUT_ALL: "all logins of this user were ended",
    TokenEnd.EXPIRED: "the token has had its time: renew it",
    TokenEnd.PASSWORD: "the password was changed: log in again",
}


class TokensSession:
    """One connection to ``/ws/tokens`` of the user ``user_id``; ``is_told`` says whether it wants to be told."""

    __slots__ = ("_user_id", "is_told")

    def __init__(self, user_id: str) -> None:
        self._user_id = user_id
        self.is_told = True

    def opened(self, at: float) -> list[Step]:
        """Say that it is told from now on."""
        return [self._answer("SUBSCRIBED", at)]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Do what the client asks, or say why not."""
        try:
            action = command_of(message, "action").get("action")
        except Misunderstood as fault:
            return [_error(fault.error, fault.detail, at)]
        word = action.upper() if isinstance(action, str) else ""
        if word not in _ANSWERS:
            told = echo(action) if isinstance(action, str) else "none"
            return [_error(f"Unknown action: {told}", f"action is one of {', '.join(_ANSWERS)}", at)]
        if word != "PING":
            self.is_told = word == "SUBSCRIBE"
        return [self._answer(_ANSWERS[word], at)]

    def end(self, end: TokenEnd, at: float) -> Frame:
        """What the client is told of the end of its token."""
        members = {"type": end.value, "userId": self._user_id, "message": MEANINGS[end]}
        return say({**members, "timestamp": milliseconds(at)}).frame

    def _answer(self, type_: str, at: float) -> Send:
        return say({"type": type_, "userId": self._user_id, "timestamp": milliseconds(at)})


def _error(error: str, detail: str, at: float) -> Send:
    return say({"type": "ERROR", "error": error, "detail": detail, "timestamp": milliseconds(at)})
