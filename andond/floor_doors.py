"""The floor's doors: who is let in, as whom, and what opens behind them.

Rules of this file:

* Whoever shows no token is refused (403), unless ``access.anonymous`` lets such clients look, or the gateway is open.
  Who only looks has nothing done.
* A token that does not count closes the connection with a code of its own: a browser is not told why a handshake
  failed.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import msgspec
import trio

from actors import Answerer, Opening
from andond.guard import token_refused
from andond.identities import Identities
from config import DoorSettings
from domain import Grounds, Refused
from domain.access import NO_RIGHTS, Identity, Proof, Rights, TokenFault, TokenRefused
from domain.audit import NOWHERE, Whence
from domain.plant.ledger import StateMap
from domain.plant.site import EquipmentModel
from transport import Close, Door, Link, Request, Response, Session, Step, bearer_word, problem, told
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
_ID_SIZE = 4


class Denied(msgspec.Struct, frozen=True):
    """A token that is not taken: the close code (1008, or 4001 for a user that is not known) and the reason."""

    code: int
    reason: str


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


class Answers(Protocol):
    """Gives who answers what sessions of those with certain rights enquire, who speak from somewhere."""

    def __call__(self, rights: Rights, whence: Whence, /) -> Answerer:
        """Who answers those with ``rights``."""


def nobody(_rights: Rights, _whence: Whence = NOWHERE) -> Answerer:
    """Where there are no desks, for everybody."""
    return nobody_answers


@dataclass(frozen=True)
class FloorDoors:
    """Finds the floor's door of a request.

    ``present`` returns the settings in force, ``model`` the equipment, ``states`` what machines' words mean;
    ``answers`` gives who answers what sessions with such rights enquire; ``identities`` find out who clients are.
    """

    present: Callable[[], DoorSettings] = DoorSettings
    model: Callable[[], EquipmentModel] = EquipmentModel
    answers: Answers = nobody
    roster: Roster = field(default_factory=Roster)
    identities: Identities = field(default_factory=Identities)
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
        found = self._found(request)
        if isinstance(found, Response):
            return found
        rights = NO_RIGHTS if isinstance(found, Denied) else found
        answer = self.answers(rights, Whence(request.client.host, NAME, rights.identity.session))
        opening = Opening(self._opener(entry, found), answer=answer, ended=self._ended, rights=rights)
        return Door(NAME, bearer_word(request.headers), opening)

    def _found(self, request: Request) -> Rights | Denied | Response:
        try:
            rights = self.identities.of_request(request, may_query=True)
        except TokenRefused as refused:
            if refused.retry_after is not None:
                return token_refused(refused)
            unknown = refused.reason is TokenFault.NO_SUBJECT
            return Denied(UNKNOWN_USER if unknown else POLICY_VIOLATION, refused.message)
        if rights is not NO_RIGHTS:
            return rights
        self.identities.shut_out(request)
        detail = "A token is required here. Who has none may look, and nothing else, where access.anonymous is enabled."
        return problem(403, "Not let in", detail, 403)

    def _opener(self, entry: Entry, found: Rights | Denied) -> Callable[[Link, Request], Session]:
        def session(link: Link, request: Request) -> Session:
            if isinstance(found, Denied):
                return DeniedSession(found)
            visitor = _visitor(found.identity, entry)
            names = entry.aliases
            following = Following(_named(visitor, entry), names, wants_all_names=entry.wants_all_names)
            visit = Visit(
                connection_id=f"{connection_name(visitor.user_id)}_{secrets.token_hex(_ID_SIZE)}",
                user_id=visitor.user_id,
                door=entry.door.word,
                host=request.client.host,
                opened_at=self.clock(),
                following=following,
                traffic=lambda: _traffic(link),
                tenant=found.identity.tenant,
            )
            self.roster.enter(link.id, visit)
            surroundings = Surroundings(self.script, self.roster, self.clock, self.present().heartbeat)
            return FloorSession(visit, visitor, entry, surroundings, link.recollection, partial(_charge, link))

        return session

    def _ended(self, link: Link) -> None:
        self.roster.leave(link.id)


def _visitor(identity: Identity, entry: Entry) -> Visitor:
    """Who is at the door: who is known by its own name, others by that which they give themselves."""
    match identity.proof:
        case Proof.OPEN:
            return Visitor(entry.user_id or ANONYMOUS, may_act=True)
        case Proof.ANONYMOUS:
            return Visitor(entry.user_id or ANONYMOUS)
    return Visitor(identity.name, may_act=True, is_known=True)


def connection_name(user_id: str) -> str:
    """``user_id`` as it may stand in a connection's id."""
    return _NO_ID.sub("-", user_id[:USER_LIMIT]) or ANONYMOUS


def _named(visitor: Visitor, entry: Entry) -> str:
    """Under which name it is told of its own jobs; whoever names none is told of nobody's."""
    return visitor.user_id if visitor.is_known or entry.user_id else ""


def _charge(link: Link) -> str:
    """Count one message more of a client; returns in words the limit that it meets."""
    excess = link.allowance.message(trio.current_time())
    if excess is None:
        return ""
    told(excess, link.client.host)
    return excess.words


def _traffic(link: Link) -> Traffic:
    rows = link.stream.ledger()
    return Traffic(sum(row.enqueued for row in rows), sum(row.expired + row.gapped for row in rows))
