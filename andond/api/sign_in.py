"""``/auth``: people sign in on the page, with a provider or as users of this gateway, and sign out.

Rules of this file:

* No token and no secret is in an answer, a cookie or an address: a cookie holds chance, which opens what is kept here.
* Where a browser is sent is made of the configuration and of what the provider says of itself, never of what somebody
  wrote into an address: there is no way to be led elsewhere.
* What changes anything is asked by POST, and by a page of ours: no other page can sign somebody in or out. What comes
  back from a provider belongs to the browser that was sent there, and to its provider, or it counts for nothing.

Source: OpenID Connect Core 1.0, section 3.1; RP-Initiated Logout 1.0; RFC 9700 (best practices).
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable
from http import HTTPStatus
from inspect import getdoc
from urllib.parse import urlencode, urlsplit

import msgspec
import trio
from msgspec.structs import replace

from actors import (
    CALLBACK,
    FinishSignIn,
    KeepLogin,
    LeavePage,
    LoggedIn,
    LogIn,
    NotSignedIn,
    PageVisits,
    ProviderTalk,
    SettleSession,
    SignedIn,
)
from actors.places import PAGE, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.api.describe import Operation
from andond.api.logins import Logins, NotDone, credentials_in, no, not_understood
from andond.api.sign_in_words import HEADERS, STATUS, Refusal, Refusals, words
from andond.identities import Identities
from andond.visitors import COOKIE, Visitors
from config import AccessSettings
from domain import CHANNEL_KINDS, JsonValue, Refused, rfc3339
from domain.access import (
    NO_RIGHTS,
    Identity,
    Rights,
    SignInFault,
    SignInRefused,
    TokenRefused,
    actions,
    asking,
    code_in,
    is_secret,
    leaving,
)
from transport import (
    Request,
    Response,
    Routes,
    TokenVerifier,
    cookie_in,
    cookie_name,
    is_own_page,
    json_response,
    problem,
    set_cookie,
)

BROWSER = "andond-signin"
"""The cookie that ties what comes back from a provider to the browser that was sent there."""

BROWSER_LIFE = 900.0
DOOR = "page"
TAG = "login"
TIMEOUT = 40.0
LOOK_INTERVAL = 5.0
REFUSED = "/auth/refused"

_SECRET_SIZE = 32
_CHANCE = 16
_JSON = "application/json"
_STATES = {"/auth/login": (303, 400, 404, 503), CALLBACK: (303,), REFUSED: (400, 403, 503)}
_NO_STORE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


class PageAccess(msgspec.Struct, frozen=True):
    """What the page's sign-in leans on.

    ``present`` returns the settings in force, ``has_users`` whether the gateway has users of its own, ``keeps``
    whether a disk keeps what was before. ``meaning`` says what it means that nobody is asked who they are, where that
    is so.
    """

    visits: PageVisits
    visitors: Visitors
    identities: Identities
    talk: ProviderTalk
    present: Callable[[], AccessSettings] = AccessSettings
    has_users: Callable[[], bool] = bool
    meaning: str = ""
    keeps: Callable[[], bool] = bool
    clock: Callable[[], float] = msgspec.field(default=time.time)


def nobody() -> PageAccess:
    """Where nobody can sign in."""
    visits, verifier = PageVisits(), TokenVerifier()
    visitors = Visitors(visits.sessions, verifier)
    return PageAccess(
        visits, visitors, Identities(visitors=visitors), ProviderTalk(AccessSettings, verifier, time.time)
    )


class SignInPaths:
    """The handlers; the keeper of the page's sessions is found in ``environment``."""

    def __init__(self, access: PageAccess, environment: Environment) -> None:
        self._access = access
        self._keeper = Address(environment, PAGE)
        self._logins = Logins(environment, DOOR)
        self._refusals = Refusals()
        self._has_users = False
        self._looked_until = -math.inf

    async def session(self, request: Request) -> Response:
        """Who is signed in, until when, and how somebody can."""
        access = self._access
        session = access.visitors.session(request)
        if session is not None and access.visitors.is_ended(session):
            # Its login goes on, perhaps with other rights.
            await self._ask(SettleSession(session.key))
        headers: dict[str, str] = {}
        rights, ended = NO_RIGHTS, ""
        try:
            rights = access.identities.of_request(request)
        except TokenRefused as refused:
            ended = refused.message
            if access.visitors.secret(request):
                headers = _cookie(request, COOKIE, "", 0)
        answer = json_response(await self._document(rights, ended))
        return Response(answer.status, {**answer.headers, **headers}, answer.body)

    async def log_in(self, request: Request) -> Response:
        """Sign in a user of this gateway by name and password."""
        refused = _not_ours(request)
        if refused is not None:
            return refused
        try:
            shown = credentials_in(request)
            login = await self._logins.ask(LogIn(shown.login, shown.password, request.client.host, DOOR))
        except Refused as not_clear:
            return no(not_understood(not_clear))
        except NotDone as not_done:
            return no(not_done)
        if not isinstance(login, LoggedIn):
            raise TypeError(f"{type(login).__name__} is no login")
        answer = await self._ask(KeepLogin(login, request.client.host))
        if not isinstance(answer, SignedIn):
            return _problem(answer)
        rights = self._access.identities.of_identity(answer.session.identity)
        said = json_response(await self._document(rights))
        return Response(said.status, {**said.headers, **self._session_cookie(request, answer)}, said.body)

    async def begin(self, request: Request) -> Response:
        """Send the browser to a provider."""
        access, issuers = self._access, self._access.present().issuers
        named = request.query.get("provider", [""])[0]
        ways = [name for name, issuer in issuers.items() if issuer.client]
        if named not in ways:
            return words(Refusal(SignInFault.UNASKED, "there is no such provider to sign in with"), self._front(), 404)
        if (elsewhere := self._elsewhere(request, named)) is not None:
            return elsewhere
        browser = self._browser(request)
        attempt = access.visits.sign_ins.begin(named, browser, secrets.token_bytes(_CHANCE), access.clock())
        try:
            provider, client = access.talk.at(named)
            there = asking(provider, client, attempt)
        except SignInRefused as refused:
            return words(self._refusal(NotSignedIn(refused.fault, refused.message), named), self._front())
        return Response(303, {**_NO_STORE, **_browser_cookie(request, browser), "location": there})

    async def finish(self, request: Request) -> Response:
        """Take what the browser brought back from a provider."""
        access, issuer = self._access, ""
        browser = self._browser(request)
        state = request.query.get("state", [])
        try:
            attempt = access.visits.sign_ins.resume(state[0] if len(state) == 1 else "", browser, access.clock())
            issuer = attempt.issuer
            provider, _ = access.talk.at(issuer)
            code = code_in(request.query, provider)
        except SignInRefused as refused:
            return self._refuse(request, browser, NotSignedIn(refused.fault, refused.message), issuer)
        answer = await self._ask(FinishSignIn(attempt, code, request.client.host))
        if not isinstance(answer, SignedIn):
            return self._refuse(request, browser, answer, issuer)
        cookie = self._session_cookie(request, answer)
        return Response(303, {**_NO_STORE, **cookie, "location": self._front()})

    async def refused(self, request: Request) -> Response:
        """Why nobody is signed in who came back from a provider; and who must act."""
        kept = self._refusals.find(self._browser(request), self._access.clock())
        # Without cookies nothing is ever known of what was begun, and this says so.
        unasked = Refusal(SignInFault.UNASKED, SignInRefused(SignInFault.UNASKED).message)
        return words(kept or unasked, self._front())

    async def log_out(self, request: Request) -> Response:
        """End the session of the browser; says where to go on to be signed out of the provider too."""
        refused = _not_ours(request)
        if refused is not None:
            return refused
        session = self._access.visitors.session(request)
        there = ""
        if session is not None:
            await self._ask(LeavePage(session.key, request.client.host))
            there = self._way_out(session.issuer)
        answer = json_response({"leave": there or None})
        return Response(answer.status, {**answer.headers, **_cookie(request, COOKIE, "", 0)}, answer.body)

    # -- words and ways ---------------------------------------------------------------------------------------

    async def _document(self, rights: Rights, ended: str = "") -> JsonValue:
        access, identity = self._access, rights.identity
        issuers, is_open = access.present().issuers, access.identities.are_open
        return {
            "now": rfc3339(access.clock()),
            "standing": "open" if is_open else "guarded",
            "meaning": access.meaning if is_open else "",
            "user": _user(identity) if identity.is_proved else None,
            "reads": rights is not NO_RIGHTS,
            # So that the page asks for nothing, and offers nothing, that would be refused.
            "sees": [kind for kind in sorted(CHANNEL_KINDS) if rights.sees_any(kind)],
            "acts": {act: list(rights.places(act)) for act in actions() if rights.reach(act) is not None},
            "ended": ended,
            "keeps": access.keeps(),
            "password": await self._takes_passwords(),
            "providers": [
                {"name": name, "title": issuer.title or name} for name, issuer in issuers.items() if issuer.client
            ],
        }

    async def _takes_passwords(self) -> bool:
        """Whether there are users of this gateway; not looked up each time, because pages ask often."""
        if trio.current_time() >= self._looked_until:
            self._has_users = await trio.to_thread.run_sync(self._access.has_users)
            self._looked_until = trio.current_time() + LOOK_INTERVAL
        return self._has_users

    def _session_cookie(self, request: Request, answer: SignedIn) -> dict[str, str]:
        life = answer.session.ends_at - self._access.clock()
        return _cookie(request, COOKIE, answer.secret.reveal(), max(0.0, life))

    def _front(self) -> str:
        return self._access.present().page.address.rstrip("/") + "/"

    def _elsewhere(self, request: Request, provider: str) -> Response | None:
        """The way to the page's own address: a cookie of another one would not be there when the browser is back."""
        own = urlsplit(self._front())
        if request.headers.get("host", "").lower() == own.netloc.lower():
            return None
        # Behind a proxy that says another host than people do, this is the right place all the same.
        if "at" in request.query:
            return None
        asked = urlencode({"provider": provider, "at": "own"})
        return Response(303, {**_NO_STORE, "location": f"{self._front()}auth/login?{asked}"})

    def _way_out(self, issuer: str) -> str:
        try:
            provider, client = self._access.talk.at(issuer)
        except SignInRefused:
            return ""
        return leaving(provider, client, self._front())

    def _browser(self, request: Request) -> str:
        """What the browser is known by while it is at a provider; two of its tabs may sign in at a time."""
        held = cookie_in(request.headers, cookie_name(BROWSER, request.headers, secure=request.secure))
        return held if is_secret(held) else secrets.token_urlsafe(_SECRET_SIZE)

    def _refuse(self, request: Request, browser: str, refused: object, issuer: str) -> Response:
        """Send the browser on to the reason, so that code and state do not stay in its address bar."""
        self._refusals.keep(browser, self._refusal(refused, issuer), self._access.clock())
        there = f"{self._front().rstrip('/')}{REFUSED}"
        return Response(303, {**_NO_STORE, **_browser_cookie(request, browser), "location": there})

    def _refusal(self, refused: object, issuer: str) -> Refusal:
        said = _not_signed_in(refused)
        settings = self._access.present().issuers.get(issuer)
        title = "" if settings is None else settings.title or issuer
        return Refusal(said.fault, said.message, said.name, title)

    async def _ask(self, message: object) -> object:
        try:
            return await ask(self._keeper.ref, message, TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            return NotSignedIn(SignInFault.AWAY, "nobody can sign in now")


def register(routes: Routes, access: PageAccess, environment: Environment) -> None:
    """Add the paths to ``routes``."""
    paths = SignInPaths(access, environment)
    for method, path, handler, name, refuses in (
        ("GET", "/auth/session", paths.session, "getSession", ()),
        ("POST", "/auth/session", paths.log_in, "beginSession", (401, 403, 422, 429, 503)),
        ("GET", "/auth/login", paths.begin, "signIn", ()),
        ("GET", CALLBACK, paths.finish, "finishSignIn", ()),
        ("GET", REFUSED, paths.refused, "readRefusal", ()),
        ("POST", "/auth/logout", paths.log_out, "endSession", (403,)),
    ):
        about = Operation(name, (getdoc(handler) or "").rstrip("."), TAG, refuses=refuses)
        if path in _STATES:
            # A person is here, and is told in words.
            status, *states = _STATES[path]
            about = replace(about, status=status, states=tuple(states), answer=str, media=HEADERS["content-type"])
        routes.add(method, path, handler, about)


def _not_ours(request: Request) -> Response | None:
    """Why ``request`` is not done: it must come from a page of ours, which sends JSON and says where it is from."""
    headers = request.headers
    if not is_own_page(request.method, headers):
        return problem(403, "Forbidden", "only the page of this gateway signs people in and out here", 403)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        return problem(415, "Unsupported Media Type", "this is taken as application/json")
    return None


def _cookie(request: Request, word: str, value: str, life: float) -> dict[str, str]:
    name = cookie_name(word, request.headers, secure=request.secure)
    return set_cookie(name, value, secure=request.secure, life=life, same_site="Strict")


def _browser_cookie(request: Request, browser: str) -> dict[str, str]:
    # It is sent along when the provider sends the browser back, which is another site: so it is Lax.
    name = cookie_name(BROWSER, request.headers, secure=request.secure)
    return set_cookie(name, browser, secure=request.secure, life=BROWSER_LIFE, same_site="Lax")


def _not_signed_in(refused: object) -> NotSignedIn:
    if not isinstance(refused, NotSignedIn):
        raise TypeError(f"{type(refused).__name__} says of nobody why")
    return refused


def _problem(refused: object) -> Response:
    said = _not_signed_in(refused)
    status = STATUS.get(said.fault, 401)
    return problem(status, HTTPStatus(status).phrase, said.message)


def _user(identity: Identity) -> JsonValue:
    return {
        "name": identity.name,
        "roles": sorted(identity.roles),
        "tenant": identity.tenant,
        "places": list(identity.places),
        "until": None if identity.expires_at is None else rfc3339(identity.expires_at),
        "proof": identity.proof.value,
    }
