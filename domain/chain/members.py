"""What one event tells, in the portal's words: the contract's fields, then whatever else it carried.

Rules of this file: what the event did not carry is null, with its reason under ``reasons``. ``timestamp`` is the
data's own, else the event's ``time``, else the moment of its receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from domain.chain.fields import BLOCK, CONSENSUS, PEER, TRANSACTION, VALIDATOR
from domain.chain.unknown import REASONS, Document, Known, Unknown, carried, document
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339

CONTRACT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        TRANSACTION: ("txHash", "from", "to", "value", "status", "gasUsed", "blockHeight", "fee"),
        VALIDATOR: ("validator", "status", "votingPower", "uptime", "lastBlockProposed"),
        CONSENSUS: ("leader", "epoch", "round", "term", "state", "performanceScore", "activeValidators"),
        PEER: ("peerId", "ip", "connected", "latency", "version"),
        BLOCK: ("blockHeight", "blockTime", "transactions", "producer"),
    }
)
"""The fields that the portal's clients look for, by the type of the event."""

_CLIENT_STATUS: Mapping[str, str] = MappingProxyType(
    {"PENDING": "pending", "SUCCESS": "confirmed", "FAILED": "failed"},
)
# Up to here every integer is exact for a client that knows only doubles (RFC 8259, section 6).
_EXACT = 2**53


def event_members(event: Event) -> Document | None:
    """What ``event`` tells, all its members passed on; None for an event that is not the chain's."""
    if event.type not in CONTRACT or not isinstance(event.data, Mapping):
        return None
    return members_of(event.type, event.data, event.time or rfc3339(event.recorded))


def members_of(type_: str, told: JsonObject, moment: str) -> Document:
    """What an event of ``type_`` that carried ``told`` tells; ``moment`` is when, if it did not say so itself."""
    values: dict[str, Known] = {
        **{name: carried(told, name) for name in (*told, *CONTRACT[type_]) if name != REASONS},
        "timestamp": told.get("timestamp") or moment,
    }
    if type_ == TRANSACTION:
        values |= _client_names(told)
    if type_ == VALIDATOR:
        values |= _client_state(told.get("status"))
    return document(values)


def _client_state(status: JsonValue) -> dict[str, Known]:
    """A validator's status for clients that know three, and the exact one beside it."""
    if status == "TOMBSTONED":
        # One that is jailed for good is jailed, and says so beside it.
        return {"status": "JAILED", "exactStatus": status, "tombstoned": True}
    if status == "UNKNOWN":
        # None of the three is true of it: a node that is silent has made nobody inactive.
        return {"status": Unknown("no source knows the status now"), "exactStatus": status}
    return {"exactStatus": status}


def client_status(status: JsonValue) -> JsonValue:
    """The web client's word for a transaction's status; what has none stays as it is."""
    return _CLIENT_STATUS.get(status, status) if isinstance(status, str) else status


def _client_names(told: JsonObject) -> dict[str, Known]:
    """A transaction's names in the web client's words, where it did not carry them itself."""
    names: dict[str, Known] = {name: told.get(name) or told.get("txHash") for name in ("id", "hash")}
    amount = told.get("amount")
    return {**names, "amount": _amount(told.get("value")) if amount is None else amount}


def _amount(value: JsonValue) -> Known:
    if not isinstance(value, str):
        return Unknown("the event carried no value")
    units = int(value)
    return units if units <= _EXACT else float(units)
