"""``POST /api/v1/events``: CloudEvents in, one or a batch.

Rules of this file: structured JSON only (CloudEvents HTTP protocol binding 1.0.2, sections 3.2 and 3.3). Each event
that is refused is named, with every fault, in a problem document (RFC 9457); the good ones of a batch are kept. 202
says that what is urgent is on disk; without that the answer is 503 and says who must act. Whatever the answer, the same
events may be sent again: they are known by their ids. Which of them the client may publish is said by ``publishing``;
what was published, and what was not let, goes to the audit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from actors import AuditTrail, EventsTaken, ReadFault, Refusal, TakeEvents
from actors.places import Address
from actors.runtime import ActorDead, ActorRef, AskTimeout, MailboxFull, ask
from actors.sources import find_source
from andond.api.describe import Operation
from andond.api.event_types import CloudEvent, EventsAccepted
from andond.api.publication_notes import PublicationNotes
from andond.api.publishing import Sifted, sift
from domain import JsonValue
from transport import CodecError, ProtocolError, Request, Response, Routes, decode_json, json_response, problem

SINGLE = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PLAIN = "application/json"
BATCH_LIMIT = 1000
ANSWER_TIMEOUT = 5.0
FAULT_TIMEOUT = 1.0
RETRY_AFTER = 1.0
RETRY_AFTER_FAULT = 5.0
NOTHING_TAKEN = EventsTaken(0, 0, 0, ())


class Posted(msgspec.Struct, frozen=True):
    """The events of one request; those of a batch are named by their place in it."""

    members: list[JsonValue]
    is_batch: bool


class EventsResource:
    """Takes posted events to the source that owns what comes by HTTP; ``sources`` supervises it.

    The ``recorder`` knows why events cannot be kept; ``trail`` is the way to the audit.
    """

    def __init__(
        self,
        sources: Address,
        recorder: Address,
        clock: Callable[[], float] = time.time,
        trail: AuditTrail | None = None,
    ) -> None:
        self._sources = sources
        self._recorder = recorder
        self._clock = clock
        self._notes = PublicationNotes(AuditTrail() if trail is None else trail)
        self._source: ActorRef | None = None

    async def post(self, request: Request) -> Response:
        """Take the events of one request."""
        posted = _posted(request)
        if isinstance(posted, Response):
            return posted
        try:
            source = await self._find()
            if source is None:
                detail = 'This gateway takes no events by HTTP: its configuration has no source of kind "http".'
                return problem(404, "No HTTP source", detail)
            sifted = sift(posted.members, request.rights, self._clock())
            self._notes.refused(request, posted.members, sifted.refused)
            taken = await self._taken(request, source, sifted)
        except (ActorDead, AskTimeout, MailboxFull):
            detail = (
                "the source is restarting or behind, or the disk is; nobody can say what is kept, send the events again"
            )
            raise _busy(detail) from None
        if taken.unkept:
            raise await self._unkept(taken, len(posted.members))
        return _answer(taken, posted)

    async def _taken(self, request: Request, source: ActorRef, sifted: Sifted) -> EventsTaken:
        """What became of all that was posted: the source is told of what may be published alone."""
        taken: object = NOTHING_TAKEN
        if sifted.members:
            try:
                taken = await ask(source, TakeEvents(sifted.members), ANSWER_TIMEOUT)
            except (ActorDead, AskTimeout, MailboxFull):
                self._notes.unknown(request, sifted.members)
                raise
        if not isinstance(taken, EventsTaken):
            raise TypeError(f"the source answered {taken!r}")
        if taken.accepted:
            faulty = {each.index for each in taken.refused}
            self._notes.done(request, [each for n, each in enumerate(sifted.members) if n not in faulty])
        theirs = (replace(each, index=sifted.numbers[each.index]) for each in taken.refused)
        refused = sorted((*sifted.refused, *theirs), key=lambda each: each.index)
        return replace(taken, refused=tuple(refused))

    async def _unkept(self, taken: EventsTaken, count: int) -> ProtocolError:
        """The answer when urgent events were published and are not on disk."""
        fault: object = None
        with suppress(ActorDead, AskTimeout, MailboxFull):
            fault = await ask(self._recorder.ref, ReadFault(), FAULT_TIMEOUT)
        reason = fault if isinstance(fault, str) and fault else "the journal has no room for them, or none at present"
        detail = (
            f"{taken.unkept} of {count} events were published and are not kept: {reason}. Send the same batch again"
        )
        members: dict[str, JsonValue] = {"accepted": taken.accepted, "duplicates": taken.duplicates}
        return ProtocolError(503, detail, retry_after=RETRY_AFTER_FAULT, members={**members, "unkept": taken.unkept})

    async def _find(self) -> ActorRef | None:
        """The HTTP source; a reload may have put another one in its place."""
        if self._source is None or not self._source.is_alive():
            self._source = await find_source(self._sources, "http")
        return self._source


def register(routes: Routes, sources: Address, recorder: Address, trail: AuditTrail | None = None) -> None:
    """Add the resource to ``routes``; ``trail`` is the way to the audit."""
    about = Operation(
        "postEvents",
        "Take events of a publisher, one or a batch",
        "events",
        EventsAccepted,
        status=202,
        refuses=(400, 404, 413, 415, 422, 503),
        bodies=((SINGLE, CloudEvent), (BATCH, list[CloudEvent]), (PLAIN, CloudEvent | list[CloudEvent])),
    )
    routes.add("POST", "/api/v1/events", EventsResource(sources, recorder, trail=trail).post, about)


def _posted(request: Request) -> Posted | Response:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media not in (SINGLE, BATCH, PLAIN):
        return problem(415, "Unsupported media type", f"Send {SINGLE}, {BATCH} or {PLAIN}, not {media or 'nothing'!r}.")
    try:
        value = decode_json(request.body)
    except CodecError as error:
        return problem(400, "Not JSON", f"The body is {error}.")
    if media == BATCH or (media == PLAIN and isinstance(value, list)):
        if not isinstance(value, list):
            return problem(400, "Not a batch", f"The body of {BATCH} is a JSON array of events.")
        if len(value) > BATCH_LIMIT:
            return problem(
                413, "Batch too large", f"A batch has at most {BATCH_LIMIT} events; this one has {len(value)}."
            )
        return Posted(value, is_batch=True)
    return Posted([value], is_batch=False)


def _answer(taken: EventsTaken, posted: Posted) -> Response:
    count = len(posted.members)
    if taken.overloaded:
        raise _busy(f"{taken.overloaded} of {count} events found no room; send the same batch again")
    if not taken.refused:
        return json_response({"accepted": taken.accepted, "duplicates": taken.duplicates}, 202)
    detail = f"{len(taken.refused)} of {count} events were refused; the publisher must mend them. The others were kept."
    errors: list[JsonValue] = [_refusal(refusal, posted) for refusal in taken.refused]
    return problem(
        422,
        "Events refused",
        detail,
        accepted=taken.accepted,
        duplicates=taken.duplicates,
        refused=len(taken.refused),
        errors=errors,
    )


def _refusal(refusal: Refusal, posted: Posted) -> JsonValue:
    prefix = f"/{refusal.index}" if posted.is_batch else ""
    faults: list[JsonValue] = [
        {"pointer": f"{prefix}{fault.pointer}", "detail": fault.message} for fault in refusal.faults
    ]
    return {"index": refusal.index, "id": refusal.id, "faults": faults}


def _busy(detail: str) -> ProtocolError:
    return ProtocolError(503, detail, retry_after=RETRY_AFTER)
