"""What the dashboard's clients also ask for, and this gateway does not do: 404, with a line that says so.

Rules of this file: one line a group of paths. A path that is added below a group is found before the group is.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from andond.api.describe import Operation
from andond.api.floor_desks import Floor, FloorRoutes
from andond.api.problem_types import Problem
from domain import Grounds, JsonValue, Refused
from transport import Request

TAG = "elsewhere"
METHODS = ("GET", "POST", "PUT", "DELETE")

NOT_HERE: Mapping[str, str] = {
    "/users": "this gateway looks after its users by `andond user`; who asks is told by /api/v1/auth/me",
    "/reports": "this gateway writes no reports: their figures are under /api/v1/oee/shifts and /api/v1/andon/reports",
    "/oee/reports": "this gateway writes no reports: the figures shift by shift are under /api/v1/oee/shifts",
    "/checklists": "this gateway keeps no checklists: what is checked is told to /api/v1/quality/checks",
    "/maintenance": "this gateway keeps no work orders: what stands for maintenance is under /api/v1/downtimes",
}
"""Groups of paths, and what is said of each."""


class _Group:
    """A group of paths; each is answered with ``words``."""

    def __init__(self, words: str) -> None:
        self._words = words

    async def itself(self, _request: Request) -> JsonValue:
        """Say no."""
        raise Refused(Grounds.NOT_FOUND, self._words)

    async def below(self, _request: Request, rest: str) -> JsonValue:
        """Say no to what is below it."""
        raise Refused(Grounds.NOT_FOUND, self._words, {"path": rest})


def register(routes: FloorRoutes, _floor: Floor) -> None:
    """Add the groups to ``routes``."""
    for group, words in NOT_HERE.items():
        refusing, name = _Group(words), "".join(word.capitalize() for word in group.strip("/").split("/"))
        for method in METHODS:
            about = Operation(f"{method.lower()}{name}", f"Not here: {words}", TAG, Problem, status=404, refuses=(404,))
            routes.add(method, group, refusing.itself, about)
            routes.add(method, f"{group}/{{rest...}}", refusing.below, replace(about, name=f"{about.name}Below"))
