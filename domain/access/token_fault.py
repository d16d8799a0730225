"""Why a token is not taken, in one list: what clients are told, and what is counted.

Rules of this file: words alone. A message is made of our own words and of what the operator has configured, never of
the token: it goes to the client, and into the log. It is plain ASCII without quotation marks, as it stands in a header
(RFC 6750, section 3).
"""

from __future__ import annotations

from enum import StrEnum


class TokenFault(StrEnum):
    """What is wrong with a token."""

    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    SIGNATURE = "signature"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    AUDIENCE = "audience"
    ISSUER = "issuer"
    NOT_ACCESS = "not_access"
    REVOKED = "revoked"
    NO_ROLE = "no_role"
    NO_SUBJECT = "no_subject"


WORDS: dict[TokenFault, str] = {
    TokenFault.MALFORMED: "the token is no JSON Web Token that is taken here",
    TokenFault.ALGORITHM: "the token is signed in a way that is not taken from its issuer",
    TokenFault.SIGNATURE: "the signature of the token is not good",
    TokenFault.UNKNOWN_KEY: "the key that the token is signed with is not known",
    TokenFault.EXPIRED: "the token has expired",
    TokenFault.NOT_YET_VALID: "the token is not valid yet; do the clocks differ?",
    TokenFault.AUDIENCE: "the token is meant for somebody else",
    TokenFault.ISSUER: "the issuer of the token is not trusted here",
    TokenFault.NOT_ACCESS: "the token is no access token",
    TokenFault.REVOKED: "the token was revoked",
    TokenFault.NO_ROLE: "the token gives no role that is known here",
    TokenFault.NO_SUBJECT: "the token does not say whose it is",
}


class TokenRefused(Exception):
    """A token is not taken, for ``reason``; ``message`` says it in words that its bearer may read.

    ``retry_after`` is in seconds where the same token may be good then, because keys are being fetched; None otherwise.
    """

    def __init__(self, reason: TokenFault, message: str = "", *, retry_after: float | None = None) -> None:
        self.reason = reason
        self.message = message or WORDS[reason]
        self.retry_after = retry_after
        super().__init__(f"{reason}: {self.message}")
