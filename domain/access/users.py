"""A local user: what is known of it, what it may be called, what makes a password too weak, who it is when it acts.

Rules of this file: pure. A name is found whatever its case; one with an ``@`` in it is an address, so that a name and
an address are never mistaken for each other. A password is judged by its length and by what a guesser tries first, not
by kinds of letters (NIST SP 800-63B, section 3.1.1.2).
"""

from __future__ import annotations

import re
import unicodedata

import msgspec

from domain.access.identity import OWN_ISSUER, Identity, Proof
from domain.access.policy import role_name
from domain.access.sessions import Family, SessionTerms

NAME_LIMIT = 64
PASSWORD_LIMIT = 1024
"""Characters of a password at most; hashing more costs us and helps nobody."""

SHORTEST = 12

_NAME = re.compile(rf"[\w][\w.+-]{{0,{NAME_LIMIT - 1}}}")
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,190}")
_DISTINCT = 5
_LEFT = 6
_GUESSED = re.compile(
    r"pass(?:word|wort|w)|passwd|admin|andond?|welcome|willkommen|letmein|secret|geheim|login|changeme|iloveyou|monkey|"
    r"qwert[yz]?(?:u(?:i(?:op?)?)?)?|asdf(?:g(?:h(?:j(?:kl?)?)?)?)?|[yz]xcv(?:b(?:nm?)?)?|1q2w3e4r|"
    r"0?123(?:4(?:5(?:6(?:7(?:8(?:90?)?)?)?)?)?)?|(?:19|20)\d\d|abcd(?:e(?:f(?:gh?)?)?)?"
)


class User(msgspec.Struct, frozen=True):
    """A local user; its password is not among what is known here. Moments are Unix seconds.

    ``id`` stays when all else changes. The first of ``roles`` is the one that clients show.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    email: str = ""
    tenant: str = ""
    places: tuple[str, ...] = ()
    department: str = ""
    shift: str = ""
    is_active: bool = True
    created_at: float = 0.0
    changed_at: float = 0.0
    password_at: float = 0.0


def folded(name: str) -> str:
    """``name`` or an address as it is compared: case and the way letters are put together make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold())


def name_fault(name: str) -> str:
    """Why a user cannot have this name; empty if it can."""
    if _NAME.fullmatch(name):
        return ""
    return f"a name has up to {NAME_LIMIT} letters, digits and . _ + -, the first of them no mark, and no @"


def email_fault(email: str) -> str:
    """Why this cannot be the address of a user; empty if it can, or if there is none."""
    return "" if not email or _EMAIL.fullmatch(email) else "an address is like anna@example.com"


def weakness(password: str, name: str, email: str = "", shortest: int = SHORTEST) -> str:
    """Why ``password`` is too weak for the user ``name``; empty if it is not."""
    if len(password) < shortest:
        return f"a password has at least {shortest} characters"
    if len(password) > PASSWORD_LIMIT:
        return f"a password has at most {PASSWORD_LIMIT} characters"
    given = folded(password)
    own = [word for word in (folded(name), folded(email).partition("@")[0]) if word]
    if len(set(given)) < _DISTINCT:
        return "it is made of too few different characters"
    for word in own:
        given = given.replace(word, "")
    if len(_GUESSED.sub("", given)) < _LEFT:
        return "it is made of what is guessed first: a name, a word, a row of keys"
    return ""


def identity_of(user: User, family: Family, at: float, terms: SessionTerms) -> Identity:
    """Who acts with an access token of ``family`` that is issued ``at`` (Unix seconds)."""
    return Identity(
        subject=user.id,
        name=user.name,
        roles=frozenset(map(role_name, user.roles)),
        proof=Proof.LOCAL,
        tenant=user.tenant,
        places=user.places,
        expires_at=min(at + terms.token_life, family.began_at + terms.life),
        token_id=family.token_id,
        session=family.id,
        department=user.department,
        shift=user.shift,
        issued_at=at,
        issuer=OWN_ISSUER,
    )
