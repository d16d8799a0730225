"""What is told of a chain and its validators: events, each with where it comes from.

Rules of this file: data carries ``source``, ``height``, ``method``, ``observedAt``, ``ageMs`` and ``confirmedBy``.
``news`` of a status says whether the state is another one than was told before; what only tells it again is never
urgent. ``text`` says it in one line for people. What nobody knows is null.
Times of events are ours: the chain's own are in the data.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from domain.chain.fields import COUNT_LIMIT, VALIDATOR
from domain.chain.observations import Provenance
from domain.chain.validators.countdown import Countdown, allowed_misses, countdown
from domain.chain.validators.evidence import Evidence, Standing
from domain.chain.validators.judging import Verdict, Word
from domain.chain.validators.nodes import Head, Moved, Node
from domain.chain.validators.rules import Rules
from domain.chain.validators.states import Status
from domain.chain.validators.terms import Terms
from domain.chain.validators.validator import Validator
from domain.chain.validators.wording import text_of
from domain.event import Event
from domain.json import JsonObject, JsonValue
from domain.moment import rfc3339
from domain.policy import BUILT_IN

CONFIRMED, RETRACTED, CONFLICT, RISK, HISTORY = (
    f"validator.{word}" for word in ("confirmed", "retracted", "conflict", "risk", "history")
)
HALTED, RESUMED, STALE, FRESH, MISSED, REORGANIZED = (
    f"chain.{word}" for word in ("halted", "resumed", "stale", "fresh", "missed", "reorganized")
)
NODE_QUARANTINED, NODE_RELEASED = "chain.node.quarantined", "chain.node.released"

_TYPES: Mapping[Word, str] = {
    Word.STATUS: VALIDATOR,
    Word.CONFIRMED: CONFIRMED,
    Word.RETRACTED: RETRACTED,
    Word.CONFLICT: CONFLICT,
    Word.HISTORY: HISTORY,
}


class Scene(msgspec.Struct, frozen=True):
    """What a chain is like when something is told of it at ``at``."""

    chain: str
    at: float
    head: Head
    terms: Terms
    rules: Rules | None = None


def event(scene: Scene, type_: str, name: str, subject: str | None, data: JsonObject) -> Event:
    """An event about the chain; ``name`` tells it from others of its type at the same time."""
    source = f"/chain/{scene.chain}"
    text = text_of(type_, scene.chain, data)
    return Event(
        id=f"{scene.chain}:{type_}:{name}:{round(scene.at * 1000)}",
        source=source,
        type=type_,
        data=data if text is None else {**data, "text": text},
        recorded=scene.at,
        priority=BUILT_IN.priority_of(type_, data, source),
        subject=subject,
        time=rfc3339(scene.at),
    )


def provenance(scene: Scene, evidence: Evidence, confirmed_by: list[str]) -> dict[str, JsonValue]:
    """Where ``evidence`` comes from, and who else says so."""
    return {
        "chain": scene.chain,
        "source": evidence.source,
        "height": evidence.height,
        "method": evidence.method,
        "observedAt": rfc3339(evidence.observed),
        "ageMs": round(max(0.0, scene.at - evidence.observed) * 1000),
        "confirmedBy": [*confirmed_by],
    }


def provenance_of(scene: Scene, told: Provenance) -> dict[str, JsonValue]:
    """Where an observation of the chain comes from."""
    return {
        "chain": scene.chain,
        "source": told.source,
        "height": told.height,
        "method": told.method,
        "observedAt": rfc3339(told.observed),
        "ageMs": round(max(0.0, scene.at - told.observed) * 1000),
        "confirmedBy": [told.source],
    }


def way_to_jail(scene: Scene, validator: Validator) -> Countdown | None:
    """How far ``validator`` is from jail; None if the chain's rules or its misses are not known."""
    rules = scene.rules
    if rules is None or validator.missed is None or validator.status is not Status.ACTIVE:
        return None
    height = max(validator.missed_height, 0)
    allowed = allowed_misses(rules.window, rules.least_signed)
    return countdown(allowed, rules.window, validator.missed, height, validator.start_height, scene.head.block_time)


