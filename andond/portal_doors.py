"""The portal's doors: who is let in, as whom, and what opens behind them.

Rules of this file:

* Most of the portal's clients have no token: they are guests, who see what ``access.anonymous`` shows them, and all of
  it where the gateway is open. Where they see nothing, only the door opens at which a token comes in a message.
* Who is not let in is closed with the predecessor's code (1008). A bad token is no worse than none, except at a door
  that says that it must be good. A token is never written anywhere.
* The console's questions are answered from the chain's present view, at the desk that owns it, and from its history.
  Nobody is told more there than by REST and by the channels of the same.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from actors import Answerer, Opening
from andond.api.needs import PUBLIC, TRANSACTIONS, VALIDATORS, Need
from andond.api.portal import DeskBusy
from andond.api.portal_analytics import HistoryAway, HistoryData
from andond.api.portal_documents import transactions, validators
from andond.floor_doors import POLICY_VIOLATION, Denied, DeniedSession, nobody
from andond.guard import token_refused
from andond.identities import Identities
from domain import Grounds, JsonValue, Refused, rfc3339
from domain.access import NO_RIGHTS, Rights, TokenRefused
from domain.audit import Whence
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
from transport import Door, Link, Request, Response, Session, bearer_word
from transport.dialects.portal import ANALYTICS, DOORS, OVERVIEW, ConsoleQuestion, Crowd, Setting, guest_of
from transport.dialects.portal import Door as PortalDoor

KINDS = ("chain", "portal", "panels")
"""The kinds of channels of which a client sees something, or has no business here."""

TOP_LIMIT = 10
"""How many validators the console's analytics names."""

HOURS = 24
"""How many hours the console's analytics go back, the running one among them."""

_AWAY = Unknown("the history cannot be read now")

_NEEDS: Mapping[str, Need] = MappingProxyType({"validators": VALIDATORS, "transactions": TRANSACTIONS})
"""What is needed for the answers of the console that not everybody is given whom a door of the portal lets in."""


class ConsoleDesk:
    """Gives who answers the console, from ``data``; ``clock`` gives the Unix seconds that the history ends at."""

    def __init__(self, data: HistoryData, clock: Callable[[], float] = time.time) -> None:
        self._data = data
        self._clock = clock

    def __call__(self, rights: Rights) -> Answerer:
        """Who answers those with ``rights``."""
        return partial(self.answer, rights)

    async def answer(self, rights: Rights, question: object) -> object:
        """The document that ``question`` of somebody with ``rights`` asks for.

        Raises:
            Refused: if it is not for them, or the desk that knows it did not answer in time.
        """
        if not isinstance(question, ConsoleQuestion):
            raise TypeError(f"{question!r} is no question of the console")
        verdict = _NEEDS.get(question.type, PUBLIC).judge(rights)
        if not verdict.is_allowed:
            raise Refused(Grounds.NOT_ALLOWED, verdict.why)
        hidden = VALIDATORS.judge(rights)
        try:
            hours = await self._hours() if question.type == ANALYTICS else None
            return await self._data.read(
                lambda now, _around: _answer(question, now, hours, "" if hidden.is_allowed else hidden.why)
            )
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
    """Finds the portal's door of a request; ``identities`` find out who clients are.

    ``answers`` gives who answers the console to those with certain rights.
    """

    def __init__(self, answers: Callable[[Rights], Answerer] = nobody, identities: Identities | None = None) -> None:
        self._answers = answers
        self._identities = Identities() if identities is None else identities
        self.crowds: Mapping[str, Crowd] = {path: Crowd() for path in DOORS}

    def __call__(self, request: Request) -> Door | Response | None:
        """The door that ``request`` asks for, or why it is closed; None if it is none of the portal's."""
        asked = DOORS.get(request.path)
        if asked is None:
            return None
        try:
            rights = self._identities.of_request(request, may_query=True)
        except TokenRefused as refused:
            if refused.retry_after is not None:
                return token_refused(refused)
            if asked.needs_valid_token:
                return _denied(asked, request, refused.message)
            rights = self._identities.of_nobody()
        if not any(map(rights.sees_any, KINDS)) and not asked.waits_for_word:
            self._identities.shut_out(request)
            return _denied(asked, request, "authentication is required")
        return self._door(asked, rights, request)

    def _door(self, door: PortalDoor, rights: Rights, request: Request) -> Door:
        whence = Whence(request.client.host, door.word)
        crowd, guest = self.crowds[door.path], guest_of(rights)
        tokens = None if self._identities.are_open else partial(self._of_token, whence)

        def session(link: Link, _request: Request) -> Session:
            setting = Setting(
                name=link.id, guest=guest, rights=rights, crowd=crowd, waiting=_waiting(link), tokens=tokens
            )
            return door.open(str(uuid.uuid4()), link.recollection, setting)

        opening = Opening(
            session,
            must_introduce=door.waits_for_word and not guest.user_id,
            answer=self._answers(rights),
            ended=lambda link: crowd.leave(link.id),
            late=(POLICY_VIOLATION, "Authentication timeout"),
            rights=rights,
        )
        return Door(door.word, bearer_word(request.headers), opening)

    def _of_token(self, whence: Whence, token: str) -> Rights | None:
        try:
            rights = self._identities.of_token(token, whence)
        except TokenRefused:
            return None
        return None if rights is NO_RIGHTS else rights


def _denied(door: PortalDoor, request: Request, reason: str) -> Door:
    denied = Denied(POLICY_VIOLATION, reason)
    opening = Opening(lambda _link, _request: DeniedSession(denied))
    return Door(door.word, bearer_word(request.headers), opening)


def _waiting(link: Link) -> Callable[[], int]:
    return lambda: sum(row.queued for row in link.stream.ledger())


def _answer(question: ConsoleQuestion, now: Now, hours: Cells | None, hidden: str) -> Document:
    """The document; ``hidden`` says why validators are not named, and is empty where they are."""
    if question.type == OVERVIEW:
        told = overview(now)
    elif question.type == ANALYTICS:
        told = _analytics(now, hours, Unknown(hidden) if hidden else _top(now))
    else:
        listing = validators if question.type == "validators" else transactions
        told = listing(now, question.limit)
    return {**told, PROVENANCE: behind(now.view, now.at, EVERYTHING)}


def _top(now: Now) -> list[JsonValue]:
    """The validators with the most voting power, the most powerful first."""
    entries = sorted(now.view.validators, key=lambda entry: _power(entry.members.get("votingPower")), reverse=True)
    return [_top_validator(entry) for entry in entries[:TOP_LIMIT]]


def _analytics(now: Now, hours: Cells | None, top: Known) -> Document:
    """The console's analytics: by the beginning of each hour, and the ``top`` validators."""
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
