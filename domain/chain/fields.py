"""What the data of a chain event may carry, and what is wrong with data that carries something else.

Rules of this file: one table, ``FIELDS``, says it for each type of event. A field may be absent or null
unless it is required; a member that the table does not name is nobody's business here and is passed on.
Source of the names: the portal's DTOs; what goes beyond them is said in docs/reference/portal.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from types import MappingProxyType

import msgspec

from domain.event import Event, Fault
from domain.json import JsonObject, JsonValue
from domain.moment import parse_rfc3339

TRANSACTION = "chain.transaction"
VALIDATOR = "validator.status"
CONSENSUS = "chain.consensus"
PEER = "chain.peer"
BLOCK = "chain.block"

TEXT_LIMIT = 256
# What an unsigned 256-bit integer needs at most; chains count their smallest units in those.
DIGITS_LIMIT = 78
COUNT_LIMIT = 2**63 - 1
PERCENT_LIMIT = 100

TRANSACTION_STATUSES = ("PENDING", "SUCCESS", "FAILED")
VALIDATOR_STATUSES = ("ACTIVE", "INACTIVE", "JAILED", "TOMBSTONED", "UNKNOWN")


class Kind(msgspec.Struct, frozen=True):
    """A kind of value: what it must be, in words and as a test."""

    must_be: str
    fits: Callable[[JsonValue], bool]


class Field(msgspec.Struct, frozen=True):
    """A member of an event's data."""

    kind: Kind
    required: bool = False


def _is_number(value: JsonValue) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number_to(value: JsonValue, limit: int) -> bool:
    # isinstance again for the type checker, which does not see through _is_number.
    return isinstance(value, int | float) and _is_number(value) and 0 <= value <= limit


def _is_count(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= COUNT_LIMIT


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT and value.isprintable()


def _is_digits(value: JsonValue) -> bool:
    return isinstance(value, str) and len(value) <= DIGITS_LIMIT and value.isascii() and value.isdigit()


def _is_moment(value: JsonValue) -> bool:
    if not isinstance(value, str):
        return False
    try:
        parse_rfc3339(value)
    except ValueError:
        return False
    return True


def _one_of(words: tuple[str, ...]) -> Kind:
    return Kind(f"must be one of {', '.join(words)}", lambda value: value in words)


TEXT = Kind(f"must be a printable string of 1 to {TEXT_LIMIT} characters", _is_text)
COUNT = Kind("must be an integer from 0 to 2^63-1", _is_count)
NUMBER = Kind("must be a number of at least 0", lambda value: _is_number_to(value, COUNT_LIMIT))
PERCENT = Kind("must be a number from 0 to 100", lambda value: _is_number_to(value, PERCENT_LIMIT))
RATIO = Kind("must be a number from 0 to 1", lambda value: _is_number_to(value, 1))
FLAG = Kind("must be true or false", lambda value: isinstance(value, bool))
DIGITS = Kind(f"must be a whole number written as a string of 1 to {DIGITS_LIMIT} digits", _is_digits)
MOMENT = Kind("must be an RFC 3339 moment: 2026-11-21T06:00:00.000Z", _is_moment)

Fields = Mapping[str, Field]

FIELDS: Mapping[str, Fields] = MappingProxyType(
    {
        TRANSACTION: {
            "timestamp": Field(MOMENT),
            "txHash": Field(TEXT, required=True),
            "from": Field(TEXT),
            "to": Field(TEXT),
            "value": Field(DIGITS),
            "status": Field(_one_of(TRANSACTION_STATUSES), required=True),
            "gasUsed": Field(COUNT),
            "id": Field(TEXT),
            "hash": Field(TEXT),
            "amount": Field(NUMBER),
            "blockHeight": Field(COUNT),
            "fee": Field(NUMBER),
            "latencyMs": Field(NUMBER),
            "finalityMs": Field(NUMBER),
            "takenBack": Field(FLAG),
        },
        VALIDATOR: {
            "timestamp": Field(MOMENT),
            "validator": Field(TEXT, required=True),
            "status": Field(_one_of(VALIDATOR_STATUSES), required=True),
            "votingPower": Field(COUNT),
            "uptime": Field(PERCENT),
            "lastBlockProposed": Field(COUNT),
            "publicKey": Field(TEXT),
            "name": Field(TEXT),
            "blocksProduced": Field(COUNT),
            "missedBlocks": Field(COUNT),
            "stake": Field(NUMBER),
            "lastBlockTime": Field(MOMENT),
            "performance": Field(NUMBER),
            "registeredAt": Field(MOMENT),
            "operator": Field(TEXT),
            "reason": Field(TEXT),
            "since": Field(COUNT),
            "sinceAt": Field(MOMENT),
            "jailedUntil": Field(MOMENT),
        },
        CONSENSUS: {
            "timestamp": Field(MOMENT),
            "leader": Field(TEXT),
            "epoch": Field(COUNT),
            "round": Field(COUNT),
            "term": Field(COUNT),
            "state": Field(TEXT),
            "performanceScore": Field(RATIO),
            "activeValidators": Field(COUNT),
        },
        PEER: {
            "timestamp": Field(MOMENT),
            "peerId": Field(TEXT, required=True),
            "ip": Field(TEXT),
            "version": Field(TEXT),
            "connected": Field(FLAG, required=True),
            "latency": Field(COUNT),
        },
        BLOCK: {
            "timestamp": Field(MOMENT),
            "blockHeight": Field(COUNT, required=True),
            "blockTime": Field(COUNT),
            "transactions": Field(COUNT),
            "producer": Field(TEXT),
            "finalityMs": Field(NUMBER),
        },
    }
)


def is_chain_event(event: Event) -> bool:
    """Whether ``event`` is of a type that speaks of the chain."""
    return event.type in FIELDS


def faults_of(event: Event) -> list[Fault]:
    """What is wrong with the data of a chain event, by JSON pointer; nothing for other events."""
    fields = FIELDS.get(event.type)
    if fields is None:
        return []
    if not isinstance(event.data, Mapping):
        return [Fault("/data", "must be an object")]
    return [*_field_faults(fields, event.data), *_emptiness_faults(fields, event.data)]


def known(event: Event) -> dict[str, JsonValue]:
    """The members of a chain event's data that the table names and that are not null."""
    fields = FIELDS[event.type]
    if not isinstance(event.data, Mapping):
        return {}
    return {name: value for name, value in event.data.items() if value is not None and name in fields}


def _field_faults(fields: Fields, data: JsonObject) -> list[Fault]:
    faults = []
    for name, field in fields.items():
        value = data.get(name)
        if value is None:
            if field.required:
                faults.append(Fault(f"/data/{name}", "is required"))
        elif not field.kind.fits(value):
            faults.append(Fault(f"/data/{name}", field.kind.must_be))
    return faults


def _emptiness_faults(fields: Fields, data: JsonObject) -> list[Fault]:
    named = [name for name in fields if name != "timestamp"]
    if any(fields[name].required for name in named) or any(data.get(name) is not None for name in named):
        return []
    return [Fault("/data", f"must carry at least one of {', '.join(named)}")]
