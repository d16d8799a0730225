"""The portal's frames: what each publication looks like to the three generations of its clients.

Rules of this file:

* Frames are hybrid: the same fields flat, under ``data``, and on the live stream also under ``payload``. One
  generation reads each place.
* ``channel`` never stands flat: a client routes by it, and any value but the door's own name would lose the frame.
* ``timestamp`` is a number (Unix ms) on the live stream and text (RFC 3339) on the DTO streams.
* A transaction's ``status`` is the chain's word (``SUCCESS``) flat and the web client's (``confirmed``) in ``data``.
* What an event did not carry is null, with its reason under ``reasons``; members beyond the contract are passed on.

An encoder is one function for all connections of a door, so that a channel encodes once for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain import JsonObject, Publication
from domain.chain import client_status, event_members, milliseconds
from transport.codec import encode_json
from transport.encoder import Encoder

# Flat, these words are the frame's own.
_FRAME_WORDS = frozenset({"type", "channel", "data", "payload", "timestamp"})

LIVE_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "portal.tps": "tps_update",
        "portal.block": "block_update",
        "portal.network": "network_update",
        "portal.validators": "validator_update",
    }
)
"""The frame that tells an event on the live stream, by the event's type."""


def live_frame(type_: str, fields: JsonObject, at: float) -> bytes:
    """A frame of the live stream of ``type_``, sent at ``at`` (Unix seconds)."""
    flat = {name: value for name, value in fields.items() if name not in _FRAME_WORDS}
    return encode_json({"type": type_, **flat, "timestamp": milliseconds(at), "payload": fields, "data": fields})


@Encoder
def encode_live(publication: Publication) -> bytes | None:
    """An update of the live stream; None for an event that is none."""
    type_, fields = LIVE_TYPES.get(publication.event.type), publication.event.data
    if type_ is None or not isinstance(fields, Mapping):
        return None
    return live_frame(type_, fields, publication.at)


@Encoder
def encode_metrics(publication: Publication) -> bytes | None:
    """The metrics DTO; None for an event that carries none."""
    fields = publication.event.data
    return _dto_frame(fields, fields) if isinstance(fields, Mapping) else None


@Encoder
def encode_transaction(publication: Publication) -> bytes | None:
    """The transaction DTO, in both vocabularies."""
    members = event_members(publication.event)
    if members is None:
        return None
    return _dto_frame(members, {**members, "status": client_status(members["status"])})


@Encoder
def encode_chain(publication: Publication) -> bytes | None:
    """The DTO of a validator, of the consensus or of a peer."""
    members = event_members(publication.event)
    return None if members is None else _dto_frame(members, members)


def _dto_frame(fields: JsonObject, nested: JsonObject) -> bytes:
    flat = {name: value for name, value in fields.items() if name not in _FRAME_WORDS}
    return encode_json({"timestamp": fields.get("timestamp"), **flat, "data": nested})
