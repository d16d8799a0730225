"""What the keepers of who is logged in make and read tokens with."""

from __future__ import annotations

import msgspec

from actors.accounts.withdrawn import Withdrawn
from domain.access import Revocations, Scope, TokenIssuer, TokenVerifier


class Tokens(msgspec.Struct, frozen=True):
    """How tokens are made, by ``issuer``, and read, by ``verifier``, and what of them was taken back."""

    issuer: TokenIssuer
    verifier: TokenVerifier
    revocations: Revocations = msgspec.field(default_factory=Revocations)
    withdrawn: Withdrawn = msgspec.field(default_factory=Withdrawn)
    seen: dict[tuple[Scope, str], float] = msgspec.field(default_factory=dict)
    """When what was taken back was: it outlives its keeper, so that each is told once."""
