"""Who is let through to a handler: every request, before anything else is done for it.

Rules of this file: a path that needs nothing is answered to everybody, whatever they show. For all others the client is
known, and allowed what the path needs, or is told which of the two is missing: 401 says to log in, 403 that it would
not help. A path that nobody has said the need of is answered to nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from andond.api.needs import need_of
from andond.identities import Identities
from domain.access import NO_RIGHTS, TokenFault, TokenRefused
from transport import Request, Response, Route, challenge, charge, problem

_SERVED_LATER = 1


class Guard:
    """Decides about the request of a route; ``identities`` find out whose it is."""

    def __init__(self, identities: Identities, clock: Callable[[], float] = time.time) -> None:
        self._identities = identities
        self._clock = clock

    def __call__(self, route: Route, request: Request) -> Request | Response:
        """``request`` with the rights of who sent it, or why it is not answered.

        Raises:
            ProtocolError: 429, if its user or tenant is too fast.
        """
        need = need_of(route.method, route.pattern)
        if need is None:
            return forbidden(f"nobody has said who may ask for {route.pattern}")
        if need.is_public:
            return request
        try:
            rights = self._identities.of_request(request)
        except TokenRefused as refused:
            return token_refused(refused)
        verdict = need.judge(rights)
        charge(request, rights.identity, self._clock())
        if verdict.is_allowed:
            return replace(request, rights=rights)
        if rights is NO_RIGHTS:
            self._identities.shut_out(request)
            return unauthorised("a token is required here: Authorization: Bearer TOKEN")
        self._identities.shut_out(request, verdict.why, rights)
        return forbidden(verdict.why)


def unauthorised(detail: str, error: str = "", description: str = "") -> Response:
    """401: who asks is not known; ``error`` is the word for what was wrong with the token (RFC 6750, section 3)."""
    answer = problem(401, "Unauthorized", detail, 101, error="UNAUTHORIZED", message=detail, details={})
    return Response(answer.status, {**answer.headers, **challenge(error, description)}, answer.body)


def forbidden(detail: str) -> Response:
    """403: it is known who asks, and that is not enough."""
    return problem(403, "Forbidden", detail, 103, error="FORBIDDEN", message=detail, details={})


def token_refused(refused: TokenRefused) -> Response:
    """401 for a token that does not count, 403 for one without a role; 503 where the same may count in a moment."""
    if refused.retry_after is not None:
        answer = problem(503, "Service Unavailable", refused.message, 503, retry_after=refused.retry_after)
        return Response(answer.status, {**answer.headers, "retry-after": str(_SERVED_LATER)}, answer.body)
    if refused.reason is TokenFault.NO_ROLE:
        answer = forbidden(refused.message)
        told = challenge("insufficient_scope", refused.message)
        return Response(answer.status, {**answer.headers, **told}, answer.body)
    return unauthorised(refused.message, "invalid_token", refused.message)


def codes_of(fault: TokenFault) -> tuple[int, int]:
    """The native protocol's error and close code for a token that is refused for ``fault``."""
    if fault is TokenFault.EXPIRED:
        return 109, 4001
    return (101, 4004) if fault is TokenFault.REVOKED else (101, 4001)
