"""What the chain as a whole goes through, and its blocks, for the portal's clients that follow several channels.

Rules of this file: these frames stand beside others on one socket, so each says by ``type`` what it is. Members are
those of the event, flat and under ``data``; provenance is beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import JsonObject, Publication, rfc3339
from domain.chain import BLOCK, PROVENANCE, carried, document, without_provenance
from transport.codec import encode_json
from transport.dialects.portal_frames import origin_of, told_members
from transport.encoder import Encoder

_FRAME_WORDS = frozenset({"type", "channel", "data", "payload", "timestamp", "event", "severity", PROVENANCE})


@Encoder
def encode_system(publication: Publication) -> bytes | None:
    """What happened to the chain: halted, resumed, stale, fresh, heights that nobody saw, a reorganization, a node."""
    event = publication.event
    told = without_provenance(event.data) if isinstance(event.data, Mapping) else {}
    fields = document({name: carried(told, name) for name in told})
    at = event.time or rfc3339(event.recorded)
    more = {"event": event.type, "severity": event.priority.wire, "timestamp": at}
    return _frame("system", fields, publication, more)


@Encoder
def encode_block(publication: Publication) -> bytes | None:
    """A block; None for what is none."""
    members = told_members(publication.event) if publication.event.type == BLOCK else None
    if members is None:
        return None
    return _frame("block", members, publication, {"timestamp": members.get("timestamp")})


def _frame(type_: str, fields: JsonObject, publication: Publication, more: JsonObject) -> bytes:
    flat = {name: value for name, value in fields.items() if name not in _FRAME_WORDS}
    return encode_json({"type": type_, **more, **flat, PROVENANCE: origin_of(publication), "data": fields})
