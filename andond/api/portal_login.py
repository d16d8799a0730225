"""``/api/v11/login`` and ``/api/v11/auth/login``, and the same below ``/api/v12``: the portal's clients log in.

Rules of this file: words alone, those of the predecessor; what is right is decided by the keeper of the users. These
paths need no token to be asked: they look at what they are shown themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from actors import LoggedIn, LogIn, LogOut, Renew
from actors.runtime import Environment
from andond.api.login_types import LoginBody, PortalDone, PortalLogin, PortalVerified
from andond.api.logins import Logins, NotDone, credentials_in, no, not_understood, token_in
from andond.api.portal_routes import PortalRoutes, about
from domain import JsonValue, Refused
from domain.access import User
from transport import Request, Response, Routes, json_response

DOOR = "portal"
TAG = "login"
REFUSES = (401, 422, 429, 503)

Handler = Callable[[Request], Awaitable[JsonValue]]


class PortalLogins:
    """The handlers; ``logins`` knows the users."""

    def __init__(self, logins: Logins) -> None:
        self._logins = logins

    async def authenticate(self, request: Request) -> JsonValue:
        """Log in by name or address and password."""
        shown = credentials_in(request)
        message = LogIn(shown.login, shown.password, request.client.host, self._logins.door)
        return _tokens(await self._logins.ask(message))

    async def refresh(self, request: Request) -> JsonValue:
        """Renew a login: its refresh token, which is good once, is in `Authorization` or the body."""
        token = token_in(request, "refreshToken", "refresh_token")
        return _tokens(await self._logins.ask(Renew(token, request.client.host, self._logins.door)))

    async def logout(self, request: Request) -> JsonValue:
        """End the login whose access or refresh token is shown."""
        token = token_in(request, "refreshToken", "refresh_token")
        await self._logins.ask(LogOut(token, request.client.host, self._logins.door))
        return {"success": True, "message": "logged out"}

    async def verify(self, request: Request) -> JsonValue:
        """Whose the access token is that is shown, and how long it is good."""
        known = await self._logins.who_is(request)
        return {
            "success": True,
            "valid": True,
            "user": _user(known.user),
            "sessionId": known.session,
            "expiresIn": max(0, int(known.expires_in)),
        }


def register(routes: Routes, environment: Environment) -> None:
    """Add the paths to ``routes``."""
    portal, table = PortalLogins(Logins(environment, DOOR)), PortalRoutes(routes)
    for path in ("/login/authenticate", "/auth/login"):
        _add(table, "POST", path, portal.authenticate, PortalLogin, LoginBody)
    _add(table, "GET", "/login/verify", portal.verify, PortalVerified)
    _add(table, "POST", "/login/refresh", portal.refresh, PortalLogin)
    _add(table, "POST", "/login/logout", portal.logout, PortalDone)


def _add(
    table: PortalRoutes, method: str, path: str, handler: Handler, answer_type: object, body: object = None
) -> None:
    async def answer(request: Request) -> Response:
        try:
            return json_response(await handler(request))
        except Refused as refused:
            return no(not_understood(refused), success=False)
        except NotDone as not_done:
            return no(not_done, success=False)

    table.add(method, path, answer, about(handler, tag=TAG, answer=answer_type, body=body, refuses=REFUSES))


def _tokens(answer: object) -> JsonValue:
    if not isinstance(answer, LoggedIn):
        raise TypeError(f"{type(answer).__name__} holds no tokens")
    return {
        "success": True,
        "token": answer.access.reveal(),
        "refreshToken": answer.refresh.reveal(),
        "user": _user(answer.user),
        "sessionId": answer.session,
        "expiresIn": round(answer.expires_in),
    }


def _user(user: User) -> JsonValue:
    return {
        "id": user.id,
        "username": user.name,
        "email": user.email,
        "roles": [role.upper() for role in user.roles],
    }
