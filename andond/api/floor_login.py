"""``/api/v1/auth``: the floor's clients log in, renew, log out, and ask who they are.

Rules of this file: words alone; what is right is decided by the keeper of the users. These paths need no token to be
asked: they look at what they are shown themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from actors import ChangePassword, Denial, Denied, LoggedIn, LogIn, LogOut, Renew
from actors.runtime import Environment
from andond.api.describe import Operation
from andond.api.floor_request import members_of
from andond.api.login_types import FloorDone, FloorLogin, FloorUser, LoginBody, LogoutBody, PasswordBody, TokenBody
from andond.api.logins import Credentials, Logins, NotDone, credentials_in, no, not_understood, token_in
from andond.identities import Identities
from config import Secret
from domain import Arguments, JsonValue, Refused
from domain.access import PASSWORD_LIMIT, Proof, User
from transport import Request, Response, Routes, json_response

PREFIX = "/api/v1/auth"
DOOR = "floor"
TAG = "login"

REFUSES = (401, 422, 429, 503)

Handler = Callable[[Request], Awaitable[JsonValue]]


class FloorLogins:
    """The handlers; ``logins`` knows the users, ``identities`` whose a certificate is."""

    def __init__(self, logins: Logins, identities: Identities | None = None) -> None:
        self._logins = logins
        self._identities = identities

    async def login(self, request: Request) -> JsonValue:
        """Log in by name or address and password."""
        shown = credentials_in(request)
        return _tokens(await self._logins.ask(self._log_in(shown, request)))

    async def refresh(self, request: Request) -> JsonValue:
        """Renew a login with its refresh token, which is good once."""
        token = token_in(request, "refresh_token")
        return _tokens(await self._logins.ask(Renew(token, request.client.host, self._logins.door)))

    async def logout(self, request: Request) -> JsonValue:
        """End the login whose access or refresh token is shown."""
        given = Arguments(members_of(request))
        everywhere = given.flag("everywhere") or False
        given.check()
        token = token_in(request, "refresh_token")
        await self._logins.ask(LogOut(token, request.client.host, self._logins.door, everywhere))
        return {"success": True, "message": "logged out"}

    async def change_password(self, request: Request) -> JsonValue:
        """Give the user whose access token is shown another password; its other logins end."""
        given = Arguments(members_of(request))
        present, wanted = (given.text(name, PASSWORD_LIMIT) for name in ("current_password", "new_password"))
        given.check()
        host, door = request.client.host, self._logins.door
        try:
            await self._logins.ask(ChangePassword(token_in(request), Secret(present), Secret(wanted), host, door))
        except NotDone as not_done:
            raise _at_its_member(not_done) from None
        return {"success": True, "message": "the password is changed"}

    async def me(self, request: Request) -> JsonValue:
        """Whose the access token is that is shown, or without one the certificate of the client."""
        try:
            return _user((await self._logins.who_is(request)).user)
        except NotDone as not_done:
            # CREDENTIALS: no token was shown; one that is shown and does not count is nobody's.
            holder = self._holder(request) if not_done.denied.why is Denial.CREDENTIALS else None
            if holder is None:
                raise
            return _user(holder)

    def _holder(self, request: Request) -> User | None:
        if self._identities is None or not request.certificate:
            return None
        identity = self._identities.of_request(request).identity
        if identity.proof is not Proof.CERTIFICATE:
            return None
        roles = tuple(sorted(identity.roles))
        return User(identity.subject, identity.name, roles, tenant=identity.tenant, places=identity.places)

    def _log_in(self, shown: Credentials, request: Request) -> LogIn:
        return LogIn(shown.login, shown.password, request.client.host, self._logins.door)


def register(routes: Routes, environment: Environment, identities: Identities | None = None) -> None:
    """Add the paths to ``routes``; ``identities`` know whose a certificate is."""
    floor = FloorLogins(Logins(environment, DOOR), identities)
    _add(routes, "POST", "login", floor.login, _about("login", floor.login, FloorLogin, LoginBody))
    _add(routes, "POST", "refresh", floor.refresh, _about("refreshLogin", floor.refresh, FloorLogin, TokenBody))
    _add(routes, "POST", "logout", floor.logout, _about("logout", floor.logout, FloorDone, LogoutBody))
    changed = _about("changePassword", floor.change_password, FloorDone, PasswordBody)
    _add(routes, "POST", "change-password", floor.change_password, changed)
    for path, name in (("me", "whoAmI"), ("profile", "myProfile")):
        _add(routes, "GET", path, floor.me, _about(name, floor.me, FloorUser, None))


def _about(name: str, handler: Handler, answer: object, body: object) -> Operation:
    summary = (handler.__doc__ or "").partition("\n")[0].rstrip(".")
    return Operation(name, summary, TAG, answer, body, refuses=REFUSES)


def _add(routes: Routes, method: str, path: str, handler: Handler, about: Operation) -> None:
    async def answer(request: Request) -> Response:
        try:
            return json_response(await handler(request))
        except Refused as refused:
            return no(not_understood(refused))
        except NotDone as not_done:
            return no(not_done)

    routes.add(method, f"{PREFIX}/{path}", answer, about)


def _at_its_member(not_done: NotDone) -> NotDone:
    """The same, at the member of the body that is at fault: 401 would make a client log in again."""
    denied = not_done.denied
    if denied.why is Denial.CREDENTIALS:
        return NotDone(Denied(Denial.WEAK, denied.message), "/current_password")
    return NotDone(denied, "/new_password" if denied.why is Denial.WEAK else "")


def _tokens(answer: object) -> JsonValue:
    if not isinstance(answer, LoggedIn):
        raise TypeError(f"{type(answer).__name__} holds no tokens")
    access = answer.access.reveal()
    return {
        "access_token": access,
        "refresh_token": answer.refresh.reveal(),
        "token_type": "bearer",
        "expires_in": round(answer.expires_in),
        "token": access,
        "user": _user(answer.user),
    }


def _user(user: User) -> JsonValue:
    return {
        "id": user.id,
        "user_id": user.id,
        "username": user.name,
        "name": user.name,
        "email": user.email,
        "role": user.roles[0] if user.roles else "",
        "roles": list(user.roles),
        "department": user.department,
        "shift": user.shift,
        "is_active": user.is_active,
        "tenant": user.tenant,
        "places": list(user.places),
    }
