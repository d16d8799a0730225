"""Which of the events that a client posts it may publish: what is said at its own places, by machines and counters.

Rules of this file:

* An event is published at the place that its source names, so that is what is asked about; one of another tenant, or of
  no place at all, is refused.
* What the gateway's own desks say is the record of what was done and decided: a call is answered with an act, never
  with an event that tells of one. Only where nobody is asked who they are may anybody say it.
* A channel without a place, a chain's, is everybody's: who publishes there sees it and may publish for the gateway as a
  whole.
* What is no event at all is let through: who takes events in says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from actors import Refusal
from domain import PLACELESS_KINDS, Event, EventFault, Fault, JsonValue, channel_of, parse_event
from domain.access import Proof, Rights
from domain.plant.alarms import SIGNALS

ACTION = "event.publish"
ID_SHOWN = 128
TYPE_SHOWN = 64

_ACTS = "who may do it does it as an act, at its path or over the stream"
_FOLLOWS = "it follows from what machines and counters say, which may be published"
_ITSELF = "the gateway tells it of itself, and nobody else has to"
_WATCHED = "it follows from what the nodes of the chain say, which may be published"

_HEADS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("andon", "job", "changeover"), _ACTS),
        "alarm": f"alarms are told with {', '.join(sorted(SIGNALS))}, and {_ACTS}",
        "escalation": "escalations follow from calls; who may answer a call does it as an act",
        **dict.fromkeys(("oee", "downtime", "portal"), _FOLLOWS),
        **dict.fromkeys(("journal", "source", "hook", "canary"), _ITSELF),
    }
)
"""By the first word of a type that only the gateway says: who must act instead."""

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("production.updated", "line.status.changed"), _FOLLOWS),
        **dict.fromkeys(("quality.checked", "quality.violated", "quality.defect.found"), _ACTS),
        **dict.fromkeys(("chain.halted", "chain.resumed", "chain.stale", "chain.fresh", "chain.missed"), _WATCHED),
        **dict.fromkeys(("chain.reorganized", "chain.node.quarantined", "chain.node.released"), _WATCHED),
        **dict.fromkeys(("validator.confirmed", "validator.retracted", "validator.conflict"), _WATCHED),
        **dict.fromkeys(("validator.risk", "validator.history"), _WATCHED),
    }
)
"""The same by types whose first word machines and nodes use too."""

_OF_CHAINS = frozenset({"chain", "validator"})
_CHAIN = "chain/validators"


class Sifted(msgspec.Struct, frozen=True):
    """What of posted events may go on, each with its number among all, and why the others may not."""

    members: Sequence[JsonValue]
    numbers: Sequence[int]
    refused: Sequence[Refusal]


def sift(members: Sequence[JsonValue], rights: Rights, at: float) -> Sifted:
    """Which of ``members`` a client with ``rights`` may publish, received ``at`` (Unix seconds)."""
    if rights.identity.proof is Proof.OPEN and rights.sees_everything and rights.may(ACTION, None).is_allowed:
        return Sifted(members, range(len(members)), ())
    refused = {
        number: Refusal(number, name, faults)
        for number, member in enumerate(members)
        for name, faults in [_faults(member, rights, at)]
        if faults
    }
    numbers = [number for number in range(len(members)) if number not in refused]
    return Sifted([members[number] for number in numbers], numbers, tuple(refused.values()))


def _faults(member: JsonValue, rights: Rights, at: float) -> tuple[str | None, tuple[Fault, ...]]:
    try:
        event = parse_event(member, at)
    except EventFault:
        return None, ()
    verdict = rights.may(ACTION, event.source)
    if not verdict.is_allowed:
        return event.id[:ID_SHOWN], (Fault("/source", verdict.why),)
    why = _not_theirs(event, rights)
    return event.id[:ID_SHOWN], () if why is None else (Fault("/type", why),)


def _not_theirs(event: Event, rights: Rights) -> str | None:
    """Why an event of such a type is not published by who has ``rights``; None if it is."""
    shown, head = event.type[:TYPE_SHOWN], event.type.partition(".")[0]
    who = None if event.type in SIGNALS else _HEADS.get(head) or _TYPES.get(event.type)
    if who is not None and rights.identity.proof is not Proof.OPEN:
        return f"{shown} is said by the gateway alone: {who}"
    channel = channel_of(event)
    if channel.partition("/")[0] not in PLACELESS_KINDS:
        if head not in _OF_CHAINS:
            return None
        # A word on a chain that has no channel of its own concerns everybody all the same.
        channel = _CHAIN
    if not rights.sees(channel):
        return f"{shown} is of {channel}: what is published there is published by who sees it"
    verdict = rights.may(ACTION, None)
    return None if verdict.is_allowed else f"{shown} is of {channel}, which is nobody's alone: {verdict.why}"
