"""The floor's doors: who is let in, as whom, and what opens behind them.

Rules of this file:

* Whoever shows no token is refused (403), unless ``floor.doors.anonymous`` lets such clients look. Who only looks has
  nothing done.
* A token is checked by ``tokens``. Without anybody who can check one, a token proves nothing: its client is as good as
  one without. A token is never written anywhere, wherever it came.
* A token that is bad closes the connection with a code of its own: a browser is not told why a handshake failed.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from actors import Answerer, Opening
from config import DoorSettings
from domain import Grounds, Refused
from domain.plant.ledger import StateMap
from domain.plant.site import EquipmentModel
from transport import Close, Door, Link, Request, Response, Session, Step, problem
from transport.dialects.floor import (
    ANONYMOUS,
    USER_LIMIT,
    Entry,
    EntryFault,
    FloorSession,
    Following,
    Places,
    Roster,
    Script,
    Surroundings,
    Traffic,
    Visit,
    Visitor,
    enter,
)

NAME = "floor"
"""What all of these doors are counted as."""

POLICY_VIOLATION = 1008
UNKNOWN_USER = 4001

_NO_ID = re.compile(r"[^A-Za-z0-9.@-]")
_BEARER = "bearer"
_ID_SIZE = 4


@dataclass(frozen=True, slots=True)
class Denied:
    """A token that is not taken: the close code (1008, or 4001 for a user that is not known) and the reason."""

    code: int
    reason: str


Tokens = Callable[[str], Visitor | Denied]
"""Tells whose a token is."""


class DeniedSession:
    """A connection whose token was not taken: it is told so and closed."""

    __slots__ = ("_denied",)

    def __init__(self, denied: Denied) -> None:
        self._denied = denied

    def opened(self, at: float) -> list[Step]:
        """Close."""
        del at
        return [Close(self._denied.code, self._denied.reason)]

    def received(self, message: str | bytes, at: float) -> list[Step]:
        """Nothing: it is over."""
        del message, at
        return []


async def nobody_answers(question: object) -> object:
    """Where there are no desks.

    Raises:
        Refused: always.
    """
    raise Refused(Grounds.UNAVAILABLE, f"nobody answers here: {type(question).__name__}")


@dataclass(frozen=True)
class FloorDoors:
    """Finds the floor's door of a request.

    ``present`` returns the settings in force, ``model`` the equipment, ``states`` what machines' words mean;
    ``answer`` answers what sessions enquire.
    """

    present: Callable[[], DoorSettings] = DoorSettings
    model: Callable[[], EquipmentModel] = EquipmentModel
    answer: Answerer = nobody_answers
    roster: Roster = field(default_factory=Roster)
    tokens: Tokens | None = None
    states: Callable[[], StateMap] = StateMap
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        """One script of events serves all connections, so that each is written once."""
        object.__setattr__(self, "script", Script(Places(self.model), self.states))

    script: Script = field(init=False)

    def __call__(self, request: Request) -> Door | Response | None:
        """The door that ``request`` asks for, or why it is closed; None if it is none of the floor's."""
        try:
            entry = enter(request.path, request.query)
        except EntryFault as fault:
            return problem(400, "Nothing to follow", f"{fault}.", 400)
        if entry is None:
            return None
        found = self._visitor(request, entry)
        if isinstance(found, Response):
            return found
        spoken = (_BEARER,) if _protocol_token(request) else ()
        return Door(NAME, spoken, Opening(self._opener(entry, found), answer=self.answer, ended=self._ended))

    def _visitor(self, request: Request, entry: Entry) -> Visitor | Denied | Response:
        token = token_of(request)
        if token and self.tokens is not None:
            return self.tokens(token)
        if self.present().anonymous:
            return Visitor(entry.user_id or ANONYMOUS)
        why = "This gateway checks no tokens yet" if token else "A token is required here"
        detail = f"{why}. Who has none may look, and nothing else, where floor.doors.anonymous is true."
        return problem(403, "Not let in", detail, 403)

    def _opener(self, entry: Entry, found: Visitor | Denied) -> Callable[[Link, Request], Session]:
        def session(link: Link, request: Request) -> Session:
            if isinstance(found, Denied):
                return DeniedSession(found)
            names = entry.aliases
            following = Following(_named(found, entry), names, wants_all_names=entry.wants_all_names)
            visit = Visit(
                connection_id=f"{connection_name(found.user_id)}_{secrets.token_hex(_ID_SIZE)}",
                user_id=found.user_id,
                door=entry.door.word,
                host=request.client.host,
                opened_at=self.clock(),
                following=following,
                traffic=lambda: _traffic(link),
            )
            self.roster.enter(link.id, visit)
            surroundings = Surroundings(self.script, self.roster, self.clock, self.present().heartbeat)
            return FloorSession(visit, found, entry, surroundings, link.recollection)

        return session

    def _ended(self, link: Link) -> None:
        self.roster.leave(link.id)


def token_of(request: Request) -> str:
    """The token of ``request``, wherever its client can put one; empty if there is none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == _BEARER and value.strip():
        return value.strip()
    return _protocol_token(request) or request.query.get("token", [""])[-1].strip()


def connection_name(user_id: str) -> str:
    """``user_id`` as it may stand in a connection's id."""
    return _NO_ID.sub("-", user_id[:USER_LIMIT]) or ANONYMOUS


def _protocol_token(request: Request) -> str:
    """The token that a browser sent as ``new WebSocket(url, ["bearer", TOKEN])``."""
    words = [word.strip() for word in request.headers.get("sec-websocket-protocol", "").split(",")]
    return words[1] if len(words) > 1 and words[0].lower() == _BEARER else ""


def _named(visitor: Visitor, entry: Entry) -> str:
    """Under which name it is told of its own jobs; whoever names none is told of nobody's."""
    return visitor.user_id if visitor.is_known or entry.user_id else ""


def _traffic(link: Link) -> Traffic:
    rows = link.stream.ledger()
    return Traffic(sum(row.enqueued for row in rows), sum(row.expired + row.gapped for row in rows))
