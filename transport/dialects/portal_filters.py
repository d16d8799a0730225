"""What a client of the portal wants to be told of a channel: only what fits.

Rules of this file: no I/O. A filter is ``field:value``, several with commas between; all must fit. Text is compared
without regard to case. The same filter of two clients is one encoder, so that it is applied and written once for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from domain import JsonObject, JsonValue
from domain.chain import VALIDATOR_STATUSES
from transport.dialects.portal_commands import Misunderstood, echo
from transport.dialects.portal_messages import message_encoder
from transport.encoder import Encoder

FILTERS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "transactions": {
            "status": "status",
            "sender": "from",
            "from": "from",
            "receiver": "to",
            "to": "to",
            "hash": "txHash",
            "blockHeight": "blockHeight",
        },
        "blocks": {"producer": "producer", "validator": "producer", "blockHeight": "blockHeight"},
        "validators": {"validator": "validator", "status": "exactStatus"},
        "network": {"peerId": "peerId", "connected": "connected"},
    }
)
"""The fields that a channel can be filtered by, and the members that they look at."""

_STATUSES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "transactions": {each: each for each in ("pending", "confirmed", "failed")} | {"success": "confirmed"},
        "validators": {each.lower(): each.lower() for each in VALIDATOR_STATUSES},
    }
)
"""The values that a filter of ``status`` takes, each with the one that the channel's messages have."""

FILTER_LIMIT = 512
_KEPT = 4096

Terms = tuple[tuple[str, str], ...]


def filter_of(channel: str, text: str) -> Terms:
    """The terms of the filter ``text`` for ``channel``: member and value, in an order of their own.

    Raises:
        Misunderstood: if it is none that this channel can be filtered by.
    """
    if not text.strip():
        return ()
    fields = FILTERS.get(channel)
    if fields is None:
        raise Misunderstood(f"Channel {channel} takes no filter", f"these do: {', '.join(FILTERS)}")
    if len(text) > FILTER_LIMIT:
        raise Misunderstood("Filter too long", f"a filter has at most {FILTER_LIMIT} characters")
    terms = set()
    for term in text.split(","):
        name, colon, value = term.partition(":")
        member = fields.get(name.strip())
        if not colon or member is None:
            known = ", ".join(fields)
            raise Misunderstood(f"Invalid filter: {echo(term.strip())}", f"field:value, the field one of {known}")
        terms.add((member, _value_of(channel, name.strip(), value.strip().lower())))
    return tuple(sorted(terms))


def _value_of(channel: str, field: str, value: str) -> str:
    known = _STATUSES.get(channel) if field == "status" else None
    if known is None:
        return value
    if value not in known:
        raise Misunderstood(f"Invalid filter: status:{echo(value)}", f"the status one of {', '.join(known)}")
    return known[value]


@lru_cache(maxsize=_KEPT)
def encoder_of(channel: str, terms: Terms = ()) -> Encoder:
    """The encoder of ``message`` frames for ``channel`` of what fits ``terms``."""
    return message_encoder(channel, (lambda data: fits(data, terms)) if terms else None)


def fits(data: JsonObject, terms: Terms) -> bool:
    """Whether every term fits ``data``."""
    return all(_text(data.get(member)) == value for member, value in terms)


def _text(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).lower()
