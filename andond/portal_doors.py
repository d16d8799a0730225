"""The portal's doors: who is let in, as whom, and what opens behind them.

Rules of this file:

* The doors are open: most of the portal's clients have no token. Who shows one is who ``tokens`` says; without anybody
  who can check one a token proves nothing, and its client is a guest like the others. A token is never written
  anywhere.
* Where a door says that a token must be good, a bad one closes the connection with the predecessor's code (1008).
* The console's questions are answered from the chain's present view, at the desk that owns it, and from its history.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping

from actors import Answerer, Opening
from andond.api.portal import DeskBusy
from andond.api.portal_analytics import HistoryAway, HistoryData
from andond.api.portal_documents import transactions, validators
from andond.floor_doors import POLICY_VIOLATION, Denied, DeniedSession, nobody_answers, token_of
from domain import Grounds, JsonValue, Refused, rfc3339
from domain.chain import (
    EVERYTHING,
    HOUR,
    PROVENANCE,
    Cell,
    Cells,
    Document,
    Entry,
    Known,
    Now,
    Unknown,
    begin_of,
    behind,
    carried,
    document,
    overview,
)
from transport import Door, Link, Request, Session
from transport.dialects.portal import ANALYTICS, DOORS, OVERVIEW, ConsoleQuestion, Crowd, Guest, Setting, Tokens
from transport.dialects.portal import Door as PortalDoor

TOP_LIMIT = 10
"""How many validators the console's analytics names."""

HOURS = 24
"""How many hours the console's analytics go back, the running one among them."""

_AWAY = Unknown("the history cannot be read now")


class ConsoleDesk:
    """Answers what the console asks, from ``data``; ``clock`` gives the Unix seconds that the history ends at."""

    def __init__(self, data: HistoryData, clock: Callable[[], float] = time.time) -> None:
        self._data = data
        self._clock = clock

    async def __call__(self, question: object) -> object:
        """The document that ``question`` asks for.

        Raises:
            Refused: if the desk that knows it did not answer in time.
        """
        if not isinstance(question, ConsoleQuestion):
            raise TypeError(f"{question!r} is no question of the console")
        try:
            hours = await self._hours() if question.type == ANALYTICS else None
            return await self._data.read(lambda now, _around: _answer(question, now, hours))
        except DeskBusy:
            raise Refused(Grounds.UNAVAILABLE, "the chain desk did not answer in time") from None

    async def _hours(self) -> Cells | None:
        """The newest hours; None while they cannot be read."""
        end = self._clock() + 1
        try:
            cells, _ = await self._data.history(HOUR, begin_of(end, HOUR) - (HOURS - 1) * HOUR, end, HOURS)
        except HistoryAway:
            return None
        return cells


class PortalDoors:
    """Finds the portal's door of a request; ``answer`` answers the console, ``tokens`` tells whose a token is."""

    def __init__(self, answer: Answerer = nobody_answers, tokens: Tokens | None = None) -> None:
        self._answer = answer
        self._tokens = tokens
        self.crowds: Mapping[str, Crowd] = {path: Crowd() for path in DOORS}
        self._plain = {path: self._door(door, Guest()) for path, door in DOORS.items()}

    def __call__(self, request: Request) -> Door | None:
        """The door that ``request`` asks for; None if it is none of the portal's."""
        plain = self._plain.get(request.path)
        token = "" if plain is None or self._tokens is None else token_of(request)
        if plain is None or self._tokens is None or not token:
            return plain
        asked = DOORS[request.path]
        guest = self._tokens(token)
        if guest is not None:
            return self._door(asked, guest)
        return Door(asked.word, (), Opening(_denied)) if asked.needs_valid_token else plain

    def _door(self, door: PortalDoor, guest: Guest) -> Door:
        crowd = self.crowds[door.path]

        def session(link: Link, _request: Request) -> Session:
            setting = Setting(name=link.id, guest=guest, crowd=crowd, waiting=_waiting(link), tokens=self._tokens)
            return door.open(str(uuid.uuid4()), link.recollection, setting)

        opening = Opening(
            session,
            must_introduce=door.waits_for_word and not guest.user_id,
            answer=self._answer,
            ended=lambda link: crowd.leave(link.id),
            late=(POLICY_VIOLATION, "Authentication timeout"),
        )
        return Door(door.word, (), opening)


def _denied(_link: Link, _request: Request) -> Session:
    return DeniedSession(Denied(POLICY_VIOLATION, "the token is not valid"))


def _waiting(link: Link) -> Callable[[], int]:
    return lambda: sum(row.queued for row in link.stream.ledger())


def _answer(question: ConsoleQuestion, now: Now, hours: Cells | None) -> Document:
    if question.type == OVERVIEW:
        told = overview(now)
    elif question.type == ANALYTICS:
        told = _analytics(now, hours)
    else:
        listing = validators if question.type == "validators" else transactions
        told = listing(now, question.limit)
    return {**told, PROVENANCE: behind(now.view, now.at, EVERYTHING)}


def _analytics(now: Now, hours: Cells | None) -> Document:
    """The console's analytics: by the beginning of each hour, and the validators with the most voting power first."""
    entries = sorted(now.view.validators, key=lambda entry: _power(entry.members.get("votingPower")), reverse=True)
    top: list[JsonValue] = [_top_validator(entry) for entry in entries[:TOP_LIMIT]]
    return document(
        {
            "totalTransactions": now.total_transactions,
            "transactionsByHour": _by_hour(hours, lambda cell: cell.transactions),
            "tpsByHour": _by_hour(hours, lambda cell: cell.rate),
            "topValidators": top,
            "chainGrowth": _by_hour(hours, lambda cell: cell.height),
        }
    )


def _by_hour(hours: Cells | None, of: Callable[[Cell], float | None]) -> Known:
    """What each hour had, by its beginning; an hour that nothing is known of is not there."""
    if hours is None:
        return _AWAY
    known = {rfc3339(at): value for at, cell in hours.items() if (value := of(cell)) is not None}
    return {at: round(value, 3) if isinstance(value, float) else value for at, value in known.items()}


def _top_validator(entry: Entry) -> Document:
    members = entry.members
    return document(
        {
            "validatorId": members["validator"],
            "stakeAmount": carried(members, "stake"),
            "votingPower": carried(members, "votingPower"),
            "active": members["status"] == "ACTIVE",
            "blocksProduced": carried(members, "blocksProduced"),
        }
    )


def _power(value: object) -> float:
    return float(value) if isinstance(value, int | float) else -1.0
