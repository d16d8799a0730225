"""The frames of the portal's newer doors: the ledger channels, the dashboard, the console, the transaction feed.

Rules of this file: every frame has ``type``, ``data``, ``timestamp`` (Unix ms) and ``provenance``; what one generation
reads by a name of its own (``metrics``, ``transaction``, ``block``) stands under that name and under ``data``. What is
not known is null, with its reason. An encoder is one object for all connections of a door.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from domain import JsonObject, JsonValue, Publication, parse_rfc3339
from domain.chain import (
    BLOCK,
    PROVENANCE,
    TRANSACTION,
    Document,
    client_status,
    milliseconds,
    without_provenance,
)
from transport.codec import encode_json
from transport.dialects.portal_frames import origin_of, told_members
from transport.encoder import Encoder

LEDGER_CHANNEL = "main-channel"
"""The name of the one ledger channel: one portal is one chain."""

DASHBOARD_TYPES: Mapping[str, str] = MappingProxyType(
    {"portal.dashboard": "metrics", "portal.nodes": "nodes", "portal.performance": "performance"}
)
"""The dashboard's frame that tells an event, by the event's type."""

_NOT_CARRIED = "the event carried none"
_TRANSACTION_NAMES = ("id", "from", "to", "amount", "timestamp", "status", "fee", "hash", "blockHeight", "gasUsed")


def message(type_: str, data: JsonValue, publication: Publication, **more: JsonValue) -> bytes:
    """A frame of ``type_`` that carries ``data``, and ``more`` beside it."""
    at = milliseconds(publication.at)
    return encode_json({"type": type_, **more, "data": data, "timestamp": at, PROVENANCE: origin_of(publication)})


def client_transaction(publication: Publication) -> Document | None:
    """A transaction in the web client's words; None for what is none."""
    members = told_members(publication.event) if publication.event.type == TRANSACTION else None
    if members is None:
        return None
    told = {**members, "timestamp": _moment(members), "status": client_status(members.get("status"))}
    return _picked(told, {name: name for name in _TRANSACTION_NAMES})


def client_block(publication: Publication) -> Document | None:
    """A block in the web client's words; None for what is none."""
    members = told_members(publication.event) if publication.event.type == BLOCK else None
    if members is None:
        return None
    told = {**members, "timestamp": _moment(members)}
    names = {"height": "blockHeight", "transactionCount": "transactions", "validator": "producer"}
    kept = {name: name for name in ("hash", "timestamp", "size", "blockTime")}
    previous = next((name for name in ("prevHash", "parentHash", "parent") if told.get(name)), "prevHash")
    return _picked(told, {**names, **kept, "prevHash": previous})


@Encoder
def encode_ledger(publication: Publication) -> bytes | None:
    """An update, a transaction or a block of the ledger channel."""
    if publication.event.type == "portal.channel":
        return _of_ledger("channel_update", "metrics", _plain(publication), publication)
    if publication.event.type == BLOCK:
        return _of_ledger("block", "block", client_block(publication), publication)
    return _of_ledger("transaction", "transaction", client_transaction(publication), publication)


@Encoder
def encode_dashboard(publication: Publication) -> bytes | None:
    """An object of the dashboard; None for what is none."""
    type_, fields = DASHBOARD_TYPES.get(publication.event.type), _plain(publication)
    if type_ is None or fields is None:
        return None
    # Of the nodes the client reads a list.
    return message(type_, fields.get("nodes", []) if type_ == "nodes" else fields, publication)


@Encoder
def encode_console(publication: Publication) -> bytes | None:
    """The console's metrics; None for what is none."""
    fields = _plain(publication) if publication.event.type == "portal.realtime" else None
    return None if fields is None else message("realtime_metrics", fields, publication)


@Encoder
def encode_feed(publication: Publication) -> bytes | None:
    """A transaction of the real-time feed: who sent it and who received it under the feed's own names too."""
    told = client_transaction(publication)
    if told is None:
        return None
    fields: Document = {
        **told,
        "timestamp": (told_members(publication.event) or {}).get("timestamp"),
        "sender": told["from"],
        "receiver": told["to"],
    }
    reasons = told.get("reasons")
    if isinstance(reasons, Mapping):
        twice = {name: reasons[old] for name, old in (("sender", "from"), ("receiver", "to")) if old in reasons}
        fields["reasons"] = {**reasons, **twice}
    return message("transaction", fields, publication)


def message_encoder(channel: str, accepts: Callable[[JsonObject], bool] | None = None) -> Encoder:
    """An encoder of ``message`` frames for ``channel``, of those whose data it ``accepts``."""

    @Encoder
    def encode(publication: Publication) -> bytes | None:
        data = _message_data(publication)
        if data is None or (accepts is not None and not accepts(data)):
            return None
        return message("message", data, publication, channel=channel)

    return encode


def _message_data(publication: Publication) -> JsonObject | None:
    if publication.event.type.startswith("portal."):
        return _plain(publication)
    members = told_members(publication.event)
    if members is not None and publication.event.type == TRANSACTION:
        return {**members, "status": client_status(members.get("status"))}
    return members


def _of_ledger(type_: str, name: str, fields: JsonObject | None, publication: Publication) -> bytes | None:
    if fields is None:
        return None
    return message(type_, fields, publication, channelId=LEDGER_CHANNEL, **{name: fields})


def _plain(publication: Publication) -> JsonObject | None:
    data = publication.event.data
    return without_provenance(data) if isinstance(data, Mapping) else None


def _moment(members: JsonObject) -> JsonValue:
    moment = members.get("timestamp")
    return milliseconds(parse_rfc3339(moment)) if isinstance(moment, str) else None


def _picked(members: JsonObject, names: Mapping[str, str]) -> Document:
    """The members of ``names`` (theirs by ours), each null one with its reason."""
    picked: Document = {theirs: members.get(ours) for theirs, ours in names.items()}
    told = members.get("reasons")
    known = told if isinstance(told, Mapping) else {}
    reasons: Document = {
        theirs: known.get(names[theirs], _NOT_CARRIED) for theirs, value in picked.items() if value is None
    }
    return {**picked, "reasons": reasons} if reasons else picked


LEDGER_CHANNELS: Sequence[str] = ("panels/channel", "chain/transactions", "chain/blocks")
"""What is followed for the ledger channel."""
