"""The way from the floor's REST to the desks: what is read, what is done, and how a no is said.

Rules of this file: a desk that does not answer in time is busy, and the client is told to come again. What is done is
on disk before it is answered; if the disk does not take it, the answer is 503, says what was done all the same, and
the same key may come again. A reader is handed what the rights of the request show, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import nullcontext
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar, cast

import msgspec

from actors import Act, Acts
from actors.desks import ReadAlarms, ReadCalls, ReadJobs, ReadProduction
from actors.places import ALARMS_DESK, CALLS_DESK, JOBS_DESK, PRODUCTION_DESK, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.api.describe import Operation
from andond.api.floor_request import Said
from andond.api.turns import Turns
from andond.sight import Views
from domain import Grounds, JsonObject, JsonValue, Refused
from domain.access import Rights
from domain.plant.alarms import AlarmsNow
from domain.plant.calls import CallsNow
from domain.plant.jobs import JobsNow
from domain.plant.ledger import LedgersNow
from domain.plant.site import Site
from transport import Request, Response, Routes, json_response, problem

PREFIX = "/api/v1"
ANSWER_TIMEOUT = 2.0
RETRY_AFTER = 1

P = ParamSpec("P")
T = TypeVar("T")
N = TypeVar("N")

_ANSWERS: Mapping[Grounds, tuple[int, str]] = {
    Grounds.INVALID: (422, "VALIDATION_ERROR"),
    Grounds.NOT_FOUND: (404, "NOT_FOUND"),
    Grounds.CONFLICT: (409, "CONFLICT"),
    Grounds.NOT_ALLOWED: (403, "FORBIDDEN"),
    Grounds.UNSUPPORTED: (501, "NOT_IMPLEMENTED"),
    Grounds.UNAVAILABLE: (503, "SERVICE_UNAVAILABLE"),
}
"""The status of each kind of no, and its word for the dashboard's clients."""


class _Read(msgspec.Struct, frozen=True):
    """What was found; a desk that answers None did not look."""

    found: object


def _found(read: Callable[[N], T], seen: Callable[[N], N], now: N) -> _Read:
    # It runs in the desk's turn, and a no to one client is not the desk's failure.
    try:
        return _Read(read(seen(now)))
    except Refused as refused:
        return _Read(refused)


class Floor:
    """The desks of a running tree, and the ``site`` in force; ``clock`` says when something is done now.

    Whoever reads has the ``rights`` of a request, and sees what they show: see ``andond.sight``.
    """

    def __init__(self, environment: Environment, site: Callable[[], Site], clock: Callable[[], float]) -> None:
        self._environment = environment
        self._acts = Acts(environment)
        self._site = site
        self._views = Views()
        self.clock = clock

    def site(self, rights: Rights, *kinds: str) -> Site:
        """What of the site in force is seen by one of ``kinds`` of channels, by default any that tells of places."""
        return self._views.of(rights).site(self._site(), *kinds)

    async def alarms(self, rights: Rights, read: Callable[[AlarmsNow], T]) -> T:
        """What ``read`` makes of the alarms now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        seen = self._views.of(rights).alarms
        return await self._read(ALARMS_DESK, ReadAlarms(lambda now: _found(read, seen, now)))

    async def in_turn_of_alarms(self, make: Callable[[], T]) -> T:
        """What ``make`` makes in a turn of the alarms' desk of its own, of what was read there before.

        Raises:
            Refused: if the desk does not answer.
        """
        return await self._read(ALARMS_DESK, ReadAlarms(lambda _now: _Read(make())))

    async def jobs(self, rights: Rights, read: Callable[[JobsNow], T]) -> T:
        """What ``read`` makes of jobs, counts, changeovers and quality now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        seen = self._views.of(rights).jobs
        return await self._read(JOBS_DESK, ReadJobs(lambda now: _found(read, seen, now)))

    async def calls(self, rights: Rights, read: Callable[[CallsNow], T]) -> T:
        """What ``read`` makes of the calls now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        seen = self._views.of(rights).calls
        return await self._read(CALLS_DESK, ReadCalls(lambda now: _found(read, seen, now)))

    async def production(self, rights: Rights, read: Callable[[LedgersNow], T]) -> T:
        """What ``read`` makes of ledger, stops and figures now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        seen = self._views.of(rights).production
        return await self._read(PRODUCTION_DESK, ReadProduction(lambda now: _found(read, seen, now)))

    async def _read(self, place: str, message: object) -> T:
        try:
            answer = await ask(Address(self._environment, place).ref, message, ANSWER_TIMEOUT)
        except (ActorDead, AskTimeout, MailboxFull):
            answer = None
        if answer is None:
            word = place.rpartition("/")[2]
            raise Refused(Grounds.UNAVAILABLE, f"the desk of {word} does not answer now: it is restarting, or behind")
        if not isinstance(answer, _Read):
            raise TypeError(f"{place} answered {answer!r}")
        if isinstance(answer.found, Refused):
            raise answer.found
        return cast("T", answer.found)

    async def perform(self, type_: str, said: Said, arguments: JsonObject, rights: Rights) -> JsonValue:
        """Have the act ``type_`` done with ``arguments`` by somebody with ``rights``; the desk's answer.

        Raises:
            Refused: if it is not done, or not kept.
        """
        now = self.clock()
        said_at = now if said.at is None or "at" in arguments else said.at
        act = Act(type_, said.key, said.by, said_at, arguments, said.station, rights=rights, whence=said.whence)
        acted = await self._acts.perform(act)
        if not acted.is_kept:
            reason = "it is done and everybody was told, and the disk has not taken it; send it again with the same key"
            raise Refused(Grounds.UNAVAILABLE, reason, {"answer": acted.answer, "key": said.key})
        return acted.answer


class FloorRoutes:
    """The table of routes, for handlers that return JSON and raise ``Refused``."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._turns = Turns()

    def add(
        self,
        method: str,
        path: str,
        handler: Callable[Concatenate[Request, P], Awaitable[JsonValue]],
        about: Operation,
    ) -> None:
        """Let ``handler`` answer ``method`` on ``path``, which stands below the prefix; lists each user in turn."""
        is_list = any(parameter.name == "limit" for parameter in about.query)

        async def answer(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
            try:
                async with self._turns.of(request) if is_list else nullcontext():
                    return json_response(await handler(request, *args, **kwargs), about.status)
            except Refused as refused:
                return refusal(refused)

        handle = cast("Callable[Concatenate[Request, P], Awaitable[Response]]", answer)
        self._routes.add(method, PREFIX + path, handle, about)


def refusal(refused: Refused) -> Response:
    """A no as a problem document, with the members that the floor dashboard's clients read."""
    status, word = _ANSWERS[refused.grounds]
    members: dict[str, JsonValue] = {
        "error": word,
        "message": refused.message,
        "details": dict(refused.details),
    }
    if refused.grounds is Grounds.INVALID and not refused.details.get("faults"):
        members["details"] = {**refused.details, "faults": [{"pointer": "", "message": refused.message}]}
    is_busy = refused.grounds is Grounds.UNAVAILABLE
    if is_busy:
        members["retry_after"] = RETRY_AFTER
    answer = problem(status, HTTPStatus(status).phrase, refused.message, status if is_busy else None, **members)
    if not is_busy:
        return answer
    return Response(answer.status, {**answer.headers, "retry-after": str(RETRY_AFTER)}, answer.body)
