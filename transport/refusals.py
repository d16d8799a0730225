"""What goes wrong when a node is asked: nobody answers, or it says no.

Rules of this file: words alone. A message names the node by where it is, never by its whole address, because a path or
a query can hold a secret; and it says who must act.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

from domain import JsonValue
from transport.codec import CodecError, decode_json
from transport.codes import phrase

Trouble = Literal["unreachable", "unnamed", "untrusted", "silent", "cut", "oversized", "garbled"]

WORDS_LIMIT = 300
"""Characters of a stranger's words that are repeated."""

ANSWER_LIMIT = 256 * 1024
"""Bytes of a refusal that are read; a longer one is taken for no JSON."""

_ADVICE: dict[Trouble, str] = {
    "unreachable": "is the node running, and is this its address?",
    "unnamed": "is the name written right, and can this machine ask a name server?",
    "untrusted": "its operator must renew the certificate, or this machine trust who signed it",
    "silent": "the node is hung, overloaded, or behind something that drops packets",
    "cut": "the node, or what stands before it, ended the connection",
    "oversized": "whoever asked must ask for less",
    "garbled": "is this the address of such a node?",
}


_ADMISSION = {
    401: "it wants to know who asks: write its headers into a file and name that as headers_file",
    403: "it lets us not do that: whoever runs it must allow it, or its headers_file is not right",
    407: "a proxy before it wants to know who asks: whoever runs that must let us in",
}
"""Who must act, by the HTTP status of who is not let in."""

_TLS_ALERT = r"\x15\x03"
"""How what a server of TLS answers to plain HTTP begins, as a message shows it."""


class Unfetched(Exception):
    """A node gave no answer that can be used; the message says where, why, and who must act.

    ``trouble`` is one of few words, ``detail`` is why.
    """

    def __init__(self, place: str, trouble: Trouble, detail: str) -> None:
        super().__init__(f"{place}: {detail}; {_ADVICE[trouble]}")
        self.place = place
        self.trouble = trouble
        self.detail = detail


class Refused(Exception):
    """A node answered that it will not: an HTTP status that is no success, or the error object of JSON-RPC.

    ``status`` is HTTP's, ``code`` the node's own number, ``message`` its words, ``details`` what it added to them,
    ``retry_after`` the seconds after which it wants to be asked again, ``answer`` all that it said, if that was JSON.
    None is what it did not say.
    """

    def __init__(
        self,
        place: str,
        status: int,
        message: str,
        *,
        code: int | None = None,
        details: JsonValue = None,
        retry_after: float | None = None,
        answer: JsonValue = None,
    ) -> None:
        number = f"HTTP {status}" if code is None else f"HTTP {status}, code {code}"
        more = f" ({details})" if isinstance(details, str) and details else ""
        super().__init__(f"{place}: refused with {number}: {message}{more}{advice_on(status)}")
        self.place = place
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after
        self.answer = answer


def place_of(url: str) -> str:
    """Where ``url`` leads, without what may be secret: scheme, host and port.

    Raises:
        ValueError: if it leads nowhere.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise ValueError("an address begins with its scheme and names a host, as in http://10.0.0.5:26657")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port is not None else "")


def unreached(place: str, error: BaseException) -> Unfetched:
    """What ``error`` means, that came of connecting to ``place``."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unfetched(place, "untrusted", f"certificate refused: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "reason", None) or cause
            return Unfetched(place, "garbled", f"it does not speak TLS ({reason}), perhaps its address is http or ws")
        if isinstance(cause, socket.gaierror):
            return Unfetched(place, "unnamed", f"cannot find the machine: {words_of(error)}")
    return Unfetched(place, "unreachable", f"cannot connect: {words_of(error)}")


def advice_on(status: int) -> str:
    """Who must act because of an HTTP ``status``, to be added to words on it; empty where nobody is kept out."""
    return f"; {_ADMISSION[status]}" if status in _ADMISSION else ""


def tls_hint(place: str, words: str) -> str:
    """What to add to ``words`` on a connection to ``place`` that was cut or makes no sense: it may want TLS."""
    if place.startswith(("https:", "wss:")):
        return ""
    secure = "wss" if place.startswith("ws:") else "https"
    is_alert = _TLS_ALERT in words.lower()
    return f" (it speaks TLS: write {secure})" if is_alert else f" (if it speaks TLS, write {secure})"


def words_of(error: BaseException) -> str:
    """The system's own word for what went wrong, under what libraries wrap around it."""
    last = error
    for cause in _causes(error):
        last = cause
        if isinstance(cause, OSError) and cause.strerror:
            # Names that cannot be resolved have numbers of their own, below zero.
            number = cause.errno or 0
            return os.strerror(number) if number > 0 else cause.strerror
    return str(last) or str(error) or type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """``error`` and what it came of, outermost first."""
    found: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in found:
        found.append(cause)
        following = cause.__cause__ or cause.__context__
        cause = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else following
    return found


def refusal(place: str, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
    """What a node says with ``status`` and ``body``: JSON-RPC's error, that of a REST interface, or plain words."""
    try:
        answer = decode_json(body[:ANSWER_LIMIT])
    except CodecError:
        answer = None
    told = answer if isinstance(answer, Mapping) else {}
    error = told.get("error")
    if isinstance(error, Mapping):
        told = error
    message, code = told.get("message"), told.get("code")
    if not isinstance(message, str):
        message = error if isinstance(error, str) else _plain_words(status, body)
    return Refused(
        place,
        status,
        message[:WORDS_LIMIT],
        code=code if isinstance(code, int) else None,
        details=told.get("data", told.get("details")),
        retry_after=_seconds(headers.get("retry-after", "")),
        answer=answer,
    )


def _plain_words(status: int, body: bytes) -> str:
    words = " ".join(body[:WORDS_LIMIT].decode("utf-8", "replace").split())
    return words if words and not words.startswith(("<", "{", "[")) else phrase(status)


def _seconds(text: str) -> float | None:
    """What Retry-After says, unless it is a date: a node's clock is not ours."""
    return float(text) if text.isascii() and text.isdigit() else None
