"""``/api/v1/andon/calls``: Andon calls, their acts, figures and escalation.

Rules of this file: the calls' desk decides; a call that was raised is on disk before the answer. A list is of the
newest calls first, the board of the most urgent.
"""

from __future__ import annotations

from collections.abc import Sequence

from andond.api.call_types import Call, CallKind, CallStatistics, Change, EscalationTree, NewCall, Reassign
from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, ActWord, Deed, Look, add_acts
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import BEGIN, BEGINS, END, ENDS, EQUIPMENT, PAGE, SECOND, span
from andond.api.floor_request import Query, faults_in
from andond.api.floor_types import ActBody, Page
from andond.api.problem_types import Anything
from domain import Fault, JsonObject, JsonValue, Refused, rfc3339
from domain.access import Rights
from domain.plant.calls import KINDS, CallPriority, CallsNow, Selection, states_of
from domain.plant.calls import wish_of as read_wish
from domain.plant.site import ShiftCalendar
from transport import Request

TAG = "andon"
BASE = "/andon/calls"
PRIORITIES = [priority.value for priority in CallPriority]
STATE = Parameter("state", "Calls in this state alone, in our words or the dashboard's", {"type": "string"})
TYPE = Parameter("type", "Calls of this type alone", {"type": "string"})
PRIORITY = Parameter("priority", "Calls of this priority alone", {"type": "string", "enum": list(PRIORITIES)})
BY = Parameter("by", "Calls that this person did something about", {"type": "string"})

ACTS = {
    "acknowledge": ActWord("andon.acknowledge", ActBody, argument="call"),
    "arrive": ActWord("andon.arrive", ActBody, argument="call"),
    "resolve": ActWord("andon.resolve", ActBody, argument="call"),
    "close": ActWord("andon.close", ActBody, argument="call"),
    "cancel": ActWord("andon.cancel", ActBody, argument="call"),
    "reopen": ActWord("andon.reopen", ActBody, argument="call"),
    "reassign": ActWord("andon.reassign", Reassign, argument="call"),
    "change": ActWord("andon.change", Change, argument="call"),
    "escalate": ActWord("andon.escalate", ActBody, argument="call"),
}


def selection(query: Query, path: str | None, calendar: ShiftCalendar) -> Selection:
    """Which calls a query asks for; what is wrong with it is noted in it."""
    word = query.text("state", "status")
    states = None if word is None else states_of(word)
    if word is not None and not states:
        query.faults.append(Fault("/query/state", f"must be a state of calls, and {word[:64]!r} is none"))
    since, until = query.moment(*BEGINS, calendar=calendar), query.moment(*ENDS, calendar=calendar)
    return Selection(
        states=states,
        path=path,
        word=query.text("type", "event_type"),
        priority=query.choice("priority", PRIORITIES),
        by=query.text("by"),
        is_escalated=True if word == "escalated" else None,
        since=since,
        until=until,
    )


class CallResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """Calls, the newest first."""
        query = Query(request)
        page, chosen = query.page(), selection(query, self._path(query), self._floor.site(request.rights).calendar)
        query.check()

        def read(now: CallsNow) -> JsonObject:
            found = now.selected(chosen)
            return page.told([now.document(call) for call in page.cut(found)], len(found))

        return await self._floor.calls(request.rights, read)

    async def board(self, request: Request) -> JsonValue:
        """The open calls, the most urgent first."""
        return await self._floor.calls(request.rights, lambda now: now.board())

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One call with its history and its escalation."""
        return await self._floor.calls(request.rights, lambda now: now.one(id))

    async def statistics(self, request: Request) -> JsonValue:
        """Figures of the calls that were raised in a span of time."""
        query = Query(request)
        begin_us, end_us = span(query, self._floor.site(request.rights).calendar, self._floor.clock())
        begin, end = begin_us / SECOND, end_us / SECOND
        figures = await self._floor.calls(
            request.rights, lambda now: now.statistics(begin, min(end, max(begin, now.at)))
        )
        return {"begin": rfc3339(begin), "end": rfc3339(end), **figures}

    async def kinds(self, _request: Request) -> JsonValue:
        """The types of calls."""
        return [
            {
                "word": kind.word,
                "type": kind.type,
                "title": kind.title,
                "colour": kind.colour.value,
                "priority": kind.priority.value,
                "stops_line": kind.stops_line,
            }
            for kind in KINDS.values()
        ]

    async def escalations(self, request: Request) -> JsonValue:
        """The escalations that go on."""
        query = Query(request)
        page = query.page()
        query.check()
        return page.of(await self._floor.calls(request.rights, lambda now: now.escalations()))

    async def chains(self, request: Request) -> JsonValue:
        """The chains of escalation in force."""
        return {"chains": await self._floor.calls(request.rights, lambda now: now.chains())}

    def _path(self, query: Query) -> str | None:
        place = query.text("equipment", "line_id", "equipment_code")
        return self._floor.site(query.request.rights).equipment.path_of(place) if place else None


def wish_of(floor: Floor) -> Look:
    """What is wrong with the arguments of a call that is to be raised."""

    def look(arguments: JsonObject, rights: Rights) -> Sequence[Fault]:
        try:
            read_wish(arguments, floor.site(rights).equipment.path_of)
        except Refused as refused:
            return faults_in(refused)
        return ()

    return look


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    calls = CallResource(floor)
    filters = (EQUIPMENT, STATE, TYPE, PRIORITY, BY, BEGIN, END, *PAGE)
    listed = Operation("listCalls", "Calls, the newest first", TAG, Page[Call], query=filters, refuses=(422, 503))
    routes.add("GET", BASE, calls.listed, listed)
    raised = Operation("raiseCall", "Raise a call", TAG, Call, NewCall, 201, refuses=REFUSES, is_act=True)
    routes.add("POST", BASE, Deed(floor, "andon.raise", look=wish_of(floor)).plain, raised)
    one = Operation("getCall", "One call, its history and escalation", TAG, Call, refuses=(404, 503))
    routes.add("GET", f"{BASE}/{{id}}", calls.one, one)
    add_acts(routes, floor, BASE, ACTS, Operation("call", "", TAG, Call))
    board = Operation("getCallBoard", "Open calls, the most urgent first", TAG, list[Call], refuses=(503,))
    routes.add("GET", "/andon/board", calls.board, board)
    kinds = Operation("listCallTypes", "Types of calls", TAG, list[CallKind])
    routes.add("GET", "/andon/call-types", calls.kinds, kinds)
    figures = Operation(
        "getCallStatistics", "Figures of calls", TAG, CallStatistics, query=(BEGIN, END), refuses=(422, 503)
    )
    routes.add("GET", "/andon/statistics", calls.statistics, figures)
    going = Operation(
        "listEscalations", "Escalations that go on", TAG, list[dict[str, Anything]], query=PAGE, refuses=(422, 503)
    )
    routes.add("GET", "/andon/escalations", calls.escalations, going)
    chains = Operation("getEscalationTree", "Chains of escalation", TAG, EscalationTree, refuses=(503,))
    routes.add("GET", "/andon/escalation-tree", calls.chains, chains)
