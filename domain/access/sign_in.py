"""Signing in on the page with a provider of OpenID Connect: where the browser is sent, and what it may bring back.

Rules of this file:

* Pure: chance, keys and moments (Unix seconds) are arguments.
* Nothing is kept of who only begins: state, nonce and verifier are made from a key of this run and what the browser
  has in a cookie. So strangers can fill no list, and no browser can bring back what another one began.
* What is brought back is looked at in this order: is it ours, of this browser, in time, of the provider that was asked,
  and not brought before. Only then it is heard what the provider said.
* The words of a provider are shown only as far as they are a word.

Source: OpenID Connect Core 1.0, section 3.1; RFC 6749, section 4.1; RFC 7636 (PKCE); RFC 9207 (``iss``); RFC 9700,
sections 2.1 and 4.4 (mix-up).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

import msgspec

from domain.access.provider import Provider

LIFE = 600.0
"""Seconds that somebody may take at the provider."""

CODE_LIMIT = 4096
USED_LIMIT = 10_000

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_WORD = re.compile(r"[a-z0-9_.-]{1,64}", re.IGNORECASE)
_PRINTABLE = re.compile(r"[\x20-\x7e]+")
_PARTS = 3
_S256 = "S256"


class SignInFault(StrEnum):
    """Why nobody is signed in."""

    UNASKED = "unasked"
    """Nobody began this in this browser, or not with this run of the gateway."""
    LATE = "late"
    REPEATED = "repeated"
    MIXED_UP = "mixed_up"
    """It is the answer of another provider than was asked."""
    DENIED = "denied"
    """The provider says no."""
    MALFORMED = "malformed"
    AWAY = "away"
    """The provider cannot be asked now."""
    CODE = "code"
    """The provider does not take what it gave."""
    TOKEN = "token"  # noqa: S105 - a word, no secret
    """What the provider gave does not say who this is."""
    NO_ROLE = "no_role"


WORDS: Mapping[SignInFault, str] = {
    SignInFault.UNASKED: "this sign-in was not begun in this browser, or the gateway was restarted meanwhile",
    SignInFault.LATE: "this sign-in took too long",
    SignInFault.REPEATED: "this sign-in was finished before",
    SignInFault.MIXED_UP: "the answer came from another provider than the one that was asked",
    SignInFault.DENIED: "the provider did not sign you in",
    SignInFault.MALFORMED: "the answer of the provider is not understood",
    SignInFault.AWAY: "the provider cannot be reached now",
    SignInFault.CODE: "the provider does not accept this sign-in; was it used before?",
    SignInFault.TOKEN: "what the provider says of you is not accepted here",
    SignInFault.NO_ROLE: "the provider knows you, and gives you no role that is known here",
}


class SignInRefused(Exception):
    """Nobody is signed in, for ``fault``; ``message`` says it in words that may be shown, to ``name`` if known."""

    def __init__(self, fault: SignInFault, detail: str = "", name: str = "") -> None:
        self.fault = fault
        self.name = name
        self.message = f"{WORDS[fault]} ({detail})" if detail else WORDS[fault]
        super().__init__(self.message)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in at the configured ``issuer`` that was begun: what goes along, and what is kept to ourselves."""

    issuer: str
    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def challenge(self) -> str:
        """What the provider is told of the ``verifier`` (RFC 7636, section 4.2)."""
        return _text(hashlib.sha256(self.verifier.encode("ascii")).digest())


class Client(msgspec.Struct, frozen=True):
    """What this gateway is at a provider: its name, where answers are sent, what is asked for."""

    name: str
    redirect: str
    scopes: tuple[str, ...] = ("openid",)


def is_secret(text: str) -> bool:
    """Whether ``text`` can be 32 bytes of chance that this gateway made."""
    return _SECRET.fullmatch(text) is not None


