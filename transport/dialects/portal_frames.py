"""The portal's frames: what each publication looks like to the three generations of its clients.

Rules of this file:

* Frames are hybrid: the same fields flat, under ``data``, and on the live stream also under ``payload``. One
  generation reads each place.
* ``channel`` never stands flat: a client routes by it, and any value but the door's own name would lose the frame.
* ``timestamp`` is a number (Unix ms) on the live stream and text (RFC 3339) on the DTO streams.
* A transaction's ``status`` is the chain's word (``SUCCESS``) flat and the web client's (``confirmed``) in ``data``.
* What an event did not carry is null, with its reason under ``reasons``; members beyond the contract are passed on.
* Where it comes from stands once in each frame, under ``provenance`` (``domain.chain.provenance``).

An encoder is one function for all connections of a door, so that a channel encodes once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import Event, JsonObject, Publication, rfc3339
from domain.chain import (
    PROVENANCE,
    VALIDATOR,
    Document,
    client_status,
    event_members,
    members_of,
    milliseconds,
    provenance,
    without_provenance,
)
from transport.codec import encode_json
from transport.encoder import Encoder

SAID_OF_VALIDATORS = frozenset({"validator.confirmed", "validator.retracted", "validator.conflict"})
"""Events that say something of a validator's status: that it holds, that it holds again, that sources contradict."""

# Flat, these words are the frame's own.
_FRAME_WORDS = frozenset({"type", "channel", "data", "payload", "timestamp", PROVENANCE})

LIVE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "portal.tps": "tps_update",
        "portal.block": "block_update",
        "portal.network": "network_update",
        "portal.validators": "validator_update",
    }
)
"""The frame that tells an event on the live stream, by the event's type."""


def live_frame(type_: str, fields: JsonObject, at: float, origin: JsonObject | None = None) -> bytes:
    """A frame of the live stream of ``type_``, sent at ``at`` (Unix seconds); ``origin`` is its provenance."""
    flat = {name: value for name, value in fields.items() if name not in _FRAME_WORDS}
    frame: Document = {"type": type_, **flat, "timestamp": milliseconds(at), "payload": fields, "data": fields}
    return encode_json(frame if origin is None else {**frame, PROVENANCE: origin})


def origin_of(publication: Publication) -> JsonObject:
    """Where what ``publication`` tells comes from: as it carries it, else as its event has it."""
    data = publication.event.data
    carried = data.get(PROVENANCE) if isinstance(data, Mapping) else None
    is_whole = isinstance(carried, Mapping) and publication.event.type.startswith("portal.")
    return carried if is_whole and isinstance(carried, Mapping) else provenance(publication.event, publication.at)


def told_members(event: Event) -> Document | None:
    """The members of a chain event's DTO, its provenance apart; None for an event that has none.

    What is said of a validator's status is told as the status that it has then; ``event`` says which of them it is.
    """
    members = event_members(event)
    if members is None and event.type in SAID_OF_VALIDATORS and isinstance(event.data, Mapping):
        told = members_of(VALIDATOR, event.data, event.time or rfc3339(event.recorded))
        members = {**told, "event": event.type} if told["validator"] is not None else None
    return None if members is None else dict(without_provenance(members))


@Encoder
def encode_live(publication: Publication) -> bytes | None:
    """An update of the live stream; None for an event that is none."""
    type_, fields = LIVE_TYPES.get(publication.event.type), publication.event.data
    if type_ is None or not isinstance(fields, Mapping):
        return None
    return live_frame(type_, without_provenance(fields), publication.at, origin_of(publication))


@Encoder
def encode_metrics(publication: Publication) -> bytes | None:
    """The metrics DTO; None for an event that carries none."""
    fields = publication.event.data
    if not isinstance(fields, Mapping):
        return None
    fields = without_provenance(fields)
    return _dto_frame(fields, fields, publication)


@Encoder
def encode_transaction(publication: Publication) -> bytes | None:
    """The transaction DTO, in both vocabularies."""
    members = told_members(publication.event)
    if members is None:
        return None
    return _dto_frame(members, {**members, "status": client_status(members.get("status"))}, publication)


@Encoder
def encode_chain(publication: Publication) -> bytes | None:
    """The DTO of a validator, of the consensus or of a peer."""
    members = told_members(publication.event)
    return None if members is None else _dto_frame(members, members, publication)


def _dto_frame(fields: JsonObject, nested: JsonObject, publication: Publication) -> bytes:
    flat = {name: value for name, value in fields.items() if name not in _FRAME_WORDS}
    origin = origin_of(publication)
    return encode_json({"timestamp": fields.get("timestamp"), **flat, PROVENANCE: origin, "data": nested})
