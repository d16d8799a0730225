"""``/api/v1/andon/escalation-rules`` and ``/api/v1/andon/reports``: chains and figures as the dashboard's clients ask.

Rules of this file: a rule is a chain of escalation; a report is the figures of calls, in all and by shift. Nothing is
kept for them.
"""

from __future__ import annotations

from andond.api.describe import Operation
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, END, PAGE, SECOND, span
from andond.api.floor_request import Query
from andond.api.floor_site import NO_SHIFTS, shift_members
from andond.api.planning_types import AndonReport, EscalationRule
from domain import JsonObject, JsonValue, rfc3339
from domain.plant.calls import CallsNow
from transport import Request

TAG = "dashboard"
_MINUTE = 60


class CallReportResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def rules(self, request: Request) -> JsonValue:
        """The chains of escalation, the first that fits first."""
        query = Query(request)
        page = query.page()
        query.check()
        return page.of([_rule(chain) for chain in await self._floor.calls(request.rights, lambda now: now.chains())])

    async def report(self, request: Request) -> JsonValue:
        """The figures of the calls that were raised in a span of time, and in each shift of it."""
        query = Query(request)
        page, calendar = query.page(), self._floor.site(request.rights).calendar
        begin, end = span(query, calendar, self._floor.clock())
        shifts = calendar.shifts(begin, end)[page.offset : page.offset + page.limit]
        windows = [(begin, end), *((max(begin, each.begin_us), min(end, each.end_us)) for each in shifts)]
        total, *rest = await self._floor.calls(
            request.rights, lambda now: [_figures(now, *window) for window in windows]
        )
        return {
            "total": total,
            "shifts": [
                {"shift": shift_members(shift, calendar), "figures": figures}
                for shift, figures in zip(shifts, rest, strict=True)
            ],
            "reason": None if calendar.is_known else NO_SHIFTS,
        }


def _figures(now: CallsNow, begin_us: int, end_us: int) -> JsonObject:
    begin, end = begin_us / SECOND, end_us / SECOND
    figures = now.statistics(begin, min(end, max(begin, now.at)))
    return {"begin": rfc3339(begin), "end": rfc3339(end), **figures}


def _rule(chain: JsonObject) -> JsonObject:
    return {
        "id": chain["name"],
        "name": chain["name"],
        "priorities": chain["priorities"],
        "event_types": chain["types"],
        "paths": chain["paths"],
        "acknowledgment_timeout_minutes": _minutes(chain["acknowledge"]),
        "resolution_timeout_minutes": _minutes(chain["resolve"]),
        "unacknowledged": chain["unacknowledged"],
        "unresolved": chain["unresolved"],
    }


def _minutes(seconds: JsonValue) -> float | None:
    return seconds / _MINUTE if isinstance(seconds, int | float) else None


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    reports = CallReportResource(floor)
    rules = Operation(
        "listEscalationRules", "Chains of escalation", TAG, list[EscalationRule], query=PAGE, refuses=(422, 503)
    )
    routes.add("GET", "/andon/escalation-rules", reports.rules, rules)
    about = Operation(
        "getAndonReport", "Calls by shift", TAG, AndonReport, query=(BEGIN, END, *PAGE), refuses=(422, 503)
    )
    routes.add("GET", "/andon/reports", reports.report, about)