def uptime_of(scene: Scene, validator: Validator) -> float | None:
    """The percentage of its window that ``validator`` signed; None if it is not known."""
    rules, missed = scene.rules, validator.missed
    window = validator.window if rules is None else rules.window
    if window is None or missed is None:
        return None
    if validator.start_height is not None:
        window = min(window, validator.missed_height - validator.start_height)
    return None if window <= 0 else round(max(0.0, 100.0 * (1 - missed / window)), 4)


def can_unjail(standing: Standing, at: float) -> bool:
    """Whether a jailed validator can leave the jail, which it does only when it says so."""
    return standing.status is Status.JAILED and standing.until is not None and standing.until <= at


def members(scene: Scene, validator: Validator, standing: Standing | None = None) -> dict[str, JsonValue]:
    """A validator: who it is, what it is and its figures."""
    standing = standing or validator.standing
    way = way_to_jail(scene, validator)
    is_jailed = standing.status is Status.JAILED
    return {
        "timestamp": rfc3339(scene.at),
        "validator": validator.address,
        "operator": validator.operator,
        "name": validator.moniker,
        "publicKey": validator.key,
        "status": standing.status.value,
        "spec": validator.spec,
        "reason": standing.reason,
        "since": standing.since,
        "sinceAt": moment(standing.since_at),
        "jailedUntil": moment(standing.until) if is_jailed else None,
        "canUnjail": can_unjail(standing, scene.at) if is_jailed else None,
        "confirmed": standing.is_confirmed,
        "final": standing.is_final,
        "standing": standing.is_standing,
        "watched": validator.goes_by(scene.terms.watched),
        "votingPower": validator.power,
        "stake": validator.stake if validator.stake is None or validator.stake <= COUNT_LIMIT else None,
        "uptime": uptime_of(scene, validator),
        "missedBlocks": validator.missed,
        "lastBlockProposed": validator.proposed,
        "blocksToJail": None if way is None else way.blocks,
        "secondsToJail": None if way is None or way.seconds is None else round(way.seconds, 3),
        "evidence": [each.document() for each in standing.evidence],
    }


def status(scene: Scene, validator: Validator, *, is_stale: bool = False, is_routine: bool = False) -> Event:
    """The state of ``validator`` told again; unknown if nobody can say whether it still holds.

    ``is_routine``: it is told for its figures alone.
    """
    data = {
        **members(scene, validator),
        "news": False,
        "stale": is_stale,
        "figures": is_routine,
        **_provenance_now(scene, validator),
    }
    if is_stale:
        data |= {"status": Status.UNKNOWN.value, "lastStatus": validator.status.value}
    return event(scene, VALIDATOR, validator.address, validator.address, data)


def verdict(scene: Scene, validator: Validator, said: Verdict) -> Event:
    """What evidence made of ``validator``."""
    evidence = said.evidence
    sources = list(dict.fromkeys([*validator.standing.sources, *validator.witnesses]))
    confirmed_by = sources if evidence.source in sources else [evidence.source]
    data = {
        **members(scene, validator),
        "previous": said.previous.status.value,
        "why": said.why or None,
        **provenance(scene, evidence, confirmed_by),
    }
    match said.word:
        case Word.STATUS:
            data |= {"news": True, "stale": False}
        case Word.CONFLICT:
            data |= {"witnesses": list(validator.witnesses), "deniers": list(validator.deniers)}
        case Word.RETRACTED:
            data |= {"retracted": said.previous.status.value, "retractedReason": said.previous.reason}
        case Word.HISTORY:
            data |= {"kind": evidence.kind.value, "reason": said.reason, "at": moment(evidence.at)}
    name = f"{validator.address}:{validator.status.value}:{evidence.height}"
    return event(scene, _TYPES[said.word], name, validator.address, data)


def final(scene: Scene, validator: Validator, told: Provenance) -> Event:
    """The chain cannot take the state of ``validator`` back any more."""
    standing = validator.standing
    data = {
        **members(scene, validator),
        "previous": standing.status.value,
        "why": f"height {told.height} is final",
        **provenance_of(scene, told),
    }
    return event(scene, CONFIRMED, f"{validator.address}:final", validator.address, data)


