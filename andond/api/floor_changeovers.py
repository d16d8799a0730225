"""``/api/v1/changeovers``: from the last good piece of one product to the first of the next, with its target.

Rules of this file: the desk of jobs decides and measures.
"""

from __future__ import annotations

from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, ActWord, Deed, add_acts, like
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import EQUIPMENT, PAGE
from andond.api.floor_request import Query
from andond.api.floor_types import Page
from andond.api.job_types import Changeover, ChangeoverEnd, ChangeoverPhase, NewChangeover
from domain import JsonValue
from transport import Request

TAG = "changeovers"
OPEN = Parameter("open", "Those that go on, or those that are over", {"type": "boolean"})


class ChangeoverResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """Changeovers, the newest first."""
        query = Query(request)
        place, is_open, page = query.text("equipment", "line_id"), query.flag("open"), query.page()
        query.check()
        path = self._floor.site(request.rights).equipment.path_of(place) if place else ""
        return page.members(await self._floor.jobs(request.rights, lambda now: now.changeovers(path, is_open=is_open)))

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One changeover."""
        return await self._floor.jobs(request.rights, lambda now: now.workshop.changeovers.get(id).to_members(now.at))


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    changeovers = ChangeoverResource(floor)
    about = Operation(
        "listChangeovers", "Changeovers", TAG, Page[Changeover], query=(EQUIPMENT, OPEN, *PAGE), refuses=(422, 503)
    )
    routes.add("GET", "/changeovers", changeovers.listed, about)
    begin = Operation(
        "startChangeover", "Begin a changeover", TAG, Changeover, NewChangeover, 201, refuses=REFUSES, is_act=True
    )
    routes.add("POST", "/changeovers", Deed(floor, "changeover.start", look=like(NewChangeover)).plain, begin)
    one = Operation("getChangeover", "One changeover", TAG, Changeover, refuses=(404, 503))
    routes.add("GET", "/changeovers/{id}", changeovers.one, one)
    acts = {"phase": ActWord("changeover.phase", ChangeoverPhase), "end": ActWord("changeover.end", ChangeoverEnd)}
    add_acts(routes, floor, "/changeovers", acts, Operation("changeover", "", TAG, Changeover))
