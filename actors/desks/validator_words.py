"""What the log and the counters have of what is told of chains and validators.

Rules of this file: one line for what a person may have to act on. What only repeats a state has none.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import Event, JsonObject
from domain.chain import VALIDATOR
from domain.chain.validators import (
    CONFLICT,
    FRESH,
    HALTED,
    MISSED,
    NODE_QUARANTINED,
    NODE_RELEASED,
    REORGANIZED,
    RESUMED,
    RETRACTED,
    STALE,
)
from telemetry import events

_JAILED = ("JAILED", "TOMBSTONED")


def log(event: Event) -> None:
    """Say what ``event`` tells, and count it."""
    data = event.data if isinstance(event.data, Mapping) else {}
    if event.type == VALIDATOR:
        if data.get("status") in _JAILED and data.get("news"):
            events.validator_jailed(
                chain=_text(data, "chain"),
                validator=_text(data, "validator"),
                status=_text(data, "status"),
                reason=_text(data, "reason"),
                height=_whole(data, "height"),
            )
    elif event.type.startswith("validator."):
        _log_doubt(event.type, data)
    elif event.type in (NODE_QUARANTINED, NODE_RELEASED):
        say = events.node_quarantined if event.type == NODE_QUARANTINED else events.node_released
        say(chain=_text(data, "chain"), node=_text(data, "node"), reason=_text(data, "reason"))
    else:
        _log_chain(event.type, data)


def _log_doubt(type_: str, data: JsonObject) -> None:
    if type_ in (RETRACTED, CONFLICT):
        say = events.validator_retracted if type_ == RETRACTED else events.validator_contested
        say(
            chain=_text(data, "chain"),
            validator=_text(data, "validator"),
            status=_text(data, "status"),
            why=_text(data, "why"),
        )


def _log_chain(type_: str, data: JsonObject) -> None:
    chain, height = _text(data, "chain"), _whole(data, "height")
    if type_ == HALTED:
        events.chain_halted(chain=chain, height=height, why=_text(data, "why"))
    elif type_ == RESUMED:
        events.chain_resumed(chain=chain, height=height)
    elif type_ == STALE:
        events.chain_lost(chain=chain, height=height)
    elif type_ == FRESH:
        events.chain_returned(chain=chain, height=height)
    elif type_ == REORGANIZED:
        events.chain_reorganized(chain=chain, height=_whole(data, "first"), depth=_whole(data, "depth"))
    elif type_ == MISSED:
        events.heights_missed(
            chain=chain, first=_whole(data, "first"), last=_whole(data, "last"), reason=_text(data, "reason")
        )


def _text(data: JsonObject, name: str) -> str:
    value = data.get(name)
    return "" if value is None else str(value)


def _whole(data: JsonObject, name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) else -1
