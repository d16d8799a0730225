"""``/api/v1/alarms``: alarms after ISA-18.2, their lists, their acts, and how the alarm system does.

Rules of this file: the alarms' desk decides. Acknowledge, silence and shelve are three acts. An alarm that was never
active can be shelved by what it is of: ``equipment``, ``key`` and ``code``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec

from andond.api.alarm_types import Alarm, AlarmList, AlarmName, Board, Flood, Rates, Remove, Shelve, Summary, WithReason
from andond.api.describe import Operation, Parameter
from andond.api.floor_acts import REFUSES, ActWord, ClientWords, Deed, add_acts
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.floor_query import EQUIPMENT, PAGE
from andond.api.floor_request import Query, Said, portions
from andond.api.floor_types import Page
from domain import Grounds, JsonObject, JsonValue, Refused
from domain.access import Rights
from domain.plant.alarms import Alarm as KnownAlarm
from domain.plant.alarms import AlarmPriority, AlarmsNow, State
from domain.plant.site import is_within
from transport import Request

TAG = "alarms"
LISTS = ("operator", "all", "shelved", "suppressed", "out_of_service", "stale")
STATES = [state.value for state in State]
PRIORITIES = [priority.value for priority in AlarmPriority]
LIST = Parameter("list", "Which list", {"type": "string", "enum": list(LISTS), "default": "operator"})
STATE = Parameter("state", "Alarms in this state alone", {"type": "string", "enum": list(STATES)})
PRIORITY = Parameter("priority", "Alarms of this priority alone", {"type": "string", "enum": list(PRIORITIES)})

ACTS = {
    word: ActWord(f"alarm.{word}", body)
    for word, body in (
        ("acknowledge", WithReason),
        ("silence", WithReason),
        ("shelve", Shelve),
        ("unshelve", WithReason),
        ("suppress", WithReason),
        ("unsuppress", WithReason),
        ("remove", Remove),
        ("restore", WithReason),
        ("reset", WithReason),
    )
}

WORDS: ClientWords = {"key": ("key", "data_item")}


class AlarmResource:
    """The handlers."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    async def listed(self, request: Request) -> JsonValue:
        """The alarms of a list, the most urgent first."""
        query = Query(request)
        page, which = query.page(), query.choice("list", LISTS) or "operator"
        state, priority = query.choice("state", STATES), query.choice("priority", PRIORITIES)
        place = query.text("equipment", "line_id")
        query.check()
        path = self._floor.site(request.rights).equipment.path_of(place) if place else ""
        wanted = _Wanted(which if state is None else "all", state, priority, path)
        rows, total = await rows_of(self._floor, request.rights, wanted.of, page.cut)
        return page.told([*rows], total)

    async def one(self, request: Request, id: str) -> JsonValue:  # noqa: A002 - the name of the path's parameter
        """One alarm, with its rationalisation record."""
        found = await self._floor.alarms(request.rights, lambda now: now.alarm(id))
        if found is None:
            raise Refused(Grounds.NOT_FOUND, f"there is no alarm {id}", {"alarm": id})
        return found

    async def board(self, request: Request, position: str) -> JsonValue:
        """What the operator at a position sees."""
        path = self._floor.site(request.rights).equipment.path_of(position)
        return await self._floor.alarms(request.rights, lambda now: now.board(path))

    def view(self, read: Callable[[AlarmsNow], JsonValue]) -> Callable[[Request], Awaitable[JsonValue]]:
        """A handler that answers what ``read`` makes of the alarms now."""

        async def answer(request: Request) -> JsonValue:
            return await self._floor.alarms(request.rights, read)

        return answer


def named(said: Said) -> JsonObject:
    """The arguments of an act that names its alarm in the body; ``data_item`` is its key, as ``key`` is the act's."""
    arguments = dict(said.arguments)
    if "data_item" in arguments:
        arguments["key"] = arguments.pop("data_item")
    return arguments


