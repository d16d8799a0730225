"""What a client of the floor's REST says: a body, a key, who and when; filters, a page, a span of time.

Rules of this file: nothing is guessed, and all faults of a query are told at once. Who says no name is called by the
address it came from. A moment is RFC 3339; a date alone is the first moment of that day of the plant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from andond.api.describe import JSON
from domain import Arguments, Fault, Grounds, JsonObject, JsonValue, Refused, parse_rfc3339
from domain.audit import NOWHERE, Whence
from domain.plant.site import ShiftCalendar
from transport import CodecError, Request, decode_json

LIMIT = 100
HIGHEST_LIMIT = 1000
HIGHEST_OFFSET = 1_000_000
PORTION = 50
KEY = "idempotency-key"
OWN = frozenset({"by", "at", "key", "station"})
"""Members of a body that say who acts, when and where; all others are the act's own."""

ACTORS = ("by", "user_id", "reported_by", "acknowledged_by", "resolved_by", "performed_by")
"""Members that say who acts, ours and those of the floor dashboard's clients."""

_NAME_LIMIT = 200

T = TypeVar("T")


class Said(msgspec.Struct, frozen=True):
    """What a person said: ``at`` is None where the client did not say when, ``written_at`` how it wrote it.

    ``whence`` is where it came from.
    """

    by: str
    at: float | None
    key: str | None
    station: str | None
    arguments: Mapping[str, JsonValue]
    written_at: JsonValue = None
    whence: Whence = NOWHERE


class Page(msgspec.Struct, frozen=True):
    """Which part of a list is wanted."""

    limit: int = LIMIT
    offset: int = 0

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        """That part of ``items``, which are no documents yet."""
        return items[self.offset : self.offset + self.limit]

    def of(self, items: Sequence[JsonValue]) -> list[JsonValue]:
        """That part of ``items``."""
        return list(self.cut(items))

    def members(self, items: Sequence[JsonValue]) -> JsonObject:
        """That part of ``items``, and how many there are."""
        return self.told(self.of(items), len(items))

    def told(self, rows: list[JsonValue], total: int) -> JsonObject:
        """``rows``, which are that part of ``total``."""
        return {"items": rows, "total": total, "limit": self.limit, "offset": self.offset}


def portions(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """``items`` in parts, of which each is made into documents in one turn of a desk: others have theirs in between."""
    return (items[begin : begin + PORTION] for begin in range(0, len(items), PORTION))


class Query(msgspec.Struct):
    """The query of a request; what is wrong with it is collected until ``check``."""

    request: Request
    faults: list[Fault] = msgspec.field(default_factory=list)

    def text(self, *names: str) -> str | None:
        """The last value of the first of ``names`` that has one, None if none has."""
        for name in names:
            values = self.request.query.get(name)
            if values and values[-1]:
                return values[-1]
        return None

    def choice(self, name: str, words: Sequence[str]) -> str | None:
        """One of ``words``, None if nothing is said."""
        value = self.text(name)
        if value is not None and value not in words:
            self.faults.append(Fault(f"/query/{name}", f"must be one of {', '.join(words)}"))
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """True or false, None if nothing is said."""
        value = self.choice(name, ("true", "false"))
        return None if value is None else value == "true"

    def moment(self, *names: str, calendar: ShiftCalendar) -> float | None:
        """A moment in Unix seconds, None if nothing is said; a date is when that day begins by ``calendar``."""
        value = self.text(*names)
        if value is None:
            return None
        try:
            if "T" in value or " " in value:
                return parse_rfc3339(value)
            return calendar.day_of(date.fromisoformat(value)).begin_us / 1_000_000
        except ValueError:
            self.faults.append(Fault(f"/query/{names[0]}", "must be a moment such as 2026-11-21T06:00:00Z or a date"))
            return None

    def whole(self, names: Sequence[str], default: int, least: int, most: int) -> int:
        """A whole number, ``default`` if nothing is said."""
        value = self.text(*names)
        if value is None:
            return default
        if value.isascii() and value.isdigit() and len(value) <= len(str(most)) and least <= int(value) <= most:
            return int(value)
        self.faults.append(Fault(f"/query/{names[0]}", f"must be a whole number from {least} to {most}"))
        return default

    def page(self) -> Page:
        """Which part of the list is wanted; ``skip`` is the dashboard clients' word for ``offset``."""
        limit = self.whole(("limit",), LIMIT, 1, HIGHEST_LIMIT)
        return Page(limit, self.whole(("offset", "skip"), 0, 0, HIGHEST_OFFSET))

    def check(self) -> None:
        """Go on if nothing was wrong.

        Raises:
            Refused: if there was any fault; ``details.faults`` has them all.
        """
        if self.faults:
            raise invalid(self.faults)


def invalid(faults: Sequence[Fault]) -> Refused:
    """It is not understood: each fault at its place."""
    told: list[JsonValue] = [{"pointer": fault.pointer, "message": fault.message} for fault in faults]
    return Refused(Grounds.INVALID, f"{faults[0].pointer}: {faults[0].message}", {"faults": told})


def faults_in(refused: Refused) -> list[Fault]:
    """The faults that ``refused`` names; none if it says no for another reason."""
    faults = refused.details.get("faults")
    return [
        Fault(str(each.get("pointer")), str(each.get("message")))
        for each in (faults if isinstance(faults, list) else [])
        if isinstance(each, Mapping)
    ]


def asked_in_body(request: Request) -> Query:
    """The query that the body of ``request`` makes, with that of its address.

    Raises:
        Refused: if it is no JSON object.
    """
    said = {name: [str(value)] for name, value in members_of(request).items() if value is not None}
    return Query(replace(request, query={**request.query, **said}))


def said_by(request: Request) -> tuple[Said, list[Fault]]:
    """What the body of ``request`` says, and what is wrong with who, when and where it says.

    A request without a body says nothing. Who acts is who is known to have sent it; its word counts where nobody is.

    Raises:
        Refused: if it is no JSON object.
    """
    members = members_of(request)
    given = Arguments(members)
    # Each of the names is taken as it is said; the first that is said is who acts.
    by = next((name for word in ACTORS if (name := given.optional_text(word, _NAME_LIMIT))), None)
    at, key, station = given.moment("at"), given.optional_text("key", _NAME_LIMIT), given.optional_text("station")
    header = request.headers.get(KEY)
    if header is not None and key is not None and header != key:
        given.fault("key", "must be what Idempotency-Key says")
    arguments = {name: value for name, value in members.items() if name not in OWN}
    identity = request.rights.identity
    if identity.is_proved:
        # Who is known acts under his own name, whatever he says.
        by = identity.name
    by = by or f"anonymous@{request.client.host}"
    whence = Whence(request.client.host, "http", identity.session)
    return Said(by, at, header or key, station, arguments, members.get("at"), whence), given.faults


def members_of(request: Request) -> JsonObject:
    """The members of a request's body; none where there is no body.

    Raises:
        Refused: if it is no JSON object.
    """
    if not request.body:
        return {}
    # A page of another origin may post text without asking; JSON it may not.
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != JSON:
        raise Refused(Grounds.INVALID, f"a body is {JSON}, not {media or 'nothing'!r}", {"faults": []})
    try:
        members = decode_json(request.body)
    except CodecError as error:
        raise Refused(Grounds.INVALID, f"the body is {error}", {"faults": []}) from None
    if not isinstance(members, Mapping):
        raise Refused(
            Grounds.INVALID,
            "the body must be a JSON object",
            {"faults": [{"pointer": "", "message": "must be a JSON object"}]},
        )
    return members
