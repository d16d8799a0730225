"""What is said and answered at the login paths of both predecessors.

Rules of this file: types alone, as the document shows them; tests hold every answer to them.
"""

from __future__ import annotations

import msgspec


class LoginBody(msgspec.Struct, kw_only=True):
    """A name, or an address in its place, and the password."""

    username: str | None = None
    email: str | None = None
    password: str


class TokenBody(msgspec.Struct, kw_only=True):
    """The refresh token; it may be in `Authorization` in its place."""

    refresh_token: str | None = None


class LogoutBody(msgspec.Struct, kw_only=True):
    """The refresh token, or the access token in `Authorization`; `everywhere` ends all logins of the user."""

    refresh_token: str | None = None
    everywhere: bool = False


class PasswordBody(msgspec.Struct, kw_only=True):
    """The password of now, and the one that is wanted."""

    current_password: str
    new_password: str


class FloorUser(msgspec.Struct, kw_only=True):
    """A user as the floor's clients know it; `role` is the first of `roles`."""

    id: str
    user_id: str
    username: str
    name: str
    email: str
    role: str
    roles: list[str]
    department: str
    shift: str
    is_active: bool
    tenant: str
    places: list[str]


class FloorLogin(msgspec.Struct, kw_only=True):
    """The tokens of a login; `token` is the access token by its older name, `expires_in` is in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    token: str
    user: FloorUser


class FloorDone(msgspec.Struct, kw_only=True):
    """It is done."""

    success: bool
    message: str


class PortalUser(msgspec.Struct, kw_only=True):
    """A user as the portal's clients know it; roles are written in capitals."""

    id: str
    username: str
    email: str
    roles: list[str]


class PortalLogin(msgspec.Struct, kw_only=True):
    """The tokens of a login; `expiresIn` is in seconds."""

    success: bool
    token: str
    refreshToken: str  # noqa: N815 - the portal's name
    user: PortalUser
    sessionId: str  # noqa: N815
    expiresIn: int  # noqa: N815


class PortalVerified(msgspec.Struct, kw_only=True):
    """Whose a token is, and for how many seconds it is good."""

    success: bool
    valid: bool
    user: PortalUser
    sessionId: str  # noqa: N815
    expiresIn: int  # noqa: N815


class PortalDone(msgspec.Struct, kw_only=True):
    """It is done."""

    success: bool
    message: str