async def rows_of(
    floor: Floor,
    rights: Rights,
    wanted: Callable[[AlarmsNow], Sequence[KnownAlarm]],
    cut: Callable[[Sequence[KnownAlarm]], Sequence[KnownAlarm]] = lambda found: found,
) -> tuple[list[dict[str, JsonValue]], int]:
    """What is said of those alarms that ``cut`` leaves of the ``wanted`` ones, and how many were wanted.

    Nobody else is served while the desk has its turn, so it makes a few documents in each.

    Raises:
        Refused: if the desk does not answer.
    """
    view, found = await floor.alarms(rights, lambda now: (now, wanted(now)))
    rows: list[dict[str, JsonValue]] = []
    for part in portions(cut(found)):
        rows += await floor.in_turn_of_alarms(partial(view.documents, part))
    return rows, len(found)


class _Wanted(msgspec.Struct, frozen=True):
    """Which alarms a query asks for."""

    which: str
    state: str | None
    priority: str | None
    path: str

    def of(self, now: AlarmsNow) -> list[KnownAlarm]:
        """Those of ``now``, the most urgent first."""
        is_listed = _LISTED.get(self.which, now.is_stale)
        return now.chosen(
            lambda alarm: (
                is_listed(alarm)
                and self.state in (None, alarm.state.value)
                and is_within(alarm.equipment, self.path)
                and (self.priority is None or now.priority(alarm).value == self.priority)
            )
        )


_LISTED: Mapping[str, Callable[[KnownAlarm], bool]] = {
    "operator": lambda alarm: alarm.state.is_annunciated,
    "all": lambda _: True,
    "shelved": lambda alarm: alarm.state is State.SHELVED,
    "suppressed": lambda alarm: alarm.state is State.SUPPRESSED,
    "out_of_service": lambda alarm: alarm.state is State.OUT_OF_SERVICE,
}
"""Which alarms are on each list; those that are stale depend on the moment too."""


def register(routes: FloorRoutes, floor: Floor) -> None:
    """Add the resource to ``routes``."""
    alarms = AlarmResource(floor)
    filters = (LIST, EQUIPMENT, STATE, PRIORITY, *PAGE)
    listed = Operation(
        "listAlarms", "Alarms, the most urgent first", TAG, Page[Alarm], query=filters, refuses=(422, 503)
    )
    routes.add("GET", "/alarms", alarms.listed, listed)
    views: dict[str, tuple[str, object, Callable[[AlarmsNow], JsonValue]]] = {
        "summary": ("The alarm summary", Summary, AlarmsNow.summary),
        "floods": ("Floods that go on", list[Flood], AlarmsNow.floods),
        "rates": ("How the alarm system does, by position", dict[str, Rates], AlarmsNow.rates),
        "positions": ("Operating positions", list[str], AlarmsNow.positions),
        "rationalisation": ("The alarm list in force", AlarmList, AlarmsNow.rationalisation),
    }
    for word, (summary, answer, read) in views.items():
        about = Operation(f"getAlarm{word.capitalize()}", summary, TAG, answer, refuses=(503,))
        routes.add("GET", f"/alarms/{word}", alarms.view(read), about)
    board = Operation("getAlarmBoard", "What an operator sees", TAG, Board, refuses=(503,))
    routes.add("GET", "/alarms/boards/{position...}", alarms.board, board)
    one = Operation("getAlarm", "One alarm", TAG, Alarm, refuses=(404, 503))
    routes.add("GET", "/alarms/{id}", alarms.one, one)
    add_acts(routes, floor, "/alarms", ACTS, Operation("alarm", "", TAG, Alarm))
    for word in ("acknowledge", "silence", "shelve", "suppress", "remove"):
        by_name = Operation(
            f"{word}AlarmByName", f"{word.capitalize()} an alarm by what it is of", TAG, Alarm, AlarmName,
            refuses=REFUSES, is_act=True,
        )  # fmt: skip
        routes.add("POST", f"/alarms/{word}", Deed(floor, f"alarm.{word}", named, words=WORDS).plain, by_name)
