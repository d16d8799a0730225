"""The tokens that this gateway gives to users of its own: it is an issuer like any other, and its own first client.

Rules of this file: no I/O and no clock. What a token says is said by who asks for it; how it is signed is said by the
``Signer``. A refresh token is taken by ``renewing()`` alone: nothing else opens with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from domain import JsonObject
from domain.access import (
    Identity,
    TokenFault,
    TokenKind,
    TokenRefused,
    bearer_of,
    claims_of,
    issuer_of,
    own_rules,
)
from transport.tokens import Key, Signer, check_signature, has_libraries, published, sign, take_apart
from transport.verifier import KeyRing, Trusted

NAME = "andond"
"""What the gateway is called as an issuer, and as who its tokens are for."""


class TokenMint:
    """Makes tokens signed by ``signer``, of the ``issuer`` for the ``audience``; ``known`` returns the roles."""

    def __init__(
        self,
        signer: Signer,
        issuer: str = NAME,
        audience: str = NAME,
        known: Callable[[], Collection[str]] | None = None,
    ) -> None:
        self._known = known
        self._signer = signer
        self._issuer = issuer
        self._audience = audience
        self._rules = own_rules(issuer, audience)
        ring = KeyRing(make=lambda: _keys(signer))
        self.trusted = Trusted(NAME, self._rules, frozenset({signer.algorithm}), ring)

    @property
    def keys(self) -> JsonObject | None:
        """The JWK set by which others can check its tokens; None where both sides have a secret."""
        return published(self._signer)

    def issue(self, identity: Identity, kind: TokenKind, at: float) -> str:
        """A token of ``kind`` that says who ``identity`` is, issued ``at`` (Unix seconds).

        ``identity`` says when it ends, what it is called and of which login it is.

        Raises:
            ValueError: if ``identity`` does not say when it ends.
        """
        return sign(claims_of(identity, kind, at, issuer=self._issuer, audience=self._audience), self._signer)

    def renewing(self, token: str, at: float) -> Identity:
        """Whose refresh token of our own this is; whether it was used before is not asked here.

        Raises:
            TokenRefused: if it is none, or is not valid ``at`` (Unix seconds).
        """
        compact = take_apart(token)
        if issuer_of(compact.claims) != self._issuer:
            raise TokenRefused(TokenFault.ISSUER)
        (key,) = self.trusted.ring.find(compact.key_id, compact.algorithm)
        check_signature(token, compact.algorithm, key)
        known = None if self._known is None else self._known()
        return bearer_of(compact.claims, self._rules, at, kind=TokenKind.REFRESH, type_=compact.type_, known=known)


def _keys(signer: Signer) -> tuple[Key, ...]:
    """What tokens of ``signer`` are checked with.

    Raises:
        TokenRefused: while nothing that checks signatures is installed, so that no token can be ours either.
    """
    if not has_libraries():
        raise TokenRefused(TokenFault.ISSUER)
    return (signer.key,)
