"""The tokens of users of this gateway: what they are signed with, who makes them and who reads them.

Rules of this file: they are signed with the secret of the configuration (HS256), or with an Ed25519 key that was made
in the data directory and stays there: who has its public half can check them, and make none. Where there is neither, or
it cannot be read, one is made for this run: who logged in before logs in again. Nothing is loaded for them before the
first one is made or shown. On a box without ``andond[auth]`` none is taken, until it is installed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from actors import Tokens
from config import AccessSettings, OwnTokenSettings
from domain.access import ROLES, Revocations, TooManyRevocations, role_name
from storage import StorageError, Users
from telemetry import events
from transport import SEED_SIZE, Signer, TokenMint, TokenVerifier, secret_signer, seed_signer

Known = Callable[[], Collection[str]]


def roles_known(present: Callable[[], AccessSettings]) -> Known:
    """The roles there are by the settings that ``present`` returns."""
    return lambda: {role_name(name) for name in (*ROLES, *present().roles)}


def own_tokens(directory: Path | None, settings: OwnTokenSettings, verifier: TokenVerifier, known: Known) -> Tokens:
    """What the keeper of the users in ``directory`` works with; ``verifier`` trusts its tokens from now on.

    ``known`` returns the roles there are.
    """
    signer = _kept(directory, settings) or seed_signer(secrets.token_bytes(SEED_SIZE))
    _take_back(directory, verifier.revocations)
    mint = TokenMint(signer, settings.issuer, settings.audience, known)
    # Also where the libraries are not there yet: whoever installs them adds a user next, and restarts nothing.
    verifier.trust_own(mint.trusted)
    return Tokens(mint, verifier, verifier.revocations)


def kept_signer(directory: Path | None, settings: OwnTokenSettings) -> Signer | None:
    """By what tokens of a gateway with these settings and data ``directory`` are signed; None if that is kept nowhere.

    Raises:
        StorageError: if it can neither be read nor made.
    """
    if settings.secret is not None:
        return secret_signer(settings.secret)
    if directory is None:
        return None
    users = Users.open(directory)
    try:
        return seed_signer(users.signing_key())
    finally:
        users.close()


def _kept(directory: Path | None, settings: OwnTokenSettings) -> Signer | None:
    try:
        return kept_signer(directory, settings)
    except StorageError as error:
        events.users_failed(path=str(error.path or ""), operation=error.operation, reason=error.reason)
        return None


def _take_back(directory: Path | None, revocations: Revocations) -> None:
    """Put in force what was taken back, before anybody's token is looked at; the keeper of the users says of faults."""
    if directory is None or not Users.are_in(directory):
        return
    with suppress(StorageError, TooManyRevocations):
        users = Users.open(directory)
        try:
            for each in users.withdrawals():
                revocations.revoke(each.row, each.at)
        finally:
            users.close()
