"""What a person reads who is not signed in: a page in the look of the live one, and who must act.

Rules of this file: no script, and no word of an address or of a provider as markup. What a provider sent along stays
out of the address bar, where people would share it: the reason waits here, for the browser that it is for, for a
while; what is kept is bounded, and is found by the hash of the browser's secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

import msgspec

from domain.access import SignInFault, key_of
from transport import Response

LIFE = 600.0
"""Seconds for which a reason waits to be read."""

LIMIT = 1000

STATUS: Mapping[SignInFault, int] = MappingProxyType(
    {SignInFault.AWAY: 503, SignInFault.DENIED: 403, SignInFault.NO_ROLE: 403}
)
"""The status of a refusal, where it is not that of a request that makes no sense."""

HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "referrer-policy": "no-referrer",
    }
)

_AGAIN = "Sign in again from the page. If it goes wrong again, ask whoever looks after this gateway"
_LOG = "whoever looks after this gateway finds the reason in its log (page.refused)"
_MENDS: Mapping[SignInFault, str] = MappingProxyType(
    {
        SignInFault.AWAY: f"Try again in a minute. If it lasts, {_LOG}",
        SignInFault.DENIED: "Whoever looks after the accounts of {provider} can say why",
        SignInFault.NO_ROLE: "Ask whoever looks after the accounts of {provider} for a role here, then sign in again",
        SignInFault.TOKEN: f"You cannot mend this: {_LOG}",
    }
)


class Refusal(msgspec.Struct, frozen=True):
    """Why ``name``, if that is known, is not signed in with the provider that people call ``provider``."""

    fault: SignInFault
    message: str
    name: str = ""
    provider: str = ""

    @property
    def mend(self) -> str:
        """Who must do what."""
        return _MENDS.get(self.fault, _AGAIN).format(provider=self.provider or "the provider")


class Refusals:
    """Why the sign-ins of browsers came to nothing: ``limit`` of them, the newest of each."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: dict[bytes, tuple[float, Refusal]] = {}

    def keep(self, browser: str, refusal: Refusal, at: float) -> None:
        """Keep why the one that has the secret ``browser`` is refused ``at`` (Unix seconds)."""
        key = key_of(browser)
        self._kept.pop(key, None)
        if len(self._kept) >= self._limit:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (at + LIFE, refusal)

    def find(self, browser: str, at: float) -> Refusal | None:
        """Why ``browser`` was refused last; None if that is not known any more."""
        until, refusal = self._kept.get(key_of(browser), (at, None))
        return refusal if at < until else None


def words(refusal: Refusal, front: str, status: int | None = None) -> Response:
    """A page that tells ``refusal``, one folder below the ``front`` that it leads back to."""
    who = f"<strong>{escape(refusal.name)}</strong>: " if refusal.name else ""
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>andond: not signed in</title>'
        '<link rel="icon" href="../page/icon.svg"><link rel="stylesheet" href="../page/page.css"></head><body>'
        '<header id="top"><h1><img src="../page/icon.svg" alt=""><span>andond</span></h1></header>'
        f'<section id="sign-in"><h2>You are not signed in</h2><p>{who}{escape(refusal.message)}.'
        f'</p><p>{escape(refusal.mend)}.</p><a class="way" href="{escape(front)}">Back to the page</a>'
        "</section></body></html>"
    )
    return Response(STATUS.get(refusal.fault, 400) if status is None else status, dict(HEADERS), body.encode())
