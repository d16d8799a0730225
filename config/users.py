"""Local users: how long they stay logged in, and what their passwords must be.

Rules of this file: who the users are is no setting; ``andond user`` keeps them in the data directory.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from config.meta import means

DAY = 86_400


class UserSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Users of this gateway, kept in `storage.path` by `andond user`: how long they stay logged in."""

    token_life: Annotated[
        float, means("How long an access token is good", unit="seconds", within=(60, DAY), reload=True)
    ] = 1800.0
    session_life: Annotated[
        float, means("How long a login lasts in all", unit="seconds", within=(60, 366 * DAY), reload=True)
    ] = 7.0 * DAY
    session_idle: Annotated[
        float, means("How long a login lasts that nobody renews", unit="seconds", within=(60, 366 * DAY), reload=True)
    ] = 3.0 * DAY
    sessions: Annotated[
        int, means("Logins of one user; one more ends the oldest", unit="logins", within=(1, 1000), reload=True)
    ] = 20
    password_length: Annotated[
        int, means("Shortest password that is taken", unit="characters", within=(8, 128), reload=True)
    ] = 12
