"""What the gateway's own tokens are made with and read by: nothing of how.

Rules of this file: protocols and words. ``transport.tokens`` does it; who asks for a token says all that is in it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from domain.access.identity import Identity


class TokenKind(StrEnum):
    """What a token of our own is for: its claim ``type``."""

    ACCESS = "access"
    REFRESH = "refresh"


class TokenIssuer(Protocol):
    """Makes tokens for local users, and takes back those with which they are renewed."""

    def issue(self, identity: Identity, kind: TokenKind, at: float) -> str:
        """A token of ``kind`` that says who ``identity`` is, issued ``at`` (Unix seconds).

        ``identity`` says when it ends (``expires_at``), what it is called (``token_id``) and of which login it is
        (``session``).
        """

    def renewing(self, token: str, at: float) -> Identity:
        """Whose refresh token of our own this is; whether it was used before is not asked here.

        Raises:
            TokenRefused: if it is none, or is not valid ``at`` (Unix seconds).
        """


class TokenVerifier(Protocol):
    """Tells whose an access token is, one of our own or of a trusted issuer."""

    def verify(self, token: str, at: float) -> Identity:
        """Whose ``token`` this is.

        Raises:
            TokenRefused: if it is not good ``at`` (Unix seconds).
        """
