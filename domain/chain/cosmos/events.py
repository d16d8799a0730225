"""The events that an application puts into a block or a transaction: the few attributes that are of use here.

Rules of this file:

* The structured list is read, never the flattened map beside it: there the values of one event stand apart, and lists
  of different lengths cannot be paired.
* Up to 0.36 keys and values are base64, from 0.37 plain. Each key looked for is known in both spellings, and the
  spelling of a key says how its value is written, so nothing is guessed and nothing else is decoded.
* Several events of a type may be merged into one: a key that comes again begins the next group.
* An event without a type, a key that is empty, a value that is null or bytes are somebody else's, and no fault.

Source of the names: Cosmos SDK, ``x/slashing/types/events.go``, ``x/bank/types/events.go``, ``types/events.go``.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence

from domain.chain.cosmos.fault import CosmosFault
from domain.chain.cosmos.member import from_base64, inner_or_empty, rows
from domain.json import JsonObject, JsonValue

ATTRIBUTES = (
    "address",
    "power",
    "reason",
    "jailed",
    "missed_blocks",
    "recipient",
    "sender",
    "amount",
    "fee",
    "fee_payer",
)
"""The attributes that are read."""

EVENTS_LIMIT = 1_000_000

_PLACES = ("result_begin_block", "result_end_block", "result_finalize_block")
_LISTS = ("begin_block_events", "end_block_events", "finalize_block_events")
# Spelling on the wire -> the attribute, and whether its value is base64.
_SPELLINGS: dict[object, tuple[str, bool]] = {
    spelling: (name, coded)
    for name in ATTRIBUTES
    for spelling, coded in ((name, False), (b64encode(name.encode()).decode(), True))
}

Group = dict[str, str]


def block_events(value: JsonObject) -> Iterator[JsonObject]:
    """The events of a block, in their order, wherever this version of the node keeps them.

    Raises:
        CosmosFault: if such a place holds something else.
    """
    for place in _PLACES:
        yield from events_in(inner_or_empty(value, place), "events")
    for name in (*_LISTS, "events"):
        yield from events_in(value, name)


def transaction_results(value: JsonObject) -> Sequence[JsonValue]:
    """The results of a block's transactions; nothing where it has none or the message does not carry them.

    Raises:
        CosmosFault: if their place holds something else.
    """
    results = rows(inner_or_empty(value, "result_finalize_block"), "tx_results", EVENTS_LIMIT)
    return results or rows(value, "txs_results", EVENTS_LIMIT)


def has_failed(result: JsonValue) -> bool:
    """Whether ``result`` is that of a transaction that failed: ``code`` is absent where it is 0, which is success."""
    return not isinstance(result, Mapping) or result.get("code") not in (None, 0, "0")


def events_in(value: JsonObject, name: str = "events") -> Iterator[JsonObject]:
    """The events in the list ``name``; what is no event is passed over.

    Raises:
        CosmosFault: if ``name`` is no list.
    """
    for event in rows(value, name, EVENTS_LIMIT):
        if isinstance(event, Mapping):
            yield event


def groups(event: JsonObject) -> Iterator[Group]:
    """What an event says, by attribute; more than once where several were merged into it.

    Raises:
        CosmosFault: if a value that is read is not written as its key is.
    """
    group: Group = {}
    for attribute in rows(event, "attributes", EVENTS_LIMIT):
        if not isinstance(attribute, Mapping):
            continue
        key = attribute.get("key")
        name, coded = _SPELLINGS.get(key, ("", False)) if isinstance(key, str) else ("", False)
        if not name:
            continue
        if name in group:
            yield group
            group = {}
        group[name] = _value(attribute.get("value"), name, coded=coded)
    if group:
        yield group


def _value(written: JsonValue, name: str, *, coded: bool) -> str:
    if not isinstance(written, str):
        return ""
    if not coded:
        return written
    try:
        return from_base64(written, name).decode()
    except UnicodeDecodeError:
        raise CosmosFault(f"{name} is no text") from None
