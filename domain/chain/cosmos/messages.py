"""The messages of a WebSocket subscription, each by the type that it says it is.

Rules of this file: one table, ``READERS``. A type that nobody subscribes to is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from domain.chain.cosmos.blocks import NOTHING_KNOWN, read_new_block, read_new_block_events, read_new_block_header
from domain.chain.cosmos.fault import CosmosFault, excerpt
from domain.chain.cosmos.jails import read_set_change
from domain.chain.cosmos.known import Known
from domain.chain.cosmos.member import as_object, inner, inner_or_empty, text
from domain.chain.cosmos.nodes import read_round
from domain.chain.cosmos.told import Told, placed
from domain.chain.cosmos.transactions import read_transaction
from domain.chain.observations import Provenance
from domain.json import JsonObject, JsonValue

PREFIX = "tendermint/event/"

# The value of a message, where it comes from, its flattened events, what is known.
Reader = Callable[[JsonObject, Provenance, JsonObject, Known], Told]

READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "NewBlock": lambda value, origin, _, known: read_new_block(value, origin, known),
        "NewBlockHeader": lambda value, origin, *_: read_new_block_header(value, origin),
        "NewBlockEvents": lambda value, origin, *_: read_new_block_events(value, origin),
        # Without a height: the message has none, and the order of subscriptions on a connection is not promised.
        "ValidatorSetUpdates": lambda value, origin, *_: read_set_change(value, placed(origin, "ValidatorSetUpdates")),
        "NewRound": lambda value, origin, *_: read_round(value, origin, "NewRound"),
        "RoundState": lambda value, origin, *_: read_round(value, origin, "NewRoundStep"),
        "Tx": lambda value, origin, flat, _: read_transaction(value, origin, flat),
    }
)


def read_message(message: JsonValue, origin: Provenance, known: Known = NOTHING_KNOWN) -> Told:
    """What a message of a subscription (its ``result``: ``data``, ``events``, ``query``) tells.

    Raises:
        CosmosFault: if it is none that is understood, or speaks of another chain.
    """
    told = as_object(message, "a message")
    carried = inner(told, "data")
    kind = text(carried, "type").removeprefix(PREFIX)
    reader = READERS.get(kind)
    if reader is None:
        raise CosmosFault(f"a message of the type {excerpt(kind)}, which is not known")
    try:
        return reader(inner(carried, "value"), origin, inner_or_empty(told, "events"), known)
    except CosmosFault as fault:
        raise CosmosFault(f"{kind}: {fault}") from None