def risk(scene: Scene, validator: Validator, way: Countdown, told: Provenance) -> Event:
    """How far ``validator`` is from jail, because a threshold was passed; ``level`` 0: it is not at risk any more."""
    thresholds = scene.terms.risk
    data: dict[str, JsonValue] = {
        "timestamp": rfc3339(scene.at),
        "validator": validator.address,
        "operator": validator.operator,
        "name": validator.moniker,
        "watched": validator.goes_by(scene.terms.watched),
        "level": validator.risk,
        "imminent": validator.is_imminent,
        "threshold": thresholds[validator.risk - 1] if 0 < validator.risk <= len(thresholds) else None,
        "missedBlocks": way.missed,
        "allowedMisses": way.allowed,
        "blocksToJail": way.blocks,
        "secondsToJail": None if way.seconds is None else round(way.seconds, 3),
        **provenance_of(scene, told),
    }
    return event(scene, RISK, f"{validator.address}:{validator.risk}:{validator.is_imminent}", validator.address, data)


def of_chain(scene: Scene, type_: str, nodes: list[Node], why: str, more: JsonObject | None = None) -> Event:
    """That the chain stands still, goes on, is heard of or is not."""
    head = scene.head
    observed = max((node.heard for node in nodes if node.heard is not None), default=scene.at)
    names = [node.name for node in nodes]
    data: dict[str, JsonValue] = {
        "timestamp": rfc3339(scene.at),
        "chain": scene.chain,
        "why": why,
        "headHeight": None if head.height < 0 else head.height,
        "headAgeMs": None if head.at is None else round(max(0.0, scene.at - head.at) * 1000),
        "blockTimeMs": None if head.block_time is None else round(head.block_time * 1000),
        "nodes": [node.document(scene.at) for node in nodes],
        **(more or {}),
        "source": names[0] if names else None,
        "height": None if head.height < 0 else head.height,
        "method": "watch",
        "observedAt": rfc3339(observed),
        "ageMs": round(max(0.0, scene.at - observed) * 1000),
        "confirmedBy": [*names],
    }
    return event(scene, type_, str(head.height), scene.chain, data)


def of_observation(scene: Scene, type_: str, told: Provenance, more: JsonObject) -> Event:
    """What an observation said of the chain itself."""
    data = {"timestamp": rfc3339(scene.at), **more, **provenance_of(scene, told)}
    return event(scene, type_, f"{told.source}:{told.height}", scene.chain, data)


def of_node(scene: Scene, moved: Moved) -> Event:
    """That a node's word does not count for a while, or counts again."""
    node, type_ = moved.node, NODE_RELEASED if moved.fault is None else NODE_QUARANTINED
    fault = moved.before if moved.fault is None else moved.fault
    heard = node.last_heard
    data: dict[str, JsonValue] = {
        "timestamp": rfc3339(scene.at),
        "chain": scene.chain,
        "node": node.name,
        "reason": None if fault is None else fault.value,
        "claimedHeight": None if node.claim is None else node.claim.height,
        "headHeight": scene.head.height,
        "state": node.document(scene.at),
        "source": node.name,
        "height": node.height,
        "method": "watch",
        "observedAt": rfc3339(heard),
        "ageMs": round(max(0.0, scene.at - heard) * 1000),
        "confirmedBy": [node.name],
    }
    return event(scene, type_, f"{node.name}:{data['reason']}", node.name, data)


def moment(at: float | None) -> str | None:
    """``at`` for people and programs; None if there is none, or none that can be written."""
    if at is None:
        return None
    try:
        return rfc3339(at)
    except ValueError:
        return None


def _provenance_now(scene: Scene, validator: Validator) -> dict[str, JsonValue]:
    """Where the present state comes from: who stood by it last."""
    evidence = validator.standing.evidence
    if not validator.witnesses or not evidence:
        return {} if not evidence else provenance(scene, evidence[-1], validator.standing.sources)
    source, claim = max(validator.witnesses.items(), key=lambda each: each[1].observed)
    method = next((each.method for each in reversed(evidence) if each.source == source), evidence[-1].method)
    said = Evidence(evidence[-1].kind, source, method, claim.height, claim.observed)
    return provenance(scene, said, [*validator.witnesses])
