"""Which path opens which door for a WebSocket, and which dialect is spoken behind it.

Rules of this file: one table, from the dialects' own. A path that is no door gets an answer that says so. On
``/stream`` the client names its dialects in the order that it prefers, and the first that is known here is spoken; who
names none speaks ``andond.v1.json``, beside the token that a browser puts there too. A token that does not count is
refused at the handshake where the client is told of that; a browser is not, so it is told when it connects, and by a
close code. Who is let in at the floor's doors is decided in
``andond.floor_doors``, at the portal's in ``andond.portal_doors``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from actors import Answerer, Opening
from andond.floor_doors import Denied, DeniedSession, FloorDoors
from andond.guard import codes_of, forbidden, token_refused, unauthorised
from andond.identities import Identities
from andond.portal_doors import PortalDoors
from andond.token_door import TokenDoor
from andond.version import VERSION
from config import ServerSettings
from domain import is_tree
from domain.access import NO_RIGHTS, Rights, TokenRefused
from domain.audit import Whence
from transport import Door, Link, Request, Response, Session, bearer_word, problem, protocol_token, spoken_protocols
from transport.dialects.cloudevents import SUBPROTOCOL, CloudEventsSession, QueryFault
from transport.dialects.floor import DOORS as FLOOR_DOORS
from transport.dialects.native import (
    ENCODINGS,
    JSON,
    NOT_IDENTIFIED,
    Encoding,
    NativeSession,
    Terms,
    TokenRefusal,
    TokenShown,
)
from transport.dialects.portal import DOORS as PORTAL_DOORS

STREAM = "/stream"

_SESSION_SIZE = 12


class Doors:
    """Finds the door of a request; ``settings`` returns those in force, of which clients of the stream are told.

    ``floor`` finds the floor's doors; who answers behind them has done what clients of the stream want done.
    ``portal`` finds the portal's. ``identities`` find out who clients are.
    ``tokens`` opens to who wants to be told of the end of its token.
    """

    def __init__(
        self,
        settings: Callable[[], ServerSettings] = ServerSettings,
        floor: FloorDoors | None = None,
        portal: PortalDoors | None = None,
        identities: Identities | None = None,
        tokens: TokenDoor | None = None,
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._identities = Identities() if identities is None else identities
        self._portal = portal or PortalDoors()
        self._floor = floor or FloorDoors()
        # By what is asked for: an answer may name no subprotocol that the client did not.
        self._stream: Mapping[str, Door] = {
            "": self._native(JSON, ()),
            **{encoding.subprotocol: self._native(encoding, (encoding.subprotocol,)) for encoding in ENCODINGS},
            SUBPROTOCOL: Door("stream", (SUBPROTOCOL,), Opening(_cloudevents)),
        }

    def __call__(self, request: Request) -> Door | Response:
        """The door that ``request`` asks for, or why there is none."""
        door = self._portal(request)
        if door is None and self._tokens is not None:
            door = self._tokens(request)
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
        offered, word = _offered(request), bearer_word(request.headers)
        chosen = next((name for name in offered if name in self._stream), None) if offered else ""
        if chosen is None:
            known = ", ".join(name for name in self._stream if name)
            return problem(400, "Unknown subprotocol", f"Sec-WebSocket-Protocol names none of {known}.", 400)
        # Who names nothing else is answered the word: a browser wants one that it offered.
        door = replace(self._stream[chosen], subprotocols=(chosen,) if chosen else word)
        try:
            rights = self._identities.of_request(request)
        except TokenRefused as refused:
            # A browser tells no page of a refused handshake.
            is_page = "origin" in request.headers or protocol_token(request.headers)
            return self._refusing_door(request, door, refused) if is_page else token_refused(refused)
        if chosen == SUBPROTOCOL:
            return self._events_door(request, rights, door)
        return replace(door, context=replace(_opening(door), rights=rights, answer=self._answers(rights, request)))

    def _refusing_door(self, request: Request, door: Door, refused: TokenRefused) -> Door | Response:
        """The door of who is told behind it why its token does not count, with a code of its dialect."""
        if refused.retry_after is not None:
            return token_refused(refused)
        refusal = TokenRefusal(*codes_of(refused.reason), refused.message)
        encoding = next((each for each in ENCODINGS if each.subprotocol in door.subprotocols), JSON)
        if protocol_token(request.headers) and door.weighs:
            return self._native(encoding, door.subprotocols, refusal)
        denied = Denied(refusal.close, refusal.message)
        return replace(door, context=Opening(lambda _link, _request: DeniedSession(denied)))

    def _answers(self, rights: Rights, request: Request) -> Answerer:
        """Who answers a client of the stream: of a token that it shows, and with the rights that it has by then."""
        shown = rights
        whence = Whence(request.client.host, "stream", rights.identity.session)

        async def answer(question: object) -> object:
            nonlocal shown
            if not isinstance(question, TokenShown):
                return await self._floor.answers(shown, whence)(question)
            try:
                shown = self._identities.of_token(question.token, whence)
            except TokenRefused as refused:
                return TokenRefusal(*codes_of(refused.reason), refused.message)
            return NOT_IDENTIFIED if shown is NO_RIGHTS else shown

        return answer

    def _events_door(self, request: Request, rights: Rights, door: Door) -> Door | Response:
        """The door of who only receives, and has said all it wants in its query."""
        try:
            channels = CloudEventsSession.from_query(request.query).channels
        except QueryFault as fault:
            return problem(400, "Nothing to follow", f"{str(fault)[0].upper()}{str(fault)[1:]}.")
        if rights is NO_RIGHTS:
            self._identities.shut_out(request)
            return unauthorised("A token is required here: Authorization: Bearer TOKEN.")
        for channel in channels:
            if not (rights.sees_any(channel.partition("/")[0]) if is_tree(channel) else rights.sees(channel)):
                why = rights.look(channel).why
                self._identities.shut_out(request, why, rights)
                return forbidden(why)
        return replace(door, context=replace(_opening(door), rights=rights))

    def _native(self, encoding: Encoding, subprotocols: tuple[str, ...], refusal: TokenRefusal | None = None) -> Door:
        """The door of the native protocol; with ``refusal`` nobody is connected there."""

        def session(link: Link, _request: Request) -> Session:
            settings = self._settings()
            terms = Terms(f"andond/{VERSION}", settings.ping_interval, settings.message_size, takes_acts=True)
            name = secrets.token_hex(_SESSION_SIZE)
            return NativeSession(encoding, name, terms, lambda: link.rights, link.allowance, refusal)

        return Door("stream", subprotocols, Opening(session, must_introduce=True), weighs=True)


def _opening(door: Door) -> Opening:
    if not isinstance(door.context, Opening):
        raise TypeError(f"the door {door.name} leads nowhere")
    return door.context


def _offered(request: Request) -> list[str]:
    """The subprotocols that the client speaks, the preferred first; its token is none, nor is the word before it."""
    word = bearer_word(request.headers)
    return [name for name in spoken_protocols(request.headers) if name not in word]


def _cloudevents(_link: Link, request: Request) -> Session:
    return CloudEventsSession.from_query(request.query)
