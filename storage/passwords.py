"""Passwords as they are kept: argon2id, and how one is compared.

Rules of this file:

* The only door to ``argon2``, which is imported when first needed (``andond[auth]``). Functions block, for about a
  tenth of a second of one core and 32 MiB: call them in a thread, one at a time.
* Whoever asks for an unknown user waits as long as for a known one: ``hash_of_nobody`` is compared with.
* What is kept says by which parameters it was made; a hash by others is made anew at the next login.
* A password is never in an error, a name, a log.
"""

from __future__ import annotations

import secrets
import shlex
import sys
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

MEMORY_KIB = 32 * 1024
PASSES = 3
LANES = 1
"""One, so that a login takes one core and leaves the others to the daemon. All above what RFC 9106 and OWASP call
the least, with room on a machine of two cores and 1 GB."""

MISSING = f"passwords need argon2-cffi: {shlex.quote(sys.executable)} -m pip install 'andond[auth]'"

_SALT_SIZE = 16
_HASH_SIZE = 32


class PasswordsMissing(Exception):
    """The library that hashes passwords is not installed; the message says what mends it."""

    def __init__(self) -> None:
        super().__init__(MISSING)


def can_hash_passwords() -> bool:
    """Whether passwords can be hashed here."""
    try:
        _hasher()
    except PasswordsMissing:
        return False
    return True


def hashed_password(password: str) -> str:
    """``password`` as it is kept.

    Raises:
        PasswordsMissing: without the library.
    """
    return _hasher().hash(_bytes(password))


def password_matches(kept: str, password: str) -> bool:
    """Whether ``kept`` was made of ``password``; nothing matches what is no hash.

    Raises:
        PasswordsMissing: without the library.
    """
    hasher = _hasher()
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415 - it is there now

    try:
        return hasher.verify(kept, _bytes(password))
    except (Argon2Error, InvalidHashError):
        return False


def password_is_outdated(kept: str) -> bool:
    """Whether ``kept`` was made by other parameters than a password is hashed with now.

    Raises:
        PasswordsMissing: without the library.
    """
    return _hasher().check_needs_rehash(kept)


@cache
def hash_of_nobody() -> str:
    """A hash that no password is known for, by the parameters of the present.

    Raises:
        PasswordsMissing: without the library.
    """
    return hashed_password(secrets.token_urlsafe(_HASH_SIZE))


def _bytes(password: str) -> bytes:
    # The same characters are the same password, however a keyboard puts them together (RFC 8265, section 4.2).
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


@cache
def _hasher() -> PasswordHasher:
    try:
        from argon2 import PasswordHasher, Type  # noqa: PLC0415 - an extra
    except ImportError:
        raise PasswordsMissing from None
    return PasswordHasher(PASSES, MEMORY_KIB, LANES, _HASH_SIZE, _SALT_SIZE, type=Type.ID)
