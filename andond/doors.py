"""Which path opens which door for a WebSocket.

Rules of this file: one table, from the dialects' own. A path that is no door gets an answer that says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from actors import Opening
from transport import Door, Link, Request, Response, Session, problem
from transport.dialects.cloudevents import SUBPROTOCOL, CloudEventsSession, QueryFault
from transport.dialects.portal import DOORS as PORTAL_DOORS
from transport.dialects.portal import Door as PortalDoor

STREAM = "/stream"


class Doors:
    """Finds the door of a request."""

    def __init__(self) -> None:
        self._stream = Door("stream", (SUBPROTOCOL,), Opening(_stream_session))
        self._portal = {
            path: Door(door.word, (), Opening(_portal_session(door))) for path, door in PORTAL_DOORS.items()
        }

    def __call__(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or why there is none."""
        door = self._portal.get(request.path)
        if door is not None:
            return door
        if request.path != STREAM:
            known = ", ".join([STREAM, *self._portal])
            return problem(404, "No such stream", f"There is no WebSocket at {request.path}; there is one at {known}.")
        try:
            CloudEventsSession.from_query(request.query)
        except QueryFault as fault:
            return problem(400, "Nothing to follow", f"{str(fault)[0].upper()}{str(fault)[1:]}.")
        return self._stream


def _stream_session(_link: Link, request: Request) -> Session:
    return CloudEventsSession.from_query(request.query)


def _portal_session(door: PortalDoor) -> Callable[[Link, Request], Session]:
    return lambda _link, _request: door.open(str(uuid.uuid4()))