class SignIns:
    """Begins sign-ins and takes them up again, by a ``key`` of 32 bytes that nobody else has."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._used: dict[str, float] = {}

    def begin(self, issuer: str, browser: str, chance: bytes, at: float) -> Attempt:
        """A sign-in at ``issuer`` in the ``browser`` that has this secret in a cookie; ``chance`` is 16 bytes."""
        body = _text("\n".join((str(int(at + LIFE)), _text(chance), issuer)).encode())
        return self._attempt(issuer, f"{body}.{self._made('state', browser, body)}", browser)

    def resume(self, state: str, browser: str, at: float) -> Attempt:
        """The sign-in that ``state`` is of; it is not taken up a second time after ``finish``.

        Raises:
            SignInRefused: if it is not of this ``browser``, or too late.
        """
        body, _, proof = state.partition(".")
        if not is_secret(browser) or not hmac.compare_digest(
            proof.encode("utf-8", "replace"), self._made("state", browser, body).encode()
        ):
            raise SignInRefused(SignInFault.UNASKED)
        try:
            until, _, issuer = _bytes(body).decode().split("\n", _PARTS - 1)
        except (ValueError, binascii.Error):
            raise SignInRefused(SignInFault.UNASKED) from None
        if at >= float(until):
            raise SignInRefused(SignInFault.LATE)
        if proof in self._used:
            raise SignInRefused(SignInFault.REPEATED)
        return self._attempt(issuer, state, browser)

    def finish(self, attempt: Attempt, at: float) -> None:
        """``attempt`` has been answered, and is not taken up again."""
        for proof in [proof for proof, until in self._used.items() if until <= at]:
            del self._used[proof]
        if len(self._used) >= USED_LIMIT:
            del self._used[next(iter(self._used))]
        self._used[attempt.state.partition(".")[2]] = at + LIFE

    def _attempt(self, issuer: str, state: str, browser: str) -> Attempt:
        return Attempt(issuer, state, self._made("nonce", browser, state), self._made("verifier", browser, state))

    def _made(self, what: str, browser: str, of: str) -> str:
        told = f"{what}\0{browser}\0{of}".encode("utf-8", "replace")
        return _text(hmac.digest(self._key, told, "sha256"))


def asking(provider: Provider, client: Client, attempt: Attempt) -> str:
    """The address that the browser is sent to.

    Raises:
        SignInRefused: if nobody can sign in at the provider.
    """
    if not provider.authorization or not provider.token:
        raise SignInRefused(SignInFault.AWAY, "it does not say where people sign in")
    if provider.challenges and _S256 not in provider.challenges:
        raise SignInRefused(SignInFault.AWAY, "it does not know PKCE by S256")
    asked = {
        "response_type": "code",
        "client_id": client.name,
        "redirect_uri": client.redirect,
        "scope": " ".join(dict.fromkeys(("openid", *client.scopes))),
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": attempt.challenge,
        "code_challenge_method": _S256,
    }
    return _with(provider.authorization, asked)


def leaving(provider: Provider, client: Client, back: str) -> str:
    """Where the browser is sent to be signed out of the provider too; empty if there is no such place.

    The ID token is not given along: it would stand in an address. So the provider asks the person.
    """
    if not provider.end_session:
        return ""
    return _with(provider.end_session, {"client_id": client.name, "post_logout_redirect_uri": back})


def code_in(query: Mapping[str, Sequence[str]], provider: Provider) -> str:
    """The code in what the browser brought back from ``provider``, which was asked.

    Raises:
        SignInRefused: if there is none, or it is from another one.
    """
    said = {name: values[0] for name, values in query.items() if values}
    if any(len(values) > 1 for name, values in query.items() if name in ("code", "state", "iss", "error")):
        raise SignInRefused(SignInFault.MALFORMED)
    if said.get("iss", "" if provider.names_itself else provider.issuer) != provider.issuer:
        raise SignInRefused(SignInFault.MIXED_UP)
    if "error" in said:
        raise SignInRefused(SignInFault.DENIED, said["error"] if _WORD.fullmatch(said["error"]) else "")
    code = said.get("code", "")
    if not code or len(code) > CODE_LIMIT or not _PRINTABLE.fullmatch(code):
        raise SignInRefused(SignInFault.MALFORMED)
    return code


def exchanging(code: str, client: Client, attempt: Attempt) -> dict[str, str]:
    """What the provider is asked with for tokens (RFC 6749, section 4.1.3; RFC 7636, section 4.5)."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect,
        "code_verifier": attempt.verifier,
        "client_id": client.name,
    }


def renewing_form(token: str, client: Client) -> dict[str, str]:
    """What the provider is asked with for newer tokens (RFC 6749, section 6)."""
    return {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.name}


def _with(address: str, asked: Mapping[str, str]) -> str:
    # An endpoint may have a query of its own, which stays (RFC 6749, section 3.1).
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
