"""The way from the floor's REST to the desks: what is read, what is done, and how a no is said.

Rules of this file: a desk that does not answer in time is busy, and the client is told to come again. What is done is
on disk before it is answered; if the disk does not take it, the answer is 503, says what was done all the same, and
the same key may come again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Concatenate, ParamSpec, TypeVar, cast

from actors import Act, Acts
from actors.desks import ReadAlarms, ReadCalls, ReadJobs, ReadProduction
from actors.places import ALARMS_DESK, CALLS_DESK, JOBS_DESK, PRODUCTION_DESK, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.api.describe import Operation
from andond.api.floor_request import Said
from domain import Grounds, JsonObject, JsonValue, Refused
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


@dataclass(frozen=True, slots=True)
class _Read:
    """What was found; a desk that answers None did not look."""

    found: object


def _found(read: Callable[[N], T], now: N) -> _Read:
    # It runs in the desk's turn, and a no to one client is not the desk's failure.
    try:
        return _Read(read(now))
    except Refused as refused:
        return _Read(refused)


class Floor:
    """The desks of a running tree, and the ``site`` in force; ``clock`` says when something is done now."""

    def __init__(self, environment: Environment, site: Callable[[], Site], clock: Callable[[], float]) -> None:
        self._environment = environment
        self._acts = Acts(environment)
        self.site = site
        self.clock = clock

    async def alarms(self, read: Callable[[AlarmsNow], T]) -> T:
        """What ``read`` makes of the alarms now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        return await self._read(ALARMS_DESK, ReadAlarms(lambda now: _found(read, now)))

    async def jobs(self, read: Callable[[JobsNow], T]) -> T:
        """What ``read`` makes of jobs, counts, changeovers and quality now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        return await self._read(JOBS_DESK, ReadJobs(lambda now: _found(read, now)))

    async def calls(self, read: Callable[[CallsNow], T]) -> T:
        """What ``read`` makes of the calls now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        return await self._read(CALLS_DESK, ReadCalls(lambda now: _found(read, now)))

    async def production(self, read: Callable[[LedgersNow], T]) -> T:
        """What ``read`` makes of ledger, stops and figures now.

        Raises:
            Refused: if their desk does not answer, or ``read`` refuses.
        """
        return await self._read(PRODUCTION_DESK, ReadProduction(lambda now: _found(read, now)))

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

    async def perform(self, type_: str, said: Said, arguments: JsonObject) -> JsonValue:
        """Have the act ``type_`` done with ``arguments``; the desk's answer.

        Raises:
            Refused: if it is not done, or not kept.
        """
        now = self.clock()
        said_at = now if said.at is None or "at" in arguments else said.at
        acted = await self._acts.perform(Act(type_, said.key, said.by, said_at, arguments, said.station))
        if not acted.is_kept:
            reason = "it is done and everybody was told, and the disk has not taken it; send it again with the same key"
            raise Refused(Grounds.UNAVAILABLE, reason, {"answer": acted.answer, "key": said.key})
        return acted.answer


class FloorRoutes:
    """The table of routes, for handlers that return JSON and raise ``Refused``."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def add(
        self,
        method: str,
        path: str,
        handler: Callable[Concatenate[Request, P], Awaitable[JsonValue]],
        about: Operation,
    ) -> None:
        """Let ``handler`` answer ``method`` on ``path``, which stands below the prefix."""

        async def answer(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> Response:
            try:
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
