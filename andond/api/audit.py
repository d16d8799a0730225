"""``GET /api/v1/audit``: who did what, newest first, for whoever may ``audit.read``.

Rules of this file: who may read it at the gateway as a whole reads all of it. Who may only in a tenant reads what its
people did, not to which thing where that is not of the tenant, and what was done to what is of it, unless somebody of
another tenant did it or wanted to: neither learns of the other. It is verified on the box, with ``andond audit
verify``: what a network tells of a chain proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from actors import AuditTrail, ReadAudit
from actors.places import AUDITOR, Address
from actors.runtime import ActorDead, AskTimeout, Environment, MailboxFull, ask
from andond.api.describe import Operation, Parameter
from andond.api.floor_desks import refusal
from andond.api.floor_request import HIGHEST_LIMIT, LIMIT, Query
from andond.api.problem_types import Anything
from andond.audit_words import Wanted, member
from domain import Fault, Grounds, JsonObject, JsonValue, Refused, parse_rfc3339
from domain.access import EVERY_TENANT, Rights, Within
from domain.audit import Whence
from transport import Request, Response, Routes, json_response

PATIENCE = 20.0
"""Seconds: all files may have to be read."""

ACTION = "audit.read"
_FIRST = 1
_LAST = 2**53


class AuditEntry(msgspec.Struct, kw_only=True):
    """One entry, as it stands in the file."""

    number: int
    at: str
    what: str
    outcome: str
    who: dict[str, Anything]
    from_: dict[str, Anything] = msgspec.field(name="from")
    target: dict[str, Anything]
    why: str
    count: int
    since: str | None = None
    before: Anything = None
    after: Anything = None
    previous: str


class AuditEntries(msgspec.Struct, kw_only=True):
    """Entries, newest first; with the `number` of the last as `before`, those that come next."""

    items: list[AuditEntry]


class AuditResource:
    """Asks the auditor of the tree in ``environment``."""

    def __init__(self, environment: Environment) -> None:
        self._auditor = Address(environment, AUDITOR)
        self._trail = AuditTrail(environment)

    async def get(self, request: Request) -> Response:
        """The entries that are asked for."""
        try:
            return json_response({"items": await self._found(request)})
        except Refused as refused:
            return refusal(refused)

    async def _found(self, request: Request) -> JsonValue:
        sees, rights = self._sight(request), request.rights
        query = Query(request)
        limit = query.whole(("limit",), LIMIT, 1, HIGHEST_LIMIT)
        before = query.whole(("before",), _LAST, _FIRST, _LAST)
        since, until = _moment(query, "since"), _moment(query, "until")
        query.check()
        wanted = Wanted(since, until, query.text("who") or "", query.text("what") or "")

        def is_wanted(entry: JsonObject) -> bool:
            number = entry.get("number")
            return isinstance(number, int) and number < before and sees(entry) and wanted(entry)

        try:
            found = await ask(self._auditor.ref, ReadAudit(is_wanted, limit), PATIENCE)
        except (ActorDead, AskTimeout, MailboxFull):
            found = None
        if not isinstance(found, tuple):
            raise Refused(Grounds.UNAVAILABLE, "the audit cannot be read now")
        return [_as_seen(entry, rights) for entry in found]

    def _sight(self, request: Request) -> Callable[[JsonObject], bool]:
        """Whether an entry is seen by who asks.

        Raises:
            Refused: if none is.
        """
        rights = request.rights
        verdict = rights.may(ACTION, None)
        if verdict.is_allowed:
            return lambda _entry: True
        tenant = rights.identity.tenant
        if tenant and rights.reach(ACTION) is Within.TENANT:
            return lambda entry: _is_of(entry, tenant, rights)
        whence = Whence(request.client.host, request.path, rights.identity.session)
        self._trail.refused(ACTION, verdict.why, "not allowed", whence, rights.identity)
        raise Refused(Grounds.NOT_ALLOWED, verdict.why)


def register(routes: Routes, environment: Environment) -> None:
    """Add the path to ``routes``."""
    about = Operation(
        "audit",
        "Who did what, newest first; a tenant's people read what is of it",
        "audit",
        AuditEntries,
        query=(
            Parameter("since", "from this moment on, RFC 3339", {"type": "string"}),
            Parameter("until", "up to this moment, without it", {"type": "string"}),
            Parameter("who", "by this name or subject", {"type": "string"}),
            Parameter("what", "such as andon.acknowledge, andon.* or login", {"type": "string"}),
            Parameter("before", "only entries with a lower number", {"type": "integer", "minimum": 1}),
            Parameter("limit", "at most so many", {"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT}),
        ),
        refuses=(403, 422, 503),
    )
    routes.add("GET", "/api/v1/audit", AuditResource(environment).get, about)


def _is_of(entry: JsonObject, tenant: str, rights: Rights) -> bool:
    if member(entry, "who", "tenant") == tenant:
        return True
    if member(entry, "who", "tenant") not in ("", EVERY_TENANT):
        return False
    path = member(entry, "target", "path")
    return isinstance(path, str) and path != "" and rights.reaches(path)


def _as_seen(entry: JsonObject, rights: Rights) -> JsonObject:
    """The entry without what it was about, where who reads it does not reach that."""
    path = member(entry, "target", "path")
    if not path or (isinstance(path, str) and rights.reaches(path)):
        return entry
    return {**entry, "target": {"id": "", "path": ""}, "before": None, "after": None}


def _moment(query: Query, name: str) -> float | None:
    text = query.text(name)
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError:
        query.faults.append(Fault(f"/query/{name}", "must be a moment such as 2026-11-21T06:00:00Z"))
        return None
