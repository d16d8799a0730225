"""Who somebody is, and how that is known.

Rules of this file: an identity is what a proof said, and carries no proof: no token, no password, nothing that would
let a reader of a log be somebody else. What it may do is said by ``AccessPolicy``, never by itself.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

OWN_ISSUER = "andond"
"""The issuer of this gateway's own users, whatever their tokens name."""

EVERY_TENANT = "*"
"""The tenant of the gateway's own people: all of them."""


class Proof(StrEnum):
    """How it is known who somebody is."""

    OPEN = "open"
    """It is not asked: the gateway is on loopback alone and nothing is configured."""
    ANONYMOUS = "anonymous"
    """It is not known, and the configuration lets such clients read."""
    TOKEN = "token"  # noqa: S105 - a word, no secret
    """A token that an issuer signed."""
    LOCAL = "local"
    """A user of this gateway, who logged in."""
    CERTIFICATE = "certificate"
    """A certificate of the client."""


class Identity(msgspec.Struct, frozen=True):
    """Somebody: ``subject`` is what programs call it, ``name`` what people do.

    ``tenant`` is empty for none and ``*`` for all, ``places`` are the ISA-95 paths of its own, its line as a rule.
    ``expires_at`` is in Unix seconds, None where it never does. ``token_id`` and ``session`` are the names by which its
    token and the family of its refresh tokens are revoked; ``issued_at`` (Unix seconds) is when its token was made,
    None where that is not known. ``issuer`` is who vouches for it, by the name in the settings; empty for nobody but
    this gateway's settings themselves.
    """

    subject: str
    name: str
    roles: frozenset[str]
    proof: Proof
    tenant: str = ""
    places: tuple[str, ...] = ()
    expires_at: float | None = None
    token_id: str = ""
    session: str = ""
    department: str = ""
    shift: str = ""
    issued_at: float | None = None
    issuer: str = ""

    @property
    def person(self) -> str:
        """What tells this person from everybody else, whatever their names are; empty where it is not known who it is.

        A subject is somebody only beside who vouches for it (OpenID Connect Core 1.0, section 5.7), and has no line
        breaks.
        """
        return f"{self.proof.value}\n{self.issuer}\n{self.subject}" if self.is_proved else ""

    @property
    def is_proved(self) -> bool:
        """Whether it is known who this is."""
        return self.proof not in (Proof.OPEN, Proof.ANONYMOUS)
