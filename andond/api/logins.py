"""The way from the login paths to the keeper of the users, and how a no is said there.

Rules of this file: a no says nothing of who there is. 401 asks for a login, 429 and 503 say when to come again. What a
client wrote is never said back: it may be a password in the wrong place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from actors import Denial, Denied, Known, WhoIs
from actors.places import ACCOUNTS, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.api.floor_request import members_of
from config import Secret
from domain import Arguments, JsonValue, Refused
from domain.access import PASSWORD_LIMIT, TokenRefused
from telemetry import events
from transport import Request, Response, challenge, problem, shown_token

LOGIN_LIMIT = 256
TOKEN_LIMIT = 8192
TIMEOUT = 15.0
"""Seconds: on a small machine several who log in at a time wait for each other."""

AWAY_RETRY = 2.0

_ANSWERS: Mapping[Denial, tuple[int, str, int]] = {
    Denial.CREDENTIALS: (401, "UNAUTHORIZED", 101),
    Denial.ENDED: (401, "UNAUTHORIZED", 101),
    Denial.HELD_OFF: (429, "TOO_MANY_REQUESTS", 111),
    Denial.BUSY: (503, "SERVICE_UNAVAILABLE", 503),
    Denial.AWAY: (503, "SERVICE_UNAVAILABLE", 503),
    Denial.WEAK: (422, "VALIDATION_ERROR", 0),
}
"""The status of each no, its word for the floor's clients, and its number in our table of codes."""


class NotDone(Exception):
    """It was denied; ``denied`` says why, ``pointer`` which member of the body is at fault, if one is."""

    def __init__(self, denied: Denied, pointer: str = "") -> None:
        super().__init__(denied.why.value)
        self.denied = denied
        self.pointer = pointer


class Credentials(msgspec.Struct, frozen=True):
    """What somebody shows to log in."""

    login: str
    password: Secret


class Logins:
    """The keeper of the users, as the paths of ``door`` see it."""

    def __init__(self, environment: Environment, door: str) -> None:
        self._address = Address(environment, ACCOUNTS)
        self.door = door

    async def ask(self, message: object) -> object:
        """What the keeper answers.

        Raises:
            NotDone: if it denies what was asked, or does not answer in time.
        """
        try:
            answer = await ask(self._address.ref, message, TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            answer = Denied(Denial.AWAY, "nobody can log in now", AWAY_RETRY)
        if isinstance(answer, Denied):
            raise NotDone(answer)
        return answer

    async def who_is(self, request: Request) -> Known:
        """Whose the access token is that ``request`` shows.

        Raises:
            NotDone: if there is none, or it does not count.
            Refused: if the body is not understood.
        """
        token = token_in(request)
        try:
            known = await self.ask(WhoIs(token))
        except NotDone as not_done:
            if not_done.denied.why is Denial.ENDED:
                events.token_refused(reason=Denial.ENDED.value, client=request.client.host, door=request.path)
            raise
        if not isinstance(known, Known):
            raise TypeError(f"{type(known).__name__} says of nobody who it is")
        return known


def credentials_in(request: Request) -> Credentials:
    """Who logs in with the body of ``request``: by ``username``, or by ``email``.

    Raises:
        Refused: if the body is not understood.
    """
    given = Arguments(members_of(request))
    by_name, by_address = given.optional_text("username", LOGIN_LIMIT), given.optional_text("email", LOGIN_LIMIT)
    if by_name is None and by_address is None and not given.faults:
        given.fault("username", "is required, or email is")
    password = given.text("password", PASSWORD_LIMIT)
    given.check()
    return Credentials(by_name or by_address or "", Secret(password))


def token_in(request: Request, *names: str) -> Secret:
    """The token that ``request`` shows: one of ``names`` in its body, or in ``Authorization``.

    Raises:
        NotDone: if there is none.
        Refused: if the body is not understood.
    """
    given = Arguments(members_of(request))
    in_body = next((text for name in names if (text := given.optional_text(name, TOKEN_LIMIT))), None)
    given.check()
    if in_body is not None:
        return Secret(in_body)
    try:
        shown = shown_token(request.headers, {})
    except TokenRefused as refused:
        raise NotDone(Denied(Denial.ENDED, refused.message)) from None
    if shown is None:
        raise NotDone(Denied(Denial.CREDENTIALS, "a token is required here: Authorization: Bearer TOKEN"))
    return Secret(shown.token)


def no(not_done: NotDone, **members: JsonValue) -> Response:
    """A no as a problem document, with the members that the floor's and the portal's clients read."""
    denied = not_done.denied
    status, word, code = _ANSWERS[denied.why]
    details: dict[str, JsonValue] = {}
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        details["faults"] = [{"pointer": not_done.pointer, "message": denied.message}]
    members = {"error": word, "message": denied.message, "details": details, **members}
    headers: dict[str, str] = {}
    if denied.retry_after is not None:
        members["retry_after"] = round(denied.retry_after, 3)
        headers["retry-after"] = str(max(1, math.ceil(denied.retry_after)))
    if denied.why is Denial.CREDENTIALS:
        headers |= challenge()
    elif denied.why is Denial.ENDED:
        headers |= challenge("invalid_token", denied.message)
    answer = problem(status, HTTPStatus(status).phrase, denied.message, code or None, **members)
    return Response(answer.status, {**answer.headers, **headers}, answer.body)


def not_understood(refused: Refused) -> NotDone:
    """A body that is not understood, as a no of this file; its faults name members, never what is in them."""
    faults = refused.details.get("faults")
    first = faults[0] if isinstance(faults, list) and faults else {}
    pointer = str(first.get("pointer", "")) if isinstance(first, Mapping) else ""
    return NotDone(Denied(Denial.WEAK, refused.message), pointer)
