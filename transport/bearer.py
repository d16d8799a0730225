"""Where a client may show its token, and how it is told that the token is not taken.

Rules of this file:

* A token stands in ``Authorization``, or in ``Sec-WebSocket-Protocol`` behind the word ``bearer``, because a browser
  cannot set the first on a WebSocket. In the address it is taken where the caller says so, at the predecessors' doors:
  addresses are logged by everybody they pass (RFC 9700, section 4.3.2).
* A token that is shown twice must be the same one (RFC 6750, section 2).
* What is said of a token holds nothing of it. A token is in no ``repr`` either.

Source: RFC 6750 (bearer tokens), sections 2 and 3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from domain.access import TokenFault, TokenRefused

BEARER = "bearer"
"""The scheme, and the subprotocol behind which a browser puts its token."""

QUERY_NAMES = ("token", "access_token")
"""What a token is called in an address."""

REALM = "andond"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")


class Where(StrEnum):
    """Where a token was."""

    HEADER = "header"
    SUBPROTOCOL = "subprotocol"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Shown:
    """A token as it was shown; nobody has looked at it yet."""

    token: str = field(repr=False)
    where: Where


def shown_token(
    headers: Mapping[str, str], query: Mapping[str, Sequence[str]], *, takes_query: bool = False
) -> Shown | None:
    """The token of a request, if it shows one; ``headers`` are by their lower-case names.

    ``takes_query`` says that it may be in the address here.

    Raises:
        TokenRefused: if what stands in its place is none, or two that differ were shown.
    """
    places = ((Where.HEADER, _of_header(headers)), (Where.SUBPROTOCOL, protocol_token(headers)))
    found = [Shown(token, where) for where, token in places if token]
    if takes_query:
        found += [Shown(text, Where.QUERY) for name in QUERY_NAMES for text in query.get(name, ()) if text]
    if not found:
        return None
    if any(each.token != found[0].token for each in found):
        raise TokenRefused(TokenFault.MALFORMED, "two tokens were shown that differ")
    if not _TOKEN.fullmatch(found[0].token):
        raise TokenRefused(TokenFault.MALFORMED)
    return found[0]


def has_query_token(query: Mapping[str, Sequence[str]]) -> bool:
    """Whether an address seems to hold a token: who may not put it there is told so."""
    return any(query.get(name) for name in QUERY_NAMES)


def protocol_token(headers: Mapping[str, str]) -> str:
    """The token that a browser sent as ``new WebSocket(url, [..., "bearer", TOKEN])``; empty if none."""
    words = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    at = next((number for number, word in enumerate(words[:-1]) if word.lower() == BEARER), None)
    return "" if at is None else words[at + 1]


def bearer_word(headers: Mapping[str, str]) -> tuple[str, ...]:
    """What a door answers that speaks no subprotocol, to a client that put its token into one: the word before it.

    A browser fails a connection whose answer names none of those that it offered (RFC 6455, section 4.1). The word is
    as the client wrote it.
    """
    words = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    found = next((word for word in words[:-1] if word.lower() == BEARER), "")
    return (found,) if found else ()


def spoken_protocols(headers: Mapping[str, str]) -> list[str]:
    """The subprotocols that a client offers, without its token: that is never given back, nor looked up."""
    words = [word.strip() for word in headers.get("sec-websocket-protocol", "").split(",")]
    token = protocol_token(headers)
    return [word for word in words if word and word != token]


def _of_header(headers: Mapping[str, str]) -> str:
    scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() != BEARER:
        return ""
    token = rest.strip()
    if not token:
        raise TokenRefused(TokenFault.MALFORMED)
    return token


def challenge(error: str = "", description: str = "") -> dict[str, str]:
    """The header that says how to show a token, and what was wrong with the one that was shown."""
    words = [f'Bearer realm="{REALM}"']
    if error:
        words.append(f'error="{error}"')
    if description:
        words.append(f'error_description="{_printed(description)}"')
    return {"www-authenticate": ", ".join(words)}


def _printed(text: str) -> str:
    """``text`` of what may stand in a description: printable ASCII without quotation marks and backslashes."""
    return "".join(each if " " <= each <= "~" and each not in '"\\' else "?" for each in text)
