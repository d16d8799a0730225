"""``GET /health`` and ``GET /health/detailed``: how the gateway is, in the words of the floor dashboard's clients.

Rules of this file: it is healthy where ``/readyz`` says that it is ready, and not where that says no. Nothing is found
out here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from andond.api.describe import Operation
from andond.api.health import Health
from andond.api.planning_types import GatewayHealth
from andond.version import VERSION
from domain import JsonValue, rfc3339
from transport import Request, Response, Routes, json_response

TAG = "gateway"


class HealthWordsResource:
    """The handlers; ``health`` knows."""

    def __init__(self, health: Health, clock: Callable[[], float] = time.time) -> None:
        self._health = health
        self._clock = clock

    async def short(self, request: Request) -> Response:
        """Whether it may get traffic: 200, else 503 with what is not ready."""
        missing = self._health.missing_for(self._health.rights(request), await self._health.tree())
        return json_response(self._said(missing), 503 if missing else 200)

    async def detailed(self, request: Request) -> Response:
        """The same, part by part."""
        rights, tree = self._health.rights(request), await self._health.tree()
        missing = self._health.missing_for(rights, tree)
        parts = {name: _part(said, faults) for name, (said, faults) in self._health.parts_for(rights, tree).items()}
        return json_response({**self._said(missing), "components": parts}, 503 if missing else 200)

    def _said(self, missing: list[str]) -> dict[str, JsonValue]:
        return {
            "status": _word(missing),
            "service": "andond",
            "version": VERSION,
            "timestamp": rfc3339(self._clock()),
            "not_ready": list(missing),
        }


def _word(faults: list[str]) -> str:
    return "unhealthy" if faults else "healthy"


def _part(said: Mapping[str, JsonValue], faults: list[str]) -> JsonValue:
    return {"status": _word(faults), "details": {**said, "faults": list(faults)}}


def register(routes: Routes, health: Health) -> None:
    """Add both paths to ``routes``."""
    words = HealthWordsResource(health)
    for path, name, handler in (("", "getHealth", words.short), ("/detailed", "getDetailedHealth", words.detailed)):
        about = Operation(name, "How the gateway is, for the dashboard's clients", TAG, GatewayHealth, states=(503,))
        routes.add("GET", f"/health{path}", handler, about)
