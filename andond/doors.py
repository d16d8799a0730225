"""Which path opens which door for a WebSocket, and which dialect is spoken behind it.

Rules of this file: one table, from the dialects' own. A path that is no door gets an answer that says so. On
``/stream`` the client names its dialects in the order that it prefers, and the first that is known here is spoken; who
names none speaks ``andond.v1.json``. Who is let in at the floor's doors is decided in ``andond.floor_doors``, at the
portal's in ``andond.portal_doors``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from actors import Opening
from andond.floor_doors import FloorDoors
from andond.portal_doors import PortalDoors
from andond.version import VERSION
from config import ServerSettings
from transport import Door, Link, Request, Response, Session, problem
from transport.dialects.cloudevents import SUBPROTOCOL, CloudEventsSession, QueryFault
from transport.dialects.floor import DOORS as FLOOR_DOORS
from transport.dialects.native import ENCODINGS, JSON, Encoding, NativeSession, Terms
from transport.dialects.portal import DOORS as PORTAL_DOORS

STREAM = "/stream"

_SESSION_SIZE = 12


class Doors:
    """Finds the door of a request; ``settings`` returns those in force, of which clients of the stream are told.

    ``floor`` finds the floor's doors; who answers behind them has done what clients of the stream want done.
    ``portal`` finds the portal's.
    """

    def __init__(
        self,
        settings: Callable[[], ServerSettings] = ServerSettings,
        floor: FloorDoors | None = None,
        portal: PortalDoors | None = None,
    ) -> None:
        self._settings = settings
        self._portal = portal or PortalDoors()
        self._floor = floor or FloorDoors()
        # By what is asked for: an answer may name no subprotocol that the client did not.
        self._stream: Mapping[str, Door] = {
            "": Door("stream", (), self._native(JSON)),
            **{
                encoding.subprotocol: Door("stream", (encoding.subprotocol,), self._native(encoding))
                for encoding in ENCODINGS
            },
            SUBPROTOCOL: Door("stream", (SUBPROTOCOL,), Opening(_cloudevents)),
        }

    def __call__(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or why there is none."""
        door = self._portal(request)
        if door is not None:
            return door
        if request.path == STREAM:
            return self._stream_door(request)
        at_floor = self._floor(request)
        if at_floor is not None:
            return at_floor
        known = ", ".join([STREAM, *PORTAL_DOORS, *(path for path in FLOOR_DOORS if not path.endswith("/"))])
        return problem(404, "No such stream", f"There is no WebSocket at {request.path}; there is one at {known}.")

    def _stream_door(self, request: Request) -> Door | Response:
        offered = _offered(request)
        chosen = next((name for name in offered if name in self._stream), None) if offered else ""
        if chosen is None:
            known = ", ".join(name for name in self._stream if name)
            return problem(400, "Unknown subprotocol", f"Sec-WebSocket-Protocol names none of {known}.", 400)
        if chosen == SUBPROTOCOL:
            try:
                CloudEventsSession.from_query(request.query)
            except QueryFault as fault:
                return problem(400, "Nothing to follow", f"{str(fault)[0].upper()}{str(fault)[1:]}.")
        return self._stream[chosen]

    def _native(self, encoding: Encoding) -> Opening:
        def session(_link: Link, _request: Request) -> Session:
            settings = self._settings()
            terms = Terms(f"andond/{VERSION}", settings.ping_interval, settings.message_size, takes_acts=True)
            return NativeSession(encoding, secrets.token_hex(_SESSION_SIZE), terms)

        return Opening(session, must_introduce=True, answer=self._floor.answer)


def _offered(request: Request) -> list[str]:
    """The subprotocols that the client speaks, the preferred first."""
    names = [item.strip() for item in request.headers.get("sec-websocket-protocol", "").split(",")]
    return [name for name in names if name]


def _cloudevents(_link: Link, request: Request) -> Session:
    return CloudEventsSession.from_query(request.query)
